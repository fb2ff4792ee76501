"""What talking needs of every service: streams of events, and the names of files.

Owns the opening and the reading of a stream. A question that may have been taken is never sent twice: it would be
answered twice.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from asstops.errors import AsstopsError, NotFound, Unavailable
from asstops.providers.failures import openai_errors
from asstops.providers.importing import one_at_a_time
from asstops.providers.openai_api import OpenAIApi

if TYPE_CHECKING:
    from openai import OpenAI

STREAM_TIMEOUT_S = 600.0  # between two events; a run expires after ten minutes


class TalkApi:
    """Conversations at one endpoint. Signs in and keeps to limits as the API object that it is given does."""

    def __init__(self, api: OpenAIApi) -> None:
        self._api = api

    @property
    def endpoint(self) -> str:
        return self._api.endpoint

    def file_name(self, file_id: str) -> str:
        """The name of a file; "" when it is gone."""
        try:
            found = self._api.send(
                f"reading the file {file_id}", lambda c: c.files.with_raw_response.retrieve(file_id), writing=False
            )
        except NotFound:
            return ""
        return str(found.get("filename") or "")

    def open(self, doing: str, request: Callable[[OpenAI], Any]) -> Any:
        """Open a stream, once; whoever opens it reads it with `events`."""
        with one_at_a_time:
            import openai

        def opened() -> Any:
            timeout = max(min(STREAM_TIMEOUT_S, self._api.limiter.left_s()), 0.1)
            client = self._api.client.with_options(timeout=openai.Timeout(timeout, connect=min(timeout, 10.0)))
            with openai_errors(doing, self._api.caller, writing=True):
                return request(client)

        return self._api.limiter.call(lambda: self._api.renewed(opened), repeatable=False, writing=True, patient=False)

    def events(self, doing: str, stream: Any) -> Iterator[Any]:
        """The SDK's events of a stream, which is closed at the end.

        Raises Unavailable with `ambiguous` when it breaks off: the service may go on without us.
        """
        with stream, self._api.limiter.breaking(lambda: _break_off(stream)):
            events = iter(stream)
            while True:
                with _broken_off(doing), openai_errors(doing, self._api.caller, writing=True):
                    event = next(events, None)
                if event is None:
                    return
                yield event


def _break_off(stream: Any) -> None:
    """End a stream that another thread reads. To close it would not wake that thread from waiting for the next byte."""
    network = stream.response.extensions.get("network_stream")
    connection = network.get_extra_info("socket") if network is not None else None
    if isinstance(connection, socket.socket):
        with suppress(OSError):
            socket.socket.shutdown(connection, socket.SHUT_RDWR)  # also under TLS, whose own would end it politely


@contextmanager
def _broken_off(doing: str) -> Iterator[None]:
    """Translate what the HTTP library raises itself: the SDK does not while it reads a stream."""
    try:
        yield
    except AsstopsError:
        raise
    except Exception as error:
        raise Unavailable(
            f"{doing}: the stream broke off: {error}", fix="check the network, then ask again", ambiguous=True
        ) from error
