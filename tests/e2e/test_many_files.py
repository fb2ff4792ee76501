"""A store of six hundred files: batches of five hundred, two pages of the record, and one changed file afterwards."""

from __future__ import annotations

import re

import pytest

from asstops.emulator import ingest
from asstops.kinds import vector_store
from tests.support.live import is_bare, live_form
from tests.support.stage import Stage, labels, shown

COUNT = 600
SPEC = {
    "stack": "library",
    "service": "assistants",
    "vector_stores": {"all": {"files": [{"glob": "kb/**/*.md"}]}},
    "assistants": {"librarian": {"model": "gpt-4o", "tools": [{"file_search": {"vector_store": "all"}}]}},
}


def test_six_hundred_files(stage: Stage) -> None:
    files = {f"kb/{n % 7}/{n}.md": f"Page {n}.\n" for n in range(COUNT)}
    stage.apply(SPEC, files)
    sent = stage.writes()
    batches = [entry["body"] for entry in sent if entry["path"].endswith("/file_batches")]
    assert [len(body["file_ids"]) for body in batches] == [500, 100]
    pages = sorted(s["name"] for s in stage.dump()["vector_stores"] if s["name"].startswith("asstops:"))
    assert pages == ["asstops:library", "asstops:library:1"]
    assert len(stage.dump()["files"]) == COUNT
    stage.assert_settled()
    assert len(stage.requests()) < 30  # two plans; the store's files come a hundred a page

    changed = {**files, "kb/3/17.md": "Page 17, second edition.\n"}
    stage.write(SPEC, changed)
    assert shown(stage.plan()) == {
        "file.kb/3/17.md": ("update", ("content",)),
        "vector_store.all": ("update", ("files",)),
    }
    stage.look_away()
    stage.apply()
    assert len(_beyond_reading(stage, pages=6)) in (12, 13)  # the old entry may stand on another page than the new one
    stage.assert_settled()
    edited = live_form(stage.dump())

    stage.reset()
    stage.apply()
    alone = live_form(stage.dump())
    assert {**edited, "record": _entries(edited)} == {**alone, "record": _entries(alone)}
    stage.destroy()
    assert is_bare(stage.dump())


def test_one_file_of_few_takes_as_many_requests(stage: Stage) -> None:
    """Beyond reading what is live, a changed file costs the same among forty as among six hundred."""
    files = {f"kb/{n}.md": f"Page {n}.\n" for n in range(40)}
    stage.apply(SPEC, files)
    stage.write(SPEC, {"kb/17.md": "Page 17, second edition.\n"})
    stage.look_away()
    stage.apply()
    assert sorted(_beyond_reading(stage, pages=1)) == [
        "DELETE /files/OLD",  # nothing refers to it any more
        "DELETE /vector_stores/STORE/files/OLD",
        "GET /files",  # a listing must show the new one before the end
        "GET /vector_stores/STORE",  # what was planned is what is there
        "GET /vector_stores/STORE/file_batches/BATCH",
        "POST /files",
        "POST /vector_stores/RECORD",  # the note that an upload begins
        "POST /vector_stores/RECORD",  # the entry of the new one, and that the old one is old
        "POST /vector_stores/RECORD",  # the old one is gone
        "POST /vector_stores/RECORD",  # the note is cleared
        "POST /vector_stores/STORE",
        "POST /vector_stores/STORE/file_batches",
    ]


def test_a_file_of_a_full_store(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that holds as many as it may takes nothing in: what is old makes room first, and no more than it must."""
    monkeypatch.setattr(vector_store, "MAX_FILES", 5)
    monkeypatch.setattr(ingest, "MOST_FILES", 5)
    stage.apply(SPEC, {f"kb/{n}.md": f"Page {n}.\n" for n in range(4)})
    for changed, expected in (
        (("0", "1"), ["DELETE", "POST", "DELETE"]),  # of four: there is room for one
        (("4",), ["POST"]),
        (("3",), ["DELETE", "POST"]),  # of five: there is none
    ):
        stage.write(SPEC, {f"kb/{n}.md": f"Page {n}, anew.\n" for n in changed})
        stage.look_away()
        stage.apply()
        moved = [entry for entry in stage.writes() if re.search(r"/vector_stores/\w+/file(s|_batches)", entry["path"])]
        assert [entry["method"] for entry in moved] == expected
        stage.assert_settled()


def test_a_full_store_is_never_emptied(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batch by batch: what goes wrong on the way costs the assistants one batch of files at most."""
    monkeypatch.setattr(vector_store, "MAX_FILES", 6)
    monkeypatch.setattr(vector_store, "BATCH", 2)
    monkeypatch.setattr(ingest, "MOST_FILES", 6)
    stage.apply(SPEC, {f"kb/{n}.md": f"Page {n}.\n" for n in range(6)})
    stage.write(SPEC, {f"kb/{n}.md": f"Page {n}, anew.\n" for n in range(6)})
    stage.look_away()
    stage.apply()
    moved = [entry for entry in stage.writes() if re.search(r"/vector_stores/\w+/file(s|_batches)", entry["path"])]
    assert [entry["method"] for entry in moved] == ["DELETE", "DELETE", "POST"] * 3
    stage.assert_settled()


def _beyond_reading(stage: Stage, *, pages: int) -> list[str]:
    """The requests of an apply after the live state was read, which takes so many pages of the store's files."""
    names = {store["id"]: "RECORD" for store in stage.dump()["vector_stores"] if store["name"].startswith("asstops:")}
    sent = [re.sub(r"vsfb_\w+", "BATCH", label) for label in labels(stage.requests())]
    sent = [re.sub(r"vs_\w+", lambda found: names.get(found[0], "STORE"), label) for label in sent]
    sent = [re.sub(r"assistant-\w+", "OLD", label) for label in sent]
    for label in ["GET /assistants", "GET /files", "GET /vector_stores", *["GET /vector_stores/STORE/files"] * pages]:
        sent.remove(label)
    return sent


def _entries(live: dict[str, list[tuple[object, ...]]]) -> set[object]:
    """What the record knows, whichever page it stands on."""
    return {entry for page in live["record"] for entry in page[4]}  # type: ignore[attr-defined]
