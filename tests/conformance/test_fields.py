"""Every field of every kind: created, changed, taken out of the spec; after each step a plan is empty."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from asstops.services import by_name
from asstops.services.base import Service
from asstops.spec.functions import ToolSpec
from tests.conformance import agent_cases, cases, test_homes, test_lives, test_ownership, test_versions
from tests.conformance.agent_cases import AGENT_CASES, AGENTS, FOUNDRY
from tests.conformance.cases import ARM, CASES, DATA, FILES, MISSING, UPDATE, Case, fields_of
from tests.support.live import differing, live_form, newest
from tests.support.stage import Json, Stage, shown

BY_SERVICE = {
    "assistants": ({str(case) for case in CASES}, cases.ELSEWHERE),
    "agents": ({str(case) for case in AGENT_CASES}, agent_cases.ELSEWHERE),
}
EVERY = [
    pytest.param(case, id=f"{service}-{case}")
    for service, found in (("assistants", CASES), ("agents", AGENT_CASES))
    for case in found
]


@pytest.mark.parametrize("service", BY_SERVICE)
def test_no_field_is_forgotten(service: str) -> None:
    known, elsewhere = BY_SERVICE[service]
    assert set(_fields(by_name(service))) == known | set(elsewhere)
    tests = vars(test_homes) | vars(test_lives) | vars(test_ownership) | vars(test_versions)
    assert [name for name in elsewhere.values() if name not in tests] == []


def _fields(service: Service) -> Iterator[str]:
    """Every field that a user of the service can write; a kind within another's section goes by its own name."""
    inner = {(kind.within, kind.section) for kind in service.kinds.values()}
    for name, kind in service.kinds.items():
        for path in fields_of(kind.spec):
            lacking = any(path == field or path.startswith(f"{field}.") for field in kind.lacks)
            if not lacking and (name, path.partition(".")[0]) not in inner:
                yield f"{name}.{path}"
    yield from (f"tool.{path}" for path in fields_of(ToolSpec))


@pytest.mark.parametrize(
    "spec", [DATA, ARM, AGENTS, FOUNDRY], ids=["assistants-data", "assistants-arm", "agents-data", "agents-arm"]
)
def test_what_was_made_is_what_was_asked_for(stage: Stage, spec: Json) -> None:
    """Create, read, plan: nothing to do, and not one writing request."""
    stage.apply(spec, FILES)
    stage.assert_settled()


_FRESH: dict[str, Json] = {}


def _fresh(stage: Stage, spec: Json) -> Json:
    """What the spec alone makes of an empty service."""
    key = json.dumps(spec, sort_keys=True)
    if key not in _FRESH:
        stage.reset()
        stage.apply(spec, FILES)
        _FRESH[key] = newest(live_form(stage.dump()))
    return _FRESH[key]


def _versions(stage: Stage) -> int:
    return sum(len(agent["versions"]) for agent in stage.dump()["agents"])


def _carry_out(stage: Stage, spec: Json) -> Json:
    """Apply what is planned. Of an agent that makes one version if it is changed at all, else none."""
    before = _versions(stage)
    agents = spec["service"] == "agents" and "assistant.helper" in shown(stage.plan())
    stage.apply()
    assert _versions(stage) - before == agents
    stage.assert_settled()
    return newest(live_form(stage.dump()))


@pytest.mark.parametrize("case", EVERY)
def test_a_changed_field_is_the_only_change(stage: Stage, case: Case) -> None:
    """And one that leaves the spec goes back to the service's default."""
    after, without = case.document(case.after), case.document(MISSING)
    stage.apply(case.document(case.before), FILES)
    stage.assert_settled()
    stage.write(after)
    assert shown(stage.plan()) == {case.address: (case.action, case.diffs), **case.others}
    if not case.carried_out:
        return
    came_to = [(after, _carry_out(stage, after))]
    if case.removed is not None:
        stage.write(without)
        action = case.action if case.removed else UPDATE
        changes = shown(stage.plan())
        assert changes.get(case.address, (UPDATE, ())) == (action, case.removed)
        live = _carry_out(stage, without)
        if changes:  # else the mark of an agent still names the field
            came_to.append((without, live))
    for spec, live in came_to:
        assert differing(live, _fresh(stage, spec)) == {}
