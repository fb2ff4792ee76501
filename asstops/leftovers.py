"""Which live things may be left over from an apply that was cut off, and why. Pure.

Only the note in the record tells that something was under way. What the journal knows is certain; a file that merely
has the name and size of one of the spec may be anybody's, so it is told of and never touched without being asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from enum import Enum

from asstops.model import Address, Notice, Observed, Resource
from asstops.ownership import Snapshot
from asstops.record import Note, Record, upload_digest

CLOCK_SKEW_S = 300
CLOSE_S = 5  # what clocks that are kept right may differ by
SHOWN = 5
Sources = frozenset[tuple[str, int]]


class Sort(Enum):
    """What is left over. The value is the word in JSON."""

    TWIN = "possible_twin"
    UNRECORDED = "unrecorded_file"
    DEAD = "dead_entry"
    SPARE = "spare_page"


@dataclass(frozen=True, slots=True)
class Leftover:
    """One thing that is left over. `remote_id` is a digest of one for a dead entry, which is all that is known.

    `attached` names what uses a file, `foreign` is True when some of that is not of this stack, `early` when the file
    was there before the apply began, unless clocks differ.
    """

    sort: Sort
    remote_id: str
    reason: str
    name: str = ""
    size_bytes: int = 0
    created_at: float = 0
    attached: tuple[str, ...] = ()
    foreign: bool = False
    early: bool = False


def sources(wanted: Iterable[Resource]) -> Sources:
    """Name and size of every file that the spec uploads."""
    return frozenset((r.source.name, r.source.size_bytes) for r in wanted if r.source is not None)


def is_suspect(note: Note, spec: Sources, name: str | None, size_bytes: int | None, created_at: float) -> bool:
    """Whether a file that no record knows may be left from the apply that wrote the note."""
    if created_at < note.started - CLOCK_SKEW_S or name is None or size_bytes is None:
        return False
    return (name, size_bytes) in spec or upload_digest(name, size_bytes) in note.about


def suspects(record: Record, others: Sequence[Observed], spec: Sources) -> tuple[Observed, ...]:
    """The files among `others` that an apply may have uploaded without getting to write them down."""
    note = record.note
    if note is None:
        return ()
    return tuple(
        file for file in others if is_suspect(note, spec, file.body["name"], file.body["size_bytes"], file.created_at)
    )


def notices(record: Record, found: Sequence[Observed], recovered: int) -> list[Notice]:
    """What a plan says of an apply that was cut off: `found` are its suspects, `recovered` counts certain files."""
    note = record.note
    if note is None:
        return []
    said = [] if recovered == 0 else [Notice(_recovered(recovered), fix="apply enters them in the record")]
    began = f"an apply that began at {moment(note.started)} to upload {_count(note.uploads)}"
    if not found:
        return [Notice(f"{began} did not finish"), *said]
    named = ", ".join(f"{file.remote_id} ({file.name})" for file in found[:SHOWN])
    more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
    text = (
        f"{began} did not finish, or lost an answer: {_count(len(found))} may be left from it, with the name and size "
        f"of one that it was to upload: {named}{more}"
    )
    return [Notice(text, fix="'asstops gc' shows each and deletes what you confirm"), *said]


def _recovered(number: int) -> str:
    verb = "is this stack's and is" if number == 1 else "are this stack's and are"
    return f"{_count(number)} that an apply on this machine uploaded before it was cut off {verb} not uploaded again"


def gathered(
    snapshot: Snapshot,
    users: Mapping[str, Sequence[tuple[str, bool]]],
    labels: Mapping[str, str],
    unanswered: Sources,
) -> tuple[Leftover, ...]:
    """Everything that is left over, in the order in which it is shown.

    `users` maps a file's id to what it is attached to, each with whether that is of this stack. `labels` maps the id of
    a file of ours to its address; `unanswered` are the uploads that this machine began and heard no more of.
    """
    files = {file.remote_id: file for file in snapshot.objects.get("file", ())}
    note, found = snapshot.record.note, []
    for remote_id in snapshot.suspects:
        file, used = files[remote_id], users.get(remote_id, ())
        reason = "same name and size as a file that an apply was to upload, there since it began, not in the record"
        if (file.name, file.body["size_bytes"]) in unanswered:
            reason += "; this machine began to upload such a file and got no answer"
        early = note is not None and file.created_at < note.started - CLOSE_S
        if early:
            reason += "; it is older than the note of that apply, unless clocks differ"
        twin = replace(_file(Sort.TWIN, file, reason), attached=tuple(text for text, _ in used), early=early)
        found.append(replace(twin, foreign=not all(ours for _, ours in used)))
    for remote_id in sorted(snapshot.recovered):
        reason = f"the journal on this machine says that it is {labels.get(remote_id, 'a file of this stack')}"
        found.append(_file(Sort.UNRECORDED, files[remote_id], reason))
    found += [Leftover(Sort.DEAD, digest, "the file of this entry is gone") for digest in sorted(snapshot.dead)]
    for page in snapshot.record.spares:
        others = any(page.number == other.number for other in snapshot.record.pages if other is not page)
        reason = f"page {page.number} of the record is there twice" if others else "it holds no entries any more"
        found.append(Leftover(Sort.SPARE, page.remote_id, reason))
    return tuple(found)


def _file(sort: Sort, file: Observed, reason: str) -> Leftover:
    return Leftover(sort, file.remote_id, reason, file.name, file.body["size_bytes"] or 0, file.created_at)


def moment(seconds: float) -> str:
    """Unix seconds as people read them."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def _count(number: int) -> str:
    return f"{number:,} file{'' if number == 1 else 's'}"


def labels(snapshot: Snapshot, stack: str) -> dict[str, str]:
    """Remote id -> address of the live objects that are this stack's."""
    return {
        live.remote_id: str(Address(kind, live.mark.key))
        for kind, objects in snapshot.objects.items()
        for live in objects
        if live.mark is not None and live.mark.stack == stack
    }
