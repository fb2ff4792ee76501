"""A plan as people read it in a terminal. Pure: decides how changes look, never what they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from asstops.model import Action, Cause, Change, FieldDiff, Notice, Plan, RecordAction
from asstops.views.created import created
from asstops.views.fields import DETAIL, FIELD, Fields, role
from asstops.views.ink import Ink, Span, spans_width
from asstops.views.text import cells, count, cut, safe, size, told

MAX_FILES = 20
MIN_WIDTH = 40
_RECORD = {RecordAction.CREATE: "created", RecordAction.UPDATE: "updated", RecordAction.DELETE: "removed"}


def render_plan(plan: Plan, *, width: int, color: bool, read: str = "") -> str:
    """The whole plan, ending in a line break. `read` is the last part of the heading (`read 14 objects in 0.6 s`)."""
    ink = Ink(max(width, MIN_WIDTH), color)
    blocks = [_heading(plan, read, ink)]
    for is_file, group in groupby(plan.changes, key=lambda change: change.address.kind == "file"):
        changes = list(group)
        blocks += _files(changes, ink) if is_file else [_change(change, ink) for change in changes]
    blocks.append([line for notice in plan.notices for line in _notice(notice, ink)])
    blocks.append(_ending(plan, ink))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


NOT_THERE = "not there: "


def render_drift(plan: Plan, *, width: int, color: bool, read: str = "") -> str:
    """What `asstops.drift.drift` has left of a plan, ending in a line break."""
    ink = Ink(max(width, MIN_WIDTH), color)
    fields = sum(len(change.diffs) for change in plan.changes)
    ending = "No drift in what is there." if any(n.message.startswith(NOT_THERE) for n in plan.notices) else "No drift."
    if fields:
        verb = "has" if fields == 1 else "have"
        objects = count(len(plan.changes), "object")
        ending = f"{count(fields, 'field')} of {objects} {verb} drifted. 'asstops apply' puts them back."
    blocks = [_heading(plan, read, ink), *(_change(change, ink) for change in plan.changes)]
    blocks.append([line for notice in plan.notices for line in _notice(notice, ink)])
    blocks.append(ink.lines([("bold", ending)], 0))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def render_change(change: Change, *, width: int, color: bool) -> str:
    """One change as it stands in a plan, ending in a line break."""
    return "\n".join(_change(change, Ink(max(width, MIN_WIDTH), color))) + "\n"


def summary_line(plan: Plan) -> str:
    """`Plan: 1 to add, 2 to change, 0 to destroy.`, or exactly `No changes.`"""
    if plan.is_empty:
        return "No changes."
    counts = plan.summary()
    text = f"Plan: {counts.add:,} to add, {counts.change:,} to change, {counts.destroy:,} to destroy."
    if counts.drifted_fields:
        verb = "has" if counts.drifted_fields == 1 else "have"
        text += f" {count(counts.drifted_fields, 'field')} {verb} drifted and will be put back."
    return text


def _heading(plan: Plan, read: str, ink: Ink) -> list[str]:
    target = plan.target
    where = target.account or target.endpoint
    if target.location:
        where = f"{where} ({target.location})" if where else target.location
    lead = f"{'destroy ' if plan.destroy else ''}stack {safe(target.stack)}"
    parts = [safe(part) for part in (target.service, where, read) if part]
    first, *others = ink.flow([lead, *parts], 0, 2)
    head, dot, rest = first.partition(" · ")
    return [ink.paint([("error" if plan.destroy else "bold", head), ("dim", dot + rest)]), *_dimmed(others, ink)]


def _dimmed(lines: Sequence[str], ink: Ink) -> list[str]:
    return [ink.paint([("dim", line)]) for line in lines]


def _change(change: Change, ink: Ink) -> list[str]:
    lines = [*_title(change, ink)]
    if change.reason and change.action is not Action.DELETE:
        lead = "made anew: " if change.action is Action.REPLACE else ""
        lines += ink.lines([("dim", f"{' ' * FIELD}{lead}{safe(change.reason)}")], DETAIL)
    if change.action in (Action.CREATE, Action.READ):
        lines += created(change, ink)
    elif change.action is not Action.DELETE:
        fields = Fields.of(ink, [diff.path for diff in change.diffs])
        for diff in change.diffs:
            lines += fields.diff(_with_origin(diff, change))
    if change.prunes:
        what = count(len(change.prunes), "older version")
        lines += ink.lines(
            [
                ("remove", f"{' ' * FIELD}{Action.DELETE.symbol} {what}"),
                ("dim", f"   {safe(', '.join(change.prunes))}"),
            ],
            DETAIL,
        )
    if change.retires and change.action in (Action.DELETE, Action.REPLACE):
        text = f"goes with it: {count(len(change.retires), 'older copy', 'older copies')}"
        lines += ink.lines([("dim", " " * FIELD + text)], DETAIL)
    return lines


def _with_origin(diff: FieldDiff, change: Change) -> FieldDiff:
    if diff.origin or change.wanted is None or diff.path not in change.wanted.origins:
        return diff
    return replace(diff, origin=change.wanted.origins[diff.path])


def _title(change: Change, ink: Ink) -> list[str]:
    symbol = change.action.symbol
    line: list[Span] = [(role(change.action), f"{symbol} "), ("bold", safe(str(change.address)))]
    name = _name(change)
    if name:
        line.append(("", f'   "{cut(safe(name[:400]), max(16, ink.width // 2))}"'))
    if change.action is Action.DELETE and change.reason:
        line.append(("dim", f"   {safe(change.reason)}"))
    return ink.lines(line, FIELD)


def _name(change: Change) -> str:
    """The display name, unless it only repeats the key or is a secret. What is live counts, until it is renamed."""
    if change.wanted is not None and "name" in change.wanted.sensitive:
        return ""
    live = change.live.name if change.live is not None else ""
    for body in (change.before, change.after):
        name = (body or {}).get("name")
        if isinstance(name, str) and name:
            return "" if name == change.address.key else name
    return "" if live == change.address.key or change.address.kind == "resource" else live


def _files(changes: Sequence[Change], ink: Ink) -> list[list[str]]:
    """Files take a line each; many of one action are counted after the first twenty."""
    blocks: list[list[str]] = []
    for action in (Action.DELETE, Action.REPLACE, Action.UPDATE, Action.CREATE, Action.READ):
        of_it = [change for change in changes if change.action is action]
        shown = of_it if len(of_it) <= MAX_FILES + 1 else of_it[:MAX_FILES]
        column = min(max((cells(safe(str(change.address))) for change in shown), default=0), ink.width // 2)
        lines = [line for change in shown for line in _file(change, ink, column)]
        if len(of_it) > len(shown):
            rest = f"… and {count(len(of_it) - len(shown), 'more file')}"
            lines += ink.lines([(role(action), f"{action.symbol} "), ("dim", rest)], FIELD)
        if lines:
            blocks.append(lines)
    return blocks


def _file(change: Change, ink: Ink, column: int) -> Iterator[str]:
    about: list[str] = []
    source = change.wanted.source if change.wanted is not None else None
    if change.action in (Action.UPDATE, Action.REPLACE) and any(diff.path == "content" for diff in change.diffs):
        about.append("new content")
    if source is not None:
        about.append(size(source.size_bytes))
        if source.shown and source.shown != change.address.key:
            about.append(safe(source.shown))
        if source.sha256 and change.action is not Action.CREATE:
            about.append(f"sha256 {safe(source.sha256[:8])}…")
    if any(diff.cause in (Cause.DRIFT, Cause.BOTH) for diff in change.diffs):
        about.append("drift: changed outside asstops")
    if change.reason:
        about.append(safe(change.reason))
    line: list[Span] = [(role(change.action), f"{change.action.symbol} "), ("bold", safe(str(change.address)))]
    if about:
        line.append(("dim", " " * max(0, column - cells(line[1][1])) + "   " + " · ".join(about)))
    yield from ink.lines(line, FIELD)
    others = [diff for diff in change.diffs if diff.path != "content"]
    fields = Fields.of(ink, [diff.path for diff in others])
    for diff in others:
        yield from fields.diff(diff)


def _notice(notice: Notice, ink: Ink) -> Iterator[str]:
    where = f"{safe(notice.address)}: " if notice.address else ""
    yield from ink.lines([("warn", "! "), ("bold", where), ("", told(notice.message))], 2)
    if notice.fix:
        yield from ink.lines([("dim", "  fix: "), ("", told(notice.fix))], 7)


def _ending(plan: Plan, ink: Ink) -> list[str]:
    lines: list[str] = []
    if plan.record in _RECORD:
        store = f'"asstops:{safe(plan.target.stack)}" ({_RECORD[plan.record]} by this apply)'
        text = f"asstops keeps its record of files in the vector store {store}"
        lines += ink.lines([("dim", text)], 2)
    if not plan.complete:
        lines += _limited(plan, ink)
    lines += _summary(plan, ink)
    if plan.is_empty:
        lines += ink.lines([("dim", _unchanged(plan))], 2)
    return lines


def _limited(plan: Plan, ink: Ink) -> list[str]:
    shown = ", ".join(safe(str(target)) for target in plan.targets[:10])
    more = f" and {len(plan.targets) - 10:,} more" if len(plan.targets) > 10 else ""
    one = len(plan.targets) == 1
    needs = f"what needs {'it' if one else 'them'}" if plan.destroy else f"what {'it needs' if one else 'they need'}"
    why = f": it is limited to {shown}{more}, and {needs}." if shown else "."
    return ink.lines([("warn", f"This plan is not complete{why}")], 2)


def _summary(plan: Plan, ink: Ink) -> list[str]:
    head, dot, rest = summary_line(plan).partition(". ")
    spans: list[Span] = [("good" if plan.is_empty else "bold", head + dot.strip())]
    if rest and spans_width(spans) + 1 + cells(rest) > ink.width:
        return ink.lines(spans, 2) + ink.lines([("warn", rest)], 2)
    return ink.lines([*spans, ("warn", f" {rest}" if rest else "")], 2)


def _unchanged(plan: Plan) -> str:
    if plan.destroy:
        return "The stack owns nothing here."
    if not plan.complete:
        return f"What it is limited to matches the spec: {count(plan.unchanged, 'object')}; the rest was not compared."
    return f"Live state matches the spec: {count(plan.unchanged, 'object')}."
