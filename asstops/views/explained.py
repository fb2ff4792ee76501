"""What a spec may hold at a place, for a terminal. Pure."""

from __future__ import annotations

from asstops.explained import Explained, Line
from asstops.views.ink import Ink, Span

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
