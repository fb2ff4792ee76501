"""`--on-drift keep`, over every readable field of both services: what others changed outlives our own changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from asstops.model import OnDrift, Plan
from tests.conformance.agent_cases import OPENAPI, SHOPS
from tests.conformance.agent_drifts import FULL_AGENTS, FULL_FOUNDRY
from tests.conformance.cases import CITY, FILES, TOWN, At, put
from tests.conformance.drifts import FULL, FULL_ARM, Drift
from tests.conformance.portal import change
from tests.support.stage import Json, Stage, shown

KEEP = OnDrift.KEEP
_H: At = ("assistants", "helper")
_D: At = ("vector_stores", "docs")
_G: At = ("deployments", "gpt")
_PROPERTIES = {
    "model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-08-06"},
    "versionUpgradeOption": "OnceCurrentVersionExpired",
    "raiPolicyName": "Theirs",
}


@dataclass(frozen=True)
class Kept:
    """`bodies` are what others send, by address. `edits` of the spec make asstops write to the same objects after."""

    name: str
    spec: Json
    bodies: dict[str, Json]
    edits: tuple[tuple[At, Any], ...]
    copied: bool = True  # whether an agent's version made by others has our mark

    def __str__(self) -> str:
        return self.name


def _function(parameters: Json) -> Json:
    return {"type": "function", "function": {"name": "weather", "description": "Weather.", "parameters": parameters}}


_CODE: Json = {"type": "code_interpreter"}
_THEIRS: Json = {
    "name": "Theirs",
    "description": "Theirs.",
    "instructions": "Theirs.",
    "temperature": 1.5,
    "top_p": 0.9,
}
_STORE: Json = {"name": "Theirs", "expires_after": {"anchor": "last_active_at", "days": 9}, "metadata": {"owner": "y"}}
_SEARCH = {"type": "file_search", "file_search": {"max_num_results": 9}}
_RANKED = {"ranker": "auto", "score_threshold": 0.9}
_NO_RESOURCES = {"code_interpreter": {"file_ids": []}, "file_search": {"vector_store_ids": []}}

CASES = (
    Kept(
        "assistant",
        FULL,
        {
            "assistant.helper": {
                **_THEIRS,
                "model": "gpt-4o-mini",
                "response_format": {"type": "json_object"},
                "metadata": {"owner": "y"},
                "tools": [_CODE, _SEARCH, _function(CITY)],
                "tool_resources": _NO_RESOURCES,
            },
            "vector_store.docs": _STORE,
        },
        (((*_H, "tools", 2, "function"), "stock"), ((*_D, "metadata", "more"), "1")),
    ),
    Kept(
        "assistant whose tools were switched off",
        FULL,
        {"assistant.helper": {"tools": [_function(TOWN)]}},
        (((*_H, "tools", 1, "file_search", "vector_store"), "other"),),
    ),
    Kept(
        "store that is made anew",
        FULL,
        {"vector_store.docs": _STORE},
        (((*_D, "chunking"), {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 100}),),
    ),
    Kept(
        "deployment that is patched",
        FULL_ARM,
        {
            "deployment.gpt": {"sku": {"name": "GlobalStandard", "capacity": 33}, "properties": _PROPERTIES},
            "resource.conf-account": {"tags": {"owner": "y"}},
        },
        (((*_G, "tags", "more"), "1"), (("resource", "tags", "more"), "1")),
    ),
    Kept(
        "deployment that is put",
        FULL_ARM,
        {"deployment.gpt": {"sku": {"name": "GlobalStandard", "capacity": 33}, "tags": {"owner": "y"}}},
        (((*_G, "rai_policy"), "Mine"),),
    ),
    Kept(
        "agent",
        FULL_AGENTS,
        {
            "assistant.helper": {
                **{name: value for name, value in _THEIRS.items() if name != "name"},
                "metadata": {"display_name": "Theirs", "owner": "y"},
                "model": "gpt-4o-mini",
                "reasoning": {"effort": "low", "summary": "auto"},
                "text": {"format": {"type": "text"}},
                "tools": {
                    "code_interpreter": {"container": {"type": "auto", "memory_limit": "1g"}},
                    "file_search": {"vector_store_ids": [], "max_num_results": 9, "ranking_options": _RANKED},
                    "mcp": {"require_approval": "always"},
                    "openapi": {"openapi": {**OPENAPI, "spec": SHOPS}},
                    "web_search": {"filters": {"allowed_domains": ["c.example.com"]}},
                    "image_generation": {},
                },
            },
            "vector_store.docs": _STORE,
        },
        (((*_H, "tools", 2, "function"), "stock"), ((*_D, "metadata", "more"), "1")),
        copied=False,
    ),
    Kept(
        "agent whose tools were switched off",
        FULL_AGENTS,
        {
            "assistant.helper": {
                "tools": {"code_interpreter": None, "file_search": None, "web_search": None, "mcp": None}
            }
        },
        (((*_H, "tools", 4, "openapi", "description"), "Mine."),),
    ),
    Kept(
        "account and project",
        FULL_FOUNDRY,
        {
            "resource.conf-account": {"tags": {"owner": "y"}, "identity": {"type": "None"}},
            "project.conf-project": {
                "properties": {"displayName": "Theirs", "description": "Theirs."},
                "tags": {"owner": "y"},
            },
        },
        ((("resource", "tags", "more"), "1"), (("resource", "project", "tags", "more"), "1")),
    ),
)


def _drifted(plan: Plan) -> dict[str, dict[str, tuple[Any, Any, str]]]:
    """Address -> path -> live value, wanted value, cause."""
    return {str(c.address): {d.path: (d.before, d.after, d.cause.value) for d in c.diffs} for c in plan.changes}


def _kept(plan: Plan) -> dict[str, set[str]]:
    return {str(kept.address): {diff.path for diff in kept.diffs} for kept in plan.kept}


def _settled_but_for(stage: Stage, drifted: dict[str, dict[str, tuple[Any, Any, str]]]) -> None:
    """A plan that keeps the drift has nothing to do, and one that does not finds exactly this drift."""
    stage.look_away()
    plan = stage.plan(on_drift=KEEP)
    assert shown(plan) == {}
    assert plan.is_empty
    assert _kept(plan) == {address: set(paths) for address, paths in drifted.items()}
    stage.apply(on_drift=KEEP)
    assert stage.writes() == []
    assert _drifted(stage.plan()) == drifted


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_others_changed_stays_for_as_long_as_it_is_kept(stage: Stage, case: Kept) -> None:
    """Nothing is written for it; a change of the spec leaves it alone; without `keep` it is drift as before."""
    stage.apply(case.spec, FILES)
    for address, body in case.bodies.items():
        change(stage, Drift(address, "", body, (), None, spec=case.spec), copied=case.copied)
    drifted = _drifted(stage.plan())
    assert {cause for paths in drifted.values() for *_, cause in paths.values()} == {"drift"}
    assert drifted.keys() == case.bodies.keys()
    _settled_but_for(stage, drifted)

    spec = case.spec
    for at, value in case.edits:
        spec = put(spec, at, value)
    stage.write(spec)
    report = stage.apply(on_drift=KEEP)
    assert {str(event.address) for event in report.done} >= drifted.keys()
    _settled_but_for(stage, drifted)

    stage.apply()
    stage.assert_settled()
