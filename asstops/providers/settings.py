"""Where the services are and how to sign in, as the environment says. Reads a mapping, nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from asstops.errors import AsstopsError

DEFAULT_ARM = "https://management.azure.com"
NEWEST_ASSISTANTS_VERSION = "2025-03-01-preview"
ASSISTANTS_VERSIONS = ("2024-05-01-preview", "2025-03-01-preview")
_EXAMPLE = "https://NAME.openai.azure.com"
PROJECT = "FOUNDRY_PROJECT_ENDPOINT"
PROJECT_EXAMPLE = "https://NAME.services.ai.azure.com/api/projects/PROJECT"
# The endpoint of a project at the start of whatever is asked of it; `_project` is the account's default one.
_PROJECT_PATH = re.compile(r"(?P<endpoint>(?:/[^/]+)*?/api/projects/[^/]+)(?:/.*)?")
_ACCOUNT_HOST = re.compile(r"(?P<name>[^.]+)\.(?:openai|cognitiveservices|services\.ai)\.azure\.com")
# Web pages for people, which are often copied instead of the address of the API.
_PORTALS = ("portal.azure.com", "ai.azure.com", "oai.azure.com", "portal.azure.us", "portal.azure.cn")


class SettingsInvalid(AsstopsError):
    """An environment variable, or the account, names an address or a key that cannot be used."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run needs to reach the services. `local` marks the built-in emulator; the key never shows in a repr."""

    arm_endpoint: str = DEFAULT_ARM
    endpoint: str = ""
    project_endpoint: str = ""
    api_key: str = field(default="", repr=False)
    api_version: str = NEWEST_ASSISTANTS_VERSION
    subscription_id: str = ""
    local: bool = False

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], *, local: bool = False) -> Settings:
        """Read the documented variables. Raises SettingsInvalid, also where a secret would be sent in the clear."""
        return cls(
            arm_endpoint=_address("AZURE_RESOURCE_MANAGER_ENDPOINT", environ) or DEFAULT_ARM,
            endpoint=without_api_path(_address("AZURE_OPENAI_ENDPOINT", environ)),
            project_endpoint=_address(PROJECT, environ),
            api_key=_key("AZURE_OPENAI_API_KEY", environ),
            api_version=_version("OPENAI_API_VERSION", environ) or NEWEST_ASSISTANTS_VERSION,
            subscription_id=environ.get("AZURE_SUBSCRIPTION_ID", "").strip(),
            local=local,
        )


def is_loopback(url: str) -> bool:
    """True for addresses on this machine, the only ones that may be plain http."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None


def without_api_path(url: str) -> str:
    """The endpoint without what belongs to a request: `/openai/v1`, or the rest of a target URI as portals show it."""
    parts = urlsplit(url)
    path, api, _ = f"{parts.path}/".partition("/openai/")
    return urlunsplit(parts._replace(path=path, query="", fragment="")) if api else url


def project_endpoint(settings: Settings) -> str:
    """The project's endpoint in the environment, "" for none, without what belongs to a request.

    Raises SettingsInvalid for an address that is not a project's; only who needs a project asks.
    """
    url = settings.project_endpoint
    if not url:
        return ""
    parts = urlsplit(url)
    found = _PROJECT_PATH.fullmatch(parts.path)
    if found:
        return urlunsplit(parts._replace(path=found["endpoint"], query="", fragment=""))
    host = _ACCOUNT_HOST.fullmatch(parts.hostname or "")
    example = PROJECT_EXAMPLE.replace("NAME", host["name"]) if host else PROJECT_EXAMPLE
    what = "the address of an account" if host else "not the address of a project"
    raise SettingsInvalid(
        f"{PROJECT} is {url!r}, {what}: it lacks /api/projects/PROJECT",
        fix=f"name the project as well: {example}; the project's overview page in the portal shows its endpoint",
    )


def check_address(url: str, name: str) -> None:
    """Refuse what is no https URL of a service, loopback aside. `name` is what the user set it with."""
    example = PROJECT_EXAMPLE if name == PROJECT else _EXAMPLE
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        raise SettingsInvalid(f"{name} is no URL", fix=f"write it in full, for example {example}") from None
    if parts.username is not None or parts.password is not None:
        # The address itself is left out: it holds a secret.
        raise SettingsInvalid(f"{name} holds a user name or password", fix="write the address alone")
    if not url.isascii() or not url.isprintable() or any(c.isspace() for c in url):
        raise SettingsInvalid(f"{name} is {url!r}: no URL has such characters", fix="copy the address again")
    if parts.scheme not in ("http", "https") or not host:
        full = f"https://{url}" if "://" not in url and "." in url.partition("/")[0] else example
        raise SettingsInvalid(
            f"{name} is {url!r}, which is no URL: it lacks https://", fix=f"write it in full, for example {full}"
        )
    if host in _PORTALS:
        what, shown = ("resource", "the page shows under 'Keys and Endpoint'")
        if name == PROJECT:
            what, shown = ("project", "the project's overview page shows")
        raise SettingsInvalid(
            f"{name} is {url!r}, a page of the portal and not the endpoint of a {what}",
            fix=f"take the endpoint that {shown}, for example {example}",
        )
    if parts.scheme == "http" and not is_loopback(url):
        raise SettingsInvalid(
            f"{name} is {url!r}: plain http is accepted for addresses on this machine only",
            fix="use https, so that keys and tokens are not sent in the clear",
        )


def _address(name: str, environ: Mapping[str, str]) -> str:
    url = environ.get(name, "").strip().rstrip("/")
    if url:
        check_address(url, name)
    return url


def _key(name: str, environ: Mapping[str, str]) -> str:
    """A line break at the end is what copying leaves behind, and is dropped; one inside is a mistake."""
    key = environ.get(name, "").strip()
    if any(c in key for c in "\r\n"):
        raise SettingsInvalid(f"{name} holds a line break", fix="copy the key again; it is one line")
    if not all("!" <= c <= "~" for c in key):
        raise SettingsInvalid(
            f"{name} holds a blank or a character that no key has", fix="copy the key again, without quotes or blanks"
        )
    return key


def _version(name: str, environ: Mapping[str, str]) -> str:
    version = environ.get(name, "").strip()
    if not re.fullmatch(r"[A-Za-z0-9.-]*", version):
        raise SettingsInvalid(
            f"{name} is {version!r}, which is no API version", fix=f"use one of {', '.join(ASSISTANTS_VERSIONS)}"
        )
    return version
