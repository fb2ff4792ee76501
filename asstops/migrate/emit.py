"""Data -> YAML text that asstops reads back as the same data: block style, short lists of words on one line. Pure.

What is not plainly a word goes into double quotes, with everything that does not print as an escape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from asstops.kinds.fields import Plain
from asstops.spec.scalars import resolve

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@+ -]*")  # what begins with a digit may be a date or a time to others
_YAML_1_1 = frozenset({"y", "n", "yes", "no", "on", "off"})  # for other readers; ours takes them for text
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
MAX_FLOW = 90


def literal(text: str) -> str:
    """The text with `${` written so that no variable is meant."""
    return text.replace("${", "$${")


def scalar(value: Any) -> str:
    """One value. Text is quoted unless it reads as the same text without."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    text = str(value)
    plain = _PLAIN.fullmatch(text) and not text.endswith(" ") and text.lower() not in _YAML_1_1
    return text if plain and not isinstance(resolve(text), Plain) else quoted(text)


def quoted(text: str) -> str:
    """Text in double quotes."""
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def block(value: Mapping[str, Any], indent: int = 0) -> str:
    """A map, each entry on lines of its own; ends in a line break, empty for an empty map."""
    return "".join(f"{line}\n" for line in _map(value, " " * indent))


def sections(value: Mapping[str, Mapping[str, Any]]) -> str:
    """The top of a spec: maps of entries, with an empty line between them; those that are empty left out."""
    return "\n".join(f"{scalar(name)}:\n{block(entries, 2)}" for name, entries in value.items() if entries)


def _map(value: Mapping[str, Any], margin: str) -> Iterator[str]:
    for key, item in value.items():
        yield from _item(f"{margin}{scalar(key)}:", item, margin + "  ")


def _item(head: str, item: Any, margin: str) -> Iterator[str]:
    short = flow(item)
    if short is not None and (len(head) + 1 + len(short) <= MAX_FLOW or short in ("{}", "[]")):
        yield f"{head} {short}"
    elif isinstance(item, Mapping):
        yield head
        yield from _map(item, margin)
    elif isinstance(item, Sequence) and not isinstance(item, str):
        yield head
        for entry in item:
            yield from _entry(entry, margin)
    else:
        yield f"{head} {scalar(item)}"


def _entry(item: Any, margin: str) -> Iterator[str]:
    """An entry of a list; the first key of a map stands beside the dash."""
    if isinstance(item, Mapping) and item:
        first, *rest = _map(item, margin + "  ")
        yield f"{margin}- {first.lstrip(' ')}"
        yield from rest
    else:
        yield from _item(f"{margin}-", item, margin + "  ")


def flow(item: Any, depth: int = 0) -> str | None:
    """The value on one line; None where several read better."""
    if isinstance(item, Mapping):
        if depth == 0 and len(item) > 4:
            return None
        parts = [(scalar(key), flow(inner, depth + 1)) for key, inner in item.items()]
        if depth > 2 or any(text is None for _, text in parts):
            return None
        return "{" + ", ".join(f"{key}: {text}" for key, text in parts) + "}"
    if isinstance(item, Sequence) and not isinstance(item, str):
        texts = [flow(inner, depth + 1) for inner in item]
        if depth > 2 or any(text is None for text in texts):
            return None
        return "[" + ", ".join(str(text) for text in texts) + "]"
    return scalar(item)
