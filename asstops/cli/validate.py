"""`asstops validate`: check the spec offline."""

from __future__ import annotations

import os

import click

from asstops.cli.options import format_option, global_options
from asstops.cli.run import load_stack, options_of

NOWHERE = "00000000-0000-0000-0000-000000000000"


@click.command("validate")
@format_option("json", text="How problems are written.")
@global_options
@click.pass_context
def command(context: click.Context, form: str) -> int:
    """Check the spec; needs no network, no credential."""
    from asstops.errors import ExitCode, SpecInvalid

    options = options_of(context)
    # Offline means without an account too: where it is not said which one, any will do.
    environ = {"AZURE_SUBSCRIPTION_ID": NOWHERE, "AZURE_TENANT_ID": NOWHERE, **os.environ}
    if form == "json":
        from asstops.views.machine import dumps, problems_to_json

        try:
            problems, valid = list(load_stack(options, environ).warnings), True
        except SpecInvalid as error:
            problems, valid = list(error.problems), False
        click.echo(dumps({"valid": valid, **problems_to_json(problems)}), nl=False)
        return ExitCode.OK if valid else ExitCode.ERROR
    stack = load_stack(options, environ)
    count = len(stack.resources)
    click.echo(f"The spec is valid: stack {stack.identity}, {count} object{'' if count == 1 else 's'}.")
    return ExitCode.OK
