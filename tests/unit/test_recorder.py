"""The record of files while an apply runs: the note first, entries as they come, the note cleared last."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from asstops.errors import Unavailable
from asstops.mark import KEY, from_metadata
from asstops.model import FileSource
from asstops.record import PER_PAGE, Record, content_digest, decode, id_digest
from asstops.recorder import FLUSH_AFTER, FLUSH_AFTER_S, Recorder


class Stores:
    """The service's vector stores, as far as the record needs them. `fail` lists calls that fail, by number from 1."""

    def __init__(self) -> None:
        self.live: dict[str, dict[str, str]] = {}
        self.calls: list[str] = []
        self.fail: set[int] = set()

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if len(self.calls) in self.fail:
            raise Unavailable("no")

    def create_vector_store(self, body: dict[str, Any]) -> dict[str, Any]:
        self._call("create")
        remote_id = f"vs_{len(self.live)}"
        self.live[remote_id] = dict(body["metadata"])
        return {"id": remote_id}

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
        for number, (remote_id, metadata) in enumerate(self.live.items()):
            mark = from_metadata(metadata)
            assert mark is not None
            found = decode(remote_id, mark, {key: value for key, value in metadata.items() if key != KEY})
            assert found.number == number
            pages.append(found)
        return Record(tuple(pages))


class World:
    def __init__(self) -> None:
        self.stores, self.now = Stores(), 1000.0

    def recorder(self, record: Record | None = None) -> Recorder:
        session: Any = SimpleNamespace(data=self.stores)
        names = iter(f"nonce{number}" for number in range(99))
        return Recorder(
            session, record or self.stores.record(), "demo", "", nonce=lambda: next(names), clock=lambda: self.now
        )


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


def test_the_note_stays_while_an_upload_is_in_doubt(world: World) -> None:
    recorder = world.recorder()
    recorder.begin(1)
    recorder.doubtful = True
    recorder.finish()
    assert world.stores.record().note is not None


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
