"""The Assistants API after its end, Foundry classic before and after its own: what is said, and what still works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.inside import Inside
from tests.support.program import Program
from tests.support.stage import Stage

SPEC: dict[str, Any] = {
    "stack": "desk",
    "service": "assistants",
    "files": {"a": {"path": "a.md"}},
    "vector_stores": {"docs": {"files": ["a"]}},
    "assistants": {
        "clerk": {"model": "gpt-4o", "name": "Clerk", "tools": [{"file_search": {"vector_store": "docs"}}]},
    },
}
WITH_ACCOUNT = {
    **SPEC,
    "resource": {"name": "old-desk", "resource_group": "rg", "location": "swedencentral"},
    "deployments": {
        "gpt-4o": {
            "model": {"name": "gpt-4o", "version": "2024-11-20"},
            "sku": {"name": "GlobalStandard", "capacity": 1},
        }
    },
}
WARNING = "these are agents of Foundry classic, which Azure retires on 2027-03-31"
ENDED = "Azure retired it on 2026-08-26"
HOW = [("retired_404", 404), ("retired_410", 410)]


def told(ended: Any) -> str:
    """All that was said, in one line."""
    return " ".join((ended.stdout + ended.stderr).split())


def retire(stage: Stage, status: int) -> None:
    """From now on the Assistants API of this emulator's accounts is over."""
    body = {"error": {"code": str(status), "message": "Resource not found"}}
    stage.admin("POST", "/faults", {"path": "/openai/assistants", "status": status, "count": 0, "body": body})


# The Assistants API ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "status"), HOW)
def test_every_command_says_what_happened(staged: Callable[..., Stage], how: str, status: int) -> None:
    stage = staged(behaviour={"assistants_api": how})
    stage.write(SPEC, {"a.md": "A"})
    desk = Inside(stage.folder, stage.environ)
    for arguments in (("plan",), ("apply", "-y"), ("ask", "clerk", "Hello?"), ("output",)):
        ended = desk.run(*arguments, code=1)
        text = told(ended)
        assert f"the Assistants API is not offered at {stage.server.url} (HTTP {status}); {ENDED}" in text
        assert "fix: 'asstops migrate' writes the spec for service: agents, 'asstops destroy' deletes the rest" in text
        assert ended.stdout == ""
    assert stage.writes() == []


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_left_of_a_stack_can_be_deleted(stage: Stage, status: int) -> None:
    """Files, stores, deployments and the account still answer; the assistant goes with the account."""
    stage.write(WITH_ACCOUNT, {"a.md": "A"})
    program = Inside(stage.folder, stage.environ)
    program.run("apply", "-y")
    retire(stage, status)
    program.run("plan", code=1)
    plan = told(program.run("plan", "--destroy", "--detailed-exitcode", code=2))
    assert "! assistants are passed over: the Assistants API is not offered at" in plan
    assert "goes with the account; 'asstops migrate' writes the spec for service: agents" in plan
    assert "0 to add, 0 to change, 4 to destroy." in plan
    text = told(program.run("destroy", "-y", "--purge"))
    assert "Applied: 4 done, 0 failed, 0 not attempted." in text
    stage.admin("DELETE", "/faults")
    dump = stage.dump()
    assert (dump["files"], dump["vector_stores"], dump["deployments"], dump["accounts"]) == ([], [], [], [])
    assert dump["assistants"] == []


def test_what_is_left_in_an_account_of_others_can_be_deleted(stage: Stage) -> None:
    stage.write(SPEC, {"a.md": "A"})
    program = Inside(stage.folder, stage.environ)
    program.run("apply", "-y")
    retire(stage, 404)
    assert "2 done, 0 failed" in program.run("destroy", "-y").stdout
    assert "The stack owns nothing here." in program.run("destroy", "-y").stdout
    dump = stage.dump()
    assert (dump["files"], dump["vector_stores"], len(dump["assistants"])) == ([], [], 1)


def test_other_trouble_is_not_passed_over(stage: Stage) -> None:
    """Assistants that cannot be read right now must not be left behind."""
    stage.write(SPEC, {"a.md": "A"})
    program = Inside(stage.folder, stage.environ)
    program.run("apply", "-y")
    body = {"error": {"code": "Forbidden", "message": "No."}}
    stage.admin("POST", "/faults", {"path": "/openai/assistants", "status": 403, "count": 0, "body": body})
    stage.look_away()
    assert "not allowed" in told(program.run("destroy", "-y", code=1))
    assert stage.writes() == []


# Foundry classic ---------------------------------------------------------------------------------------------


@pytest.fixture
def classic(stage: Stage) -> dict[str, str]:
    """The environment of somebody who has a project, and has set an API version for something else."""
    stage.write(SPEC, {"a.md": "Parking is in the north yard.\n"})
    names = ("FOUNDRY_PROJECT_ENDPOINT", "IDENTITY_ENDPOINT", "IDENTITY_HEADER")
    return {**{name: stage.environ[name] for name in names}, "OPENAI_API_VERSION": "2024-05-01-preview"}


def test_classic_lives_its_whole_life(stage: Stage, classic: dict[str, str]) -> None:
    """Every plan warns with the date; the API version in the environment is for others."""
    program, inside = Program(stage.folder, classic), Inside(stage.folder, classic)
    assert WARNING in told(program.run("apply", "-y"))
    stage.look_away()
    settled = told(inside.run("plan", "--detailed-exitcode"))
    assert WARNING in settled
    assert "No changes." in settled
    assert stage.writes() == []
    assert "north yard" in program.run("ask", "clerk", "Where is parking?").stdout
    (assistant,) = stage.dump()["assistants"]
    (store,) = [store for store in stage.dump()["vector_stores"] if not store["name"].startswith("asstops:")]
    (file,) = stage.dump()["files"]
    assert (assistant["account"], assistant["project"]) == ("emulator", "emulator")
    endpoint = f"{stage.server.url}/api/projects/emulator"
    assert inside.run("output", "--format", "env").stdout.splitlines() == [
        f"FOUNDRY_PROJECT_ENDPOINT={endpoint}",
        f"ASSISTANT_ID={assistant['id']}",
        f"VECTOR_STORE_ID={store['id']}",
        f"FILE_ID={file['id']}",
    ]
    data = inside.json("output", "--format", "json")
    assert (data["endpoint"], data["api_version"]) == (endpoint, "v1")
    assert WARNING in told(program.run("destroy", "-y"))
    dump = stage.dump()
    assert (dump["assistants"], dump["files"], dump["vector_stores"]) == ([], [], [])
    sent = [entry for entry in stage.admin("GET", "/requests")["requests"] if "/api/projects/" in entry["path"]]
    assert {entry["query"]["api-version"] for entry in sent} == {"v1"}


def test_destroying_the_old_stack_leaves_agents_what_they_use(stage: Stage, classic: dict[str, str]) -> None:
    """Where service: was changed by hand, both are one stack at one project, with one record of files."""
    inside = Inside(stage.folder, classic)
    inside.run("apply", "-y")
    stage.write({**SPEC, "service": "agents"})
    inside.run("apply", "-y")
    stage.write(SPEC)
    for command in (("plan", "--destroy"), ("destroy", "-y")):
        assert "agents of the stack use what would be deleted: clerk" in told(inside.run(*command, code=6))
    assert len(stage.dump()["files"]) == 1
    stage.write({**SPEC, "service": "agents"})
    inside.run("destroy", "-y")
    stage.write(SPEC)
    inside.run("destroy", "-y")
    assert stage.dump()["assistants"] == []


def test_a_plan_in_json_warns_too(stage: Stage, classic: dict[str, str]) -> None:
    plan = Inside(stage.folder, classic).json("plan", "--format", "json")
    assert [notice["message"] for notice in plan["notices"]] == [WARNING]
    assert "asstops migrate" in plan["notices"][0]["fix"]


def test_an_account_in_the_environment_goes_before_a_project(stage: Stage) -> None:
    """Then nothing is classic, and nothing warns."""
    stage.write(SPEC, {"a.md": "A"})
    text = told(Inside(stage.folder, stage.environ).run("apply", "-y"))
    assert "Foundry classic" not in text
    assert [each.get("project") for each in stage.dump()["assistants"]] == [None]


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("what", ["assistants", "(assistants|files|vector_stores)"])
def test_classic_after_its_end(stage: Stage, classic: dict[str, str], status: int, what: str) -> None:
    """What is left of the project answers, so that it is not the project that is missing."""
    program = Inside(stage.folder, classic)
    body = {"error": {"code": str(status), "message": "Resource not found"}}
    stage.admin("POST", "/faults", {"path": f"/emulator/{what}", "status": status, "count": 0, "body": body})
    commands = [("plan",), ("apply", "-y"), ("ask", "clerk", "Hello?")]
    for arguments in [*commands, ("destroy", "-y")] if "files" in what else commands:
        text = told(program.run(*arguments, code=1))
        url = stage.environ["FOUNDRY_PROJECT_ENDPOINT"]
        assert f"Foundry classic is not offered at {url} (HTTP {status}); Azure retires it on 2027-03-31" in text
        assert "fix: 'asstops migrate' writes the spec for service: agents" in text


def test_a_project_that_is_not_there_is_not_retired(stage: Stage, classic: dict[str, str]) -> None:
    program = Inside(stage.folder, {**classic, "FOUNDRY_PROJECT_ENDPOINT": f"{stage.server.url}/api/projects/none"})
    text = told(program.run("plan", code=1))
    assert "check that the project at" in text
    assert "retire" not in text
