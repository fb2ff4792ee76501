"""What happens to each request inside the pipeline that the Azure SDKs share."""

from __future__ import annotations

import sys
import time
from typing import Any

from asstops.providers.failures import not_json
from asstops.providers.trace import answered, request_id, unanswered

_BEGAN = "asstops_began"


def trace_policy(asked: str) -> Any:
    """A pipeline policy that logs each request, polls included, and refuses answers that are web pages.

    The SDK would fail on such a page with an error of its own that says nothing of it. `asked` says who was asked.
    """
    from azure.core.pipeline.policies import SansIOHTTPPolicy

    class TracePolicy(SansIOHTTPPolicy):  # type: ignore[type-arg,unused-ignore]
        def on_request(self, request: Any) -> None:
            request.context[_BEGAN] = time.monotonic()

        def on_response(self, request: Any, response: Any) -> None:
            sent, got = request.http_request, response.http_response
            answered(sent.method, sent.url, got.status_code, request.context.get(_BEGAN), request_id(got.headers))
            if got.status_code >= 400 or "json" in got.headers.get("content-type", "json"):
                return
            got.read()  # a write's first answer comes as a stream
            body = got.text()
            if body.lstrip()[:1] == "<":
                raise not_json(body, doing=f"asking {asked}", writing=sent.method != "GET")

        def on_exception(self, request: Any) -> None:
            error = sys.exc_info()[1]
            if error is not None and _BEGAN in request.context:
                unanswered(request.http_request.method, request.http_request.url, error)

    return TracePolicy()
