"""What others changed is found field by field, told apart from what the spec changed, and put back."""

from __future__ import annotations

import pytest

from asstops.services import by_name
from tests.conformance.agent_drifts import AGENT_DRIFTS, FULL_AGENTS, FULL_FOUNDRY
from tests.conformance.cases import FILES, put
from tests.conformance.drifts import DRIFTS, FULL, FULL_ARM, Drift
from tests.conformance.portal import change
from tests.support.live import differing, live_form, newest
from tests.support.stage import Json, Stage, causes

EVERY = (*DRIFTS, *AGENT_DRIFTS)
SPECS = {"assistants": (FULL, FULL_ARM), "agents": (FULL_AGENTS, FULL_FOUNDRY)}
UNSEEN = {
    # Fields in which nobody can make a change that asstops could put back.
    "resource": {"location", "kind", "sku", "custom_subdomain"},
    "project": set(),
    "deployment": {"model.name", "model.format", "sku.name"},
    "file": {"content"},
    "vector_store": {"files"},
    "assistant": set(),
}


@pytest.mark.parametrize("service", SPECS)
def test_no_readable_field_is_forgotten(stage: Stage, service: str) -> None:
    """Every field that a kind reads has a case of drift, or stands in UNSEEN."""
    kinds = by_name(service).kinds
    seen: dict[str, set[str]] = {name: set() for name in kinds}
    for spec in SPECS[service]:
        stage.apply(spec, FILES)
        stage.plan()
        assert stage.last is not None
        for kind, objects in stage.last.snapshot.objects.items():
            seen[kind] |= {path for live in objects if live.mark is not None for path in live.body}
            seen[kind] -= kinds[kind].rules.shown_only
    covered = {name: set(UNSEEN[name]) for name in kinds}
    for drift in EVERY:
        kind = drift.address.partition(".")[0]
        if drift.spec in SPECS[service] or (kind == "deployment" and _shared(kind)):
            field = drift.path.partition(".")[0]
            covered[kind].add(field if field in kinds[kind].rules.maps else drift.path)
    assert covered == seen


def _shared(kind: str) -> bool:
    """Whether both services have the very same kind in Azure Resource Manager: once is enough then."""
    one, other = (by_name(service).kinds[kind] for service in SPECS)
    return type(one) is type(other) and one.plane == "arm"


def _put_back(stage: Stage, drift: Drift, before: Json) -> None:
    paths = (drift.path, *drift.also)
    plan = stage.plan()
    assert causes(plan) == {drift.address: dict.fromkeys(paths, "drift")}
    assert plan.summary().drifted_fields == len(paths)
    stage.apply()
    stage.assert_settled()
    assert differing(newest(live_form(stage.dump())), before) == {}


@pytest.mark.parametrize("drift", EVERY, ids=str)
def test_drift_is_found_and_put_back(stage: Stage, drift: Drift) -> None:
    """Of an agent also where the version that somebody made has lost our mark."""
    stage.apply(drift.spec, FILES)
    before = newest(live_form(stage.dump()))
    change(stage, drift)
    _put_back(stage, drift, before)
    if stage.dump()["agents"] and drift.address.startswith("assistant"):
        change(stage, drift, copied=False)
        _put_back(stage, drift, before)


@pytest.mark.parametrize("drift", [drift for drift in EVERY if drift.at[2:]], ids=str)
def test_drift_is_told_apart_from_a_pendingchange(stage: Stage, drift: Drift) -> None:
    """Pending when only the spec changed; both when the live object changed as well. A switch has no third value."""
    stage.apply(drift.spec, FILES)
    stage.write(put(drift.spec, drift.at, drift.value))
    assert causes(stage.plan())[drift.address][drift.path] == "pending"

    change(stage, drift)
    assert causes(stage.plan())[drift.address][drift.path] == "both"
    if drift.applied:
        stage.apply()
        stage.assert_settled()
