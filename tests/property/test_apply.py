"""What holds for every spec once it meets a service: idempotence, order of keys, history, order of work."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from asstops import graph
from asstops.emulator import EmulatorServer
from asstops.model import Action, StepState, Verb
from asstops.planner import Request, make_plan
from asstops.services import by_name
from tests.property.strategies import SERVICES, SpecCase, shuffled, spec_documents
from tests.support.live import differing, is_bare, live_form, newest
from tests.support.stage import Json, Stage, as_json, emulator, staged_in

BOUNDED = settings(
    deadline=None, max_examples=12, derandomize=True, database=None,
    phases=[Phase.explicit, Phase.generate],  # shrinking would carry out hundreds of applies
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
SHUFFLES = st.randoms(use_true_random=False)


@pytest.fixture(scope="module")
def server() -> Iterator[EmulatorServer]:
    with emulator() as found:
        yield found


def appliable(case: SpecCase) -> SpecCase:
    """The case with only such models, versions and files as the service takes, and nothing that is protected."""
    document = copy.deepcopy(case.document)
    for deployment in document.get("deployments", {}).values():
        if deployment["model"]["name"] != "gpt-4o":
            deployment["model"].pop("version", None)
    for assistant in document.get("assistants", {}).values():
        if "deployments" not in document and assistant["model"] == "gpt-4.1":
            assistant["model"] = "gpt-4o"
    for file in document.get("files", {}).values():
        file["path"] = _supported(file["path"])
    document.get("resource", {}).pop("protect", None)
    document.setdefault("assistants", {})["always"] = {"model": sorted(document.get("deployments", {"gpt-4o": {}}))[0]}
    files = {_supported(path): json.dumps(content.hex()).encode() for path, content in case.files.items()}
    return SpecCase(document, files)


def _supported(path: str) -> str:
    """A vector store takes in only some types of file, which is the service's business and not ours here."""
    return path if path.endswith((".md", ".json", ".txt")) else f"{path}.md"


SPECS = spec_documents().map(appliable)


@st.composite
def histories(draw: st.DrawFn) -> tuple[SpecCase, SpecCase]:
    """Two specs of one stack in one account, as two commits may hold."""
    with_resource, service = draw(st.booleans()), draw(SERVICES)
    both = spec_documents(with_resource=with_resource, service=service)
    first, second = (appliable(draw(both)) for _ in range(2))
    document: dict[str, Any] = {**second.document, "stack": first.document["stack"]}
    if with_resource:
        same = {
            name: first.document["resource"][name] for name in ("name", "resource_group", "subscription_id", "location")
        }
        document["resource"] = {**second.document["resource"], **same}
        if service == "agents":
            project = {**second.document["resource"]["project"], "name": first.document["resource"]["project"]["name"]}
            document["resource"]["project"] = project
    return first, replace(second, document=document)


def meant(stage: Stage) -> Json:
    """What is live, without how agents came to it: no version is made for what only a mark remembers."""
    form = newest(live_form(stage.dump()))
    for agent in form["agents"]:
        for version in agent["versions"]:
            version["metadata"] = {**version["metadata"], "": version["metadata"][""][:4]}
    return form


def put_on(stage: Stage, case: SpecCase) -> None:
    stage.clear()
    case.write(stage.folder)


@BOUNDED
@given(SPECS)
def test_a_second_plan_is_empty(server: EmulatorServer, case: SpecCase) -> None:
    """And sends not one writing request. Destroyed, nothing is left."""
    with staged_in(server) as stage:
        put_on(stage, case)
        stage.apply()
        stage.assert_settled()
        stage.destroy()
        assert is_bare(stage.dump())
        stage.check_requests()


@BOUNDED
@given(histories(), SHUFFLES)
def test_the_order_of_keys_changes_nothing(
    server: EmulatorServer, history: tuple[SpecCase, SpecCase], source: random.Random
) -> None:
    """The same plan, byte for byte, on an empty service and on one that holds another spec of the stack."""
    first, second = history
    other = replace(second, document=shuffled(second.document, source))
    with staged_in(server) as stage:
        put_on(stage, second)
        plan = as_json(stage.plan())
        put_on(stage, other)
        assert as_json(stage.plan()) == plan

        put_on(stage, first)
        stage.apply()
        put_on(stage, second)
        plan = as_json(stage.plan())
        put_on(stage, other)
        assert as_json(stage.plan()) == plan


@BOUNDED
@given(histories())
def test_what_was_there_before_leaves_no_trace(server: EmulatorServer, history: tuple[SpecCase, SpecCase]) -> None:
    """A, then B, ends in the same live state as B alone; then A again, as A alone."""
    first, second = history
    with staged_in(server) as stage:
        put_on(stage, first)
        stage.apply()
        alone = meant(stage)
        put_on(stage, second)
        stage.apply()
        stage.assert_settled()
        after = meant(stage)
        put_on(stage, first)
        stage.apply()
        stage.assert_settled()
        assert differing(meant(stage), alone) == {}

        stage.reset()
        put_on(stage, second)
        stage.apply()
        assert differing(after, meant(stage)) == {}


@BOUNDED
@given(histories(), SHUFFLES)
def test_the_planner_is_the_same_whatever_order_it_reads_in(
    server: EmulatorServer, history: tuple[SpecCase, SpecCase], source: random.Random
) -> None:
    first, second = history
    with staged_in(server) as stage:
        put_on(stage, first)
        stage.apply()
        put_on(stage, second)
        plan = stage.plan()
        assert stage.last is not None
        snapshot, wanted = stage.last.snapshot, list(stage.last.wanted.items())
        objects = {kind: source.sample(list(found), len(found)) for kind, found in snapshot.objects.items()}
        source.shuffle(wanted)
        rules = by_name(plan.target.service).rules
        again = make_plan(Request(plan.target), dict(wanted), replace(snapshot, objects=objects), rules)
        assert as_json(again) == as_json(plan)
        assert [step.id for step in graph.steps(again.changes)] == [step.id for step in graph.steps(plan.changes)]


@BOUNDED
@given(SPECS)
def test_prerequisites_come_first_and_go_last(server: EmulatorServer, case: SpecCase) -> None:
    """As it happened: nothing begins before what it refers to is there, nothing goes before its users are gone."""
    with staged_in(server) as stage:
        put_on(stage, case)
        stage.apply(parallelism=4)
        assert stage.last is not None
        wanted = {address: resource for address, resource in stage.last.wanted.items() if resource.owned}
        begun, ended = _when(stage, Verb.CREATE)
        for address, resource in wanted.items():
            for need in resource.references() & set(wanted):
                assert ended[need] < begun[address], f"{address} was begun before {need} was there"
        stage.destroy()
        begun, ended = _when(stage, Verb.DELETE)
        assert set(ended) == set(wanted)
        for address, resource in wanted.items():
            for need in resource.references() & set(wanted):
                # What remembers files dies after them.
                first, last = (need, address) if need.kind == "file" else (address, need)
                assert ended[first] < begun[last], f"{last} was begun before {first} was gone"


def _when(stage: Stage, verb: Verb) -> tuple[dict[Any, int], dict[Any, int]]:
    """When each address was begun and done: places in the stream of events."""
    at = [(event, place) for place, event in enumerate(stage.events) if event.verb is verb]
    return (
        {event.address: place for event, place in at if event.state is StepState.STARTED},
        {event.address: place for event, place in at if event.state is StepState.DONE},
    )


@BOUNDED
@given(histories())
def test_steps_are_sorted_so_that_prerequisites_come_first(
    server: EmulatorServer, history: tuple[SpecCase, SpecCase]
) -> None:
    """Whatever must change: a step's prerequisites stand before it, new before old, and every change has its step."""
    first, second = history
    with staged_in(server) as stage:
        put_on(stage, first)
        stage.apply()
        put_on(stage, second)
        plan = stage.plan()
        steps = graph.steps(plan.changes)
        place = {step.id: number for number, step in enumerate(steps)}
        assert all(place[need] < place[step.id] for step in steps for need in step.requires)
        assert {step.change.address for step in steps} == {change.address for change in plan.changes}
        for change in plan.changes:
            if change.action is Action.REPLACE:
                make, drop = (place[change.address, phase] for phase in (graph.Phase.MAKE, graph.Phase.DROP))
                assert (drop < make) is change.delete_first
