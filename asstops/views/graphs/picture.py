"""The nodes and edges that a picture shows: many files are one node, and so is whatever would be too much. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Hashable, Mapping
from dataclasses import dataclass

from asstops.model import Action, Address, Plan
from asstops.views.graphs.links import Links
from asstops.views.text import count, safe

_STAYS = ("", Action.NOOP.value)

FEW = 4
"""That many alike stand one by one; more of them are one node."""
MOST = 80
"""Nodes that a picture has at most, unless even the kinds are more."""


@dataclass(frozen=True, slots=True)
class Node:
    """One object, or `count` objects of a kind that are shown as one.

    `id` is `n0`, `n1`, …: safe in every format, and the same on every run. `label` is on one line and neutralised.
    `address` is None for several. `action` is None where there is no plan; NOOP is "stays as it is".
    """

    id: str
    kind: str
    label: str
    address: Address | None
    count: int = 1
    action: Action | None = None
    foreign: bool = False

    @property
    def symbol(self) -> str:
        """The action's symbol, "" for what stays."""
        return "" if self.action in (None, Action.NOOP) else self.action.symbol

    @property
    def text(self) -> str:
        """What is written on it, over all formats the same: `~ assistant.sales`."""
        about = f"{self.symbol} {self.label}".strip()
        return f"{about} (not managed)" if self.foreign else about


@dataclass(frozen=True, slots=True)
class Picture:
    """Nodes sorted by address, and edges from what refers to what is referred to, as positions in `nodes`."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int], ...]
    title: str = ""

    def below(self, node: int) -> list[int]:
        """What a node refers to, in order."""
        return [to for start, to in self.edges if start == node]


_Group = Callable[[Address], Hashable]


def picture(links: Links, plan: Plan | None = None, *, title: str = "") -> Picture:
    """What to draw. With a plan, nodes carry what it does with them."""
    actions = {change.address: change.action for change in plan.changes} if plan is not None else {}
    other = None if plan is None else Action.NOOP
    users: dict[Address, set[Address]] = {address: set() for address in links.uses}
    for address, used in links.uses.items():
        for need in used:
            users[need].add(address)

    def doing(address: Address) -> tuple[str, str, bool]:
        action = actions.get(address, other)
        return address.kind, action.value if action is not None else "", address in links.foreign

    def alike(address: Address) -> Hashable:
        """Same kind, same action, same neighbours."""
        return doing(address), frozenset(users[address]), links.uses[address]

    def files(address: Address) -> Hashable:
        return alike(address) if address.kind == "file" else address

    groups = _folded(links, files)
    if len(groups) > MOST:
        groups = _folded(links, alike)
    classes = Counter(doing(group[0]) for group in groups)
    # What stays as it is tells the reader least, and after that what there is most of.
    least = sorted(classes, key=lambda its: (its[1] not in _STAYS, -classes[its], its))
    whole: set[Hashable] = set()
    while len(groups) > MOST and least:
        whole.add(least.pop(0))
        groups = _folded(links, lambda address: doing(address) if doing(address) in whole else alike(address), whole)
    nodes: list[Node] = []
    place: dict[Address, int] = {}
    for number, group in enumerate(groups):
        first = group[0]
        alone = len(group) == 1
        nodes.append(
            Node(
                f"n{number}",
                first.kind,
                safe(str(first)) if alone else _several(first.kind, len(group)),
                first if alone else None,
                len(group),
                actions.get(first, other),
                first in links.foreign,
            )
        )
        place.update((address, number) for address in group)
    edges = {(place[address], place[need]) for address, used in links.uses.items() for need in used}
    return Picture(tuple(nodes), tuple(sorted(edge for edge in edges if edge[0] != edge[1])), title)


def _folded(links: Links, way: _Group, whole: Container[Hashable] = ()) -> list[list[Address]]:
    """The addresses in groups: few alike stay alone, unless their group is in `whole`."""
    found: dict[Hashable, list[Address]] = {}
    for address in sorted(links.uses):
        found.setdefault(way(address), []).append(address)
    groups: list[list[Address]] = []
    for key, group in found.items():
        groups += [group] if len(group) > FEW or key in whole else [[address] for address in group]
    return sorted(groups)


def _several(kind: str, number: int) -> str:
    return count(number, kind.replace("_", " "))


def counted(picture: Picture) -> Mapping[Action, int]:
    """How many objects each action has, those that stay included."""
    found: dict[Action, int] = {}
    for node in picture.nodes:
        if node.action is not None:
            found[node.action] = found.get(node.action, 0) + node.count
    return found
