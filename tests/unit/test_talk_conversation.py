"""The loop of a conversation, with a service that is made up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from asstops.errors import Interrupted, NotFound, ProviderError, Unavailable
from asstops.talk import conversation
from asstops.talk.answer import Answer, Citation, Listener, ToolCall
from asstops.talk.conversation import Conversation
from asstops.talk.exchange import Said, Turn

CALL = ToolCall("call_1", "get_weather", "{}")
WANTS, DONE = Turn("t", "requires_action", (CALL,)), Turn("t", "completed")


@dataclass
class Made:
    """An exchange that plays what it is given: each inner list is one stream."""

    streams: list[list[str | Turn | BaseException]]
    looks: list[Turn] = field(default_factory=list)
    whole: str = ""
    cited: Sequence[Citation] = ()
    id: str = "thread_1"
    did: list[str] = field(default_factory=list)

    def _play(self) -> Iterator[str | Turn]:
        try:
            for step in self.streams.pop(0):
                if isinstance(step, BaseException):
                    raise step
                yield step
        finally:
            self.did.append("closed")

    def begin(self, text: str) -> Iterator[str | Turn]:
        self.did.append(f"asked {text}")
        return self._play()

    def resume(self, turn: Turn, outputs: Sequence[ToolCall]) -> Iterator[str | Turn]:
        self.did.append(f"gave {[call.output for call in outputs]}")
        return self._play()

    def look(self, turn: Turn) -> Turn:
        self.did.append("looked")
        return self.looks.pop(0)

    def said(self, turn: Turn) -> Said:
        return Said(self.whole, tuple(self.cited))

    def citations(self) -> Sequence[Citation]:
        return self.cited

    def used(self) -> frozenset[str]:
        return frozenset({"file_search"})

    def delete(self) -> None:
        self.did.append("deleted")

    def stop(self, turn: Turn, pause: object) -> bool:
        self.did.append("stopped")
        return True

    def file_name(self, file_id: str) -> str:
        self.did.append(f"named {file_id}")
        if file_id == "secret":
            raise ProviderError("not yours")
        return f"{file_id}.md"


def _ask(made: Made, output: str | None = None) -> tuple[Answer, list[str]]:
    heard: list[str] = []
    listener = Listener(heard.append, lambda call: heard.append(f"({call.name})"), lambda _: output)
    return Conversation(made, listener, lambda _: None).ask("Hello"), heard


def test_an_answer_is_what_was_heard() -> None:
    made = Made([["One ", "two", DONE]])
    answer, heard = _ask(made)
    assert (answer.text, heard, answer.status, answer.reason) == ("One two", ["One ", "two"], "completed", "")
    assert (answer.thread_id, answer.run_id) == ("thread_1", "t")
    assert made.did == ["asked Hello", "closed"]


def test_functions_are_called_until_there_is_an_answer() -> None:
    made = Made([[WANTS], ["again", WANTS], [DONE]])
    answer, heard = _ask(made, "1")
    assert heard == ["(get_weather)", "again", "(get_weather)"]
    assert made.did == ["asked Hello", "closed", "gave ['1']", "closed", "gave ['1']", "closed"]
    assert [call.output for call in answer.tool_calls] == ["1", "1"]
    assert answer.status == "completed"


def test_functions_are_not_called_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "MOST_ROUNDS", 3)
    made = Made([[WANTS]] * 10)
    answer, _ = _ask(made, "1")
    assert made.did.count("gave ['1']") == 3
    assert made.did[-1] == "stopped"
    assert "called functions 3 times" in answer.reason


def test_a_function_without_output_stops_the_answer() -> None:
    made = Made([["well", WANTS]])
    answer, _ = _ask(made)
    assert made.did == ["asked Hello", "closed", "stopped"]
    assert (answer.status, answer.text) == ("requires_action", "well")
    assert "wants the function get_weather called" in answer.reason


def test_what_nobody_here_can_give_stops_the_answer() -> None:
    made = Made([[Turn("t", "requires_action", (CALL,), reason="It wants a signature.", fix="sign")]])
    answer, heard = _ask(made, "1")
    assert heard == []
    assert made.did[-1] == "stopped"
    assert (answer.status, answer.reason, answer.fix) == ("requires_action", "It wants a signature.", "sign")


def test_half_an_answer_that_calls_a_function_leaves_no_call_behind() -> None:
    made = Made([["half", Turn("t", "incomplete", (CALL,), reason="too long")]])
    answer, heard = _ask(made, "1")
    assert heard == ["half"]
    assert made.did[-1] == "stopped"
    assert (answer.status, answer.reason) == ("incomplete", "too long")


def test_an_answer_is_completed_after_its_stream_broke_off() -> None:
    working = Turn("t", "in_progress")
    broken = [working, "The first words", Unavailable("cut", ambiguous=True)]
    made = Made([broken], looks=[working, working, DONE], whole="The first words and the last.")
    answer, heard = _ask(made)
    assert heard == ["The first words", " and the last."]
    assert (answer.status, answer.text) == ("completed", "The first words and the last.")
    assert made.did.count("looked") == 3


def test_a_stream_that_ends_too_soon_is_no_answer() -> None:
    made = Made([[Turn("t", "in_progress"), "Words"]], looks=[DONE], whole="Other words")
    answer, heard = _ask(made)
    assert heard == ["Words", "\nOther words"]
    assert answer.status == "completed"
    with pytest.raises(ProviderError, match="without saying what became"):
        _ask(Made([["Words"]]))


def test_functions_are_given_once_after_a_break() -> None:
    """The stream that took the outputs broke off: what is asked for next is looked up, not assumed."""
    broken: list[str | Turn | BaseException] = [Turn("t", "in_progress"), Unavailable("cut", ambiguous=True)]
    made = Made([[WANTS], broken], looks=[DONE], whole="sunny")
    answer, _ = _ask(made, "1")
    assert made.did.count("gave ['1']") == 1
    assert (answer.status, answer.text) == ("completed", "sunny")


def test_outputs_that_may_have_been_taken_are_not_given_again() -> None:
    made = Made([[WANTS], [Unavailable("cut", ambiguous=True)]])
    with pytest.raises(Unavailable):
        _ask(made, "1")
    assert made.did == ["asked Hello", "closed", "gave ['1']", "closed", "stopped"]


def test_work_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "LONGEST_TURN_S", 1.0)
    made = Made([[Turn("t", "in_progress")]], looks=[Turn("t", "in_progress")] * 50)
    answer, _ = _ask(made)
    assert answer.status == "in_progress"
    assert "still in_progress" in answer.reason
    assert made.did[-1] == "stopped"


@pytest.mark.parametrize("error", [ProviderError("broken"), NotFound("gone"), Unavailable("cut", ambiguous=True)])
def test_an_error_ends_what_may_be_under_way(error: ProviderError) -> None:
    made = Made([[error]])
    with pytest.raises(type(error)):
        _ask(made)
    assert made.did == ["asked Hello", "closed", "stopped"]


def test_an_interrupt_leaves_the_stream_and_stops_once() -> None:
    made = Made([["words", KeyboardInterrupt()], ["more", DONE]])
    ended: list[int] = []
    listener = Listener(lambda _: None, lambda _: None, lambda _: None, lambda: ended.append(1))
    talk = Conversation(made, listener, lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        talk.ask("Hello")
    assert made.did == ["asked Hello", "closed"]
    assert talk.cancel()
    assert not talk.cancel()
    assert made.did[2:] == ["stopped"]
    assert ended == [1]
    assert talk.ask("Again").text == "more"
    assert ended == [1, 1]


def test_an_interrupt_while_text_is_shown_closes_the_stream() -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    made = Made([["words", DONE]])
    with pytest.raises(KeyboardInterrupt) as held:  # what holds its frames holds the stream, too
        Conversation(made, Listener(interrupted, lambda _: None, lambda _: None), lambda _: None).ask("Hello")
    assert made.did == ["asked Hello", "closed"], held


def test_names_of_files_are_looked_up_where_they_are_missing() -> None:
    cited = [
        Citation(1, "", "f1", file_name="known.md"),
        Citation(2, "", "f2"),
        Citation(3, "", "f2"),
        Citation(4, "", "secret"),
        Citation(5, "", "", url="https://example.com"),
    ]
    made = Made([[DONE]], cited=cited)
    answer, _ = _ask(made)
    assert [c.file_name for c in answer.citations] == ["known.md", "f2.md", "f2.md", "", ""]
    assert made.did[2:] == ["named f2", "named secret"]


def test_a_conversation_is_deleted_once_nothing_is_at_work_in_it() -> None:
    made = Made([["One ", Interrupted("its time was over")]])
    talk = Conversation(made, Listener(lambda _: None, lambda _: None, lambda _: None), lambda _: None)
    with pytest.raises(Interrupted):
        talk.ask("Hello")
    talk.delete()
    assert made.did == ["asked Hello", "closed", "stopped", "deleted"]
    talk.delete()
    assert made.did[4:] == ["deleted"]


def test_an_end_that_was_interrupted_can_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made([["One ", Interrupted("its time was over")]])
    talk = Conversation(made, Listener(lambda _: None, lambda _: None, lambda _: None), lambda _: None)
    with pytest.raises(Interrupted):
        talk.ask("Hello")
    with monkeypatch.context() as patch:
        patch.setattr(made, "stop", _interrupted)
        with pytest.raises(Interrupted):
            talk.cancel()
    assert talk.cancel()
    assert not talk.cancel()


def _interrupted(_turn: Turn, _pause: object) -> bool:
    raise Interrupted("still over")


def test_tools_of_the_service_are_told_of() -> None:
    answer, _ = _ask(Made([["One", DONE]]))
    assert answer.tools == {"file_search"}
