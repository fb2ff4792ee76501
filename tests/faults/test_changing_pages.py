"""Listings that change while they are read: what is ours is found all the same, and nobody's absence is made up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.stage import Stage, emulator

from . import meanwhile
from .conftest import DEPLOYMENT, RESOURCE, Ended, World
from .test_pressure import applied

Here = Callable[..., Ended]
OTHERS = 5


@pytest.fixture
def paged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[World, Stage]]:
    """Two items on a page; the second is for what others do."""
    from asstops.providers import openai_api

    monkeypatch.setattr(openai_api, "PAGE", 2)
    with emulator(arm_page_size=2) as server:
        world, stage = World(server, tmp_path), Stage(tmp_path, server)
        world.spec(resource=None, assistants={"bot": {"model": "gpt-4o"}}, vector_stores={"kb": {}})
        yield world, stage
        world.http.close()
        stage.close()


def made_by_others(stage: Stage, kind: str) -> list[str]:
    """Ids of objects that are older than ours, so that ours is on the last page."""
    body = {"model": "gpt-4o"} if kind == "assistant" else {}
    return [stage.data("POST", f"/{kind}s", {"name": f"n{number}", **body})["id"] for number in range(OTHERS)]


def plan_while(world: World, here: Here, kind: str, happens: Callable[[Any], None]) -> Ended:
    """Make a plan, in which something happens before the second page of a listing is read."""
    world.clear()
    with meanwhile.before(world.server, "GET", f"/{kind}s$", 2, happens) as seen:
        ended = here(world, "plan", "--detailed-exitcode")
    assert len(seen) >= 2
    return ended


def check_listing(paged: tuple[World, Stage], here: Here, kind: str) -> None:
    world, stage = paged
    others = made_by_others(stage, kind)
    applied(here(world, "apply", "-y"))

    # What the cursor names is gone: the service refuses it, and the listing begins anew.
    ended = plan_while(world, here, kind, meanwhile.object_dropped(kind, others[1]))
    assert ended.code == 0, ended
    assert [e["status"] for e in world.requests("GET", f"/{kind}s") if e["status"] != 200] == [400]

    # One that was read already is gone, and one that was not.
    for gone in (others[0], others[4]):
        ended = plan_while(world, here, kind, meanwhile.object_dropped(kind, gone))
        assert ended.code == 0, ended
        assert not [e for e in world.requests("GET", f"/{kind}s") if e["status"] != 200]

    # Another one comes.
    ended = plan_while(world, here, kind, meanwhile.object_added(kind, others[3], "new-one"))
    assert ended.code == 0, ended

    # Our own goes: then it has to be made again, and is not made up from an earlier page.
    live = world.dump()[f"{kind}s"]
    name = "bot" if kind == "assistant" else "kb"
    ours = next(item["id"] for item in live if item["name"] == name)
    ended = plan_while(world, here, kind, meanwhile.object_dropped(kind, ours))
    assert ended.code == 2, ended
    assert f"+ {kind}.{name}" in ended.out
    assert "1 to add, 0 to change, 0 to destroy" in ended.text


def test_assistant(paged: tuple[World, Stage], here: Here) -> None:
    check_listing(paged, here, "assistant")


def test_vector_store(paged: tuple[World, Stage], here: Here) -> None:
    check_listing(paged, here, "vector_store")


def test_a_cursor_that_goes_away_again_and_again(paged: tuple[World, Stage], here: Here) -> None:
    """It is not begun anew for ever."""
    world, stage = paged
    made_by_others(stage, "assistant")
    body = {"error": {"code": "invalid_value", "message": "Invalid 'after'.", "param": "after"}}
    for number in range(2, 12, 2):
        world.fault(method="GET", path="/assistants$", nth=number, status=400, body=body, count=1)
    world.admin("DELETE", "/requests")
    ended = here(world, "plan")
    assert ended.code in (1, 2)
    assert len(world.requests("GET", "/assistants")) <= 12


def test_a_store_that_goes_while_its_files_are_listed(paged: tuple[World, Stage], here: Here) -> None:
    """It was listed and is gone when it is asked for its files: then it is gone."""
    world, _ = paged
    world.write("a.md", "text\n")
    world.spec(resource=None, files={"a": {"path": "a.md"}}, vector_stores={"kb": {"files": ["a"]}})
    applied(here(world, "apply", "-y"))
    ident = next(item["id"] for item in world.dump()["vector_stores"] if item["name"] == "kb")
    with meanwhile.before(
        world.server, "GET", f"/vector_stores/{ident}/files$", 1, meanwhile.object_dropped("vector_store", ident)
    ):
        ended = here(world, "plan", "--detailed-exitcode")
    assert ended.code == 2, ended
    assert "+ vector_store.kb" in ended.out
    assert "1 to add, 0 to change, 0 to destroy" in ended.text


def test_deployment(paged: tuple[World, Stage], here: Here) -> None:
    """One that was read already goes: the next page begins one too late, and what it skips seems not to be there.

    The second look finds it before it is written over; the next apply sees all of them again.
    """
    world, _ = paged
    world.spec(deployments={f"d{number}": DEPLOYMENT for number in range(5)})
    applied(here(world, "apply", "-y"))
    world.clear()
    with meanwhile.before(world.server, "GET", "/deployments$", 2, meanwhile.deployment_dropped("d0")) as seen:
        ended = here(world, "apply", "-y")
    assert len(seen) == 2
    assert ended.code == 4, ended
    assert "deployment.d2 could not be created" in ended.text
    assert "left alone" in ended.text
    assert world.writes() == []
    applied(here(world, "apply", "-y"))
    assert [entry["path"].rpartition("/")[2] for entry in world.writes()] == ["d0"]
    assert world.names("deployments") == [f"d{number}" for number in range(5)]


def test_a_deployment_that_goes_before_it_is_read(paged: tuple[World, Stage], here: Here) -> None:
    world, _ = paged
    world.spec(deployments={f"d{number}": DEPLOYMENT for number in range(5)})
    applied(here(world, "apply", "-y"))
    with meanwhile.before(world.server, "GET", "/deployments$", 2, meanwhile.deployment_dropped("d4")):
        ended = here(world, "plan", "--detailed-exitcode")
    assert ended.code == 2, ended
    assert "+ deployment.d4" in ended.out
    assert "1 to add, 0 to change, 0 to destroy" in ended.text


def test_project(paged: tuple[World, Stage], here: Here) -> None:
    """As with deployments: one that was read already goes, and the next page skips ours."""
    world, stage = paged
    resource = {**RESOURCE, "kind": "AIServices", "project": {"name": "sales"}}
    world.spec(service="agents", resource=resource, assistants={"bot": {"model": "m"}})
    applied(here(world, "apply", "-y", "--target", "resource.contoso"))
    for name in ("first", "second"):
        body = {"location": RESOURCE["location"], "identity": {"type": "SystemAssigned"}, "properties": {}}
        stage.arm("PUT", f"{RESOURCE['name']}/projects/{name}", body)
    applied(here(world, "apply", "-y", "--target", "project.sales"))
    world.clear()
    with meanwhile.before(world.server, "GET", "/projects$", 2, meanwhile.object_dropped("project", "first")) as seen:
        ended = here(world, "apply", "-y", "--target", "project.sales")
    assert len(seen) == 2
    assert ended.code == 4, ended
    assert "project.sales could not be created" in ended.text
    assert "left alone" in ended.text
    assert world.writes() == []
    ended = here(world, "plan", "--detailed-exitcode", "--target", "project.sales")
    assert ended.code == 0, ended
