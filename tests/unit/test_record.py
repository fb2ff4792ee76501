"""The record of files: its text form, its limits, and how live files are told apart with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from asstops import record as r
from asstops.model import Address, FileSource, Mark, Observed, Resource

STACK = "shop"


def source(name: str, content: str) -> FileSource:
    return FileSource(Path(name), name, name, len(content), sha256=content * 64)


def wanted(key: str, name: str, content: str) -> Resource:
    return Resource(Address("file", key), {}, source=source(name, content))


def live(remote_id: str, name: str, created_at: int = 0) -> Observed:
    return Observed("file", remote_id, name, {"name": name, "size_bytes": 1}, created_at=created_at)


def recorded(*files: tuple[str, str, str, str]) -> r.Record:
    """A record of (remote id, key, name, content)."""
    entries = {r.id_digest(i): r.content_digest(key, source(name, content)) for i, key, name, content in files}
    return r.Record((r.Page(0, "vs_0", Mark(STACK, "#0"), entries),))


def specs(*resources: Resource) -> dict[Address, Resource]:
    return {resource.address: resource for resource in resources}


def test_page_round_trip_at_its_limit() -> None:
    """A full page with a note is read back unchanged, and fits the service's metadata beside the mark."""
    entries = {r.id_digest(f"file-{i}"): r.content_digest(f"k{i}", source("n", "a")) for i in range(r.PER_PAGE)}
    note = r.Note(1_790_000_000, 10_000).also(r.upload_digest(f"f{i}", i) for i in range(10_000))
    assert len(note.about) == r.NOTED
    metadata = r.encode(entries, note)
    assert len(metadata) <= 15
    assert max(len(value) for value in metadata.values()) <= 512
    assert r.decode("vs_1", Mark(STACK, "#3"), metadata) == r.Page(3, "vs_1", Mark(STACK, "#3"), entries, note)


def test_a_note_tells_of_later_uploads_too() -> None:
    """What it told of before stays, also when not all fit."""
    first, more = ({r.upload_digest("a", i) for i in range(n, n + 100)} for n in (0, 1000))
    note = r.Note(1, 2).also(first).also(first)
    assert note.about == first
    both = note.also(more)
    assert (first < both.about < first | more, len(both.about)) == (True, r.NOTED)
    assert both.also(more) == both


@pytest.mark.parametrize("text", ["", "1", "x 1", "1 x", "1 2 abc", "1 2 abcde"])
def test_a_note_that_was_tampered_with_tells_what_it_can(text: str) -> None:
    """Somebody may edit it in a portal."""
    note = r.decode("vs_1", Mark(STACK, "#0"), {"note": text}).note
    about = {"1 2 abc": set(), "1 2 abcde": {"abcd"}}.get(text)
    assert note == (None if about is None else r.Note(1, 2, frozenset(about)))


def test_one_entry_too_many_is_refused() -> None:
    """Nothing is dropped silently."""
    entries = {r.id_digest(f"f{i}"): "abcdef" for i in range(r.PER_PAGE + 1)}
    with pytest.raises(ValueError, match="do not fit"):
        r.encode(entries, None)


def test_ten_thousand_files_take_nineteen_pages() -> None:
    """The record of the largest store stays readable in one listing."""
    assert -(-10_000 // r.PER_PAGE) == 19


def test_foreign_metadata_on_a_page_is_passed_over() -> None:
    """Somebody may add pairs in a portal."""
    page = r.decode("vs_1", Mark(STACK, "#0"), {"owner": "x", "00": "short", "note": "soon"})
    assert (page.entries, page.note) == ({}, None)


def test_protect_is_kept_without_changing_what_the_content_is() -> None:
    """The lowest bit of an entry says whether the file is protected."""
    plain, guarded = (r.content_digest("k", source("n", "a"), protect=flag) for flag in (False, True))
    assert plain != guarded
    assert r.same_content(plain, guarded)
    assert (r.is_protected(plain), r.is_protected(guarded)) == (False, True)


def test_key_name_and_content_all_count() -> None:
    """Renaming a file or its key is a change, as new content is."""
    digests = {
        r.content_digest("k", source("n", "a")),
        r.content_digest("K", source("n", "a")),
        r.content_digest("k", source("N", "a")),
        r.content_digest("k", source("n", "b")),
    }
    assert len(digests) == 4


def keys(claims: r.Claims) -> dict[str, str]:
    return {file.remote_id: file.mark.key for file in claims.ours if file.mark is not None}


def test_current_stale_removed_and_foreign_files_are_told_apart() -> None:
    """By content where it is current, by name where it is older, and nothing else is ours."""
    record = recorded(
        ("f1", "a", "a.md", "1"), ("f2", "b", "b.md", "0"), ("f3", "gone", "gone.md", "1"),
    )  # fmt: skip
    found = r.claim(
        [live("f1", "a.md"), live("f2", "b.md"), live("f3", "gone.md"), live("x", "a.md")],
        record,
        specs(wanted("a", "a.md", "1"), wanted("b", "b.md", "1")),
        STACK,
    )
    assert keys(found) == {"f1": "a", "f2": "b", "f3": "gone.md"}
    assert [file.remote_id for file in found.others] == ["x"]


def test_an_older_copy_beside_the_current_one_goes_by_its_name() -> None:
    """After a crash between upload and delete both are ours; only one is current."""
    record = recorded(("old", "a", "a.md", "0"), ("new", "a", "a.md", "1"))
    found = r.claim([live("old", "a.md"), live("new", "a.md")], record, specs(wanted("a", "a.md", "1")), STACK)
    assert keys(found) == {"new": "a", "old": "a.md"}


def test_two_removed_files_of_one_name_get_two_addresses() -> None:
    """Addresses stay unique, or one of them would be lost."""
    record = recorded(("f1", "x/a.md", "a.md", "1"), ("f2", "y/a.md", "a.md", "2"))
    found = r.claim([live("f1", "a.md", 1), live("f2", "a.md", 2)], record, {}, STACK)
    assert len(set(keys(found).values())) == 2


def test_content_tells_files_of_one_name_apart() -> None:
    """Names repeat across folders; the content digest knows the key."""
    record = recorded(("f1", "x/a.md", "a.md", "1"), ("f2", "y/a.md", "a.md", "2"))
    both = specs(wanted("x/a.md", "a.md", "1"), wanted("y/a.md", "a.md", "2"))
    assert keys(r.claim([live("f2", "a.md"), live("f1", "a.md")], record, both, STACK)) == {
        "f1": "x/a.md",
        "f2": "y/a.md",
    }


def test_a_file_that_the_journal_knows_is_ours() -> None:
    """As if it had its entry; the record's own entry counts more."""
    content = r.content_digest("a", source("a.md", "1"))
    spec = specs(wanted("a", "a.md", "1"))
    found = r.claim([live("f1", "a.md"), live("x", "a.md")], r.Record(), spec, STACK, {"f1": content})
    assert keys(found) == {"f1": "a"}
    older = r.content_digest("a", source("a.md", "0"))
    (file,) = r.claim([live("f1", "a.md")], recorded(("f1", "a", "a.md", "1")), spec, STACK, {"f1": older}).ours
    assert file.body["content"] == content


def numbered(number: int, remote_id: str, entries: int, note: r.Note | None = None) -> r.Page:
    """A page with so many entries of its own."""
    content = r.content_digest("k", source("n", "a"))
    held = {r.id_digest(f"{remote_id} {i}"): content for i in range(entries)}
    return r.Page(number, remote_id, Mark(STACK, f"#{number}", nonce=remote_id), held, note)


@pytest.mark.parametrize(
    ("pages", "doubles"),
    [
        ([numbered(0, "a", 1), numbered(1, "b", 1)], []),
        ([numbered(0, "a", 1), numbered(0, "b", 2)], ["a"]),
        ([numbered(0, "a", 1, r.Note(1, 1)), numbered(0, "b", 2)], ["b"]),
        ([numbered(0, "a", 0), numbered(0, "b", 0)], ["b"]),
    ],
)
def test_of_two_pages_of_one_number_one_is_to_go(pages: list[r.Page], doubles: list[str]) -> None:
    """The one with the note stays, then the fuller one, then whichever: always the same."""
    for order in (pages, pages[::-1]):
        assert [page.remote_id for page in r.Record(tuple(order)).doubles] == doubles


def test_pages_that_nothing_needs() -> None:
    """A hollow page goes, but not the first one, which the note needs."""
    record = r.Record((numbered(0, "a", 0), numbered(0, "b", 0), numbered(1, "c", 1), numbered(2, "d", 0)))
    assert [page.remote_id for page in record.hollow] == ["d"]
    assert [page.remote_id for page in record.spares] == ["b", "d"]


def test_the_notes_are_known_by_their_pages() -> None:
    record = r.Record((numbered(0, "a", 0, r.Note(7, 1)), numbered(0, "b", 0, r.Note(9, 1)), numbered(1, "c", 1)))
    assert record.notes == {("a", 7), ("b", 9)}


def test_names_and_keys_of_pages() -> None:
    """The first page has the plain name; no key of a spec looks like a page's."""
    assert [r.page_name("shop/prod", n) for n in (0, 1)] == ["asstops:shop/prod", "asstops:shop/prod:1"]
    assert [r.is_page(Mark("s", key)) for key in ("#0", "#12", "0", "#", "a#1")] == [True, True, False, False, False]


def test_what_is_no_entry_is_passed_over() -> None:
    """Somebody's edit of the metadata must not keep every plan from being made."""
    good = r.id_digest("file-1") + r.content_digest("a", source("a.md", "text"))
    page = r.decode("vs_1", Mark("demo", "#0"), {"00": good + "ABCDEFG\u00c4BCDEF", "01": "!" * r.ENTRY})
    assert dict(page.entries) == {good[:7]: good[7:]}
