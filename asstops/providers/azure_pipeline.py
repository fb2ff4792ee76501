"""What happens to each request inside the pipeline that the Azure SDKs share."""

from __future__ import annotations

import sys
import time
from io import BytesIO
from typing import Any

from asstops.providers.failures import not_json
from asstops.providers.importing import one_at_a_time
from asstops.providers.trace import answered, body, request_id, sending, unanswered

_BEGAN = "asstops_began"


def trace_policy(asked: str) -> Any:
    """A pipeline policy that logs each request, polls included, and refuses answers that are web pages.

    The SDK would fail on such a page with an error of its own that says nothing of it. `asked` says who was asked.
    """
    with one_at_a_time:
        from azure.core.pipeline.policies import SansIOHTTPPolicy

    class TracePolicy(SansIOHTTPPolicy):  # type: ignore[type-arg,unused-ignore]
        def on_request(self, request: Any) -> None:
            request.context[_BEGAN] = time.monotonic()
            sent = request.http_request
            body(sending(sent.method, sent.url), sent.headers.get("content-type", ""), lambda: _sent(sent.body))

        def on_response(self, request: Any, response: Any) -> None:
            sent, got = request.http_request, response.http_response
            ident = request_id(got.headers)
            answered(sent.method, sent.url, got.status_code, request.context.get(_BEGAN), ident)
            body(f"< {ident}", got.headers.get("content-type", ""), lambda: _read(got))
            if got.status_code >= 400 or "json" in got.headers.get("content-type", "json"):
                return
            got.read()  # a write's first answer comes as a stream
            page = got.text()
            if page.lstrip()[:1] == "<":
                raise not_json(page, doing=f"asking {asked}", writing=sent.method != "GET")

        def on_exception(self, request: Any) -> None:
            error = sys.exc_info()[1]
            if error is not None and _BEGAN in request.context:
                unanswered(request.http_request.method, request.http_request.url, error)

    return TracePolicy()


def _sent(content: Any) -> bytes | str | None:
    """What a request carries, read without being used up; the SDKs send texts, bytes and buffers."""
    if isinstance(content, BytesIO):
        return content.getvalue()
    return content if isinstance(content, (bytes, str)) else None


def _read(response: Any) -> bytes:
    content: bytes = response.body()  # unlike read(), it leaves the stream there for an SDK that reads it as one
    return content
