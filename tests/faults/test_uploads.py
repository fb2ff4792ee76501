"""Uploads that were cut off: what is known is not sent again, what may be left is told of, and gc takes it away."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from asstops.mark import from_metadata
from asstops.record import decode, is_page
from tests.support.arena import FORKS, ONE_AT_A_TIME, Arena
from tests.support.forked import AFTER, BEFORE, Trap
from tests.support.live import unrecorded

from .conftest import Ended, World

Here = Callable[..., Ended]
Json = dict[str, Any]
APPLY, PLAN = ("apply", "-y"), ("plan", "--detailed-exitcode")
SPEC: Json = {
    "stack": "cut",
    "service": "assistants",
    "files": {name: {"path": f"{name}.md"} for name in ("a", "b", "c")},
    "vector_stores": {"kb": {"files": ["a", "b", "c"]}},
}
FILES = {f"{name}.md": f"text of {name}\n" for name in ("a", "b", "c")}


def pages(dump: Json) -> list[Any]:
    """The pages of records that are live."""
    return [
        decode(store["id"], mark, store["metadata"])
        for store in dump["vector_stores"]
        if (mark := from_metadata(store["metadata"])) is not None and is_page(mark)
    ]


def applied(ended: Ended) -> None:
    assert (ended.code, ", 0 failed, 0 not attempted." in ended.out) == (0, True), ended


def steady(world: World, here: Here) -> None:
    """The next plan is empty, tells of nothing, and writes nothing."""
    world.clear()
    plan = here(world, *PLAN)
    assert (plan.code, "No changes." in plan.out, "may be left" in plan.text) == (0, True, False), plan
    assert world.writes() == []


def others(world: World, method: str, path: str, body: Any = None) -> Json:
    """A request of somebody else, to the account behind the endpoint in the environment."""
    answer = world.http.request(
        method,
        f"/openai{path}",
        params={"api-version": "2025-03-01-preview"},
        headers={"api-key": world.environment["AZURE_OPENAI_API_KEY"]},
        json=body,
    )
    assert answer.status_code < 300, answer.text
    return dict(answer.json())


def uploads(arena: Arena) -> int:
    """How many files were sent, whether the answer came or not."""
    return len([entry for entry in arena.committed() if entry["path"].endswith("/files") and entry["method"] == "POST"])


# Killed, then on with or without the journal


@pytest.fixture
def cut(arena: Arena) -> Iterator[Arena]:
    """An empty service, and a repository with a spec of three files."""
    arena.stage.reset()
    arena.forget()
    arena.stage.clear()
    arena.stage.write(SPEC, FILES)
    yield arena
    arena.forget()


def kill(arena: Arena, trap: Trap) -> None:
    assert arena.run(*APPLY, *ONE_AT_A_TIME, trap=trap).killed


@FORKS
def test_what_was_uploaded_from_this_machine_is_not_sent_again(cut: Arena) -> None:
    """Killed after two answers, before any entry was written: the journal alone knows the two."""
    kill(cut, Trap(3, BEFORE, method="POST", path="/files$"))
    assert len(unrecorded(cut.stage.dump())) == 2
    plan = cut.run(*PLAN)
    assert plan.code == 2, plan
    assert "2 files that an apply on this machine uploaded before it was cut off" in " ".join(plan.out.split())
    assert [line for line in plan.out.splitlines() if line.startswith("+ ")] == [
        "+ file.c   10 B · c.md",
        "+ vector_store.kb",
    ]
    cut.must(*APPLY)
    assert uploads(cut) == 3
    assert unrecorded(cut.stage.dump()) == {}
    cut.check_settled()
    assert not (cut.home / ".asstops" / "journal").exists()


@FORKS
def test_uploads_that_only_the_journal_knows_are_all_kept(cut: Arena) -> None:
    """Killed between the last answer and the first entry."""
    kill(cut, Trap(1, BEFORE, method="POST", path="/vector_stores/vs_"))
    assert len(unrecorded(cut.stage.dump())) == 3
    plan = cut.run(*PLAN)
    assert (plan.code, "+ file." in plan.out, "(updated by this apply)" in plan.out) == (2, False, True), plan
    cut.must(*APPLY)
    assert uploads(cut) == 3
    assert unrecorded(cut.stage.dump()) == {}
    cut.check_settled()


@FORKS
def test_the_journal_has_a_file_of_other_content_go(cut: Arena) -> None:
    """The spec has moved on since the kill: what was uploaded is ours, so it is replaced and deleted."""
    kill(cut, Trap(2, BEFORE, method="POST", path="/files$"))
    (old,) = unrecorded(cut.stage.dump())
    cut.stage.write(SPEC, {**FILES, "a.md": "quite another text\n"})
    cut.must(*APPLY)
    dump = cut.stage.dump()
    assert old not in [file["id"] for file in dump["files"]]
    assert (len(dump["files"]), unrecorded(dump)) == (3, {})
    cut.check_settled()


@FORKS
def test_on_another_machine_they_are_told_of_and_gc_takes_them(cut: Arena) -> None:
    """Nothing there says whose they are, so they are uploaded again and offered for deletion."""
    kill(cut, Trap(3, BEFORE, method="POST", path="/files$"))
    left = unrecorded(cut.stage.dump())
    fresh = cut.elsewhere()
    cut.must(*APPLY, folder=fresh)
    assert uploads(cut) == 5
    told = cut.check_settled(fresh).out
    assert "2 files may be left from it" in " ".join(told.split())
    assert [ident for ident in left if ident not in told] == []
    cut.must("gc", "-y", folder=fresh)
    dump = cut.stage.dump()
    assert (len(dump["files"]), unrecorded(dump)) == (3, {})
    assert [page.note for page in pages(dump)] == [None]
    assert "may be left" not in cut.check_settled(fresh).out
    # The machine that was killed has a journal of an apply that others have settled: it is told, and does no harm.
    stale = cut.run(*PLAN)
    assert (stale.code, "settled since" in " ".join(stale.out.split())) == (0, True), stale
    cut.must("gc", "-y")
    assert "journal" not in cut.check_settled().out


@FORKS
def test_what_was_edited_since_is_told_of_all_the_same(cut: Arena) -> None:
    """Killed, corrected and pushed: another machine has only the new content, and the note the old one's size."""
    kill(cut, Trap(2, BEFORE, method="POST", path="/files$"))
    (old,) = unrecorded(cut.stage.dump())
    cut.stage.write(SPEC, {**FILES, "a.md": "quite another text\n"})
    fresh = cut.elsewhere()
    cut.must(*APPLY, folder=fresh)
    assert old in cut.check_settled(fresh).out
    cut.must("gc", "-y", folder=fresh)
    assert unrecorded(cut.stage.dump()) == {}
    assert "may be left" not in cut.check_settled(fresh).out


@FORKS
@pytest.mark.parametrize("spoil", ["damaged", "of another stack", "a folder"])
def test_a_journal_that_tells_nothing_costs_an_upload_and_no_more(cut: Arena, spoil: str) -> None:
    kill(cut, Trap(2, BEFORE, method="POST", path="/files$"))
    (path,) = (cut.home / ".asstops" / "journal").iterdir()
    text = path.read_text("utf-8")
    if spoil == "damaged":
        path.write_text("{" + text, "utf-8")
    elif spoil == "of another stack":
        path.write_text(text.replace('"cut"', '"other"'), "utf-8")
    else:
        path.unlink()
        path.mkdir()
    plan = cut.run(*PLAN)
    assert plan.code == 2, plan
    assert "the journal of uploads on this machine is not used" in " ".join(plan.out.split())
    cut.must(*APPLY)
    assert uploads(cut) == 4
    assert len(unrecorded(cut.stage.dump())) == 1


@FORKS
def test_a_journal_that_was_copied_claims_nothing(cut: Arena) -> None:
    """It may come with a pull request, and name files of others: only that of the very note is believed."""
    kill(cut, Trap(2, BEFORE, method="POST", path="/files$"))
    (path,) = (cut.home / ".asstops" / "journal").iterdir()
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    lines[0]["record"] = "guessed"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    cut.must("destroy", "-y")
    assert [file["filename"] for file in cut.stage.dump()["files"]] == ["a.md"]


@FORKS
def test_gc_writes_down_what_only_the_journal_knows(cut: Arena) -> None:
    """Those files are ours for certain, so they get their entries and nobody is asked to delete them."""
    kill(cut, Trap(3, BEFORE, method="POST", path="/files$"))
    done = cut.must("gc", "-y")
    assert "2 files of this stack are missing in its record" in done.out
    assert "the journal on this machine says that it is file.a" in " ".join(done.out.split())
    assert (len(cut.stage.dump()["files"]), unrecorded(cut.stage.dump())) == (2, {})
    fresh = cut.elsewhere()
    cut.must(*APPLY, folder=fresh)
    assert uploads(cut) == 3
    cut.check_settled(fresh)


@FORKS
def test_an_answer_that_the_journal_waits_for_is_told_by_gc(cut: Arena) -> None:
    """Killed between the service's commit and its answer: likely ours, yet only likely."""
    kill(cut, Trap(1, AFTER, method="POST", path="/files$"))
    found = cut.must("gc", "--dry-run")
    assert "this machine began to upload such a file and got no answer" in " ".join(found.out.split())
    assert cut.stage.writes()[-1]["path"].endswith("/files")


# Answers that were lost


def test_a_twin_is_told_of_and_taken_away(world: World, here: Here) -> None:
    """Cut after the commit: the file is there twice; after gc exactly the wanted ones are left."""
    world.sales(files=3)
    world.fault(method="POST", path="/files$", cut="after")
    applied(here(world, *APPLY))
    world.clear()
    plan = here(world, *PLAN)
    assert (plan.code, "1 file may be left from it" in plan.text) == (0, True), plan
    (twin,) = unrecorded(world.dump())
    done = here(world, "gc", "-y")
    assert done.code == 0, done
    assert unrecorded(world.dump()) == {}
    assert sorted(world.names("files")) == ["f00.md", "f01.md", "f02.md"]
    assert [entry["path"].rpartition("/")[2] for entry in world.requests("DELETE")] == [twin]
    steady(world, here)


def test_an_upload_that_never_arrived_leaves_nothing_to_tell(world: World, here: Here) -> None:
    """Cut before the commit: the next plan is empty at once, and silent."""
    world.sales(files=2)
    world.fault(method="POST", path="/files$", cut="before")
    applied(here(world, *APPLY))
    steady(world, here)
    assert [page.note for page in pages(world.dump())] == [None]


def test_a_twin_that_a_listing_shows_late_is_told_of(special: Callable[..., Any], here: Here) -> None:
    """The note is not cleared on the word of a listing that does not even show the latest upload."""
    with special(list_lag_s=0.6) as world:
        world.sales(files=2)
        world.fault(method="POST", path="/files$", cut="after")
        here.pause(0.1)  # type: ignore[attr-defined]
        applied(here(world, *APPLY))
        assert [page.note is not None for page in pages(world.dump())] == [True]
        assert len(unrecorded(world.dump())) == 1


def test_the_first_page_cut_off_after_it_was_made(world: World, here: Here) -> None:
    """It is looked up by its nonce: one page, and the apply goes on."""
    world.sales()
    world.fault(method="POST", path="/vector_stores$", cut="after")
    applied(here(world, *APPLY))
    assert len(pages(world.dump())) == 1
    steady(world, here)


def test_two_first_pages_become_one(world: World, here: Here) -> None:
    """Both are read; gc, or the next apply that writes the record, moves the entries and deletes the spare one last."""
    world.sales(files=2, resource=None, deployments=None)
    applied(here(world, *APPLY))
    (page,) = [store for store in world.dump()["vector_stores"] if store["name"] == "asstops:demo"]
    double = others(world, "POST", "/vector_stores", {"name": page["name"], "metadata": page["metadata"]})
    world.clear()
    plan = here(world, *PLAN)
    assert plan.code == 0, plan
    done = here(world, "gc", "-y")
    assert (done.code, "is there twice" in done.text) == (0, True), done
    assert len(pages(world.dump())) == 1
    assert world.requests("DELETE")[-1]["path"].rpartition("/")[2] in (page["id"], double["id"])
    assert unrecorded(world.dump()) == {}
    steady(world, here)


@pytest.mark.parametrize("how", ["gc", "the next upload"])
def test_entries_of_files_that_others_deleted_go(world: World, here: Here, how: str) -> None:
    """They are no reason for a plan, and do not stay for ever."""
    world.sales(files=3, resource=None, deployments=None)
    applied(here(world, *APPLY))
    gone = next(file["id"] for file in world.dump()["files"] if file["filename"] == "f01.md")
    others(world, "DELETE", f"/files/{gone}")
    (world.folder / "kb" / "f01.md").unlink()
    if how == "gc":
        applied(here(world, *APPLY))
        assert len(pages(world.dump())[0].entries) == 3
        done = here(world, "gc", "-y")
        assert (done.code, "1 entry of the record is of files that are gone" in done.text) == (0, True), done
    else:
        world.write("kb/f09.md", "one more\n")
        applied(here(world, *APPLY))
    assert len(pages(world.dump())[0].entries) == len(world.dump()["files"])
    assert unrecorded(world.dump()) == {}
    steady(world, here)
