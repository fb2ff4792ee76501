"""`asstops apply`: make the live service agree with the spec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from asstops.cli import saved as saved_plans
from asstops.cli.carry_out import carry_out
from asstops.cli.locking import StackLock
from asstops.cli.options import apply_options, global_options
from asstops.cli.run import addresses, options_of
from asstops.errors import UsageError


@click.command("apply")
@click.argument("planfile", required=False, type=click.Path(path_type=Path), metavar="[PLANFILE]")
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
        saved = saved_plans.read(options.chdir / planfile)
        options, wanted, destroy = saved_plans.options_for(saved, options), saved.plan.targets, saved.plan.destroy
        given |= {"auto_approve": True, "accept_origin": saved.invocation.accept_origin}
    with StackLock(options, "apply", lock_timeout) as lock:
        return carry_out(options, lock, targets=wanted, destroy=destroy, purge=False, saved=saved, **given)
