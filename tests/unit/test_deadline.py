"""Work that must be over by a time: what it waits for ends then, and nothing is sent any more."""

from __future__ import annotations

import threading

import pytest

from asstops.errors import Interrupted, Throttled
from asstops.providers.deadline import Deadline
from asstops.providers.limiter import Limiter

FAR_S = 1e6


def test_its_time_comes() -> None:
    now = [10.0]
    deadline = Deadline(5, lambda: now[0])
    assert (deadline.left_s(), deadline.over) == (5.0, False)
    now[0] = 16.0
    assert (deadline.left_s(), deadline.over) == (0.0, True)


def test_what_it_breaks_is_broken_once_inside_and_never_outside() -> None:
    broken: list[str] = []
    deadline = Deadline(FAR_S)
    with deadline.breaking(lambda: broken.append("before")):
        pass
    with deadline.breaking(lambda: broken.append("inside")):
        deadline.end()
        assert deadline.over
    with deadline.breaking(lambda: broken.append("late")):
        assert broken == ["inside", "late"]  # what begins too late is broken at once
    assert broken == ["inside", "late"]


def test_it_ends_by_itself() -> None:
    ended = threading.Event()
    with Deadline(0.01).running(), Deadline(FAR_S).running():
        pass  # a timer that is no longer needed fires no more
    deadline = Deadline(0.01)
    with deadline.breaking(ended.set), deadline.running():
        assert ended.wait(60)


def test_whoever_waits_is_woken() -> None:
    """A pause that the service asked for is not waited for past the end; other threads know nothing of it."""
    limiter, deadline = Limiter(), Deadline(FAR_S)
    limiter.pause(FAR_S)
    threading.Timer(0.01, deadline.end).start()
    with limiter.until(deadline), pytest.raises(Interrupted, match="its time was over"):
        limiter.wait()
    limiter._changed.wait = _never  # type: ignore[method-assign]
    with pytest.raises(TimeoutError):  # still paused
        limiter.wait()


def _never(_timeout: float | None = None) -> bool:
    raise TimeoutError


def test_nothing_is_sent_after_the_end() -> None:
    limiter, sent = Limiter(), []
    ended = Deadline(FAR_S)
    ended.end()

    def call() -> None:
        limiter.call(lambda: sent.append(1), repeatable=True, writing=False)

    with limiter.until(ended):
        assert limiter.left_s() == 0
        with pytest.raises(Interrupted):
            call()
        with limiter.until(Deadline(FAR_S)):  # to put things in order there is time of its own
            call()
        with pytest.raises(Interrupted):
            call()
    call()
    assert sent == [1, 1]


def test_a_throttled_request_is_not_sent_again_after_the_end() -> None:
    limiter, deadline, sent = Limiter(), Deadline(FAR_S), []

    def request() -> None:
        sent.append(1)
        deadline.end()
        raise Throttled("slow down", retry_after_s=200)

    with limiter.until(deadline), pytest.raises(Interrupted):
        limiter.call(request, repeatable=True, writing=False)
    assert sent == [1]


def test_without_a_deadline_there_is_no_end() -> None:
    limiter = Limiter()
    assert limiter.left_s() == float("inf")
    with limiter.breaking(lambda: pytest.fail("nothing ended")):
        limiter.check()
