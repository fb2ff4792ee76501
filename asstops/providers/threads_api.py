"""Threads, messages and runs of an Azure OpenAI account, as plain JSON: what talking to an assistant needs.

Owns the requests and the reading of event streams. What the events mean is conversation.py's business. A message or
a run that may have been taken is never sent twice: an assistant would answer twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from asstops.errors import AsstopsError, NotFound, ProviderError, Unavailable
from asstops.providers.failures import openai_errors
from asstops.providers.openai_api import Json, OpenAIApi

if TYPE_CHECKING:
    from openai import AzureOpenAI

STREAM_TIMEOUT_S = 600.0  # between two events; a run expires after ten minutes
_MOST_CALLS = 100


class ThreadsApi:
    """The conversations of one account. Signs in and keeps to limits as the API object that it is given does."""

    def __init__(self, api: OpenAIApi) -> None:
        self._api = api

    @property
    def endpoint(self) -> str:
        return self._api.endpoint

    def create_thread(self) -> Json:
        return self._send("creating a thread", lambda c: c.beta.threads.with_raw_response.create(), once=True)

    def add_message(self, thread_id: str, text: str) -> Json:
        """Add what the user says."""
        return self._send(
            f"adding a message to {thread_id}",
            lambda c: c.beta.threads.messages.with_raw_response.create(thread_id, role="user", content=text),
            once=True,
        )

    def messages_of_run(self, thread_id: str, run_id: str) -> list[Json]:
        """What the assistant wrote in a run, oldest first."""
        page = self._send(
            f"reading the answer in {thread_id}",
            lambda c: c.beta.threads.messages.with_raw_response.list(
                thread_id, run_id=run_id, order="asc", limit=_MOST_CALLS
            ),
            writing=False,
        )
        return [item for item in page.get("data") or [] if item.get("role") == "assistant"]

    def get_run(self, thread_id: str, run_id: str) -> Json:
        return self._send(
            f"reading the run {run_id}",
            lambda c: c.beta.threads.runs.with_raw_response.retrieve(run_id, thread_id=thread_id),
            writing=False,
        )

    def newest_run(self, thread_id: str) -> Json | None:
        page = self._send(
            f"listing the runs of {thread_id}",
            lambda c: c.beta.threads.runs.with_raw_response.list(thread_id, limit=1, order="desc"),
            writing=False,
        )
        return next(iter(page.get("data") or []), None)

    def cancel_run(self, thread_id: str, run_id: str) -> Json:
        return self._send(
            f"cancelling the run {run_id}",
            lambda c: c.beta.threads.runs.with_raw_response.cancel(run_id, thread_id=thread_id),
        )

    def file_name(self, file_id: str) -> str:
        """The name of a file; "" when it is gone."""
        try:
            found = self._send(
                f"reading the file {file_id}", lambda c: c.files.with_raw_response.retrieve(file_id), writing=False
            )
        except NotFound:
            return ""
        return str(found.get("filename") or "")

    def stream_run(self, thread_id: str, assistant_id: str) -> Iterator[tuple[str, Json]]:
        """Start a run; yield its events, as (name, data), until it ends or waits for outputs of functions."""
        return self._stream(
            f"running {assistant_id} on {thread_id}",
            lambda c: c.beta.threads.runs.create(thread_id, assistant_id=assistant_id, stream=True),
        )

    def stream_outputs(
        self, thread_id: str, run_id: str, outputs: Sequence[Mapping[str, str]]
    ) -> Iterator[tuple[str, Json]]:
        """Give the outputs of functions to a run; yield what happens from there on."""
        return self._stream(
            f"giving outputs of functions to the run {run_id}",
            lambda c: c.beta.threads.runs.submit_tool_outputs(
                run_id,
                thread_id=thread_id,
                tool_outputs=outputs,  # type: ignore[arg-type]
                stream=True,
            ),
        )

    def _send(
        self, doing: str, request: Callable[[AzureOpenAI], Any], *, once: bool = False, writing: bool = True
    ) -> Json:
        return self._api.send(doing, request, once=once, writing=writing)

    def _stream(self, doing: str, request: Callable[[AzureOpenAI], Any]) -> Iterator[tuple[str, Json]]:
        """Follow one stream. Raises Unavailable with `ambiguous` when it breaks off: the run goes on without us."""
        import openai

        api = self._api
        client = api.client.with_options(timeout=openai.Timeout(STREAM_TIMEOUT_S, connect=10.0))

        def opened() -> Any:
            with openai_errors(doing, api.caller, writing=True):
                return request(client)

        with api.limiter.call(opened, repeatable=False, writing=True, patient=False) as stream:
            events = iter(stream)
            while True:
                try:
                    with openai_errors(doing, api.caller, writing=True):
                        event = next(events)
                except StopIteration:
                    return
                except AsstopsError:
                    raise
                except Exception as error:  # the HTTP library's own: the SDK translates none while it reads a stream
                    raise Unavailable(
                        f"{doing}: the stream broke off: {error}",
                        fix="check the network, then ask again",
                        ambiguous=True,
                    ) from error
                name, data = str(getattr(event, "event", "")), getattr(event, "data", None)
                if name == "error":
                    raise ProviderError(f"{doing}: {data}")
                if data is not None and hasattr(data, "to_dict"):
                    yield name, data.to_dict(mode="json")
