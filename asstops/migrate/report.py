"""What a migration comes to: the files to write, and field by field what became of everything. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from asstops.errors import Location, Problem


class Outcome(Enum):
    """What became of a field."""

    KEPT = "kept"
    CHANGED = "changed"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of one object. `address` is the new spec's; `field` is empty where all of the object is meant.

    `told` says how it changed, why it is lost, or why the spec needs no line for what is kept; `fix` what is left to
    do. `at` is where it stood.
    """

    outcome: Outcome
    address: str
    field: str
    told: str = ""
    fix: str = ""
    at: Location | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """A file to write. `path` is relative and `/`-separated."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A file that the new spec names and that a person must put there, since no service gives it back."""

    path: str
    size_bytes: int | None
    remote_id: str


@dataclass(frozen=True, slots=True)
class Report:
    """How a migration went. `steps` is what a person does next, in order; `problems` is what the new spec still has."""

    source: str
    stack: str
    entries: tuple[Entry, ...] = ()
    missing: tuple[Missing, ...] = ()
    steps: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def of(self, outcome: Outcome) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.outcome is outcome)

    @property
    def is_whole(self) -> bool:
        """True when nothing is lost."""
        return not self.of(Outcome.LOST) and not self.problems


class Ledger:
    """Collects entries while a migration is at work; each once."""

    def __init__(self) -> None:
        self._entries: dict[Entry, None] = {}

    def kept(self, address: str, *fields: str) -> None:
        for field in fields:
            self._add(Outcome.KEPT, address, field)

    def kept_by_default(self, address: str, field: str) -> None:
        """The field needs no line in the spec."""
        self._add(Outcome.KEPT, address, field, "left out: it is the default")

    def changed(self, address: str, field: str, told: str, fix: str = "", at: Location | None = None) -> None:
        self._add(Outcome.CHANGED, address, field, told, fix, at)

    def lost(self, address: str, field: str, told: str, fix: str = "", at: Location | None = None) -> None:
        self._add(Outcome.LOST, address, field, told, fix, at)

    def _add(
        self, outcome: Outcome, address: str, field: str, told: str = "", fix: str = "", at: Location | None = None
    ) -> None:
        self._entries.setdefault(Entry(outcome, address, field, told, fix, at))

    def entries(self) -> tuple[Entry, ...]:
        """All of them by address, in the order in which they were noted; what is also changed or lost is not kept.

        What did not come along at all, which has its place in brackets for an address, comes last.
        """
        worse = {(e.address, e.field) for e in self._entries if e.outcome is not Outcome.KEPT}
        found = [e for e in self._entries if e.outcome is not Outcome.KEPT or (e.address, e.field) not in worse]
        return tuple(sorted(found, key=lambda entry: (entry.address.startswith("("), entry.address)))


def listed(names: Iterable[str], most: int = 5) -> str:
    """Names in one line, those past `most` only counted."""
    every = list(names)
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")
