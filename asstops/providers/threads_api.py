"""Threads, messages and runs of an Azure OpenAI account, as plain JSON: what talking to an assistant needs.

Owns the requests and the form of the events. What they mean is talk/threads.py's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from asstops.errors import NotFound, ProviderError
from asstops.providers.openai_api import Json
from asstops.providers.talk_api import TalkApi

if TYPE_CHECKING:
    from openai import OpenAI

_MOST_CALLS = 100


class ThreadsApi(TalkApi):
    """The threads of one account."""

    def create_thread(self) -> Json:
        return self._api.send("creating a thread", lambda c: c.beta.threads.with_raw_response.create(), once=True)

    def delete_thread(self, thread_id: str) -> None:
        """Delete a thread; one that is gone is fine."""
        with suppress(NotFound):
            self._api.send(
                f"deleting the thread {thread_id}", lambda c: c.beta.threads.with_raw_response.delete(thread_id)
            )

    def steps_of_run(self, thread_id: str, run_id: str) -> list[Json]:
        """The first hundred steps of a run, oldest first."""
        page = self._api.send(
            f"reading the steps of {run_id}",
            lambda c: c.beta.threads.runs.steps.with_raw_response.list(
                run_id, thread_id=thread_id, order="asc", limit=_MOST_CALLS
            ),
            writing=False,
        )
        return list(page.get("data") or [])

    def add_message(self, thread_id: str, text: str) -> Json:
        """Add what the user says."""
        return self._api.send(
            f"adding a message to {thread_id}",
            lambda c: c.beta.threads.messages.with_raw_response.create(thread_id, role="user", content=text),
            once=True,
        )

    def messages_of_run(self, thread_id: str, run_id: str) -> list[Json]:
        """What the assistant wrote in a run, oldest first."""
        page = self._api.send(
            f"reading the answer in {thread_id}",
            lambda c: c.beta.threads.messages.with_raw_response.list(
                thread_id, run_id=run_id, order="asc", limit=_MOST_CALLS
            ),
            writing=False,
        )
        return [item for item in page.get("data") or [] if item.get("role") == "assistant"]

    def get_run(self, thread_id: str, run_id: str) -> Json:
        return self._api.send(
            f"reading the run {run_id}",
            lambda c: c.beta.threads.runs.with_raw_response.retrieve(run_id, thread_id=thread_id),
            writing=False,
        )

    def newest_run(self, thread_id: str) -> Json | None:
        page = self._api.send(
            f"listing the runs of {thread_id}",
            lambda c: c.beta.threads.runs.with_raw_response.list(thread_id, limit=1, order="desc"),
            writing=False,
        )
        return next(iter(page.get("data") or []), None)

    def cancel_run(self, thread_id: str, run_id: str) -> Json:
        return self._api.send(
            f"cancelling the run {run_id}",
            lambda c: c.beta.threads.runs.with_raw_response.cancel(run_id, thread_id=thread_id),
        )

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
                run_id, thread_id=thread_id, tool_outputs=cast(Any, outputs), stream=True
            ),
        )

    def _stream(self, doing: str, request: Callable[[OpenAI], Any]) -> Iterator[tuple[str, Json]]:
        for event in self.events(doing, self.open(doing, request)):
            name, data = str(getattr(event, "event", "")), getattr(event, "data", None)
            if name == "error":
                raise ProviderError(f"{doing}: {data}")
            if data is not None and hasattr(data, "to_dict"):
                yield name, data.to_dict(mode="json", warnings=False)
