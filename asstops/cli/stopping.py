"""What SIGINT and SIGTERM do while asstops writes or asks: stop cleanly at the first, end at the second."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from asstops.errors import ExitCode

GENTLY = "requests under way are finished but for large uploads, nothing new begins"


class Stop:
    """Set by the first signal; `signal` says which, 0 while there was none."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.signal = 0


def code_of(number: int) -> ExitCode:
    """The exit code that tells of a signal."""
    return ExitCode.TERMINATED if number == signal.SIGTERM else ExitCode.INTERRUPTED


@contextmanager
def stopping(told: str, also: Callable[[], None] = lambda: None) -> Iterator[Stop]:
    """Let the first signal set the stop, do `also` and say `told`; a second one ends the process.

    Waiting for what is under way is what the second signal refuses; the next apply puts things right.
    """
    stop = Stop()

    def on_signal(number: int, _frame: object) -> None:
        if stop.signal:
            sys.stderr.flush()
            os._exit(128 + number)
        stop.signal = number
        stop.event.set()
        also()
        # Past Python's buffers: a worker may be in the middle of writing to the same stream.
        with suppress(OSError, ValueError):
            os.write(sys.stderr.fileno(), f"\nStopping: {told}.\n".encode())

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
