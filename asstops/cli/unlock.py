"""`asstops unlock`: who has the lock of the stack, and how to get it back."""

from __future__ import annotations

import os
from typing import Any

import click

from asstops.cli.locking import lock_of
from asstops.cli.options import format_option, global_options
from asstops.cli.run import load_stack, options_of
from asstops.cli.terminal import interactive, says_yes
from asstops.errors import ExitCode, UsageError


@click.command("unlock")
@format_option("json", text="How it is written to stdout.")
@click.option("--auto-approve", "-y", is_flag=True, help="Do not ask.")
@global_options
@click.pass_context
def command(context: click.Context, auto_approve: bool, form: str) -> int:
    """Show who has the lock of the stack, and break it.

    Only a lock in Azure Storage can be broken, and its holder then stops. The lock on one machine is held by a process
    that is alive, and is free as soon as that has ended.
    """
    from asstops.cli.local import without_azure
    from asstops.locks.waiting import UNKNOWN
    from asstops.providers.settings import Settings
    from asstops.views.text import safe
    from asstops.workflow import open_session

    options = options_of(context)
    environ = without_azure(os.environ) if options.local else os.environ
    stack = load_stack(options, environ)
    session = open_session(stack, Settings.from_environ(environ, local=options.local))
    try:
        lock = lock_of(stack, session.settings, environ, session.credential, options)
        held, holder = lock.look()
        if not held:
            _say(form, f"Nothing to do: {lock.what} is not locked.", lock=lock.what, locked=False)
            return ExitCode.OK
        if lock.breakable:
            click.echo(safe(f"{lock.what} is locked by {holder or UNKNOWN}"), err=form == "json")
            if not auto_approve and not _approved():
                click.echo("Cancelled: the lock stays.", err=True)
                return ExitCode.ERROR
        seconds = lock.break_lock()
        told = f"in {seconds} s; until then the holder, if it still runs, finds out and stops" if seconds else "now"
        data = {"holder": str(holder) if holder else None, "broken": True, "free_in_s": seconds}
        _say(form, f"The lock is broken. Others can have it {told}.", lock=lock.what, locked=True, **data)
        return ExitCode.OK
    finally:
        session.close()


def _say(form: str, text: str, **data: Any) -> None:
    if form == "human":
        click.echo(text)
        return
    from asstops.views.machine import FORMAT_VERSION, dumps

    whole = {"format_version": FORMAT_VERSION, "holder": None, "broken": False, "free_in_s": None, **data}
    click.echo(dumps(whole), nl=False)


def _approved() -> bool:
    """Only a typed `yes` goes on. Raises UsageError where nobody can be asked."""
    if not interactive():
        raise UsageError(
            "the lock was not broken: there is no terminal to ask for approval on",
            fix="add --auto-approve to break it without asking",
        )
    return says_yes("Break the lock")
