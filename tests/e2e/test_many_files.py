"""A store of six hundred files: batches of five hundred, two pages of the record, and one changed file afterwards."""

from __future__ import annotations

from tests.support.live import is_bare, live_form
from tests.support.stage import Stage, shown

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
    uploads = [entry for entry in stage.writes() if entry["method"] == "POST" and entry["path"].endswith("/files")]
    assert len(uploads) == 1
    assert len(stage.writes()) < 12
    stage.assert_settled()
    edited = live_form(stage.dump())

    stage.reset()
    stage.apply()
    alone = live_form(stage.dump())
    assert {**edited, "record": _entries(edited)} == {**alone, "record": _entries(alone)}
    stage.destroy()
    assert is_bare(stage.dump())


def _entries(live: dict[str, list[tuple[object, ...]]]) -> set[object]:
    """What the record knows, whichever page it stands on."""
    return {entry for page in live["record"] for entry in page[4]}  # type: ignore[attr-defined]
