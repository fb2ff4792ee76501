"""Answers that never came: nothing is made twice, nothing is lost, and what cannot be known is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Ended, World
from .test_pressure import applied, once_each, steady

Here = Callable[..., Ended]


@pytest.mark.parametrize("path", ["/assistants$", "/vector_stores$"])
@pytest.mark.parametrize("lag", [0.0, 0.4])
def test_a_create_cut_off_after_it_was_made(special: Callable[..., Any], here: Here, path: str, lag: float) -> None:
    """It is found by its mark, also where a listing shows it late; one object, exit 0."""
    with special(list_lag_s=lag) as world:
        world.sales()
        # The first vector store is the record's page, the second the store of the spec.
        world.fault(method="POST", path=path, cut="after", nth=2 if "stores" in path else 1)
        here.pause(0.1)  # type: ignore[attr-defined]
        applied(here(world, "apply", "-y"))
        made = [entry for entry in world.requests("POST") if entry["path"].endswith(path.strip("/$"))]
        assert len(made) == (2 if "stores" in path else 1)
        once_each(world)
        world.clear()
        if not lag:
            steady(world, here)


def test_the_records_page_cut_off_after_it_was_made(world: World, here: Here) -> None:
    """The record is a vector store too: there must not be two."""
    world.sales()
    world.fault(method="POST", path="/vector_stores$", cut="after")
    here(world, "apply", "-y")
    assert here(world, "apply", "-y").code == 0
    once_each(world)
    steady(world, here)


@pytest.mark.parametrize("path", ["/assistants$", "/vector_stores$"])
def test_a_create_cut_off_before_it_was_made(world: World, here: Here, path: str) -> None:
    """It is reported as unknown or made after all, and the next apply ends with one object."""
    world.sales()
    world.fault(method="POST", path=path, cut="before", nth=2 if "stores" in path else 1)
    ended = here(world, "apply", "-y")
    assert ended.code in (0, 3), ended
    ended = here(world, "apply", "-y")
    assert ended.code == 0, ended
    once_each(world)
    steady(world, here)


def test_an_upload_cut_off_after_it_was_made(world: World, here: Here) -> None:
    """It is made again. What may be its twin is told by the next plan, and is nobody's to delete."""
    world.sales()
    world.fault(method="POST", path="/files$", cut="after")
    applied(here(world, "apply", "-y"))
    assert len(world.dump()["files"]) == 2
    world.clear()
    ended = here(world, "plan", "--detailed-exitcode")
    assert ended.code == 0, ended
    assert "may be left from it" in ended.text
    attached = [item for store in world.dump()["vector_stores"] for item in store.get("files", [])]
    assert len(attached) <= 1
    assert world.writes() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/accounts/contoso$"),
        ("PUT", "/deployments/"),
        ("POST", "/file_batches$"),
        ("POST", "/vector_stores/vs_[^/]*$"),
        ("GET", "/vector_stores$"),
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_what_may_be_sent_again_is(world: World, here: Here, method: str, path: str, when: str) -> None:
    world.sales()
    world.fault(method=method, path=path, cut=when)
    applied(here(world, "apply", "-y"))
    once_each(world)
    steady(world, here)


@pytest.mark.parametrize("path", ["/assistants/", "/files/", "/vector_stores/", "/deployments/", "/accounts/contoso$"])
def test_a_delete_cut_off_after_it_was_done(world: World, here: Here, path: str) -> None:
    world.sales()
    applied(here(world, "apply", "-y"))
    world.clear()
    world.fault(method="DELETE", path=path, cut="after")
    applied(here(world, "destroy", "-y"))
    assert not world.names("assistants")
    assert not world.names("vector_stores")
    assert not world.names("files")


def test_what_a_listing_still_shows_after_its_deletion(world: World, here: Here) -> None:
    """The next apply finds out that it is gone already, and is done."""
    world.sales(files=2)
    applied(here(world, "apply", "-y"))
    world.admin("POST", "/clock", {"advance_s": 60})
    world.spec()
    applied(here(world, "apply", "-y"))
    assert [name for name in world.dump() if world.dump()[name]] == ["accounts"]
    world.clear()
    world.fault(path="/(assistants|vector_stores|files|deployments)$", method="GET", list_lag_s=30, count=0)
    ended = here(world, "apply", "-y")
    applied(ended)
    assert "0 to add, 0 to change, 5 to destroy" in ended.text
    assert {entry["status"] for entry in world.requests("DELETE")} <= {204, 404}
    assert [name for name in world.dump() if world.dump()[name]] == ["accounts"]
    world.clear()
    steady(world, here)
