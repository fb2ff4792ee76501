"""`asstops drift`: what was changed outside asstops since the last apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from asstops.cli import ci
from asstops.cli.options import format_option, global_options, target_option
from asstops.cli.run import addresses, opened, options_of
from asstops.cli.terminal import Terminal
from asstops.errors import ExitCode

if TYPE_CHECKING:
    from asstops.model import Plan


@click.command("drift")
@format_option("json", "markdown", text="How the drift is written to stdout; JSON has the form of a plan.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when something drifted or is not there, else 0.")
@target_option
@global_options
@click.pass_context
def command(context: click.Context, form: str, detailed_exitcode: bool, targets: tuple[str, ...]) -> int:
    """Show what was changed outside asstops since the last apply, field by field.

    Fields are shown as it happened: what was applied -> what is live. What the spec changes since then is left out;
    'asstops plan' shows both. What is not there is named, though nothing tells whether it was deleted. Reads live
    state, writes nothing.
    """
    from asstops.drift import drift, missing, without_words

    with opened(options_of(context)) as run:
        prepared = run.connection.prepare(targets=addresses(targets))
        plan = drift(prepared.plan)
        if form == "json":
            from asstops.views.machine import dumps, plan_to_json

            run.say(dumps(plan_to_json(run.masked(without_words(plan)))))
        elif form == "markdown":
            from asstops.views.markdown import render_drift

            run.say(render_drift(run.masked(plan), rest=ci.REST["drift"]))
        else:
            run.say(_text(run.masked(plan), run.reading(len(prepared.snapshot))))
        drifted = bool(plan.changes) or missing(prepared.plan)
        ci.annotate_notices(run.masked(plan.notices))
        ci.summarize_drift(run.masked(plan))
        ci.outputs(plan, changes=drifted)
        return ExitCode.CHANGES if detailed_exitcode and drifted else ExitCode.OK


def _text(plan: Plan, read: str) -> str:
    from asstops.views.human import render_drift

    terminal = Terminal.for_stdout()
    return render_drift(plan, width=terminal.width, color=terminal.color, read=read)
