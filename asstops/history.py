"""What older versions still need, where a service keeps versions and the spec says how many. Pure.

Files and stores that a version refers to are not deleted for as long as that version stays. Without a number in the
spec older versions stay in the service as well, but nothing is kept for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from asstops.model import Action, Address, Change, Observed, Resource
from asstops.ownership import Ownership
from asstops.rules import KindRules

Held = Mapping[tuple[str, str], Address]
"""(kind, remote id) of what must stay -> an address of which an older version uses it."""


def held(
    wanted: Mapping[Address, Resource], live: Ownership, changes: Iterable[Change], rules: Mapping[str, KindRules]
) -> Held:
    """What the versions that are older ones once `changes` are carried out refer to."""
    planned = {change.address: change for change in changes}
    found: dict[tuple[str, str], Address] = {}
    for address, resource in wanted.items():
        field = rules[address.kind].keep_field
        keep = int(resource.body.get(field) or 0) if field else 0
        if not keep or address not in live.owned:
            continue
        agent = live.winner(address)[0]
        new = _makes_a_version(planned.get(address), agent, rules[address.kind])
        for used in agent.history[: keep - 1] if new else agent.history[1:]:
            # A name that is made anew serves old versions too.
            found.update(dict.fromkeys((each for each in used if not rules[each[0]].named), address))
    return {**found, **_in_stores(found, wanted, live, planned)}


def _makes_a_version(change: Change | None, live: Observed, rules: KindRules) -> bool:
    if change is None or change.action is not Action.UPDATE:
        return False
    said = None if change.mark is None else (change.mark.protect, change.mark.origin)
    was = None if live.mark is None else (live.mark.protect, live.mark.origin)
    return said != was or any(diff.path not in rules.unrecorded for diff in change.diffs)


def _in_stores(
    found: Held, wanted: Mapping[Address, Resource], live: Ownership, planned: Mapping[Address, Change]
) -> Held:
    """The files of stores that stay for older versions alone; what others hold is for the spec to say."""
    result: dict[tuple[str, str], Address] = {}
    for key, address in found.items():
        store = live.by_id.get(key)
        if store is None or store.mark is None or store.kind == address.kind:
            continue
        own = Address(store.kind, store.mark.key)
        change = planned.get(own)
        replaced = change is not None and change.action is Action.REPLACE
        if own in wanted and own in live.owned and live.winner(own)[0] is store and not replaced:
            continue
        result.update(dict.fromkeys((used for used in store.uses if used[0] == "file"), address))
    return result
