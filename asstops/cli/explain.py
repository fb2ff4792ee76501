"""`asstops explain`: what can be written in a spec, field by field, as kubectl explains its kinds."""

from __future__ import annotations

import click

from asstops.cli import completing
from asstops.cli.options import format_option, output_options
from asstops.cli.terminal import Terminal
from asstops.errors import ExitCode, UsageError


@click.command("explain")
@click.argument("path", metavar="[KIND[.FIELD…]]", required=False, default="", shell_complete=completing.fields)
@format_option("json", text="How it is written to stdout.")
@output_options
def command(path: str, form: str) -> int:
    """Explain a kind of the spec, or one of its fields.

    \b
    asstops explain                             the kinds
    asstops explain assistant                   the fields of an assistant
    asstops explain assistant.tools.file_search the settings of a tool
    """
    from asstops.spec.explain import NoSuchField, explain
    from asstops.views.explained import render

    try:
        found = explain(path)
    except NoSuchField as error:
        raise UsageError(str(error), fix=error.fix) from error
    if form == "json":
        from asstops.views.explained import explained_to_json
        from asstops.views.machine import dumps

        click.echo(dumps(explained_to_json(found)), nl=False)
        return ExitCode.OK
    terminal = Terminal.for_stdout()
    click.echo(render(found, width=terminal.width, color=terminal.color), nl=False, color=terminal.color)
    return ExitCode.OK
