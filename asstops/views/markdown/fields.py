"""One field of a change as Markdown: a line where it is short, a diff where it is a text or a structure. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from asstops.model import UNKNOWN, Action, FieldDiff
from asstops.views.fields import CAUSES, MAX_PLACES
from asstops.views.markdown.fitting import Part
from asstops.views.markdown.text import code, prose
from asstops.views.text import count, safe
from asstops.views.textdiff import Row, bounded, diff_lines, same_endings
from asstops.views.values import ABSENT, KNOWN_AFTER_APPLY, SENSITIVE, as_text, by_name, differing, scalar

CONTEXT = 3
_HUNK = 40  # lines of one hunk: what is left out for length is left out by hunks
_SHORT = 100  # characters of both values that stand on one line
Hunks = tuple[tuple[str, ...], ...]


def changed(diff: FieldDiff) -> Part:
    """A field that differs."""
    name, notes = code(diff.path), [CAUSES.get(diff.cause, ""), safe(diff.note)]
    note = "".join(f" · {prose(text)}" for text in notes if text)
    if diff.sensitive:
        return Part(f"- {name}: {SENSITIVE}{note}")
    if diff.origin:
        note = f" · {code(diff.origin)}{note}"
    if diff.items:
        return Part(f"**{name}**: {count(len(diff.items), 'entry', 'entries')}{note}", _hunks(_items(diff)))
    before, after = diff.before, diff.after
    if before == after and after is not UNKNOWN:
        return Part(f"- {name}: {_value(after)} gets a new id {KNOWN_AFTER_APPLY}{note}")
    if _is_short(before, after) and not diff.origin:
        return Part(f"- {name}: {_value(before)} → {_value(after)}{note}")
    if (named := by_name(before, after)) is not None:
        return _named(name, *named, note)
    return Part(f"**{name}**{note}", _hunks(_difference(before, after)))


def made(path: str, value: Any, origin: str = "") -> Part:
    """A field of what is not there yet."""
    if _is_short(None, value) and not origin:
        return Part(f"- {code(path)}: {_value(value)}")
    return Part(f"**{code(path)}**{f' · {code(origin)}' if origin else ''}", _hunks(_difference(None, value)))


def _value(value: Any) -> str:
    text = scalar(value, spaces=True)
    return text if value is UNKNOWN or value in (None, SENSITIVE) else code(text)


def _is_short(before: Any, after: Any) -> bool:
    several = any(isinstance(value, str) and "\n" in value for value in (before, after))
    return not several and sum(_length(value) for value in (before, after)) <= _SHORT


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str) else len(scalar(value))


def _items(diff: FieldDiff) -> Iterator[str]:
    signs = {Action.CREATE: "+", Action.DELETE: "-"}
    for item in diff.items:
        yield f"{signs.get(item.action, '!')} {safe(item.label)}{f'   {safe(item.detail)}' if item.detail else ''}"


def _named(name: str, old: Mapping[str, Any], new: Mapping[str, Any], note: str) -> Part:
    """Lists whose entries have names, function tools above all: compared name by name, whatever their order."""
    names = list(dict.fromkeys([*old, *new]))
    hunks = [hunk for entry in names for hunk in _hunks(_entry(entry, old.get(entry), new.get(entry)))]
    number = sum(old.get(entry) != new.get(entry) for entry in names)
    if not number:
        return Part(f"- {name}: another order{note}")
    return Part(f"**{name}**: {number:,} of {len(names):,} differ{note}", tuple(hunks))


def _entry(name: str, old: Any, new: Any) -> Iterator[str]:
    """One entry: its name, then what differs inside of it place by place, or all of it where it is new."""
    if old == new:
        return
    yield f"{'+' if old is None else '-' if new is None else '!'} {safe(name)}"
    places = list(differing(old, new)) if old is not None and new is not None else []
    if new is None:
        return
    if old is None or len(places) > MAX_PLACES:
        yield from _difference(old, new)
        return
    for path, before, after in places:
        if any(isinstance(value, str) and "\n" in value for value in (before, after)):
            yield f"! {safe(path)}"
            yield from _difference(*(None if value is ABSENT else value for value in (before, after)))
            continue
        yield from (
            f"{sign} {safe(path)}: {scalar(value, spaces=True)}"
            for sign, value in (("-", before), ("+", after))
            if value is not ABSENT
        )


def _difference(before: Any, after: Any) -> Iterator[str]:
    old, new = as_text(before), as_text(after)
    old, new, endings = same_endings(old, new)
    for row in diff_lines(old, new, CONTEXT):
        yield f"@@ {count(row.skipped, 'unchanged line')} @@" if row.sign == "…" else _line(row)
    if old and new and old.endswith("\n") != new.endswith("\n"):
        yield f"! the text {'gets' if new.endswith(chr(10)) else 'loses'} a line break at its end"
    if endings:
        yield f"! {endings.strip('()')}"


def _line(row: Row) -> str:
    return f"{row.sign} {safe(''.join(text for text, _ in bounded(row.pieces)))}".rstrip()


def _hunks(lines: Iterator[str]) -> Hunks:
    """Lines in pieces that are shown or left out as a whole: between stretches that did not change, forty at most."""
    hunks: list[list[str]] = []
    for line in lines:
        if not hunks or line.startswith("@@ ") or len(hunks[-1]) >= _HUNK:
            hunks.append([])
        hunks[-1].append(line)
    return tuple(tuple(hunk) for hunk in hunks)


def listed(lines: Sequence[str]) -> Hunks:
    """Lines that are `safe`, in hunks."""
    return _hunks(iter(lines))
