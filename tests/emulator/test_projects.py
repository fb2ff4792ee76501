"""Projects of an account: their life in ARM, what they need, and that what they hold is theirs alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asstops.emulator.keys import ARM_AUDIENCE, DATA_AUDIENCE, PROJECT_AUDIENCE
from tests.emulator import contract
from tests.emulator.conftest import GROUP, V1, Emu, error_of, wait
from tests.emulator.foundry import PROJECT_BODY, PROJECTS, Foundry, hub, make_project

ONE = f"{PROJECTS}/one"


def arm(emu: Emu, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    """A request of ARM, held to its document."""
    answer = emu.arm(method, path, body)
    assert answer.status_code == status, answer.text
    parsed = answer.json() if answer.content else None
    if contract.available():
        if body is not None:
            contract.check_request("arm", method, path, body)
        contract.check_answer("arm", method, path, status, parsed)
    return parsed


def test_life(emu: Emu) -> None:
    hub(emu)
    sent = {**PROJECT_BODY, "tags": {"a": "b"}, "properties": {"displayName": "One", "description": "d"}}
    made = arm(emu, "PUT", ONE, sent, 201)
    assert made["properties"]["provisioningState"] == "Creating"
    emu.settled(ONE)
    read = arm(emu, "GET", ONE)
    assert (read["id"], read["name"], read["type"]) == (ONE, "one", "Microsoft.CognitiveServices/accounts/projects")
    assert (read["location"], read["tags"]) == ("swedencentral", {"a": "b"})
    assert read["etag"].startswith("W/")
    assert not {"sku", "kind"} & set(read)
    assert read["properties"] == {
        "provisioningState": "Succeeded",
        "displayName": "One",
        "description": "d",
        "endpoints": {
            "AI Foundry API": f"{emu.url}/contoso/api/projects/one",
            "OpenAI Language Model Instance API": f"{emu.url}/contoso/",
        },
        "isDefault": True,
    }
    assert arm(emu, "GET", PROJECTS)["value"] == [read]
    patched = emu.arm("PATCH", ONE, {"tags": {"c": "d"}, "properties": {"displayName": "Two"}})
    assert patched.status_code == 202
    assert patched.json()["properties"]["displayName"] == "Two"
    assert "/operationStatuses/" in patched.headers["azure-asyncoperation"]
    assert "/operationResults/" in patched.headers["location"]
    emu.settled(ONE)
    now = arm(emu, "GET", ONE)
    assert (now["tags"], now["properties"]["description"]) == ({"c": "d"}, "d")
    assert now["etag"] != read["etag"]
    emu.arm("PATCH", ONE, {"properties": {"description": None}})
    emu.settled(ONE)
    assert set(arm(emu, "GET", ONE)["properties"]) & {"displayName", "description"} == {"displayName"}
    arm(emu, "PUT", ONE, PROJECT_BODY)
    emu.settled(ONE)
    replaced = arm(emu, "GET", ONE)
    assert (replaced["tags"], "displayName" in replaced["properties"]) == ({}, False)
    assert replaced["identity"]["principalId"] == read["identity"]["principalId"]
    deleted = emu.arm("DELETE", ONE)
    assert (deleted.status_code, deleted.content) == (202, b"")
    assert "azure-asyncoperation" in deleted.headers
    wait(lambda: emu.arm("GET", ONE).status_code, lambda status: status == 404)
    arm(emu, "DELETE", ONE, status=204)
    assert arm(emu, "GET", PROJECTS)["value"] == []


def test_default_is_the_first_or_the_one_the_account_names(emu: Emu) -> None:
    hub(emu)
    emu.deploy("gpt-4o")
    for name in ("one", "two"):
        make_project(emu, name)
    assert [entry["properties"]["isDefault"] for entry in arm(emu, "GET", PROJECTS)["value"]] == [True, False]
    account = f"{GROUP}/accounts/contoso"
    emu.arm("PATCH", account, {"properties": {"defaultProject": "two"}})
    emu.settled(account)
    assert [entry["properties"]["isDefault"] for entry in arm(emu, "GET", PROJECTS)["value"]] == [False, True]
    Foundry(emu, "/contoso", "two").version("here")
    assert Foundry(emu, "/contoso", "_project").agents("GET", "/agents/here").status_code == 200
    assert Foundry(emu, "/contoso", "one").agents("GET", "/agents/here").status_code == 404


@pytest.mark.parametrize(
    "over",
    [
        {"kind": "OpenAI", "properties": {"customSubDomainName": "contoso"}},
        {"properties": {"customSubDomainName": "contoso"}},
        {"properties": {"customSubDomainName": "contoso", "allowProjectManagement": False}},
    ],
)
def test_account_must_allow_projects(emu: Emu, over: dict[str, Any]) -> None:
    hub(emu, **over)
    assert "allowProjectManagement" in error_of(emu.arm("PUT", ONE, PROJECT_BODY), 400)["message"]


def test_identity_of_project_and_account(emulator: Any) -> None:
    """The switch project_identity: "required" or "optional", for both of them."""
    for value, status in (("required", 400), ("optional", 201)):
        with emulator(behaviour={"project_identity": value}) as emu:
            hub(emu)
            assert emu.arm("PUT", ONE, {"location": "swedencentral"}).status_code == status
            hub(emu, "bare", identity=None)
            answer = emu.arm("PUT", f"{GROUP}/accounts/bare/projects/one", PROJECT_BODY)
            assert answer.status_code == status
            if status == 400:
                assert error_of(answer, 400)["code"] == "InvalidIdentity"


@pytest.mark.parametrize(
    ("name", "status"), [("a" * 64, 201), ("ab", 201), ("A_b.c-1", 201), ("a" * 65, 400), ("a", 400), ("-ab", 400)]
)
def test_names(emu: Emu, name: str, status: int) -> None:
    hub(emu)
    assert emu.arm("PUT", f"{PROJECTS}/{name}", PROJECT_BODY).status_code == status


@pytest.mark.parametrize(
    "extra",
    [
        {"sku": {"name": "S0"}},
        {"properties": {"nmae": "x"}},
        {"properties": {"displayName": 1}},
        {"tags": {"a": 1}},
        {"location": "atlantis"},
        {"identity": {"type": "Selfmade"}},
    ],
)
def test_bad_bodies(emu: Emu, extra: dict[str, Any]) -> None:
    hub(emu)
    error_of(emu.arm("PUT", ONE, {**PROJECT_BODY, **extra}), 400)
    error_of(emu.arm("GET", ONE), 404)


def test_what_is_read_only_may_be_sent_back(emu: Emu) -> None:
    """As it was read, of a project and of its account; it changes nothing."""
    hub(emu)
    make_project(emu)
    for path in (ONE, f"{GROUP}/accounts/contoso"):
        read = arm(emu, "GET", path)
        moved = {"endpoints": {"x": "elsewhere"}, "provisioningState": "Failed"}
        assert emu.arm("PATCH", path, {**read, "properties": {**read["properties"], **moved}}).status_code < 300
        emu.settled(path)
        again = arm(emu, "GET", path)
        assert {name: again["properties"][name] for name in moved} == {name: read["properties"][name] for name in moved}


@pytest.mark.parametrize(
    "sent",
    [
        {"properties": {"endpoints": [{}]}},
        {"properties": {"endpoints": {"x": 1}}},
        {"properties": {"isDefault": "yes"}},
        {"properties": {"provisioningState": 1}},
        {"etag": 1},
        {"systemData": {"createdAt": "yesterday"}},
        {"systemData": {"createdBy": 1}},
    ],
)
def test_what_no_answer_holds_is_refused(emu: Emu, sent: dict[str, Any]) -> None:
    hub(emu)
    make_project(emu)
    assert emu.arm("PATCH", ONE, sent).status_code == 400


def test_an_identity_has_a_type(emu: Emu) -> None:
    """Also where a client sends back no more than what is read-only; of accounts and projects alike."""
    account = hub(emu)
    made = make_project(emu)
    for path, before in ((ONE, made), (f"{GROUP}/accounts/contoso", account)):
        for method in ("PUT", "PATCH"):
            body = {key: before[key] for key in ("location", "kind", "sku") if key in before and method == "PUT"}
            answer = emu.arm(method, path, {**body, "identity": {"tenantId": "x", "principalId": "y"}})
            assert "identity.type" in error_of(answer, 400)["message"]
        assert emu.arm("GET", path).json()["identity"] == before["identity"]


def test_names_are_case_insensitive(emu: Emu) -> None:
    hub(emu)
    make_project(emu, "One")
    assert arm(emu, "GET", ONE)["name"] == "One"
    assert Foundry(emu, "/contoso", "oNE").agents("GET", "/agents").status_code == 200


def test_missing_ones(emu: Emu) -> None:
    assert error_of(emu.arm("PUT", ONE, PROJECT_BODY), 404)["code"] == "ParentResourceNotFound"
    hub(emu)
    assert error_of(emu.arm("GET", ONE), 404)["code"] == "ResourceNotFound"
    assert error_of(emu.arm("PATCH", ONE, {}), 404)["code"] == "ResourceNotFound"


def test_one_write_at_a_time(emu: Emu) -> None:
    hub(emu)
    emu.admin("POST", "/faults", {"method": "PUT", "path": "/projects/one$", "operation": "stuck"})
    emu.arm("PUT", ONE, PROJECT_BODY)
    for method, path, body in (
        ("PUT", f"{PROJECTS}/two", PROJECT_BODY),
        ("PATCH", ONE, {}),
        ("DELETE", ONE, None),
        ("PATCH", f"{GROUP}/accounts/contoso", {"tags": {}}),
    ):
        assert error_of(emu.arm(method, path, body), 409)["code"] == "RequestConflict"
    not_yet = Foundry(emu, "/contoso", "one").agents("GET", "/agents")
    assert error_of(not_yet, 404)["message"] == "Project not found"


def test_failed_creation(emu: Emu) -> None:
    hub(emu)
    emu.admin("POST", "/faults", {"method": "PUT", "path": "/projects/one$", "operation": "fail"})
    emu.arm("PUT", ONE, PROJECT_BODY)
    assert emu.settled(ONE)["properties"]["provisioningState"] == "Failed"


def test_account_goes_after_its_projects(emu: Emu) -> None:
    account = f"{GROUP}/accounts/contoso"
    hub(emu)
    make_project(emu)
    assert error_of(emu.arm("DELETE", account), 409)["code"] == "CannotDeleteResource"
    emu.arm("DELETE", ONE)
    wait(lambda: emu.arm("GET", ONE).status_code, lambda status: status == 404)
    assert emu.arm("DELETE", account).status_code == 202


def test_a_list_that_lags(emu: Emu) -> None:
    hub(emu)
    make_project(emu)
    emu.admin("POST", "/clock", {"advance_s": 100})
    make_project(emu, "two")
    emu.arm("DELETE", ONE)
    wait(lambda: emu.arm("GET", ONE).status_code, lambda status: status == 404)
    assert [entry["name"] for entry in arm(emu, "GET", PROJECTS)["value"]] == ["two"]
    emu.admin("POST", "/faults", {"path": "/projects$", "list_lag_s": 50})
    assert [entry["name"] for entry in arm(emu, "GET", PROJECTS)["value"]] == ["one"]


def test_what_a_project_holds_is_its_own(emu: Emu) -> None:
    hub(emu)
    emu.deploy("gpt-4o")
    make_project(emu)
    make_project(emu, "two")
    one, two = Foundry(emu, "/contoso", "one"), Foundry(emu, "/contoso", "two")
    file = one.upload("a.md", b"apples")
    store = one.good("POST", "/vector_stores", {"name": "s", "file_ids": [file]})["id"]
    one.version("clerk", {"tools": [{"type": "file_search", "vector_store_ids": [store]}]})
    talk = one.good("POST", "/conversations", {})["id"]
    for path in (f"/files/{file}", f"/vector_stores/{store}", f"/conversations/{talk}"):
        assert one.openai("GET", path).status_code == 200
        error_of(two.openai("GET", path), 404)
    error_of(two.agents("GET", "/agents/clerk"), 404)
    key = emu.arm("POST", f"{GROUP}/accounts/contoso/listKeys").json()["key1"]
    listed = emu.data("GET", "/files", surface=V1, account="contoso", headers={"api-key": key}).json()
    assert listed["data"] == []
    dumped = emu.admin("GET", "/dump")
    assert [(entry["account"], entry["project"]) for entry in dumped["files"]] == [("contoso", "one")]
    assert [entry["project"] for entry in dumped["vector_stores"]] == ["one"]
    assert [entry["name"] for entry in dumped["projects"]] == ["one", "two"]
    emu.arm("DELETE", ONE)
    wait(lambda: emu.arm("GET", ONE).status_code, lambda status: status == 404)
    dumped = emu.admin("GET", "/dump")
    assert [dumped[kind] for kind in ("files", "vector_stores", "agents", "conversations")] == [[], [], [], []]
    state = emu.server.state
    assert state is not None
    for table in ("chunk", "store_file"):
        assert state.store.all(f"SELECT * FROM {table}") == [], table  # nothing lies about
    make_project(emu)
    error_of(one.openai("GET", f"/files/{file}"), 404)
    assert one.agents("GET", "/agents").json()["data"] == []


def test_the_project_that_is_always_there(emu: Emu) -> None:
    assert emu.environment["FOUNDRY_PROJECT_ENDPOINT"] == f"{emu.url}/api/projects/emulator"
    assert emu.admin("GET", "/dump")["projects"] == []
    project = f"{GROUP}/accounts/emulator/projects/emulator".replace("/rg/", "/emulator/")
    assert arm(emu, "GET", project)["properties"]["endpoints"]["AI Foundry API"].endswith("/api/projects/emulator")
    emu.arm("PATCH", project, {"tags": {"a": "b"}})
    emu.settled(project)
    assert [entry["name"] for entry in emu.admin("GET", "/dump")["projects"]] == ["emulator"]


def test_projects_outlive_a_restart(emulator: Any, tmp_path: Path) -> None:
    for first in (True, False):
        with emulator(db=tmp_path / "e.db") as emu:
            project = Foundry(emu)
            if first:
                project.version(metadata={"a": "b"})
            assert project.agents("GET", "/agents/clerk").json()["versions"]["latest"]["metadata"] == {"a": "b"}
            assert emu.admin("GET", "/dump")["projects"] == []


# Sign-in -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/agents", "/openai/v1/files"])
def test_sign_in_takes_a_project_token_alone(emu: Emu, path: str) -> None:
    def ask(headers: dict[str, str]) -> Any:
        return emu.http.get(f"/api/projects/emulator{path}", params={"api-version": "v1"}, headers=headers)

    assert ask({"authorization": f"Bearer {emu.token(PROJECT_AUDIENCE)}"}).status_code == 200
    for headers in (
        {},
        {"api-key": emu.key},
        {"authorization": f"Bearer {emu.key}"},
        {"authorization": f"Bearer {emu.token(DATA_AUDIENCE)}"},
        {"authorization": f"Bearer {emu.token(ARM_AUDIENCE)}"},
        {"authorization": "Bearer x.y.z"},
    ):
        error = error_of(ask(headers), 401)
        assert error["code"] == "Unauthorized"
        assert "https://ai.azure.com" in error["message"]


def test_project_tokens_expire(emulator: Any) -> None:
    with emulator(token_lifetime_s=60) as emu:
        project = Foundry(emu)
        assert project.agents("GET", "/agents").status_code == 200
        emu.admin("POST", "/clock", {"advance_s": 61})
        error_of(project.agents("GET", "/agents"), 401)


def test_roles(emu: Emu) -> None:
    project = Foundry(emu)
    emu.admin("POST", "/roles", {"data_write": False})
    assert project.agents("GET", "/agents").status_code == 200
    error = error_of(project.agents("POST", "/agents/a/versions", {"definition": {}}), 403)
    assert error["code"] == "PermissionDenied"
    assert "AIServices/agents/write" in error["message"]
    error_of(project.openai("POST", "/conversations", {}), 403)
    emu.admin("POST", "/roles", {"data_read": False})
    error_of(project.agents("GET", "/agents"), 403)
    error_of(project.openai("GET", "/files"), 403)


def test_api_version_of_agents(emu: Emu) -> None:
    headers = {"authorization": f"Bearer {emu.token(PROJECT_AUDIENCE)}"}
    url = "/api/projects/emulator/agents"
    assert error_of(emu.http.get(url, headers=headers), 400)["code"] == "MissingApiVersionParameter"
    wrong = emu.http.get(url, params={"api-version": "2024-01-01"}, headers=headers)
    assert error_of(wrong, 400)["code"] == "UnsupportedApiVersion"
    files = "/api/projects/emulator/openai/v1/files"
    assert emu.http.get(files, headers=headers).status_code == 200
    error_of(emu.http.get(files, params={"api-version": "2024-01-01"}, headers=headers), 404)


@pytest.mark.parametrize(
    "path",
    ["/api/projects/emulator", "/api/projects/emulator/nothing", "/api/projects/emulator/openai/files",
     "/api/projects/emulator/openai/v1/assistants", "/api/projects/none/agents", "/nobody/api/projects/x/agents",
     "/api/projects"],
)  # fmt: skip
def test_unknown_paths(emu: Emu, path: str) -> None:
    headers = {"authorization": f"Bearer {emu.token(PROJECT_AUDIENCE)}"}
    error_of(emu.http.get(path, params={"api-version": "v1"}, headers=headers), 404)


def test_wrong_method(emu: Emu) -> None:
    assert error_of(Foundry(emu).agents("PUT", "/agents"), 405)["code"] == "MethodNotAllowed"
