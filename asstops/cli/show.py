"""`asstops show`: a saved plan, as `plan` showed it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from asstops.cli import saved as plan_files
from asstops.cli.options import format_option, output_options
from asstops.cli.run import options_of
from asstops.cli.terminal import Terminal
from asstops.errors import ExitCode


@click.command("show")
@click.argument("planfile", type=click.Path(path_type=Path), metavar="PLANFILE")
@format_option("json", text="How the plan is written to stdout.")
@output_options
@click.pass_context
def command(context: click.Context, planfile: Path, form: str) -> int:
    """Show a plan that 'asstops plan -o FILE' saved; reads that file and nothing else."""
    from asstops.views.text import encodable

    saved = plan_files.read(options_of(context).chdir / planfile)
    if form == "json":
        from asstops.views.machine import dumps, plan_to_json

        click.echo(dumps(plan_to_json(saved.plan)), nl=False)
        return ExitCode.OK
    from asstops.views.human import render_plan

    terminal = Terminal.for_stdout()
    read = f"saved {saved.created_at[:16].replace('T', ' ')} UTC"
    text = render_plan(saved.plan, width=terminal.width, color=terminal.color, read=read)
    click.echo(encodable(text, sys.stdout.encoding), nl=False, color=terminal.color)
    return ExitCode.OK
