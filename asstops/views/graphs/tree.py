"""A picture as a tree of text: what refers to nothing else's users first, what it refers to below. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from asstops.views.fields import role
from asstops.views.graphs.picture import Node, Picture
from asstops.views.ink import Ink, Line, Span

ABOVE = " (above)"


def render_tree(picture: Picture, *, width: int, color: bool) -> str:
    """Ends in a line break. What was shown before is not unfolded again."""
    ink = Ink(max(width, 40), color)
    lines = ink.lines([("bold", picture.title)], 2) if picture.title else []
    if not picture.nodes:
        lines.append("The spec has no objects.")
    for indent, line in _rows(picture):
        lines += ink.lines(line, indent + 2)
    return "\n".join(lines) + "\n"


def _rows(picture: Picture) -> Iterator[tuple[int, Line]]:
    below = [picture.below(number) for number in range(len(picture.nodes))]
    referred = {to for _, to in picture.edges}
    tops = [number for number in range(len(below)) if number not in referred]
    seen: set[int] = set()
    waiting = [(number, "", "") for number in reversed(tops or range(len(below)))]
    while waiting:
        number, lead, margin = waiting.pop()
        known = number in seen
        seen.add(number)
        more = ABOVE if known and below[number] else ""
        yield len(margin), [("dim", lead), *_named(picture.nodes[number]), ("dim", more)]
        inner = [] if known else below[number]
        for place, child in reversed(list(enumerate(inner))):
            last = place == len(inner) - 1
            waiting.append((child, margin + ("└─ " if last else "├─ "), margin + ("   " if last else "│  ")))


def _named(node: Node) -> list[Span]:
    spans: list[Span] = []
    if node.symbol and node.action is not None:
        spans.append((role(node.action), f"{node.symbol} "))
    spans.append(("", node.label))
    if node.foreign:
        spans.append(("dim", " (not managed)"))
    return spans
