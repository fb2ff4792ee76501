"""One entry of a spec against its model; pydantic's errors in plain words, each at its place in the file."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import ValidationError

from asstops.errors import Location
from asstops.kinds.fields import TAGS, SpecModel
from asstops.spec.nodes import (
    MapNode,
    Node,
    Problems,
    ScalarNode,
    child,
    describe,
    dotted,
    is_empty,
    node_at,
    place,
    to_python,
    without,
)
from asstops.spec.shape import bounds, example, known_keys
from asstops.spec.words import cut, did_you_mean, listed, nearest

ModelT = TypeVar("ModelT", bound=SpecModel)

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "dict_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
    "list_type": "a list",
}
_ROUNDS = 3  # taking one mistake out may bring another to light
_QUOTED = re.compile(r"'([^']*)'")
_BUILDING = threading.Lock()


def _built(model: type[ModelT]) -> type[ModelT]:
    """The model, ready for use. A program may load specs in several threads, which older pydantic does not see to."""
    if not model.__pydantic_complete__:
        with _BUILDING:
            model.model_rebuild()
    return model


def validate(model: type[ModelT], node: Node, label: str, owner: Location, problems: Problems) -> ModelT | None:
    """The model's value, or None after noting every problem. `label` names it, `owner` is where its key stands."""
    try:
        return _built(model).model_validate({} if is_empty(node) else to_python(node))
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=True, include_input=False)
        unknown: dict[tuple[Any, ...], list[str]] = {}
        for item in found:
            if item["type"] == "extra_forbidden":
                unknown.setdefault(item["loc"][:-1], []).append(str(item["loc"][-1]))
        for item in found:
            if not _follows(item, unknown):
                _report(model, node, label, owner, problems, item)
    return None


def salvage(model: type[ModelT], node: Node) -> tuple[ModelT, Node] | None:
    """What is left of a wrong entry without its mistakes, so that its references can be checked all the same.

    A missing field gets an empty text. None when too little is left.
    """
    for _ in range(_ROUNDS):
        try:
            return _built(model).model_validate({} if is_empty(node) else to_python(node)), node
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
        paths = [(_path(node, item["loc"]), item["type"] == "missing") for item in found]
        blanks = [path[0] for path, missing in paths if missing and len(path) == 1]
        node = without(node, [path[:-1] if missing else path for path, missing in paths])
        if isinstance(node, MapNode) and blanks:
            blank = dict.fromkeys(blanks, ScalarNode(node.source, node.line, node.column, ""))
            node = replace(node, entries={**node.entries, **blank}, keys={**node.keys, **blank})
    return None


def _path(node: Node | None, loc: Sequence[Any]) -> list[Any]:
    """Pydantic's `loc` without the tags of unions; a user's key of the same name stays."""
    path: list[Any] = []
    for part in loc:
        inner = child(node, part)
        if inner is None and part in TAGS:
            continue
        path.append(part)
        node = inner
    return path


def _follows(error: Mapping[str, Any], unknown: Mapping[tuple[Any, ...], Sequence[str]]) -> bool:
    """True for a missing key that stands there misspelt, which is reported as an unknown key."""
    *outer, name = error["loc"] or ("",)
    return error["type"] == "missing" and any(nearest(key, [str(name)]) for key in unknown.get(tuple(outer), ()))


def _report(
    model: type[SpecModel], node: Node, label: str, owner: Location, problems: Problems, error: Mapping[str, Any]
) -> None:
    path = _path(node, error["loc"])
    kind: str = error["type"]
    field = dotted(path)
    met = node_at(node, path)
    hidden = isinstance(met, ScalarNode) and met.sensitive
    where = place(owner, node, path)
    problems = problems.of({"missing": "missing-key", "extra_forbidden": "unknown-key"}.get(kind, "wrong-value"))
    if kind == "missing":
        shown = example(model, path)
        fix = f"add it, for example {path[-1]}: {shown}" if shown else f"add {path[-1]}:"
        problems.add(f"{label}: {field} is missing", where, fix)
    elif kind == "extra_forbidden":
        keys = known_keys(model, path[:-1])
        fix = did_you_mean(str(path[-1]), keys)
        if nearest(str(path[-1]), keys):
            fix += f" Known: {listed(keys)}"
        inside = f" in {dotted(path[:-1])}" if len(path) > 1 else ""
        problems.add(f"{label}: unknown key {cut(str(path[-1]))!r}{inside}", place(owner, node, path, of_key=True), fix)
    elif kind == "literal_error":
        allowed = _QUOTED.findall(error["ctx"]["expected"])
        close = nearest(met.text, allowed) if isinstance(met, ScalarNode) and not hidden else ""
        problems.add(
            f"{label}: {field} is {describe(met)}, allowed: {listed(allowed)}",
            where,
            f"did you mean {close}?" if close else f"use {allowed[0]}" if len(allowed) == 1 else "use one of them",
            sensitive=hidden,
        )
    elif kind in ("greater_than_equal", "less_than_equal"):
        allowed_range = bounds(model, path)
        shown = met.text if isinstance(met, ScalarNode) and not hidden else describe(met)
        problems.add(
            f"{label}: {field} is {cut(shown)}, {allowed_range}", where, "use a value in that range", sensitive=hidden
        )
    elif kind in _WANTED:
        name = field or "the entry"
        if is_empty(met):
            problems.add(
                f"{label}: {name} is empty, {_WANTED[kind]} is wanted", where, "give a value, or remove the line"
            )
        else:
            problems.add(
                f"{label}: {name} is {describe(met)}, {_WANTED[kind]} is wanted",
                where,
                _type_fix(model, path, kind),
                sensitive=hidden,
            )
    else:
        name = field or "the entry"
        told = error["ctx"]["error"] if kind == "value_error" and "error" in error.get("ctx", {}) else "is not allowed"
        problems.add(f"{label}: {name} {told}", where, sensitive=hidden)


def _type_fix(model: type[SpecModel], path: Sequence[Any], kind: str) -> str:
    if kind == "list_type":
        return "write a list: - one entry a line"
    if kind in ("dict_type", "model_type", "model_attributes_type"):
        keys = known_keys(model, path)
        return (
            f"write KEY: VALUE lines below it; known keys: {listed(keys)}"
            if keys
            else "write KEY: VALUE lines below it"
        )
    if kind == "bool_type":
        return "write true or false, without quotes"
    if kind == "string_type":
        shown = example(model, path)
        return f"write text, for example {shown}" if shown else "write text"
    return "write a number, without quotes"
