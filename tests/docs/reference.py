"""The generated parts of the pages: made from the commands and the spec's models, so that they cannot fall behind.

A page holds them between `<!-- made: NAME -->` and `<!-- /made -->`; `make golden` rewrites them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import IntEnum
from inspect import cleandoc
from typing import Any, get_args, get_origin

import click

from asstops.cli.main import main
from asstops.errors import ExitCode
from asstops.kinds.base import Kind
from asstops.kinds.fields import FileText, Glob, SpecModel
from asstops.services import every
from asstops.spec.shape import hints, variants
from tests.docs.spec_reference import spec_reference
from tests.docs.tables import table
from tests.support import asked

MADE = re.compile(r"(<!-- made: (?P<name>[\w-]+) -->\n).*?(<!-- /made -->)", re.DOTALL)

CODES = {
    ExitCode.OK: "done, or nothing to do",
    ExitCode.ERROR: "error; nothing was written",
    ExitCode.CHANGES: "changes are pending (only with `--detailed-exitcode`)",
    ExitCode.PARTLY_APPLIED: "partly applied: something was written, something failed or was not attempted",
    ExitCode.STALE_PLAN: "stale: the spec or something live moved after the plan was made; nothing was written",
    ExitCode.LOCKED: "the stack is locked by another apply or destroy; nothing was written",
    ExitCode.UNSAFE: "refused as unsafe; nothing was written",
    ExitCode.TESTS_FAILED: "a smoke test failed (`test`, `apply --test`)",
    ExitCode.USAGE: "the command line is wrong",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C)",
    ExitCode.TERMINATED: "ended by SIGTERM",
}


def filled(page: str) -> str:
    """The page with every generated part made anew."""
    return MADE.sub(lambda found: f"{found[1]}\n{MAKERS[found['name']]()}\n\n{found[3]}", page)


def commands_table() -> str:
    """Each command with its one line of help."""
    return table(
        ("Command", "Does"),
        [(f"`asstops {name}`", _first(command)) for name, command in _commands() if " " not in name],
    )


def exit_codes() -> str:
    return table(("Code", "Means"), [(str(int(code)), CODES[code]) for code in _sorted(ExitCode)])


def _sorted(codes: type[IntEnum]) -> list[Any]:
    return sorted(codes)


def global_options() -> str:
    return _options(main, {"help", "version"})


def commands() -> str:
    """Every command: its help, and the options that are its own."""
    shared = {parameter.name for parameter in main.params}
    parts = []
    for name, command in _commands():
        parts.append(f"## asstops {name}")
        text = cleandoc((command.help or "").split("\f")[0])
        parts += [_paragraph(paragraph) for paragraph in text.split("\n\n")]
        table = _options(command, {*(shared - {"version"}), "help"})
        takes_shared = any(parameter.name in shared for parameter in command.params)
        parts.append(table or ("Takes the global options only." if takes_shared else "Takes no options."))
    return "\n\n".join(parts)


def _paragraph(text: str) -> str:
    """One paragraph of help; after a backspace its lines stay as they are, as on the terminal."""
    if text.startswith("\b\n"):
        return f"```\n{text.removeprefix(chr(8)).strip()}\n```"
    return _escaped(re.sub(r"\n(?=\S)", " ", text))


def _commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            for inner in command.list_commands(context):
                found = command.get_command(context, inner)
                assert found is not None
                yield f"{name} {inner}", found


def _first(command: click.Command) -> str:
    return command.get_short_help_str(200).rstrip(".")


def _options(command: click.Command, left_out: set[str | None]) -> str:
    rows = []
    for parameter in command.params:
        if not isinstance(parameter, click.Option) or parameter.hidden or parameter.name in left_out:
            continue
        *short, long = sorted(parameter.opts, key=len)
        takes = "" if parameter.is_flag or parameter.count else f" {_value(parameter)}"
        names = ", ".join(f"`{name}`" for name in (*short, long + takes))
        shown = f"`{parameter.default}`" if parameter.show_default and parameter.default is not None else ""
        rows.append((names, _escaped(parameter.help or ""), shown))
    return table(("Option", "Does", "Default"), rows) if rows else ""


def _escaped(text: str) -> str:
    """Help is plain text: what looks like a tag there is none."""
    return text.replace("<", "&lt;")


def _value(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return "|".join(option.type.choices)
    return option.metavar or option.type.name.upper().split()[0]


_ORDER = ["resource", "deployments", "files", "vector_stores", "assistants"]


def sections() -> list[Kind[Any]]:
    """The kinds of all services that have a section of their own, one for each section, in the order of the page."""
    found = {kind.section: kind for service in every() for kind in service.kinds.values() if not kind.within}
    return [found[section] for section in sorted(found, key=_ORDER.index)]


_COMMON = (FileText, Glob)


def fields_of(model: type[SpecModel], at: str = "") -> Iterator[str]:
    """Every key below a model, as dotted paths: `tools`, `tools.mcp`, `tools.mcp.server_url`."""
    for key, annotation in hints(model).items():
        yield at + key
        for found in _models(annotation):
            yield from fields_of(found, f"{at}{key}.")


def _models(annotation: Any) -> Iterator[type[SpecModel]]:
    for kind, _ in variants(annotation):
        if get_origin(kind) in (list, dict):
            yield from _models(get_args(kind)[-1])
        elif isinstance(kind, type) and issubclass(kind, SpecModel) and kind not in _COMMON:
            yield kind


def requests() -> str:
    """What each command sends, as tests/e2e/test_request_counts.py holds it to."""

    def cell(row: asked.Row, service: str) -> str:
        return row.sent[service].formula(asked.KNOWN[service]) if service in row.sent else "no such command"

    silent = {(row.command, row.when) for row in asked.TABLE if all(not sent.parts for sent in row.sent.values())}
    rows = [
        (f"`{row.command}`", row.when, *(cell(row, service) for service in asked.READ))
        for row in asked.TABLE
        if (row.command, row.when) not in silent
    ]
    read = ("*read*", "", *(sent.formula() for sent in asked.READ.values()))
    head = ("Command", "When", *(f"`service: {name}`" for name in asked.READ))
    none = ", ".join(f"`{command}`{f' ({when})' if when else ''}" for command, when in sorted(silent))
    return f"{table(head, [read, *rows])}\n\nNothing at all is sent by {none}."


MAKERS: dict[str, Callable[[], str]] = {
    "commands-table": commands_table,
    "commands": commands,
    "global-options": global_options,
    "exit-codes": exit_codes,
    "spec-reference": spec_reference,
    "requests": requests,
}
