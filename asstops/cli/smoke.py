"""What `test` and `apply --test` share: running smoke tests with signals, and showing each as it ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asstops.cli import ci
from asstops.cli.run import Run
from asstops.cli.terminal import Terminal
from asstops.errors import ExitCode

if TYPE_CHECKING:
    from asstops.expectations import Outcome, SmokeTest

PARALLELISM = 4


@dataclass(frozen=True)
class Tested:
    """How smoke tests ended. `signalled` is the signal that stopped them, 0 for none. Secrets are masked."""

    outcomes: tuple[Outcome, ...] = ()
    signalled: int = 0

    @property
    def failed(self) -> tuple[Outcome, ...]:
        from asstops.expectations import Verdict

        return tuple(outcome for outcome in self.outcomes if outcome.verdict is Verdict.FAILED)

    @property
    def code(self) -> ExitCode:
        if self.signalled:
            return ExitCode.TERMINATED if self.signalled == signal.SIGTERM else ExitCode.INTERRUPTED
        return ExitCode.TESTS_FAILED if self.failed else ExitCode.OK


def run_tests(
    run: Run, tests: Sequence[SmokeTest], *, parallelism: int = PARALLELISM, shown: bool, go_on: bool = False
) -> Tested:
    """Run tests and, where they are to be `shown`, write each to stdout in the order of the spec, and then counts.

    `go_on` when nobody reads any more. Raises what is no outcome of a test, as a sign-in that fails.
    """
    from asstops import smoke
    from asstops.views.smoke import render_counts, render_outcome

    terminal = Terminal.for_stdout()
    width, color = terminal.width, terminal.color

    def done(outcome: Outcome) -> None:
        if shown:
            run.say(render_outcome(run.masked(outcome), width=width, color=color), go_on=go_on)

    with _stopping() as stop:
        outcomes = smoke.run_tests(run.stack, run.session, tests, parallelism=parallelism, done=done, stop=stop.event)
    masked = run.masked(outcomes)
    if shown:
        run.say("\n" + render_counts(masked, width=width, color=color), go_on=go_on)
    tested = Tested(masked, stop.signal)
    ci.annotate_outcomes(tested.failed)
    return tested


class _Stop:
    """Set by the first SIGINT or SIGTERM; `signal` says which."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.signal = 0


@contextmanager
def _stopping() -> Iterator[_Stop]:
    """The first signal ends what is asked and deletes its conversations; a second one ends the process."""
    stop = _Stop()

    def on_signal(number: int, _frame: object) -> None:
        if stop.signal:
            sys.stderr.flush()
            os._exit(128 + number)
        stop.signal = number
        stop.event.set()
        with suppress(OSError, ValueError):  # past Python's buffers: a signal may come in the middle of a line
            os.write(sys.stderr.fileno(), b"\nStopping: what is under way is ended, its conversations are deleted.\n")

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
