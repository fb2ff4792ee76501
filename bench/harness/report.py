"""Rows of results: shown as they come, and kept in docs/performance.md."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

HEADER = "| what | ours | floor | ratio | target | emulator busy |\n| --- | --- | --- | --- | --- | --- |\n"


@dataclass(frozen=True, slots=True)
class Row:
    """One result.

    `ours` and `floor` say in words what was seen and what it is held against, `ratio` is the first over the second,
    or for a plain limit what was seen, in the limit's `unit`. `target` is the most that the ratio may be, with
    `at_least` the least; None where the row only informs. `busy` is the part of the time, 0 to 1, that the emulator's
    process spent working: near 1 it is the emulator that was measured.
    """

    what: str
    ours: str
    floor: str
    ratio: float | None = None
    target: float | None = None
    at_least: bool = False
    unit: str = "×"  # of the ratio and of the target
    busy: float | None = None

    @property
    def met(self) -> bool:
        """Whether the target is met; True where there is none."""
        if self.ratio is None or self.target is None:
            return True
        return self.ratio >= self.target if self.at_least else self.ratio <= self.target

    def cells(self) -> list[str]:
        """The row as text, cell by cell."""
        ratio = "" if self.ratio is None else f"{_number(self.ratio)} {self.unit}".rstrip()
        limit = "" if self.target is None else f"{'≥' if self.at_least else '≤'} {_number(self.target)}"
        verdict = "" if self.target is None else (", met" if self.met else ", **missed**")
        busy = "" if self.busy is None else f"{self.busy:.0%}"
        return [self.what, self.ours, self.floor, ratio, limit + verdict, busy]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or isinstance(value, int) else f"{value:.2f}"


def show(row: Row) -> None:
    """Print a row."""
    what, ours, floor, ratio, target, busy = row.cells()
    sys.stdout.write(f"  {what}\n    {ours}; floor: {floor}\n")
    rest = [ratio, target.replace("*", ""), f"emulator {busy} busy" if busy else ""]
    sys.stdout.write(f"    {'; '.join(part for part in rest if part)}\n")
    sys.stdout.flush()


def show_note(text: str) -> None:
    """Print why there is no row."""
    sys.stdout.write(f"  {text}\n")


def write(page: Path, name: str, rows: Sequence[Row], machine: str, day: date) -> None:
    """Put the rows between the markers of their name on the page. Raises SystemExit when they are not there."""
    text = page.read_text("utf-8")
    lines = "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row.cells()) + " |\n" for row in rows)
    table = f"<!-- bench {name} -->\n{HEADER}{lines}\nMeasured {day:%Y-%m-%d} on {machine}.\n<!-- /bench -->"
    pattern = re.compile(rf"<!-- bench {re.escape(name)} -->.*?<!-- /bench -->", re.DOTALL)
    new, count = pattern.subn(lambda _: table, text)
    if count != 1:
        raise SystemExit(f"{page.name} has no place for {name}: <!-- bench {name} --> … <!-- /bench -->")
    page.write_text(new, "utf-8")
