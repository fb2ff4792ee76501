"""`asstops doctor`: what stands in the way of an apply, as far as it can be known before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from asstops.cli import concealed
from asstops.cli.options import format_option, global_options
from asstops.cli.run import opened, options_of
from asstops.cli.terminal import Terminal
from asstops.errors import ExitCode

if TYPE_CHECKING:
    from asstops.checks.findings import Finding
    from asstops.errors import Problem
    from asstops.model import Target


@click.command("doctor")
@format_option("json", text="How the findings are written to stdout.")
@global_options
@click.pass_context
def command(context: click.Context, form: str) -> int:
    """Check sign-in, roles, account, models, quota and files.

    Asks the services and writes nothing. What cannot be read is 'unverified', never 'ok'. Exits with 1 when there is a
    problem; warnings, and what is not verified, leave it at 0.
    """
    from asstops.checks.findings import Finding, State, Topic
    from asstops.checks.survey import survey
    from asstops.errors import SpecInvalid
    from asstops.workflow import target_of, today

    try:
        with opened(options_of(context)) as run:
            found = run.masked(survey(run.session, run.stack.resources, today()))
            run.say(_text(found, run.masked(target_of(run.stack, run.session)), form))
    except SpecInvalid as error:
        concealed.without_secrets(error)
        found = [Finding(Topic.SPEC, State.PROBLEM, _placed(problem), fix=problem.fix) for problem in error.problems]
        text = "nothing else was looked at: sign-in, roles, account, service, deployments, files"
        found.append(Finding(Topic.SPEC, State.UNVERIFIED, text))
        click.echo(_text(found, None, form), nl=False, color=Terminal.for_stdout().color)
    return ExitCode.ERROR if any(finding.state is State.PROBLEM for finding in found) else ExitCode.OK


def _text(found: Sequence[Finding], target: Target | None, form: str) -> str:
    from asstops.views.checks import checks_to_json, render_checks
    from asstops.views.machine import dumps

    if form == "json":
        return dumps(checks_to_json(found, target))
    terminal = Terminal.for_stdout()
    return render_checks(found, target, width=terminal.width, color=terminal.color)


def _placed(problem: Problem) -> str:
    return f"{problem.message} ({problem.location})" if problem.location is not None else problem.message
