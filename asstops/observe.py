"""Read live state through the kinds: a Snapshot for the planner. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from asstops.errors import ProviderError, Retired
from asstops.model import Address, Notice, Observed, Resource
from asstops.ownership import Snapshot
from asstops.record import Record, claim, decode, is_page

if TYPE_CHECKING:
    from asstops.kinds import Kind
    from asstops.providers.session import Session

CLOCK_SKEW_S = 300


def observe(
    session: Session, kinds: Mapping[str, Kind[Any]], wanted: Mapping[Address, Resource], stack: str
) -> Snapshot:
    """All live objects that matter to the stack. The account comes first, since it says where the rest is."""
    by_kind: dict[str, list[Resource]] = {name: [] for name in kinds}
    for address, resource in wanted.items():
        by_kind[address.kind].append(resource)
    objects: dict[str, Sequence[Observed]] = {}
    for name, kind in kinds.items():
        if kind.single:
            objects[name] = list(kind.observe(session, by_kind[name]))
    rest = [kind for kind in kinds.values() if not kind.single and _reachable(kind, session)]
    unread = {kind.name for kind in kinds.values() if kind.plane == "arm" and session.arm is None}
    notices: list[Notice] = []
    blind: set[str] = set()
    with ThreadPoolExecutor(max_workers=max(1, len(rest))) as pool:
        reading = {
            kind.name: pool.submit(lambda k=kind: list(k.observe(session, by_kind[k.name])))  # type: ignore[misc]
            for kind in rest
        }
        for name, future in reading.items():
            try:
                objects[name] = future.result()
            except ProviderError as error:
                if kinds[name].plane == "arm" or by_kind[name]:
                    raise
                unread.add(name)
                if not isinstance(error, Retired):
                    blind.add(name)
                    notices.append(Notice(f"nothing was read of {kinds[name].section}: {error.message}", fix=error.fix))
    found = _told_apart(objects, wanted, stack, notices)
    return replace(found, unread=frozenset(unread), blind=frozenset(blind), restoring=_restoring(session, by_kind))


def _restoring(session: Session, wanted: Mapping[str, Sequence[Resource]]) -> Address | None:
    """The account that comes back from soft deletion, if one does."""
    return wanted["resource"][0].address if session.restoring else None


def _reachable(kind: Kind[Any], session: Session) -> bool:
    """Nothing is in an account that does not exist yet."""
    if kind.plane == "arm":
        return session.arm is not None
    return session.arm is None or bool(session.endpoint)


def _told_apart(
    objects: dict[str, Sequence[Observed]],
    wanted: Mapping[Address, Resource],
    stack: str,
    notices: list[Notice],
) -> Snapshot:
    """Take the record's pages out of the stores, and let the record say which files are ours."""
    stores = objects.get("vector_store", ())
    pages = [
        decode(store.remote_id, store.mark, store.raw.get("metadata") or {})
        for store in stores
        if store.mark is not None and is_page(store.mark) and store.mark.stack == stack
    ]
    record = Record(tuple(sorted(pages, key=lambda page: (page.number, page.remote_id))))
    if "vector_store" in objects:
        ours = {page.remote_id for page in pages}
        objects["vector_store"] = [store for store in stores if store.remote_id not in ours]
    suspects: list[Observed] = []
    if "file" in objects:
        claims = claim(objects["file"], record, wanted, stack)
        objects["file"] = [*claims.ours, *claims.others]
        suspects = _suspects(record, claims.others, wanted)
        notices += _left_behind(record, suspects)
        notices += _forgotten(record, objects.get("vector_store", ()), claims.others, stack)
    return Snapshot(objects, record, tuple(notices), suspects=tuple(file.remote_id for file in suspects))


def _forgotten(record: Record, stores: Sequence[Observed], others: Sequence[Observed], stack: str) -> list[Notice]:
    """What to say when the record is gone although the stack's own stores hold files: nothing tells whose they are."""
    ours = [store for store in stores if store.mark is not None and store.mark.stack == stack]
    held = {used[1] for store in ours for used in store.uses if used[0] == "file"}
    unknown = [file for file in others if file.remote_id in held]
    if record.pages or not unknown:
        return []
    named = ", ".join(f"{file.remote_id} ({file.name})" for file in unknown[:5]) + (", …" if len(unknown) > 5 else "")
    return [
        Notice(
            f"the stack's record is gone: {len(unknown)} files in its stores are not known as its own: {named}",
            fix="they will be uploaded anew and taken out of the stores; delete the old ones by hand if nobody else "
            "uses them",
        )
    ]


def _suspects(record: Record, others: Sequence[Observed], wanted: Mapping[Address, Resource]) -> list[Observed]:
    """Files that an apply which was cut off may have uploaded without getting to write them down."""
    note = record.note
    if note is None:
        return []
    sources = {(r.source.name, r.source.size_bytes) for r in wanted.values() if r.source is not None}
    return [
        file
        for file in others
        if file.created_at >= note.started - CLOCK_SKEW_S and (file.body["name"], file.body["size_bytes"]) in sources
    ]


def _left_behind(record: Record, suspects: Sequence[Observed]) -> list[Notice]:
    """What to say of an apply that was cut off."""
    note = record.note
    if note is None:
        return []
    began = datetime.fromtimestamp(note.started, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    notices = [Notice(f"an apply that began at {began} to upload {note.uploads} files did not finish")]
    notices += [
        Notice(
            f"file {file.remote_id} ({file.name}) may be left from it: it has the name and size of a file of the spec",
            fix="that is no proof of the same content; if nobody else uploaded it, delete it by hand",
        )
        for file in suspects
    ]
    return notices
