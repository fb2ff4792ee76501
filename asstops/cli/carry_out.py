"""What apply and destroy do: plan, check, ask, carry out with progress, report."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from asstops.cli import ci, pauses
from asstops.cli import saved as saved_plans
from asstops.cli.locking import StackLock
from asstops.cli.options import Globals
from asstops.cli.run import Run, opened
from asstops.cli.stopping import GENTLY, code_of, stopping
from asstops.cli.terminal import Terminal, interactive, says_yes
from asstops.errors import AsstopsError, ExitCode, PartlyApplied, UsageError
from asstops.model import Address, OnDrift, Plan, Report

if TYPE_CHECKING:
    from asstops.cli.after_apply import After, AfterApply
    from asstops.planfile import SavedPlan
    from asstops.workflow import Prepared


def carry_out(
    options: Globals,
    lock: StackLock,
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
    on_drift: OnDrift = OnDrift.OVERWRITE,
    saved: SavedPlan | None = None,
    afterwards: AfterApply | None = None,
) -> int:
    """Run one apply or destroy to its end; returns the exit code. A `saved` plan runs only if it still is the plan.

    `afterwards` is what follows when all is well: the smoke tests.
    """
    from asstops import safety
    from asstops.workflow import checked, target_of, today

    before: Report | None = None  # what bringing a soft-deleted account back came to
    while True:
        with (
            _after(before),
            opened(
                options,
                ingest_timeout_s=ingest_timeout,
                destroying=destroy,
                purge=purge,
                lock_timeout_s=lock.timeout_s,
            ) as run,
        ):
            if saved is not None:
                saved_plans.check_target(saved, target_of(run.stack, run.session))
            if afterwards is not None:
                afterwards.check(run)
            lock.take(run)
            prepared = run.connection.prepare(
                targets=targets,
                destroy=destroy,
                accept_origin=accept_origin,
                on_drift=on_drift,
            )
            plan = prepared.plan
            if saved is not None:
                saved_plans.check(saved, run, prepared)
            safety.check(plan, prepared.snapshot, run.stack, allow_deletes=allow_deletes)
            if afterwards is not None:
                afterwards.check_plan(run, plan)
            if not auto_approve and saved is None and interactive():
                prepared = checked(prepared, run.session, today())  # for whoever decides on it
            _show_plan(run, prepared, form, asking=not auto_approve)
            ci.annotate_notices(run.masked(plan.notices))
            ci.outputs(plan, changes=not plan.is_empty or before is not None)
            if plan.is_empty:
                ci.summarize_plan(run.masked(plan))
                return _finish(run, plan, before or Report(), ExitCode.OK, form, lock, afterwards)
            if not auto_approve and not _approved(plan, purge):
                click.echo(f"Cancelled: nothing {'more ' if before else ''}was changed.", err=True)
                return ExitCode.PARTLY_APPLIED if before else ExitCode.ERROR
            restoring = run.session.restoring
            report, signalled = run_steps(run, prepared, parallelism, lock)
            whole = before.then(report) if before else report
            code = exit_code(whole, signalled, lock)
            ci.annotate_failures(run.masked(report))
            ci.summarize_report(run.masked(report), run.masked(plan))
            again = restoring and code is ExitCode.OK and saved is None
            if form == "human":
                _show_report(run, plan, report, form)
            if restoring and saved is not None:
                click.echo("The account is back with what it held. Plan again to see what the rest needs.", err=True)
            if not again:
                # What a restored account holds was not looked at, so there is nothing to test yet.
                return _finish(run, plan, whole, code, form, lock, None if restoring else afterwards)
            before, lock.wrote = whole, True
        # The account is back with what it held. Only now can the rest be planned, so go round once more.


def _finish(
    run: Run, plan: Plan, report: Report, code: ExitCode, form: str, lock: StackLock, afterwards: AfterApply | None
) -> int:
    """What follows an apply that went well; then the exit code. JSON is one document, so it waits for that."""
    after = None
    if afterwards is not None and code is ExitCode.OK:
        after = afterwards.run(run, plan, report, lock, run_steps, shown=form == "human")
    if form == "json":
        _show_report(run, plan, report, form, after)
    if after is None:
        return code
    lost = lock.exit_code(wrote=report.wrote)  # while the tests ran
    return after.code() if lost is None else lost


def run_steps(run: Run, prepared: Prepared, parallelism: int, lock: StackLock) -> tuple[Report, int]:
    """Carry out a plan with progress on stderr; how it ended, and the signal that stopped it, 0 for none."""
    from asstops.graph import steps
    from asstops.views.progress import progress_for

    terminal = Terminal.for_stderr()
    total = len(steps(prepared.plan.changes))
    with (
        stopping(GENTLY, run.session.limiter.stop) as stop,
        lock.stopping(stop.event),
        progress_for(sys.stderr, tty=terminal.tty, color=terminal.color, total=total) as bar,
        pauses.told(run.session.limiter, bar.note),
    ):
        report = run.connection.apply(
            prepared, lambda event: bar.handle(run.masked(event)), parallelism=parallelism, stop=stop.event
        )
    return report, stop.signal


def exit_code(report: Report, signalled: int, lock: StackLock) -> ExitCode:
    """What the process exits with after a plan was carried out."""
    if signalled:
        return code_of(signalled)
    if (code := lock.exit_code(wrote=report.wrote)) is not None:
        return code
    if report.failed or report.skipped:
        if report.wrote:
            return ExitCode.PARTLY_APPLIED
        return ExitCode.STALE_PLAN if report.stale else ExitCode.ERROR
    return ExitCode.OK


@contextmanager
def _after(before: Report | None) -> Iterator[None]:
    """What goes wrong in a second round must not hide that the first one wrote."""
    try:
        yield
    except AsstopsError as error:
        if before is None:
            raise
        raise PartlyApplied(f"the account was brought back; after that: {error.message}", fix=error.fix) from error


def _show_plan(run: Run, prepared: Prepared, form: str, *, asking: bool) -> None:
    """The plan, to stdout; where that is for JSON, to whoever is asked to approve it."""
    data = form == "json"
    if data and not (asking and interactive()):
        return
    from asstops.views.human import render_plan

    terminal = Terminal.for_stderr() if data else Terminal.for_stdout()
    read = run.reading(len(prepared.snapshot))
    text = render_plan(run.masked(prepared.plan), width=terminal.width, color=terminal.color, read=read)
    run.say(text, err=data, go_on=True)


def _show_report(run: Run, plan: Plan, report: Report, form: str, after: After | None = None) -> None:
    if form == "json":
        from asstops.views.machine import dumps, report_to_json

        document = report_to_json(run.masked(report), run.masked(plan))
        run.say(dumps(document | (after.document() if after is not None else {})), go_on=True)
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
    return says_yes(what)
