"""What kind of terminal we talk to: colour, width, and whether there is somebody to ask."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass

import click

from asstops.cli.options import Globals
from asstops.errors import ExitCode

WIDTH_WITHOUT_TERMINAL = 100
UNBOUNDED = 10_000


@dataclass(frozen=True)
class Terminal:
    """One output stream. `tty` says that a person is likely to watch it."""

    tty: bool
    color: bool
    width: int

    @classmethod
    def for_stdout(cls) -> Terminal:
        return cls._of(sys.stdout.isatty())

    @property
    def data_width(self) -> int:
        """For what is there to be copied or read by programs: only a person's terminal has an edge."""
        return self.width if self.tty else UNBOUNDED

    @classmethod
    def for_stderr(cls) -> Terminal:
        return cls._of(sys.stderr.isatty())

    @classmethod
    def _of(cls, tty: bool) -> Terminal:
        context = click.get_current_context(silent=True)
        plain = (
            isinstance(context.obj, Globals) and context.obj.no_color
            if context is not None
            else "--no-color" in sys.argv
        )
        color = tty and not plain and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        columns = os.environ.get("COLUMNS", "")
        width = int(columns) if columns.isdecimal() and int(columns) > 0 else WIDTH_WITHOUT_TERMINAL
        return cls(tty, color, shutil.get_terminal_size().columns if tty else width)


def interactive() -> bool:
    """True when there is somebody to ask: both ends are terminals."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def says_yes(question: str) -> bool:
    """Ask; only a typed `yes` is one. Ctrl-C, or the end of what can be read, ends the command."""
    try:
        answer = click.prompt(f"{question}? Only 'yes' goes on", default="no", show_default=False, err=True)
    except click.Abort:
        click.echo("\nInterrupted. Nothing of this was done.", err=True)
        raise click.exceptions.Exit(ExitCode.INTERRUPTED) from None
    return bool(answer.strip() == "yes")
