"""One brake for all workers: what is sent again, after how long, and what is never sent twice."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from asstops.errors import AuthFailed, Conflict, Interrupted, ProviderError, Rejected, Throttled, Unavailable
from asstops.providers import limiter as module
from asstops.providers.deadline import Deadline
from asstops.providers.limiter import MAX_FAILURES, MAX_PATIENT, MAX_THROTTLED, Limiter

LOST = Unavailable("lost", ambiguous=True)
UNSENT = Unavailable("unsent")
BUSY = Conflict("busy", code="RequestConflict")


class Clock:
    """A clock that only waiting moves, and the record of all waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.waits: list[float] = []
        monkeypatch.setattr(module, "_backoff", lambda attempt, most_s=8.0: min(most_s, float(attempt)))

    def __call__(self) -> float:
        return self.now

    def limiter(self) -> Limiter:
        limiter = Limiter(self)
        condition = limiter._changed

        def wait(timeout: float | None = None) -> bool:
            assert timeout is not None
            self.waits.append(round(timeout, 3))
            self.now += timeout
            return False

        condition.wait = wait  # type: ignore[method-assign]
        return limiter


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def answers(*outcomes: ProviderError | str) -> Callable[[], str]:
    """A request that ends in each outcome in turn, the last one for ever."""
    left = list(outcomes)

    def request() -> str:
        outcome = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(outcome, ProviderError):
            raise outcome
        return outcome

    return request


@pytest.mark.parametrize("repeatable", [True, False])
def test_429_is_sent_again_after_the_pause_asked_for(clock: Clock, repeatable: bool) -> None:
    """Also for creates: it means that nothing happened."""
    limiter = clock.limiter()
    request = answers(Throttled("", retry_after_s=7), Throttled(""), "done")
    assert limiter.call(request, repeatable=repeatable, writing=True) == "done"
    assert clock.waits == [7, 2]
    assert limiter.writes == 1


def test_a_pause_holds_everybody(clock: Clock) -> None:
    limiter = clock.limiter()
    limiter.pause(5)
    limiter.pause(3)  # a shorter one takes nothing away
    assert limiter.call(answers("done"), repeatable=False, writing=False) == "done"
    assert clock.waits == [5]


def test_429_with_no_time_to_wait_is_not_hammered(clock: Clock) -> None:
    """`Retry-After: 0` is believed once; a service that goes on saying so gets more time, and more patience."""
    request = answers(*[Throttled("", retry_after_s=0)] * 3, "done")
    assert clock.limiter().call(request, repeatable=True, writing=False) == "done"
    assert clock.waits == [2, 3]


def test_a_503_with_a_time_holds_everybody(clock: Clock) -> None:
    """Also when the request itself is not sent again: a create, which is looked up first."""
    limiter = clock.limiter()
    with pytest.raises(Unavailable):
        limiter.call(answers(Unavailable("", retry_after_s=9, ambiguous=True)), repeatable=False, writing=True)
    assert limiter.call(answers("done"), repeatable=True, writing=False) == "done"
    assert clock.waits == [9]


def test_a_503_with_hours_to_wait_holds_nobody(clock: Clock) -> None:
    """Whoever met it reports it; others may be served."""
    limiter = clock.limiter()
    with pytest.raises(Unavailable):
        limiter.call(answers(Unavailable("", retry_after_s=3600)), repeatable=True, writing=False)
    assert limiter.call(answers("done"), repeatable=True, writing=False) == "done"
    assert clock.waits == []


def test_a_pause_longer_than_we_wait_is_raised(clock: Clock) -> None:
    with pytest.raises(Throttled):
        clock.limiter().call(answers(Throttled("", retry_after_s=301)), repeatable=True, writing=False)
    assert clock.waits == []


def test_429_for_ever_ends(clock: Clock) -> None:
    with pytest.raises(Throttled):
        clock.limiter().call(answers(Throttled("")), repeatable=True, writing=False)
    assert len(clock.waits) == MAX_THROTTLED


@pytest.mark.parametrize("error", [Throttled("", retry_after_s=7), Unavailable("", retry_after_s=7), BUSY])
def test_what_is_asked_but_once(clock: Clock, error: ProviderError) -> None:
    """It is not sent again and holds nobody; afterwards the thread is as patient as before."""
    limiter = clock.limiter()
    request = answers(error, error, "there")
    with limiter.until(Deadline(60)):
        with limiter.until(Deadline(60), once=True), pytest.raises(type(error)):
            limiter.call(request, repeatable=True, writing=False)
        assert (limiter._until, clock.waits) == (0.0, [])
        assert limiter.call(request, repeatable=True, writing=False) == "there"


@pytest.mark.parametrize(
    ("error", "repeatable", "patient", "attempts"),
    [
        (LOST, True, False, MAX_FAILURES + 1),
        (LOST, False, False, 1),  # a create: it may be there
        (LOST, False, True, 1),
        (UNSENT, False, False, MAX_FAILURES + 1),  # a create that never left
        (UNSENT, False, True, MAX_PATIENT + 1),
        (BUSY, True, False, MAX_PATIENT + 1),
        (Conflict("there", code="Exists"), True, False, 1),
        (Unavailable("", retry_after_s=301), True, False, 1),
        (Rejected("wrong"), True, True, 1),
        (AuthFailed("no"), True, True, 1),
    ],
)
def test_how_often_a_failure_is_tried(
    clock: Clock, error: ProviderError, repeatable: bool, patient: bool, attempts: int
) -> None:
    sent = []

    def request() -> str:
        sent.append(error)
        raise error

    with pytest.raises(type(error)):
        clock.limiter().call(request, repeatable=repeatable, writing=True, patient=patient)
    assert len(sent) == attempts


def test_a_5xx_with_retry_after_waits_that_long(clock: Clock) -> None:
    request = answers(Unavailable("", retry_after_s=11), "done")
    assert clock.limiter().call(request, repeatable=True, writing=False) == "done"
    assert clock.waits == [11]


def test_what_counts_as_written(clock: Clock) -> None:
    """An answer, or a lost one that may have taken effect; no refusal and nothing that was never sent."""
    limiter = clock.limiter()
    for error, writes in [(Rejected(""), 0), (LOST, 1)]:
        with pytest.raises(ProviderError):
            limiter.call(answers(error), repeatable=False, writing=True)
        assert limiter.writes == writes
    with pytest.raises(ProviderError):
        limiter.call(answers(UNSENT), repeatable=False, writing=True)
    limiter.call(answers("read"), repeatable=True, writing=False)
    assert limiter.writes == 1


def test_stop_ends_waiting_and_sends_nothing_more() -> None:
    limiter = Limiter()
    limiter.pause(3600)
    ended: list[str] = []

    def work() -> None:
        try:
            limiter.call(lambda: ended.append("sent"), repeatable=True, writing=False)
        except Interrupted:
            ended.append("interrupted")

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    limiter.stop()
    for worker in workers:
        worker.join(10)
    assert ended == ["interrupted"] * 3
    with pytest.raises(Interrupted):
        limiter.check()


def test_closing_lets_requests_out_after_a_stop(clock: Clock) -> None:
    limiter = clock.limiter()
    limiter.stop()
    with limiter.closing():
        assert limiter.call(answers("written down"), repeatable=True, writing=True) == "written down"
    with pytest.raises(Interrupted):
        limiter.call(answers("more"), repeatable=True, writing=True)


def test_closing_stops_nothing_by_itself(clock: Clock) -> None:
    limiter = clock.limiter()
    with limiter.closing():
        pass
    limiter.check()


def test_backoff_grows_to_its_bound() -> None:
    first, late = module._backoff(1), module._backoff(30)
    assert 0.4 <= first <= 0.6
    assert 6.4 <= late <= 9.6
    assert 16 <= module._backoff(30, 20.0) <= 24
