"""A small valid instance of a JSON Schema: the arguments of a function that the emulator calls.

Owns the choice of values. It covers what function tools use; a schema beyond that gets its best guess.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_DEEPEST = 12
_FORMATS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")


def instance(schema: Any, text: str = "") -> Any:
    """Return an instance with the required properties alone. `text` is the wording of strings, else their name."""
    return _value(schema, schema, text, text or "text", 0)


def _value(schema: Any, root: Any, text: str, name: str, depth: int) -> Any:
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return None if isinstance(schema, Mapping) else text or name
    schema = _resolved(schema, root)
    for given in ("const", "default"):
        if given in schema:
            return schema[given]
    for listed in ("enum", "examples"):
        if isinstance(schema.get(listed), list) and schema[listed]:
            return schema[listed][0]
    for several in ("anyOf", "oneOf"):
        if isinstance(schema.get(several), list) and schema[several]:
            return _value(
                {**_without(schema, several), **_resolved(schema[several][0], root)}, root, text, name, depth + 1
            )
    kind = _type_of(schema)
    if kind == "object":
        return _object(schema, root, text, depth)
    if kind == "array":
        return _array(schema, root, text, name, depth)
    if kind == "string":
        return _string(schema, text or name)
    if kind in {"integer", "number"}:
        return _number(schema, whole=kind == "integer")
    return {"boolean": True, "null": None}.get(kind)


def _without(schema: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != key}


def _resolved(schema: Any, root: Any) -> dict[str, Any]:
    """Follow a reference inside the schema and merge what allOf lists."""
    found = dict(schema) if isinstance(schema, Mapping) else {}
    for _ in range(_DEEPEST):
        reference = found.pop("$ref", None)
        if not isinstance(reference, str) or not reference.startswith("#"):
            break
        target: Any = root
        for part in reference[1:].strip("/").split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if key:
                target = target.get(key, {}) if isinstance(target, Mapping) else {}
        found = {**(target if isinstance(target, Mapping) else {}), **found}
    parts = found.pop("allOf", None)
    for part in parts if isinstance(parts, list) else ():
        other = _resolved(part, root)
        merged = {**found, **other}
        for key in ("properties", "$defs"):
            if isinstance(found.get(key), Mapping) and isinstance(other.get(key), Mapping):
                merged[key] = {**found[key], **other[key]}
        merged["required"] = [*_names(found), *_names(other)]
        found = merged
    return found


def _names(schema: Mapping[str, Any]) -> list[str]:
    required = schema.get("required")
    return [name for name in required if isinstance(name, str)] if isinstance(required, list) else []


def _type_of(schema: Mapping[str, Any]) -> str:
    kinds = schema.get("type")
    if isinstance(kinds, list):
        kinds = next((kind for kind in kinds if kind != "null"), "null")
    if isinstance(kinds, str):
        return kinds if kinds in _TYPES else "string"
    if "properties" in schema or "required" in schema or not schema:
        return "object"
    return "array" if "items" in schema else "string"


def _object(schema: Mapping[str, Any], root: Any, text: str, depth: int) -> dict[str, Any]:
    properties = schema.get("properties")
    known = properties if isinstance(properties, Mapping) else {}
    return {name: _value(known.get(name, True), root, text, name, depth + 1) for name in dict.fromkeys(_names(schema))}


def _array(schema: Mapping[str, Any], root: Any, text: str, name: str, depth: int) -> list[Any]:
    least = schema.get("minItems")
    count = min(least, 100) if isinstance(least, int) else 0
    return [_value(schema.get("items", True), root, text, name, depth + 1) for _ in range(count)]


def _string(schema: Mapping[str, Any], wanted: str) -> str:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    least, most = schema.get("minLength"), schema.get("maxLength")
    if isinstance(least, int):
        wanted = wanted.ljust(min(least, 10_000), "x")
    return wanted[:most] if isinstance(most, int) else wanted


def _number(schema: Mapping[str, Any], *, whole: bool) -> float:
    step = schema.get("multipleOf")
    step = step if isinstance(step, (int, float)) and step > 0 else 1
    low, above = _bound(schema, "minimum", "exclusiveMinimum")
    high, below = _bound(schema, "maximum", "exclusiveMaximum")
    value: float = 0
    if low is not None and (value < low or (value == low and above)):
        value = math.ceil(low / step) * step
        value += step if value == low and above else 0
    elif high is not None and (value > high or (value == high and below)):
        value = math.floor(high / step) * step
        value -= step if value == high and below else 0
    if not whole and low is not None and high is not None and not low <= value <= high:
        value = (low + high) / 2  # no whole number lies between
    return int(value) if whole or value == int(value) else value


def _bound(schema: Mapping[str, Any], inclusive: str, exclusive: str) -> tuple[float | None, bool]:
    value, strict = schema.get(inclusive), schema.get(exclusive)
    if isinstance(strict, bool):  # the older form: a word beside the inclusive bound
        return (value if isinstance(value, (int, float)) else None), strict
    if isinstance(strict, (int, float)):
        return strict, True
    return (value if isinstance(value, (int, float)) else None), False
