"""The order of work: what is needed comes first, threads are kept busy, and a stop is heeded at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from asstops import scheduling
from asstops.scheduling import AHEAD, work_through

PATIENCE_S = 30.0


def _done(_step: str, result: bool) -> bool:
    return result


def work(needs: Mapping[str, set[str]], do: Callable[[str], bool], parallelism: int = 1) -> None:
    work_through(needs, do, _done, parallelism=parallelism, stop=threading.Event())


def test_what_is_needed_comes_first() -> None:
    """Else in the order given; a need that is no step is met."""
    begun: list[str] = []
    work({"d": {"c"}, "a": {"elsewhere"}, "c": {"a", "b"}, "b": set()}, lambda step: begun.append(step) is None)
    assert begun == ["a", "b", "c", "d"]


def test_what_needs_a_failed_step_is_not_begun() -> None:
    begun: list[str] = []

    def do(step: str) -> bool:
        begun.append(step)
        return step != "a"

    work({"a": set(), "b": {"a"}, "c": {"b"}, "d": set()}, do)
    assert begun == ["a", "d"]


def test_as_many_at_a_time_as_allowed() -> None:
    """Three meet, which they could not if fewer ran; a fourth thread is never there."""
    meeting, names = threading.Barrier(3), set()

    def do(_step: str) -> bool:
        meeting.wait(PATIENCE_S)
        names.add(threading.current_thread().name)
        return True

    work({str(number): set() for number in range(12)}, do, 3)
    assert len(names) == 3


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Goes up with each step that is handed to the threads."""
    found = threading.Semaphore(0)

    class Pool(ThreadPoolExecutor):
        def submit(self, *args: Any, **kwargs: Any) -> Any:
            try:
                return super().submit(*args, **kwargs)
            finally:
                found.release()

    monkeypatch.setattr(scheduling, "ThreadPoolExecutor", Pool)
    return found


def wait_for_the_next(handed: threading.Semaphore) -> None:
    for _ in range(AHEAD):
        assert handed.acquire(timeout=PATIENCE_S)


def test_nothing_begins_after_a_stop(handed: threading.Semaphore) -> None:
    """Not even what was handed to the threads already: the first step stops the work, and stays the only one."""
    stop, begun = threading.Event(), list[str]()

    def do(step: str) -> bool:
        begun.append(step)
        wait_for_the_next(handed)
        stop.set()
        return True

    noted: list[str] = []

    def ended(step: str, _result: bool) -> bool:
        noted.append(step)
        return True

    work_through({str(number): set() for number in range(AHEAD * 5)}, do, ended, parallelism=1, stop=stop)
    assert (begun, noted) == (["0"], ["0"])


def test_a_worker_need_not_wait_for_its_next_step() -> None:
    """The next step runs while the caller is still busy with the end of the first."""
    second = threading.Event()

    def do(step: str) -> bool:
        if step == "second":
            second.set()
        return True

    seen: list[bool] = []

    def ended(step: str, _result: bool) -> bool:
        seen.append(second.wait(PATIENCE_S if step == "first" else 0))
        return True

    work_through({"first": set(), "second": set()}, do, ended, parallelism=1, stop=threading.Event())
    assert seen == [True, True]


def test_a_mistake_ends_the_work(handed: threading.Semaphore) -> None:
    """It comes out where the work was asked for, and what had not begun stays so."""
    begun: list[str] = []

    def do(step: str) -> bool:
        begun.append(step)
        wait_for_the_next(handed)
        raise KeyError(step)

    with pytest.raises(KeyError, match="0"):
        work({str(number): set() for number in range(20)}, do)
    assert begun == ["0"]


def test_a_mistake_of_the_caller_ends_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is at work is finished; what was only handed over never begins."""
    over, at_work, begun = threading.Event(), threading.Semaphore(0), list[str]()

    class Pool(ThreadPoolExecutor):
        def shutdown(self, *args: Any, **kwargs: Any) -> None:
            over.set()
            super().shutdown(*args, **kwargs)

    monkeypatch.setattr(scheduling, "ThreadPoolExecutor", Pool)

    def do(step: str) -> bool:
        begun.append(step)
        if step != "0":
            at_work.release()
            assert over.wait(PATIENCE_S)
        return True

    def ended(step: str, _result: bool) -> bool:
        for _ in range(2):
            assert at_work.acquire(timeout=PATIENCE_S)
        raise KeyError(step)

    with pytest.raises(KeyError, match="0"):
        work_through({str(n): set() for n in range(20)}, do, ended, parallelism=2, stop=threading.Event())
    assert sorted(begun) == ["0", "1", "2"]
