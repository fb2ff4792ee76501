"""One field of a change for the page: short values side by side, texts and structures as a diff. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from asstops.model import UNKNOWN, Action, Cause, FieldDiff
from asstops.views.created import LABELS
from asstops.views.fields import CAUSES, counted
from asstops.views.html.shapes import Block, Doing, Entry, Field
from asstops.views.text import count, safe
from asstops.views.textdiff import Piece, Row, bounded, diff_lines, diff_words, same_endings, shorten
from asstops.views.values import (
    ABSENT,
    KNOWN_AFTER_APPLY,
    NOT_SET,
    SENSITIVE,
    as_text,
    by_name,
    differing,
    name_of,
    pretty,
    scalar,
)

MAX_ROWS = 1_500
MAX_LINE = 10_000
MAX_ENTRIES = 300
MAX_PLACES = 24
CONTEXT = 3
_SHORT = 70
_FOLD = 16  # lines of a new text that are shown right away


def changed(diff: FieldDiff) -> Field:
    """A field that differs; what is sensitive inside of it must be masked already."""
    notes = [CAUSES.get(diff.cause, ""), safe(diff.note)]
    field = Field(
        safe(diff.path),
        origin=safe(diff.origin),
        note="; ".join(note for note in notes if note),
        drift=diff.cause in (Cause.DRIFT, Cause.BOTH),
    )
    before, after = diff.before, diff.after
    if diff.sensitive:
        return replace(field, summary=SENSITIVE)
    if diff.items and isinstance(after, (list, tuple)):
        entries = tuple(
            Entry(Doing.of(item.action), safe(item.label), safe(item.detail)) for item in diff.items[:MAX_ENTRIES]
        )
        return replace(field, summary=counted(diff), entries=entries, more=max(0, len(diff.items) - MAX_ENTRIES))
    if diff.items and before == after:
        details = ", ".join(dict.fromkeys(safe(item.detail) for item in diff.items if item.detail))
        return replace(field, summary=scalar(after) + (f" ({details})" if details else ""))
    if (named := by_name(before, after)) is not None:
        return _named(field, *named)
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return replace(field, **_inside(before, after))
    if before == after and after is not UNKNOWN:
        return replace(field, summary=f"{scalar(after)} gets a new id {KNOWN_AFTER_APPLY}")
    old, new = scalar(before, spaces=True), scalar(after, spaces=True)
    several = any(isinstance(value, str) and "\n" in value for value in (before, after))
    if not several and not diff.origin and len(old) + len(new) <= _SHORT:
        return replace(field, before=old, after=new)
    return replace(field, block=difference(before, after))


def made(path: str, value: Any, origin: str = "") -> Field:
    """A field of an object that is not there yet; long texts and structures are folded."""
    field = Field(safe(LABELS.get(path, path)), origin=safe(origin))
    if isinstance(value, str) and ("\n" in value or len(value) > _SHORT or origin):
        return replace(field, block=_whole(value, "text"))
    if isinstance(value, (list, tuple)) and value:
        if all(isinstance(item, Mapping) for item in value):
            return replace(field, entries=tuple(_part(item) for item in value[:MAX_ENTRIES]), more=_over(value))
        if len(scalar(list(value))) > _SHORT:
            block = _whole("\n".join(scalar(item) for item in value), "list", noun="entry", plural="entries")
            return replace(field, block=block)
        return replace(field, summary=", ".join(scalar(item) for item in value))
    if isinstance(value, Mapping) and len(scalar(value)) > _SHORT:
        return replace(field, block=_whole(pretty(value), "structure"))
    return replace(field, summary=scalar(value))


def difference(before: Any, after: Any) -> Block:
    """Two texts, or two structures as JSON, line by line, with changed words marked."""
    old, new, endings = same_endings(as_text(before), as_text(after))
    notes = [endings.strip("()")] if endings else []
    if old and new and old.endswith("\n") != new.endswith("\n"):
        notes.append(f"the text {'gets' if new.endswith(chr(10)) else 'loses'} a line break at its end")
    if before is None:
        notes.append(f"{NOT_SET} before")
    if after is None:
        notes.append(f"will be {NOT_SET}")
    if "\n" in old or "\n" in new:
        rows = diff_lines(old, new, CONTEXT)
    else:
        left, right = diff_words(old, new)
        rows = [Row("-", 0, shorten(left))] * bool(old) + [Row("+", 0, shorten(right))] * bool(new)
    return Block(tuple(_fit(row) for row in rows[:MAX_ROWS]), max(0, len(rows) - MAX_ROWS), tuple(notes))


def _whole(text: str, what: str, *, noun: str = "line", plural: str = "") -> Block:
    lines = text.removesuffix("\n").split("\n")
    rows = tuple(_fit(Row(" ", number, ((line, False),))) for number, line in enumerate(lines[:MAX_ROWS], 1))
    long = len(lines) > _FOLD or len(text) > 80 * _FOLD
    about = (
        f"{what}: {count(len(lines), noun, plural)}" if len(lines) > 1 else f"{what}: {count(len(text), 'character')}"
    )
    return Block(rows, max(0, len(lines) - MAX_ROWS), folded=about if long else "")


def _fit(row: Row) -> Row:
    """A row whose pieces are safe and not endless; in what changed, special spaces are seen."""
    pieces: tuple[Piece, ...] = tuple(
        (safe(text, spaces=marked), marked) for text, marked in bounded(row.pieces, MAX_LINE)
    )
    return replace(row, pieces=pieces)


def _named(field: Field, old: Mapping[str, Any], new: Mapping[str, Any]) -> Field:
    """Lists whose entries have names, function tools above all: compared name by name."""
    entries = []
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in new:
            entries.append(Entry(Doing.of(Action.DELETE), safe(name), _description(old[name])))
        elif name not in old:
            entries.append(replace(_part(new[name]), doing=Doing.of(Action.CREATE), label=safe(name)))
        elif old[name] != new[name]:
            entries.append(_updated(name, old[name], new[name]))
    summary = f"{len(entries):,} of {len({*old, *new}):,} differ" if entries else "another order"
    return replace(field, summary=summary, entries=tuple(entries[:MAX_ENTRIES]), more=_over(entries))


def _updated(name: str, old: Any, new: Any) -> Entry:
    inside = _inside(old, new)
    return Entry(Doing.of(Action.UPDATE), safe(name), block=inside.get("block"), inner=inside.get("entries", ()))


def _inside(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """What differs inside two maps, place by place; as JSON line by line where that is nearly everything."""
    differ = list(differing(old, new))
    if len(differ) > MAX_PLACES:
        return {"block": difference(old, new)}
    return {"entries": tuple(_places(differ))}


def _places(differ: Sequence[tuple[str, Any, Any]]) -> Iterator[Entry]:
    for path, before, after in differ:
        if before is ABSENT or after is ABSENT:
            action, there = (Action.CREATE, after) if before is ABSENT else (Action.DELETE, before)
            yield Entry(Doing.of(action), safe(path), scalar(there))
            continue
        old, new = scalar(before, spaces=True), scalar(after, spaces=True)
        several = any(isinstance(value, str) and "\n" in value for value in (before, after))
        if several or len(old) + len(new) > _SHORT:
            yield Entry(Doing.of(Action.UPDATE), safe(path), block=difference(before, after))
        else:
            yield Entry(Doing.of(Action.UPDATE), safe(path), before=old, after=new)


def _part(value: Mapping[str, Any]) -> Entry:
    """An entry of a list of structures, as it will be."""
    block = _whole(pretty(value), "definition")
    label = name_of(value) or str(value.get("type") or "")
    return Entry(Doing.of(Action.CREATE), safe(label), _description(value), block=replace(block, folded="definition"))


def _description(value: Any) -> str:
    text = str(value.get("description") or "") if isinstance(value, Mapping) else ""
    return safe(text if len(text) < 200 else f"{text[:199]}…")


def _over(found: Sequence[Any]) -> int:
    return max(0, len(found) - MAX_ENTRIES)
