"""A listing that fails where the spec wants nothing of that kind: nothing is forgotten over it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import DEPLOYMENT, Ended, World
from .test_pressure import applied, steady

Here = Callable[..., Ended]
BOT = {"model": "gpt-4o", "instructions": "hi"}


@pytest.mark.parametrize("status", [400, 403, 500])
def test_files_that_cannot_be_listed_are_not_forgotten(world: World, here: Here, status: int) -> None:
    """The record of files stays until it is known that no file of ours is left."""
    world.sales(files=2)
    applied(here(world, "apply", "-y"))
    world.spec(deployments={"gpt-4o": DEPLOYMENT}, assistants={"bot": BOT})
    world.fault(method="GET", path="/openai/files$", status=status, count=0)
    ended = here(world, "apply", "-y")
    assert ended.code == 0, ended
    assert "nothing was read of files" in ended.text
    assert len(world.names("files")) == 2
    assert world.names("vector_stores") == ["asstops:demo"]
    world.clear()
    applied(here(world, "apply", "-y"))
    assert world.names("files") == []
    assert world.names("vector_stores") == []
    steady(world, here)


def test_without_the_record_no_file_is_planned(world: World, here: Here) -> None:
    """The record is among the vector stores; unread, it would let every file be uploaded once more."""
    world.write("kb/f00.md", "text\n")
    bot = {**BOT, "tools": [{"code_interpreter": {"files": ["a"]}}]}
    world.spec(deployments={"gpt-4o": DEPLOYMENT}, files={"a": {"path": "kb/f00.md"}}, assistants={"bot": bot})
    applied(here(world, "apply", "-y"))
    world.clear()
    world.fault(method="GET", path="/vector_stores$", status=403, count=0)
    ended = here(world, "apply", "-y")
    assert ended.code == 1, ended
    assert world.writes() == []
    steady(world, here)
