"""Every place of a spec as tables, made of what `asstops explain` says, which is the JSON Schema for editors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from asstops.explained import Explained, Line
from asstops.kinds.base import KEY_RULE
from asstops.kinds.fields import FileText, Glob
from asstops.services import every
from asstops.spec.explain import explain
from asstops.spec.header import top_level_keys
from asstops.spec.sections import TESTS, TOOLS
from tests.docs.tables import table

ORDER = ("lock", "vars", "resource", "deployments", "files", "vector_stores", TOOLS, "assistants", TESTS, "moved")
"""How sections are read best; what is not named here comes last."""

SHARED = {
    frozenset(FileText.model_fields): ("{file: PATH}", "Take the value from a file. Wherever a type says so."),
    frozenset(Glob.model_fields): ("{glob: PATTERN}", "Every file that a pattern matches. Wherever a type says so."),
}
"""What may stand in the place of text in many fields, by its keys: how a type names it, and its section."""

_PLAIN = ("text", "map", "number", "whole number", "list of")


def spec_reference() -> str:
    """The top level, every section with what is in it, and what may stand in many places."""
    parts = ["## Top level", _table(_explained(""))]
    for section in sorted(top_level_keys(), key=lambda key: (*ORDER, key).index(key)):
        if (found := _explained(section)).lines:
            parts += [f"## `{section}`", found.about, *_keys(section), *_place(found)]
    for fields, (name, told) in SHARED.items():
        parts += [f"## `{name}`", told, _table(next(found for found in _seen("") if _fields(found) == fields))]
    return "\n\n".join(parts)


@cache
def _explained(path: str) -> Explained:
    return explain(path)


def _inner(found: Explained) -> Iterator[Explained]:
    """What stands at each key of a place."""
    for line in _sorted(found):
        yield _explained(f"{found.path}.{line.name}".lstrip("."))


def _seen(path: str) -> Iterator[Explained]:
    """Every place from `path` on."""
    for inner in _inner(_explained(path)):
        yield inner
        yield from _seen(inner.path)


def _sorted(found: Explained) -> list[Line]:
    """Required keys first; the top level in the order in which specs are written."""
    return sorted(found.lines, key=lambda line: not line.required) if found.path else list(found.lines)


def _fields(found: Explained) -> frozenset[str]:
    return frozenset(line.name for line in found.lines)


def _place(found: Explained) -> Iterator[str]:
    yield _table(found)
    for inner in _inner(found):
        if inner.lines and _fields(inner) not in SHARED:
            yield f"### `{inner.path}`"
            yield inner.about
            yield from _place(inner)


def _keys(section: str) -> list[str]:
    """What the keys of a section look like, where they are the user's own."""
    rules = {kind.section: kind.key_rule for service in every() for kind in service.kinds.values() if not kind.single}
    rule = {TOOLS: KEY_RULE, TESTS: KEY_RULE, **rules}.get(section)
    return [f"A map of keys to entries. For the keys, {rule}."] if rule else []


def _table(found: Explained) -> str:
    rows = []
    for line, inner in zip(_sorted(found), _inner(found), strict=True):
        default = "required" if line.required else f"`{line.default}`" if line.default else ""
        rows.append((f"`{line.name}`", _type(line, inner), default, _meaning(line, inner)))
    return table(("Key", "Type", "Default", "Meaning"), rows)


def _meaning(line: Line, inner: Explained) -> str:
    shown = " or ".join(f"`{example}`" for example in inner.examples)
    return f"{line.about} Example: {shown}." if shown else line.about


def _type(line: Line, inner: Explained) -> str:
    """The type as `explain` has it, with values to write in code and what may stand for text by its name."""
    parts = [part.strip() for part in re.split(r"[()|]", line.type)]
    values = {part for part in parts if part and not part.startswith(_PLAIN)}
    if values and set(parts) <= {*values, "text"}:
        values |= set(parts)  # a value that is called text
    words = re.sub(r"[^()|\s][^()|]*[^()|\s]", lambda word: f"`{word[0]}`" if word[0] in values else word[0], line.type)
    words = re.sub(r"list of \((\w+)\)", r"list of \1", words).replace("|", "or")
    name, _ = SHARED.get(_fields(inner), ("", ""))
    if not name:
        return words
    return words.replace("map", f"`{name}`") if "text" in words else f"{words} or `{name}`"
