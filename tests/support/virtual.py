"""Threads in virtual time: real ones, of which one runs at a time, in an order that is always the same.

Owns the clock and whose turn it is. Nobody sleeps: when all wait, the clock moves to whatever comes first.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Sequence

from asstops.providers.limiter import Limiter

PATIENCE_S = 120.0  # of real time, after which a test has hung


class World:
    """A clock, in seconds, that only `sleep` moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, threading.Semaphore]] = []
        self._order = itertools.count()
        self._over = threading.Event()
        self._failure: BaseException | None = None

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the calling thread go on in `seconds`."""
        mine = threading.Semaphore(0)
        heapq.heappush(self._due, (self.now + max(seconds, 0.0), next(self._order), mine))
        self._next()
        mine.acquire()

    def limiter(self) -> Limiter:
        """A limiter that lives in this time."""
        limiter = Limiter(self.clock)
        condition = limiter._changed

        def wait(timeout: float | None = None) -> bool:
            assert timeout is not None
            condition.release()
            self.sleep(timeout)
            condition.acquire()
            return False

        condition.wait = wait  # type: ignore[method-assign]
        return limiter

    def run(self, work: Sequence[Callable[[], None]]) -> float:
        """Run each in a thread of its own until all have ended; returns the time then."""
        self._over.clear()
        for each in work:
            mine = threading.Semaphore(0)
            heapq.heappush(self._due, (self.now, next(self._order), mine))
            threading.Thread(target=self._life, args=(each, mine), daemon=True).start()
        self._next()
        assert self._over.wait(PATIENCE_S), "the threads hang"
        if self._failure is not None:
            raise self._failure
        return self.now

    def _life(self, work: Callable[[], None], mine: threading.Semaphore) -> None:
        mine.acquire()
        try:
            work()
        except BaseException as error:  # raised by run()
            self._failure = error
        self._next()

    def _next(self) -> None:
        if not self._due:
            self._over.set()
            return
        self.now, _, thread = heapq.heappop(self._due)
        thread.release()
