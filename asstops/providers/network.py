"""Why no answer came: what the SDKs' connection errors hide, told apart and put into words."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from asstops.errors import ProviderError, Unavailable
from asstops.providers.settings import is_loopback

PROXY_FIX = "check HTTPS_PROXY, and name hosts that need no proxy in NO_PROXY"
# Errors of the SDKs' http libraries from before a request is on its way; by name, since the libraries may change.
_UNSENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"})


def no_answer(
    doing: str, where: str, error: BaseException, *, writing: bool, sent: bool | None = None
) -> ProviderError:
    """The error for a request without an answer. `sent` says whether it left, where the SDK tells; else it is found.

    What left may have taken effect: then it is ambiguous when `writing`.
    """
    causes = list(_causes(error))
    names = {type(cause).__name__ for cause in causes}
    if sent is None:
        sent = not names & _UNSENT
    if (tls := next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)) is not None and not sent:
        return _tls(doing, where, tls)
    if sent:
        late = any("Timeout" in name for name in names)
        return Unavailable(
            f"{doing}: {'no answer in time' if late else 'the connection broke before the answer came'}",
            fix="check the network, then run again",
            ambiguous=writing,
        )
    if (proxy := _proxy_for(where)) or "ProxyError" in names:
        through = f" through the proxy {proxy}" if proxy else " through the proxy"
        return Unavailable(f"{doing}: cannot reach {where}{through}: {_reason(causes)}", fix=PROXY_FIX)
    if any(isinstance(cause, socket.gaierror) or "NameResolution" in type(cause).__name__ for cause in causes):
        return Unavailable(
            f"{doing}: no address is known for the host {urlsplit(where).hostname}",
            fix="check the spelling of the endpoint, and that this machine can reach a name server",
        )
    return Unavailable(
        f"{doing}: cannot reach {where}: {_reason(causes)}", fix="check the endpoint, the network and the firewall"
    )


def certificates(url: str) -> str:
    """The file of root certificates that the environment names for a server of ours on this machine, "" for none.

    The SDKs take it from the environment along with proxies, which are left aside for such an address.
    """
    if not (is_loopback(url) and url.startswith("https:")):
        return ""
    return os.environ.get("SSL_CERT_FILE") or os.environ.get("REQUESTS_CA_BUNDLE") or ""


def _tls(doing: str, where: str, error: ssl.SSLError) -> ProviderError:
    """Not tried again: a certificate does not mend itself."""
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        reason = getattr(error, "verify_message", "") or "it cannot be verified"
        return ProviderError(
            f"{doing}: the certificate of {where} is not trusted: {reason}",
            fix="check the endpoint; where a proxy inspects traffic, name its root certificate in SSL_CERT_FILE "
            "and REQUESTS_CA_BUNDLE",
        )
    reason = (error.reason or text).replace("_", " ").lower()
    return ProviderError(
        f"{doing}: no secure connection to {where}: {reason}",
        fix="check that the endpoint is the one of the service, and that no proxy stands in between",
    )


def _reason(causes: list[BaseException]) -> str:
    for cause in causes:
        if isinstance(cause, OSError) and cause.strerror and not isinstance(cause, ssl.SSLError):
            return cause.strerror.lower()
        if "Timeout" in type(cause).__name__:
            return "no connection in time"
    return " ".join(str(causes[-1]).split())[:200]


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all behind it. Libraries hide the cause in __cause__, __context__, attributes or arguments."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        named = (getattr(current, name, None) for name in ("reason", "inner_exception"))
        hidden = (current.__cause__, current.__context__, *named, *current.args)
        waiting += [item for item in hidden if isinstance(item, BaseException)]


def _proxy_for(where: str) -> str:
    """The proxy in force for an address, without the credentials it may hold; "" for none."""
    parts = urlsplit(where)
    if not parts.hostname or is_loopback(where) or proxy_bypass(parts.hostname):
        return ""
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all") or ""
    host = urlsplit(proxy if "://" in proxy else f"//{proxy}")
    return (f"{host.hostname}:{host.port}" if host.port else str(host.hostname)) if proxy else ""
