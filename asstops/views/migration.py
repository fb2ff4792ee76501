"""What a migration came to, for people and as JSON: kept, changed and lost, object by object. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from asstops.views.ink import Ink, Span
from asstops.views.machine import FORMAT_VERSION, problems_to_json
from asstops.views.problems import render_problems
from asstops.views.text import count, safe, safe_lines, size, told

if TYPE_CHECKING:
    from asstops.migrate.report import Entry, Report

MIN_WIDTH = 40
MAX_MISSING = 200
KEPT, CHANGED, LOST = "kept", "changed", "lost"
_ROLES: Final = {KEPT: "dim", CHANGED: "change", LOST: "remove"}
_WIDTH = len(CHANGED) + 2


def render_migration(report: Report, written: Sequence[str], *, dry_run: bool, color: bool, width: int) -> str:
    """The whole report; ends in a line break. `written` are the files, as paths for people."""
    ink = Ink(max(width, MIN_WIDTH), color)
    verb = "would write" if dry_run else "wrote"
    shown = f"{written[0]} and {count(len(written) - 1, 'more file')}" if len(written) > 1 else "".join(written)
    parts = [safe(part) for part in (f"stack {report.stack}", report.source, f"{verb} {shown}") if part]
    blocks = [ink.flow(parts, 0, 2)]
    addresses = list(dict.fromkeys(entry.address for entry in report.entries))
    for address in addresses:
        entries = [entry for entry in report.entries if entry.address == address]
        blocks.append([ink.paint([("bold", told(address, 200))]), *entry_lines(entries, ink)])
    if report.missing:
        beside = f", beside {safe(written[0])}" if written else ""
        lines = ink.lines([("bold", f"Put in place{beside} ({count(len(report.missing), 'file')}):")], 2)
        for item in report.missing[:MAX_MISSING]:
            about = size(item.size_bytes) if item.size_bytes is not None else "of unknown size"
            line: list[Span] = [("", f"  {safe(item.path)}"), ("dim", f"  {about} · {told(item.remote_id, 80)}")]
            lines += ink.lines(line, 6)
        if len(report.missing) > MAX_MISSING:
            lines.append(ink.paint([("dim", f"  … and {len(report.missing) - MAX_MISSING:,} more")]))
        blocks.append(lines)
    if report.problems:
        text = render_problems(report.problems, color=color, width=width, warning=True)
        head = ink.lines([("bold", "The new spec needs a hand before it can be used:")], 2)
        blocks.append([*head, "", *text.rstrip("\n").split("\n")])
    if report.steps:
        lines = [ink.paint([("bold", "Next:")])]
        for number, step in enumerate(report.steps, start=1):
            lines += ink.lines([("", f"  {number}. {safe(step)}")], 5)
        blocks.append(lines)
    blocks.append(ink.lines([("good" if report.is_whole else "warn", summary_line(report))], 2))
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def summary_line(report: Report) -> str:
    """`Migrated: 12 fields kept, 3 changed, 1 lost.`"""
    number = _numbers(report)
    return f"Migrated: {count(number[KEPT], 'field')} kept, {number[CHANGED]:,} changed, {number[LOST]:,} lost."


def _numbers(report: Report) -> dict[str, int]:
    met = [entry.outcome.value for entry in report.entries]
    return {word: met.count(word) for word in (KEPT, CHANGED, LOST)}


def entry_lines(entries: Sequence[Entry], ink: Ink) -> Iterator[str]:
    """What is kept in one line, the rest one by one: what is lost comes last, where it is seen."""
    kept = [_kept(entry) for entry in entries if entry.outcome.value == KEPT]
    if kept:
        yield from ink.lines([("dim", f"  {KEPT:<{_WIDTH}}"), ("", ", ".join(kept))], 2 + _WIDTH)
    for word in (CHANGED, LOST):
        for entry in entries:
            if entry.outcome.value == word:
                field = f"{told(entry.field, 200)}: " if entry.field else ""
                head: list[Span] = [(_ROLES[word], f"  {word:<{_WIDTH}}"), ("bold", field), ("", told(entry.told))]
                yield from ink.lines(head, 2 + _WIDTH)
                if entry.at is not None:
                    yield ink.paint([("dim", " " * (2 + _WIDTH) + "at: "), ("", safe(str(entry.at)))])
                if entry.fix:
                    fix: list[Span] = [("dim", " " * (2 + _WIDTH) + "fix: "), ("", told(entry.fix))]
                    yield from ink.lines(fix, 7 + _WIDTH)


def _kept(entry: Entry) -> str:
    return safe(f"{entry.field} ({entry.told})" if entry.told else entry.field)


def render_texts(texts: Mapping[str, str], old: Mapping[str, str]) -> str:
    """What would be written: the difference to the `old` text of a file where there is one, else all of it."""
    from difflib import unified_diff

    blocks: list[str] = []
    for path, text in texts.items():
        if path in old:
            lines = unified_diff(old[path].splitlines(), text.splitlines(), path, path, n=2, lineterm="")
            blocks.append("\n".join(safe(line) for line in lines))
        else:
            blocks.append(f"--- {safe(path)}\n{safe_lines(text.rstrip())}")
    return "\n\n".join(block for block in blocks if block) + "\n"


def to_json(
    report: Report, written: Sequence[str], *, dry_run: bool, texts: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The report as data; with `texts` also what would be written."""
    number = _numbers(report)
    return {
        "format_version": FORMAT_VERSION,
        "source": report.source,
        "stack": report.stack,
        "service": "agents",
        "dry_run": dry_run,
        "summary": number,
        "entries": [
            {
                **entry_to_json(entry),
                "file": entry.at.file if entry.at is not None else None,
                "line": entry.at.line if entry.at is not None else None,
                "column": entry.at.column if entry.at is not None else None,
            }
            for entry in report.entries
        ],
        "missing": [
            {"path": item.path, "size_bytes": item.size_bytes, "id": item.remote_id} for item in report.missing
        ],
        "files": [
            {"path": path, **({"text": texts[path]} if texts is not None and path in texts else {})} for path in written
        ],
        "steps": list(report.steps),
        **problems_to_json(report.problems),
    }


def entry_to_json(entry: Entry) -> dict[str, Any]:
    """What became of one field, of a migration as of an export."""
    return {
        "outcome": entry.outcome.value,
        "address": entry.address,
        "field": entry.field or None,
        "message": entry.told or None,
        "fix": entry.fix or None,
    }
