"""One field of a change, as lines for people: `0.2 -> 0.1`, a text diff, the entries that come and go. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asstops.model import UNKNOWN, Action, Cause, FieldDiff, ItemDiff
from asstops.views.ink import Ink, Span, spans_width
from asstops.views.text import cells, count, pad, safe
from asstops.views.textdiff import Piece, Row, bounded, diff_lines, diff_words, same_endings, shorten
from asstops.views.values import ABSENT, KNOWN_AFTER_APPLY, SENSITIVE, by_name, differing, pretty, scalar

MAX_ITEMS = 20
MAX_ROWS = 200
MAX_PLACES = 24
FIELD = 4  # column of field names
DETAIL = 6  # column of what stands under them

CAUSES = {
    Cause.DRIFT: "drift: changed outside asstops",
    Cause.BOTH: "drift: also changed outside asstops",
    Cause.DEPENDENCY: "what it refers to gets a new id",
}
NO_NOTE: Span = ("", "")
_STRUCTURES = (Mapping, list, tuple)
_ROLES = {
    Action.CREATE: "add",
    Action.UPDATE: "change",
    Action.REPLACE: "change",
    Action.DELETE: "remove",
    Action.READ: "read",
    Action.NOOP: "dim",
}


def role(action: Action) -> str:
    """The role that an action's symbol is painted in."""
    return _ROLES[action]


@dataclass(frozen=True, slots=True)
class Fields:
    """Renders fields whose names share a column."""

    ink: Ink
    column: int

    @classmethod
    def of(cls, ink: Ink, names: Sequence[str]) -> Fields:
        """A column wide enough for these names, within reason."""
        most = min(30, ink.width // 3)
        widest = max((cells(safe(name)) for name in names if cells(safe(name)) <= most), default=most)
        return cls(ink, widest)

    def diff(self, field: FieldDiff) -> Iterator[str]:
        """All lines of one field."""
        note = self._note(field)
        if field.sensitive:
            yield from self.one(field.path, [("", SENSITIVE)], note)
        elif field.items and isinstance(field.after, (list, tuple)):
            yield from self._items(field, note)
        elif field.items and field.before == field.after:
            details = ", ".join(dict.fromkeys(safe(item.detail) for item in field.items if item.detail))
            yield from self.one(field.path, [("", scalar(field.after) + (f" ({details})" if details else ""))], note)
        elif isinstance(field.before, str) and isinstance(field.after, str):
            yield from self._text(field.path, field.before, field.after, note, safe(field.origin))
        else:
            yield from self._value(field.path, field.before, field.after, note)

    def one(self, name: str, value: Sequence[Span], note: Span = NO_NOTE) -> Iterator[str]:
        """`name  value   note` on a line, the note on its own line where it does not fit."""
        line: list[Span] = [("", " " * FIELD + pad(safe(name), self.column) + "  "), *value]
        tail: list[Span] = [("", "   " if value else ""), note] if note[1] else []
        hang = FIELD + self.column + 2
        if spans_width(self.ink.visible([*line, *tail])) <= self.ink.width:
            yield self.ink.paint(self.ink.visible([*line, *tail]))
            return
        yield from self.ink.lines(line, hang)
        if note[1]:
            yield from self.ink.lines([("", " " * DETAIL), note], DETAIL)

    def _note(self, field: FieldDiff) -> Span:
        parts = [CAUSES.get(field.cause, ""), safe(field.note)]
        drifted = field.cause in (Cause.DRIFT, Cause.BOTH)
        return "warn" if drifted else "dim", "; ".join(part for part in parts if part)

    def _value(self, path: str, before: Any, after: Any, note: Span) -> Iterator[str]:
        named = by_name(before, after)
        if named is not None:
            yield from self._named(path, *named, note)
        elif isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from self._mapping(path, before, after, note)
        elif isinstance(before, (list, tuple)) and isinstance(after, (list, tuple)):
            yield from self._list(path, before, after, note)
        elif isinstance(before, Mapping) or isinstance(after, Mapping) or _is_long_list(before, after):
            yield from self._json(path, before, after, note)
        elif before == after and after is not UNKNOWN:  # a reference whose object gets a new id
            yield from self.one(path, [("", f"{scalar(after)} gets a new id {KNOWN_AFTER_APPLY}")], note)
        elif isinstance(before, str) or isinstance(after, str):
            yield from self._text(path, before, after, note, "")
        else:
            yield from self.one(path, self._arrow(before, after), note)

    def _arrow(self, before: Any, after: Any) -> list[Span]:
        return [("remove", scalar(before, spaces=True)), ("", " -> "), ("add", scalar(after, spaces=True))]

    def _text(self, path: str, before: Any, after: Any, note: Span, origin: str) -> Iterator[str]:
        old, new = before if isinstance(before, str) else "", after if isinstance(after, str) else ""
        several = "\n" in old.rstrip("\n") or "\n" in new.rstrip("\n")
        arrow = self._arrow(before, after)
        fits = FIELD + self.column + 2 + spans_width(arrow) <= self.ink.width
        if not several and not origin and (fits or not (old and new)) and max(len(old), len(new)) <= self.ink.width:
            yield from self.one(path, arrow, note)
            return
        head: list[Span] = [("", origin)] if origin else []
        if not old:
            head += [("dim", f"{' · ' if origin else ''}{scalar(None)} before")]
        elif not new:
            head += [("dim", f"{' · ' if origin else ''}will be {scalar(after)}")]
        yield from self.one(path, head, note)
        yield from self._rows(old, new)

    def _rows(self, old: str, new: str, indent: int = DETAIL) -> Iterator[str]:
        old, new, endings = same_endings(old, new)
        if not ("\n" in old or "\n" in new):
            left, right = diff_words(old, new)
            rows = [Row("-", 0, shorten(left))] * bool(old) + [Row("+", 0, shorten(right))] * bool(new)
        else:
            rows = diff_lines(old, new)
        digits = len(str(max((row.number for row in rows), default=0))) if any(row.number for row in rows) else 0
        for row in rows[:MAX_ROWS]:
            yield from self._row(row, digits, indent)
        if len(rows) > MAX_ROWS:
            yield from self._more(len(rows) - MAX_ROWS, "line", "shows all")
        if old and new and old.endswith("\n") != new.endswith("\n"):
            verb = "gets" if new.endswith("\n") else "loses"
            endings = f"(the text {verb} a line break at its end) {endings}".rstrip()
        if endings:
            yield from self.ink.lines([("", " " * DETAIL), ("dim", endings)], DETAIL)

    def _row(self, row: Row, digits: int, indent: int = DETAIL) -> Iterator[str]:
        lead = f"{' ' * indent}{row.sign} "
        if row.sign == "…":
            yield self.ink.paint([("dim", f"{lead}{count(row.skipped, 'unchanged line')}")])
            return
        number = f"{row.number:>{digits}}   " if digits else ""
        line_role = {"-": "remove", "+": "add"}.get(row.sign, "")
        pieces = [span for piece in bounded(row.pieces) for span in _spans(piece, line_role)]
        yield from self.ink.lines([(line_role, lead), ("dim", number), *pieces], len(lead) + len(number))

    def _items(self, field: FieldDiff, note: Span) -> Iterator[str]:
        yield from self.one(field.path, [("", counted(field))], note)
        for item in field.items[:MAX_ITEMS]:
            yield from self._item(item)
        if len(field.items) > MAX_ITEMS:
            yield from self._more(len(field.items) - MAX_ITEMS, "more", "lists all")

    def _item(self, item: ItemDiff) -> Iterator[str]:
        line: list[Span] = [(role(item.action), f"{' ' * DETAIL}{item.action.symbol} "), ("", safe(item.label))]
        if item.detail:
            line.append(("dim", f"   {safe(item.detail)}"))
        yield from self.ink.lines(line, DETAIL + 4)

    def _more(self, number: int, noun: str, verb: str) -> Iterator[str]:
        what = f"{number:,} more" if noun == "more" else f"{number:,} more {noun}{'s' if number != 1 else ''}"
        yield from self.ink.lines([("dim", f"{' ' * DETAIL}… and {what} (--format json {verb})")], DETAIL + 2)

    def _named(self, path: str, old: Mapping[str, Any], new: Mapping[str, Any], note: Span) -> Iterator[str]:
        """Lists whose entries have names, function tools above all: compared name by name."""
        items: list[tuple[Action, str]] = []
        for name in [*old, *(name for name in new if name not in old)]:
            if name not in new:
                items.append((Action.DELETE, name))
            elif name not in old:
                items.append((Action.CREATE, name))
            elif old[name] != new[name]:
                items.append((Action.UPDATE, name))
        what = "another order" if not items else f"{len(items):,} of {len({*old, *new}):,} differ"
        yield from self.one(path, [("dim", what)], note)
        for action, name in items[:MAX_ITEMS]:
            detail = str((new if action is Action.CREATE else old)[name].get("description") or "")
            about = "" if action is Action.UPDATE else detail
            yield from self._item(ItemDiff(action, name, about if len(about) < 80 else about[:79] + "…"))
            if action is Action.UPDATE:
                yield from self._inner(old[name], new[name], DETAIL + 4)
        if len(items) > MAX_ITEMS:
            yield from self._more(len(items) - MAX_ITEMS, "more", "lists all")

    def _mapping(self, path: str, old: Mapping[str, Any], new: Mapping[str, Any], note: Span) -> Iterator[str]:
        yield from self.one(path, [], note)
        yield from self._inner(old, new, DETAIL)

    def _inner(self, old: Mapping[str, Any], new: Mapping[str, Any], indent: int) -> Iterator[str]:
        """What differs inside two maps, place by place; as JSON line by line where that is nearly everything."""
        differ = list(differing(old, new))
        if len(differ) > MAX_PLACES:
            yield from self._rows(pretty(old), pretty(new), indent)
            return
        for path, before, after in differ:
            action = Action.CREATE if before is ABSENT else Action.DELETE if after is ABSENT else Action.UPDATE
            lead: list[Span] = [(role(action), f"{' ' * indent}{action.symbol} "), ("", f"{safe(path)}  ")]
            if action is Action.UPDATE:
                line = [*lead, *self._arrow(before, after)]
                if isinstance(before, str) and isinstance(after, str) and spans_width(line) > self.ink.width:
                    yield from self.ink.lines(lead, indent + 4)
                    yield from self._rows(before, after, indent + 2)
                    continue
            else:
                there = after if action is Action.CREATE else before
                line = [*lead, (_ROLES[action], next(bounded([(scalar(there), False)]))[0])]
            yield from self.ink.lines(line, indent + 4)

    def _list(self, path: str, old: Sequence[Any], new: Sequence[Any], note: Span) -> Iterator[str]:
        arrow = self._arrow(list(old), list(new))
        if FIELD + self.column + 2 + spans_width(arrow) <= self.ink.width:
            yield from self.one(path, arrow, note)
        else:
            yield from self._json(path, old, new, note)

    def _json(self, path: str, before: Any, after: Any, note: Span) -> Iterator[str]:
        """A structure beside another, or beside something that is none."""
        arrow = self._arrow(before, after)
        both = all(isinstance(value, _STRUCTURES) and value for value in (before, after))
        if FIELD + self.column + 2 + spans_width(arrow) <= self.ink.width * (1 if both else 2):
            yield from self.one(path, arrow, note)
            return
        yield from self.one(path, [], note)
        if both:
            yield from self._rows(pretty(before), pretty(after))
            return
        for sign, value in (("-", before), ("+", after)):
            text = pretty(value) if isinstance(value, _STRUCTURES) and value else scalar(value)
            for line in text.split("\n")[:MAX_ROWS]:
                yield from self._row(Row(sign, 0, ((line, False),)), 0)


def counted(field: FieldDiff) -> str:
    number = {action: sum(1 for item in field.items if item.action is action) for action in Action}
    parts = [
        f"{number[action]:,} {word}"
        for action, word in ((Action.CREATE, "added"), (Action.UPDATE, "changed"), (Action.DELETE, "removed"))
        if number[action]
    ]
    total = len(field.after) if isinstance(field.after, (list, tuple)) else 0
    return ", ".join(parts) + (f" · {total:,} in all" if total > len(field.items) else "")


def _spans(piece: Piece, line_role: str) -> Iterator[Span]:
    text, marked = piece
    if not marked:
        yield line_role, safe(text)
        return
    yield f"{line_role}-mark", safe(text, spaces=True)


def _is_long_list(before: Any, after: Any) -> bool:
    return any(isinstance(value, (list, tuple)) and len(value) > 5 for value in (before, after))
