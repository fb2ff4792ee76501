"""Versions of agents: one for each change and never one more, whatever becomes of an answer and whoever else writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from asstops.emulator.agents import AGENT as STORED
from asstops.emulator.agents import versions_of
from asstops.emulator.state import State
from tests.support.live import versions_for_nothing
from tests.support.stage import emulator

from . import meanwhile
from .conftest import DEPLOYMENT, RESOURCE, Ended, World
from .portal import AGENT, VERSIONS, edit_agent, project, sent, solo, versions
from .test_pressure import applied, steady
from .test_saved_plans import refused, saved
from .test_second_look import raced

Here = Callable[..., Ended]
Special = Callable[..., AbstractContextManager[World]]
BUSY = {"status": 500, "headers": {"Retry-After": "0.05"}}
LOST_AFTER: dict[str, dict[str, Any]] = {
    "cut": {"cut": "after"},
    "500 with Retry-After": {**BUSY, "commit": True},
}
LOST_BEFORE: dict[str, dict[str, Any]] = {"cut": {"cut": "before"}, "500 with Retry-After": BUSY}


@pytest.fixture(scope="module", params=["new", "same"])
def switched(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Whether the service makes a version of a definition that differs in nothing."""
    with emulator(behaviour={"identical_agent_version": request.param}) as server:
        yield server


@pytest.fixture
def service(switched: Any, tmp_path: Path) -> Iterator[World]:
    found = World(switched, tmp_path)
    found.admin("POST", "/reset")
    yield found
    found.http.close()


def begin(world: World, here: Here, operation: str) -> list[tuple[str, str]]:
    """Have a spec whose next apply sends one version; what there will be then."""
    solo(world)
    if operation == "create":
        return [("1", "one")]
    applied(here(world, "apply", "-y"))
    world.clear()
    solo(world, instructions="two")
    return [("1", "one"), ("2", "two")]


@pytest.mark.parametrize("operation", ["create", "update"])
@pytest.mark.parametrize("how", LOST_AFTER)
def test_an_answer_lost_after_the_version_was_made(service: World, here: Here, how: str, operation: str) -> None:
    """It is found by its mark: one version, exit 0."""
    expected = begin(service, here, operation)
    service.fault(method="POST", path=VERSIONS, **LOST_AFTER[how])
    applied(here(service, "apply", "-y"))
    assert sent(service) == 1
    assert versions(service) == expected
    steady(service, here)


@pytest.mark.parametrize("operation", ["create", "update"])
@pytest.mark.parametrize("how", LOST_BEFORE)
def test_an_answer_lost_before_the_version_was_made(service: World, here: Here, how: str, operation: str) -> None:
    """Nobody can tell, so it is said, and nothing is sent again; the next apply makes the one version."""
    expected = begin(service, here, operation)
    service.fault(method="POST", path=VERSIONS, **LOST_BEFORE[how])
    ended = here(service, "apply", "-y")
    assert ended.code == 3, ended
    assert "whether the version was made is unknown" in ended.text
    assert "plan again in a moment" in ended.text
    assert sent(service) == 1
    assert versions(service) == expected[:-1]
    service.clear()
    applied(here(service, "apply", "-y"))
    assert sent(service) == 1
    assert versions(service) == expected
    steady(service, here)


def test_a_look_up_that_is_too_early(world: World, here: Here) -> None:
    """The new agent is not known everywhere yet: it is looked for again."""
    begin(world, here, "create")
    world.fault(method="POST", path=VERSIONS, cut="after")
    world.fault(method="GET", path=AGENT, nth=2, count=3, status=404)  # the first look finds the name free
    applied(here(world, "apply", "-y"))
    assert versions(world) == [("1", "one")]
    steady(world, here)


def test_a_look_up_that_never_finds_what_was_made(world: World, here: Here) -> None:
    """It is reported as unknown; the next plan finds it by its mark, and nothing to do."""
    begin(world, here, "create")
    world.fault(method="POST", path=VERSIONS, cut="after")
    world.fault(method="GET", path=AGENT, nth=2, count=0, status=404)
    ended = here(world, "apply", "-y")
    assert ended.code == 3, ended
    assert "whether the version was made is unknown" in ended.text
    steady(world, here)
    assert versions(world) == [("1", "one")]


def test_a_look_up_that_fails(world: World, here: Here) -> None:
    """Then nobody knows either; the next plan finds that there is nothing to do."""
    begin(world, here, "update")
    world.fault(method="POST", path=VERSIONS, cut="after")
    world.fault(method="GET", path=AGENT, nth=2, count=0, status=403)
    ended = here(world, "apply", "-y")
    assert ended.code == 3, ended
    assert "assistant.bot could not be updated" in ended.text
    steady(world, here)
    assert versions(world) == [("1", "one"), ("2", "two")]


def test_back_and_forth(service: World, here: Here) -> None:
    """Each change is one version, also one that says what an earlier one did."""
    for text in ("one", "two", "one", "two"):
        solo(service, instructions=text)
        applied(here(service, "apply", "-y"))
        steady(service, here)
    assert versions(service) == [("1", "one"), ("2", "two"), ("3", "one"), ("4", "two")]
    assert versions_for_nothing(service.dump()) == []


def test_429_on_a_version_is_waited_for(world: World, here: Here) -> None:
    """It says that nothing happened, so it is sent again."""
    expected = begin(world, here, "update")
    world.fault(method="POST", path=VERSIONS, status=429, headers={"Retry-After": "0.05"}, count=2)
    applied(here(world, "apply", "-y"))
    assert sent(world) == 3
    assert versions(world) == expected


# Others


def a_version_of_others(text: str, name: str = "bot") -> Callable[[State], None]:
    """Somebody makes a version, and the agent if there is none, just before the service sees our request."""

    def happens(state: State) -> None:
        owner = state.store.one("SELECT row FROM owner WHERE project = 'emulator'")[0]
        agent = state.store.get(owner, STORED, name)
        now = state.now()
        if agent is None:
            agent = {"name": name, "guid": "theirs", "next": 1, "enabled": True}
            state.store.add(owner, STORED, name, now, agent)
        number = str(agent["next"])
        state.store.put(owner, STORED, name, {**agent, "next": agent["next"] + 1})
        definition = {"kind": "prompt", "model": "gpt-4o", "instructions": text}
        made = {"object": "agent.version", "id": f"{name}:{number}", "name": name, "version": number, "metadata": {}}
        made |= {"created_at": int(now), "status": "active", "agent_guid": agent["guid"], "definition": definition}
        state.store.add(owner, versions_of(name), made["id"], now, made)

    return happens


def test_a_name_that_others_take_at_the_same_time(world: World, here: Here) -> None:
    """Our version came second: it goes again, and theirs stays."""
    begin(world, here, "create")
    with meanwhile.before(world.server, "POST", VERSIONS, 1, a_version_of_others("theirs")):
        ended = here(world, "apply", "-y")
    assert ended.code == 3, ended
    assert "bot was made by others after the plan was made, so it was left alone" in ended.text
    assert versions(world) == [("1", "theirs")]
    assert here(world, "apply", "-y").code == 6
    assert versions(world) == [("1", "theirs")]


def test_a_name_that_others_have_taken_since_the_plan(
    world: World, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    solo(world)

    def take(w: World) -> None:
        project(w, "POST", "/agents/bot/versions", {"definition": {"kind": "prompt", "model": "gpt-4o"}})

    ended = raced(world, here, monkeypatch, take)
    assert (ended.code, world.writes()) == (4, []), ended
    assert "bot was made by others after the plan was made" in ended.text


def test_a_version_of_others_between_the_look_and_the_write(world: World, here: Here) -> None:
    """Ours is current then, and theirs an old one; that is told, and nothing is lost or made again."""
    begin(world, here, "update")
    with meanwhile.before(world.server, "POST", VERSIONS, 1, a_version_of_others("theirs")):
        ended = here(world, "apply", "-y")
    assert ended.code == 3, ended
    assert "others made version 2 while version 3 was written" in ended.text
    assert versions(world) == [("1", "one"), ("2", "theirs"), ("3", "two")]
    steady(world, here)


@pytest.mark.parametrize("copy_mark", [False, True], ids=["without the mark", "with the mark"])
def test_an_edit_in_the_portal_after_the_question(
    world: World, here: Here, monkeypatch: pytest.MonkeyPatch, copy_mark: bool
) -> None:
    """The second look finds it, and leaves it alone."""
    begin(world, here, "update")
    ended = raced(world, here, monkeypatch, lambda w: edit_agent(w, copy_mark=copy_mark, temperature=0.7))
    assert (ended.code, [e for e in world.writes() if "/_emulator" not in e["path"]]) == (4, []), ended
    assert "assistant.bot" in ended.text
    assert "left alone: temperature" in ended.text
    assert [number for number, _ in versions(world)] == ["1", "2"]


@pytest.mark.parametrize("copy_mark", [False, True], ids=["without the mark", "with the mark"])
def test_an_edit_in_the_portal_makes_a_saved_plan_stale(world: World, here: Here, copy_mark: bool) -> None:
    begin(world, here, "update")
    saved(world, here)
    edit_agent(world, copy_mark=copy_mark, temperature=0.7)
    refused(world, here, 4, "nothing was written", "assistant.bot: temperature changed in the service")
    assert [number for number, _ in versions(world)] == ["1", "2"]


def test_a_delete_after_an_edit_in_the_portal(world: World, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody has just written is not deleted unseen; a new plan shows it, and then it is ours to delete."""
    begin(world, here, "update")

    def answered(*_: Any) -> bool:
        edit_agent(world, instructions="precious")
        return True

    with monkeypatch.context() as patch:
        patch.setattr("asstops.cli.carry_out._approved", answered)
        ended = here(world, "destroy")
    assert ended.code == 4, ended
    assert "left alone: instructions" in ended.text
    assert versions(world) == [("1", "one"), ("2", "precious")]
    applied(here(world, "destroy", "-y"))
    assert versions(world) == []


def test_an_old_version_that_others_delete_first(world: World, here: Here) -> None:
    """It is gone, which is what was wanted."""
    begin(world, here, "update")
    solo(world, instructions="two", keep_versions=1)

    def happens(state: State) -> None:
        owner = state.store.one("SELECT row FROM owner WHERE project = 'emulator'")[0]
        assert state.store.drop(owner, versions_of("bot"), "bot:1")

    with meanwhile.before(world.server, "DELETE", "/agents/bot/versions/1$", 1, happens) as seen:
        applied(here(world, "apply", "-y"))
    assert len(seen) == 1
    assert versions(world) == [("2", "two")]
    steady(world, here)


def test_a_deployment_that_an_old_version_uses(world: World, here: Here) -> None:
    """Its name can exist only once, so it is made anew for all versions."""
    resource = {**RESOURCE, "kind": "AIServices", "project": {"name": "sales"}}

    def write(instructions: str, model: str, version: str) -> None:
        world.spec(
            service="agents",
            resource=resource,
            deployments={"gpt": {**DEPLOYMENT, "model": {"name": model, "version": version}}},
            assistants={"bot": {"model": "gpt", "instructions": instructions, "keep_versions": 2}},
        )

    for instructions in ("one", "two"):
        write(instructions, "gpt-4o", "2024-11-20")
        applied(here(world, "apply", "-y"))
    write("two", "gpt-4o-mini", "2024-07-18")
    applied(here(world, "apply", "-y"))
    assert [item["properties"]["model"]["name"] for item in world.dump()["deployments"]] == ["gpt-4o-mini"]
    assert versions(world) == [("1", "one"), ("2", "two")]
    steady(world, here)
