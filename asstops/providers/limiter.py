"""One brake for all workers: when the service asks for a pause, everybody pauses."""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeVar

from asstops.errors import Conflict, Interrupted, ProviderError, Throttled, Unavailable
from asstops.providers.deadline import Deadline

Result = TypeVar("Result")

MAX_THROTTLED = 12
MAX_FAILURES = 4
# Another operation on an account takes minutes, so does the name of a new account until every resolver has it.
MAX_PATIENT = 16
LONGEST_PAUSE_S = 300.0
CLOSING_S = 8.0  # whoever stopped us may not wait long: after that a pipeline ends the process by force
LONGEST_BACKOFF_S = 8.0
PATIENT_BACKOFF_S = 20.0


class Limiter:
    """Shared by all workers of a run. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = 0.0
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
        ready = self._clock() + extra_s
        with self._changed:
            while not self._stopped and (left := max(self._until, ready) - self._clock()) > 0:
                if (mine := self.left_s()) <= 0:
                    break
                self._changed.wait(min(left, mine))
        self.check()

    def call(self, request: Callable[[], Result], *, repeatable: bool, writing: bool, patient: bool = False) -> Result:
        """Send a request, again where that is safe.

        429 means that nothing happened, so it is always sent again after the pause the service asks for, and so is a
        request that never left. What may have taken effect unseen (a lost answer, a 5xx) is sent again only when
        `repeatable`: a read, or a write whose repetition changes nothing. `patient` goes on for minutes. A pause that
        the service asks for holds everybody, also where it comes with a 5xx.
        """
        throttled = failures = 0
        self.wait()
        while True:
            try:
                result = request()
                self.count(writing=writing)
                return result
            except Throttled as error:
                if self._once:
                    raise
                throttled += 1
                delay = _backoff(throttled) if error.retry_after_s is None else error.retry_after_s
                if throttled > 1:
                    # What it asked for did not do; "0" over and over again must not use up all attempts at once.
                    delay = max(delay, _backoff(throttled))
                if throttled > MAX_THROTTLED or delay > (CLOSING_S if self._hurry else LONGEST_PAUSE_S):
                    raise
                self.pause(delay)
                self.wait()
            except (Unavailable, Conflict) as error:
                failures += 1
                self.count(writing=writing and error.ambiguous)
                if self._once:
                    raise
                pause = _before_next(error, failures, patient=patient)
                if isinstance(error, Unavailable) and (error.retry_after_s or 0) <= LONGEST_PAUSE_S:
                    self.pause(error.retry_after_s or 0)  # a service that names a time means everybody
                if pause is None or (error.ambiguous and not repeatable):
                    raise
                self.wait(pause)


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
