"""Streams as the SDK reads them: opened once, and never blindly again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import httpx2
import openai
import pytest

from asstops.errors import ProviderError, Rejected, Throttled, Unavailable
from asstops.providers.advice import Caller
from asstops.providers.limiter import Limiter
from asstops.providers.responses_api import LOCKED_S, ResponsesApi

BEGUN = b'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1"}}\n\n'


class Clock(Limiter):
    """A limiter that waits for nothing, and remembers what it was asked to wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float] = []

    def wait(self, extra_s: float = 0.0) -> None:
        self.waited.append(extra_s)

    def pause(self, seconds: float) -> None:
        pass


class Broken(httpx2.SyncByteStream):
    """The body of an answer whose connection breaks."""

    def __init__(self, *parts: bytes | Exception) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            if isinstance(part, Exception):
                raise part
            yield part


class Api:
    """What ResponsesApi gets, with a client whose answers are made up."""

    endpoint = "https://example/api/projects/one"
    caller = Caller("project", endpoint, "v1")

    def __init__(self, answer: Callable[[httpx2.Request], httpx2.Response]) -> None:
        self.limiter = Clock()
        transport = httpx2.Client(transport=httpx2.MockTransport(answer))
        self.client = openai.OpenAI(
            base_url=f"{self.endpoint}/openai/v1", api_key="k", max_retries=0, http_client=transport
        )

    def renewed(self, attempt: Callable[[], Any]) -> Any:
        return attempt()


def played(*answers: httpx2.Response) -> tuple[ResponsesApi, Api, list[httpx2.Request]]:
    sent: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return answers[min(len(sent), len(answers)) - 1]

    api = Api(answer)
    return ResponsesApi(cast(Any, api)), api, sent


def streamed(*parts: bytes | Exception) -> httpx2.Response:
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Broken(*parts))


def refused(status: int, code: str) -> httpx2.Response:
    return httpx2.Response(status, json={"error": {"code": code, "message": "No."}})


@pytest.mark.parametrize("broken", [httpx2.ReadError("reset"), httpx2.ReadTimeout("silence"), b'data: {"type":\n\n'])
def test_a_stream_that_breaks_off_may_go_on_without_us(broken: bytes | Exception) -> None:
    api, _, sent = played(streamed(BEGUN, broken))
    events = api.stream_response("conv_1", "clerk", "Hello")
    assert next(events)["response"] == {"id": "resp_1"}
    with pytest.raises(Unavailable) as error:
        next(events)
    assert error.value.ambiguous
    assert len(sent) == 1


@pytest.mark.parametrize(
    "event",
    [
        b'event: error\ndata: {"type":"error","code":"server_error","message":"It broke."}\n\n',
        b'event: error\ndata: {"error":{"code":"server_error","message":"It broke."}}\n\n',
    ],
)
def test_an_error_in_a_stream_is_said(event: bytes) -> None:
    api, _, _ = played(streamed(BEGUN, event))
    with pytest.raises(ProviderError, match="asking clerk in conv_1: It broke"):
        list(api.stream_response("conv_1", "clerk", "Hello"))


def test_a_conversation_in_use_is_waited_for_within_bounds() -> None:
    api, _, sent = played(refused(400, "conversation_locked"), streamed(BEGUN))
    assert len(list(api.stream_response("conv_1", "clerk", "Hello"))) == 1
    assert len(sent) == 2
    api, used, sent = played(refused(400, "conversation_locked"))
    with pytest.raises(Rejected):
        list(api.stream_response("conv_1", "clerk", "Hello"))
    assert len(sent) == LOCKED_S + 1
    assert used.limiter.waited.count(1.0) == LOCKED_S


@pytest.mark.parametrize(
    ("status", "error", "times"), [(400, Rejected, 1), (500, Unavailable, 1), (429, Throttled, 13)]
)
def test_a_question_is_sent_again_only_where_nothing_happened(status: int, error: type[Exception], times: int) -> None:
    api, _, sent = played(refused(status, "code"))
    with pytest.raises(error):
        list(api.stream_response("conv_1", "clerk", "Hello"))
    assert len(sent) == times
