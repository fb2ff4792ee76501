"""What apply and destroy do: plan, check, ask, carry out with progress, report."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from asstops.cli.options import Globals
from asstops.cli.run import Run, opened
from asstops.cli.terminal import Terminal, interactive
from asstops.errors import ExitCode, UsageError
from asstops.model import Address, Plan, Report

if TYPE_CHECKING:
    from asstops.providers.session import Session
    from asstops.workflow import Prepared


def carry_out(
    options: Globals,
    *,
    targets: tuple[Address, ...],
    destroy: bool,
    purge: bool,
    auto_approve: bool,
    parallelism: int,
    allow_deletes: int | None,
    ingest_timeout: float,
    accept_origin: bool,
    form: str,
) -> int:
    """Run one apply or destroy to its end; returns the exit code."""
    from asstops import safety
    from asstops.workflow import prepare

    restored = False
    while True:
        with opened(options, ingest_timeout_s=ingest_timeout, destroying=destroy, purge=purge) as run:
            prepared = prepare(run.stack, run.session, targets=targets, destroy=destroy, accept_origin=accept_origin)
            plan = prepared.plan
            safety.check(plan, prepared.snapshot, run.stack, allow_deletes=allow_deletes)
            _show_plan(run, prepared, form)
            if plan.is_empty:
                if form == "json":
                    _show_report(run, plan, Report(), form)
                return ExitCode.OK
            if not auto_approve and not _approved(plan, purge):
                click.echo(f"Cancelled: nothing {'more ' if restored else ''}was changed.", err=True)
                return ExitCode.PARTLY_APPLIED if restored else ExitCode.ERROR
            restoring = run.session.restoring
            report, signalled = _apply(run, prepared, parallelism)
            _show_report(run, plan, report, form)
            code = _exit_code(report, signalled)
            if code is not ExitCode.OK or not restoring:
                return code
            restored = True
        # The account is back with what it held. Only now can the rest be planned, so go round once more.


def _apply(run: Run, prepared: Prepared, parallelism: int) -> tuple[Report, int]:
    from asstops.apply import apply
    from asstops.graph import steps
    from asstops.kinds import registry
    from asstops.views.progress import progress_for

    terminal = Terminal.for_stderr()
    total = len(steps(prepared.plan.changes))
    with (
        _stopping(run.session) as stop,
        progress_for(sys.stderr, tty=terminal.tty, color=terminal.color, total=total) as bar,
    ):
        report = apply(
            prepared.plan,
            run.session,
            registry(),
            prepared.snapshot,
            lambda event: bar.handle(run.masked(event)),
            parallelism=parallelism,
            stop=stop.event,
        )
    return report, stop.signal


class _Stop:
    """Set by the first SIGINT or SIGTERM; `signal` says which."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.signal = 0


@contextmanager
def _stopping(session: Session) -> Iterator[_Stop]:
    """The first signal stops cleanly: what runs is finished, nothing new begins. A second one ends the process."""
    stop = _Stop()

    def on_signal(number: int, _frame: object) -> None:
        if stop.signal:
            # Waiting for the workers is what the second signal refuses; the next apply puts things right.
            sys.stderr.flush()
            os._exit(128 + number)
        stop.signal = number
        stop.event.set()
        session.limiter.stop()
        # Past Python's buffers: a worker may be in the middle of writing to the same stream.
        with suppress(OSError, ValueError):
            os.write(sys.stderr.fileno(), b"\nStopping: what is under way is finished, nothing new begins.\n")

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit_code(report: Report, signalled: int) -> ExitCode:
    if signalled:
        return ExitCode.TERMINATED if signalled == signal.SIGTERM else ExitCode.INTERRUPTED
    if report.failed or report.skipped:
        return ExitCode.PARTLY_APPLIED if report.wrote else ExitCode.ERROR
    return ExitCode.OK


def _show_plan(run: Run, prepared: Prepared, form: str) -> None:
    if form == "json":
        return
    from asstops.views.human import render_plan

    terminal = Terminal.for_stdout()
    read = run.reading(len(prepared.snapshot))
    run.say(render_plan(run.masked(prepared.plan), width=terminal.width, color=terminal.color, read=read), go_on=True)


def _show_report(run: Run, plan: Plan, report: Report, form: str) -> None:
    if form == "json":
        from asstops.views.machine import dumps, report_to_json

        run.say(dumps(report_to_json(run.masked(report), run.masked(plan))), go_on=True)
        return
    from asstops.views.report import render_report

    terminal = Terminal.for_stdout()
    watched = terminal.tty and Terminal.for_stderr().tty
    run.say(
        "\n" + render_report(run.masked(report), color=terminal.color, width=terminal.width, listed=not watched),
        go_on=True,
    )


def _approved(plan: Plan, purge: bool) -> bool:
    """Only a typed `yes` goes on. Raises UsageError where nobody can be asked."""
    if not interactive():
        raise UsageError(
            "nothing was changed: there is no terminal to ask for approval on",
            fix="add --auto-approve to go ahead without asking",
        )
    what = "Delete all of this" if plan.destroy else "Carry this out"
    if purge:
        click.echo("The account will be purged: nothing in it can be brought back.", err=True)
    answer = click.prompt(f"{what}? Only 'yes' goes on", default="no", show_default=False, err=True)
    return bool(answer.strip() == "yes")
