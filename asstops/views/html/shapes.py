"""What the page shows, as values for the template. Every text in them is on one line and `safe`. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from asstops.model import Action
from asstops.views.graphs.theme import CLASSES
from asstops.views.textdiff import Row

WORDS = {
    Action.CREATE: "create",
    Action.UPDATE: "update",
    Action.REPLACE: "replace",
    Action.DELETE: "delete",
    Action.READ: "read",
    Action.NOOP: "unchanged",
}


@dataclass(frozen=True, slots=True)
class Doing:
    """An action as it is shown: never by colour alone. `css` is a class of the style sheet."""

    symbol: str
    word: str
    css: str

    @classmethod
    def of(cls, action: Action) -> Doing:
        return cls(action.symbol, WORDS[action], CLASSES[action])


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of a text, or of a diff of two. `left_out` more are not shown; a `folded` one opens on demand."""

    rows: tuple[Row, ...]
    left_out: int = 0
    notes: tuple[str, ...] = ()
    folded: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a list, or a place inside a structure."""

    doing: Doing
    label: str
    detail: str = ""
    before: str = ""
    after: str = ""
    block: Block | None = None
    inner: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `summary`, or `before -> after`, or a block, or entries (`more` are not shown).

    `drift` marks what was changed outside asstops; `note` says why the field differs.
    """

    name: str
    summary: str = ""
    before: str = ""
    after: str = ""
    origin: str = ""
    note: str = ""
    drift: bool = False
    block: Block | None = None
    entries: tuple[Entry, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Card:
    """One object of the plan. `id` is its place on the page."""

    id: str
    doing: Doing
    address: str
    name: str = ""
    notes: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file in a list of files."""

    id: str
    address: str
    facts: str


@dataclass(frozen=True, slots=True)
class Files:
    """Files of one action; many of them are folded, and `more` are not shown at all."""

    id: str
    doing: Doing
    title: str
    rows: tuple[FileRow, ...]
    folded: bool = False
    more: int = 0


@dataclass(frozen=True, slots=True)
class Going:
    """What is deleted or made anew, for the top of the page."""

    id: str
    doing: Doing
    address: str
    reason: str


@dataclass(frozen=True, slots=True)
class Count:
    """One number of the summary."""

    doing: Doing
    number: str
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """A notice."""

    address: str
    message: str
    fix: str


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page. `svg` is markup, and so the only text that is escaped already; `tree` has several lines."""

    title: str
    heading: str
    about: tuple[str, ...]
    summary: str
    remarks: tuple[str, ...]
    limited: str
    counts: tuple[Count, ...]
    going: tuple[Going, ...]
    going_more: int
    notices: tuple[Told, ...]
    cards: tuple[Card, ...]
    files: tuple[Files, ...]
    svg: str
    tree: str
