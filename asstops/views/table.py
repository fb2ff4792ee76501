"""Tables and key/value lists as aligned plain text. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from asstops.views.ink import Ink
from asstops.views.text import cells, cut, pad, safe

GAP = 2
MIN_COLUMN = 8


def table(
    rows: Sequence[Sequence[str]],
    *,
    headers: Sequence[str] = (),
    width: int,
    color: bool = False,
    whole: Collection[int] = (),
) -> str:
    """Aligned columns, the widest cut first where the terminal is too narrow; ends in a line break, empty without rows.

    `whole` names columns that are never cut: ids and addresses, which are there to copy.
    """
    if not rows:
        return ""
    number = max(len(headers), *(len(row) for row in rows))
    texts = [[safe(cell) for cell in row] + [""] * (number - len(row)) for row in rows]
    heads = [safe(header) for header in headers] + [""] * (number - len(headers)) if headers else []
    widths = [max(cells(row[n]) for row in [*texts, *([heads] if heads else [])]) for n in range(number)]
    widths = _fitted(widths, width, whole)
    ink = Ink(width, color)
    lines = [ink.paint([("bold", _row(heads, widths))])] if heads else []
    return "\n".join([*lines, *(_row(row, widths) for row in texts)]) + "\n"


def pairs(items: Sequence[tuple[str, str]], *, width: int, color: bool = False) -> str:
    """`name   value` lines, long values carried over under themselves; ends in a line break, empty without items."""
    if not items:
        return ""
    column = min(max(cells(safe(name)) for name, _ in items), max(width // 3, MIN_COLUMN))
    ink = Ink(width, color)
    return (
        "\n".join(
            line
            for name, value in items
            for line in ink.lines([("bold", pad(safe(name), column)), ("", "  " + safe(value))], column + GAP)
        )
        + "\n"
    )


def _fitted(widths: list[int], width: int, whole: Collection[int]) -> list[int]:
    widths = list(widths)
    while sum(widths) + GAP * (len(widths) - 1) > width:
        candidates = [n for n in range(len(widths)) if n not in whole and widths[n] > MIN_COLUMN]
        if not candidates:
            break
        widths[max(candidates, key=lambda n: widths[n])] -= 1
    return widths


def _row(row: Sequence[str], widths: Sequence[int]) -> str:
    return (" " * GAP).join(pad(cut(cell, size), size) for cell, size in zip(row, widths, strict=True)).rstrip()
