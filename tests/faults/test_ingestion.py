"""Taking files in is part of an apply: what failed is named and tried alone; nothing points at what is not ready."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asstops.emulator.state import State

from . import meanwhile
from .conftest import DEPLOYMENT, Ended, World
from .test_pressure import applied, steady

Here = Callable[..., Ended]
SEARCH = [{"file_search": {"vector_store": "kb"}}]
SMALL = {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 50}


def attached(world: World) -> list[list[str]]:
    """File ids of each batch that was attached, in the order sent."""
    return [entry["body"]["file_ids"] for entry in world.requests("POST", "/file_batches")]


def store_of(world: World, assistant: str = "bot") -> str:
    """Id of the store that a live assistant is pointed to."""
    found = next(item for item in world.dump()["assistants"] if item["name"] == assistant)
    (ident,) = found["tool_resources"]["file_search"]["vector_store_ids"]
    return str(ident)


def stores(world: World) -> dict[str, dict[str, str]]:
    """Id -> name of file -> status, of the stores that are no record."""
    live = world.dump()
    names = {item["id"]: item["filename"] for item in live["files"]}
    return {
        store["id"]: {names[file["id"]]: file["status"] for file in store["files"]}
        for store in live["vector_stores"]
        if not store["name"].startswith("asstops:")
    }


def test_ingestion_failed(world: World, here: Here) -> None:
    """It is named with the reason, its store is not pointed to, all else is done, and it alone is tried again."""
    bots = {"bot": {"model": "gpt-4o", "tools": SEARCH}, "free": {"model": "gpt-4o"}}
    world.sales(files=20, assistants=bots)
    world.fault(ingestion="fail", filename="f17.md", error_code="invalid_file")
    ended = here(world, "apply", "-y")
    assert ended.code == 3, ended
    assert "1 of 20 files could not be taken in: file.kb/f17.md:" in ended.text
    assert "(invalid_file)" in ended.text
    assert "correct or remove these files; the next apply tries them again alone" in ended.text
    assert "assistant.bot something it needs failed" in ended.text
    assert world.names("assistants") == ["free"]
    bad = next(item["id"] for item in world.dump()["files"] if item["filename"] == "f17.md")
    for _ in range(2):  # the first time it fails again, and nothing else is touched
        world.clear()
        world.fault(ingestion="fail", filename="f17.md", error_code="server_error")
        ended = here(world, "apply", "-y")
        assert ended.code == 3, ended
        assert "1 of 20 files could not be taken in: file.kb/f17.md:" in ended.text
        assert "(server_error)" in ended.text
        assert attached(world) == [[bad]]
        assert world.requests("POST", "/openai/files") == []
    world.clear()
    applied(here(world, "apply", "-y"))
    assert attached(world) == [[bad]]
    assert world.requests("POST", "/openai/files") == []
    assert world.names("assistants") == ["bot", "free"]
    assert len(world.dump()["files"]) == 20
    steady(world, here)


def test_a_failed_file_that_is_corrected(world: World, here: Here) -> None:
    """The new content is uploaded and attached, the old file goes; nothing else is sent again."""
    world.sales(files=3)
    world.fault(ingestion="fail", filename="f01.md")
    assert here(world, "apply", "-y").code == 3
    world.clear()
    world.write("kb/f01.md", "mended\n")
    applied(here(world, "apply", "-y"))
    assert len(world.requests("POST", "/openai/files")) == 1
    assert [len(batch) for batch in attached(world)] == [1]
    (files,) = stores(world).values()
    assert files == {f"f{number:02d}.md": "completed" for number in range(3)}
    assert len(world.dump()["files"]) == 3
    steady(world, here)


def test_a_failed_file_that_leaves_the_spec(world: World, here: Here) -> None:
    world.sales(files=2)
    world.fault(ingestion="fail", filename="f01.md")
    assert here(world, "apply", "-y").code == 3
    world.clear()
    (world.folder / "kb" / "f01.md").unlink()
    applied(here(world, "apply", "-y"))
    assert attached(world) == []
    assert list(stores(world).values()) == [{"f00.md": "completed"}]
    steady(world, here)


def test_a_file_that_fails_in_an_update(world: World, here: Here) -> None:
    """What was in the store stays in it, and whoever uses the store goes on using it."""
    world.sales(files=2)
    applied(here(world, "apply", "-y"))
    before = store_of(world)
    world.clear()
    world.sales(files=3)
    world.fault(ingestion="fail", filename="f02.md")
    ended = here(world, "apply", "-y")
    assert ended.code == 3, ended
    assert "1 of 3 files could not be taken in: file.kb/f02.md:" in ended.text
    assert store_of(world) == before
    assert stores(world)[before] == {"f00.md": "completed", "f01.md": "completed", "f02.md": "failed"}
    world.clear()
    applied(here(world, "apply", "-y"))
    assert [len(batch) for batch in attached(world)] == [1]
    assert world.requests("POST", "/openai/files") == []
    assert store_of(world) == before
    steady(world, here)


def test_files_that_somebody_cancels(world: World, here: Here) -> None:
    """Another program cancels the batch while we wait for it: that is told, and tried again as what failed is."""
    world.sales(files=2)

    def cancelled(state: State) -> None:
        assert state.store.run("UPDATE store_file SET status = 'cancelled', outcome = 'cancelled'") == 2

    with meanwhile.before(world.server, "GET", "/file_batches/", 1, cancelled):
        ended = here(world, "apply", "-y")
    assert ended.code == 3, ended
    assert "2 of 2 files could not be taken in: file.kb/f00.md: cancelled" in ended.text
    assert world.names("assistants") == []
    world.clear()
    applied(here(world, "apply", "-y"))
    assert sum(map(len, attached(world))) == 2
    steady(world, here)


def test_ingestion_stuck(world: World, here: Here) -> None:
    """--ingest-timeout ends the waiting; applying again waits on, and makes nothing twice."""
    world.sales()
    world.fault(ingestion="stuck", filename="f00.md", count=0)
    for _ in range(2):
        ended = here(world, "apply", "-y", "--ingest-timeout", "0.3")
        assert ended.code in (1, 3), ended
        assert "vector_store.kb could not be" in ended.text
        assert "vector_store.kb is not ready after 0.3 s" in ended.text
        assert "apply again to go on waiting, or allow more with --ingest-timeout" in ended.text
        assert "assistant.bot something it needs failed" in ended.text
        assert world.names("assistants") == []
        assert len(stores(world)) == 1
        assert len(world.dump()["files"]) == 1
    assert len(world.requests("POST", "/openai/files")) == 1
    assert len(attached(world)) == 1


def test_a_stuck_store_is_ready_in_the_end(world: World, here: Here) -> None:
    """The next apply waits on, without attaching anything again, and then the assistant is made."""
    world.sales(files=2)
    world.fault(ingestion="stuck", filename="f00.md")
    assert here(world, "apply", "-y", "--ingest-timeout", "0.3").code == 3
    world.clear()

    def ready(state: State) -> None:
        state.store.run("UPDATE store_file SET due = 0, outcome = 'completed' WHERE status = 'in_progress'")

    with meanwhile.before(world.server, "GET", "/vector_stores/vs_[^/]*$", 2, ready):
        applied(here(world, "apply", "-y"))
    assert attached(world) == []
    assert world.names("assistants") == ["bot"]
    steady(world, here)


def replaced(world: World) -> None:
    """Edit the spec so that the store has to be made anew."""
    world.sales(files=2, vector_stores={"kb": {"files": [{"glob": "kb/*.md"}], "chunking": SMALL}})


def test_no_assistant_moves_to_a_replacement_that_failed(world: World, here: Here) -> None:
    """It stays at the old store, which stays whole, until the new one is ready; then the old one goes."""
    world.sales(files=2)
    applied(here(world, "apply", "-y"))
    old = store_of(world)
    world.clear()
    replaced(world)
    world.fault(ingestion="fail", filename="f01.md")
    ended = here(world, "apply", "-y")
    assert ended.code == 3, ended
    assert "1 of 2 files could not be taken in: file.kb/f01.md:" in ended.text
    assert store_of(world) == old
    assert stores(world)[old] == {"f00.md": "completed", "f01.md": "completed"}
    assert world.requests("POST", "/assistants/") == []
    world.clear()
    applied(here(world, "apply", "-y"))
    assert [len(batch) for batch in attached(world)] == [1]
    assert list(stores(world)) == [store_of(world)] != [old]
    assert world.requests("POST", "/openai/files") == []
    steady(world, here)


def test_no_assistant_moves_to_a_replacement_that_is_stuck(world: World, here: Here) -> None:
    """Also not one that has other changes. Once the stuck store is deleted by hand, the next apply makes another."""
    world.sales(files=2)
    applied(here(world, "apply", "-y"))
    old = store_of(world)
    world.clear()
    replaced(world)
    world.fault(ingestion="stuck", filename="f01.md")
    for _ in range(2):
        ended = here(world, "apply", "-y", "--ingest-timeout", "0.3")
        assert ended.code in (1, 3), ended
        assert "vector_store.kb is not ready after 0.3 s" in ended.text
        assert store_of(world) == old
        assert stores(world)[old] == {"f00.md": "completed", "f01.md": "completed"}
        assert len(stores(world)) == 2
    (stuck,) = set(stores(world)) - {old}
    world.clear()

    def deleted(state: State) -> None:
        meanwhile.object_dropped("vector_store", stuck)(state)
        state.store.run("DELETE FROM store_file WHERE store = ?", stuck)

    with meanwhile.before(world.server, "GET", "/accounts/contoso$", 1, deleted):
        applied(here(world, "apply", "-y"))
    assert list(stores(world)) == [store_of(world)]
    assert store_of(world) not in (old, stuck)
    steady(world, here)


def test_a_new_assistant_waits_for_the_store_others_use(world: World, here: Here) -> None:
    """A store that is being worked on is waited for, also where it needs no change itself."""
    world.sales(files=1)
    applied(here(world, "apply", "-y"))
    world.clear()

    def at_work(state: State) -> None:
        state.store.run("UPDATE store_file SET status = 'in_progress', due = 9e9")

    bots: dict[str, Any] = {name: {"model": "gpt-4o", "tools": SEARCH} for name in ("bot", "new")}
    world.sales(files=1, assistants=bots, deployments={"gpt-4o": DEPLOYMENT})
    with meanwhile.before(world.server, "GET", "/accounts/contoso$", 1, at_work):
        ended = here(world, "apply", "-y", "--ingest-timeout", "0.3")
    assert ended.code in (1, 3), ended
    assert "vector_store.kb is not ready after 0.3 s" in ended.text
    assert "new" not in world.names("assistants")
