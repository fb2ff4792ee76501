"""One upload through the real SDK: how long it may take, and when it is sent again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from asstops.errors import Unavailable
from asstops.model import FileSource
from asstops.providers import limiter
from asstops.providers.advice import Caller
from asstops.providers.limiter import Limiter
from asstops.providers.openai_api import OpenAIApi

ENDPOINT = "https://contoso.openai.azure.com"
CONTENT = bytes(300_000)
ALL = 10**9
Trouble = tuple[int, "type[httpx2.TransportError] | int"]


class Service(httpx2.BaseTransport):
    """Goes through its troubles, each after so many bytes of the body: an error, or an answer with a status."""

    def __init__(self, *troubles: Trouble) -> None:
        self.troubles = list(troubles)
        self.timeouts: list[dict[str, float]] = []
        self.bodies: list[bytes] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.timeouts.append(request.extensions["timeout"])
        most, trouble = self.troubles.pop(0) if self.troubles else (ALL, 200)
        body = b""
        assert isinstance(request.stream, httpx2.SyncByteStream)
        for part in request.stream:
            body += part
            if len(body) > most:
                break
        self.bodies.append(body)
        if isinstance(trouble, int):
            found: dict[str, Any] = {"id": "assistant-1"} if trouble == 200 else {"error": {"message": "busy"}}
            return httpx2.Response(trouble, json=found)
        raise trouble("trouble")


class Api(OpenAIApi):
    def __init__(self, service: Service) -> None:
        caller = Caller("data", ENDPOINT, "v", with_key=True)
        super().__init__(Limiter(), caller=caller, endpoint=ENDPOINT, credential=lambda: pytest.fail("has a key"))
        self.service = service

    def _build(self) -> openai.OpenAI:
        options = {**self.client_options(), "http_client": openai.DefaultHttpxClient(transport=self.service)}
        return openai.AzureOpenAI(azure_endpoint=ENDPOINT, api_version="v", api_key="k", **options)


def nobody(_done: int, _total: int) -> None:
    """Progress is not what these tests are about."""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "_backoff", lambda *_: 0.0)


@pytest.fixture
def upload(tmp_path: Path) -> Callable[[Service], dict[str, Any]]:
    path = tmp_path / "a.txt"
    path.write_bytes(CONTENT)
    digest = hashlib.sha256(CONTENT).hexdigest()
    source = FileSource(path=path, shown="a.txt", name="a.txt", size_bytes=len(CONTENT), sha256=digest)
    return lambda service: Api(service).upload_file(source, nobody)


@pytest.mark.parametrize("trouble", [httpx2.WriteTimeout, httpx2.WriteError, httpx2.ReadError, 503, 500])
def test_sent_again_when_the_service_was_not_given_all(
    upload: Callable[[Service], Any], trouble: type[httpx2.TransportError] | int
) -> None:
    """Whatever went wrong in the middle: it cannot have made a file of it, and gets all of it the next time."""
    service = Service((100_000, trouble), (0, trouble))
    assert upload(service)["id"] == "assistant-1"
    assert len(service.bodies) == 3
    assert service.bodies[-1].count(CONTENT) == 1


@pytest.mark.parametrize("trouble", [httpx2.ReadTimeout, httpx2.ReadError, 503, 500])
def test_not_sent_again_when_it_was(
    upload: Callable[[Service], Any], trouble: type[httpx2.TransportError] | int
) -> None:
    """It may have made a file: whoever asked for it decides."""
    service = Service((ALL, trouble))
    with pytest.raises(Unavailable) as caught:
        upload(service)
    assert (caught.value.ambiguous, len(service.bodies)) == (True, 1)


def test_how_long_it_may_take(upload: Callable[[Service], Any], tmp_path: Path) -> None:
    """A peer that is gone is noticed within a minute; the answer may take the longer the larger the file is."""
    service = Service()
    upload(service)
    (found,) = service.timeouts
    assert (found["connect"], found["write"]) == (10, 60)
    assert 180 <= found["read"] < 190
    large = tmp_path / "large"
    with large.open("wb") as stream:
        stream.truncate(500_000_000)
    source = FileSource(path=large, shown="large", name="large", size_bytes=500_000_000, sha256="0" * 64)
    service = Service(*[(0, httpx2.ConnectTimeout)] * 9)
    with pytest.raises(Unavailable):
        Api(service).upload_file(replace(source, name="large.txt"), nobody)
    assert 600 <= service.timeouts[0]["read"] < 900
