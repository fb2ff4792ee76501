"""A line for each request on the `asstops` logger: method, path, status, ms, request id. Never a header or a body."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

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


def http_hooks() -> dict[str, list[Any]]:
    """Event hooks for the http client of the openai SDK."""

    def on_request(request: Any) -> None:
        request.extensions[_BEGAN] = time.monotonic()

    def on_response(response: Any) -> None:
        request = response.request
        began = request.extensions.get(_BEGAN)
        answered(request.method, str(request.url), response.status_code, began, request_id(response.headers))

    return {"request": [on_request], "response": [on_response]}
