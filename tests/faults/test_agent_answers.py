"""Odd and hostile answers of a project: a clear error or the right plan, never a guess, a crash or a loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from . import meanwhile
from .conftest import Ended, World
from .portal import AGENT, VERSIONS, edit_agent, project, sent, solo, versions
from .test_pressure import applied, steady

Here = Callable[..., Ended]
Json = dict[str, Any]
LIST = "/agents$"
JSON = {"content-type": "application/json"}
PAGE = "<html><head><title>Sign in</title></head><body>Please</body></html>"


def lists(world: World) -> int:
    """How often the agents were listed."""
    return len([entry for entry in world.requests("GET") if entry["path"].endswith("/agents")])


def theirs(name: str, **definition: Any) -> Json:
    """Somebody else's agent, as a listing shows it."""
    version = {
        "object": "agent.version",
        "id": f"{name}:1",
        "name": name,
        "version": "1",
        "created_at": 1,
        "metadata": {},
        "definition": {"kind": "prompt", "model": "gpt-4o", **definition},
    }
    return {"object": "agent", "id": name, "name": name, "versions": {"latest": version}}


def listing(*agents: Any, **over: Any) -> Json:
    return {"object": "list", "data": list(agents), "first_id": None, "last_id": None, "has_more": False, **over}


# The listing as a whole


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"object": "list", "has_more": False}, id="no data"),
        pytest.param(listing() | {"data": None}, id="data is null"),
        pytest.param(listing() | {"data": {"bot": {}}}, id="data is a map"),
        pytest.param(listing() | {"data": [None]}, id="null in data"),
        pytest.param(listing() | {"data": ["bot"]}, id="names in data"),
        pytest.param(listing({"object": "agent", "versions": {}}), id="an agent without a name"),
        pytest.param([], id="a list"),
        pytest.param({"error": "busy"}, id="an error with status 200"),
    ],
)
def test_what_is_no_list_is_not_taken_for_an_empty_one(world: World, here: Here, body: Any) -> None:
    """Everything would be made anew."""
    solo(world)
    applied(here(world, "apply", "-y"))
    world.clear()
    world.fault(method="GET", path=LIST, count=0, status=200, headers=JSON, body=body)
    ended = here(world, "apply", "-y")
    assert ended.code == 1, ended
    assert "listing agents" in ended.text
    assert "unexpected" not in ended.text
    assert world.writes() == []
    assert versions(world) == [("1", "one")]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        pytest.param(
            {"status": 200, "headers": {"content-type": "text/html"}, "body": PAGE}, "a web page", id="a web page"
        ),
        pytest.param({"garbage": True}, "a web page", id="a web page that says it is JSON"),
        pytest.param({"truncate": True}, "cut short", id="cut JSON"),
        pytest.param({"status": 200, "headers": JSON, "body": ""}, "cut short", id="nothing"),
        pytest.param({"status": 403}, "'Foundry User'", id="403"),
        pytest.param({"status": 404}, "HTTP 404", id="404"),
    ],
)
def test_a_listing_that_cannot_be_read(world: World, here: Here, fault: Json, says: str) -> None:
    solo(world)
    world.fault(method="GET", path=LIST, count=0, **fault)
    ended = here(world, "apply", "-y")
    assert ended.code == 1, ended
    assert says in ended.text
    assert "unexpected" not in ended.text
    assert world.writes() == []


def test_the_same_page_again_and_again(world: World, here: Here) -> None:
    """The listing ends where nothing new comes, and shows each agent once."""
    solo(world)
    applied(here(world, "apply", "-y"))
    page = project(world, "GET", "/agents") | {"has_more": True, "last_id": "bot"}
    world.clear()
    world.fault(method="GET", path=LIST, count=20, status=200, headers=JSON, body=page)
    ended = here(world, "plan", "--detailed-exitcode")
    assert ended.code == 0, ended
    assert lists(world) == 2


def test_a_last_page_that_names_its_last_id(special: Callable[..., Any], here: Here) -> None:
    """Followed as the SDK does, the listing would go on after its end."""
    with special(behaviour={"agents_last_id": "always"}) as world:
        solo(world)
        applied(here(world, "apply", "-y"))
        world.clear()
        ended = here(world, "plan", "--detailed-exitcode")
        assert ended.code == 0, ended
        assert lists(world) == 1


def test_a_hundred_pages(world: World, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours is on the last one; the order in which they were made is that of the pages."""
    monkeypatch.setattr("asstops.providers.agents_api.PAGE", 1)
    for number in range(100):
        definition = {"kind": "prompt", "model": "gpt-4o"}
        project(world, "POST", f"/agents/other-{number}/versions", {"definition": definition})
    solo(world)
    applied(here(world, "apply", "-y"))
    world.clear()
    ended = here(world, "plan", "--detailed-exitcode")
    assert ended.code == 0, ended
    assert lists(world) == 101


def test_a_listing_that_changes_while_it_is_read(world: World, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the cursor names goes, what was read goes: ours is found, and taken for missing only when it is."""
    monkeypatch.setattr("asstops.providers.agents_api.PAGE", 2)
    for name in ("a", "b", "c", "d"):
        project(world, "POST", f"/agents/{name}/versions", {"definition": {"kind": "prompt", "model": "gpt-4o"}})
    solo(world)
    applied(here(world, "apply", "-y"))
    for gone in ("b", "a", "d"):  # the cursor, one that was read, one that was not
        world.clear()
        with meanwhile.before(world.server, "GET", LIST, 2, meanwhile.object_dropped("agent", gone)):
            ended = here(world, "plan", "--detailed-exitcode")
        assert ended.code == 0, (gone, ended)
    with meanwhile.before(world.server, "GET", LIST, 1, meanwhile.object_dropped("agent", "bot")):
        ended = here(world, "plan", "--detailed-exitcode")
    assert ended.code == 2, ended
    assert "+ assistant.bot" in ended.out


# One agent of it


@pytest.mark.parametrize(
    "agent",
    [
        pytest.param(theirs("x", tools=[{"type": "teleport", "to": "mars"}]), id="an unknown tool"),
        pytest.param(theirs("x", tools=[{}, {"type": None}]), id="tools without a type"),
        pytest.param(theirs("x", tools=[{"type": "code_interpreter", "container": "cntr_1"}]), id="a container's id"),
        pytest.param(theirs("x", tools=[{"type": "file_search", "vector_store_ids": None}]), id="null for ids"),
        pytest.param(theirs("x", tools=None, text=None, model=None), id="null for fields"),
        pytest.param(theirs("x", kind="workflow", workflow="..."), id="another kind"),
        pytest.param({"object": "agent", "id": "x", "name": "x"}, id="no versions"),
        pytest.param({"object": "agent", "id": "x", "name": "x", "versions": None}, id="null for versions"),
        pytest.param({"object": "agent", "id": "x", "name": "x", "versions": {"latest": None}}, id="null for latest"),
        pytest.param(
            {"object": "agent", "id": "x", "name": "x", "versions": {"latest": {"definition": None, "metadata": None}}},
            id="null for the definition",
        ),
    ],
)
def test_agents_of_others_in_any_form(world: World, here: Here, agent: Json) -> None:
    """They are nothing of ours, and no reason not to plan."""
    solo(world)
    applied(here(world, "apply", "-y"))
    page = listing(agent, *project(world, "GET", "/agents")["data"])
    world.clear()
    world.fault(method="GET", path=LIST, status=200, headers=JSON, body=page)
    ended = here(world, "plan", "--detailed-exitcode")
    assert ended.code == 0, ended
    assert world.writes() == []


@pytest.mark.parametrize("number", ["2026-11-01-preview", "latest", "1.5", ""])
def test_versions_whose_numbers_are_none(world: World, here: Here, number: str) -> None:
    """An update goes by what the service calls them; what is as the spec says is left alone."""
    solo(world)
    applied(here(world, "apply", "-y"))
    odd = project(world, "GET", "/agents/bot")
    odd["versions"]["latest"]["version"] = number
    world.clear()
    for path, body in ((LIST, listing(odd)), (AGENT, odd)):
        world.fault(method="GET", path=path, count=0, status=200, headers=JSON, body=body)
    ended = here(world, "plan", "--detailed-exitcode")
    assert ended.code == 0, ended
    solo(world, instructions="two")
    made = {**odd["versions"]["latest"], "version": f"{number}-next"}
    made["definition"] = {**made["definition"], "instructions": "two"}
    world.fault(method="POST", path=VERSIONS, status=200, headers=JSON, body=made)
    ended = here(world, "apply", "-y")
    assert "unexpected" not in ended.text
    assert "assistant.bot" in ended.text
    assert sent(world) == 1


def test_ours_with_a_tool_that_nobody_knows(world: World, here: Here) -> None:
    """Somebody added it in the portal: it is shown as drift, and goes with the next apply."""
    solo(world)
    applied(here(world, "apply", "-y"))
    edit_agent(world, copy_mark=True, instructions="one")
    odd = project(world, "GET", "/agents/bot")
    odd["versions"]["latest"]["definition"]["tools"] = [{"type": "teleport", "to": "mars"}]
    world.clear()
    for path, body in ((LIST, listing(odd)), (AGENT, odd)):
        world.fault(method="GET", path=path, count=0, status=200, headers=JSON, body=body)
    ended = here(world, "plan", "--detailed-exitcode")
    assert ended.code == 2, ended
    assert "teleport" in ended.text
    world.admin("DELETE", "/faults")
    assert here(world, "apply", "-y").code == 0
    steady(world, here)


def test_an_answer_to_a_write_that_says_something_else(world: World, here: Here) -> None:
    """It is read back: what the service keeps otherwise than it was sent is told."""
    solo(world)
    applied(here(world, "apply", "-y"))
    solo(world, instructions="two")
    world.clear()
    world.fault(method="POST", path=VERSIONS, alter={"definition": {"instructions": "something else"}})
    ended = here(world, "apply", "-y")
    assert ended.code == 3, ended
    assert "instructions was sent as 'two' and the service keeps 'something else'" in ended.text
    assert sent(world) == 1


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        pytest.param({"status": 403}, "'Foundry User'", id="403"),
        pytest.param({"status": 401, "count": 0}, "sign in again", id="401 for ever"),
        pytest.param(
            {"status": 400, "body": {"error": {"code": "invalid_request", "message": "No such model."}}},
            "No such model.",
            id="400",
        ),
        pytest.param({"status": 409}, "HTTP 409", id="409"),
    ],
)
def test_a_version_that_is_refused(world: World, here: Here, fault: Json, says: str) -> None:
    """It is told why, nothing was made, and the next apply makes it."""
    solo(world)
    world.fault(method="POST", path=VERSIONS, **fault)
    ended = here(world, "apply", "-y")
    assert ended.code == 1, ended
    assert "assistant.bot could not be created" in ended.text
    assert says in ended.text
    assert versions(world) == []
    world.clear()
    applied(here(world, "apply", "-y"))
    assert versions(world) == [("1", "one")]
