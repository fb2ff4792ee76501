"""`asstops plan`: show how the live service differs from the spec."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from asstops.cli import ci
from asstops.cli.options import format_option, global_options, on_drift_option, target_option
from asstops.cli.run import addresses, drift_rule, opened, options_of
from asstops.cli.terminal import Terminal
from asstops.errors import ExitCode

if TYPE_CHECKING:
    from asstops.model import Notice
    from asstops.spec import Stack
    from asstops.workflow import Prepared


@click.command("plan")
@format_option("json", "markdown", "html", text="How the plan is written to stdout.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes, 0 when there are none.")
@click.option("--destroy", is_flag=True, help="Plan what 'asstops destroy' would do.")
@click.option("--accept-origin", is_flag=True, help="Plan to take over objects made from another repository or path.")
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Save the plan, to be carried out as it is with 'asstops apply FILE'.",
)
@on_drift_option
@target_option
@global_options
@click.pass_context
def command(
    context: click.Context,
    form: str,
    detailed_exitcode: bool,
    destroy: bool,
    accept_origin: bool,
    out: Path | None,
    on_drift: str | None,
    targets: tuple[str, ...],
) -> int:
    """Show what apply would change; writes nothing."""
    from dataclasses import replace

    from asstops.workflow import checked, today

    options = options_of(context)
    with opened(options, destroying=destroy) as run:
        prepared = run.connection.prepare(
            targets=addresses(targets),
            destroy=destroy,
            accept_origin=accept_origin,
            on_drift=drift_rule(on_drift),
        )
        prepared = checked(prepared, run.session, today())
        refused = _refusals(prepared, run.stack)
        prepared = replace(prepared, plan=replace(prepared.plan, notices=(*prepared.plan.notices, *refused)))
        shown = run.masked(prepared.plan)
        if form == "json":
            from asstops.views.machine import dumps, plan_to_json

            run.say(dumps(plan_to_json(shown)))
        elif form == "markdown":
            from asstops.views.markdown import render_plan as render_markdown

            run.say(render_markdown(shown, rest=ci.REST["plan"]))
        elif form == "html":
            from asstops.views.graphs import find_links
            from asstops.views.html import render_plan as render_html

            links = run.masked(find_links(run.stack.resources, prepared.plan))
            run.say(render_html(shown, links, read=run.reading(len(prepared.snapshot))))
        else:
            from asstops.views.human import render_plan

            terminal = Terminal.for_stdout()
            read = run.reading(len(prepared.snapshot))
            run.say(render_plan(shown, width=terminal.width, color=terminal.color, read=read))
        ci.annotate_notices(shown.notices)
        ci.summarize_plan(shown)
        ci.outputs(prepared.plan, changes=not prepared.plan.is_empty)
        if _over_drift(prepared):  # nothing that is said to apply can change that
            if out is not None:
                run.say("Not saved: apply would refuse it.\n", err=True)
            return ExitCode.UNSAFE
        if out is not None:
            from asstops.cli import saved

            saved.save(options.chdir / out, options, run, prepared, accept_origin=accept_origin)
            run.say(f"Saved to {out}. To carry it out: {saved.apply_command(out, options)}\n", err=True)
        return ExitCode.CHANGES if detailed_exitcode and not prepared.plan.is_empty else ExitCode.OK


def _over_drift(prepared: Prepared) -> bool:
    """Whether --on-drift forbids what the plan would do."""
    from asstops import ondrift
    from asstops.errors import UnsafePlan

    try:
        ondrift.check(prepared.plan)
    except UnsafePlan:
        return True
    return False


def _refusals(prepared: Prepared, stack: Stack) -> tuple[Notice, ...]:
    """What apply would object to, so that nobody learns it only after the plan was reviewed."""
    from asstops import safety
    from asstops.errors import UnsafePlan
    from asstops.model import Notice

    try:
        safety.check(prepared.plan, prepared.snapshot, stack, allow_deletes=None)
    except UnsafePlan as error:
        return tuple(Notice(f"apply will refuse this: {found.message}", fix=found.fix) for found in error.objections)
    return ()
