"""What a spec may hold at a place, for a terminal. Pure."""

from __future__ import annotations

from typing import Any

from asstops.explained import Explained, Line
from asstops.views.ink import Ink, Span
from asstops.views.machine import FORMAT_VERSION

_INDENT = 2


def render(found: Explained, *, width: int, color: bool) -> str:
    """Ends in a line break."""
    ink = Ink(max(width, 40), color)
    head: list[Span] = [("bold", found.path or "spec")]
    if found.type and found.type != "map":
        head.append(("dim", f"   {found.type}"))
    lines = ink.lines(head, _INDENT)
    if found.about:
        lines += ink.lines([("", " " * _INDENT), ("", found.about)], _INDENT)
    if found.default:
        lines += ink.lines([("", " " * _INDENT), ("dim", f"default: {found.default}")], _INDENT)
    if found.examples:
        lines += ink.lines([("", " " * _INDENT), ("dim", f"example: {', '.join(found.examples)}")], _INDENT)
    for line in found.lines:
        lines += ["", *_field(line, ink)]
    return "\n".join(lines) + "\n"


def explained_to_json(found: Explained) -> dict[str, Any]:
    """The same as data; what is not there is null."""
    return {
        "format_version": FORMAT_VERSION,
        "path": found.path or None,
        "type": found.type or None,
        "about": found.about or None,
        "default": found.default or None,
        "examples": list(found.examples),
        "fields": [
            {
                "name": line.name,
                "type": line.type or None,
                "about": line.about or None,
                "default": line.default or None,
                "required": line.required,
            }
            for line in found.lines
        ],
    }


def _field(line: Line, ink: Ink) -> list[str]:
    head: list[Span] = [("", " " * _INDENT), ("bold", line.name), ("dim", f"   {line.type}")]
    if line.required:
        head.append(("warn", "   required"))
    if line.default:
        head.append(("dim", f"   default: {line.default}"))
    lines = ink.lines(head, _INDENT * 3)
    if line.about:
        lines += ink.lines([("", " " * (_INDENT * 2)), ("", line.about)], _INDENT * 2)
    return lines
