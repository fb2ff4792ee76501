"""The journal of uploads: what it tells after a kill, and that no state of its file is an error."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from asstops.journal import Journal, Story
from asstops.model import FileSource

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")


def source(name: str) -> FileSource:
    return FileSource(path=Path(name), shown=name, name=name, size_bytes=len(name), sha256=name * 8)


def journal(folder: Path, stack: str = "demo") -> Journal:
    return Journal(folder, stack)


def written(folder: Path) -> Journal:
    """Two uploads began, one has ended, and the process is gone."""
    found = journal(folder)
    found.open("nonce", 7)
    found.begins("a", source("a.md"), "AAAAAA", 8.5)
    found.begins("b", source("b.md"), "BBBBBB", 9.0)
    found.ended("file-1", "AAAAAA")
    return found


def test_it_tells_what_began_and_what_ended(tmp_path: Path) -> None:
    written(tmp_path)
    story = journal(tmp_path).read()
    assert (story.nonce, story.since, story.ended, story.problem) == ("nonce", 7, {"file-1": "AAAAAA"}, "")
    sent = story.begun["BBBBBB"]
    assert (sent.key, sent.name, sent.size_bytes, sent.sha256, sent.began) == ("b", "b.md", 4, "b.md" * 8, 9.0)
    assert set(story.begun) == {"AAAAAA", "BBBBBB"}


def test_the_disk_is_waited_for_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line is there for whoever comes after a kill; only a machine that loses its power may lose the last ones."""
    now, synced = [0.0], list[int]()
    monkeypatch.setattr(os, "fsync", synced.append)
    found = Journal(tmp_path, "demo", clock=lambda: now[0])
    found.open("nonce", 7)
    for number in range(100):
        now[0] = number / 40
        found.begins("a", source("a.md"), f"digest-{number}", number)
        found.ended(f"file-{number}", f"digest-{number}")
        assert len(journal(tmp_path).read().ended) == number + 1
    assert len(synced) == 3


def test_without_one_it_tells_nothing(tmp_path: Path) -> None:
    """Nothing was done on this machine, and asking makes no folder."""
    assert journal(tmp_path).read() == Story()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_before_it_is_opened(tmp_path: Path) -> None:
    found = journal(tmp_path)
    found.begins("a", source("a.md"), "AAAAAA", 1)
    found.ended("file-1", "AAAAAA")
    found.remove()
    assert list(tmp_path.iterdir()) == []


def test_the_same_note_goes_on_and_another_begins_anew(tmp_path: Path) -> None:
    """A resumed apply adds to what is there; what belongs to another note is worth nothing."""
    written(tmp_path)
    again = journal(tmp_path)
    again.open("nonce", 7)
    again.ended("file-2", "BBBBBB")
    assert journal(tmp_path).read().ended == {"file-1": "AAAAAA", "file-2": "BBBBBB"}
    journal(tmp_path).open("nonce", 8)
    assert journal(tmp_path).read() == Story("nonce", 8)


def test_half_a_line_at_the_end_is_left_out_and_not_built_upon(tmp_path: Path) -> None:
    """The process may have been killed in the middle of a write."""
    path = written(tmp_path).path
    path.write_bytes(path.read_bytes() + b'{"ended":"BBB')
    assert journal(tmp_path).read().ended == {"file-1": "AAAAAA"}
    again = journal(tmp_path)
    again.open("nonce", 7)
    again.ended("file-2", "BBBBBB")
    assert journal(tmp_path).read().ended == {"file-1": "AAAAAA", "file-2": "BBBBBB"}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("begins", "begun"),
        lambda text: "[]\n" + text,
        lambda text: text.replace("{", "", 1),
        lambda text: text.replace('"size_bytes":4', '"size_bytes":"x"'),
        lambda text: text.replace('"journal":1', '"journal":2'),
        lambda text: text.replace('"stack":"demo"', '"stack":"other"'),
        lambda text: "\x00\n" * 3,
        lambda text: "[" * 100_000 + "\n",
    ],
)  # fmt: skip
def test_a_damaged_one_tells_nothing_but_that(tmp_path: Path, spoil: object) -> None:
    path = written(tmp_path).path
    path.write_text(spoil(path.read_text("utf-8")), "utf-8")  # type: ignore[operator]
    story = journal(tmp_path).read()
    assert (story.nonce, story.begun, story.ended) == ("", {}, {})
    assert "is damaged" in story.problem
    assert story.useless({("nonce", 7)}) == story.problem
    fresh = journal(tmp_path)
    fresh.open("nonce", 7)
    assert journal(tmp_path).read() == Story("nonce", 7)


def test_an_empty_one_is_none(tmp_path: Path) -> None:
    """Killed between making the file and its first line."""
    path = written(tmp_path).path
    path.write_text("")
    assert journal(tmp_path).read() == Story()


def test_it_counts_only_for_the_note_that_it_was_begun_under(tmp_path: Path) -> None:
    written(tmp_path)
    story = journal(tmp_path).read()
    assert story.useless({("nonce", 7), ("x", 1)}) == ""
    assert "settled since" in story.useless({("nonce", 8)})
    assert "settled since" in story.useless(set())
    assert Story().useless(set()) == ""


def test_stacks_have_one_each(tmp_path: Path) -> None:
    written(tmp_path)
    assert journal(tmp_path, "demo/prod").read() == Story()


def test_what_ended_without_a_beginning_is_passed_over(tmp_path: Path) -> None:
    """Nobody could say what it holds."""
    found = journal(tmp_path)
    found.open("nonce", 7)
    found.ended("file-1", "AAAAAA")
    assert journal(tmp_path).read().ended == {}


def test_removing_leaves_the_folder_to_others(tmp_path: Path) -> None:
    found = written(tmp_path)
    other = journal(tmp_path, "other")
    other.open("n", 1)
    found.remove()
    assert journal(tmp_path).read() == Story()
    assert other.path.exists()
    other.remove()
    assert not other.path.parent.exists()
    assert (tmp_path / ".asstops" / ".gitignore").read_text() == "*\n"


@POSIX
def test_only_the_user_may_read_it(tmp_path: Path) -> None:
    path = written(tmp_path).path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@POSIX
def test_a_link_or_a_pipe_in_its_place_is_not_followed(tmp_path: Path) -> None:
    """A repository can bring links along; reading must not wait for a writer either."""
    found = journal(tmp_path)
    found.path.parent.mkdir(parents=True)
    target = tmp_path / "precious"
    target.write_text("keep")
    found.path.symlink_to(target)
    assert "cannot be read" in found.read().problem
    found.open("nonce", 7)
    found.remove()
    assert target.read_text() == "keep"
    found.path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(found.path)
    assert "cannot be read" in journal(tmp_path).read().problem


def test_where_nothing_can_be_written_it_is_silent(tmp_path: Path) -> None:
    """A file stands where the folder should be, which stops even root."""
    (tmp_path / ".asstops").write_text("")
    found = written(tmp_path)
    found.remove()
    assert found.read() == Story()
    assert (tmp_path / ".asstops").read_text() == ""


def test_each_line_is_one_object(tmp_path: Path) -> None:
    """Names with line breaks stay on their line."""
    found = journal(tmp_path)
    found.open("nonce", 7)
    found.begins("k\n", source("a\n\u2028\u0085.md"), "AAAAAA", 1)
    lines = found.path.read_bytes().split(b"\n")
    assert [sorted(json.loads(line))[0] for line in lines if line] == ["journal", "at"]
    assert journal(tmp_path).read().begun["AAAAAA"].name == "a\n\u2028\u0085.md"
