"""A line for each request on the `asstops` logger: method, path, status, ms, request id. Never a header.

At DEBUG also the bodies of requests and answers. What bears the name of a credential is left out of them here; the
values of secrets are masked by whoever shows the log.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from asstops import credentials

LOG = logging.getLogger("asstops.requests")
_BEGAN = "asstops_began"
_REQUEST_ID = ("apim-request-id", "x-ms-request-id", "x-request-id")


def request_id(headers: Mapping[str, str]) -> str:
    """The service's name for a request; "" when it gave none."""
    lower = {name.lower(): value for name, value in headers.items()}
    return next((lower[name] for name in _REQUEST_ID if name in lower), "")


def answered(method: str, url: str, status: int, began: float | None, ident: str) -> None:
    """Log a request that was answered."""
    took = f"{(time.monotonic() - began) * 1000:.0f} ms" if began is not None else "? ms"
    LOG.info("%s %s %d %s %s", method, urlsplit(url).path, status, took, ident or "-")


def unanswered(method: str, url: str, error: BaseException) -> None:
    """Log a request that got no answer."""
    LOG.info("%s %s no answer (%s)", method, urlsplit(url).path, type(error).__name__)


def sending(method: str, url: str) -> str:
    """What is sent, before its answer says more of it."""
    return f"> {method} {urlsplit(url).path}"


def body(about: str, kind: str, read: Callable[[], bytes | str | None]) -> None:
    """Log a body at DEBUG. `about` says of which request or answer, `kind` is its content type.

    `read` is called for JSON alone: files and streams are named, neither held back nor read.
    """
    if not LOG.isEnabledFor(logging.DEBUG):
        return
    kind = kind.partition(";")[0].strip().lower()
    if kind and not kind.endswith("json"):
        LOG.debug("  %s (%s)", about, kind)
    elif text := read():
        LOG.debug("  %s %s", about, without_credentials(text))


def without_credentials(text: bytes | str) -> str:
    """JSON on one line, the values of what bears the name of a credential left out; other text is only measured."""
    try:
        found = json.loads(text)
    except ValueError:
        return f"({len(text)} bytes that are no JSON)"
    return json.dumps(credentials.without_credentials(found), ensure_ascii=False)


def http_hooks() -> dict[str, list[Any]]:
    """Event hooks for the http client of the openai SDK."""

    def on_request(request: Any) -> None:
        request.extensions[_BEGAN] = time.monotonic()
        kind = request.headers.get("content-type", "")
        body(sending(request.method, str(request.url)), kind, lambda: request.content)

    def on_response(response: Any) -> None:
        request = response.request
        began = request.extensions.get(_BEGAN)
        ident = request_id(response.headers)
        answered(request.method, str(request.url), response.status_code, began, ident)
        body(f"< {ident}", response.headers.get("content-type", ""), response.read)

    return {"request": [on_request], "response": [on_response]}
