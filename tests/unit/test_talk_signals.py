"""Signals that end an answer, also where what they raise is lost on the way."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any, cast

import pytest

from asstops.cli import talk as cli_talk


class Talk:
    """A conversation that counts how often it was cancelled."""

    def __init__(self) -> None:
        self.cancelled = 0

    def cancel(self) -> bool:
        self.cancelled += 1
        return True


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_signal_whose_exception_was_lost_is_raised_again(
    number: signal.Signals, raised: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finaliser or the callback of a weak reference swallows what is raised in it."""
    monkeypatch.setattr(cli_talk, "_AGAIN_S", 0.05)
    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = [signal.getsignal(each) for each in watched]
    talk, lost = Talk(), []

    def lose_it() -> None:
        try:
            os.kill(os.getpid(), number)
            threading.Event().wait(60)
        except raised as error:
            lost.append(error)

    def work() -> None:
        with cli_talk.cancelling(cast(Any, talk)):
            lose_it()
            threading.Event().wait(60)

    with pytest.raises(raised):
        work()
    assert len(lost) == 1
    assert talk.cancelled == 1
    assert [signal.getsignal(each) for each in watched] == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        talk = Talk()
        with cli_talk.cancelling(cast(Any, talk)):
            os.kill(os.getpid(), signal.SIGINT)
        assert talk.cancelled == 0
    finally:
        signal.signal(signal.SIGINT, before)
