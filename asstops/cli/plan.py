"""`asstops plan`: show how the live service differs from the spec."""

from __future__ import annotations

import click

from asstops.cli.options import global_options, target_option
from asstops.cli.run import addresses, opened, options_of
from asstops.cli.terminal import Terminal
from asstops.errors import ExitCode


@click.command("plan")
@click.option(
    "--format",
    "form",
    type=click.Choice(["human", "json"]),
    default="human",
    show_default=True,
    help="How the plan is written to stdout.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes, 0 when there are none.")
@click.option("--destroy", is_flag=True, help="Plan what 'asstops destroy' would do.")
@click.option("--accept-origin", is_flag=True, help="Plan to take over objects made from another repository or path.")
@target_option
@global_options
@click.pass_context
def command(
    context: click.Context,
    form: str,
    detailed_exitcode: bool,
    destroy: bool,
    accept_origin: bool,
    targets: tuple[str, ...],
) -> int:
    """Show what apply would change; writes nothing."""
    from asstops.workflow import prepare

    with opened(options_of(context), destroying=destroy) as run:
        prepared = prepare(
            run.stack, run.session, targets=addresses(targets), destroy=destroy, accept_origin=accept_origin
        )
        if form == "json":
            from asstops.views.machine import dumps, plan_to_json

            run.say(dumps(plan_to_json(run.masked(prepared.plan))))
        else:
            from asstops.views.human import render_plan

            terminal = Terminal.for_stdout()
            read = run.reading(len(prepared.snapshot))
            run.say(render_plan(run.masked(prepared.plan), width=terminal.width, color=terminal.color, read=read))
        return ExitCode.CHANGES if detailed_exitcode and not prepared.plan.is_empty else ExitCode.OK
