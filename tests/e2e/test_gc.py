"""`asstops gc` as people and pipelines run it: what it shows, what it asks, what it takes away and what it leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jsonschema

from asstops import schemas
from tests.support.inside import Inside
from tests.support.live import live_form, unrecorded
from tests.support.running import Running, watched
from tests.support.stage import Stage

__all__ = ["watched"]
Watched = Callable[..., Running]
SPEC: dict[str, Any] = {
    "stack": "demo",
    "service": "assistants",
    "files": {name: {"path": f"{name}.md"} for name in "abc"},
    "vector_stores": {"kb": {"files": ["a", "b", "c"]}},
}
FILES = {f"{name}.md": f"text of {name}\n" for name in "abc"}


def lose_answers(stage: Stage, count: int) -> list[str]:
    """Apply while the answers for so many files get lost; the ids of what is there twice, as gc shows them."""
    for nth in range(1, count + 1):  # a fault does not count requests that another one struck
        stage.admin("POST", "/faults", {"method": "POST", "path": "/files$", "cut": "after", "nth": nth})
    stage.apply(SPEC, FILES, parallelism=1)
    dump = stage.dump()
    files = sorted(dump["files"], key=lambda file: (file["created_at"], file["id"]))
    twins = [file["id"] for file in files if file["id"] in unrecorded(dump)]
    assert len(twins) == count
    stage.look_away()
    return twins


def settled(stage: Stage) -> bool:
    """Whether exactly the wanted files are there, and a plan is empty and tells of nothing."""
    stage.assert_settled()
    assert stage.last is not None
    return len(stage.dump()["files"]) == 3 and stage.last.plan.notices == ()


def outcomes(document: dict[str, Any]) -> dict[str, str]:
    """Id -> outcome of a gc as JSON, which keeps to its schema."""
    jsonschema.validate(document, schemas.load("gc"))
    return {item["id"]: item["outcome"] for item in document["leftovers"]}


def test_without_leftovers_there_is_nothing_to_ask(stage: Stage, inside: Inside) -> None:
    stage.apply(SPEC, FILES)
    stage.look_away()
    assert "Nothing is left over." in inside.run("gc").stdout
    assert stage.writes() == []


def test_a_pipeline_sees_first_and_approves_then(stage: Stage, inside: Inside) -> None:
    """Without approval nothing is done; a dry run shows the reason for each; with approval all of them go."""
    twins = lose_answers(stage, 2)
    refused = inside.run("gc", code=64)
    assert "--auto-approve" in refused.stderr
    shown = inside.json("gc", "--dry-run", "--format", "json")
    assert outcomes(shown) == dict.fromkeys(twins)
    assert [item["kind"] for item in shown["leftovers"]] == ["possible_twin"] * 2
    assert {item["name"] for item in shown["leftovers"]} <= set(FILES)
    assert (shown["settled"], shown["note"]["uploads"]) == (False, 3)
    assert stage.writes() == []
    done = inside.json("gc", "--auto-approve", "--format", "json")
    assert (outcomes(done), done["settled"]) == (dict.fromkeys(twins, "deleted"), True)
    assert settled(stage)


def test_people_are_asked_for_each_file(stage: Stage, inside: Inside, watched: Watched) -> None:
    """One is deleted, one is kept, and the note stays for that one; later the rest goes with one word."""
    twins = lose_answers(stage, 3)
    asked = watched(inside.command("gc"), cwd=stage.folder, environ=inside.environment(), terminal=True)
    for twin, answer in zip(twins, ("y\n", "\n", "n\n"), strict=True):
        asked.says(f"Delete {twin}")
        asked.answer(answer)
    assert asked.end() == 0
    assert sorted(unrecorded(stage.dump())) == sorted(twins[1:])
    assert "2 files may be left" in stage.plan().notices[0].message
    again = watched(inside.command("gc"), cwd=stage.folder, environ=inside.environment(), terminal=True)
    again.says(f"Delete {twins[1]}")
    again.answer("all\n")
    assert again.end() == 0
    assert settled(stage)


def test_what_others_use_is_only_deleted_by_name(stage: Stage, inside: Inside) -> None:
    """A file that a store of somebody else holds has the name and size of ours, and may well be theirs."""
    first, second = lose_answers(stage, 2)
    stage.data("POST", "/vector_stores", {"name": "theirs", "file_ids": [first]})
    kept = inside.json("gc", "-y", "--format", "json")
    assert outcomes(kept) == {first: "kept", second: "deleted"}
    (item,) = [item for item in kept["leftovers"] if item["id"] == first]
    assert (item["foreign"], "(theirs)" in item["attached"][0]) == (True, True)
    assert not kept["settled"]
    done = inside.json("gc", first, "-y", "--format", "json")
    assert (outcomes(done), done["settled"]) == ({first: "deleted"}, True)
    assert settled(stage)


def test_only_what_may_be_left_can_be_named(stage: Stage, inside: Inside) -> None:
    """No file of the spec, nor one that was there long before; and a name leaves the others alone."""
    twins = lose_answers(stage, 2)
    wanted = next(file["id"] for file in stage.dump()["files"] if file["id"] not in twins)
    refused = inside.run("gc", wanted, "-y", code=64)
    assert f"{wanted} is no file that may be left" in refused.stderr
    assert stage.writes() == []
    done = inside.json("gc", twins[1], "-y", "--format", "json")
    assert (outcomes(done), done["settled"]) == ({twins[0]: "kept", twins[1]: "deleted"}, False)


def test_what_was_there_before_is_kept(stage: Stage, inside: Inside) -> None:
    """Clocks may differ, so a file from shortly before is shown; without a word from anybody it stays."""
    (twin,) = lose_answers(stage, 1)
    (page,) = [store for store in stage.dump()["vector_stores"] if store["name"] == "asstops:demo"]
    began, _, uploads = page["metadata"]["note"].partition(" ")
    later = {**page["metadata"], "note": f"{int(began) + 60} {uploads}"}
    stage.data("POST", f"/vector_stores/{page['id']}", {"metadata": later})
    kept = inside.json("gc", "-y", "--format", "json")
    assert (outcomes(kept), kept["leftovers"][0]["early"]) == ({twin: "kept"}, True)
    stage.data("POST", f"/vector_stores/{page['id']}", {"metadata": {**later, "note": f"{int(began) + 600} {uploads}"}})
    assert outcomes(inside.json("gc", "--dry-run", "--format", "json")) == {}


def test_what_is_not_ours_is_dismissed(stage: Stage, inside: Inside) -> None:
    """Somebody has looked at it and says so: it stays, and plans tell of it no more."""
    (twin,) = lose_answers(stage, 1)
    stage.data("POST", "/vector_stores", {"name": "theirs", "file_ids": [twin]})
    shown = inside.run("gc", "-y", "--dismiss")
    assert "1 file kept." in shown.stdout
    assert list(unrecorded(stage.dump())) == [twin]
    stage.assert_settled()
    assert "Nothing is left over." in inside.run("gc").stdout


def test_a_delete_that_fails_is_told(stage: Stage, inside: Inside) -> None:
    """The other files go all the same, the note stays, and the exit code says that something is left."""
    first, second = lose_answers(stage, 2)
    stage.admin("POST", "/faults", {"method": "DELETE", "path": f"/files/{first}$", "status": 400, "count": 0})
    ended = inside.run("gc", "-y", code=3)
    assert f"{first} could not be deleted" in " ".join(ended.stdout.split())
    assert list(unrecorded(stage.dump())) == [first]
    stage.admin("DELETE", "/faults")
    assert outcomes(inside.json("gc", "-y", "--format", "json")) == {first: "deleted"}
    assert second not in unrecorded(stage.dump())
    assert settled(stage)


def test_a_record_that_cannot_be_written_is_told(stage: Stage, inside: Inside) -> None:
    """The files are gone, the note is still there: running it again clears it."""
    lose_answers(stage, 1)
    stage.admin("POST", "/faults", {"method": "POST", "path": "/vector_stores/vs_", "status": 400, "count": 0})
    ended = inside.run("gc", "-y", code=3)
    assert "the record could not be put in order" in " ".join(ended.stderr.split())
    stage.admin("DELETE", "/faults")
    assert "The note of the interrupted apply is cleared." in inside.run("gc", "-y").stdout
    assert settled(stage)


def test_people_are_asked_before_the_record_is_written(stage: Stage, inside: Inside, watched: Watched) -> None:
    """Somebody deleted a file that then left the spec: only its entry is left."""
    stage.apply(SPEC, FILES)
    gone = next(file["id"] for file in stage.dump()["files"] if file["filename"] == "c.md")
    stage.data("DELETE", f"/files/{gone}")
    stage.apply({**SPEC, "vector_stores": {"kb": {"files": ["a", "b"]}}})
    stage.look_away()
    for answer, written in (("n\n", 0), ("y\n", 1)):
        asked = watched(inside.command("gc"), cwd=stage.folder, environ=inside.environment(), terminal=True)
        asked.says("Put the record of files in order?")
        asked.answer(answer)
        assert asked.end() == 0
        assert len(stage.writes()) == written
    assert live_form(stage.dump())["dead_entries"] == 0
    stage.assert_settled()


def test_the_record_of_another_repository_is_left_alone(stage: Stage, inside: Inside) -> None:
    """A spec that was copied with its stack's name must not clean up after the original."""
    stage.apply({**SPEC, "origin": "https://example.com/one"}, FILES)
    stage.write({**SPEC, "origin": "https://example.com/two"})
    stage.look_away()
    refused = inside.run("gc", "-y", code=6)
    assert "--accept-origin" in refused.stderr
    assert stage.writes() == []


def test_it_waits_for_its_turn(stage: Stage, inside: Inside, watched: Watched) -> None:
    """What an apply has just uploaded looks like a leftover, so the two never run at once."""
    twins = lose_answers(stage, 1)
    first = watched(inside.command("gc"), cwd=stage.folder, environ=inside.environment(), terminal=True)
    first.says(f"Delete {twins[0]}")
    refused = inside.run("gc", "-y", code=5)
    assert "asstops gc" in refused.stderr
    assert inside.run("gc", "--dry-run").returncode == 0
    first.answer("y\n")
    assert first.end() == 0
    assert settled(stage)
