"""One brake for all workers: when the service asks for a pause, everybody pauses."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from asstops.errors import Conflict, Interrupted, ProviderError, Throttled, Unavailable

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

    def check(self) -> None:
        """Raise Interrupted after stop()."""
        if self._stopped:
            raise Interrupted("stopped before the next request")

    def wait(self, extra_s: float = 0.0) -> None:
        """Wait until nobody asked for a pause any more, and at least `extra_s`. Raises Interrupted after stop()."""
        ready = self._clock() + extra_s
        with self._changed:
            while not self._stopped and (left := max(self._until, ready) - self._clock()) > 0:
                self._changed.wait(left)
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
