"""`asstops show`: one object as it is live, or a saved plan as `plan` showed it."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asstops.cli import completing
from asstops.cli import saved as plan_files
from asstops.cli.options import Globals, format_option, global_options
from asstops.cli.run import opened, options_of
from asstops.cli.terminal import Terminal
from asstops.errors import AsstopsError, ExitCode, UsageError
from asstops.model import Address

if TYPE_CHECKING:
    from asstops.inventory import Item


@click.command("show")
@click.argument("what", metavar="ADDRESS|PLANFILE", shell_complete=completing.addresses_or_files)
@format_option("json", "markdown", "html", text="How it is written to stdout; markdown and html are for saved plans.")
@global_options
@click.pass_context
def command(context: click.Context, what: str, form: str) -> int:
    """Show an object of the stack as it is live, or a saved plan.

    ADDRESS is KIND.KEY, for example assistant.sales; live state is read for it. PLANFILE is what 'asstops plan -o FILE'
    saved; nothing else is read for that.
    """
    options = options_of(context)
    path = options.chdir / what
    if path.is_file():
        return _show_plan(path, form)
    if not _is_address(what):
        kinds = ", ".join(sorted(_kinds()))
        raise AsstopsError(
            f"there is no plan file {what}, and it is no address either",
            fix=f"write KIND.KEY, KIND being one of {kinds}; or save a plan first with 'asstops plan -o FILE'",
        )
    if form in ("markdown", "html"):
        raise UsageError(f"an object has no form {form}", fix="use --format json, or name a saved plan")
    return _show_object(options, Address.parse(what), form)


def _is_address(text: str) -> bool:
    kind, _, key = text.partition(".")
    return bool(key) and kind in _kinds()


def _kinds() -> set[str]:
    from asstops.services import every

    return {kind for service in every() for kind in service.kinds}


def _show_plan(path: Path, form: str) -> int:
    from asstops.views.text import encodable

    saved = plan_files.read(path)
    if form == "json":
        from asstops.views.machine import dumps, plan_to_json

        click.echo(dumps(plan_to_json(saved.plan)), nl=False)
        return ExitCode.OK
    if form == "markdown":
        from asstops.views.markdown import render_plan as render_markdown

        text = render_markdown(saved.plan, rest="`asstops show PLANFILE` shows all of it.")
        click.echo(encodable(text, sys.stdout.encoding), nl=False)
        return ExitCode.OK
    read = f"saved {saved.created_at[:16].replace('T', ' ')} UTC"
    if form == "html":
        from asstops.views.html import render_plan as render_html

        click.echo(render_html(saved.plan, saved.links, read=read), nl=False)
        return ExitCode.OK
    from asstops.views.human import render_plan

    terminal = Terminal.for_stdout()
    text = render_plan(saved.plan, width=terminal.width, color=terminal.color, read=read)
    click.echo(encodable(text, sys.stdout.encoding), nl=False, color=terminal.color)
    return ExitCode.OK


def _show_object(options: Globals, address: Address, form: str) -> int:
    from difflib import get_close_matches

    from asstops.workflow import items

    with opened(options) as run:
        found, _ = items(run.stack, run.session, run.hashes)
        item = next((item for item in found if item.address == address), None)
        if item is None:
            near = get_close_matches(str(address), [str(item.address) for item in found], 1)
            fix = f"did you mean {near[0]}?" if near else "'asstops list' shows what there is"
            raise UsageError(f"the stack has no {address}", fix=fix)
        if form == "json":
            from asstops.views.machine import dumps

            run.say(dumps(_data(run.masked(item))))
        else:
            run.say(_text(run.masked(item)))
        return ExitCode.OK


def _data(item: Item) -> dict[str, Any]:
    from asstops.views.values import masked, plain

    sensitive = item.wanted.sensitive if item.wanted is not None else frozenset()
    mark = item.live.mark if item.live is not None else None
    return {
        "address": str(item.address),
        "state": item.state.value,
        "id": item.remote_id,
        "created_at": item.live.created_at or None if item.live is not None else None,
        "copies": list(item.copies),
        "protect": bool(mark is not None and mark.protect),
        "fields": plain(masked(item.body, sensitive)),
    }


def _text(item: Item) -> str:
    from asstops.views.table import pairs
    from asstops.views.values import masked, scalar

    terminal = Terminal.for_stdout()
    data = _data(item)
    rows = [("address", str(item.address)), ("state", item.state.words)]
    rows += [("id", item.remote_id)] if item.remote_id else []
    rows += [("created", _moment(data["created_at"]))] if data["created_at"] else []
    rows += [("protected", "yes")] if data["protect"] else []
    rows += [("older copies", ", ".join(item.copies))] if item.copies else []
    sensitive = item.wanted.sensitive if item.wanted is not None else frozenset()
    body = masked(item.body, sensitive)
    fields = [(path, value) for path, value in body.items() if value not in (None, [], {}, "")]
    short = [(path, scalar(value)) for path, value in fields if not isinstance(value, str) or "\n" not in value]
    text = pairs(rows, width=terminal.width, color=terminal.color)
    if fields:
        text += "\n" + pairs(short, width=terminal.width, color=terminal.color)
    for path, value in fields:
        if isinstance(value, str) and "\n" in value:
            text += f"\n{path}\n" + "".join(f"  {line}\n" for line in _lines(value))
    return text


def _lines(value: str) -> list[str]:
    from asstops.views.text import safe_lines

    return safe_lines(value.rstrip("\n")).split("\n")


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
