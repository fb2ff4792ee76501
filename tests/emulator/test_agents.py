"""Agents and their versions: the routes, lists, switches, and what an agent refers to."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.emulator.conftest import Emu, error_of
from tests.emulator.foundry import PROMPT, Foundry

FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}


@pytest.fixture
def project(emu: Emu) -> Foundry:
    return Foundry(emu)


def pages(project: Foundry, path: str, **params: Any) -> list[list[str]]:
    """Follow last_id until there is none, as the SDK does, and return the ids of each page."""
    found: list[list[str]] = []
    while len(found) < 10:
        page = project.agents("GET", path, params=params).json()
        found.append([entry["id"] for entry in page["data"]])
        if not page["last_id"]:
            return found
        params["after"] = page["last_id"]
    raise AssertionError(f"the list never ends: {found}")


def test_life_of_an_agent(project: Foundry) -> None:
    sent = {"instructions": "Be short.", "temperature": 0.2, "tools": [FUNCTION]}
    first = project.version("clerk", sent, metadata={"a": "b"}, description="d")
    assert first["definition"] == {**PROMPT, **sent}
    assert {name: first[name] for name in ("object", "id", "name", "version", "metadata", "description", "status")} == {
        "object": "agent.version", "id": "clerk:1", "name": "clerk", "version": "1", "metadata": {"a": "b"},
        "description": "d", "status": "active",
    }  # fmt: skip
    second = project.version("clerk", {"instructions": "Be long."})
    assert (second["version"], second["metadata"], "description" in second) == ("2", {}, False)
    assert second["agent_guid"] == first["agent_guid"]
    agent = project.agents("GET", "/agents/clerk").json()
    assert agent == {"object": "agent", "id": "clerk", "name": "clerk", "state": "enabled",
                     "configuration_state": "enabled", "versions": {"latest": second}}  # fmt: skip
    assert project.agents("GET", "/agents/clerk/versions/1").json() == first
    assert project.agents("GET", "/agents/clerk/versions").json()["data"] == [second, first]
    gone = project.agents("DELETE", "/agents/clerk/versions/2").json()
    assert gone == {"object": "agent.version.deleted", "name": "clerk", "version": "2", "deleted": True}
    assert project.agents("GET", "/agents/clerk").json()["versions"]["latest"] == first
    assert project.version("clerk")["version"] == "3"  # a number never comes twice
    deleted = project.agents("DELETE", "/agents/clerk", params={"force": "true"}).json()
    assert deleted == {"object": "agent.deleted", "name": "clerk", "deleted": True}
    for path in ("/agents/clerk", "/agents/clerk/versions", "/agents/clerk/versions/1"):
        assert error_of(project.agents("GET", path), 404)["code"] == "not_found"
    assert project.version("clerk")["version"] == "1"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_what_is_not_there(project: Foundry, method: str) -> None:
    project.version("clerk")
    for path in ("/agents/nobody", "/agents/nobody/versions/1", "/agents/clerk/versions/7", "/agents/clerk/versions/x"):
        error_of(project.agents(method, path), 404)
    error_of(project.agents("POST", "/agents/nobody:disable"), 404)
    error_of(project.agents("PATCH", "/agents/nobody", {}), 404)


@pytest.mark.parametrize("name", ["a", "A1", "a-b", "a" * 63, "0-0"])
def test_good_names(project: Foundry, name: str) -> None:
    assert project.version(name)["id"] == f"{name}:1"


@pytest.mark.parametrize("name", ["-a", "a-", "a" * 64, "a_b", "a.b", "a b", "\u00e9", "a:b"])
def test_bad_names(project: Foundry, name: str) -> None:
    error = error_of(project.agents("POST", f"/agents/{name}/versions", {"definition": PROMPT}), 400)
    assert (error["code"], error["param"]) == ("invalid_value", "agent_name")


# Lists ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "empty_at_the_end"), [("null_at_end", False), ("always", True)])
def test_paging(emulator: Any, value: str, empty_at_the_end: bool) -> None:
    """The switch agents_last_id. The SDK ends at a page without last_id, whatever has_more says."""
    with emulator(behaviour={"agents_last_id": value}) as emu:
        project, tail = Foundry(emu), [[]] if empty_at_the_end else []
        assert pages(project, "/agents") == [[]]
        for name in "abcde":
            project.version(name)
        for _ in range(2):
            project.version("a")
        assert pages(project, "/agents", limit=2) == [["e", "d"], ["c", "b"], ["a"], *tail]
        assert pages(project, "/agents", limit=5, order="asc") == [["a", "b", "c", "d", "e"], *tail]
        assert pages(project, "/agents/a/versions", limit=2) == [["a:3", "a:2"], ["a:1"], *tail]
        before = project.agents("GET", "/agents", params={"before": "c", "limit": 1}).json()
        assert ([entry["id"] for entry in before["data"]], before["has_more"]) == (["d"], True)


def test_kinds(project: Foundry) -> None:
    """Agents of other kinds are kept as they are sent: the API document has only their names."""
    project.version("a")
    hosted = {"kind": "hosted", "cpu": "1", "environment_variables": {"A": "b"}}
    sent = {"definition": hosted, "metadata": {"a": "b"}}
    made = project.agents("POST", "/agents/b/versions", sent).json()
    assert (made["definition"], made["metadata"]) == (hosted, {"a": "b"})
    assert pages(project, "/agents", kind="prompt") == [["a"]]
    assert pages(project, "/agents", kind="hosted") == [["b"]]
    assert pages(project, "/agents", kind="workflow") == [[]]
    body = {"input": "x", "agent_reference": {"type": "agent_reference", "name": "b"}}
    assert error_of(project.openai("POST", "/responses", body), 400)["param"] == "agent_reference"


@pytest.mark.parametrize(("value", "names"), [("exact", ["Clerk", "clerk"]), ("caseless", ["clerk"])])
def test_case_of_names(emulator: Any, value: str, names: list[str]) -> None:
    """The switch agent_names. Where case means nothing a name stays as it was first written."""
    with emulator(behaviour={"agent_names": value}) as emu:
        project = Foundry(emu)
        project.version("clerk")
        project.version("Clerk")
        assert sorted(name for page in pages(project, "/agents") for name in page) == names
        numbers = [entry["version"] for entry in project.agents("GET", "/agents/clerk/versions").json()["data"]]
        assert numbers == (["1"] if value == "exact" else ["2", "1"])
        assert project.agents("DELETE", "/agents/CLERK").status_code == (404 if value == "exact" else 200)


@pytest.mark.parametrize(
    "params", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"order": "up"}, {"after": "nobody"}, {"kind": "none"}]
)
def test_bad_list_parameters(project: Foundry, params: dict[str, Any]) -> None:
    error_of(project.agents("GET", "/agents", params=params), 400)


def test_good_list_limits(project: Foundry) -> None:
    for limit in (1, 100):
        assert project.agents("GET", "/agents", params={"limit": limit}).status_code == 200


def test_lists_lag(emu: Emu, project: Foundry) -> None:
    """A list shows what there was; what is asked for by name is there at once."""
    project.version("old")
    emu.admin("POST", "/clock", {"advance_s": 100})
    project.version("old")
    project.version("new")
    project.agents("DELETE", "/agents/old")
    assert pages(project, "/agents") == [["new"]]
    emu.admin("POST", "/faults", {"path": "/agents$", "list_lag_s": 50, "count": 0})
    assert pages(project, "/agents") == [["old"]]
    assert project.agents("GET", "/agents/new").status_code == 200


def test_drafts_stay_in_the_background(project: Foundry) -> None:
    project.version("clerk", {"instructions": "1"})
    draft = project.version("clerk", {"instructions": "2"}, draft=True)
    assert draft["draft"] is True
    assert project.agents("GET", "/agents/clerk").json()["versions"]["latest"]["version"] == "1"
    assert pages(project, "/agents/clerk/versions") == [["clerk:1"]]
    assert pages(project, "/agents/clerk/versions", include_drafts="true") == [["clerk:2", "clerk:1"]]
    error_of(project.agents("GET", "/agents/clerk/versions", params={"include_drafts": "maybe"}), 400)
    error_of(project.agents("DELETE", "/agents/clerk", params={"force": "maybe"}), 400)


# Switches ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "versions"),
    [("new", ["1", "2", "3", "4"]), ("same", ["1", "1", "2", "3"]), ("same_definition", ["1", "1", "1", "2"])],
)
def test_identical_version(emulator: Any, value: str, versions: list[str]) -> None:
    """The switch identical_agent_version; another definition makes a new version in any case."""
    with emulator(behaviour={"identical_agent_version": value}) as emu:
        project = Foundry(emu)
        made = [
            project.version("clerk", {"instructions": "i"}, metadata={"a": "b"}),
            project.version("clerk", {"instructions": "i"}, metadata={"a": "b"}),
            project.version("clerk", {"instructions": "i"}, metadata={"a": "c"}),
            project.version("clerk", {"instructions": "j"}, metadata={"a": "c"}),
        ]
        assert [each["version"] for each in made] == versions


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("left_out", ["absent", "absent", ["vector_store_ids"], "absent", "absent"]),
        ("filled", [1.0, "", ["max_num_results", "ranking_options", "vector_store_ids"], "1g", [{"name": "/p"}]]),
        ("null", [None, None, ["description", "filters", "max_num_results", "name", "ranking_options",
                               "vector_store_ids"], None, None]),
    ],
)  # fmt: skip
def test_defaults_in_answers(emulator: Any, value: str, found: list[Any]) -> None:
    """The switch agent_defaults. An answer can be sent again, but for its nulls."""
    api = {"name": "n", "spec": {"openapi": "3.1.0", "paths": {"/p": {}}}, "auth": {"type": "anonymous"}}
    tools = [
        {"type": "file_search", "vector_store_ids": []},
        {"type": "code_interpreter", "container": {"type": "auto"}},
        {"type": "openapi", "openapi": api},
    ]
    body = {"definition": {"kind": "prompt", "model": "gpt-4o", "tools": tools}}
    with emulator(behaviour={"agent_defaults": value}) as emu:
        project = Foundry(emu)
        send = partial(emu.http.request, headers=project.bearer, params={"api-version": "v1"})
        url = f"{project.url}/agents/clerk"
        made = send("POST", f"{url}/versions", json=body).json()
        search, code, openapi = made["definition"]["tools"]
        functions = openapi["openapi"].get("functions", "absent")
        assert [
            made["definition"].get("temperature", "absent"),
            made.get("description", "absent"),
            sorted(search.keys() - {"type"}),
            code["container"].get("memory_limit", "absent"),
            [{"name": each["name"]} for each in functions] if isinstance(functions, list) else functions,
        ] == found
        assert send("GET", f"{url}/versions/1").json() == made
        assert send("GET", url).json()["versions"]["latest"] == made
        assert send("GET", f"{url}/versions").json()["data"] == [made]
        again = send("POST", f"{url}/versions", json={"definition": made["definition"]})
        assert again.status_code == (400 if value == "null" else 200)


@pytest.mark.parametrize(
    ("value", "types"),
    [("kept", ["web_search", "code_interpreter"]), ("reordered", ["code_interpreter", "web_search"])],
)
def test_order_of_tools(emulator: Any, value: str, types: list[str]) -> None:
    """The switch tools_order, for agents."""
    with emulator(behaviour={"tools_order": value}) as emu:
        made = Foundry(emu).version("clerk", {"tools": [{"type": "web_search"}, {"type": "code_interpreter"}]})
        assert [tool["type"] for tool in made["definition"]["tools"]] == types


def test_last_version(emulator: Any) -> None:
    """The switch last_agent_version: the agent goes with its last version, or the deletion is refused."""
    for value, status in (("agent_goes", 200), ("refused", 400)):
        with emulator(behaviour={"last_agent_version": value}) as emu:
            project = Foundry(emu)
            project.version("clerk")
            project.version("clerk")
            assert project.agents("DELETE", "/agents/clerk/versions/1").status_code == 200
            assert project.agents("DELETE", "/agents/clerk/versions/2").status_code == status
            assert project.agents("GET", "/agents/clerk").status_code == (404 if status == 200 else 200)


def test_references(emulator: Any) -> None:
    """The switch agent_references: whether model, stores and files must exist when a version is made."""
    wrong: list[dict[str, Any]] = [
        {"model": "none"},
        {"tools": [{"type": "file_search", "vector_store_ids": ["vs_none"]}]},
        {"tools": [{"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["assistant-none"]}}]},
    ]
    params = ["definition.model", "definition.tools[0].vector_store_ids", "definition.tools[0].container.file_ids"]
    for value, status in (("checked", 400), ("unchecked", 200)):
        with emulator(behaviour={"agent_references": value}) as emu:
            project = Foundry(emu)
            for definition, param in zip(wrong, params, strict=True):
                answer = project.agents("POST", "/agents/a/versions", {"definition": {**PROMPT, **definition}})
                assert answer.status_code == status
                if status == 400:
                    assert error_of(answer, 400)["param"] == param
            file = project.upload("a.md", b"x")
            store = project.good("POST", "/vector_stores", {"file_ids": [file]})["id"]
            tools = [
                {"type": "file_search", "vector_store_ids": [store]},
                {"type": "code_interpreter", "container": {"type": "auto", "file_ids": [file]}},
                {"type": "file_search", "vector_store_ids": ["{{store}}"]},
            ]
            project.version("b", {"tools": tools})


# Beyond the SDK ------------------------------------------------------------------------------------------


def test_create_and_update_of_the_rest_api(project: Foundry) -> None:
    made = project.agents("POST", "/agents", {"name": "clerk", "definition": PROMPT}).json()
    assert made["versions"]["latest"]["version"] == "1"
    again = project.agents("POST", "/agents", {"name": "clerk", "definition": PROMPT})
    assert error_of(again, 409)["code"] == "conflict"
    same = project.agents("POST", "/agents/clerk", {"definition": PROMPT}).json()
    assert same["versions"]["latest"]["version"] == "1"
    other = project.agents("POST", "/agents/clerk", {"definition": {**PROMPT, "top_p": 0.5}}).json()
    assert other["versions"]["latest"]["version"] == "2"
    error_of(project.agents("POST", "/agents/nobody", {"definition": PROMPT}), 404)
    error_of(project.agents("POST", "/agents", {"name": "a_b", "definition": PROMPT}), 400)


def test_disabled_and_enabled(project: Foundry) -> None:
    project.version("clerk")
    assert project.agents("POST", "/agents/clerk:disable").status_code == 204
    agent = project.agents("GET", "/agents/clerk").json()
    assert (agent["state"], agent["configuration_state"]) == ("disabled", "disabled")
    body = {"input": "x", "agent_reference": {"type": "agent_reference", "name": "clerk"}}
    assert error_of(project.openai("POST", "/responses", body), 403)["code"] == "agent_disabled"
    assert project.agents("POST", "/agents/clerk:enable").status_code == 204
    assert project.openai("POST", "/responses", body).status_code == 200


def test_details_merge(project: Foundry) -> None:
    project.version("clerk")
    card = {"version": "1", "skills": [{"id": "s", "name": "n"}]}
    rule = {"type": "FixedRatio", "agent_version": "1", "traffic_percentage": 100}
    endpoint = {"version_selector": {"version_selection_rules": [rule]}}
    project.agents("PATCH", "/agents/clerk", {"agent_card": card})
    agent = project.agents("PATCH", "/agents/clerk", {"agent_endpoint": endpoint}).json()
    assert (agent["agent_card"], agent["agent_endpoint"]) == (card, endpoint)
    assert "agent_card" not in project.agents("PATCH", "/agents/clerk", {"agent_card": None}).json()
    error_of(project.agents("PATCH", "/agents/clerk", {"definition": PROMPT}), 400)


def test_dump(emu: Emu, project: Foundry) -> None:
    project.version("clerk")
    project.version("clerk")
    (dumped,) = emu.admin("GET", "/dump")["agents"]
    assert (dumped["account"], dumped["project"], dumped["name"]) == ("emulator", "emulator", "clerk")
    assert [version["version"] for version in dumped["versions"]] == ["1", "2"]
