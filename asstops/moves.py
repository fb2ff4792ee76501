"""Keys that changed: what `moved:` of a spec says, as names that one address had before. Pure.

A move is from one address to another of the same kind, and moves may form chains: with a -> b and b -> c, what is live
may still be called a, or b already. Nothing here reads a mark; `ownership` tells what is live under which name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from asstops.model import Address, Ref

Moves = Mapping[Address, Address]
"""Old address -> the next one, as written. Each address stands at most once on either side, and there is no circle."""

Former = Mapping[Address, Address]
"""Address -> the one that it had before."""

NONE: Moves = MappingProxyType({})


def goal(moves: Moves, address: Address) -> Address:
    """What an address is called now: the end of its chain, itself when it was not moved."""
    while address in moves:
        address = moves[address]
    return address


def histories(moves: Moves) -> dict[Address, tuple[Address, ...]]:
    """Every address at the end of a chain, sorted, with the names that it had, the latest first."""
    back = {new: old for old, new in moves.items()}
    found: dict[Address, tuple[Address, ...]] = {}
    for end in sorted(back.keys() - moves.keys()):
        names, address = [], end
        while address in back:
            address = back[address]
            names.append(address)
        found[end] = tuple(names)
    return found


def circles(moves: Moves) -> Iterator[tuple[Address, ...]]:
    """The addresses of each circle, every circle once, from its first address on."""
    seen: set[Address] = set()
    for start in sorted(moves):
        path: list[Address] = []
        address = start
        while address in moves and address not in seen:
            seen.add(address)
            path.append(address)
            address = moves[address]
        if address in path:
            yield tuple(path[path.index(address) :])


def formers(moves: Moves, now: Former) -> tuple[Former, ...]:
    """The ways in which an earlier apply may have named what is referred to, the likeliest first.

    `now` are the names that live marks still hold. An apply that was cut off has renewed some of those already, while
    what refers to them still names the old ones: the latest before, or the first.
    """
    names = histories(moves)
    ways = [now, {to: old[0] for to, old in names.items()}, {to: old[-1] for to, old in names.items()}]
    return tuple(way for index, way in enumerate(ways) if way and way not in ways[:index])


def renamed(value: Any, former: Former) -> Any:
    """A wanted value (a Ref, a list of them, or anything else) with earlier addresses in its Refs."""
    if isinstance(value, Ref):
        return Ref(former.get(value.address, value.address))
    if isinstance(value, list):
        return [renamed(item, former) for item in value]
    return value


def settled(moves: Moves, owned: Collection[Address]) -> tuple[dict[Address, Address], dict[Address, Address]]:
    """What is live under an earlier name and counts as being at its new one, and what cannot since that is taken.

    Both map old addresses to new ones. Of several names the latest counts.
    """
    goes: dict[Address, Address] = {}
    stays: dict[Address, Address] = {}
    for to, names in histories(moves).items():
        taken = to in owned
        for name in names:
            if name in owned:
                (stays if taken else goes)[name] = to
                taken = True
    return goes, stays
