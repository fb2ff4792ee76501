"""What may be left over from an apply that was cut off: whom it is taken for, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from asstops import leftovers as lo
from asstops.model import Address, FileSource, Mark, Observed, Resource
from asstops.ownership import Snapshot
from asstops.record import Note, Page, Record, id_digest, upload_digest

BEGAN = 1_790_000_000
STACK = "demo"
SPEC = frozenset({("a.md", 3)})


def file(remote_id: str, name: str = "a.md", size: int = 3, at: float = BEGAN) -> Observed:
    return Observed("file", remote_id, name, {"name": name, "size_bytes": size}, created_at=at)


NOTE = Note(BEGAN, 2)


def record(note: Note | None = NOTE, entries: tuple[str, ...] = ()) -> Record:
    held = {id_digest(remote_id): "AAAAAA" for remote_id in entries}
    return Record((Page(0, "vs_0", Mark(STACK, "#0", nonce="n"), held, note),))


def test_what_the_spec_uploads_is_known_by_name_and_size() -> None:
    """A file that others made has no content of ours."""
    source = FileSource(Path("kb/a.md"), "kb/a.md", "a.md", 3)
    wanted = [Resource(Address("file", "a"), {}, source=source), Resource(Address("file", "b"), {}, remote_id="f")]
    assert lo.sources(wanted) == SPEC


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (file("f"), True),
        (file("f", at=BEGAN - lo.CLOCK_SKEW_S), True),
        (file("f", at=BEGAN - lo.CLOCK_SKEW_S - 1), False),
        (file("f", name="b.md"), False),
        (file("f", size=4), False),
    ],
)
def test_only_what_may_be_left_is_suspected(found: Observed, expected: bool) -> None:
    """Name and size of a file of the spec, and not from before the note; clocks may differ a little."""
    assert lo.suspects(record(), [found], SPEC) == ((found,) if expected else ())


def test_what_the_note_names_is_suspected_although_the_spec_has_moved_on() -> None:
    """Killed, then edited: the old content is nobody's, and must not stay unseen."""
    note = NOTE.also({upload_digest("a.md", 3)})
    assert lo.suspects(record(note), [file("old"), file("other", size=4)], frozenset()) == (file("old"),)


def test_without_a_note_nothing_is_suspected() -> None:
    """Whoever uploads files of such names to the account is left alone."""
    assert lo.suspects(record(None), [file("f")], SPEC) == ()


def test_many_files_are_told_of_in_one_notice() -> None:
    """How many, the first five, and where to go on."""
    (notice,) = lo.notices(record(), [file(f"file-{n}") for n in range(1200)], 0)
    assert "1,200 files may be left from it" in notice.message
    assert "file-4 (a.md) and 1,195 more" in notice.message
    assert "file-5" not in notice.message
    assert "2026-09-21 14:13 UTC to upload 2 files" in notice.message
    assert "asstops gc" in notice.fix


def test_each_of_few_is_named() -> None:
    (notice,) = lo.notices(record(), [file("file-0")], 0)
    assert notice.message.endswith(
        "1 file may be left from it, with the name and size of one that it was to upload: file-0 (a.md)"
    )


def test_what_is_known_for_certain_is_told_apart() -> None:
    first, second = lo.notices(record(), [], 2)
    assert first.message.endswith("did not finish")
    assert "2 files that an apply on this machine uploaded before it was cut off" in second.message
    assert lo.notices(record(None), [], 0) == []


def test_everything_is_gathered_with_its_reason() -> None:
    """In the order in which it is shown."""
    pages = (
        *record(entries=("gone",)).pages,
        Page(0, "vs_1", Mark(STACK, "#0"), {}),
        Page(3, "vs_3", Mark(STACK, "#3"), {}),
    )
    snapshot = Snapshot(
        {"file": [file("twin"), file("ours"), file("used")]},
        Record(pages),
        suspects=("twin", "used"),
        recovered={"ours": "AAAAAA"},
        dead=frozenset({id_digest("gone")}),
    )
    users = {
        "used": [("vector_store.kb", True), ("assistant asst_1 (theirs)", False)],
        "twin": [("vector_store.kb", True)],
    }
    found = lo.gathered(snapshot, users, {"ours": "file.a"}, frozenset())
    assert [(item.sort, item.remote_id, item.foreign) for item in found] == [
        (lo.Sort.TWIN, "twin", False),
        (lo.Sort.TWIN, "used", True),
        (lo.Sort.UNRECORDED, "ours", False),
        (lo.Sort.DEAD, id_digest("gone"), False),
        (lo.Sort.SPARE, "vs_1", False),
        (lo.Sort.SPARE, "vs_3", False),
    ]
    twin, used, ours, _, double, hollow = found
    assert (twin.name, twin.size_bytes, twin.created_at) == ("a.md", 3, BEGAN)
    assert used.attached == ("vector_store.kb", "assistant asst_1 (theirs)")
    assert "file.a" in ours.reason
    assert ("twice" in double.reason, "no entries" in hollow.reason) == (True, True)


def test_what_this_machine_began_to_upload_is_said() -> None:
    """It makes it likelier that the file is ours."""
    snapshot = Snapshot({"file": [file("twin")]}, record(), suspects=("twin",))
    (likely,), (other,) = lo.gathered(snapshot, {}, {}, SPEC), lo.gathered(snapshot, {}, {}, frozenset())
    assert "this machine began to upload" in likely.reason
    assert "this machine" not in other.reason
