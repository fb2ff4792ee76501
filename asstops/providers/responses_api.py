"""Conversations and responses of a Foundry project, as plain JSON: what talking to an agent needs.

Owns the requests and the form of the events. What they mean is talk/responses.py's business. The SDK's own types name
what is sent; `agent_reference` is Foundry's, and goes beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar, cast

from asstops.errors import NotFound, ProviderError, Rejected
from asstops.providers.openai_api import Json
from asstops.providers.talk_api import TalkApi

Result = TypeVar("Result")
LOCKED_S = 30  # how long another request may hold a conversation
_MOST_ITEMS = 100


class ResponsesApi(TalkApi):
    """The conversations of one project."""

    def create_conversation(self) -> Json:
        return self._api.send(
            "creating a conversation", lambda c: c.conversations.with_raw_response.create(), once=True
        )

    def delete_conversation(self, conversation_id: str) -> None:
        """Delete a conversation; one that is gone is fine."""
        with suppress(NotFound):
            self._when_free(
                lambda: self._api.send(
                    f"deleting the conversation {conversation_id}",
                    lambda c: c.conversations.with_raw_response.delete(conversation_id),
                )
            )

    def newest_items(self, conversation_id: str) -> list[Json]:
        """The last hundred items of a conversation, newest first."""
        page = self._api.send(
            f"reading the conversation {conversation_id}",
            lambda c: c.conversations.items.with_raw_response.list(conversation_id, order="desc", limit=_MOST_ITEMS),
            writing=False,
        )
        return list(page.get("data") or [])

    def add_items(self, conversation_id: str, items: Sequence[Json]) -> Json:
        """Append items to a conversation."""
        return self._when_free(
            lambda: self._api.send(
                f"adding to the conversation {conversation_id}",
                lambda c: c.conversations.items.with_raw_response.create(conversation_id, items=cast(Any, items)),
                once=True,
            )
        )

    def get_response(self, response_id: str) -> Json:
        return self._api.send(
            f"reading the response {response_id}",
            lambda c: c.responses.with_raw_response.retrieve(response_id),
            writing=False,
        )

    def delete_response(self, response_id: str) -> None:
        """Delete what the service keeps of a response beside its conversation."""
        self._api.send(
            f"deleting the response {response_id}",
            lambda c: c.responses.with_raw_response.delete(response_id),
        )

    def stream_response(self, conversation_id: str, agent: str, given: str | Sequence[Json]) -> Iterator[Json]:
        """Have an agent answer in a conversation, to a text or to items; yield the events of its response."""
        doing = f"asking {agent} in {conversation_id}"
        reference = {"agent_reference": {"type": "agent_reference", "name": agent}}
        stream = self._when_free(
            lambda: self.open(
                doing,
                lambda c: c.responses.create(
                    conversation=conversation_id, input=cast(Any, given), extra_body=reference, stream=True
                ),
            )
        )
        for event in self.events(doing, stream):
            found: Json = event.to_dict(mode="json", warnings=False)  # the SDK knows no tools of Azure alone
            if found.get("type") == "error":
                code = f" ({found['code']})" if found.get("code") else ""
                raise ProviderError(
                    f"{doing}: {found.get('message') or 'it failed'}{code}", code=found.get("code") or ""
                )
            yield found

    def _when_free(self, request: Callable[[], Result]) -> Result:
        """A conversation takes one request at a time, also after its sender has left: wait until it is free.

        Source: what the service answers then is a 400 of code conversation_locked, asking to try again in seconds.
        """
        for _ in range(LOCKED_S):
            try:
                return request()
            except Rejected as error:
                if error.code != "conversation_locked":
                    raise
            self._api.limiter.wait(1.0)
        return request()
