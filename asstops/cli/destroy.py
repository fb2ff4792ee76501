"""`asstops destroy`: take away what the stack owns."""

from __future__ import annotations

import click

from asstops.cli.carry_out import carry_out
from asstops.cli.locking import StackLock
from asstops.cli.options import destroy_options, global_options
from asstops.cli.run import addresses, options_of


@click.command("destroy")
@click.option(
    "--purge",
    is_flag=True,
    help="Remove the account for good, also one deleted before; otherwise Azure keeps it, and its name, for 48 hours.",
)
@destroy_options
@global_options
@click.pass_context
def command(
    context: click.Context, /, targets: tuple[str, ...], purge: bool, lock_timeout: float, **given: object
) -> int:
    """Delete what the stack owns, and nothing else."""
    options = options_of(context)
    with StackLock(options, "destroy", lock_timeout) as lock:
        return carry_out(options, lock, targets=addresses(targets), destroy=True, purge=purge, **given)  # type: ignore[arg-type]
