"""`asstops output`: remote ids, endpoint and deployment names, for the applications that use them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from asstops.cli.options import format_option, global_options
from asstops.cli.run import opened, options_of
from asstops.cli.terminal import Terminal
from asstops.errors import AsstopsError, ExitCode

if TYPE_CHECKING:
    from asstops.model import Address
    from asstops.providers.session import Session

_ENV_NAMES = {
    "deployment": "AZURE_OPENAI_DEPLOYMENT_NAME",
    "assistant": "ASSISTANT_ID",
    "vector_store": "VECTOR_STORE_ID",
    "file": "FILE_ID",
}


@click.command("output")
@format_option("json", "env", text="env is for shells and .env files.")
@global_options
@click.pass_context
def command(context: click.Context, form: str) -> int:
    """Print ids, endpoint and names for applications.

    With --format env, each line is NAME=VALUE: where a kind has several objects, the name ends in the object's key.
    """
    from asstops.workflow import live_ids

    with opened(options_of(context)) as run:
        ids, missing = live_ids(run.stack, run.session)
        for address in missing:
            run.say(f"Warning: {address} does not exist yet; run asstops apply\n", err=True)
        document = _document(ids, run.session)
        if form == "json":
            from asstops.views.machine import dumps

            text = dumps(document)
        elif form == "env":
            text = "".join(f"{name}={shlex.quote(value)}\n" for name, value in _environment(document).items())
        else:
            from asstops.views.table import pairs

            terminal = Terminal.for_stdout()
            rows = [(name, document[name]) for name in ("endpoint", "api_version") if document[name]]
            rows += [(str(address), remote_id) for address, remote_id in ids.items()]
            text = pairs(rows, width=terminal.width, color=terminal.color)
        run.say(text)
        return ExitCode.OK if ids or not missing else ExitCode.ERROR


def _document(ids: Mapping[Address, str], session: Session) -> dict[str, Any]:
    """The JSON form: endpoint and version, then a map of key to id for each kind."""
    endpoint = f"{session.endpoint}/" if session.endpoint else ""  # the form in which Azure itself shows it
    document: dict[str, Any] = {"endpoint": endpoint, "api_version": session.settings.api_version}
    for address, remote_id in ids.items():
        document.setdefault(f"{address.kind}s", {})[address.key] = remote_id
    return document


def _environment(document: Mapping[str, Any]) -> dict[str, str]:
    for kind, found in document.items():
        for key, remote_id in found.items() if isinstance(found, Mapping) else ():
            if not re.fullmatch("[!-~]+", remote_id):
                # In a file of variables, a line break in a value begins another variable.
                raise AsstopsError(
                    f"the id of {kind.removesuffix('s')}.{key} is {remote_id!r}, which cannot be passed on",
                    fix="look at the object in the portal, and delete it if it is not yours",
                )
    result = {}
    if document["endpoint"]:
        result["AZURE_OPENAI_ENDPOINT"] = document["endpoint"]
    result["OPENAI_API_VERSION"] = document["api_version"]
    for kind, name in _ENV_NAMES.items():
        found = document.get(f"{kind}s", {})
        for key, remote_id in found.items():
            result[name if len(found) == 1 else _free(f"{name}_{_shell_name(key)}", result)] = remote_id
    return result


def _shell_name(key: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "_", key.upper()).strip("_")


def _free(name: str, taken: Mapping[str, str]) -> str:
    """Two keys may give one name (`a-b`, `a.b`): the later ones are numbered."""
    number, candidate = 2, name
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    return candidate
