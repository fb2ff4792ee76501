"""Take away what an apply that was cut off has left, as far as somebody agreed, and put the record in order.

Reads what files are attached to beyond what a plan needs. Deletes files through their kind, one at a time; the record
is written by the recorder, after the files, since it tells of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asstops.errors import AsstopsError
from asstops.journal import Journal, Story
from asstops.leftovers import Leftover, Sort, gathered, labels
from asstops.model import Observed
from asstops.ownership import Snapshot
from asstops.record import id_digest
from asstops.recorder import Recorder, new_nonce

if TYPE_CHECKING:
    from asstops.kinds import Kind
    from asstops.providers.session import Session

READERS = 8
Used = tuple[str, bool]


def gather(session: Session, snapshot: Snapshot, story: Story, stack: str) -> tuple[Leftover, ...]:
    """Everything that is left over. Reads the files of other people's stores when there is something to look for."""
    users = _users(session, snapshot, stack) if snapshot.suspects else {}
    done = set(story.ended.values())
    unanswered = frozenset((sent.name, sent.size_bytes) for sent in story.begun.values() if sent.content not in done)
    return gathered(snapshot, users, labels(snapshot, stack), unanswered)


def _users(session: Session, snapshot: Snapshot, stack: str) -> dict[str, list[Used]]:
    """File id -> what it is attached to, with whether that is of this stack. Threads cannot be listed."""
    known = labels(snapshot, stack)
    found: dict[str, list[Used]] = {remote_id: [] for remote_id in snapshot.suspects}
    for kind in ("vector_store", "assistant"):
        objects = snapshot.objects.get(kind, ())
        for live, files in zip(objects, _attached(session, objects, known), strict=True):
            ours = live.remote_id in known
            text = known[live.remote_id] if ours else f"{kind} {live.remote_id} ({live.name})"
            for remote_id in sorted(files & found.keys()):
                found[remote_id].append((text, ours))
    return found


def _attached(session: Session, objects: Sequence[Observed], known: Mapping[str, str]) -> list[set[str]]:
    """The ids of the files of each object; only a plan's own stores have had theirs listed."""

    def files(live: Observed) -> set[str]:
        if live.kind != "vector_store" or live.remote_id in known or not live.raw["file_counts"]["total"]:
            return {remote_id for kind, remote_id in live.uses if kind == "file"}
        return {item["id"] for item in session.data.list_store_files(live.remote_id)}

    with ThreadPoolExecutor(max_workers=READERS) as pool:
        return list(pool.map(files, objects))


@dataclass(frozen=True, slots=True)
class Cleaned:
    """How it ended. `outcomes` tells by id: deleted, kept, recorded, removed, or what went wrong in `failed`.

    `settled` is True when no note of an apply that was cut off is left. `wrote` as in a Report.
    """

    outcomes: Mapping[str, str]
    failed: Mapping[str, str]
    settled: bool
    wrote: bool


def clean(
    session: Session,
    file_kind: Kind[Any],
    snapshot: Snapshot,
    found: Sequence[Leftover],
    chosen: frozenset[str],
    *,
    stack: str,
    origin: str,
    journal: Journal,
    tidy: bool,
    dismiss: bool,
    tell: Callable[[Leftover], None],
) -> Cleaned:
    """Delete the files whose ids are `chosen`; with `tidy` put the record in order and clear its note if it may be.

    `dismiss` clears the note although files that may be left were kept. Raises what writing the record runs into.
    """
    files = {file.remote_id: file for file in snapshot.objects.get("file", ())}
    outcomes: dict[str, str] = {}
    failed: dict[str, str] = {}
    for item in found:
        if item.sort is not Sort.TWIN:
            continue
        if item.remote_id not in chosen:
            outcomes[item.remote_id] = "kept"
            continue
        try:
            file_kind.delete(session, files[item.remote_id])
        except AsstopsError as error:
            outcomes[item.remote_id], failed[item.remote_id] = "failed", error.message
        else:
            outcomes[item.remote_id] = "deleted"
            tell(item)
    settled = snapshot.record.note is None
    if tidy:
        settled = _tidy(session, snapshot, stack=stack, origin=origin, journal=journal, dismiss=dismiss)
    done = {Sort.UNRECORDED: "recorded", Sort.DEAD: "removed", Sort.SPARE: "removed"}
    outcomes |= {i.remote_id: done[i.sort] if tidy else "kept" for i in found if i.sort is not Sort.TWIN}
    return Cleaned(outcomes, failed, settled, wrote=session.limiter.writes > 0)


def _tidy(session: Session, snapshot: Snapshot, *, stack: str, origin: str, journal: Journal, dismiss: bool) -> bool:
    recorder = Recorder(
        session,
        snapshot.record,
        stack,
        origin,
        nonce=new_nonce,
        sources=snapshot.sources,
        foreign=snapshot.foreign,
        recovered=snapshot.recovered,
        journal=journal,
    )
    if snapshot.dead:
        # Looked at twice: a file that a listing shows late must not lose its entry.
        recorder.forget(snapshot.dead - {id_digest(item["id"]) for item in session.data.list_files()})
    return recorder.finish(dismiss=dismiss)
