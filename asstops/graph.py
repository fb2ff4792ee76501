"""The order of work: which step of an apply must wait for which. Pure.

    make(X)   after make(D) of everything X refers to
    drop(F)   a file: after whatever goes on without it has let go; before what dies with it
    drop(Y)   anything else: after everything that used it was moved away or dropped
    make(N)   after drop(N) where a name can exist only once

What remembers files dies after them, so that an interrupted destroy always finds them again.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from asstops.errors import CycleError
from asstops.model import Action, Address, Change, Observed, Resource, Verb


class Phase(Enum):
    """`make` brings the wanted object about, `drop` removes what is no longer wanted."""

    MAKE = "make"
    DROP = "drop"


StepId = tuple[Address, Phase]


@dataclass(frozen=True, slots=True)
class Step:
    """One piece of work of an apply. `drops` are the live objects that a DROP removes."""

    change: Change
    phase: Phase
    requires: frozenset[StepId]
    drops: tuple[Observed, ...] = ()

    @property
    def id(self) -> StepId:
        return (self.change.address, self.phase)

    @property
    def verb(self) -> Verb:
        """What it does, as said to people."""
        if self.phase is Phase.DROP:
            return Verb.DELETE
        return Verb.UPDATE if self.change.action is Action.UPDATE else Verb.CREATE


def steps(changes: Sequence[Change]) -> tuple[Step, ...]:
    """The steps of a plan with their prerequisites, sorted so that prerequisites come first.

    Raises CycleError naming the whole path.
    """
    made = {c.address: c for c in changes if c.action in (Action.CREATE, Action.UPDATE, Action.REPLACE)}
    dropped = {c.address: gone for c in changes if (gone := drops(c))}
    users = _users(changes)
    result: dict[StepId, Step] = {}
    for address, change in made.items():
        requires: set[StepId] = set()
        if change.wanted is not None:
            requires |= {(need, Phase.MAKE) for need in change.wanted.references() if need in made}
        if change.delete_first:
            requires.add((address, Phase.DROP))
        result[address, Phase.MAKE] = Step(change, Phase.MAKE, frozenset(requires))
    for change in changes:
        address = change.address
        if address not in dropped:
            continue
        requires = set()
        for user in users.get(address, ()):
            if user == address:
                continue
            if user in made and not change.delete_first:
                requires.add((user, Phase.MAKE))
            if user in dropped and user not in made and address.kind != "file" and not change.delete_first:
                requires.add((user, Phase.DROP))
        if address in made and not change.delete_first:
            requires.add((address, Phase.MAKE))
        result[address, Phase.DROP] = Step(change, Phase.DROP, frozenset(requires), dropped[address])
    for address in dropped:
        # A dying store or assistant remembers which files were attached: those files go first.
        for user in users.get(address, ()) if address.kind == "file" else ():
            if user in dropped and user not in made:
                step = result[user, Phase.DROP]
                more = step.requires | {(address, Phase.DROP)}
                result[user, Phase.DROP] = Step(step.change, step.phase, more, step.drops)
    return _sorted(result)


def drops(change: Change) -> tuple[Observed, ...]:
    """The live objects that are gone once the change is carried out."""
    goes = (change.action is Action.DELETE or change.moves) and not change.spares
    own = (change.live,) if change.live is not None and goes else ()
    return (*own, *change.retires)


def _users(changes: Iterable[Change]) -> dict[Address, set[Address]]:
    """Who used what: address -> addresses of live objects (with a change of their own) that refer to it."""
    owners = {
        (live.kind, live.remote_id): change.address
        for change in changes
        for live in ((change.live, *change.retires) if change.live is not None else change.retires)
    }
    users: dict[Address, set[Address]] = {}
    for change in changes:
        for live in (change.live, *change.retires):
            for used in live.uses if live is not None else ():
                if used in owners:
                    users.setdefault(owners[used], set()).add(change.address)
        if change.wanted is not None:
            for need in change.wanted.references():
                users.setdefault(need, set()).add(change.address)
    return users


def order(resources: Mapping[Address, Resource]) -> tuple[Address, ...]:
    """All addresses, each after everything it refers to, otherwise alphabetical. Raises CycleError."""
    needs = {address: {r for r in resource.references() if r in resources} for address, resource in resources.items()}
    return _topological(needs, key=lambda address: (address.kind, address.key))


def _sorted(found: Mapping[StepId, Step]) -> tuple[Step, ...]:
    needs = {step: {need for need in found[step].requires if need in found} for step in found}
    return tuple(
        found[step] for step in _topological(needs, key=lambda step: (step[0].kind, step[0].key, step[1].value))
    )


Node = TypeVar("Node", bound=Hashable)


def _topological(needs: Mapping[Node, set[Node]], key: Callable[[Node], Any]) -> tuple[Node, ...]:
    """Kahn's algorithm with a heap, so that the order is the same on every run."""
    waiting = {node: len(before) for node, before in needs.items()}
    unlocks: dict[Node, list[Node]] = {}
    for node, before in needs.items():
        for need in before:
            unlocks.setdefault(need, []).append(node)
    ready = [(key(node), node) for node, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    result: list[Node] = []
    while ready:
        _, node = heapq.heappop(ready)
        result.append(node)
        for after in unlocks.get(node, ()):
            waiting[after] -= 1
            if waiting[after] == 0:
                heapq.heappush(ready, (key(after), after))
    if len(result) < len(needs):
        raise CycleError("references form a circle: " + " -> ".join(_circle(needs, set(result))))
    return tuple(result)


def _circle(needs: Mapping[Node, set[Node]], done: set[Node]) -> list[str]:
    """Follow unmet needs from any stuck node until one comes round again."""
    node = min((n for n in needs if n not in done), key=str)
    path: dict[Node, None] = {}  # a set that keeps the order
    while node not in path:
        path[node] = None
        node = min((n for n in needs[node] if n not in done), key=str)
    ways = list(path)
    return [_name(n) for n in (*ways[ways.index(node) :], node)]


def _name(node: object) -> str:
    return f"{node[1].value} {node[0]}" if isinstance(node, tuple) else str(node)
