"""The orders that make a kill harmless, each with a kill between its two steps and another machine that goes on.

Each test also looks at what the kill has left, so that it fails when the steps come in another order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from asstops.mark import from_metadata, path_digest
from asstops.record import Page, decode, is_page
from tests.support import full_stack
from tests.support.arena import FORKS, ONE_AT_A_TIME, Arena
from tests.support.forked import AFTER, BEFORE, Trap

from .conftest import Ended, World
from .crashing import APPLY, Act, check_converged, undisturbed

pytestmark = FORKS
Json = dict[str, Any]
FILES = "/files$"
STORES = "/vector_stores$"
BATCHES = "/file_batches$"
STORE = "/vector_stores/vs_[^/]+$"


def killed(arena: Arena, name: str, trap: Trap) -> Act:
    """Play an act until it is killed."""
    act = undisturbed(arena, "assistants", name, *ONE_AT_A_TIME)
    arena.killed(trap, *act.command)
    return act


def go_on(arena: Arena, act: Act) -> list[str]:
    """Another machine takes over; what it had to write comes back."""
    return check_converged(arena, act, arena.elsewhere())


def page(arena: Arena) -> Page:
    """The record of files: one page."""
    (found,) = [
        decode(store["id"], mark, store["metadata"])
        for store in arena.stage.dump()["vector_stores"]
        if (mark := from_metadata(store["metadata"])) is not None and is_page(mark)
    ]
    return found


def stores(arena: Arena, key: str) -> list[Json]:
    """Our stores at an address, by generation, each with `complete`: whether the mark says that all of it is there.

    `files` are the states of those that are attached.
    """
    found = []
    for store in arena.stage.dump()["vector_stores"]:
        mark = from_metadata(store["metadata"])
        if mark is not None and mark.key == key:
            states = [item["status"] for item in store["files"]]
            complete = path_digest("files") in mark.fields
            found.append((mark.generation, {**store, "files": states, "complete": complete}))
    return [store for _, store in sorted(found, key=lambda pair: pair[0])]


def names(arena: Arena, table: str) -> list[str]:
    return sorted(item.get("name") or item["filename"] for item in arena.stage.dump()[table])


def searched(arena: Arena, name: str) -> str:
    """The store that our assistant of this name searches."""
    (found,) = [item for item in arena.stage.dump()["assistants"] if item["name"] == name and item["metadata"]]
    (store,) = found["tool_resources"]["file_search"]["vector_store_ids"]
    return str(store)


# Files: note, upload, attach, await, record, clear the note


@pytest.mark.parametrize(("when", "path"), [(AFTER, STORES), (BEFORE, FILES)])
def test_the_note_comes_before_the_first_upload(arena: Arena, when: str, path: str) -> None:
    """The record is made empty, with its mark and its note, before any file is sent; it is taken up, not made again."""
    act = killed(arena, "create", Trap(1, when, path=path))
    assert names(arena, "files") == []
    assert page(arena).note is not None
    assert page(arena).note.uploads == 3  # type: ignore[union-attr]
    assert page(arena).entries == {}
    assert go_on(arena, act).count("POST /vector_stores") == 2


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_an_upload_that_nobody_wrote_down(arena: Arena, nth: int) -> None:
    """The note told that uploads were under way, so each file of unknown origin is named, and none is deleted."""
    act = killed(arena, "create", Trap(nth, AFTER, path=FILES))
    assert len(arena.orphans()) == nth
    assert page(arena).note is not None
    writes = go_on(arena, act)
    assert writes.count("POST /files") == 3
    assert not [label for label in writes if label.startswith("DELETE")]
    told = arena.check_settled(arena.elsewhere()).out
    assert "did not finish" in told
    assert f"{nth} file{'s' if nth > 1 else ''} may be left from it" in " ".join(told.split())


def test_a_store_is_made_empty_and_marked(arena: Arena) -> None:
    """Its mark lacks the digest of its files, so it counts as unfinished; it is filled, not made again."""
    act = killed(arena, "create", Trap(2, AFTER, path=STORES))
    (store,) = stores(arena, "handbook")
    assert not store["complete"]
    assert store["files"] == []
    assert names(arena, "assistants") == []
    assert go_on(arena, act).count("POST /vector_stores") == 1
    assert [item["id"] for item in stores(arena, "handbook")] == [store["id"]]


def test_files_are_attached_but_nobody_waited(slow_arena: Arena) -> None:
    """No assistant may search a store whose files are not in: the next apply waits first."""
    arena = slow_arena
    act = killed(arena, "create", Trap(1, AFTER, path=BATCHES))
    (store,) = stores(arena, "handbook")
    assert len(store["files"]) == 2
    assert not store["complete"]
    assert names(arena, "assistants") == []
    trap = Trap(1, BEFORE, method="POST", path="/assistants$")
    assert arena.run(*act.command, folder=arena.elsewhere(), trap=trap).killed
    assert set(stores(arena, "handbook")[0]["files"]) == {"completed"}
    go_on(arena, act)
    assert [item["id"] for item in stores(arena, "handbook")] == [store["id"]]


def test_a_store_is_completed_before_an_assistant_searches_it(slow_arena: Arena) -> None:
    act = killed(slow_arena, "create", Trap(1, AFTER, path=BATCHES))
    (store,) = stores(slow_arena, "handbook")
    writes = go_on(slow_arena, act)
    completed = writes.index(f"POST /vector_stores/{store['id']}")
    assert completed < writes.index("POST /assistants")


def test_the_mark_is_completed_once_the_files_are_in(slow_arena: Arena) -> None:
    """Between waiting and completing the mark: the store is still taken for unfinished, and completed."""
    arena = slow_arena
    act = killed(arena, "create", Trap(2, BEFORE, method="POST", path=STORE))  # the first one writes the record
    (store,) = stores(arena, "handbook")
    assert store["files"] == ["completed"] * 2
    assert not store["complete"]
    go_on(arena, act)
    assert [item["id"] for item in stores(arena, "handbook")] == [store["id"]]
    assert stores(arena, "handbook")[0]["complete"]


def test_all_is_uploaded_and_nothing_written_down(arena: Arena) -> None:
    """No entry was written, so the files are nobody's; they are replaced, and told of."""
    act = killed(arena, "create", Trap(1, BEFORE, method="POST", path=STORE))
    assert page(arena).entries == {}
    assert len(arena.orphans()) == 3
    assert go_on(arena, act).count("POST /files") == 3


def test_the_entries_are_written_before_the_files_are_attached(arena: Arena) -> None:
    """Taking files in takes long; a kill meanwhile leaves no file that nobody knows, and nothing is sent again."""
    act = killed(arena, "create", Trap(1, BEFORE, path=BATCHES))
    assert len(page(arena).entries) == 3
    assert page(arena).note is not None
    assert arena.orphans() == {}
    assert go_on(arena, act).count("POST /files") == 0


def test_the_note_is_cleared_after_the_entries(arena: Arena) -> None:
    """All is written down and only the note is left: the next apply clears it, and writes nothing else."""
    last = 1 + len(full_stack.FIRST["vector_stores"]) + 1  # the entries, the marks of the stores, the note
    act = killed(arena, "create", Trap(last, BEFORE, method="POST", path=STORE))
    assert len(page(arena).entries) == 3
    assert page(arena).note is not None
    told = arena.must("plan", folder=arena.elsewhere()).out
    assert "did not finish" in told
    assert go_on(arena, act) == [f"POST /vector_stores/{page(arena).remote_id}"]
    assert page(arena).note is None


def protecting(content: str) -> tuple[Json, dict[str, str]]:
    """The spec with one file protected, and this in it."""
    files = {**full_stack.FIRST["files"], "returns": {"path": "kb/returns.md", "protect": True}}
    return {**full_stack.FIRST, "files": files}, {**full_stack.FIRST_FILES, "kb/returns.md": content}


@pytest.mark.parametrize("last", ["one more\n", "one\n", "two\n"], ids=["another", "the first again", "the same"])
def test_protection_goes_over_to_the_new_content(arena: Arena, last: str) -> None:
    """Of two copies of a protected file the old ones go, and what is wanted stays protected."""
    arena.stage.reset()
    for content in ("one\n", "two\n"):
        arena.stage.write(*protecting(content))
        if content == "one\n":
            arena.must(*APPLY)
    arena.killed(Trap(1, BEFORE, method="DELETE", path="/openai/files/"), *APPLY, *ONE_AT_A_TIME)
    assert names(arena, "files").count("returns.md") == 2
    arena.stage.write(*protecting(last))
    folder = arena.elsewhere()
    arena.must(*APPLY, folder=folder)
    assert names(arena, "files") == ["prices.md", "returns.md", "sales.json"]
    arena.check_settled(folder)
    spec, files = protecting(last)
    spec["files"].pop("returns")
    spec["vector_stores"] = {**spec["vector_stores"], "handbook": {"files": ["prices"]}}
    arena.stage.write(spec, files)
    assert arena.run(*APPLY).code == 6  # it is protected still


# Deletes: files first, then what remembers them, then the record


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_files_are_deleted_before_what_remembers_them(arena: Arena, nth: int) -> None:
    """Whatever is left of the files, the record still knows it, and the destroy that follows finds it."""
    act = killed(arena, "destroy", Trap(nth, AFTER, method="DELETE", path="/files/"))
    assert len(names(arena, "files")) == 3 - nth
    assert arena.orphans() == {}
    assert "analyst" in names(arena, "assistants")
    assert names(arena, "vector_stores") == ["asstops:crash", "handbook", "sales"]
    assert len([label for label in go_on(arena, act) if label.startswith("DELETE /files/")]) == 3 - nth


@pytest.mark.parametrize(("path", "nth"), [("/assistants/", 2), (STORE, 1), (STORE, 2)])
def test_the_record_outlives_what_is_destroyed(arena: Arena, path: str, nth: int) -> None:
    act = killed(arena, "destroy", Trap(nth, AFTER, method="DELETE", path=path))
    assert names(arena, "files") == []
    assert page(arena).entries
    go_on(arena, act)


def test_the_record_goes_before_the_account(arena: Arena) -> None:
    """Last in the data plane, and before the deployments and the account."""
    act = killed(arena, "destroy", Trap(3, AFTER, method="DELETE", path=STORE))
    live = arena.stage.dump()
    assert not live["files"]
    assert not live["vector_stores"]
    assert not live["assistants"]
    assert len(live["deployments"]) == 1
    assert len(live["accounts"]) == 1
    go_on(arena, act)


def test_purging_comes_after_deleting(arena: Arena) -> None:
    """A destroy that was to purge and got no further than deleting is ended by the next one."""
    act = killed(arena, "destroy", Trap(1, BEFORE, method="DELETE", path="/deletedAccounts/"))
    assert len(arena.stage.dump()["deleted_accounts"]) == 1
    assert "/deletedAccounts/" in go_on(arena, act)[-1]
    assert arena.stage.dump()["deleted_accounts"] == []


# Replacements: make the new one, move what refers to it, drop the old one


def test_a_new_generation_that_is_empty_still(arena: Arena) -> None:
    """The old one stays in use; the new one is finished, not made once more."""
    act = killed(arena, "update", Trap(1, AFTER, method="POST", path=STORES))
    old, new = stores(arena, "sales")
    assert (old["complete"], new["complete"]) == (True, False)
    assert searched(arena, "analyst") == old["id"]
    assert go_on(arena, act).count("POST /vector_stores") == 0
    assert [store["id"] for store in stores(arena, "sales")] == [new["id"]]


def test_a_new_generation_that_nothing_refers_to(arena: Arena) -> None:
    """It is complete; the reference is moved and the old one dropped."""
    act = killed(arena, "update", Trap(1, BEFORE, method="POST", path="/assistants/"))
    old, new = stores(arena, "sales")
    assert (old["complete"], new["complete"]) == (True, True)
    assert searched(arena, "analyst") == old["id"]
    writes = go_on(arena, act)
    assert writes.count("POST /vector_stores") == 0
    assert f"DELETE /vector_stores/{old['id']}" in writes
    assert searched(arena, "analyst") == new["id"]


def test_an_old_generation_that_nothing_refers_to(arena: Arena) -> None:
    """The reference was moved: only the old one is left to drop."""
    act = killed(arena, "update", Trap(1, BEFORE, method="DELETE", path=STORE))
    old, new = stores(arena, "sales")
    assert searched(arena, "analyst") == new["id"]
    writes = go_on(arena, act)
    assert f"DELETE /vector_stores/{old['id']}" in writes
    assert searched(arena, "analyst") == new["id"]


def test_new_content_is_attached_before_the_old_is_taken_out(arena: Arena) -> None:
    """A store never goes without both, and the old file is deleted last."""
    act = killed(arena, "update", Trap(1, BEFORE, method="DELETE", path="/vector_stores/vs_[^/]+/files/"))
    (store,) = stores(arena, "handbook")
    assert store["files"] == ["completed"] * 3
    writes = go_on(arena, act)
    assert [item["id"] for item in stores(arena, "handbook")] == [store["id"]]
    assert len(stores(arena, "handbook")[0]["files"]) == 2
    assert len([label for label in writes if label.startswith("DELETE /files/")]) == 1


def test_a_deployment_that_is_missing_while_it_is_replaced(arena: Arena) -> None:
    """Its name can exist only once, so it is deleted first: the next apply makes it."""
    act = killed(arena, "another model", Trap(1, AFTER, method="DELETE", path="/deployments/"))
    assert arena.stage.dump()["deployments"] == []
    assert len([label for label in go_on(arena, act) if label.startswith("PUT ")]) == 1
    (deployment,) = arena.stage.dump()["deployments"]
    assert deployment["properties"]["model"]["name"] == "gpt-4o-mini"


# An account that is on its way


def test_an_account_that_is_still_being_made(slow_arena: Arena) -> None:
    """It has no data plane yet, so there is nothing to plan from: the next apply waits until it has."""
    act = killed(slow_arena, "create", Trap(1, AFTER, method="PUT", path="/accounts/contoso$"))
    writes = go_on(slow_arena, act)
    assert not [label for label in writes if label.startswith("PUT ") and label.endswith("/accounts/contoso")]


def test_an_account_that_stays_unfinished(
    world: World, here: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait for it has an end, and says what is the matter."""
    monkeypatch.setattr("asstops.providers.arm.SETTLES_S", 0.2)
    world.spec()
    world.fault(method="PUT", path="/accounts/contoso$", operation="stuck")
    with world.start("apply", "-y") as process:
        while not world.requests("GET", "/operationStatuses/"):
            assert process.poll() is None, process.communicate()
        process.kill()
        process.communicate()
    ended = here(world, "plan")
    assert ended.code == 1, ended
    assert "the account contoso has been in the state Creating" in ended.text
