"""What an export came to, for people and as JSON. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from asstops.views.ink import Ink
from asstops.views.machine import FORMAT_VERSION, plan_to_json, problems_to_json
from asstops.views.migration import KEPT, MIN_WIDTH, entry_lines, entry_to_json
from asstops.views.problems import render_problems
from asstops.views.text import count, pad, safe, told

if TYPE_CHECKING:
    from asstops.export.report import After, Exported, Item
    from asstops.migrate.report import Entry

MAX_NAMES = 8
MAX_CHANGES = 50
_NOUNS = {
    "assistant": "assistant",
    "vector_store": "vector store",
    "file": "file",
    "deployment": "deployment",
    "project": "project",
    "resource": "account",
}
_COLUMN = max(map(len, _NOUNS.values())) + 3


def render_export(
    exported: Exported,
    after: After,
    written: Sequence[str],
    steps: Sequence[str],
    *,
    dry_run: bool,
    color: bool,
    width: int,
) -> str:
    """The whole report; ends in a line break. `written` are the files, `steps` the commands that come next."""
    ink = Ink(max(width, MIN_WIDTH), color)
    verb = "would write" if dry_run else "wrote"
    shown = f"{written[0]} and {count(len(written) - 1, 'more file')}" if len(written) > 1 else "".join(written)
    parts = [f"stack {exported.stack}", exported.service, exported.source, f"{verb} {shown}" if shown else ""]
    blocks = [ink.flow([safe(part) for part in parts if part], 0, 2), _objects(exported, ink)]
    if exported.notices:
        blocks.append([line for text in exported.notices for line in ink.lines([("warn", "! "), ("", told(text))], 2)])
    for entries, addresses in _worth_telling(exported.entries):
        blocks.append([*ink.lines([("bold", _listed(addresses))], 2), *entry_lines(entries, ink)])
    if after.problems or after.refused:
        head = "The spec needs a hand before it can be used:" if after.problems else "Cannot be adopted:"
        text = render_problems(after.problems or after.refused, color=color, width=width, warning=True)
        blocks.append([*ink.lines([("bold", head)], 2), "", *text.rstrip("\n").split("\n")])
    if outlook := _outlook(exported, after, ink):
        blocks.append(outlook)
    if exported.items and not after.problems:
        lines = [ink.paint([("bold", "Next:")])]
        for number, step in enumerate(steps, start=1):
            lines.append(f"  {number}. {safe(step)}")  # to be copied, so it is not wrapped
        blocks.append(lines)
    blocks.append(ink.lines([("warn" if exported.lost or after.problems else "good", summary_line(exported))], 2))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def summary_line(exported: Exported) -> str:
    """`Exported: 3 objects, 1 of them only referred to. The spec cannot say 2 things.`"""
    referred = sum(not item.owned for item in exported.items)
    text = f"Exported: {count(len(exported.items), 'object')}"
    text += f", {referred:,} of them only referred to." if referred else "."
    return f"{text} The spec cannot say {count(exported.lost, 'thing')}." if exported.lost else text


def _worth_telling(entries: Sequence[Entry]) -> list[tuple[list[Entry], list[str]]]:
    """What is not simply kept, object by object; objects of which the same is to be said, together."""
    by_address: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.outcome.value != KEPT:
            by_address.setdefault(entry.address, []).append(entry)
    together: dict[tuple[Entry, ...], list[str]] = {}
    for address, found in by_address.items():
        together.setdefault(tuple(replace(entry, address="") for entry in found), []).append(address)
    return [(list(found), addresses) for found, addresses in together.items()]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(told(name, 200) for name in names[:MAX_NAMES])
    return shown + (f" and {len(names) - MAX_NAMES:,} more" if len(names) > MAX_NAMES else "")


def _objects(exported: Exported, ink: Ink) -> list[str]:
    """How many of each kind, and which; never more than a few names."""
    lines: list[str] = []
    for kind, noun in _NOUNS.items():
        keys = [item.address.key for item in exported.items if item.address.kind == kind]
        if not keys:
            continue
        head = f"  {len(keys):>5,} {pad(noun if len(keys) == 1 else f'{noun}s', _COLUMN)}"
        lines += ink.lines([("", head), ("dim", _listed(keys))], len(head))
    return lines or ["  Nothing to export: no spec is written."]


def _outlook(exported: Exported, after: After, ink: Ink) -> list[str]:
    """What the plan says once all is adopted."""
    if after.plan is None or after.refused or not any(item.owned for item in exported.items):
        return []
    if after.plan.is_empty:
        notices = [line for item in after.plan.notices for line in ink.lines([("warn", f"! {told(item.message)}")], 2)]
        return notices or ink.lines([("good", "Once these are adopted, plan says No changes.")], 2)
    lines = ink.lines([("bold", "Once these are adopted, the next apply would change:")], 2)
    for change in after.plan.changes[:MAX_CHANGES]:
        paths = ", ".join(diff.path for diff in change.diffs)
        head = f"  {change.action.symbol} {change.address}"
        lines += ink.lines([("change", head), ("dim", f"  {told(paths, 300)}")], 6)
    if len(after.plan.changes) > MAX_CHANGES:
        lines.append(ink.paint([("dim", f"  … and {len(after.plan.changes) - MAX_CHANGES:,} more")]))
    return lines


def to_json(
    exported: Exported,
    after: After,
    written: Sequence[str],
    steps: Sequence[str],
    *,
    dry_run: bool,
    texts: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The report as data; with `texts` also what would be written."""
    return {
        "format_version": FORMAT_VERSION,
        "stack": exported.stack,
        "service": exported.service,
        "source": exported.source,
        "dry_run": dry_run,
        "summary": dict(sorted(Counter(item.address.kind for item in exported.items).items())),
        "objects": [_item(item, after) for item in exported.items],
        "entries": [entry_to_json(entry) for entry in exported.entries],
        "notices": list(exported.notices),
        "files": [
            {"path": path, **({"text": texts[path]} if texts is not None and path in texts else {})} for path in written
        ],
        "next_plan": plan_to_json(after.plan) if after.plan is not None else None,
        "refused": problems_to_json(after.refused, warning=True)["problems"],
        "steps": list(steps),
        "problems": problems_to_json(after.problems)["problems"],
    }


def _item(item: Item, after: After) -> dict[str, Any]:
    how = "name" if item.address in after.by_name else "id" if item.address in after.by_id else None
    return {
        "address": str(item.address),
        "id": item.live.remote_id,
        "name": item.live.name,
        "size_bytes": item.live.body.get("size_bytes"),
        "managed": item.owned,
        "adopt_by": how,
    }
