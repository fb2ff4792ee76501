"""Field values as short text: one way to write a string, a number, a reference, a map. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from asstops.model import UNKNOWN, Ref, Unknown
from asstops.views.text import cut, safe

KNOWN_AFTER_APPLY = "(known after apply)"
SENSITIVE = "(sensitive value)"
NOT_SET = "(not set)"
MAX_VALUE = 2_000
"""Characters of one value that are ever looked at for a single line; the rest is said to be left out."""

_BARE = re.compile(r"[^\s\"'(){}\[\],]+(\.[^\s\"'(){}\[\],]+)*")
_LIKE_ANOTHER_TYPE = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?|true|false|null|")
_SAID = ("(not readable)", "(service default)", "(as last applied)", SENSITIVE, KNOWN_AFTER_APPLY)
"""What the planner or a view says in the place of a value; never quoted."""
_SIMPLE = (str, bool, int, float, Ref, Unknown)


class Absent:
    """The type of ABSENT: nothing stands here, not even null."""


ABSENT: Final = Absent()


def scalar(value: Any, *, spaces: bool = False) -> str:
    """A value on one line. Text is quoted where it would be taken for something else.

    `spaces` makes special spaces visible, for a value that stands beside another one.
    """
    if value is UNKNOWN:
        return KNOWN_AFTER_APPLY
    if value is None or value == [] or value == {}:
        return NOT_SET
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Ref):
        return safe(str(value.address))
    if isinstance(value, str):
        return _text(value, spaces)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, int):
        return str(value)
    return _flow(value, spaces)


def _flow(value: Any, spaces: bool) -> str:
    """Structures on one line the way YAML writes them: `{type: string, enum: [a, b]}`."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(str(key), spaces)}: {_flow(item, spaces)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_flow(item, spaces) for item in value) + "]"
    return "null" if value is None else scalar(value if isinstance(value, _SIMPLE) else str(value), spaces=spaces)


def _text(value: str, spaces: bool) -> str:
    if value in _SAID:
        return value
    shown = safe(value[:MAX_VALUE], spaces=spaces) + ("…" if len(value) > MAX_VALUE else "")
    if shown == value and _BARE.fullmatch(value) and not _LIKE_ANOTHER_TYPE.fullmatch(value):
        return shown
    return f'"{shown}"'


def _number(value: float) -> str:
    if math.isfinite(value) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def plain(value: Any, unknown: Any = None) -> Any:
    """The value as JSON has it: a Ref as its address, UNKNOWN as `unknown`, no NaN, tuples as lists, order as given."""
    if type(value) is str:
        return value
    if value is UNKNOWN:
        return unknown
    if isinstance(value, Ref):
        return str(value.address)
    if isinstance(value, Mapping):
        return {str(key): plain(item, unknown) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, unknown) for item in value]
    if isinstance(value, (frozenset, set)):
        return sorted((plain(item, unknown) for item in value), key=repr)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    return str(value)


def has_unknown(value: Any) -> bool:
    """True when any part of the value is only known after the apply."""
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(has_unknown(item) for item in value)
    return value is UNKNOWN


def as_text(value: Any) -> str:
    """A value as the lines that are compared: text as it is, structures laid out, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return pretty(value) if isinstance(value, (Mapping, list, tuple)) else scalar(value)


def pretty(value: Any) -> str:
    """JSON over several lines, keys sorted, for a line diff."""
    return json.dumps(plain(value, KNOWN_AFTER_APPLY), indent=2, sort_keys=True, ensure_ascii=False)


def differing(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two nested maps differ, as deep as both have maps: (dotted path, before, after); ABSENT is missing."""
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        if before is not after and (before != after or type(before) is not type(after)):
            yield path, before, after
        return
    for key in [*before, *(key for key in after if key not in before)]:
        inner = f"{path}.{key}" if path else str(key)
        yield from differing(before.get(key, ABSENT), after.get(key, ABSENT), inner)


def name_of(value: Any) -> str | None:
    """The name an entry of a list goes by, if it has one: a function's name, the label of an MCP server."""
    if not isinstance(value, Mapping):
        return None
    return next((str(value[key]) for key in ("name", "server_label") if isinstance(value.get(key), str)), None)


def by_name(before: Any, after: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Two lists as maps from their entries' names; None unless every entry of both has one of its own."""
    sides: list[dict[str, Any]] = []
    for value in (before, after):
        entries = value if isinstance(value, (list, tuple)) else [] if value is None else None
        if entries is None:
            return None
        names = [name_of(entry) for entry in entries]
        if None in names or len(set(names)) != len(names):
            return None
        sides.append(dict(zip((str(name) for name in names), entries, strict=True)))
    return (sides[0], sides[1]) if sides[0] or sides[1] else None


def brief(value: Any, width: int = 60) -> str:
    """A value in at most `width` columns, for summaries: lists and maps by their names."""
    if isinstance(value, (list, tuple)):
        return cut(", ".join(safe(name_of(item) or "") or scalar(item) for item in value[:40]), width)
    if isinstance(value, Mapping):
        return cut(", ".join(f"{safe(str(key))}={scalar(item)}" for key, item in list(value.items())[:40]), width)
    return cut(scalar(value), width)


def masked(value: Any, sensitive: frozenset[str], path: str = "") -> Any:
    """A body with the values at sensitive paths (`metadata.owner`, `instructions`) replaced."""
    if path in sensitive:
        return SENSITIVE
    if isinstance(value, Mapping):
        return {key: masked(item, sensitive, f"{path}.{key}" if path else str(key)) for key, item in value.items()}
    return value
