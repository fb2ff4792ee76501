"""The record of files while an apply runs: the note first, entries as they come, the note cleared last."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from asstops.errors import Interrupted, Unavailable
from asstops.journal import Journal
from asstops.leftovers import CLOCK_SKEW_S
from asstops.mark import KEY, from_metadata
from asstops.model import FileSource
from asstops.record import PER_PAGE, Note, Record, content_digest, decode, id_digest, upload_digest
from asstops.recorder import FLUSH_AFTER, FLUSH_AFTER_S, LOOKUPS, Recorder

PATIENCE_S = 30.0


class Stores:
    """The service's vector stores and files, as far as the record needs them.

    `fail` lists writes that fail, by number from 1, `lost` those that are carried out but whose answer is lost, and
    `unseen` counts the listings that do not yet show what is there.
    """

    def __init__(self) -> None:
        self.live: dict[str, dict[str, str]] = {}
        self.files: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.fail: set[int] = set()
        self.lost: set[int] = set()
        self.unseen = 0
        self.looks = 0

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if len(self.calls) in self.fail:
            raise Unavailable("no")

    def create_vector_store(self, body: dict[str, Any]) -> dict[str, Any]:
        self._call("create")
        remote_id = f"vs_{len(self.live)}"
        self.live[remote_id] = dict(body["metadata"])
        if len(self.calls) in self.lost:
            raise Unavailable("cut", ambiguous=True)
        return {"id": remote_id}

    def _seen(self) -> bool:
        self.looks += 1
        self.unseen -= 1
        return self.unseen < 0

    def list_vector_stores(self, *, newest_first: bool = False) -> list[dict[str, Any]]:
        stores = [{"id": remote_id, "metadata": metadata} for remote_id, metadata in self.live.items()]
        return stores if self._seen() else []

    def list_files(self) -> list[dict[str, Any]]:
        return list(self.files) if self._seen() else []

    def upload(self, *ids: str, name: str = "a", at: float = 1000) -> None:
        self.files += [{"id": remote_id, "filename": name, "bytes": 1, "created_at": at} for remote_id in ids]

    def modify_vector_store(self, remote_id: str, body: dict[str, Any]) -> dict[str, Any]:
        self._call("modify")
        self.live[remote_id] = dict(body["metadata"])
        return {"id": remote_id}

    def delete_vector_store(self, remote_id: str) -> None:
        self._call("delete")
        del self.live[remote_id]

    def record(self) -> Record:
        """The record as the next run reads it."""
        pages = []
        for remote_id, metadata in self.live.items():
            mark = from_metadata(metadata)
            assert mark is not None
            pages.append(decode(remote_id, mark, {key: value for key, value in metadata.items() if key != KEY}))
        return Record(tuple(pages))


class World:
    def __init__(self) -> None:
        self.stores, self.now = Stores(), 1000.0
        self.pauses: list[int] = []
        self.names = iter(f"nonce{number}" for number in range(99))

    def recorder(self, record: Record | None = None, **options: Any) -> Recorder:
        session: Any = SimpleNamespace(data=self.stores)
        record = record or self.stores.record()
        options = {"sources": frozenset({("a", 1)}), "pause": self.pauses.append, **options}
        names = self.names
        return Recorder(session, record, "demo", "", nonce=lambda: next(names), clock=lambda: self.now, **options)


@pytest.fixture
def world() -> World:
    return World()


def entries(count: int, start: int = 0) -> dict[str, str]:
    """Remote ids, with digests of the form that the record keeps."""
    return {
        f"file-{n}": content_digest(
            f"k{n}", FileSource(path=Path("a"), shown="a", name="a", size_bytes=1, sha256="0" * 64)
        )
        for n in range(start, start + count)
    }


def remembered(found: dict[str, str]) -> dict[str, str]:
    return {id_digest(remote_id): content for remote_id, content in found.items()}


def test_nothing_is_written_without_need(world: World) -> None:
    world.recorder().finish()
    assert world.stores.calls == []


def test_the_note_comes_first_and_goes_last(world: World) -> None:
    recorder = world.recorder()
    recorder.begin(3)
    recorder.begin(3)
    assert world.stores.calls == ["create"]
    note = world.stores.record().note
    assert note is not None
    assert (note.started, note.uploads) == (1000, 3)
    files = entries(3)
    for remote_id, content in files.items():
        recorder.add(remote_id, content)
    assert world.stores.record().entries == {}
    recorder.finish()
    assert world.stores.record().note is None
    assert world.stores.record().entries == remembered(files)


def test_the_note_tells_what_is_uploaded(world: World) -> None:
    """Also of what a later apply uploads under the note of one that was killed, and only once."""
    world.recorder().begin(1, [("a", 1)])
    world.now += 50
    again = world.recorder()
    again.begin(1, [("b", 2)])
    again.begin(1, [("c", 3)])
    note = world.stores.record().note
    assert note == Note(1000, 1, frozenset({upload_digest("a", 1), upload_digest("b", 2)}))
    world.recorder().begin(1, [("b", 2)])
    assert world.stores.calls == ["create", "modify"]


def in_doubt(world: World) -> Recorder:
    """One file was uploaded and written down, after an upload of it whose answer was lost."""
    recorder = world.recorder()
    recorder.begin(1)
    recorder.doubtful = True
    world.stores.upload("file-0")
    recorder.uploaded("file-0", entries(1)["file-0"])
    return recorder


def test_the_note_stays_while_a_file_may_be_a_twin(world: World) -> None:
    recorder = in_doubt(world)
    world.stores.upload("twin", at=999)
    assert not recorder.finish()
    assert world.stores.record().note is not None


@pytest.mark.parametrize(
    "other",
    [None, {"at": 1000.0 - CLOCK_SKEW_S - 1}, {"name": "b"}],
    ids=["no other file", "one from before", "one of another name"],
)
def test_the_note_goes_when_no_file_can_be_a_twin(world: World, other: dict[str, Any] | None) -> None:
    """The upload was cut before the service kept it: a plan must find nothing to do."""
    recorder = in_doubt(world)
    if other is not None:
        world.stores.upload("other", **other)
    assert recorder.finish()
    assert world.stores.record().note is None


def test_a_listing_that_lags_is_waited_for(world: World) -> None:
    """It does not show what was uploaded just now, so it may hide the twin as well."""
    recorder = in_doubt(world)
    world.stores.upload("twin")
    world.stores.unseen = 2
    assert not recorder.finish()
    assert world.pauses == [0, 1]
    assert world.stores.record().note is not None


def test_the_note_stays_when_no_listing_catches_up(world: World) -> None:
    recorder = in_doubt(world)
    world.stores.unseen = 99
    assert not recorder.finish()
    assert world.pauses == list(range(LOOKUPS))


def test_a_note_that_was_found_is_cleared_after_a_look(world: World) -> None:
    """An earlier apply was killed: what it left may have come to light only now."""
    world.recorder().begin(1)
    world.stores.upload("left")
    assert not world.recorder().finish()
    world.stores.files.clear()
    assert world.recorder().finish()
    assert world.stores.record().note is None


def test_without_doubt_nothing_is_listed(world: World) -> None:
    recorder = in_doubt(world)
    recorder.doubtful = False
    world.stores.looks = 0
    assert recorder.finish()
    assert world.stores.looks == 0


def test_somebody_who_has_looked_may_clear_the_note(world: World) -> None:
    recorder = in_doubt(world)
    world.stores.upload("twin")
    assert recorder.finish(dismiss=True)
    assert world.stores.record().note is None


def test_the_last_upload_writes_the_entries(world: World) -> None:
    """Taking the files in may take half an hour, and a kill meanwhile must not cost them."""
    recorder = world.recorder()
    recorder.begin(2)
    first, second = entries(2).items()
    recorder.uploaded(*first)
    assert world.stores.record().entries == {}
    recorder.uploaded(*second)
    assert world.stores.record().entries == remembered(entries(2))
    assert world.stores.record().note is not None


def test_an_upload_is_done_also_when_no_more_may_be_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C the entry is written at the end; the upload did not fail."""

    def stopped(*_: object) -> None:
        raise Interrupted("stopped")

    recorder = world.recorder()
    recorder.begin(1)
    with monkeypatch.context() as patch:
        patch.setattr(world.stores, "modify_vector_store", stopped)
        recorder.uploaded("file-0", entries(1)["file-0"])
    recorder.finish()
    assert world.stores.record().entries == remembered(entries(1))


class Busy:
    """A thread that writes a page, from when the block begins until `let_go`: the service takes its time to answer.

    `at_once` is whether another thread wrote one at the same time.
    """

    at_once = False

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch, write: Callable[[], None]) -> None:
        self._begun, self._over, alone = threading.Event(), threading.Event(), threading.Lock()
        modify = world.stores.modify_vector_store

        def slow(*args: Any) -> dict[str, Any]:
            if not alone.acquire(blocking=False):
                self.at_once = True
                return modify(*args)
            try:
                self._begun.set()
                assert self._over.wait(PATIENCE_S)
                return modify(*args)
            finally:
                alone.release()

        monkeypatch.setattr(world.stores, "modify_vector_store", slow)
        self._thread = threading.Thread(target=write)

    def __enter__(self) -> Busy:
        self._thread.start()
        assert self._begun.wait(PATIENCE_S)
        return self

    def let_go(self) -> None:
        self._over.set()
        self._thread.join(PATIENCE_S)

    def __exit__(self, *_: object) -> None:
        self.let_go()


def upload_all(recorder: Recorder, files: dict[str, str]) -> None:
    for remote_id, content in files.items():
        recorder.uploaded(remote_id, content)


def test_uploads_go_on_while_a_page_is_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """They neither wait for the request nor get lost by it."""
    recorder = world.recorder()
    count = FLUSH_AFTER + 20
    recorder.begin(count + 1)
    files = entries(count)
    first = dict(list(files.items())[:FLUSH_AFTER])
    with Busy(world, monkeypatch, lambda: upload_all(recorder, first)) as busy:
        for remote_id in list(files)[FLUSH_AFTER:]:
            recorder.begin(count + 1)
            recorder.uploaded(remote_id, files[remote_id])
        recorder.remove("file-0")
        assert world.stores.record().entries == {}
        busy.let_go()
        assert world.stores.record().entries == remembered(first)
    recorder.finish()
    del files["file-0"]
    assert world.stores.record().entries == remembered(files)


def test_the_last_upload_waits_until_all_is_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after it counts on every entry, also on those that another thread is about to write."""
    recorder = world.recorder()
    count = FLUSH_AFTER + 1
    recorder.begin(count)
    files = entries(count)
    first = dict(list(files.items())[:FLUSH_AFTER])
    known: list[int] = []

    def upload_last() -> None:
        recorder.uploaded(f"file-{FLUSH_AFTER}", files[f"file-{FLUSH_AFTER}"])
        known.append(len(world.stores.record().entries))

    with Busy(world, monkeypatch, lambda: upload_all(recorder, first)) as busy:
        last = threading.Thread(target=upload_last)
        last.start()
        last.join(0.2)  # one that did not wait would be done by now
        busy.let_go()
        last.join(PATIENCE_S)
    assert (known, busy.at_once) == ([count], False)


# Pages whose creation was lost


def test_a_page_whose_answer_was_lost_is_found_by_its_nonce(world: World) -> None:
    """Outwaiting a listing that lags; there is one page, and it is used."""
    world.stores.lost, world.stores.unseen = {1}, 2
    recorder = world.recorder()
    recorder.begin(1)
    recorder.uploaded("file-0", entries(1)["file-0"])
    recorder.finish()
    assert world.pauses == [0, 1]
    assert len(world.stores.live) == 1
    assert world.stores.record().entries == remembered(entries(1))


def test_a_page_that_stays_unseen_is_made_again_and_they_become_one(world: World) -> None:
    """Two pages of one number are both read; the next write puts all on one, and the other goes last."""
    world.stores.lost, world.stores.unseen = {1}, 99
    recorder = world.recorder()
    recorder.begin(1)
    recorder.uploaded("file-0", entries(1)["file-0"])
    recorder.finish()
    assert [page.number for page in world.stores.record().pages] == [0, 0]
    world.stores.unseen = 0
    world.stores.calls.clear()
    assert world.recorder().finish()
    (page,) = world.stores.record().pages
    assert (page.note, page.entries) == (None, remembered(entries(1)))
    assert world.stores.calls[-1] == "delete"


def test_a_page_that_failed_is_looked_for_before_it_is_made_again(world: World) -> None:
    """The second attempt failed as well; the next file's step must not make a third page."""
    world.stores.lost, world.stores.fail, world.stores.unseen = {1}, {2}, LOOKUPS
    recorder = world.recorder()
    with pytest.raises(Unavailable):
        recorder.begin(1)
    recorder.begin(1)
    assert len(world.stores.live) == 1


def test_entries_of_two_pages_of_one_number_become_those_of_one(world: World) -> None:
    """Whatever each of them holds; one that cannot be deleted in the end has lost nothing, and goes the next time."""
    for first, count in ((0, 2), (2, 3)):
        recorder = world.recorder(Record())
        recorder.begin(count)
        for remote_id, content in entries(count, start=first).items():
            recorder.uploaded(remote_id, content)
        recorder.finish()
    assert [len(page.entries) for page in world.stores.record().pages] == [2, 3]
    again = world.recorder()
    again.remove("file-0")
    world.stores.fail = {len(world.stores.calls) + 2}
    with pytest.raises(Unavailable):
        again.finish()
    world.recorder().finish()
    (page,) = world.stores.record().pages
    assert {id_digest(f"file-{n}") for n in (1, 2, 3, 4)} <= page.entries.keys()


def test_pages_without_entries_go(world: World) -> None:
    """But for the first one."""
    recorder = world.recorder()
    recorder.begin(1)
    files = entries(PER_PAGE + 3)
    for remote_id, content in files.items():
        recorder.add(remote_id, content)
    recorder.finish()
    again = world.recorder()
    for remote_id in files:
        again.remove(remote_id)
    again.finish()
    assert [page.number for page in world.stores.record().pages] == [0]


# Entries whose file is gone


def dead(world: World) -> frozenset[str]:
    """Two files are written down, and somebody deletes the first."""
    recorder = world.recorder()
    recorder.begin(2)
    for remote_id, content in entries(2).items():
        recorder.uploaded(remote_id, content)
    recorder.finish()
    world.stores.upload("file-1")
    return frozenset({id_digest("file-0")})


def test_an_entry_whose_file_is_gone_is_pruned_with_the_next_upload(world: World) -> None:
    """The listing shows what was uploaded just now, so it is up to date, and the file still is not in it."""
    recorder = world.recorder(dead=dead(world))
    recorder.begin(1)
    world.stores.upload("file-2")
    new = entries(1, start=2)
    recorder.uploaded("file-2", new["file-2"])
    recorder.finish()
    assert world.stores.record().entries.keys() == {id_digest("file-1"), id_digest("file-2")}


@pytest.mark.parametrize("why", ["nothing was uploaded", "it came to light", "the listing lags"])
def test_an_entry_is_not_pruned_on_the_word_of_one_listing(world: World, why: str) -> None:
    """The file may only be late to show; without its entry nobody would know it any more."""
    recorder = world.recorder(dead=dead(world))
    if why != "nothing was uploaded":
        recorder.begin(1)
        world.stores.upload("file-2", *(["file-0"] if why == "it came to light" else []))
        recorder.uploaded("file-2", entries(1, start=2)["file-2"])
        world.stores.unseen = 99 if why == "the listing lags" else 0
    recorder.finish()
    assert id_digest("file-0") in world.stores.record().entries


# The journal


def test_the_journal_lives_until_the_entries_are_written(world: World, tmp_path: Path) -> None:
    """It is opened under the note, and gone before the note is."""
    journal = Journal(tmp_path, "demo")
    recorder = world.recorder(journal=journal)
    recorder.begin(2)
    source = FileSource(path=Path("a"), shown="a", name="a", size_bytes=1, sha256="0" * 64)
    recorder.uploading("k0", source, entries(1)["file-0"])
    recorder.uploaded("file-0", entries(1)["file-0"])
    story = journal.read()
    assert {(story.nonce, story.since)} == world.stores.record().notes
    assert story.ended == entries(1)
    world.stores.fail = {len(world.stores.calls) + 1}
    with pytest.raises(Unavailable):
        recorder.finish()
    assert journal.path.exists()
    world.stores.fail = {len(world.stores.calls) + 2}  # the entries are written, the note is not cleared
    with pytest.raises(Unavailable):
        recorder.finish()
    assert world.stores.record().note is not None
    assert not journal.path.exists()


def test_what_the_journal_knew_is_written_down(world: World) -> None:
    world.recorder().begin(1)
    recorder = world.recorder(recovered=entries(2))
    recorder.finish()
    assert world.stores.record().entries == remembered(entries(2))


def test_entries_are_written_on_the_way(world: World) -> None:
    """Some hundred at a time, or after some seconds: a crash loses little."""
    recorder = world.recorder()
    recorder.begin(FLUSH_AFTER + 1)
    files = entries(FLUSH_AFTER + 1)
    for remote_id, content in list(files.items())[:-1]:
        recorder.add(remote_id, content)
    assert len(world.stores.record().entries) == FLUSH_AFTER
    world.now += FLUSH_AFTER_S + 1
    recorder.add(*list(files.items())[-1])
    assert world.stores.record().entries == remembered(files)
    assert world.stores.record().note is not None


def test_pages_fill_up(world: World) -> None:
    recorder = world.recorder()
    recorder.begin(1)
    files = entries(2 * PER_PAGE + 5)
    for remote_id, content in files.items():
        recorder.add(remote_id, content)
    recorder.finish()
    assert [len(page.entries) for page in world.stores.record().pages] == [PER_PAGE, PER_PAGE, 5]
    assert world.stores.record().entries == remembered(files)


def test_what_is_removed_makes_room(world: World) -> None:
    recorder = world.recorder()
    recorder.begin(1)
    files = entries(PER_PAGE)
    for remote_id, content in files.items():
        recorder.add(remote_id, content)
    recorder.finish()
    again = world.recorder()
    again.remove("file-0")
    more = entries(1, start=PER_PAGE)
    again.add(*next(iter(more.items())))
    again.finish()
    del files["file-0"]
    assert len(world.stores.live) == 1
    assert world.stores.record().entries == remembered(files | more)


def test_new_content_replaces_the_old(world: World) -> None:
    recorder = world.recorder()
    recorder.begin(1)
    recorder.add("file-0", entries(1)["file-0"])
    recorder.finish()
    other = entries(1, start=7)["file-7"]
    again = world.recorder()
    again.add("file-0", other)
    again.finish()
    assert world.stores.record().entries == {id_digest("file-0"): other}


@pytest.mark.parametrize("failing", range(1, 8))
def test_a_write_that_fails_is_made_up_for(world: World, failing: int) -> None:
    """Whichever write fails, trying again ends with the whole record: entries must not count as written too early."""
    world.stores.fail = {failing}
    recorder = world.recorder()
    files = entries(PER_PAGE + 5)
    waiting = list(files.items())
    for _ in range(2):
        try:
            recorder.begin(1)
        except Unavailable:
            continue
        break
    while waiting:
        try:
            recorder.add(*waiting[0])
        except Unavailable:
            continue
        waiting.pop(0)
    for _ in range(2):
        try:
            recorder.finish()
        except Unavailable:
            continue
        break
    assert world.stores.record().entries == remembered(files)
    assert world.stores.record().note is None


def test_deleting_begins_with_the_last_page(world: World) -> None:
    recorder = world.recorder()
    recorder.begin(1)
    for remote_id, content in entries(PER_PAGE + 1).items():
        recorder.add(remote_id, content)
    recorder.finish()
    world.stores.fail = {len(world.stores.calls) + 2}
    again = world.recorder()
    with pytest.raises(Unavailable):
        again.delete()
    assert [page.number for page in world.stores.record().pages] == [0]
    again.delete()
    assert world.stores.live == {}
    again.finish()
    assert world.stores.live == {}
