"""A Foundry project that is there already, named by its endpoint alone: no account in the spec, no right in ARM."""

from __future__ import annotations

from typing import Any

import pytest

from asstops.emulator.keys import ARM_AUDIENCE, DATA_AUDIENCE, PROJECT_AUDIENCE
from tests.support.inside import Inside
from tests.support.program import Program
from tests.support.stage import Stage

SPEC: dict[str, Any] = {
    "stack": "desk",
    "files": {"a": {"path": "a.md"}},
    "vector_stores": {"docs": {"files": ["a"]}},
    "assistants": {
        "clerk": {"model": "gpt-4o", "instructions": "Help.", "tools": [{"file_search": {"vector_store": "docs"}}]},
    },
}
DEAD = "http://127.0.0.1:9"
NOBODY = {
    # No managed identity answers, and there is no tool of which to borrow a sign-in.
    "IDENTITY_ENDPOINT": "",
    "IDENTITY_HEADER": "",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST": DEAD,
    "PATH": "/nonexistent",
}


@pytest.fixture
def environ(stage: Stage) -> dict[str, str]:
    """What whoever has a project sets: its endpoint, and the way to sign in."""
    stage.write(SPEC, {"a.md": "Parking is in the north yard.\n"})
    names = ("FOUNDRY_PROJECT_ENDPOINT", "IDENTITY_ENDPOINT", "IDENTITY_HEADER")
    return {name: stage.environ[name] for name in names}


@pytest.fixture
def desk(stage: Stage, environ: dict[str, str]) -> Inside:
    return Inside(stage.folder, environ)


def refused(desk: Inside, *arguments: str, **over: str) -> str:
    """One error with advice, exit 1, nothing on stdout; returns what was said, in one line."""
    ended = desk.run(*arguments, code=1, **over)
    assert ended.stdout == ""
    assert ended.stderr.count("Error:") == 1
    assert "fix:" in ended.stderr
    return " ".join(ended.stderr.split())


def test_its_whole_life_without_a_right_in_arm(stage: Stage, environ: dict[str, str]) -> None:
    """Nobody asks Azure Resource Manager for anything."""
    stage.admin("POST", "/roles", {"arm_read": False, "arm_write": False})
    program, inside = Program(stage.folder, environ), Inside(stage.folder, environ)
    program.run("apply", "-y")
    stage.look_away()
    assert "No changes." in inside.run("plan", "--detailed-exitcode").stdout
    assert stage.writes() == []
    assert "north yard" in program.run("ask", "clerk", "Where is parking?").stdout

    stage.write({**SPEC, "assistants": {"clerk": {**SPEC["assistants"]["clerk"], "instructions": "Help more."}}})
    inside.run("apply", "-y")
    (store,) = [store for store in stage.dump()["vector_stores"] if not store["name"].startswith("asstops:")]
    (file,) = stage.dump()["files"]
    endpoint = f"{stage.server.url}/api/projects/emulator"
    assert inside.json("output", "--format", "json") == {
        "endpoint": endpoint,
        "api_version": "v1",
        "assistants": {"clerk": "clerk"},
        "assistant_versions": {"clerk": "2"},
        "files": {"a": file["id"]},
        "vector_stores": {"docs": store["id"]},
    }
    assert inside.run("output", "--format", "env").stdout.splitlines() == [
        f"FOUNDRY_PROJECT_ENDPOINT={endpoint}",
        "FOUNDRY_AGENT_NAME=clerk",
        f"VECTOR_STORE_ID={store['id']}",
        f"FILE_ID={file['id']}",
    ]
    assert "clerk (version 2)" in inside.run("output").stdout
    program.run("destroy", "-y")
    dump = stage.dump()
    assert (dump["agents"], dump["files"], dump["vector_stores"]) == ([], [], [])
    sent = stage.admin("GET", "/requests")["requests"]
    assert [entry["path"] for entry in sent if "/subscriptions/" in entry["path"]] == []


@pytest.mark.parametrize("tail", ["/", "/openai/v1", "/openai/v1/", "/agents?api-version=v1", "/openai/v1/responses"])
def test_an_endpoint_with_more_than_the_endpoint(desk: Inside, stage: Stage, tail: str) -> None:
    """What belongs to single requests is dropped."""
    url = stage.environ["FOUNDRY_PROJECT_ENDPOINT"]
    desk.run("plan", FOUNDRY_PROJECT_ENDPOINT=url + tail)
    found = {entry["path"].removeprefix("/api/projects/emulator") for entry in stage.requests()}
    assert {path for path in found if "identity" not in path} == {
        "/agents",
        "/openai/v1/files",
        "/openai/v1/vector_stores",
    }


def test_the_accounts_default_project(desk: Inside, stage: Stage) -> None:
    """Azure knows it as _project."""
    desk.run("apply", "-y", FOUNDRY_PROJECT_ENDPOINT=f"{stage.server.url}/api/projects/_project")
    assert "No changes." in desk.run("plan", "--detailed-exitcode").stdout


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            "https://contoso.services.ai.azure.com",
            ("the address of an account", "https://contoso.services.ai.azure.com/api/projects/PROJECT"),
        ),
        (
            "https://contoso.openai.azure.com/openai/v1",
            ("the address of an account", "https://contoso.services.ai.azure.com/api/projects/PROJECT"),
        ),
        ("https://contoso.services.ai.azure.com/api/projects/", ("lacks /api/projects/PROJECT",)),
        ("https://ai.azure.com/foundry/project/overview", ("a page of the portal", "project's overview page")),
        ("contoso.services.ai.azure.com/api/projects/p", ("lacks https://", "https://contoso.services.ai.azure.com/")),
        ("http://contoso.services.ai.azure.com/api/projects/p", ("use https",)),
        ("https://user:hush@contoso.services.ai.azure.com/api/projects/p", ("holds a user name or password",)),
        ("https://contoso.services.ai.azure.com:port/api/projects/p", ("is no URL", "/api/projects/PROJECT")),
    ],
)
def test_an_endpoint_that_is_none(desk: Inside, url: str, words: tuple[str, ...]) -> None:
    text = refused(desk, "plan", FOUNDRY_PROJECT_ENDPOINT=url)
    for word in ("FOUNDRY_PROJECT_ENDPOINT", *words):
        assert word in text
    assert "hush" not in text


def test_only_an_account_is_named(desk: Inside, stage: Stage) -> None:
    """Whoever comes from the Assistants API learns what else is wanted."""
    over = {name: stage.environ[name] for name in ("AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY")}
    text = refused(desk, "plan", FOUNDRY_PROJECT_ENDPOINT="", **over)
    assert "FOUNDRY_PROJECT_ENDPOINT is not set; AZURE_OPENAI_ENDPOINT is, but it names an account" in text
    assert "https://NAME.services.ai.azure.com/api/projects/PROJECT" in text
    assert "service: assistants" in text
    text = refused(desk, "plan", FOUNDRY_PROJECT_ENDPOINT="")
    assert "FOUNDRY_PROJECT_ENDPOINT is not set fix: set FOUNDRY_PROJECT_ENDPOINT" in text


def test_no_such_project(desk: Inside, stage: Stage) -> None:
    text = refused(desk, "plan", FOUNDRY_PROJECT_ENDPOINT=f"{stage.server.url}/api/projects/none")
    assert f"check that the project at {stage.server.url}/api/projects/none exists" in text


def test_nobody_is_signed_in(desk: Inside, stage: Stage) -> None:
    """A key helps nobody here, which is said to those who have set one."""
    text = refused(desk, "plan", **NOBODY, AZURE_OPENAI_API_KEY="hush-hush")
    assert f"there is no credential for {stage.environ['FOUNDRY_PROJECT_ENDPOINT']}" in text
    assert "az login" in text
    assert "a project takes no keys, so AZURE_OPENAI_API_KEY is not used" in text
    assert "hush-hush" not in text


def test_a_key_is_not_used_and_not_mentioned(desk: Inside, stage: Stage) -> None:
    desk.run("plan", AZURE_OPENAI_API_KEY="no-key-of-anything")
    assert "API_KEY" not in "".join(desk.all_output)
    assert [entry for entry in stage.requests() if "api-key" in entry["headers"]] == []


def test_a_token_of_another_audience(desk: Inside, stage: Stage) -> None:
    """The service's 401, once it has not helped to get a new token."""
    stage.admin("POST", "/faults", {"path": "/api/projects/", "status": 401, "count": 0, "body": {"error": {}}})
    text = refused(desk, "plan")
    assert "does not accept the credential (HTTP 401)" in text
    assert "sign in again with 'az login' to the tenant of the project; a project takes no keys" in text


def test_a_token_that_has_expired_is_renewed(desk: Inside, stage: Stage) -> None:
    """In the middle of the work, on either half of the endpoint."""
    desk.run("apply", "-y")
    for path in ("/agents", "/openai/v1/vector_stores"):
        stage.admin("POST", "/faults", {"path": path, "status": 401, "body": {"error": {"message": "expired"}}})
    stage.look_away()
    assert "No changes." in desk.run("plan", "--detailed-exitcode").stdout
    assert len([entry for entry in stage.requests() if entry["status"] == 401]) == 2


@pytest.mark.parametrize("status", ["403", "401"])
@pytest.mark.parametrize("role", ["data_read", "data_write"])
def test_no_role_in_the_project(staged: Any, status: str, role: str) -> None:
    """The role has had two names, and its id is in the command: either tenant finds it."""
    stage = staged(behaviour={"permission_denied_status": status})
    stage.write(SPEC, {"a.md": "A"})
    desk = Inside(stage.folder, stage.environ)
    stage.admin("POST", "/roles", {role: False})
    told = desk.run(*(("plan",) if role == "data_read" else ("apply", "-y")), code=1)
    text = " ".join((told.stdout + told.stderr).split())
    assert f"signed in, but not allowed to (HTTP {status}" in text
    assert "the role 'Foundry User' (formerly 'Azure AI User') assigned on the project or its account" in text
    assert "--role 53ca6127-db72-4b80-b1b0-d745d6d5456d " in text


def test_nobody_listens(desk: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    from asstops.providers import limiter

    monkeypatch.setattr(limiter, "_backoff", lambda _attempt, _most=8.0: 0.01)
    text = refused(desk, "plan", FOUNDRY_PROJECT_ENDPOINT=f"{DEAD}/api/projects/p")
    assert f"cannot reach {DEAD}/api/projects/p: connection refused" in text


def test_each_half_gets_a_token_of_its_own_audience(stage: Stage, desk: Inside) -> None:
    """The emulator's tokens name whom they are for; one of another audience is refused by a project."""
    for audience in (ARM_AUDIENCE, DATA_AUDIENCE):
        answer = stage.http.get(
            "/api/projects/emulator/agents",
            params={"api-version": "v1"},
            headers={"authorization": f"Bearer {stage.token(audience)}"},
        )
        assert answer.status_code == 401
    assert stage.token(PROJECT_AUDIENCE)
    desk.run("plan")
