"""`moved:` of a spec: keys that have changed, so that what is live under an old one is not deleted and made anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from asstops import services
from asstops.errors import Location
from asstops.kinds.base import Kind
from asstops.kinds.fields import SpecModel, Text
from asstops.model import Address, Resource
from asstops.moves import Moves, circles
from asstops.spec.context import Workspace
from asstops.spec.nodes import ListNode, MapNode, Node, Problems, ScalarNode, describe, is_empty, place
from asstops.spec.paths import nfc
from asstops.spec.sections import MOVED
from asstops.spec.validate import validate
from asstops.spec.variables import Variables, interpolate
from asstops.spec.words import cut, did_you_mean

_ADD = "add its entry, or take the move out"
_SUGGESTIONS = 50  # each compares with every address there is
_IDENTITY = {
    "assistant": "an agent's key is its name in the service; a new key is a new agent. To show another name to people, "
    "keep the key and set name:",
    "deployment": "add the new deployment beside the old one, point model: to it, apply, then remove the old one",
}
_IDENTITY_ELSE = "keep the name; what is in it cannot be taken along to another one"


class MoveSpec(SpecModel):
    """A key that has changed."""

    from_: Text = Field(alias="from", description="Address that it had, KIND.KEY.", examples=["assistant.old"])
    to: Text = Field(description="Address that it has in the spec now.", examples=["assistant.new"])


@dataclass(frozen=True, slots=True)
class Move:
    """One entry, with the places of its two addresses."""

    old: Address
    new: Address
    old_at: Location
    new_at: Location


def read_moves(
    whole: MapNode,
    variables: Variables,
    kinds: Mapping[str, Kind[Any]],
    shared: Workspace,
    resources: Mapping[Address, Resource],
) -> Moves:
    """The moves as old -> new address, checked against what the spec has; whatever is wrong is noted as a problem."""
    if shared.unreadable:
        return {}  # whatever a move leads to may be there
    found = _entries(whole, variables, kinds, shared.service or services.DEFAULT, shared.problems)
    # What has problems of its own, and a file that nothing uses, is there all the same.
    declared = {Address(name, key) for name, keys in shared.keys.items() for key in keys}
    return _checked(found, resources, declared, shared.problems)


def _entries(
    whole: MapNode, variables: Variables, kinds: Mapping[str, Kind[Any]], service: str, problems: Problems
) -> list[Move]:
    """The entries whose addresses are sound by themselves."""
    node = whole.entries.get(MOVED)
    if node is None or is_empty(node):
        return []
    if not isinstance(node, ListNode):
        what, fix = f"{MOVED} is {describe(node)}, a list is wanted", "write - {from: KIND.OLD, to: KIND.NEW} lines"
        problems.add(what, whole.keys[MOVED].location, fix)
        return []
    found = []
    for index, item in enumerate(node.items):
        label = f"{MOVED}[{index}]"
        before = len(problems)

        def watch(path: tuple[Any, ...], scalar: ScalarNode, label: str = label) -> None:
            text = f"{label}: a sensitive variable is used in {path[-1] if path else 'it'}, which is an identity"
            problems.add(text, scalar.location, "use one that is not sensitive")

        entry = interpolate(item, variables, {}, watch)
        value = validate(MoveSpec, entry, label, item.location, problems)
        if value is None or len(problems) > before:
            continue
        old = _address(value.from_, "from", label, entry, kinds, service, problems)
        alike = value.from_.partition(".")[0] == value.to.partition(".")[0]  # then once is enough
        new = _address(value.to, "to", label, entry, kinds, service, problems) if old or not alike else None
        if old is not None and new is not None:
            at = {name: place(item.location, entry, (name,)) for name in ("from", "to")}
            if old.kind != new.kind:
                what = f"{label}: {cut(str(old))} and {cut(str(new))} are of different kinds"
                problems.add(what, at["to"], "only a key can change; what is of another kind is made anew")
            else:
                found.append(Move(old, new, at["from"], at["to"]))
    return found


def _address(
    text: str,
    field: str,
    label: str,
    entry: Node,
    kinds: Mapping[str, Kind[Any]],
    service: str,
    problems: Problems,
) -> Address | None:
    where = place(entry.location, entry, (field,))
    movable = sorted(name for name, kind in kinds.items() if not kind.rules.named)
    try:
        address = Address.parse(nfc(text))  # as the keys of globbed files are
    except ValueError:
        problems.add(f"{label}: {field} is {cut(text)!r}, an address is wanted", where, f"write {movable[0]}.KEY")
        return None
    if address.kind not in kinds:
        what = f"{label}: {field} is {cut(text)!r}, and there is no kind {cut(address.kind)!r}"
        problems.add(what, where, did_you_mean(address.kind, movable))
        return None
    if kinds[address.kind].rules.named:
        what = f"{label}: {cut(text)} cannot move: with service: {service} its name is its identity"
        problems.add(what, where, _IDENTITY.get(address.kind, _IDENTITY_ELSE))
        return None
    return address


def _checked(
    found: list[Move], resources: Mapping[Address, Resource], declared: Collection[Address], problems: Problems
) -> Moves:
    moves: dict[Address, Address] = {}
    first_to: dict[Address, Location] = {}
    first_from: dict[Address, Location] = {}
    entries: list[Move] = []
    for move in found:
        if move.old in first_from:
            what = f"{MOVED}: {cut(str(move.old))} is moved twice, first at {first_from[move.old]}"
            problems.add(what, move.old_at, "keep one of the two")
        elif move.new in first_to:
            what = f"{MOVED}: two moves lead to {cut(str(move.new))}, the first at {first_to[move.new]}"
            problems.add(what, move.new_at, "keep one of the two")
        else:
            moves[move.old] = move.new
            entries.append(move)
        first_from.setdefault(move.old, move.old_at)
        first_to.setdefault(move.new, move.new_at)
    around = _in_circles(moves, entries, problems)
    for index, move in enumerate(entries):
        if move.old not in around:
            _check(move, moves, resources, declared, problems, suggest=index < _SUGGESTIONS)
    return moves


def _in_circles(moves: Moves, entries: list[Move], problems: Problems) -> set[Address]:
    places = {move.old: move.old_at for move in entries}
    around: set[Address] = set()
    for circle in circles(moves):
        around.update(circle)
        path = " -> ".join(cut(str(address)) for address in (*circle, circle[0]))
        problems.add(f"{MOVED}: moves form a circle: {path}", places[circle[0]], "take one of them out")
    return around


def _check(
    move: Move,
    moves: Moves,
    resources: Mapping[Address, Resource],
    declared: Collection[Address],
    problems: Problems,
    *,
    suggest: bool,
) -> None:
    if move.old in resources or move.old in declared:
        what = f"{MOVED}: {cut(str(move.old))} is still in the spec"
        problems.add(what, move.old_at, "take out its entry, or the move")
    if move.new in moves:
        return
    resource = resources.get(move.new)
    if resource is not None and not resource.owned:
        what = f"{MOVED}: {cut(str(move.new))} is not managed by this spec (managed: false or id:)"
        problems.add(what, move.new_at, "take the move out, or let asstops manage it")
    elif resource is None and move.new in declared:
        if move.new.kind == "file":
            what = f"{MOVED}: {cut(str(move.new))} is used by nothing, so it is not uploaded"
            problems.add(what, move.new_at, "use it, or take the move out")
    elif resource is None:
        what = f"{MOVED}: {cut(str(move.new))} is neither in the spec nor moved on"
        problems.add(what, move.new_at, _nearest(move.new, resources) if suggest else _ADD)


def _nearest(address: Address, resources: Mapping[Address, Resource]) -> str:
    known = [str(other) for other in resources if other.kind == address.kind and resources[other].owned]
    return did_you_mean(str(address), sorted(known)[:200], _ADD)
