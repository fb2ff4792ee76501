"""Running smoke tests, with conversations that are made up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from asstops import smoke
from asstops.errors import AuthFailed, Forbidden, Interrupted, ProviderError, Rejected, Unavailable
from asstops.expectations import Expect, Outcome, SmokeTest, Verdict
from asstops.model import Address
from asstops.providers.limiter import Limiter
from asstops.talk.answer import Answer, Citation, Listener, ToolCall

FAR_S = 1e6
FILE = Address("file", "hours")
DESK = Address("assistant", "desk")


def entry(name: str = "t", *, assistant: Address = DESK, contains: str = "good", **more: Any) -> SmokeTest:
    expect = more.pop("expect", Expect(contains=(contains,)))
    return SmokeTest(name, assistant, more.pop("ask", name), expect, **{"within_s": FAR_S, **more})


def said(text: str, **more: Any) -> Answer:
    return Answer(text, **{"status": "completed", "thread_id": "thread", "run_id": "run", **more})


@dataclass
class Talk:
    """A conversation whose answer is a function of what is asked."""

    world: World
    listener: Listener
    thread_id: str = ""

    def ask(self, text: str) -> Answer:
        with self.world.lock:
            self.world.asked.append(text)
            self.thread_id = f"thread_{len(self.world.asked)}"
        return self.world.answer(text, self)

    def delete(self) -> None:
        self.world.limiter.check()
        with self.world.lock:
            self.world.deleted.append(self.thread_id)
        if self.world.undeletable is not None:
            raise self.world.undeletable


@dataclass
class World:
    """A session with one service, and all that happened there."""

    answer: Callable[[str, Talk], Answer]
    limiter: Limiter = field(default_factory=Limiter)
    ids: Mapping[Address, str] = field(default_factory=lambda: {DESK: "asst_1", FILE: "file_1"})
    undeletable: ProviderError | None = None
    asked: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def service(self) -> World:
        return self

    def talk(self, _session: World, remote_id: str, listener: Listener, _pause: object) -> Talk:
        assert remote_id == "asst_1"
        return Talk(self, listener)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Outcome, ...]]:
    def run_in(world: World, *tests: SmokeTest, parallelism: int = 1, **more: Any) -> tuple[Outcome, ...]:
        monkeypatch.setattr(smoke, "live_ids", lambda *_given, **_more: (world.ids, ()))
        return smoke.run_tests(cast(Any, None), cast(Any, world), tests, parallelism=parallelism, **more)

    return run_in


Run = Callable[..., tuple[Outcome, ...]]


def test_each_is_asked_in_a_conversation_of_its_own(run: Run) -> None:
    world = World(lambda text, _: said("good" if text != "b" else "bad"))
    found = run(world, entry("a"), entry("b"), entry("c"))
    assert [outcome.verdict.value for outcome in found] == ["passed", "failed", "passed"]
    assert [(miss.expected, miss.came) for miss in found[1].misses] == [('text with "good"', "bad")]
    assert world.deleted == ["thread_1", "thread_2", "thread_3"]


def test_they_are_told_of_in_the_order_of_the_spec(run: Run) -> None:
    """The first is the last to end, and both are asked at the same time."""
    second_is_done = threading.Event()

    def answer(text: str, _talk: Talk) -> Answer:
        if text == "b":
            second_is_done.set()
        assert second_is_done.wait(60)
        return said("good")

    heard: list[str] = []
    run(World(answer), entry("a"), entry("b"), parallelism=2, done=lambda outcome: heard.append(outcome.test.name))
    assert heard == ["a", "b"]


def test_what_came_is_judged(run: Run) -> None:
    answer = said(
        "good [1]",
        tools=frozenset({"file_search"}),
        citations=(Citation(1, "", "file_1", "hours.md"),),
        tool_calls=(ToolCall("1", "f", "{}", "1"),),
    )
    expect = Expect(contains=("good",), calls={"f": "f"}, tools=("file_search",), cites=("hours",))
    (found,) = run(World(lambda *_: answer), entry(expect=expect))
    assert (found.verdict, found.misses) == (Verdict.PASSED, ())
    assert found.came.cited == {"file_1": "hours.md"}


def test_functions_get_the_answers_of_the_test(run: Run) -> None:
    def answer(_text: str, talk: Talk) -> Answer:
        outputs = [talk.listener.output(ToolCall("1", name, "{}")) for name in ("f", "g")]
        return said(f"good {outputs}")

    (found,) = run(World(answer), entry(answers={"f": "7"}))
    assert found.came.text == "good ['7', None]"


@pytest.mark.parametrize(
    ("expect", "verdict"), [(Expect(calls={"f": "f"}), "passed"), (Expect(contains=("a",)), "failed")]
)
def test_a_function_without_an_answer_fails_all_but_its_own_call(run: Run, expect: Expect, verdict: str) -> None:
    stopped = said("", status="requires_action", reason="it wants f", tool_calls=(ToolCall("1", "f", "{}"),))
    (found,) = run(World(lambda *_: stopped), entry(expect=expect))
    assert found.verdict.value == verdict
    if verdict == "failed":
        assert (found.message, found.fix) == ("it wants f", "say under answers: of tests.t what it returns")


def test_an_answer_that_is_none_fails_with_its_reason(run: Run) -> None:
    limited = said("", status="failed", reason="the run failed: slow down (rate_limit_exceeded)")
    (found,) = run(World(lambda *_: limited), entry())
    assert found.message == "the run failed: slow down (rate_limit_exceeded)"
    assert "raise sku.capacity" in found.fix


def test_an_assistant_that_is_not_there_fails_its_tests_alone(run: Run) -> None:
    found = run(World(lambda *_: said("good")), entry("a", assistant=Address("assistant", "new")), entry("b"))
    assert (found[0].verdict, found[0].message, found[0].fix) == (
        Verdict.FAILED,
        "assistant.new does not exist yet",
        "run asstops apply",
    )
    assert found[1].verdict is Verdict.PASSED


def test_it_is_asked_again_until_it_is_right(run: Run) -> None:
    world = World(lambda *_: said("good" if len(world.asked) == 2 else "bad"))
    (found,) = run(world, entry(retries=3))
    assert (found.verdict, found.tries) == (Verdict.PASSED, 2)
    assert world.deleted == ["thread_1", "thread_2"]
    world = World(lambda *_: said("bad"))
    (found,) = run(world, entry(retries=1))
    assert (found.verdict, found.tries, len(world.asked)) == (Verdict.FAILED, 2, 2)


def test_its_time_ends_one_test_alone(run: Run) -> None:
    """Whatever it waits for, here a pause that the service asks for; what it said until then is kept."""

    def answer(text: str, talk: Talk) -> Answer:
        if text == "slow":
            talk.listener.text("Let me see")
            world.limiter.wait(FAR_S)
        return said("good")

    world = World(answer)
    found = run(world, entry("slow", within_s=0.01), entry("b"))
    assert [outcome.verdict.value for outcome in found] == ["failed", "passed"]
    assert found[0].message == "there was no whole answer within 0.01 s"
    assert "within: of tests.slow" in found[0].fix
    assert found[0].came.text == "Let me see"
    assert world.deleted == ["thread_1", "thread_2"]  # for which there is time of its own


def test_an_error_of_the_service_fails_its_test(run: Run) -> None:
    def answer(text: str, _talk: Talk) -> Answer:
        if text == "a":
            raise Rejected("no such model", fix="name another")
        return said("good")

    world = World(answer)
    found = run(world, entry("a"), entry("b"))
    assert (found[0].verdict, found[0].message, found[0].fix) == (Verdict.FAILED, "no such model", "name another")
    assert found[1].verdict is Verdict.PASSED
    assert world.deleted == ["thread_1", "thread_2"]


@pytest.mark.parametrize("error", [AuthFailed("who are you"), Forbidden("not you"), ZeroDivisionError("a bug")])
def test_what_is_no_fault_of_a_test_ends_them_all(run: Run, error: Exception) -> None:
    """With what it is said; the conversation goes all the same."""

    def answer(text: str, _talk: Talk) -> Answer:
        raise error

    world, heard = World(answer), []
    with pytest.raises(type(error), match=str(error)):
        run(world, entry("a"), entry("b"), done=heard.append)
    assert (world.asked, world.deleted) == (["a"], ["thread_1"])
    assert heard == []


def test_a_stop_ends_what_is_under_way_and_begins_nothing_new(run: Run) -> None:
    stop = threading.Event()

    def answer(_text: str, _talk: Talk) -> Answer:
        stop.set()
        world.limiter.wait(FAR_S)
        return said("good")

    world, heard = World(answer), []
    found = run(world, entry("a"), entry("b"), stop=stop, done=heard.append)
    assert [outcome.verdict.value for outcome in found] == ["not_run", "not_run"]
    assert heard == list(found)
    assert (world.asked, world.deleted) == (["a"], ["thread_1"])


def test_a_request_that_does_not_return_holds_nobody_up_for_ever(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke, "HUNG_S", 0.0)
    stop, at_last = threading.Event(), threading.Event()

    def answer(_text: str, _talk: Talk) -> Answer:
        stop.set()
        assert at_last.wait(60)
        return said("good")

    world = World(answer)
    found = run(world, entry("a"), entry("b"), stop=stop)
    assert world.deleted == ["thread_1"]  # by who waited
    at_last.set()
    assert [(outcome.verdict, outcome.left) for outcome in found] == [(Verdict.NOT_RUN, "")] * 2


@pytest.mark.parametrize("error", [Unavailable("gone"), Forbidden("no")])
def test_a_conversation_that_stays_is_named(run: Run, error: ProviderError) -> None:
    """That fails no test."""
    (found,) = run(World(lambda *_: said("good"), undeletable=error), entry())
    assert (found.verdict, found.left) == (Verdict.PASSED, "thread_1")


def test_a_lost_lock_is_said_as_what_it_is(run: Run) -> None:
    def answer(_text: str, _talk: Talk) -> Answer:
        world.limiter.stop(for_good=True)
        world.limiter.check()
        return said("good")

    world = World(answer)
    with pytest.raises(Interrupted, match="stopped"):
        run(world, entry())
