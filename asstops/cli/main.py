"""The entry point: finds the command, runs it, and turns every outcome into an exit code.

Nothing slow is imported here or by a command's module: `--help` must answer at once.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from io import StringIO
from typing import Any, TextIO

import click

from asstops import __version__
from asstops.cli import ci, concealed, garbage
from asstops.cli.options import global_options
from asstops.errors import AsstopsError, ExitCode

COMMANDS = {
    "init": "Write a commented spec, and the files it names, into this folder.",
    "validate": "Check the spec; needs no network, no credential.",
    "plan": "Show what apply would change; writes nothing.",
    "apply": "Make the live service agree with the spec.",
    "destroy": "Delete what the stack owns, and nothing else.",
    "drift": "Show what was changed outside asstops since the last apply, field by field.",
    "adopt": "Take over a live object under ADDRESS, an entry of the spec; or several, each with its ID.",
    "export": "Write a spec of what is live: assistants or agents, vector stores, their files, deployments.",
    "list": "List the objects of the stack: address, name, state and id.",
    "show": "Show an object of the stack as it is live, or a saved plan.",
    "graph": "Show which objects refer to which.",
    "output": "Print ids, endpoint and names for applications.",
    "ask": "Ask an assistant of the spec, and show the answer as it comes.",
    "chat": "Talk with an assistant of the spec.",
    "test": "Run the smoke tests of the spec against what is live.",
    "migrate": "Turn an assistants spec, or live assistants, into an agents spec.",
    "gc": "Show what an interrupted apply may have left, and delete what you confirm.",
    "rollback": "Make an earlier version of an assistant current again.",
    "unlock": "Show who has the lock of the stack, and break it.",
    "doctor": "Check sign-in, roles, account, models, quota and files.",
    "explain": "Explain a kind of the spec, or one of its fields.",
    "schema": "Print the JSON Schema of the spec.",
    "completion": "Print the completion script for a shell.",
    "emulator": "Run a local Azure as a server; Ctrl-C ends it.",
}
"""Each command and the line that says what it does, so that --help need not import them all."""


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class LazyGroup(click.Group):
    """Commands are modules of this package, imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"asstops.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = [flag for flag in ("--version", "--help") if args and args[0] == flag.strip("-")]
            near = near or get_close_matches(args[0] if args else "", COMMANDS, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"{error.message}{hint}", ctx) from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="asstops")
@global_options
def main() -> None:
    """GitOps for AI assistants on Azure.

    A YAML spec says which Azure AI account, Foundry project, deployments, files, vector stores and agents should exist.
    'plan' shows how the live service differs, 'apply' makes it so, 'destroy' takes it all away.

    Try it without Azure: asstops --local -f specs/math.yaml apply
    """


def run(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit the process."""
    garbage.collect_seldom()
    code = int(_guarded(lambda: main.main(args, prog_name="asstops", standalone_mode=False)))
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _into_nothing(stream)
    garbage.leave_to_system()
    sys.exit(code)


def _into_nothing(stream: TextIO) -> None:
    """Whoever read this stream has gone; keep Python from failing over it, and from changing the exit code, at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _guarded(command: Callable[[], Any]) -> ExitCode | int:
    """Carry out a command; every error becomes a message on stderr and a documented exit code."""
    concealed.forget()
    with ci.surroundings():
        return _ended(command)


def _ended(command: Callable[[], Any]) -> ExitCode | int:
    try:
        result = command()
        sys.stdout.flush()
        return result if isinstance(result, int) else ExitCode.OK
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.UsageError as error:
        _complain(error)
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nInterrupted.", err=True)
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        _complain(error)
        return ExitCode.ERROR
    except AsstopsError as error:
        _show(error)
        return error.exit_code
    except BrokenPipeError:
        _into_nothing(sys.stdout)  # as `head` does: stop without a word
        return ExitCode.ERROR
    except Exception as error:  # the one place that takes what nobody foresaw
        if _debug():
            _trace(error)
        elif isinstance(error, OSError) and error.errno in _FULL:
            where = f" to {error.filename}" if error.filename else ""
            click.echo(concealed.fit(f"Error: cannot write{where}: {error.strerror}"), err=True)
            click.echo("  fix: make room there, or write elsewhere, and run it again", err=True)
        else:
            click.echo(concealed.fit(f"Error: unexpected {type(error).__name__}: {error}"), err=True)
            click.echo("  fix: run again with --debug for the details, and report them as a bug", err=True)
        ci.annotate_message(f"unexpected {type(error).__name__}: {error}")
        return ExitCode.ERROR


def _debug() -> bool:
    return "--debug" in sys.argv


def _complain(error: click.ClickException) -> None:
    """Click's own words for wrong use, which repeat what was typed."""
    told = StringIO()
    error.show(told)
    click.echo(concealed.fit(told.getvalue()), err=True, nl=False)
    ci.annotate_message(error.format_message())


def _trace(error: BaseException) -> None:
    import traceback

    click.echo(concealed.fit("".join(traceback.format_exception(error))), err=True, nl=False)


def _show(error: AsstopsError) -> None:
    from asstops.cli.terminal import Terminal
    from asstops.views.problems import render_error

    if _debug():
        _trace(error)
    terminal = Terminal.for_stderr()
    error = concealed.without_secrets(error)
    click.echo(
        render_error(error, color=terminal.color, width=terminal.width), err=True, nl=False, color=terminal.color
    )
    ci.annotate_error(error)
