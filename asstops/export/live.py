"""What is live, as far as it can come into a spec. Reads by listing pages; writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from asstops.errors import NotFound
from asstops.kinds.vector_store import with_files
from asstops.model import Observed, Resource
from asstops.record import NAME_PREFIX, decode, is_page

if TYPE_CHECKING:
    from asstops.kinds.base import Kind
    from asstops.providers.session import Session

Json = Mapping[str, Any]
READERS = 8


@dataclass(frozen=True, slots=True)
class Live:
    """Live objects by kind, without the records of stacks.

    `attached` are the files of vector stores as the service lists them, by the store's id, for those stores of which
    they were read. `foreign` are digests of the ids of files that are in the record of a stack, `stacks` the names of
    all stacks that left a mark. `unread` are kinds that cannot be looked at from here.
    """

    objects: Mapping[str, Sequence[Observed]]
    foreign: frozenset[str] = frozenset()
    stacks: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()
    attached: Mapping[str, Sequence[Json]] = field(default_factory=dict)

    def of(self, kind: str) -> Sequence[Observed]:
        return self.objects.get(kind, ())

    def by_id(self, kind: str) -> dict[str, Observed]:
        return {live.remote_id: live for live in self.of(kind)}


def read_live(session: Session, account: Resource | None, project: Resource | None) -> Live:
    """Every object of every kind, the oldest first. `account` and `project` are where the session is.

    Raises what reading raises: half an account would make half a spec.
    """
    kinds = session.service.kinds
    places = {"resource": account, "project": project}
    objects: dict[str, Sequence[Observed]] = {}
    for name, kind in sorted(kinds.items(), key=lambda item: bool(item[1].within)):
        if kind.single:
            place = places.get(name)
            objects[name] = list(kind.observe(session, [place] if place is not None else []))
    if session.arm is not None and not session.endpoint:
        raise NotFound("the account of the spec, or its project, is not there yet", fix="check their names in the spec")
    unread = frozenset(name for name, kind in kinds.items() if kind.plane == "arm" and session.arm is None)
    rest = [kind for kind in kinds.values() if not kind.single and kind.name not in unread]

    def read(kind: Kind[Any]) -> list[Observed]:
        return sorted(kind.observe(session, []), key=lambda live: (live.created_at, live.remote_id))

    with ThreadPoolExecutor(max_workers=max(1, len(rest))) as pool:
        for kind, found in zip(rest, pool.map(read, rest), strict=True):
            objects[kind.name] = found
    marks = [live.mark for found in objects.values() for live in found if live.mark is not None]
    pages = [live for live in objects.get("vector_store", ()) if _is_record(live)]
    objects["vector_store"] = [live for live in objects.get("vector_store", ()) if not _is_record(live)]
    return Live(
        objects,
        foreign=frozenset(
            digest
            for page in pages
            if page.mark is not None
            for digest in decode(page.remote_id, page.mark, page.raw.get("metadata") or {}).entries
        ),
        stacks=frozenset(mark.stack.partition("/")[0] for mark in marks),
        unread=unread,
    )


def with_attached(session: Session, live: Live, stores: Iterable[str]) -> Live:
    """The same with the files of these vector stores; one that is gone by now is left out."""
    asked = set(stores)
    wanted = [store for store in live.of("vector_store") if store.remote_id in asked]

    def read(store: Observed) -> list[dict[str, Any]] | None:
        if not store.raw["file_counts"]["total"]:
            return []
        try:
            return list(session.data.list_store_files(store.remote_id))
        except NotFound:
            return None

    with ThreadPoolExecutor(max_workers=READERS) as pool:
        listed = dict(zip((store.remote_id for store in wanted), pool.map(read, wanted), strict=True))
    found = [
        with_files(store, files) if (files := listed.get(store.remote_id)) is not None else store
        for store in live.of("vector_store")
        if listed.get(store.remote_id, ()) is not None
    ]
    attached = {ident: files for ident, files in listed.items() if files is not None}
    return replace(live, objects={**live.objects, "vector_store": found}, attached=attached)


def _is_record(live: Observed) -> bool:
    """A page of a stack's record of files, known by its mark or by its name."""
    return (live.mark is not None and is_page(live.mark)) or live.name.startswith(NAME_PREFIX)
