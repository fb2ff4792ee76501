"""What tests of checks share: a spec with an account, faults for what is read, and what doctor found."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from asstops import schemas
from tests.support.inside import Inside
from tests.support.stage import Stage

Json = dict[str, Any]
DEAD = "http://127.0.0.1:9"
CHECKS = ("/permissions", "/models", "/usages", "Availability", "/providers/Microsoft.CognitiveServices")
SCHEMA = jsonschema.Draft202012Validator(schemas.load("doctor"))


def deployment(
    model: str = "gpt-4o", version: str = "2024-11-20", sku: str = "GlobalStandard", capacity: int = 10
) -> Json:
    return {"model": {"name": model, "version": version}, "sku": {"name": sku, "capacity": capacity}}


def spec(service: str, **over: Any) -> Json:
    account: Json = {"name": "contoso", "resource_group": "rg", "location": "swedencentral"}
    if service == "agents":
        account["project"] = {"name": "sales"}
    return {
        "stack": "checked",
        "service": service,
        "origin": "here",
        "resource": account,
        "deployments": {"gpt-4o": deployment()},
        "files": {"a": {"path": "a.md"}},
        "vector_stores": {"docs": {"files": ["a"]}},
        "assistants": {"bot": {"model": "gpt-4o", "tools": [{"file_search": {"vector_store": "docs"}}]}},
        **over,
    }


def environment_spec(service: str) -> Json:
    whole = spec(service)
    return {name: value for name, value in whole.items() if name not in ("resource", "deployments")}


@pytest.fixture
def inside(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Inside:
    """The command line; what fails is not tried again for seconds."""
    monkeypatch.setattr("asstops.providers.limiter.MAX_FAILURES", 0)
    return Inside(stage.folder, {**stage.environ, "AZURE_OPENAI_ENDPOINT": "", "AZURE_OPENAI_API_KEY": ""})


def doctor(inside: Inside, *, code: int = 0, **environ: str) -> Json:
    """The findings as data, checked against their schema; the same is there for people."""
    found: Json = json.loads(inside.run("doctor", "--format", "json", code=code, **environ).stdout)
    SCHEMA.validate(found)
    assert found["summary"] == {
        state: sum(each["state"] == state for each in found["findings"]) for state in found["summary"]
    }
    return found


def states(found: Json, topic: str = "") -> dict[str, set[str]]:
    """Topic -> the states of its findings."""
    result: dict[str, set[str]] = {}
    for each in found["findings"]:
        if topic in ("", each["topic"]):
            result.setdefault(each["topic"], set()).add(each["state"])
    return result


def said(found: Json, state: str) -> list[str]:
    return [f"{each['message']} | {each['fix']}" for each in found["findings"] if each["state"] == state]


def fault(stage: Stage, *described: Json) -> None:
    for each in described:
        stage.admin("POST", "/faults", {"count": 0, **each})


def asked(stage: Stage) -> list[str]:
    """The requests that only checks send, since `look_away`."""
    paths = [f"{entry['method']} {entry['path']}" for entry in stage.requests()]
    return [path for path in paths if path.endswith(CHECKS)]


def notices(inside: Inside, *options: str, code: int = 0) -> list[Json]:
    found: list[Json] = json.loads(inside.run("plan", "--format", "json", *options, code=code).stdout)["notices"]
    return found
