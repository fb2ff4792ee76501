"""Checks of request bodies: types, limits, unknown fields.

Owns how a value is compared with its contract and how a violation is worded. It knows no API: each API file
builds its own contract from these parts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

Check: TypeAlias = Callable[[Any, str], None]


class Invalid(Exception):
    """A value breaks its contract. `path` is where, as in tools[0].function.name; `code` is a service code."""

    def __init__(self, path: str, code: str, message: str) -> None:
        super().__init__(message)
        self.path, self.code, self.message = path, code, message


_NAMES = {
    bool: "a boolean",
    dict: "an object",
    float: "a decimal",
    int: "an integer",
    list: "an array",
    str: "a string",
    type(None): "null",
}


def wrong_type(path: str, expected: str, value: Any) -> Invalid:
    got = _NAMES.get(type(value), type(value).__name__)
    return Invalid(path, "invalid_type", f"Invalid type for '{path}': expected {expected}, but got {got} instead.")


def string(
    *, longest: int | None = None, shortest: int = 0, pattern: str | None = None, nullable: bool = False
) -> Check:
    """A string; lengths are in characters, the pattern must match the whole."""
    compiled = re.compile(pattern) if pattern else None

    def check(value: Any, path: str) -> None:
        if value is None and nullable:
            return
        if not isinstance(value, str):
            raise wrong_type(path, "a string", value)
        if longest is not None and len(value) > longest:
            raise Invalid(
                path,
                "string_above_max_length",
                f"Invalid '{path}': string too long. Expected a string with maximum length {longest}, "
                f"but got a string with length {len(value)} instead.",
            )
        if len(value) < shortest:
            raise Invalid(
                path,
                "string_below_min_length",
                f"Invalid '{path}': string too short. Expected a string with minimum length {shortest}, "
                f"but got a string with length {len(value)} instead.",
            )
        if compiled and not compiled.fullmatch(value):
            raise Invalid(
                path,
                "invalid_value",
                f"Invalid '{path}': string does not match pattern. Expected a string that matches the pattern "
                f"'{pattern}'.",
            )

    return check


def choice(allowed: Iterable[str], *, nullable: bool = False, ignore_case: bool = False) -> Check:
    """One of some strings."""
    values = tuple(allowed)
    known = {value.lower() for value in values} if ignore_case else set(values)

    def check(value: Any, path: str) -> None:
        if value is None and nullable:
            return
        if not isinstance(value, str):
            raise wrong_type(path, "a string", value)
        if (value.lower() if ignore_case else value) not in known:
            listed = ", ".join(f"'{item}'" for item in values)
            raise Invalid(path, "invalid_value", f"Invalid value: '{value}'. Supported values are: {listed}.")

    return check


def number(
    low: float | None = None, high: float | None = None, *, whole: bool = False, nullable: bool = False
) -> Check:
    """A number within bounds, both included."""
    kind = "integer" if whole else "decimal"

    def check(value: Any, path: str) -> None:
        if value is None and nullable:
            return
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            raise wrong_type(path, f"a{'n' if whole else ''} {kind}", value)
        if low is not None and value < low:
            raise Invalid(
                path,
                f"{kind}_below_min_value",
                f"Invalid '{path}': {kind} below minimum value. Expected a value >= {low}, but got {value} instead.",
            )
        if high is not None and value > high:
            raise Invalid(
                path,
                f"{kind}_above_max_value",
                f"Invalid '{path}': {kind} above maximum value. Expected a value <= {high}, but got {value} instead.",
            )

    return check


def boolean(*, nullable: bool = False) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, bool) and not (value is None and nullable):
            raise wrong_type(path, "a boolean", value)

    return check


def array(item: Check, *, longest: int | None = None, shortest: int = 0, nullable: bool = False) -> Check:
    def check(value: Any, path: str) -> None:
        if value is None and nullable:
            return
        if not isinstance(value, list):
            raise wrong_type(path, "an array", value)
        if longest is not None and len(value) > longest:
            raise Invalid(
                path,
                "array_above_max_length",
                f"Invalid '{path}': array too long. Expected an array with maximum length {longest}, "
                f"but got an array with length {len(value)} instead.",
            )
        if len(value) < shortest:
            raise Invalid(
                path,
                "array_below_min_length",
                f"Invalid '{path}': array too short. Expected an array with minimum length {shortest}, "
                f"but got an array with length {len(value)} instead.",
            )
        for index, entry in enumerate(value):
            item(entry, f"{path}[{index}]")

    return check


def record(fields: Mapping[str, Check], *, required: Iterable[str] = (), nullable: bool = False) -> Check:
    """An object with these fields and no others."""
    needed = tuple(required)

    def check(value: Any, path: str) -> None:
        if value is None and nullable:
            return
        if not isinstance(value, dict):
            raise wrong_type(path or "body", "an object", value)
        for name in needed:
            if name not in value:
                where = join(path, name)
                raise Invalid(where, "missing_required_parameter", f"Missing required parameter: '{where}'.")
        for name, entry in value.items():
            inner = fields.get(name)
            where = join(path, name)
            if inner is None:
                raise Invalid(where, "unknown_parameter", f"Unknown parameter: '{where}'.")
            inner(entry, where)

    return check


def mapping(
    value_check: Check, *, most: int | None = None, key_longest: int | None = None, nullable: bool = False
) -> Check:
    """An object with free keys."""

    def check(value: Any, path: str) -> None:
        if value is None and nullable:
            return
        if not isinstance(value, dict):
            raise wrong_type(path, "an object", value)
        if most is not None and len(value) > most:
            raise Invalid(
                path,
                "object_above_max_properties",
                f"Invalid '{path}': too many properties. Expected an object with at most {most} properties, "
                f"but got an object with {len(value)} properties instead.",
            )
        for key, entry in value.items():
            if key_longest is not None and len(key) > key_longest:
                raise Invalid(
                    path,
                    "property_name_above_max_length",
                    f"Invalid property name in '{path}': '{key[:80]}' is too long. Expected a name with maximum "
                    f"length {key_longest}, but got one with length {len(key)} instead.",
                )
            value_check(entry, join(path, key))

    return check


def anything(value: Any, path: str) -> None:
    """Any JSON value."""


def any_object(value: Any, path: str) -> None:
    """Any JSON object, its content unchecked."""
    if not isinstance(value, dict):
        raise wrong_type(path, "an object", value)


def join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
