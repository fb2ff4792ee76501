"""`asstops list`: what the stack has, and where each of it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from asstops.cli.options import format_option, global_options
from asstops.cli.run import opened, options_of
from asstops.cli.terminal import Terminal
from asstops.errors import ExitCode

if TYPE_CHECKING:
    from asstops.inventory import Item


@click.command("list")
@format_option("json", text="How the list is written to stdout.")
@global_options
@click.pass_context
def command(context: click.Context, form: str) -> int:
    """List the objects of the stack: address, name, state and id.

    Also those that have left the spec and are still there. Reads live state, writes nothing.
    """
    from asstops.workflow import items

    with opened(options_of(context)) as run:
        found, _ = items(run.stack, run.session, run.hashes)
        if form == "json":
            from asstops.views.machine import dumps

            run.say(dumps({"stack": run.stack.identity, "objects": [_data(item) for item in found]}))
        else:
            run.say(_table(found) or "The stack has nothing.\n")
        return ExitCode.OK


def _table(found: Sequence[Item]) -> str:
    from asstops.views.table import table

    terminal = Terminal.for_stdout()
    rows = [(str(item.address), _name(item), item.state.words, item.remote_id or "") for item in found]
    return table(
        rows,
        headers=("ADDRESS", "NAME", "STATE", "ID"),
        width=terminal.data_width,
        color=terminal.color,
        whole=(0, 2, 3),
    )


def _name(item: Item) -> str:
    sensitive = item.wanted is not None and "name" in item.wanted.sensitive
    return "" if sensitive or item.name == item.address.key else item.name


def _data(item: Item) -> dict[str, Any]:
    return {
        "address": str(item.address),
        "kind": item.address.kind,
        "key": item.address.key,
        "name": _name(item) or item.address.key,
        "state": item.state.value,
        "id": item.remote_id,
        "copies": list(item.copies),
    }
