"""One brake for all workers: when the service asks for a pause, everybody pauses, and goes on at a pace it may bear."""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

from asstops.errors import Conflict, Interrupted, ProviderError, Throttled, Unavailable
from asstops.providers.deadline import Deadline
from asstops.providers.pace import Pace

Result = TypeVar("Result")

MAX_THROTTLED = 12  # of one request, and of all together while nobody was served
MAX_FAILURES = 4
# Another operation on an account takes minutes, so does the name of a new account until every resolver has it.
MAX_PATIENT = 16
LONGEST_PAUSE_S = 300.0
CLOSING_S = 8.0  # whoever stopped us may not wait long: after that a pipeline ends the process by force
LONGEST_BACKOFF_S = 8.0
PATIENT_BACKOFF_S = 20.0
TOLD_S = 5.0  # a pause that is longer is worth a word to whoever waits


@dataclass(frozen=True, slots=True)
class Pause:
    """Everybody waits for `seconds`. `asked` is True when the service named the time, `status` what it answered."""

    seconds: float
    status: int
    asked: bool


class Limiter:
    """Shared by all workers of a run. Thread-safe.

    `on_pause` is called for each pause of more than TOLD_S, by the worker that met it; it must not raise.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, on_pause: Callable[[Pause], None] | None = None
    ) -> None:
        self.on_pause = on_pause
        self._clock = clock
        self._until = 0.0
        self._told = -math.inf  # until when the last pause was that somebody heard of
        self._pace = Pace()
        self._paced = 0  # requests that are paced and not at their end yet, those that wait too
        self._round = 0  # goes up with the first refusal of what was sent since the last; older ones say nothing new
        self._refusals = 0  # rounds that nobody was served in
        self._changed = threading.Condition()
        self._stopped = False
        self._for_good = False
        self._closing = False
        self._stop_after = False
        self._hurry = False
        self._mine = threading.local()  # the deadline of each thread that has one, and whether it asks but once
        self.writes = 0
        self.requests = 0

    def count(self, *, writing: bool) -> None:
        """Count a request that the service answered, or may have acted on."""
        with self._changed:
            self.requests += 1
            self.writes += writing

    def pause(self, seconds: float) -> None:
        """Hold every worker's next request back for `seconds` from now."""
        with self._changed:
            self._until = max(self._until, self._clock() + seconds)

    def stop(self, *, for_good: bool = False) -> None:
        """Wake everyone who waits; they raise Interrupted instead of sending another request.

        `for_good`: not even what `closing` lets out.
        """
        with self._changed:
            self._stop_after = self._closing
            self._stopped = for_good or not self._closing or self._stopped
            self._for_good = self._for_good or for_good
            self._changed.notify_all()

    @contextmanager
    def closing(self) -> Iterator[None]:
        """Let requests out again after stop(), for what must be written down before the process ends.

        A pause that the service asked for is then waited for a few seconds at most.
        """
        with self._changed:
            stopped, self._stopped, self._closing = self._stopped, self._for_good, True
            self._hurry = stopped
            if stopped:
                self._until = min(self._until, self._clock() + CLOSING_S)
        try:
            yield
        finally:
            with self._changed:
                self._stopped, self._closing = self._stopped or stopped or self._stop_after, False
                self._hurry = False

    @contextmanager
    def until(self, deadline: Deadline, *, once: bool = False) -> Iterator[None]:
        """Let this thread send nothing after `deadline`, nor wait any longer: it gets Interrupted instead.

        `once`: what fails is not sent again, and a pause that the service then asks for holds nobody.
        """
        before, self._mine.deadline = self._deadline, deadline
        once_before, self._mine.once = self._once, once
        try:
            with deadline.breaking(self._wake):
                yield
        finally:
            self._mine.deadline, self._mine.once = before, once_before

    @property
    def _deadline(self) -> Deadline | None:
        found: Deadline | None = getattr(self._mine, "deadline", None)
        return found

    @property
    def _once(self) -> bool:
        return getattr(self._mine, "once", False)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def left_s(self) -> float:
        """Seconds that this thread has left; infinite as a rule."""
        deadline = self._deadline
        return math.inf if deadline is None else deadline.left_s()

    def breaking(self, stop: Callable[[], None]) -> AbstractContextManager[None]:
        """Have `stop` called from another thread when this thread's time is over inside the block."""
        deadline = self._deadline
        return nullcontext() if deadline is None else deadline.breaking(stop)

    def check(self) -> None:
        """Raise Interrupted after stop(), and once this thread's time is over."""
        if self._stopped:
            raise Interrupted("stopped before the next request")
        if self.left_s() <= 0:
            raise Interrupted("its time was over before the next request")

    def wait(self, extra_s: float = 0.0) -> None:
        """Wait until nobody asked for a pause any more, and at least `extra_s`. Raises Interrupted as `check` does."""
        self._wait(extra_s, paced=False)

    def _wait(self, extra_s: float, *, paced: bool) -> tuple[int, float]:
        """As `wait`; when `paced`, also for this request's turn. Returns the round in which it leaves, and when."""
        ready = self._clock() + extra_s
        turn: tuple[float, int] | None = None  # its time, and the round it was given out in
        with self._changed:
            while not self._stopped:
                now = self._clock()
                at = max(self._until, ready)
                if paced and at <= now and not self._hurry:
                    if turn is None or turn[1] != self._round:
                        turn = self._pace.turn(now), self._round
                    at = turn[0]
                if (left := at - now) <= 0 or (mine := self.left_s()) <= 0:
                    break
                self._changed.wait(min(left, mine))
            left_in = self._round, self._clock()
        self.check()
        return left_in

    def call(
        self,
        request: Callable[[], Result],
        *,
        repeatable: bool,
        writing: bool,
        patient: bool = False,
        paced: bool = False,
    ) -> Result:
        """Send a request, again where that is safe.

        429 means that nothing happened, so it is always sent again after the pause the service asks for, and so is a
        request that never left. What may have taken effect unseen (a lost answer, a 5xx) is sent again only when
        `repeatable`: a read, or a write whose repetition changes nothing. `patient` goes on for minutes. A pause that
        the service asks for holds everybody, also where it comes with a 5xx. `paced` is for the many small requests of
        a data plane: after a 429 they leave one by one, no faster than the service seems to allow.
        """
        with self._changed:
            self._paced += paced
        try:
            return self._call(request, repeatable=repeatable, writing=writing, patient=patient, paced=paced)
        finally:
            with self._changed:
                self._paced -= paced

    def _call(
        self, request: Callable[[], Result], *, repeatable: bool, writing: bool, patient: bool, paced: bool
    ) -> Result:
        throttled = failures = 0
        pause_s = 0.0
        while True:
            sent = self._wait(pause_s, paced=paced)
            try:
                result = request()
                self._served(writing=writing, paced=paced)
                return result
            except Throttled as error:
                if self._once:
                    raise
                throttled += 1
                if not self._refused(error, throttled, sent, paced=paced):
                    raise
                # Twice is bad luck; after that it may be refused for a reason of its own, and the others need not wait.
                pause_s = _backoff(throttled - 2) if throttled > 2 else 0.0
            except (Unavailable, Conflict) as error:
                failures += 1
                self.count(writing=writing and error.ambiguous)
                if self._once:
                    raise
                pause = _before_next(error, failures, patient=patient)
                if isinstance(error, Unavailable) and 0 < (error.retry_after_s or 0) <= LONGEST_PAUSE_S:
                    # A service that names a time means everybody.
                    self._tell(self._asked_for(error, error.retry_after_s or 0))
                if pause is None or (error.ambiguous and not repeatable):
                    raise
                pause_s = pause

    def _served(self, *, writing: bool, paced: bool) -> None:
        with self._changed:
            self.count(writing=writing)
            self._refusals = 0
            if paced:
                self._pace.answered()

    def _refused(self, error: Throttled, times: int, sent: tuple[int, float], *, paced: bool) -> bool:
        """Take note of a 429, the request's `times`-th; False when it is not to be sent again.

        Of the requests on their way at once the first refusal is news; the others add no more than the time that they
        ask for.
        """
        with self._changed:
            now = self._clock()
            news = sent[0] == self._round
            row = self._refusals + news
            delay = _backoff(max(row, 1)) if error.retry_after_s is None else error.retry_after_s
            if news and row > 1:
                # What it asked for did not do; "0" over and over again must not use up all attempts at once.
                delay = max(delay, _backoff(row))
            if delay > (CLOSING_S if self._hurry else LONGEST_PAUSE_S):
                return False
            pause = self._asked_for(error, delay)
            self._refusals = row
            if news:
                self._round += 1
                if paced:
                    # As fast as they would all go if they were let: each sends again once it has its answer.
                    self._pace.refused(now, self._until, self._paced / max(now - sent[1], 0.001))
                else:
                    self._pace.freed(now, self._until)
        self._tell(pause)
        return times <= MAX_THROTTLED and row <= MAX_THROTTLED

    def _asked_for(self, error: ProviderError, seconds: float) -> Pause | None:
        """Let everybody pause; returns what to tell of it, None when it is short or was told already."""
        with self._changed:
            self.pause(seconds)
            until = self._clock() + seconds
            if seconds <= TOLD_S or until <= self._told + TOLD_S:
                return None
            self._told = until
        return Pause(seconds, error.status, asked=seconds == error.retry_after_s)

    def _tell(self, pause: Pause | None) -> None:
        """To be called without the lock: whoever listens may take time."""
        if pause is not None and self.on_pause is not None:
            self.on_pause(pause)


def _before_next(error: ProviderError, failures: int, *, patient: bool) -> float | None:
    """How long to wait before the next attempt; None when there is none. Only one kind of 409 says "later"."""
    if isinstance(error, Conflict):
        if error.code != "RequestConflict":
            return None
        patient = True
    if failures > (MAX_PATIENT if patient else MAX_FAILURES):
        return None
    if error.retry_after_s is not None:
        return error.retry_after_s if error.retry_after_s <= LONGEST_PAUSE_S else None
    return _backoff(failures, PATIENT_BACKOFF_S if patient else LONGEST_BACKOFF_S)


def _backoff(attempt: int, most_s: float = LONGEST_BACKOFF_S) -> float:
    """Half a second, doubling up to `most_s`, with a little scatter so that workers do not march in step."""
    return min(most_s, 0.25 * 2.0**attempt) * random.uniform(0.8, 1.2)  # noqa: S311 - scatter, not a secret
