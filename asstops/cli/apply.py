"""`asstops apply`: make the live service agree with the spec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from asstops.cli import saved as saved_plans
from asstops.cli.after_apply import AfterApply
from asstops.cli.carry_out import carry_out
from asstops.cli.locking import StackLock
from asstops.cli.options import Globals, apply_options, global_options, on_drift_option
from asstops.cli.run import addresses, drift_rule, options_of
from asstops.errors import UsageError


def _afterwards(options: Globals, *, destroy: bool, wanted: bool, rollback: bool) -> AfterApply | None:
    """What follows a successful apply. Raises UsageError for options that make no sense together."""
    if rollback and not wanted:
        raise UsageError("--rollback-on-failure goes with --test", fix="add --test, or leave it out")
    if wanted and destroy:
        raise UsageError("the saved plan deletes what would be tested", fix="leave out --test")
    return AfterApply(options, rollback) if wanted else None


@click.command("apply")
@click.argument("planfile", required=False, type=click.Path(path_type=Path), metavar="[PLANFILE]")
@on_drift_option
@click.option("--test", "with_tests", is_flag=True, help="Run the smoke tests of the spec once all is applied.")
@click.option(
    "--rollback-on-failure",
    is_flag=True,
    help="With --test: bring assistants whose tests fail back to the version before. Agents only.",
)
@apply_options
@global_options
@click.pass_context
def command(
    context: click.Context, /, planfile: Path | None, targets: tuple[str, ...], lock_timeout: float, **given: Any
) -> int:
    """Make the live service agree with the spec.

    Shows the plan, asks, carries it out, and reads back what was written. With PLANFILE, which 'asstops plan -o' saved,
    exactly that plan is carried out, without a question; if anything moved since, nothing is.
    """
    options, wanted, destroy, saved = options_of(context), addresses(targets), False, None
    if planfile is not None:
        if targets or given["accept_origin"]:
            raise UsageError(
                "a saved plan has its own targets and origin", fix="leave out --target and --accept-origin"
            )
        if given["on_drift"] is not None:
            raise UsageError(
                "a saved plan says itself what it does about drift",
                fix="leave out --on-drift, or plan again with it: asstops plan --on-drift … -o FILE",
            )
        saved = saved_plans.read(options.chdir / planfile)
        options, wanted, destroy = saved_plans.options_for(saved, options), saved.plan.targets, saved.plan.destroy
        given["on_drift"] = saved.plan.on_drift.value
        given |= {"auto_approve": True, "accept_origin": saved.invocation.accept_origin}
    afterwards = _afterwards(
        options, destroy=destroy, wanted=given.pop("with_tests"), rollback=given.pop("rollback_on_failure")
    )
    given["on_drift"] = drift_rule(given["on_drift"])
    with StackLock(options, "apply", lock_timeout) as lock:
        return carry_out(
            options, lock, targets=wanted, destroy=destroy, purge=False, saved=saved, afterwards=afterwards, **given
        )
