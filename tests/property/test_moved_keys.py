"""A change of key is no delete and create, whatever refers to what, and wherever an apply is cut off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from asstops import graph
from asstops.model import Action, Address, Change, Observed, Plan, Ref, Resource, Target
from asstops.moves import goal
from asstops.planner import Request, make_plan
from asstops.record import claim, content_digest
from tests.support import imagined

QUICK = settings(deadline=None, max_examples=60, derandomize=True, database=None)
KINDS = ("file", "vector_store", "assistant")


@dataclass(frozen=True)
class Shape:
    """Which object refers to which, by position; how often the key of each has changed, first and afterwards."""

    files: int
    stores: tuple[frozenset[int], ...]
    bots: tuple[tuple[int, frozenset[int]], ...]
    renames: tuple[tuple[int, int], ...]


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    files = draw(st.integers(1, 4))
    some = st.frozensets(st.integers(0, files - 1))
    stores = draw(st.lists(some, min_size=1, max_size=3))
    bots = draw(st.lists(st.tuples(st.integers(0, len(stores) - 1), some), max_size=3))
    count = files + len(stores) + len(bots)
    renames = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=count, max_size=count))
    return Shape(files, tuple(stores), tuple(bots), tuple(renames))


def addresses(shape: Shape) -> list[Address]:
    """The first addresses of all objects, in the order of `renames`."""
    counts = (shape.files, len(shape.stores), len(shape.bots))
    return [Address(kind, f"k{n}") for kind, count in zip(KINDS, counts, strict=True) for n in range(count)]


def moves(shape: Shape, *, first: bool = False) -> dict[Address, Address]:
    """One move for each change of a key; those of several make a chain. With `first` only those of the first time."""
    found = {}
    for address, (before, after) in zip(addresses(shape), shape.renames, strict=True):
        for _ in range(before + (0 if first else after)):
            new = replace(address, key=f"{address.key}-x")
            found[address], address = new, new
    return found


def wanted(shape: Shape, moved: Mapping[Address, Address]) -> dict[Address, Resource]:
    """The spec with the keys that are valid under `moved`."""

    def at(kind: str, number: int) -> Address:
        return goal(moved, Address(kind, f"k{number}"))

    made: list[Resource] = [imagined.wanted_file(at("file", n).key, f"{n % 2}.md", str(n)) for n in range(shape.files)]
    for n, files in enumerate(shape.stores):
        made.append(imagined.store(at("vector_store", n).key, files=[Ref(at("file", f)) for f in sorted(files)]))
    for n, (store, files) in enumerate(shape.bots):
        refs = {"code_interpreter.files": [Ref(at("file", f)) for f in sorted(files)]}
        made.append(imagined.bot(at("assistant", n).key, ref=at("vector_store", store).key, **refs))
    return {resource.address: resource for resource in made}


class World:
    """What is live: marks on objects, entries of files. Only marks and entries ever change here."""

    def __init__(self, spec: Mapping[Address, Resource]) -> None:
        ids = {address: f"id-{address}" for address in spec}
        self.entries = {ids[a]: content_digest(a.key, s.source) for a, s in spec.items() if s.source is not None}
        self.files = [imagined.live_file(ids[a], s.source.name) for a, s in spec.items() if s.source is not None]
        self.objects = [imagined.live(s, ids[a], ids=ids) for a, s in spec.items() if s.source is None]

    def plan(self, spec: Mapping[Address, Resource], moved: Mapping[Address, Address]) -> Plan:
        record = imagined.recorded(*self.entries.items())
        files = claim(self.files, record, spec, imagined.STACK, moves=moved).ours
        seen = replace(imagined.snapshot([*self.objects, *files], record), moves=dict(moved))
        return make_plan(Request(Target(imagined.STACK, "assistants")), spec, seen, imagined.RULES)

    def carry_out(self, change: Change) -> None:
        live, resource = change.live, change.wanted
        assert live is not None
        assert resource is not None
        if resource.source is not None:
            self.entries[live.remote_id] = content_digest(change.address.key, resource.source)
            return
        self.objects = [self._marked(item, change) for item in self.objects]

    def _marked(self, item: Observed, change: Change) -> Observed:
        mine = change.live is not None and item.remote_id == change.live.remote_id
        return replace(item, mark=change.mark) if mine else item


def moves_only(found: Plan) -> bool:
    return all(change.action is Action.UPDATE and not change.diffs and not change.moves for change in found.changes)


@QUICK
@given(shapes(), st.data())
def test_moving_keys_only_ever_writes_marks(shape: Shape, data: st.DataObject) -> None:
    """Cut off after any step, the next plan goes on; then nothing is left, with the moves in the spec or without."""
    before, moved = moves(shape, first=True), moves(shape)
    world, spec = World(wanted(shape, before)), wanted(shape, moved)
    first = world.plan(spec, moved)
    assert moves_only(first)
    assert {(str(c.moved_from), str(c.address)) for c in first.changes if c.moved_from} == {
        (str(goal(before, a)), str(goal(moved, a)))
        for a, (_, after) in zip(addresses(shape), shape.renames, strict=True)
        if after
    }
    steps: tuple[Any, ...] = graph.steps(first.changes)
    for step in steps[: data.draw(st.integers(0, len(steps)))]:
        world.carry_out(step.change)
    second = world.plan(spec, moved)
    assert moves_only(second)
    for step in graph.steps(second.changes):
        world.carry_out(step.change)
    assert world.plan(spec, moved).is_empty
    assert world.plan(spec, {}).is_empty
