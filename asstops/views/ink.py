"""Styled lines: pieces of text with a role, wrapped to a width and painted with or without colour. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from asstops.views.text import cell_width, cells

Span = tuple[str, str]
"""(role, text). Roles are the keys of `_SGR`; "" is plain."""
Line = Sequence[Span]

_SGR: Final = {
    "add": "32",
    "remove": "31",
    "change": "33",
    "read": "36",
    "dim": "2",
    "bold": "1",
    "warn": "33",
    "error": "1;31",
    "good": "1;32",
    "add-mark": "1;7;32",
    "remove-mark": "1;7;31",
}
_MARKS = ("add-mark", "remove-mark")


@dataclass(frozen=True, slots=True)
class Ink:
    """How wide lines may be and whether colour is there. Every text handed in is already `safe`."""

    width: int
    color: bool

    def paint(self, line: Line) -> str:
        """One line as it goes out: SGR codes, or brackets around what is marked."""
        if not self.color:
            return "".join(text for _, text in line).rstrip()
        return "".join(f"\x1b[{_SGR[role]}m{text}\x1b[0m" if role and text else text for role, text in line)

    def lines(self, line: Line, hang: int = 0) -> list[str]:
        """`line` wrapped at words; what is carried over begins at column `hang`."""
        return [self.paint(part) for part in wrap(self.visible(line), self.width, hang)]

    def flow(self, parts: Sequence[str], indent: int, hang: int, role: str = "") -> list[str]:
        """Parts joined by dots, broken between parts; the first line begins at column `indent`, others at `hang`."""
        rows: list[str] = []
        for part in parts:
            margin = hang if rows[1:] else indent
            if rows and margin + cells(f"{rows[-1]} · {part}") <= self.width:
                rows[-1] += f" · {part}"
            else:
                rows.append(part)
        margins = [indent, *[hang] * len(rows)]
        return [
            line
            for margin, row in zip(margins, rows, strict=False)
            for line in self.lines([("", " " * margin), (role, row)], margin + 2)
        ]

    def visible(self, line: Line) -> list[Span]:
        """Marked words in brackets where there is no colour to mark them."""
        if self.color:
            return list(line)
        return [(role, f"[{text}]" if role in _MARKS and text else text) for role, text in line]


def spans_width(line: Iterable[Span]) -> int:
    """Columns that a line takes."""
    return sum(cells(text) for _, text in line)


def wrap(line: Line, width: int, hang: int) -> list[list[Span]]:
    """Break a line at spaces, or inside a word that is longer than a line."""
    if spans_width(line) <= width:
        return [list(line)]
    hang = min(hang, width // 2)
    atoms = [(character, role) for role, text in line for character in text]
    result: list[list[Span]] = []
    start = 0
    while start < len(atoms):
        room = width - (hang if result else 0)
        end, used, space = start, 0, -1
        while end < len(atoms):
            used += cell_width(atoms[end][0])
            if used > room:
                break
            if atoms[end][0] == " " and any(a[0] != " " for a in atoms[max(start, end - 1) : end]):
                space = end
            end += 1
        next_start = end
        if end < len(atoms):
            if atoms[end][0] == " ":
                next_start = end
            elif space > start + room // 3:
                end, next_start = space, space + 1
            while next_start < len(atoms) and atoms[next_start][0] == " ":
                next_start += 1
        if end == start:  # a single character wider than the line
            end = next_start = start + 1
        result.append([("", " " * hang)] * bool(result) + _joined(atoms[start:end]))
        start = next_start
    return result


def _joined(atoms: Sequence[tuple[str, str]]) -> list[Span]:
    spans: list[Span] = []
    run: list[str] = []
    role = ""
    for character, its in atoms:
        if its != role and run:
            spans.append((role, "".join(run)))
            run = []
        role = its
        run.append(character)
    if run:
        spans.append((role, "".join(run)))
    return spans
