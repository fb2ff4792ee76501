"""What a spec may hold at a path, in words: read from the editors' schema, so that both always agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from asstops import services
from asstops.explained import Explained, Line
from asstops.spec.editor_schema import VARIABLE, document_schema
from asstops.spec.words import did_you_mean, flow

Schema = Mapping[str, Any]


class NoSuchField(Exception):
    """Nothing can be written there; `fix` says what can."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


def explain(path: str) -> Explained:
    """What stands at `KIND.FIELD…`; "" is the document. Indexes are left out. Raises NoSuchField."""
    document = document_schema(whole=True)
    here: Schema = document
    shown: list[str] = []
    by_key = ""
    for number, name in enumerate(_parts(path)):
        if number == 0:
            name = _sections().get(name, name)
        fields = dict(_fields(here, document))
        if name not in fields:
            where = ".".join(shown) or "a spec"
            raise NoSuchField(f"there is no {name!r} in {where}", did_you_mean(name, list(fields)))
        here = section = fields[name]
        if number == 0:
            here = _entry(section)
        by_key = "KEY: " if here is not section else ""
        shown.append(name)
    required = _required(here, document)
    lines = tuple(
        Line(name, _type(field, document), _about(field, document), _default(field), name in required)
        for name, field in _fields(here, document)
    )
    return Explained(
        path=".".join(shown),
        type=by_key + (_type(here, document) or "map") if shown else "",
        about=_about(here, document) if shown else "What a spec may hold at its top.",
        default=_default(here),
        examples=tuple(flow(example) for example in here.get("examples", ())),
        lines=lines,
    )


def _parts(path: str) -> list[str]:
    """The path taken apart; a kind that is written inside another begins there."""
    parts = [part for part in path.split(".") if part]
    kinds = (kind for service in services.every() for kind in service.kinds.values())
    within = next((kind.within for kind in kinds if kind.within and parts[:1] == [kind.name]), "")
    return [within, *parts] if within else parts


def _sections() -> dict[str, str]:
    """A kind's own name for its section: `assistant` means `assistants`."""
    kinds = (kind for service in services.every() for kind in service.kinds.values() if not kind.within)
    return {"tool": "tools", "test": "tests", **{kind.name: kind.section for kind in kinds}}


def _entry(section: Schema) -> Schema:
    """Of a section with keys of the user's own, what one entry is."""
    for choice in (section, *section.get("anyOf", ())):
        if isinstance(inner := choice.get("additionalProperties"), Mapping):
            return {**inner, **{name: section[name] for name in ("description", "examples") if name in section}}
    return section


def _variants(schema: Schema, document: Schema) -> Iterator[Schema]:
    """The schemas that may apply, references followed, null and variables left out."""
    if "$ref" in schema:
        yield from _variants(document["$defs"][schema["$ref"].rpartition("/")[2]], document)
    elif "anyOf" in schema:
        for choice in schema["anyOf"]:
            if choice not in ({"type": "null"}, VARIABLE):
                yield from _variants(choice, document)
    elif schema.get("type") == "array":
        yield schema
        yield from _variants(schema["items"], document)
    else:
        yield schema


def _fields(schema: Schema, document: Schema) -> Iterator[tuple[str, Schema]]:
    seen: set[str] = set()
    for choice in _variants(schema, document):
        for name, field in choice.get("properties", {}).items():
            if name not in seen:
                seen.add(name)
                yield name, field


def _required(schema: Schema, document: Schema) -> set[str]:
    return {name for choice in _variants(schema, document) for name in choice.get("required", ())}


def _type(schema: Schema, document: Schema) -> str:
    found: list[str] = []
    inner: set[int] = set()
    for choice in _variants(schema, document):
        if id(choice) in inner:
            continue
        word = _word(choice, document)
        inner |= {id(item) for item in _variants(choice["items"], document)} if choice.get("type") == "array" else set()
        if word and word not in found:
            found.append(word)
    return " | ".join(found)


def _word(choice: Schema, document: Schema) -> str:
    if "enum" in choice:
        return " | ".join(str(value) for value in choice["enum"])
    kind = choice.get("type")
    if kind == "array":
        return f"list of ({_type(choice['items'], document)})"
    if kind == "object":
        return "map"
    if kind in ("integer", "number"):
        low, high = choice.get("minimum"), choice.get("maximum")
        what = "whole number" if kind == "integer" else "number"
        if low is not None and high is not None:
            return f"{what} from {low:g} to {high:g}"
        return f"{what} from {low:g}" if low is not None else what
    if kind == "boolean":
        return "true | false"
    return "text" if kind else ""


def _about(schema: Schema, document: Schema) -> str:
    if schema.get("description"):
        return str(schema["description"])
    return next((str(c["description"]) for c in _variants(schema, document) if c.get("description")), "")


def _default(schema: Schema) -> str:
    default = schema.get("default")
    return "" if default is None else str(default).lower() if isinstance(default, bool) else str(default)
