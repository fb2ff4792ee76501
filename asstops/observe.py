"""Read live state through the kinds: a Snapshot for the planner. Writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from asstops import leftovers
from asstops.errors import ProviderError, Retired
from asstops.journal import Story
from asstops.model import Address, Notice, Observed, Resource
from asstops.moves import NONE, Moves
from asstops.ownership import Snapshot
from asstops.record import Record, claim, decode, id_digest, is_page

if TYPE_CHECKING:
    from asstops.kinds import Kind
    from asstops.providers.session import Session


def observe(
    session: Session,
    wanted: Mapping[Address, Resource],
    stack: str,
    story: Story | None = None,
    *,
    moves: Moves = NONE,
    only: Collection[str] = (),
) -> Snapshot:
    """All live objects that matter to the stack. The account and its project come first: they say where the rest is.

    `story` is what the journal on this machine tells of uploads that may be missing in the record, `moves` are the keys
    that have changed in the spec. `only` are the kinds to read beside the account and the project, all if left out;
    nothing can be planned on a part.
    """
    kinds = session.service.kinds
    by_kind: dict[str, list[Resource]] = {name: [] for name in kinds}
    for address, resource in wanted.items():
        by_kind[address.kind].append(resource)
    objects: dict[str, Sequence[Observed]] = {}
    for name, kind in sorted(kinds.items(), key=lambda item: bool(item[1].within)):
        if kind.single:
            objects[name] = list(kind.observe(session, by_kind[name]))
    asked = [kind for kind in kinds.values() if not kind.single and (not only or kind.name in only)]
    rest = [kind for kind in asked if _reachable(kind, session)]
    unread = {kind.name for kind in kinds.values() if kind.plane == "arm" and session.arm is None}
    unread |= {kind.name for kind in kinds.values() if not kind.single and kind not in asked}
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
                retired, section = isinstance(error, Retired), kinds[name].section
                needed = by_kind[name] or (name == "vector_store" and by_kind["file"])  # where the record of files is
                # What a retired API hides must not keep the rest of a stack from being deleted.
                passed_over = retired and session.destroying and name not in ("file", "vector_store")
                if kinds[name].plane == "arm" or (needed and not passed_over):
                    raise
                unread.add(name)
                if not retired:
                    blind.add(name)
                    notices.append(Notice(f"nothing was read of {section}: {error.message}", fix=error.fix))
                elif needed:
                    fix = "what is left goes with the account; 'asstops migrate' writes the spec for service: agents"
                    notices.append(Notice(f"{section} are passed over: {error.message}", fix=fix))
    beside: tuple[str, ...] = ()
    if session.destroying and any(resource.owned for resource in by_kind["resource"]):
        try:
            beside = session.service.beside(session)
        except ProviderError as error:
            blind.add("files outside of projects")
            notices.append(
                Notice(f"nothing was read of what lies in the account itself: {error.message}", fix=error.fix)
            )
    found = _told_apart(objects, wanted, stack, story or Story(), notices, moves)
    data = [part for name, part in found.objects.items() if kinds[name].plane == "data"]
    ours = {(o.kind, o.remote_id) for part in data for o in part if o.mark is not None and o.mark.stack == stack}
    return replace(
        found,
        objects={name: kinds[name].looked_into(session, part, ours) for name, part in found.objects.items()},
        unread=frozenset(unread),
        blind=frozenset(blind),
        beside=beside,
        moves=moves,
        restoring=_restoring(session, by_kind),
    )


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
    story: Story,
    notices: list[Notice],
    moves: Moves,
) -> Snapshot:
    """Take the record's pages out of the stores, and let the record and the journal say which files are ours."""
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
    spec = leftovers.sources(wanted.values())
    if "file" not in objects:
        return Snapshot(objects, record, tuple(notices), sources=spec)
    files = objects["file"]
    recovered = _recovered(story, record, files, notices)
    claims = claim(files, record, wanted, stack, recovered, moves)
    objects["file"] = [*claims.ours, *claims.others]
    foreign = _of_other_stacks(stores, stack)
    nobodys = [file for file in claims.others if id_digest(file.remote_id) not in foreign]
    suspects = leftovers.suspects(record, nobodys, spec)
    notices += leftovers.notices(record, suspects, len(recovered))
    referred = {resource.remote_id for resource in wanted.values() if not resource.owned}
    unknown = [file for file in claims.others if file.remote_id not in referred]
    notices += _unrecorded(record, objects.get("vector_store", ()), unknown, _unmade(wanted, claims.ours), stack)
    return Snapshot(
        objects,
        record,
        tuple(notices),
        suspects=tuple(file.remote_id for file in suspects),
        recovered=recovered,
        dead=frozenset(record.entries) - {id_digest(file.remote_id) for file in files},
        sources=spec,
        foreign=foreign,
    )


def _of_other_stacks(stores: Sequence[Observed], stack: str) -> frozenset[str]:
    """Digests of the ids of files that the records of other stacks hold."""
    found: set[str] = set()
    for store in stores:
        if store.mark is not None and is_page(store.mark) and store.mark.stack != stack:
            found |= decode(store.remote_id, store.mark, store.raw.get("metadata") or {}).entries.keys()
    return frozenset(found)


def _recovered(story: Story, record: Record, files: Sequence[Observed], notices: list[Notice]) -> dict[str, str]:
    """Remote id -> content of the live files that the journal knows and the record does not."""
    if problem := story.useless(record.notes):
        notices.append(
            Notice(f"the journal of uploads on this machine is not used: {problem}", fix="'asstops gc' removes it")
        )
        return {}
    known, found = record.entries, {}
    for file in files:
        sent = story.begun.get(story.ended.get(file.remote_id, ""))
        same = sent is not None and (sent.name, sent.size_bytes) == (file.body["name"], file.body["size_bytes"])
        if sent is not None and same and id_digest(file.remote_id) not in known:
            found[file.remote_id] = sent.content
    return found


def _unmade(wanted: Mapping[Address, Resource], ours: Sequence[Observed]) -> dict[str, Resource]:
    """The files that the spec uploads and the stack does not have, by the name that they will have."""
    made = {file.mark.key for file in ours if file.mark is not None}
    return {r.source.name: r for a, r in sorted(wanted.items()) if r.source is not None and a.key not in made}


def _unrecorded(
    record: Record,
    stores: Sequence[Observed],
    others: Sequence[Observed],
    unmade: Mapping[str, Resource],
    stack: str,
) -> list[Notice]:
    """What to say of files in the stack's own stores that no record tells of.

    Such a file is one that the spec named by id before, one of a record that is gone, or somebody else's.
    """
    ours = [store for store in stores if store.mark is not None and store.mark.stack == stack]
    held = {used[1] for store in ours for used in store.uses if used[0] == "file"}
    unknown = [file for file in others if file.remote_id in held]
    alike = [file for file in unknown if file.name in unmade]
    rest = [file for file in unknown if file.name not in unmade]
    found = [_alike(alike, unmade)] if alike else []
    if rest and not record.pages:
        found.append(
            Notice(
                "the stack has no record of files, so nothing tells whether these in its stores are its own: "
                f"{_named(rest)}",
                fix="apply takes them out of the stores, and uploads anew what the spec has; delete the old ones by "
                "hand if nobody uses them",
            )
        )
    return found


def _named(files: Sequence[Observed]) -> str:
    return ", ".join(f"{file.remote_id} ({file.name})" for file in files[:5]) + (", …" if len(files) > 5 else "")


def _alike(files: Sequence[Observed], unmade: Mapping[str, Resource]) -> Notice:
    """Files that are probably what the spec is about to upload."""
    if len(files) > 1:
        return Notice(
            f"{len(files):,} files in the stack's stores have names of files that it is to have, but no record says "
            f"that they are the stack's: {_named(files)}",
            fix="'asstops adopt --match name --trust-content' takes over those of the same size, if their content is "
            "that of your files; the others are uploaded anew",
        )
    (file,) = files
    wanted = unmade[file.name]
    same = wanted.source is not None and wanted.source.size_bytes == file.body["size_bytes"]
    trust, condition = (" --trust-content", ", if its content is that of your file") if same else ("", "")
    return Notice(
        f"{file.remote_id} ({file.name}) in the stack's stores has the name of {wanted.address}, but no record says "
        "that it is the stack's",
        fix=f"'asstops adopt {wanted.address} {file.remote_id}{trust}' takes it over{condition}; else "
        f"{wanted.address} is uploaded anew",
    )
