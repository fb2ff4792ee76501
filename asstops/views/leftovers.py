"""What `asstops gc` found and did, for people and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from asstops.model import Target
from asstops.views.ink import Ink
from asstops.views.machine import FORMAT_VERSION
from asstops.views.text import count, safe, size

if TYPE_CHECKING:
    from asstops.collect import Cleaned
    from asstops.leftovers import Leftover
    from asstops.record import Note

MIN_WIDTH = 40
MAX_ENTRIES = 5
TWIN, UNRECORDED, DEAD, SPARE = "possible_twin", "unrecorded_file", "dead_entry", "spare_page"


def render_found(
    target: Target,
    note: Note | None,
    found: Sequence[Leftover],
    *,
    journal: str,
    read: str,
    width: int,
    color: bool,
) -> str:
    """Everything that is left over, each with its reason; ends in a line break. `journal` says why one is useless."""
    ink = Ink(max(width, MIN_WIDTH), color)
    parts = [
        safe(part)
        for part in (f"stack {target.stack}", target.service, target.account or target.endpoint, read)
        if part
    ]
    blocks = [ink.flow(parts, 0, 2)]
    if note is not None:
        text = f"An apply that began at {_moment(note.started)} to upload {count(note.uploads, 'file')} was cut off, "
        text += "lost an answer, or is still at work."
        blocks.append(ink.lines([("warn", text)], 2))
    of = {sort: [item for item in found if item.sort.value == sort] for sort in (TWIN, UNRECORDED, DEAD, SPARE)}
    if of[TWIN]:
        text = f"{count(len(of[TWIN]), 'file')} may be left from it. The same name and size is no proof of the same "
        text += "content: keep what somebody else may have uploaded."
        blocks.append([*ink.lines([("bold", text)], 2), *(line for item in of[TWIN] for line in _file(item, ink))])
    if of[UNRECORDED]:
        text = f"{count(len(of[UNRECORDED]), 'file')} of this stack {_verb(of[UNRECORDED])} missing in its record:"
        lines = ink.lines([("bold", text)], 2)
        blocks.append([*lines, *(line for item in of[UNRECORDED] for line in _file(item, ink))])
    if of[DEAD]:
        text = f"{count(len(of[DEAD]), 'entry', 'entries')} of the record {_verb(of[DEAD])} of files that are gone."
        blocks.append(ink.lines([("bold", text)], 2))
    if of[SPARE]:
        lines = ink.lines([("bold", f"{count(len(of[SPARE]), 'page')} of the record can go:")], 2)
        for item in of[SPARE]:
            lines += ink.lines([("remove", f"  {safe(item.remote_id)}"), ("dim", f"  {safe(item.reason)}")], 6)
        blocks.append(lines)
    if journal:
        blocks.append(ink.lines([("bold", f"The journal of uploads on this machine can go: {safe(journal)}.")], 2))
    if not found and note is None and not journal:
        blocks.append(ink.lines([("good", "Nothing is left over.")]))
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _verb(items: Sequence[Leftover]) -> str:
    return "is" if len(items) == 1 else "are"


def _file(item: Leftover, ink: Ink) -> list[str]:
    role = "remove" if item.sort.value == TWIN else "add"
    about = f"{size(item.size_bytes)} · {_moment(item.created_at)}"
    lines = ink.lines([(role, f"  {safe(item.remote_id)}"), ("", f"  {safe(item.name)}"), ("dim", f"  {about}")], 6)
    if item.sort.value == TWIN:
        where = ", ".join(safe(text) for text in item.attached) or "no vector store and no assistant"
        lines += ink.lines([("warn" if item.foreign else "", f"      attached to {where}")], 8)
    return [*lines, *ink.lines([("dim", f"      {safe(item.reason)}")], 8)]


def render_cleaned(note: Note | None, found: Sequence[Leftover], done: Cleaned, *, width: int, color: bool) -> str:
    """What was done, and what is left; ends in a line break."""
    ink = Ink(max(width, MIN_WIDTH), color)
    number = {word: sum(1 for outcome in done.outcomes.values() if outcome == word) for word in done.outcomes.values()}
    twins = {item.remote_id for item in found if item.sort.value == TWIN}
    kept = sum(1 for remote_id in twins if done.outcomes[remote_id] == "kept")
    told = []
    if number.get("deleted"):
        told.append(f"{count(number['deleted'], 'file')} deleted.")
    if kept:
        told.append(f"{count(kept, 'file')} kept.")
    if number.get("recorded") or number.get("removed"):
        told.append("The record is up to date.")
    if note is not None and done.settled:
        told.append("The note of the interrupted apply is cleared.")
    lines = ink.lines([("bold", " ".join(told) or "Nothing was changed.")])
    for remote_id, why in done.failed.items():
        lines += ink.lines([("error", "Error: "), ("", f"{safe(remote_id)} could not be deleted: {safe(why)}")], 2)
    if note is not None and not done.settled:
        text = "The note stays while files may be left: plans go on to tell of them. --dismiss clears it."
        lines += ink.lines([("dim", text)], 2)
    return "\n".join(lines) + "\n"


def to_json(target: Target, note: Note | None, found: Sequence[Leftover], done: Cleaned | None) -> dict[str, Any]:
    """Both as data. `done` is None where nothing was to be done, as with --dry-run."""
    outcomes: Mapping[str, str] = done.outcomes if done is not None else {}
    failed: Mapping[str, str] = done.failed if done is not None else {}
    return {
        "format_version": FORMAT_VERSION,
        "stack": target.stack,
        "service": target.service,
        "target": {
            "account": target.account or None,
            "location": target.location or None,
            "endpoint": target.endpoint or None,
        },
        "note": {"started": note.started, "uploads": note.uploads} if note is not None else None,
        "settled": done.settled if done is not None else note is None,
        "leftovers": [
            {
                "kind": item.sort.value,
                "id": item.remote_id,
                "name": item.name or None,
                "size_bytes": item.size_bytes if item.name else None,
                "created_at": int(item.created_at) if item.name else None,
                "attached": list(item.attached),
                "foreign": item.foreign,
                "early": item.early,
                "reason": item.reason,
                "outcome": outcomes.get(item.remote_id),
                "error": failed.get(item.remote_id),
            }
            for item in found
        ],
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
