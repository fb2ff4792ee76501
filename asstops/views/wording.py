"""What every view of a plan says in the same words: the summary, the name of an object, what a file is. Pure."""

from __future__ import annotations

from asstops.model import Action, Cause, Change, OnDrift, Plan, RecordAction
from asstops.views.text import count, safe, size

NOT_THERE = "not there: "
_RECORD = {RecordAction.CREATE: "created", RecordAction.UPDATE: "updated", RecordAction.DELETE: "removed"}


def summary_line(plan: Plan) -> str:
    """`Plan: 1 to add, 2 to change, 0 to destroy.`, or exactly `No changes.`"""
    if plan.is_empty:
        return "No changes."
    counts = plan.summary()
    text = f"Plan: {counts.add:,} to add, {counts.change:,} to change, {counts.destroy:,} to destroy."
    if counts.drifted_fields:
        verb = "has" if counts.drifted_fields == 1 else "have"
        text += f" {count(counts.drifted_fields, 'field')} {verb} drifted"
        text += " and will be put back." if plan.on_drift is OnDrift.OVERWRITE else "."  # else it is refused
    return text


def drift_line(plan: Plan) -> str:
    """The same of what `asstops.drift.drift` has left of a plan."""
    fields = sum(len(change.diffs) for change in plan.changes)
    if fields:
        verb = "has" if fields == 1 else "have"
        return f"{count(fields, 'field')} of {count(len(plan.changes), 'object')} {verb} drifted."
    return "No drift in what is there." if any(n.message.startswith(NOT_THERE) for n in plan.notices) else "No drift."


def place(plan: Plan) -> str:
    """The account and its location, or the endpoint; "" when neither is known."""
    where = plan.target.account or plan.target.endpoint
    if plan.target.location:
        where = f"{where} ({plan.target.location})" if where else plan.target.location
    return where


def record_line(plan: Plan) -> str:
    """What happens to the stack's record of files; "" when nothing does. Fit to be shown."""
    if plan.record not in _RECORD:
        return ""
    store = f'"asstops:{safe(plan.target.stack)}" ({_RECORD[plan.record]} by this apply)'
    return f"asstops keeps its record of files in the vector store {store}"


def limited_line(plan: Plan) -> str:
    """That the plan leaves something out; "" when it is whole. Fit to be shown."""
    if plan.complete:
        return ""
    shown = ", ".join(safe(str(target)) for target in plan.targets[:10])
    more = f" and {len(plan.targets) - 10:,} more" if len(plan.targets) > 10 else ""
    one = len(plan.targets) == 1
    needs = f"what needs {'it' if one else 'them'}" if plan.destroy else f"what {'it needs' if one else 'they need'}"
    return f"This plan is not complete{f': it is limited to {shown}{more}, and {needs}.' if shown else '.'}"


def unchanged_line(plan: Plan) -> str:
    """What a plan without changes means."""
    if plan.destroy:
        return "The stack owns nothing here."
    if plan.kept:
        what = "what it is limited to" if not plan.complete else "live state"
        return f"Apart from what is kept as it drifted, {what} matches the spec: {count(plan.unchanged, 'object')}."
    if not plan.complete:
        return f"What it is limited to matches the spec: {count(plan.unchanged, 'object')}; the rest was not compared."
    return f"Live state matches the spec: {count(plan.unchanged, 'object')}."


def display_name(change: Change) -> str:
    """The display name, unless it only repeats the key or is a secret. What is live counts, until it is renamed."""
    if change.wanted is not None and "name" in change.wanted.sensitive:
        return ""
    live = change.live.name if change.live is not None else ""
    for body in (change.before, change.after):
        name = (body or {}).get("name")
        if isinstance(name, str) and name:
            return "" if name == change.address.key else name
    return "" if live == change.address.key or change.address.kind == "resource" else live


def moved_line(change: Change) -> str:
    """Where a key that has changed comes from; "" where none has. Fit to be shown."""
    return f"moved from {safe(str(change.moved_from))}" if change.moved_from is not None else ""


def file_facts(change: Change) -> list[str]:
    """What is worth knowing of a file, beside its address. Each fit to be shown."""
    about: list[str] = []
    source = change.wanted.source if change.wanted is not None else None
    if moved := moved_line(change):
        about.append(moved)
    if change.action in (Action.UPDATE, Action.REPLACE) and any(diff.path == "content" for diff in change.diffs):
        renamed = moved and source is not None and change.live is not None and change.live.name != source.name
        about.append("new name" if renamed else "new content")
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
    return about
