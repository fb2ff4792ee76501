"""The objects of a plan for the page: a card each, files in lists. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from asstops.model import Action, Change, FieldDiff
from asstops.views.created import goes_without_saying
from asstops.views.html.fields import changed, made
from asstops.views.html.shapes import Card, Doing, Field, FileRow, Files
from asstops.views.text import count, safe, told
from asstops.views.values import SENSITIVE, masked
from asstops.views.wording import display_name, file_facts

ORDER = (Action.DELETE, Action.REPLACE, Action.UPDATE, Action.CREATE, Action.READ)
"""What goes stands first."""
GOING = (Action.DELETE, Action.REPLACE)
MAX_FILES = 1_000
_FOLD = 20


def is_plain_file(change: Change) -> bool:
    """A file whose content is all that is to be said of it."""
    return change.address.kind == "file" and all(diff.path == "content" for diff in change.diffs)


def card(change: Change, at: str) -> Card:
    """One object; `at` is its place on the page."""
    return Card(
        at,
        Doing.of(change.action),
        safe(str(change.address)),
        safe(display_name(change)[:400]),
        tuple(_notes(change)),
        tuple(_fields(change)),
    )


def lists(changes: Sequence[Change], at: str) -> Iterator[Files]:
    """The files of each action, with places on the page that begin with `at`."""
    for action in ORDER:
        of_it = [change for change in changes if change.action is action]
        if not of_it:
            continue
        doing = Doing.of(action)
        rows = tuple(
            FileRow(f"{at}{doing.css}-{number}", safe(str(change.address)), " · ".join(file_facts(change)))
            for number, change in enumerate(of_it[:MAX_FILES])
        )
        yield Files(
            f"{at}{doing.css}",
            doing,
            count(len(of_it), "file"),
            rows,
            len(of_it) > _FOLD and action not in GOING,
            len(of_it) - len(rows),
        )


def _notes(change: Change) -> Iterator[str]:
    if change.moved_from is not None:
        yield f"moved from {safe(str(change.moved_from))}"
    if change.reason:
        yield f"{'made anew: ' if change.action is Action.REPLACE else ''}{told(change.reason)}"
    if change.prunes:
        names = ", ".join(safe(number) for number in change.prunes[:50])
        yield f"deletes {count(len(change.prunes), 'older version')}: {names}"
    if change.retires and change.action in GOING:
        yield f"goes with it: {count(len(change.retires), 'older copy', 'older copies')}"


def _fields(change: Change) -> Iterator[Field]:
    hidden = frozenset(diff.path for diff in change.diffs if diff.sensitive)
    hidden |= change.wanted.sensitive if change.wanted is not None else frozenset()
    origins = change.wanted.origins if change.wanted is not None else {}
    if change.action in (Action.CREATE, Action.READ):
        found = [
            made(path, value, origins.get(path, "") if value != SENSITIVE else "")
            for path, value in masked(change.after or {}, hidden).items()
            if value == SENSITIVE or not goes_without_saying(path, value)
        ]
        # Short ones side by side first: nobody looks for the temperature below a long prompt.
        yield from sorted(found, key=lambda field: (bool(field.entries), field.block is not None))
    elif change.action is not Action.DELETE:
        for diff in change.diffs:
            yield _without_content(changed(_shown(diff, hidden, origins.get(diff.path, ""))), change)


def _without_content(field: Field, change: Change) -> Field:
    """The content of a file is known by digest only, which nobody wants to compare."""
    if change.address.kind == "file" and field.name == "content":
        return Field(field.name, "new content", note=field.note, drift=field.drift)
    return field


def _shown(diff: FieldDiff, hidden: frozenset[str], origin: str) -> FieldDiff:
    """Without what is secret inside of it, and with the file that its text came from."""
    inner = frozenset(path.removeprefix(f"{diff.path}.") for path in hidden if path.startswith(f"{diff.path}."))
    return replace(
        diff,
        before=masked(diff.before, inner) if inner else diff.before,
        after=masked(diff.after, inner) if inner else diff.after,
        sensitive=diff.sensitive or diff.path in hidden,
        origin=diff.origin or origin,
    )
