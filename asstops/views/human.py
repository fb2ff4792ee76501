"""A plan as people read it in a terminal. Pure: decides how changes look, never what they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from asstops.model import Action, Cause, Change, FieldDiff, Notice, Plan
from asstops.views.created import created
from asstops.views.fields import DETAIL, FIELD, Fields, role
from asstops.views.ink import Ink, Span, spans_width
from asstops.views.text import cells, count, cut, safe, told
from asstops.views.wording import (
    display_name,
    drift_line,
    file_facts,
    limited_line,
    moved_line,
    place,
    record_line,
    summary_line,
    unchanged_line,
)

MAX_FILES = 20
MIN_WIDTH = 40


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


def render_drift(plan: Plan, *, width: int, color: bool, read: str = "") -> str:
    """What `asstops.drift.drift` has left of a plan, ending in a line break."""
    ink = Ink(max(width, MIN_WIDTH), color)
    them = "it" if sum(len(change.diffs) for change in plan.changes) == 1 else "them"
    next_step = f" 'asstops apply' puts {them} back; with --on-drift keep it leaves {them}."
    if any(diff.cause is Cause.BOTH for change in plan.changes for diff in change.diffs):
        next_step = " 'asstops apply' writes what the spec says now."
    ending = drift_line(plan) + (next_step if plan.changes else "")
    blocks = [_heading(plan, read, ink), *(_change(change, ink) for change in plan.changes)]
    blocks.append([line for notice in plan.notices for line in _notice(notice, ink)])
    blocks.append(ink.lines([("bold", ending)], 0))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def render_change(change: Change, *, width: int, color: bool) -> str:
    """One change as it stands in a plan, ending in a line break."""
    return "\n".join(_change(change, Ink(max(width, MIN_WIDTH), color))) + "\n"


def _heading(plan: Plan, read: str, ink: Ink) -> list[str]:
    lead = f"{'destroy ' if plan.destroy else ''}stack {safe(plan.target.stack)}"
    parts = [safe(part) for part in (plan.target.service, place(plan), read) if part]
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
    name = display_name(change)
    if name:
        line.append(("", f'   "{cut(safe(name[:400]), max(16, ink.width // 2))}"'))
    if moved := moved_line(change):
        line.append(("change", f"   {moved}"))
    if change.action is Action.DELETE and change.reason:
        line.append(("dim", f"   {safe(change.reason)}"))
    return ink.lines(line, FIELD)


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
    about = file_facts(change)
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
    if record := record_line(plan):
        lines += ink.lines([("dim", record)], 2)
    if limited := limited_line(plan):
        lines += ink.lines([("warn", limited)], 2)
    lines += _summary(plan, ink)
    if plan.is_empty:
        lines += ink.lines([("dim", unchanged_line(plan))], 2)
    return lines


def _summary(plan: Plan, ink: Ink) -> list[str]:
    head, dot, rest = summary_line(plan).partition(". ")
    spans: list[Span] = [("good" if plan.is_empty else "bold", head + dot.strip())]
    if rest and spans_width(spans) + 1 + cells(rest) > ink.width:
        return ink.lines(spans, 2) + ink.lines([("warn", rest)], 2)
    return ink.lines([*spans, ("warn", f" {rest}" if rest else "")], 2)
