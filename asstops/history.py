"""Older versions, where a service keeps them and the spec says how many: which stay, and what they still need. Pure.

Files and stores that a version refers to are not deleted for as long as that version stays. Without a number in the
spec older versions stay in the service as well, but nothing is kept for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from asstops.model import Action, Address, Change, Mark, Observed, Past, Resource
from asstops.ownership import Ownership
from asstops.rules import KindRules

Held = Mapping[tuple[str, str], Address]
"""(kind, remote id) of what must stay -> an address of which an older version uses it."""


def pruned(resource: Resource, live: Observed, rules: KindRules, *, new: bool) -> tuple[str, ...]:
    """The versions that go, oldest first; `new` when a further one is made."""
    stays = {past.number for past in _staying(resource, live, rules, new=new)}
    return tuple(past.number for past in reversed(live.history) if past.number not in stays)


def _staying(resource: Resource, live: Observed, rules: KindRules, *, new: bool) -> list[Past]:
    keep = int(resource.body.get(rules.keep_field) or 0) if rules.keep_field else 0
    if not keep:
        return list(live.history)
    stays = list(live.history[: keep - 1 if new else keep])
    if not new and not any(past.tells for past in stays):
        stays += [past for past in live.history if past.tells]
    return stays


def makes_a_version(mark: Mark | None, was: Mark | None, *, differs: bool) -> bool:
    """Whether an update is a new version: for a field, or for what only the mark says."""
    said = None if mark is None else (mark.protect, mark.origin)
    return differs or said != (None if was is None else (was.protect, was.origin))


def held(
    wanted: Mapping[Address, Resource], live: Ownership, changes: Iterable[Change], rules: Mapping[str, KindRules]
) -> Held:
    """What the versions that are older ones once `changes` are carried out refer to."""
    planned = {change.address: change for change in changes}
    found: dict[tuple[str, str], Address] = {}
    for address, resource in wanted.items():
        kind = rules[address.kind]
        if not kind.keep_field or not resource.body.get(kind.keep_field) or address not in live.owned:
            continue
        agent, change = live.winner(address)[0], planned.get(address)
        new = (
            change is not None
            and change.action is Action.UPDATE
            and makes_a_version(change.mark, agent.mark, differs=bool(change.diffs))
        )
        stays = _staying(resource, agent, kind, new=new)
        for past in stays if new else stays[1:]:
            # A name that is made anew serves old versions too.
            found.update(dict.fromkeys((used for used in past.uses if not rules[used[0]].named), address))
    return {**found, **_in_stores(found, wanted, live, planned)}


def _in_stores(
    found: Held, wanted: Mapping[Address, Resource], live: Ownership, planned: Mapping[Address, Change]
) -> Held:
    """The files of stores that stay for older versions alone; what others hold is for the spec to say."""
    result: dict[tuple[str, str], Address] = {}
    for key, address in found.items():
        store = live.by_id.get(key)
        if store is None or store.mark is None or store.kind == address.kind:
            continue
        own = live.address_of(store)
        change = planned.get(own) if own is not None else None
        replaced = change is not None and change.action is Action.REPLACE
        if own is not None and own in wanted and own in live.owned and live.winner(own)[0] is store and not replaced:
            continue
        result.update(dict.fromkeys((used for used in store.uses if used[0] == "file"), address))
    return result
