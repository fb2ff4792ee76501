"""What others changed is found field by field, told apart from what the spec changed, and put back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from asstops.services import by_name
from tests.conformance.cases import ARM, CITY, DATA, FILES, TOWN, At, put
from tests.support.live import live_form
from tests.support.stage import Json, Stage, causes

FULL: Json = put(
    put(
        DATA,
        ("assistants", "helper"),
        {
            "name": "Helper",
            "model": "gpt-4o",
            "description": "Helps.",
            "instructions": "Be brief.",
            "tools": [
                {"code_interpreter": {"files": ["a"]}},
                {"file_search": {"vector_store": "docs", "max_num_results": 5}},
                {"function": "weather"},
            ],
            "temperature": 0.2,
            "top_p": 0.5,
            "response_format": {"type": "text"},
            "metadata": {"owner": "x"},
        },
    ),
    ("vector_stores", "docs"),
    {"name": "Docs", "files": ["a"], "expires_after_days": 30, "metadata": {"owner": "x"}},
)
FULL_ARM: Json = put(
    put(ARM, ("resource", "tags"), {"owner": "x"}),
    ("deployments", "gpt"),
    {
        "model": {"name": "gpt-4o", "version": "2024-11-20"},
        "sku": {"name": "GlobalStandard", "capacity": 10},
        "version_upgrade": "NoAutoUpgrade",
        "rai_policy": "Microsoft.Default",
        "tags": {"owner": "x"},
    },
)
_CODE = {"type": "code_interpreter"}
_SEARCH = {"type": "file_search", "file_search": {"max_num_results": 5}}
_CALL = {"type": "function", "function": {"name": "weather", "description": "Weather.", "parameters": CITY}}
_OTHER = {"type": "function", "function": {"name": "weather", "description": "Weather.", "parameters": TOWN}}


@dataclass(frozen=True)
class Drift:
    """`body` is what somebody else sends; `at` and `value` change the same field in the spec, to tell them apart."""

    address: str
    path: str
    body: Any
    at: At
    value: Any
    also: tuple[str, ...] = ()  # what drifts along with it
    applied: bool = True  # whether the service takes `value`


_H: At = ("assistants", "helper")
_D: At = ("vector_stores", "docs")
_G: At = ("deployments", "gpt")


def _assistant(path: str, body: Json, at: At, value: Any, **more: Any) -> Drift:
    return Drift("assistant.helper", path, body, (*_H, *at), value, **more)


def _properties(**given: Any) -> Json:
    model = {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}
    return {
        "sku": {"name": "GlobalStandard", "capacity": 10},
        "properties": {
            "model": model,
            "versionUpgradeOption": "NoAutoUpgrade",
            "raiPolicyName": "Microsoft.Default",
            **given,
        },
    }


DRIFTS = (
    _assistant("name", {"name": "Theirs"}, ("name",), "Mine"),
    _assistant("model", {"model": "gpt-4o-mini"}, ("model",), "gpt-4.1", applied=False),
    _assistant("description", {"description": "Theirs."}, ("description",), "Mine."),
    _assistant("instructions", {"instructions": "Theirs."}, ("instructions",), "Mine."),
    _assistant("temperature", {"temperature": 1.5}, ("temperature",), 0.3),
    _assistant("top_p", {"top_p": 0.9}, ("top_p",), 0.3),
    _assistant("response_format", {"response_format": {"type": "json_object"}}, ("response_format",), "auto"),
    _assistant("metadata.owner", {"metadata": {"owner": "y"}}, ("metadata", "owner"), "z"),
    _assistant("functions", {"tools": [_CODE, _SEARCH, _OTHER]}, ("tools", 2, "function"), "stock"),
    _assistant("code_interpreter.files", {"tool_resources": {"code_interpreter": {"file_ids": []}}},
               ("tools", 0, "code_interpreter", "files"), ["b"]),
    _assistant("file_search.vector_store", {"tool_resources": {"file_search": {"vector_store_ids": []}}},
               ("tools", 1, "file_search", "vector_store"), "other"),
    _assistant("file_search.max_num_results",
               {"tools": [_CODE, {"type": "file_search", "file_search": {"max_num_results": 9}}, _CALL]},
               ("tools", 1, "file_search", "max_num_results"), 7),
    _assistant("code_interpreter", {"tools": [_SEARCH, _CALL]}, (), None),
    _assistant("file_search", {"tools": [_CODE, _CALL]}, (), None, also=("file_search.max_num_results",)),
    Drift("vector_store.docs", "name", {"name": "Theirs"}, (*_D, "name"), "Mine"),
    Drift("vector_store.docs", "expires_after_days", {"expires_after": {"anchor": "last_active_at", "days": 9}},
          (*_D, "expires_after_days"), 5),
    Drift("vector_store.docs", "metadata.owner", {"metadata": {"owner": "y"}}, (*_D, "metadata", "owner"), "z"),
    Drift("resource.conf-account", "tags.owner", {"tags": {"owner": "y"}}, ("resource", "tags", "owner"), "z"),
    Drift("deployment.gpt", "sku.capacity", {"sku": {"name": "GlobalStandard", "capacity": 33}},
          (*_G, "sku", "capacity"), 44),
    Drift("deployment.gpt", "tags.owner", {"tags": {"owner": "y"}}, (*_G, "tags", "owner"), "z"),
    Drift("deployment.gpt", "version_upgrade", _properties(versionUpgradeOption="OnceCurrentVersionExpired"),
          (*_G, "version_upgrade"), "OnceNewDefaultVersionAvailable"),
    Drift("deployment.gpt", "rai_policy", _properties(raiPolicyName="Theirs"), (*_G, "rai_policy"), "Mine"),
    Drift("deployment.gpt", "model.version",
          _properties(model={"format": "OpenAI", "name": "gpt-4o", "version": "2024-08-06"}),
          (*_G, "model", "version"), "2024-05-13", applied=False),
)  # fmt: skip


def _name(drift: Drift) -> str:
    return f"{drift.address}-{drift.path}"


EACH = pytest.mark.parametrize("drift", DRIFTS, ids=_name)
UNSEEN = {
    # Fields in which nobody can make a change that asstops could put back.
    "resource": {"location", "kind", "sku", "custom_subdomain"},
    "deployment": {"model.name", "model.format", "sku.name"},
    "file": {"name", "size_bytes", "content"},
    "vector_store": {"files"},
    "assistant": set(),
}


def test_no_readable_field_is_forgotten(stage: Stage) -> None:
    """Every field that a kind reads has a case of drift, or stands in UNSEEN."""
    seen: dict[str, set[str]] = {name: set() for name in by_name("assistants").kinds}
    for spec in (FULL, FULL_ARM):
        stage.apply(spec, FILES)
        stage.plan()
        assert stage.last is not None
        for kind, objects in stage.last.snapshot.objects.items():
            seen[kind] |= {path for live in objects if live.mark is not None for path in live.body}
    covered = {name: set(paths) for name, paths in UNSEEN.items()}
    for drift in DRIFTS:
        kind = drift.address.partition(".")[0]
        covered[kind].add("metadata" if drift.path.startswith("metadata.") else drift.path)
        if drift.path.startswith("tags."):
            covered[kind] = (covered[kind] - {drift.path}) | {"tags"}
    assert covered == seen


def _start(stage: Stage, drift: Drift) -> Json:
    spec = FULL if drift.address.startswith(("assistant", "vector_store")) else FULL_ARM
    stage.apply(spec, FILES)
    return spec


def _change(stage: Stage, drift: Drift) -> None:
    """Send somebody else's change; the mark stays, as it does when a portal edits what it shows."""
    kind, _, key = drift.address.partition(".")
    dump, body = stage.dump(), dict(drift.body)
    if kind == "resource":
        (live,) = dump["accounts"]
        stage.arm("PATCH", key, {"tags": {**live["tags"], **body["tags"]}})
        return
    if kind == "deployment":
        (live,) = dump["deployments"]
        body["tags"] = {**live["tags"], **body.get("tags", {})}
        stage.arm("PUT" if "properties" in body else "PATCH", f"conf-account/deployments/{key}", body)
        return
    section = f"{kind}s"
    (live,) = [item for item in dump[section] if item["name"] == key.capitalize()]
    if "metadata" in body:
        body["metadata"] = {**live["metadata"], **body["metadata"]}
    stage.data("POST", f"/{section}/{live['id']}", body)


@EACH
def test_drift_is_found_and_put_back(stage: Stage, drift: Drift) -> None:
    _start(stage, drift)
    before = live_form(stage.dump())
    _change(stage, drift)

    paths = (drift.path, *drift.also)
    plan = stage.plan()
    assert causes(plan) == {drift.address: dict.fromkeys(paths, "drift")}
    assert plan.summary().drifted_fields == len(paths)
    stage.apply()
    stage.assert_settled()
    assert live_form(stage.dump()) == before


@pytest.mark.parametrize("drift", [drift for drift in DRIFTS if drift.at[2:]], ids=_name)
def test_drift_is_told_apart_from_a_pending_change(stage: Stage, drift: Drift) -> None:
    """Pending when only the spec changed; both when the live object changed as well. A switch has no third value."""
    spec = _start(stage, drift)
    stage.write(put(spec, drift.at, drift.value))
    assert causes(stage.plan())[drift.address][drift.path] == "pending"

    _change(stage, drift)
    assert causes(stage.plan())[drift.address][drift.path] == "both"
    if drift.applied:
        stage.apply()
        stage.assert_settled()
