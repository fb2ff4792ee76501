"""Questions side by side: what comes of one that fails, and of one that is never answered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from asstops.checks import reading
from asstops.checks.findings import Unread
from asstops.errors import Interrupted, Unavailable
from asstops.providers.deadline import Deadline
from asstops.providers.limiter import Limiter


class Api:
    """Answers as `answer` does, for what is asked about."""

    def __init__(self, answer: Callable[[str], Any]) -> None:
        self._answer = answer
        self.limiter = Limiter()

    def brief(self, deadline: Deadline) -> Any:
        return self.limiter.until(deadline, once=True)

    def look_up(self, doing: str, _request: object) -> Any:
        return self.limiter.call(lambda: self._answer(doing), repeatable=True, writing=False)


def read(api: Api, within_s: float | None) -> tuple[object, object]:
    """What is told of models and of quota."""
    found = reading.read(api, models_of="westus", within_s=within_s)  # type: ignore[arg-type]
    return found.offers, found.usages


def test_nobody_waits_for_what_is_never_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is answered in time counts all the same."""
    never, waits = threading.Event(), [600.0, 0.0]

    class Over(Deadline):
        """Over for whoever collects, once the first answer is there."""

        def left_s(self) -> float:
            return waits.pop(0) if threading.current_thread() is threading.main_thread() else 600.0

    def answer(doing: str) -> list[object]:
        if "quota" in doing:
            never.wait(60)
        return []

    monkeypatch.setattr(reading, "Deadline", Over)
    try:
        assert read(Api(answer), 10) == ((), Unread("no answer within 10 seconds"))
    finally:
        never.set()


def test_what_cannot_be_sent_in_time_is_not_sent() -> None:
    asked: list[str] = []
    api = Api(asked.append)
    api.limiter.pause(600)
    assert read(api, 0.01) == (Unread("no answer within 0.01 seconds"),) * 2
    assert asked == []


@pytest.mark.parametrize("within_s", [None, 600])
def test_a_stop_is_none_of_the_answers(within_s: float | None) -> None:
    api = Api(lambda _doing: [])
    api.limiter.stop()
    with pytest.raises(Interrupted):
        read(api, within_s)


def test_one_attempt_is_enough_for_advice() -> None:
    asked: list[str] = []

    def fail(doing: str) -> list[object]:
        asked.append(doing)
        raise Unavailable("busy", retry_after_s=0)

    assert read(Api(fail), 600) == (Unread("busy"), Unread("busy"))
    assert len(asked) == 2
    read(Api(fail), None)
    assert len(asked) > 4
