"""The generated parts of the pages: made from the commands and the spec's models, so that they cannot fall behind.

A page holds them between `<!-- made: NAME -->` and `<!-- /made -->`; `make golden` rewrites them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from inspect import cleandoc
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import click
from annotated_types import Ge, Le

from asstops.cli.main import main
from asstops.errors import ExitCode
from asstops.kinds.base import KEY_RULE, Kind
from asstops.kinds.fields import OPAQUE, FileText, Glob, SpecModel
from asstops.services import every
from asstops.spec.functions import SECTION, ToolSpec
from asstops.spec.lock import LockSpec
from asstops.spec.shape import VarSpec, hints, variants

MADE = re.compile(r"(<!-- made: (?P<name>[\w-]+) -->\n).*?(<!-- /made -->)", re.DOTALL)

CODES = {
    ExitCode.OK: "done, or nothing to do",
    ExitCode.ERROR: "error; nothing was written",
    ExitCode.CHANGES: "changes are pending (only with `plan --detailed-exitcode`)",
    ExitCode.PARTLY_APPLIED: "partly applied: something was written, something failed or was not attempted",
    ExitCode.STALE_PLAN: "stale: the spec or something live moved after the plan was made; nothing was written",
    ExitCode.LOCKED: "the stack is locked by another apply or destroy; nothing was written",
    ExitCode.UNSAFE: "refused as unsafe; nothing was written",
    ExitCode.TESTS_FAILED: "smoke tests failed (kept for `test`)",
    ExitCode.USAGE: "the command line is wrong",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C)",
    ExitCode.TERMINATED: "ended by SIGTERM",
}


def filled(page: str) -> str:
    """The page with every generated part made anew."""
    return MADE.sub(lambda found: f"{found[1]}\n{MAKERS[found['name']]()}\n\n{found[3]}", page)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines
    )


def commands_table() -> str:
    """Each command with its one line of help."""
    return _table(
        ("Command", "Does"),
        [(f"`asstops {name}`", _first(command)) for name, command in _commands() if " " not in name],
    )


def exit_codes() -> str:
    return _table(("Code", "Means"), [(str(int(code)), CODES[code]) for code in _sorted(ExitCode)])


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
        if not isinstance(parameter, click.Option) or parameter.name in left_out:
            continue
        *short, long = sorted(parameter.opts, key=len)
        takes = "" if parameter.is_flag or parameter.count else f" {_value(parameter)}"
        names = ", ".join(f"`{name}`" for name in (*short, long + takes))
        shown = f"`{parameter.default}`" if parameter.show_default and parameter.default is not None else ""
        rows.append((names, _escaped(parameter.help or ""), shown))
    return _table(("Option", "Does", "Default"), rows) if rows else ""


def _escaped(text: str) -> str:
    """Help is plain text: what looks like a tag there is none."""
    return text.replace("<", "&lt;")


def _value(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return "|".join(option.type.choices)
    return option.metavar or option.type.name.upper().split()[0]


def spec_keys() -> str:
    """Every section of a spec, key by key."""
    parts = ["## `vars`", "A map of names to a default, or to:", _keys(VarSpec)]
    parts += ["## `lock`", _doc(LockSpec), _keys(LockSpec), *_inner(LockSpec, "lock")]
    for kind in sections():
        parts.append(f"## `{kind.section}`")
        parts.append(_doc(kind.spec))
        if not kind.single:
            parts.append(f"A map of keys to entries. For the keys, {kind.key_rule}.")
        parts.append(_keys(kind.spec))
        parts += _inner(kind.spec, kind.section if kind.single else f"{kind.section}.KEY")
    parts += [
        f"## `{SECTION}`",
        _doc(ToolSpec),
        f"A map of keys to entries. For the keys, {KEY_RULE}.",
        _keys(ToolSpec),
    ]
    parts += [
        "## Entries that name files",
        _doc(Glob),
        _keys(Glob),
        "## Values from files",
        _doc(FileText),
        _keys(FileText),
    ]
    return "\n\n".join(parts)


_ORDER = ["resource", "deployments", "files", "vector_stores", "assistants"]


def sections() -> list[Kind[Any]]:
    """The kinds of all services that have a section of their own, one for each section, in the order of the page."""
    found = {kind.section: kind for service in every() for kind in service.kinds.values() if not kind.within}
    return [found[section] for section in sorted(found, key=_ORDER.index)]


_COMMON = (FileText, Glob)


def _doc(model: type[SpecModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def fields_of(model: type[SpecModel], at: str = "") -> Iterator[str]:
    """Every key below a model, as dotted paths: `tools`, `tools.mcp`, `tools.mcp.server_url`."""
    for key, annotation in hints(model).items():
        yield at + key
        for found in _models(annotation):
            yield from fields_of(found, f"{at}{key}.")


def _inner(model: type[SpecModel], at: str) -> list[str]:
    parts: list[str] = []
    for key, annotation in hints(model).items():
        for found in _models(annotation):
            parts += [f"### `{at}.{key}`", _doc(found), _keys(found), *_inner(found, f"{at}.{key}")]
    return parts


def _models(annotation: Any) -> Iterator[type[SpecModel]]:
    for kind, _ in variants(annotation):
        if get_origin(kind) in (list, dict):
            yield from _models(get_args(kind)[-1])
        elif isinstance(kind, type) and issubclass(kind, SpecModel) and kind not in _COMMON:
            yield kind


def _keys(model: type[SpecModel]) -> str:
    rows = []
    found = hints(model)
    for name, field in model.model_fields.items():
        key = field.alias or name
        default = "required" if field.is_required() else _default(field.get_default(call_default_factory=True))
        example = f" Example: `{field.examples[0]}`." if field.examples else ""
        rows.append((f"`{key}`", _type(found[key]), default, (field.description or "") + example))
    return _table(("Key", "Type", "Default", "Meaning"), rows)


def _default(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _type(annotation: Any) -> str:
    words: list[str] = []
    for kind, metadata in variants(annotation):
        word = _word(kind, metadata)
        if word and word not in words:
            words.append(word)
    return " or ".join(words)


def _word(kind: Any, metadata: tuple[Any, ...]) -> str:
    if kind is NoneType:
        return ""
    if get_origin(kind) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(kind))
    if get_origin(kind) is list:
        return f"list of {_type(get_args(kind)[0])}"
    if get_origin(kind) is dict or kind is dict:
        return "JSON object" if OPAQUE in metadata else "map of text"
    if kind is FileText:
        return "`{file: PATH}`"
    if kind is Glob:
        return "`{glob: PATTERN}`"
    if isinstance(kind, type) and issubclass(kind, SpecModel):
        return "map"
    named = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`", Any: "any value"}
    return named[kind] + _range(metadata)


def _range(metadata: tuple[Any, ...]) -> str:
    low = next((item.ge for item in metadata if isinstance(item, Ge)), None)
    high = next((item.le for item in metadata if isinstance(item, Le)), None)
    if low is not None and high is not None:
        return f", {low} to {high}"
    return f", at least {low}" if low is not None else f", at most {high}" if high is not None else ""


MAKERS: dict[str, Callable[[], str]] = {
    "commands-table": commands_table,
    "commands": commands,
    "global-options": global_options,
    "exit-codes": exit_codes,
    "spec-keys": spec_keys,
}
