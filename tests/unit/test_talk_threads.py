"""The Assistants API's side of a conversation: what is ours to cancel, and what is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from asstops.errors import ProviderError, Rejected, Unavailable
from asstops.talk.answer import Listener
from asstops.talk.conversation import Conversation
from asstops.talk.threads import ThreadExchange

Json = dict[str, Any]


def run(status: str, **over: Any) -> Json:
    return {"object": "thread.run", "id": "run_1", "status": status, **over}


def piece(value: str) -> Json:
    return {"delta": {"content": [{"type": "text", "text": {"value": value, "annotations": []}}]}}


@dataclass
class Account:
    """An account that plays one stream. `runs` is how its run stands, look by look."""

    stream: list[tuple[str, Json] | Exception]
    runs: list[str] = field(default_factory=list)
    refuses: Exception | None = None
    endpoint: str = "https://example"
    did: list[str] = field(default_factory=list)

    def create_thread(self) -> Json:
        return {"id": "thread_1"}

    def add_message(self, thread_id: str, text: str) -> Json:
        if self.refuses is not None:
            raise self.refuses
        return {"id": "msg_1"}

    def stream_run(self, thread_id: str, assistant_id: str) -> Iterator[tuple[str, Json]]:
        for step in self.stream:
            if isinstance(step, Exception):
                raise step
            yield step

    def newest_run(self, thread_id: str) -> Json:
        self.did.append("newest")
        return run("in_progress")

    def cancel_run(self, thread_id: str, run_id: str) -> Json:
        self.did.append(f"cancel {run_id}")
        return run("cancelling")

    def get_run(self, thread_id: str, run_id: str) -> Json:
        self.did.append("get")
        return run(self.runs.pop(0))

    def steps_of_run(self, thread_id: str, run_id: str) -> list[Json]:
        return [{"step_details": {"tool_calls": [{"type": "code_interpreter"}, {"type": "function"}]}}]

    def messages_of_run(self, thread_id: str, run_id: str) -> list[Json]:
        return [piece("The first words and the last.")["delta"]]


def talking(account: Account) -> tuple[Conversation, list[str], list[float]]:
    heard: list[str] = []
    waited: list[float] = []
    listener = Listener(heard.append, lambda _: None, lambda _: None)
    return Conversation(ThreadExchange(cast(Any, account), "asst_1"), listener, waited.append), heard, waited


def test_an_answer_is_completed_after_its_stream_broke_off() -> None:
    begun = [("thread.run.created", run("queued")), ("thread.message.delta", piece("The first words"))]
    account = Account([*begun, Unavailable("cut", ambiguous=True)], ["in_progress", "in_progress", "completed"])
    talk, heard, _ = talking(account)
    answer = talk.ask("Hello")
    assert (answer.status, answer.text) == ("completed", "The first words and the last.")
    assert heard == ["The first words", " and the last."]
    assert answer.tools == {"code_interpreter"}
    assert account.did == ["get"] * 3


def test_messages_are_kept_apart() -> None:
    refusal = {"delta": {"content": [{"type": "refusal", "refusal": "Not that."}]}}
    image = {"delta": {"content": [{"type": "image_file", "image_file": {"file_id": "file_1"}}]}}
    account = Account(
        [
            ("thread.message.created", {}),
            ("thread.message.delta", piece("One\u3010")),
            ("thread.message.created", {}),
            ("thread.message.delta", refusal),
            ("thread.message.delta", image),
            ("thread.message.delta", piece("A lone \u3010")),
            ("thread.run.completed", run("completed", usage={"total_tokens": 7, "details": {}})),
        ]
    )
    answer = talking(account)[0].ask("Hello")
    assert answer.text == "One\u3010\n\nNot that.[image file_1]\nA lone \u3010"
    assert answer.usage == {"total_tokens": 7}


def test_an_error_on_the_way_cancels_the_run_and_waits_until_it_is() -> None:
    account = Account([("thread.run.created", run("queued")), ProviderError("broken")], ["cancelling", "cancelled"])
    talk, _, waited = talking(account)
    with pytest.raises(ProviderError, match="broken"):
        talk.ask("Hello")
    assert account.did == ["cancel run_1", "get", "get"]
    assert len(waited) == 2


def test_a_lost_answer_is_looked_up_and_cancelled() -> None:
    account = Account([Unavailable("cut", ambiguous=True)], ["cancelled"])
    with pytest.raises(Unavailable):
        talking(account)[0].ask("Hello")
    assert account.did == ["newest", "cancel run_1", "get"]


@pytest.mark.parametrize("where", ["message", "run"])
def test_what_was_refused_cancels_nothing(where: str) -> None:
    """A thread in which another program's run is at work takes neither; that run is not ours to cancel."""
    error = Rejected("a run is active", status=400)
    account = Account([], refuses=error) if where == "message" else Account([error])
    with pytest.raises(Rejected):
        talking(account)[0].ask("Hello")
    assert account.did == []
