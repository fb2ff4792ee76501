"""What each object of a stack refers to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from asstops.model import Address, Change, Plan, Resource, find_refs


@dataclass(frozen=True, slots=True)
class Links:
    """Every object, and the objects that it refers to. `foreign` are those that the stack reads and never writes.

    What an object needs only because something else that it refers to needs it (the account of its project, say) is
    left out. Every address that is referred to is also a key.
    """

    uses: Mapping[Address, frozenset[Address]] = field(default_factory=dict)
    foreign: frozenset[Address] = frozenset()


NO_LINKS: Final = Links()


def find_links(resources: Mapping[Address, Resource], plan: Plan | None = None) -> Links:
    """The links of a spec, and with a plan also those of what it deletes, as far as the service tells them.

    Of a plan that takes the stack away, only what there is to take away.
    """
    if plan is not None and plan.destroy:
        going = {change.address for change in plan.changes}
        resources = {address: resource for address, resource in resources.items() if address in going}
    needs = {address: frozenset(resource.references() & resources.keys()) for address, resource in resources.items()}
    said = {address: {ref.address for ref in find_refs(resource.body)} for address, resource in resources.items()}
    for change in plan.changes if plan is not None else ():
        if change.address not in needs:
            needs[change.address] = frozenset()
            said[change.address] = set()
    if plan is not None:
        for address, used in _live_uses(plan.changes, plan.known):
            if address not in resources:
                needs[address] |= used
    for address in {need for found in needs.values() for need in found} - needs.keys():
        needs[address] = frozenset()
    reach = _Reach(needs)
    uses = {
        address: found - (reach.implied(found) - said.get(address, set())) for address, found in sorted(needs.items())
    }
    return Links(uses, frozenset(address for address, resource in resources.items() if not resource.owned))


def _live_uses(changes: Iterable[Change], known: Mapping[Address, str]) -> Iterable[tuple[Address, frozenset[Address]]]:
    """What live objects refer to, by address; what is not the stack's has none."""
    owners = {(address.kind, remote_id): address for address, remote_id in known.items()}
    found = [(change.address, live) for change in changes for live in (change.live, *change.retires) if live]
    owners |= {(live.kind, live.remote_id): address for address, live in found}
    for address, live in found:
        used = frozenset(owners[use] for use in live.uses if use in owners)
        yield address, used - {address}


class _Reach:
    """What is behind each address. Worked out only for what something refers to along with others: the way from every
    assistant to every file of a large store would be as many as both multiplied.
    """

    def __init__(self, needs: Mapping[Address, frozenset[Address]]) -> None:
        self._needs = needs
        self._known: dict[Address, frozenset[Address]] = {}

    def implied(self, found: frozenset[Address]) -> set[Address]:
        """Those that another one of them leads to."""
        if len(found) < 2:
            return set()
        return {behind for other in found for behind in self._behind(other) & found if behind != other}

    def _behind(self, start: Address) -> frozenset[Address]:
        """Everything behind an address; ends also where references form a circle."""
        waiting = [(start, False)]
        seen: set[Address] = set()
        while waiting:
            address, ready = waiting.pop()
            if address in self._known:
                continue
            if ready:
                found = self._needs[address]
                self._known[address] = found.union(*(self._known.get(need, frozenset()) for need in found))
            elif address not in seen:
                seen.add(address)
                waiting.append((address, True))
                waiting += [(need, False) for need in self._needs[address] if need not in self._known]
        return self._known[start]
