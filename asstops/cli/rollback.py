"""`asstops rollback`: make an earlier version of an assistant current again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from asstops.cli import completing
from asstops.cli.carry_out import exit_code, run_steps
from asstops.cli.locking import StackLock
from asstops.cli.options import global_options, writing_options
from asstops.cli.run import Run, opened, options_of
from asstops.cli.talk import assistant_key
from asstops.cli.terminal import Terminal, interactive, says_yes
from asstops.errors import ExitCode, Interrupted, ProviderError, UsageError

if TYPE_CHECKING:
    from asstops.model import Report
    from asstops.rollback import Rollback
    from asstops.workflow import Prepared


def _number(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if value in ("", "latest"):
        return value
    if not (value.isascii() and value.isdecimal()):
        raise click.BadParameter(f"{value!r} is not the number of a version, nor 'latest'", ctx, param)
    return value.lstrip("0") or "0"


@click.command("rollback")
@click.argument("assistant", shell_complete=completing.assistants)
@click.option(
    "--to",
    "number",
    metavar="VERSION",
    default="",
    callback=_number,
    help="Its number, or latest. Default: the newest that says something else than the current one.",
)
@writing_options(
    preview="Only show what would change.", form="How the change and what is left to do are written to stdout."
)
@global_options
@click.pass_context
def command(
    context: click.Context,
    assistant: str,
    number: str,
    auto_approve: bool,
    dry_run: bool,
    form: str,
    lock_timeout: float,
) -> int:
    """Make an earlier version of an assistant current again.

    ASSISTANT is its key in the spec. A version never changes, so a new one is made that says what the earlier one said,
    metadata included. The spec stays as it is: what it says differently is shown with what to do, since the next apply
    brings that back. Only for a service that keeps versions.
    """
    options = options_of(context)
    with StackLock(options, "rollback", lock_timeout) as lock, opened(options, lock_timeout_s=lock_timeout) as run:
        from asstops.rollback import check_kept, prepare

        key = assistant_key(run, assistant)
        check_kept(run.session)
        if not dry_run:
            lock.take(run)
        found, prepared = prepare(run.stack, run.session, key, number, hashes=run.hashes)
        _show_found(run, found, prepared, form, asking=not (auto_approve or dry_run))
        if dry_run or found.plan.is_empty:
            _show_end(run, found, None, "", form)
            return ExitCode.OK
        if not auto_approve and not _approved():
            click.echo("Cancelled: nothing was changed.", err=True)
            return ExitCode.ERROR
        lock.check()
        report, signalled = run_steps(run, prepared, 1, lock)
        _show_end(run, found, report, _made(run, found) if report.done else "", form)
        return exit_code(report, signalled, lock)


def _approved() -> bool:
    """Only a typed `yes` goes on. Raises UsageError where nobody can be asked."""
    if not interactive():
        raise UsageError(
            "nothing was changed: there is no terminal to ask for approval on",
            fix="add --auto-approve to go ahead without asking, or --dry-run to look only",
        )
    return says_yes("Carry this out")


def _made(run: Run, found: Rollback) -> str:
    """The number of the version that is current now; "" where that cannot be read any more."""
    (change,) = found.plan.changes
    try:
        live = run.session.service.kinds[found.address.kind].look(run.session, change.live) if change.live else None
        return run.session.service.versions(run.session, live)[0].number if live is not None else ""
    except (ProviderError, Interrupted):
        return ""


def _show_found(run: Run, found: Rollback, prepared: Prepared, form: str, *, asking: bool) -> None:
    """What would change, to stdout; where that is for JSON, to whoever is asked to approve it."""
    data = form == "json"
    if data and not (asking and interactive()):
        return
    from asstops.views.rollback import render_found

    terminal = Terminal.for_stderr() if data else Terminal.for_stdout()
    shown, read = run.masked(found), run.reading(len(prepared.snapshot))
    text = render_found(shown, read=read, width=terminal.width, color=terminal.color)
    run.say(text, err=data, go_on=True)


def _show_end(run: Run, found: Rollback, report: Report | None, made: str, form: str) -> None:
    """How it ended: as JSON in any case, for people only what they have not seen."""
    shown = run.masked(found)
    if form == "json":
        from asstops.views.machine import dumps
        from asstops.views.rollback import to_json

        run.say(dumps(to_json(shown, run.masked(report), made)), go_on=True)
        return
    from asstops.views.report import render_report
    from asstops.views.rollback import render_done, render_spec

    terminal = Terminal.for_stdout()
    width, color = terminal.width, terminal.color
    if report is None:
        text = "" if found.plan.is_empty else render_spec(shown, width=width, color=color)
    elif report.done and not report.failed:
        text = render_done(shown, made, width=width, color=color)
        text += "\n" + render_spec(shown, width=width, color=color)
    else:
        text = render_report(run.masked(report), color=color, width=width)
    if text:
        run.say("\n" + text, go_on=True)
