"""What a stack has: each object of the spec beside what is live, and what is live without being in the spec. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from asstops.diff import display, display_live
from asstops.model import Address, Body, Observed, Resource
from asstops.ownership import Ownership, Snapshot
from asstops.rules import KindRules


class State(Enum):
    """How an object of a stack stands. The value is the word in JSON."""

    LIVE = "live"
    MISSING = "missing"
    REFERRED = "referred"
    LEFT = "left_the_spec"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    State.LIVE: "live",
    State.MISSING: "not there yet",
    State.REFERRED: "live, managed elsewhere",
    State.LEFT: "live, no longer in the spec",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One object. `remote_id` and `live` are None when nothing is live; `copies` are others at the same address.

    `body` is what is live, for display: ids of the stack's own objects as addresses.
    """

    address: Address
    state: State
    wanted: Resource | None
    live: Observed | None
    remote_id: str | None
    body: Body
    copies: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What people call it: the live name, else the wanted one, else the key."""
        for found in (self.live, self.wanted):
            name = found.body.get("name") if found is not None else None
            if isinstance(name, str) and name:
                return name
        return self.address.key


def inventory(
    stack: str, wanted: Mapping[Address, Resource], snapshot: Snapshot, rules: Mapping[str, KindRules]
) -> Iterator[Item]:
    """Every object of the stack, by address."""
    live = Ownership(stack, wanted, snapshot, rules)
    for address in sorted({*wanted, *live.owned}):
        resource = wanted.get(address)
        if resource is not None and not resource.owned:
            remote_id = resource.remote_id or address.key
            found = live.by_id.get((address.kind, remote_id))
            yield Item(address, State.REFERRED, resource, found, remote_id, _body(rules, found, live))
        elif address in live.owned:
            found, others = live.winner(address)
            state = State.LIVE if resource is not None else State.LEFT
            copies = tuple(other.remote_id for other in others)
            yield Item(address, state, resource, found, found.remote_id, _body(rules, found, live), copies)
        else:
            body = {path: display(value) for path, value in resource.body.items()} if resource is not None else {}
            yield Item(address, State.MISSING, resource, None, None, body)


def _body(rules: Mapping[str, KindRules], found: Observed | None, live: Ownership) -> Body:
    return {} if found is None else display_live(rules[found.kind], found.body, live.label)
