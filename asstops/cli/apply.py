"""`asstops apply`: make the live service agree with the spec."""

from __future__ import annotations

import click

from asstops.cli.carry_out import carry_out
from asstops.cli.options import apply_options, global_options
from asstops.cli.run import addresses, options_of


@click.command("apply")
@apply_options
@global_options
@click.pass_context
def command(context: click.Context, /, targets: tuple[str, ...], **given: object) -> int:
    """Make the live service agree with the spec.

    Shows the plan, asks, carries it out, and reads back what was written.
    """
    return carry_out(options_of(context), targets=addresses(targets), destroy=False, purge=False, **given)  # type: ignore[arg-type]
