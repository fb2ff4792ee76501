"""`asstops validate`: check the spec offline."""

from __future__ import annotations

import os

import click

from asstops.cli import ci
from asstops.cli.options import Globals, format_option, global_options
from asstops.cli.run import load_stack, options_of
from asstops.errors import ExitCode

NOWHERE = "00000000-0000-0000-0000-000000000000"


@click.command("validate")
@format_option("json", "sarif", text="How problems are written to stdout; sarif is for code scanning.")
@global_options
@click.pass_context
def command(context: click.Context, form: str) -> int:
    """Check the spec; needs no network, no credential."""
    options = options_of(context)
    # Offline means without an account too: where it is not said which one, any will do.
    environ = {"AZURE_SUBSCRIPTION_ID": NOWHERE, "AZURE_TENANT_ID": NOWHERE, **os.environ}
    if form != "human":
        return _as_data(options, environ, form)
    stack = load_stack(options, environ)
    count = len(stack.resources)
    click.echo(f"The spec is valid: stack {stack.identity}, {count} object{'' if count == 1 else 's'}.")
    return ExitCode.OK


def _as_data(options: Globals, environ: dict[str, str], form: str) -> int:
    from asstops import __version__
    from asstops.cli import concealed
    from asstops.errors import SpecInvalid
    from asstops.spec.sources import DEFAULT_NAMES
    from asstops.views.machine import dumps, problems_to_json
    from asstops.views.sarif import sarif

    try:
        problems, valid = list(load_stack(options, environ).warnings), True
    except SpecInvalid as error:
        problems, valid = list(error.problems), False
    problems = concealed.redactor().value(problems)
    if form == "sarif":
        spec = options.files[0].as_posix() if options.files else DEFAULT_NAMES[0]
        placed = [ci.placed(problem) for problem in problems]
        data = sarif(placed, version=__version__, spec=ci.from_root(spec), warning=valid)
    else:
        data = {"valid": valid, **problems_to_json(problems, warning=valid)}
        if not valid:  # of a spec that is valid they were shown when it was loaded
            ci.annotate(problems)
    click.echo(dumps(data), nl=False)
    return ExitCode.OK if valid else ExitCode.ERROR
