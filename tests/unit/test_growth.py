"""What is decided and shown of a stack grows with the stack, and never with its square. Counted, not timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count

import pytest

from asstops import drift, fingerprint, graph, planfile, recheck
from asstops import record as r
from asstops.errors import CycleError
from asstops.inventory import inventory
from asstops.journal import Story
from asstops.model import Address, Mark, Observed, Plan, Ref, Resource, Target
from asstops.observe import _told_apart as told_apart
from asstops.ownership import Snapshot
from asstops.pins import pins
from asstops.planner import Request, make_plan
from asstops.redact import Redactor
from asstops.views import machine
from asstops.views.graphs import find_links, picture
from asstops.views.human import render_plan
from asstops.views.markdown import render_plan as render_markdown
from tests.support.counted import calls, growth
from tests.support.imagined import RULES, STACK, bot, live, store, wanted_file

SMALL = 30
LINEAR = 5.0
"""Of four times as much: what is sorted takes somewhat more than four times the work. A square takes sixteen."""
_run = count()


def spec(number: int) -> dict[Address, Resource]:
    """Assistants, a tenth as many stores of ten files each, and a file and a store that many of them share."""
    name = f"r{next(_run)}"  # no two alike: what was remembered of one must not make the next one cheaper
    files = [wanted_file(f"{name}/{i}.md", f"{i}.md", f"{i:064x}") for i in range(number)]
    stores = [
        store(f"{name}-s{i}", name=f"s{i}", files=[Ref(file.address) for file in files[i * 10 : i * 10 + 10]])
        for i in range(number // 10)
    ]
    shared = store(f"{name}-all", name="all", files=[Ref(file.address) for file in files])
    keys = [item.address.key for item in stores]
    bots = [
        bot(
            f"{name}-b{i}",
            keys[i % len(keys)] if i % 2 else shared.address.key,
            name=f"bot {i}",
            instructions="Be kind.\nBe short.\n" + str(i),
            **{"code_interpreter.files": [Ref(files[0].address)]},
        )
        for i in range(number)
    ]
    return {item.address: item for item in sorted([*files, *stores, shared, *bots], key=lambda item: item.address)}


def applied(wanted: Mapping[Address, Resource]) -> dict[str, Sequence[Observed]]:
    """Everything of a spec as it is once it was applied, with the pages of the record, before files are told apart."""
    ids = {address: f"{address.kind[:4]}_{address.key}" for address in wanted}
    found: dict[str, list[Observed]] = {kind: [] for kind in RULES}
    entries: dict[str, str] = {}
    for address, item in wanted.items():
        if item.source is not None:
            body = {"name": item.source.name, "size_bytes": item.source.size_bytes}
            found["file"].append(Observed("file", ids[address], item.source.name, body))
            entries[r.id_digest(ids[address])] = r.content_digest(address.key, item.source)
        else:
            there = live(item, ids[address], ids={need: ids[need] for need in item.references()})
            found[address.kind].append(replace(there, name=str(item.body["name"]), raw={"metadata": {}}))
    flat = list(entries.items())
    for page in range(-(-len(flat) // r.PER_PAGE)):
        written = r.encode(dict(flat[page * r.PER_PAGE : (page + 1) * r.PER_PAGE]), None)
        mark = Mark(STACK, r.page_key(page), nonce=f"n{page}")
        found["vector_store"].append(
            Observed("vector_store", f"vs_{page}", r.page_name(STACK, page), {}, mark, raw={"metadata": written})
        )
    return dict(found)


def edited(objects: Mapping[str, Sequence[Observed]]) -> dict[str, Sequence[Observed]]:
    """The same, each assistant and store changed by others."""

    def by_others(item: Observed) -> Observed:
        if item.kind == "assistant":
            return replace(item, body={**item.body, "name": "other", "instructions": "Be kind.\nBe long.\n"})
        return item if "files" not in item.body else replace(item, body={**item.body, "name": "other", "files": []})

    return {kind: [by_others(item) for item in found] for kind, found in objects.items()}


def planned(
    wanted: Mapping[Address, Resource], objects: Mapping[str, Sequence[Observed]], *, destroy: bool = False
) -> tuple[Plan, Snapshot]:
    snapshot = told_apart(dict(objects), wanted, STACK, Story(), [], {})
    return make_plan(Request(Target(STACK, "assistants"), destroy=destroy), wanted, snapshot, RULES), snapshot


def shown(wanted: Mapping[Address, Resource], plan: Plan, snapshot: Snapshot) -> dict[str, Callable[[], object]]:
    """What the commands make of a plan."""
    masked = Redactor(["a-secret-value"]).value(plan)
    links = find_links(wanted, masked)
    held = pins(plan, wanted, snapshot, RULES)
    saved = planfile.SavedPlan(masked, held, planfile.Invocation(), "1", "2026-11-20T00:00:00Z", links)
    text = planfile.to_text(saved).encode()
    again = planfile.from_bytes(text, version="1")
    return {
        "masked": lambda: Redactor(["a-secret-value"]).value(plan),
        "human": lambda: render_plan(masked, width=100, color=True),
        "json": lambda: machine.dumps(machine.plan_to_json(masked)),
        "markdown": lambda: render_markdown(masked, rest="…", limit=5_000),
        "drift": lambda: drift.drift(masked),
        "links": lambda: find_links(wanted, masked),
        "picture": lambda: picture(links, masked),
        "pins": lambda: pins(plan, wanted, snapshot, RULES),
        "saved": lambda: planfile.to_text(saved),
        "read": lambda: planfile.from_bytes(text, version="1"),
        "compared": lambda: planfile.moved_since(again, masked, held),
        "inventory": lambda: list(inventory(STACK, wanted, snapshot, RULES)),
    }


State = Callable[[Mapping[Address, Resource]], tuple[Mapping[Address, Resource], Mapping[str, Sequence[Observed]]]]
STATES: dict[str, State] = {
    "empty": lambda wanted: (wanted, applied(wanted)),
    "create": lambda wanted: (wanted, {kind: [] for kind in RULES}),
    "update": lambda wanted: (wanted, edited(applied(wanted))),
    "delete": lambda wanted: ({}, applied(wanted)),
}


@pytest.mark.parametrize("state", STATES)
def test_a_plan_and_what_is_shown_of_it_grow_with_the_stack(state: str) -> None:
    """Nothing changes, everything is new, everything has drifted, everything goes: each object costs the same."""

    def counted(number: int) -> dict[str, int]:
        wanted, objects = STATES[state](spec(number))
        plan, snapshot = planned(wanted, objects)
        assert bool(plan.changes) == (state != "empty")
        found = {name: calls(work) for name, work in shown(wanted, plan, snapshot).items()}
        return {"plan": calls(lambda: planned(wanted, objects)), **found}

    counted(10)
    few, many = counted(SMALL), counted(4 * SMALL)
    # What is done once, however large the stack is, counts for nothing.
    assert {name: many[name] / few[name] for name in few if many[name] > LINEAR * few[name]} == {}


def test_a_destroy_grows_with_the_stack() -> None:
    """The order in which everything goes is found without comparing everything with everything."""

    def work(number: int) -> Callable[[], object]:
        wanted = spec(number)
        objects = applied(wanted)
        return lambda: graph.steps(planned(wanted, objects, destroy=True)[0].changes)

    assert growth(work) < LINEAR


def test_new_objects_with_the_names_of_others_cost_the_same_each() -> None:
    """Whether somebody cleared a mark is asked of each, and answered without looking at all that is live."""

    def work(number: int) -> Callable[[], object]:
        wanted = spec(number)
        objects = applied(wanted)
        unmarked = [replace(item, mark=None) for item in objects["assistant"]]
        return lambda: planned(wanted, {**objects, "assistant": unmarked})

    assert growth(work, small=60) < LINEAR


def test_a_long_circle_is_found_at_once() -> None:
    """The path that an error names is followed without searching what was passed."""
    size = 2_000
    bots = [bot(f"b{i:05}", f"b{i + 1:05}") for i in range(size)]
    circle = {
        Address("vector_store", item.address.key): replace(
            item,
            address=Address("vector_store", item.address.key),
            body={"files": [Ref(Address("vector_store", f"b{(index + 1) % size:05}"))]},
        )
        for index, item in enumerate(bots)
    }

    def work() -> None:
        with pytest.raises(CycleError, match=r"b00000 -> vector_store[.]b00001"):
            graph.order(circle)

    assert calls(work) < 100 * size


def test_a_look_before_a_delete_does_not_copy_what_is_gone() -> None:
    """Of the thousands of ids that a destroy has deleted, only those that the object refers to are looked up."""

    class Gone(frozenset[str]):
        def __iter__(self) -> Iterator[str]:
            raise AssertionError("all of it was read")

    gone = Gone({"file_1", "file_2"})
    before = Observed("vector_store", "vs_1", "docs", {"files": ["file_1", "file_3"]})

    class Stores:
        rules = RULES["vector_store"]

        def look(self, session: object, there: Observed) -> Observed:
            return replace(there, body={"files": ["file_3"]})

    assert recheck.still_as_planned(None, Stores(), before, gone) is not None  # type: ignore[arg-type]
    assert set(fingerprint.referred(RULES["vector_store"], before)) == {"file_1", "file_3"}
