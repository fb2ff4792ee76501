"""What an export comes to: the files to write, what is in them, and what could not be. Values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from asstops.errors import Problem
from asstops.migrate.report import Entry, Outcome, Output
from asstops.model import Address, Observed, Plan


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the new spec and the live object that it says. `owned`: it is to be adopted."""

    address: Address
    live: Observed
    owned: bool


@dataclass(frozen=True, slots=True)
class Exported:
    """A spec made from live objects. The first of `outputs` is the spec; `notices` is what else is worth knowing."""

    stack: str
    service: str
    source: str
    outputs: tuple[Output, ...]
    items: tuple[Item, ...]
    entries: tuple[Entry, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def lost(self) -> int:
        """How many fields or objects the spec cannot say."""
        return sum(entry.outcome is Outcome.LOST for entry in self.entries)


@dataclass(frozen=True, slots=True)
class After:
    """What comes next: adoptions, and the plan once they are done.

    `by_name` are adopted by `--match name`, `by_id` one by one. `trust` says that --trust-content is needed. `refused`
    says why something cannot be adopted, `problems` what is wrong with the new spec; with those there is no plan.
    """

    by_name: tuple[Address, ...] = ()
    by_id: Mapping[Address, str] = field(default_factory=dict)
    trust: bool = False
    plan: Plan | None = None
    refused: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True where the plan after adoption says `No changes.`"""
        return self.plan is not None and self.plan.is_empty and not self.refused
