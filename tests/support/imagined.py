"""A stack that exists in memory alone: wanted objects, what they look like once applied, and snapshots of them.

For tests of what is decided without a service. References are by key, ids are what the test says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from asstops import record as r
from asstops.diff import field_digests
from asstops.kinds.file import with_content
from asstops.model import Address, FileSource, Mark, Observed, Ref, Resource
from asstops.ownership import Snapshot
from asstops.services import by_name

STACK = "shop"
RULES = {name: kind.rules for name, kind in by_name("assistants").kinds.items()}


def store_at(key: str) -> Address:
    return Address("vector_store", key)


def source(name: str, content: str, size: int = 3) -> FileSource:
    return FileSource(Path(name), name, name, size, content)


def wanted_file(key: str, name: str, content: str, *, protect: bool = False) -> Resource:
    return with_content(Resource(Address("file", key), {}, source=source(name, content), protect=protect))


def live_file(remote_id: str, name: str, size: int = 3) -> Observed:
    return Observed("file", remote_id, name, {"name": name, "size_bytes": size})


def recorded(*entries: tuple[str, str]) -> r.Record:
    page = r.Page(0, "vs_r", Mark(STACK, "#0"), {r.id_digest(remote_id): content for remote_id, content in entries})
    return r.Record((page,))


def said(key: str, name: str, content: str, *, protect: bool = False) -> str:
    return r.content_digest(key, source(name, content), protect=protect)


def store(key: str = "new", **changes: Any) -> Resource:
    return Resource(store_at(key), {"name": "docs", "files": [], "metadata": {}} | changes)


def bot(key: str = "bot", ref: str = "new", **changes: Any) -> Resource:
    body = {
        "name": "bot",
        "model": "m",
        "metadata": {},
        "code_interpreter": False,
        "code_interpreter.files": [],
        "file_search": True,
        "file_search.vector_store": Ref(store_at(ref)),
        "functions": [],
    }
    options = {name: changes.pop(name) for name in ("protect",) if name in changes}
    return Resource(Address("assistant", key), body | changes, **options)


def live(resource: Resource, remote_id: str, generation: int = 0, *, ids: dict[Address, str] | None = None) -> Observed:
    """What `resource` looks like after it was applied; `ids` are those of what it refers to."""
    rules = RULES[resource.address.kind]
    mark = Mark(
        STACK,
        resource.address.key,
        generation,
        f"nonce-{remote_id}",
        fields=field_digests(rules, resource.body),
        protect=resource.protect,
    )

    def resolved(value: Any) -> Any:
        if isinstance(value, Ref):
            return (ids or {})[value.address]
        return [resolved(item) for item in value] if isinstance(value, list) else value

    body = {path: resolved(value) for path, value in resource.body.items()}
    uses = frozenset((a.kind, i) for a, i in (ids or {}).items() if a in resource.references())
    return Observed(resource.address.kind, remote_id, "x", body, mark=mark, uses=uses)


def snapshot(
    objects: Iterable[Observed],
    record: r.Record | None = None,
    *,
    moves: Mapping[str, str] = MappingProxyType({}),
) -> Snapshot:
    """Live state as read. `moves` are old addresses with the next ones."""
    by_kind: dict[str, list[Observed]] = {name: [] for name in RULES}
    for item in objects:
        by_kind[item.kind].append(item)
    return Snapshot(by_kind, record or r.Record(), moves=addresses(moves))


def addresses(moves: Mapping[str, str]) -> dict[Address, Address]:
    return {Address.parse(old): Address.parse(new) for old, new in moves.items()}
