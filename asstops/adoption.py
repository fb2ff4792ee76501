"""Take over live objects that others made: which may be, and what their marks will say. Pure.

An adopted object gets the mark that it would have if the spec had said exactly what is live: so whatever the spec says
otherwise is a pending change, and nothing is drift.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from types import MappingProxyType

from asstops.diff import Label, field_digests, flatten, live_digest
from asstops.errors import Problem
from asstops.mark import path_digest
from asstops.model import Address, Mark, Observed, Ref, Resource
from asstops.ownership import Ownership, Snapshot
from asstops.record import content_digest, id_digest, superseded
from asstops.rules import KindRules

Wanted = Mapping[Address, Resource]
Rules = Mapping[str, KindRules]


@dataclass(frozen=True, slots=True)
class Adoption:
    """One object to take over. `content` is what the record will say of a file, "" for everything else."""

    address: Address
    live: Observed
    mark: Mark
    content: str = ""


def chosen(
    asked: Mapping[Address, str],
    wanted: Wanted,
    snapshot: Snapshot,
    rules: Rules,
    *,
    stack: str,
    origin: str,
    trust: bool,
) -> tuple[list[Adoption], list[Problem]]:
    """The adoptions that `asked` (address -> remote id) means, and why some of them cannot be."""
    live = Ownership(stack, wanted, snapshot, rules)
    found: dict[Address, Adoption] = {}
    problems: list[Problem] = []
    every = {**_files_of_stores(asked, wanted, live, trust=trust), **asked}
    names = {(address.kind, remote_id): str(address) for address, remote_id in every.items()}

    def label(kind: str, remote_id: str) -> str:
        return names.get((kind, remote_id)) or live.label(kind, remote_id)

    for address, remote_id in every.items():
        resource = wanted.get(address)
        target = live.by_id.get((address.kind, remote_id))
        if problem := _objection(address, remote_id, wanted, target, live, snapshot, trust=trust):
            problems.append(problem)
        elif resource is not None and target is not None:
            mark, content = _mark(resource, target, rules[address.kind], label, stack, origin, trust=trust)
            found[address] = Adoption(address, target, mark, content)
    return list(found.values()), problems


def matching(
    wanted: Wanted, snapshot: Snapshot, rules: Rules, stack: str, asked: Mapping[Address, str] = MappingProxyType({})
) -> tuple[dict[Address, str], list[str]]:
    """What `--match name` means: address -> id of the one unmarked object of its name, and what is not clear.

    What is `asked` for by id is matched with nothing else, and comes back with the rest.
    """
    live = Ownership(stack, wanted, snapshot, rules)
    matched: dict[Address, str] = {}
    unclear: list[str] = []
    for address, resource in sorted(wanted.items()):
        if not resource.owned or address in live.owned or address in asked:
            continue
        found = [
            other.remote_id
            for other in snapshot.objects.get(address.kind, ())
            if other.mark is None and _same_name(resource, other, rules[address.kind], snapshot)
        ]
        odd = [o for o in snapshot.objects.get(address.kind, ()) if o.remote_id in found and "kind" in o.problems]
        if odd:
            unclear.append(f"{address}: {odd[0].remote_id} cannot be taken over: {odd[0].problems['kind']}")
        elif len(found) == 1:
            matched[address] = found[0]
        elif found:
            unclear.append(f"{address}: several have its name: {', '.join(sorted(found))}")
    meant: dict[tuple[str, str], list[Address]] = {}
    for address, remote_id in (*asked.items(), *matched.items()):
        meant.setdefault((address.kind, remote_id), []).append(address)
    for (_, remote_id), addresses in meant.items():
        if len(addresses) > 1:
            unclear.append(f"{remote_id} has the name of several: {', '.join(map(str, addresses))}")
            for address in addresses:
                matched.pop(address, None)
    return {**matched, **asked}, unclear


def adopted(snapshot: Snapshot, adoptions: Sequence[Adoption]) -> Snapshot:
    """Live state as it will be read once the adoptions are carried out."""
    marks = {(item.live.kind, item.live.remote_id): item for item in adoptions}

    def taken(live: Observed) -> Observed:
        item = marks.get((live.kind, live.remote_id))
        if item is None:
            return live
        body = {**live.body, "content": item.content} if item.content else live.body
        return replace(live, mark=item.mark, body=body)

    return replace(snapshot, objects={kind: [taken(o) for o in found] for kind, found in snapshot.objects.items()})


def _objection(
    address: Address,
    remote_id: str,
    wanted: Wanted,
    target: Observed | None,
    live: Ownership,
    snapshot: Snapshot,
    *,
    trust: bool,
) -> Problem | None:
    resource = wanted.get(address)
    if resource is None:
        near = get_close_matches(address.key, [other.key for other in wanted if other.kind == address.kind], 1)
        fix = f"did you mean {address.kind}.{near[0]}? If not, write" if near else "write"
        return Problem(f"{address} is not in the spec", fix=f"{fix} its entry first; adopting changes the mark alone")
    where = resource.location
    if not resource.owned:
        return Problem(f"{address} is not managed by this spec", where, "remove managed: false or id:, then adopt it")
    if address in live.owned:
        there = live.owned[address][0].remote_id
        told = "is the stack's already" if there == remote_id else f"is {there} already"
        return Problem(f"{address} {told}", where, "'asstops list' shows what the stack has")
    if target is None:
        return Problem(f"{address}: there is no {address.kind.replace('_', ' ')} {remote_id}", where, "check the id")
    if "kind" in target.problems:
        return Problem(
            f"{address}: {remote_id} cannot be taken over: {target.problems['kind']}", where, "choose another key"
        )
    if target.mark is not None:
        return Problem(
            f"{address}: {remote_id} belongs to the stack {target.mark.stack!r}",
            where,
            "remove its mark by hand first (of an agent: make a version without the metadata key asstops, and delete "
            "those that have it)",
        )
    if resource.source is None:
        return None
    if id_digest(remote_id) in snapshot.foreign:
        return Problem(f"{address}: {remote_id} is in the record of another stack", where, "choose another file")
    name, size = target.body.get("name"), target.body.get("size_bytes")
    if trust and (name, size) != (resource.source.name, resource.source.size_bytes):
        return Problem(
            f"{address}: {remote_id} is {name!r} with {size} bytes, the spec's file is {resource.source.name!r} with "
            f"{resource.source.size_bytes}",
            where,
            "it cannot be the same content: leave --trust-content out, or choose another file",
        )
    return None


def _files_of_stores(
    asked: Mapping[Address, str], wanted: Wanted, live: Ownership, *, trust: bool
) -> dict[Address, str]:
    """With `trust`, the files of an adopted store that are those of the spec by name and size."""
    found: dict[Address, str] = {}
    for address, remote_id in asked.items():
        resource, store = wanted.get(address), live.by_id.get((address.kind, remote_id))
        if not trust or address.kind != "vector_store" or resource is None or store is None:
            continue
        inside = [live.by_id.get(used) for used in sorted(store.uses) if used[0] == "file"]
        for ref in resource.body.get("files", ()):
            source = wanted[ref.address].source if isinstance(ref, Ref) and ref.address in wanted else None
            if source is None or ref.address in live.owned or ref.address in asked:
                continue
            same = [
                file.remote_id
                for file in inside
                if file is not None and (file.body["name"], file.body["size_bytes"]) == (source.name, source.size_bytes)
            ]
            if len(same) == 1 and same[0] not in found.values():
                found[ref.address] = same[0]
    return found


def _same_name(resource: Resource, other: Observed, rules: KindRules, snapshot: Snapshot) -> bool:
    if rules.named:
        return other.remote_id == resource.address.key
    if resource.source is not None:
        same = (other.body["name"], other.body["size_bytes"]) == (resource.source.name, resource.source.size_bytes)
        return same and id_digest(other.remote_id) not in snapshot.foreign
    return bool(other.body.get("name") == resource.body.get("name"))


def _mark(
    resource: Resource, target: Observed, rules: KindRules, label: Label, stack: str, origin: str, *, trust: bool
) -> tuple[Mark, str]:
    mark = Mark(stack, resource.address.key, origin=origin, protect=resource.protect)
    if resource.source is not None:
        key = resource.address.key
        content = content_digest(key, resource.source, protect=resource.protect) if trust else superseded(key)
        return mark, content
    said = field_digests(rules, resource.body)
    have = flatten(rules, target.body)
    fields = {}
    for path in flatten(rules, resource.body):
        digest = path_digest(path)
        if path in rules.unreadable:
            if trust:
                fields[digest] = said[digest]
        elif digest in said:
            fields[digest] = live_digest(rules, path, have.get(path), label)
    return replace(mark, fields=fields), ""
