"""A time by which the work of one thread must be over, whatever it is waiting for then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Deadline:
    """Thread-safe. `end` may come before its time, and from another thread than the one that works."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock() + seconds
        self._ended = False
        self._breaks: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def left_s(self) -> float:
        """Seconds that are left, 0 when it is over."""
        return 0.0 if self._ended else max(0.0, self._at - self._clock())

    @property
    def over(self) -> bool:
        return self.left_s() <= 0

    def end(self) -> None:
        """Let it be over now, and wake the thread from what it waits for."""
        with self._lock:
            self._ended = True
            for stop in self._breaks:
                stop()

    @contextmanager
    def breaking(self, stop: Callable[[], None]) -> Iterator[None]:
        """Have `stop` called, by whoever calls `end`, when that happens inside the block."""
        with self._lock:
            self._breaks.append(stop)
            if self._ended:
                stop()
        try:
            yield
        finally:
            with self._lock:
                self._breaks.remove(stop)

    @contextmanager
    def running(self) -> Iterator[None]:
        """End it by itself at its time, while the block runs."""
        timer = threading.Timer(self.left_s(), self.end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
