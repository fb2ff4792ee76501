"""What an apply has just made is looked for among the newest, so an account full of older objects costs it nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.stage import Json, Stage

PAGE = 2
OLDER = 7
SPECS: dict[str, Json] = {
    service: {"stack": "new", "service": service, "vector_stores": {"s": {}}, "assistants": {"a": {"model": "gpt-4o"}}}
    for service in ("assistants", "agents")
}


@pytest.fixture
def full(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Small pages, and more objects of others than fit one."""
    monkeypatch.setattr("asstops.providers.openai_api.PAGE", PAGE)
    monkeypatch.setattr("asstops.providers.agents_api.PAGE", PAGE)
    for n in range(OLDER):
        stage.data("POST", "/assistants", {"model": "gpt-4o"})
        stage.data("POST", "/vector_stores", {})
        stage.project("POST", "/openai/v1/vector_stores", {})
        definition = {"kind": "prompt", "model": "gpt-4o"}
        stage.project("POST", f"/agents/theirs-{n}/versions", {"definition": definition})
    stage.look_away()
    return stage


def lists(entries: list[Json]) -> list[str]:
    """What was listed, in order."""
    names = ("assistants", "agents", "vector_stores")
    parts = [entry["path"].rpartition("/")[2] for entry in entries if entry["method"] == "GET"]
    return [part for part in parts if part in names]


def since_last(entries: list[Json], method: str) -> list[Json]:
    """What came after the last request of a method."""
    at = max(n for n, entry in enumerate(entries) if entry["method"] == method)
    return entries[at + 1 :]


@pytest.mark.parametrize("service", SPECS)
def test_an_apply_ends_after_one_page_of_each(full: Stage, service: str) -> None:
    full.apply(SPECS[service])
    asked = full.requests()
    name = "agents" if service == "agents" else "assistants"
    assert sorted(lists(since_last(asked, "POST"))) == sorted([name, "vector_stores"])
    assert lists(asked).count("vector_stores") == -(-OLDER // PAGE) + 1  # the plan has read them all, once


@pytest.mark.parametrize(("path", "name"), [("/assistants$", "assistants"), ("/vector_stores$", "vector_stores")])
def test_a_lost_answer_is_looked_up_on_one_page(full: Stage, path: str, name: str) -> None:
    spec: dict[str, Any] = SPECS["assistants"]
    full.apply({**spec, "assistants": {}, "vector_stores": {}})
    full.write(spec)
    full.admin("POST", "/faults", {"method": "POST", "path": path, "cut": "after"})
    full.look_away()
    full.apply(parallelism=1)
    asked = full.requests()
    (lost,) = [n for n, entry in enumerate(asked) if entry.get("cut")]
    after = asked[lost + 1 :]
    until = next(n for n, entry in enumerate(after) if entry["method"] == "POST")
    assert lists(after[:until]) == [name]
    full.assert_settled()
