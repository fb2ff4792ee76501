"""What `asstops rollback` is about to do and has done, for people and as JSON. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from asstops.errors import Location
from asstops.model import FieldDiff, Report
from asstops.views.fields import FIELD, Fields
from asstops.views.human import MIN_WIDTH, render_change
from asstops.views.ink import Ink
from asstops.views.machine import FORMAT_VERSION, diff_to_json, target_to_json
from asstops.views.text import safe

if TYPE_CHECKING:
    from asstops.rollback import Entry, Rollback

MAX_NAMED = 5


def describe(entry: Entry, *, current: bool = False) -> str:
    """One version on a line: `version 3 of 2026-11-20 14:02 UTC, made by asstops: instructions, temperature`."""
    by = "asstops" if entry.ours else "others"
    lead = f"version {entry.number} of {_moment(entry.created_at)}, made by {by}"
    if current:
        return f"{lead}: current"
    return f"{lead}: {_named(entry.differs)} differ" if entry.differs else f"{lead}: says what is current"


def render_found(found: Rollback, *, read: str, width: int, color: bool) -> str:
    """What would become current, as a plan shows a change; ends in a line break."""
    ink = Ink(max(width, MIN_WIDTH), color)
    target = found.target
    parts = [safe(part) for part in (target.service, target.account or target.endpoint, read) if part]
    blocks = ["\n".join(ink.flow([f"stack {safe(target.stack)}", *parts], 0, 2))]
    if found.plan.is_empty:
        return "\n\n".join([*blocks, "\n".join(ink.lines([("good", _nothing(found))], 2))]) + "\n"
    entry, (change,) = found.version, found.plan.changes
    by = "asstops" if entry.ours else "others"
    told = f"back to version {entry.number} of {_moment(entry.created_at)}, made by {by}"
    reason = f"{told}; version {found.current.number} is current"
    blocks.append(render_change(replace(change, reason=reason), width=width, color=color).rstrip("\n"))
    if found.spec:
        paths = tuple(safe(diff.path) for diff in found.spec)
        text = f"The spec stays as it is; it will then say something else in {_named(paths)}."
        blocks.append("\n".join(ink.lines([("warn", text)], 2)))
    return "\n\n".join(blocks) + "\n"


def render_spec(found: Rollback, *, width: int, color: bool) -> str:
    """What the spec says differently from the version, and what to do about that; ends in a line break."""
    ink = Ink(max(width, MIN_WIDTH), color)
    if not found.spec:
        text = "The spec says the same: there is nothing to bring in line."
        return "\n".join(ink.lines([("good", text)], 2)) + "\n"
    at = f" ({safe(str(found.location))})" if found.location is not None else ""
    lines = ink.lines([("bold", f"The spec says something else{at}. To keep this version, change there:")], 2)
    fields = Fields.of(ink, [diff.path for diff in found.spec])
    for diff in found.spec:
        lines += fields.diff(diff)
        lines += [
            line for text in _how(diff, found) for line in ink.lines([("dim", " " * FIELD + safe(text))], FIELD + 2)
        ]
    keeps = "" if found.version.ours else "; with --on-drift keep it leaves what others changed"
    lines += ink.lines([("warn", f"Else the next apply brings back what the spec says{keeps}.")], 2)
    return "\n".join(lines) + "\n"


def render_done(found: Rollback, made: str, *, width: int, color: bool) -> str:
    """That it is done. `made` is the number of the new version, "" where it is not known."""
    ink = Ink(max(width, MIN_WIDTH), color)
    new = f"version {safe(made)}, which says" if made else "a new version, which says"
    text = f"{safe(str(found.address))} is at {new} what version {safe(found.version.number)} said."
    return "\n".join(ink.lines([("good", text)], 2)) + "\n"


def to_json(found: Rollback, report: Report | None, made: str) -> dict[str, Any]:
    """All of it as data. `report` is None where nothing was to be done, as with --dry-run."""
    failed = report.failed[0] if report is not None and report.failed else None
    hidden = frozenset(diff.path for diff in found.spec if diff.sensitive)
    return {
        "format_version": FORMAT_VERSION,
        "stack": found.target.stack,
        "service": found.target.service,
        "target": target_to_json(found.target),
        "address": str(found.address),
        "outcome": _outcome(found, report),
        "wrote": report.wrote if report is not None else False,
        "stale": report.stale if report is not None else False,
        "current": _entry(found.current),
        "version": _entry(found.version),
        "made": made or None,
        "diffs": [diff_to_json(diff) for change in found.plan.changes for diff in change.diffs],
        "spec": {**_place(found.location), "diffs": [_in_spec(diff, found, hidden) for diff in found.spec]},
        "error": failed.message if failed is not None else None,
        "fix": (failed.fix or None) if failed is not None else None,
    }


def _outcome(found: Rollback, report: Report | None) -> str:
    if report is None:
        return "nothing" if found.plan.is_empty else "planned"
    if report.done and not report.failed:
        return "done"
    if report.interrupted:
        return "interrupted"
    return "partly" if report.wrote else "failed"


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "number": entry.number,
        "created_at": int(entry.created_at),
        "made_by": "asstops" if entry.ours else "others",
    }


def _in_spec(diff: FieldDiff, found: Rollback, hidden: frozenset[str]) -> dict[str, Any]:
    shown = diff_to_json(diff, hidden)
    return {
        "path": diff.path,
        "spec": shown["before"],
        "live": shown["after"],
        "sensitive": shown["sensitive"],
        "origin": shown["origin"],
        "fix": next(_how(diff, found), None),
    }


def _how(diff: FieldDiff, found: Rollback) -> Iterator[str]:
    """Where the whole text of the version is to be found. What others wrote was never in the repository."""
    files = found.files.get(diff.path, ())
    if files and not found.version.ours:
        yield "'asstops plan --format json' shows the whole of it once it is current"
    elif files:
        named = " ".join(shlex.quote(file) for file in files[:MAX_NAMED]) + (" …" if len(files) > MAX_NAMED else "")
        yield f"'git log -p -- {named}' shows what it was before"


def _place(location: Location | None) -> dict[str, Any]:
    return {
        "file": location.file if location is not None else None,
        "line": (location.line or None) if location is not None else None,
        "column": (location.column or None) if location is not None and location.line else None,
    }


def _nothing(found: Rollback) -> str:
    lead = f"Nothing to do: {safe(str(found.address))} is at version {safe(found.current.number)}"
    if found.version.number == found.current.number:
        return f"{lead}."
    return f"{lead}, which says what version {safe(found.version.number)} said."


def _named(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - MAX_NAMED} more" if len(paths) > MAX_NAMED else ""
    return ", ".join(paths[:MAX_NAMED]) + more


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
