"""The cache of digests: what it believes, what it does not, and that no state of its file is an error."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import stat
import sys
import threading
import time
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from asstops import hashcache, scratch
from asstops.hashcache import SETTLED_NS, HashCache, is_settled, stamp

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="links and change times of POSIX")
LATER = 2**62  # by when every change that was made is an old one


def cache(folder: Path, stack: str = "demo", **given: Any) -> HashCache:
    return HashCache(folder, stack, **{"now": lambda _: LATER, "has_change_times": True, **given})


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def told(found: HashCache, *paths: Path) -> dict[str, str]:
    """Name -> digest, for the files that the cache knows."""
    known = found.look({str(path): path.stat().st_size for path in paths})
    return {Path(path).name: digest for path, digest in known.digests.items()}


def learn(found: HashCache, *paths: Path) -> None:
    """What a command does: look, read what is not known, remember."""
    known = found.look({str(path): path.stat().st_size for path in paths})
    unknown = [path for path in paths if str(path) not in known.digests]
    found.keep(known, {str(path): (stamp(path.stat()), sha256(path)) for path in unknown})


def files(folder: Path, **contents: str) -> list[Path]:
    for name, content in contents.items():
        (folder / name).write_text(content, encoding="utf-8")
    return [folder / name for name in contents]


def let_the_clock_tick(path: Path) -> None:
    """Wait until what is changed now gets other times than the file has; the file system's clock ticks slowly."""
    probe, found = path.parent / "probe", path.stat()
    while True:
        probe.write_bytes(b"x")
        if probe.stat().st_mtime_ns > max(found.st_mtime_ns, found.st_ctime_ns):
            probe.unlink()
            return
        time.sleep(0.001)


def test_what_was_read_is_known(tmp_path: Path) -> None:
    """Also to another process, which has an object of its own."""
    one, two = files(tmp_path, one="1", two="22")
    learn(cache(tmp_path), one, two)
    assert told(cache(tmp_path), one, two) == {"one": sha256(one), "two": sha256(two)}


def test_nothing_is_known_at_first_and_asking_remembers_nothing(tmp_path: Path) -> None:
    (one,) = files(tmp_path, one="1")
    assert told(cache(tmp_path), one) == {}
    assert told(cache(tmp_path), one) == {}


def test_stacks_have_caches_of_their_own(tmp_path: Path) -> None:
    """Else those of two environments would take turns at forgetting each other's files."""
    one, two = files(tmp_path, one="1", two="2")
    learn(cache(tmp_path, "shop"), one)
    learn(cache(tmp_path, "shop/prod"), two)
    assert told(cache(tmp_path, "shop"), one, two) == {"one": sha256(one)}
    assert told(cache(tmp_path, "shop/prod"), one, two) == {"two": sha256(two)}


# Changes


def _in_place(path: Path) -> None:
    path.write_bytes(b"B" * 64)


def _one_byte(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.seek(10)
        stream.write(b"B")


def _another_file(path: Path) -> None:
    new = path.with_name("new")
    new.write_bytes(b"B" * 64)
    shutil.copystat(path, new)  # as `cp -p` and archives do
    os.replace(new, path)


def _cut_and_grown(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.truncate(5)
        stream.truncate(64)


def _moved_here(path: Path) -> None:
    """A file that lay elsewhere all the time, with the same size and modification time."""
    os.replace(path.with_name("elsewhere"), path)


def _linked(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("elsewhere"))


@POSIX
@pytest.mark.parametrize("change", [_in_place, _one_byte, _another_file, _cut_and_grown, _moved_here, _linked])
def test_a_change_is_noticed(tmp_path: Path, change: Callable[[Path], None]) -> None:
    """Also one that keeps the size and puts the modification time back, as `touch -d` does."""
    path, elsewhere = files(tmp_path, it="A" * 64, elsewhere="B" * 64)
    shutil.copystat(path, elsewhere)
    learn(cache(tmp_path), path)
    before = path.stat()
    let_the_clock_tick(path)
    change(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert told(cache(tmp_path), path) == {}


@POSIX
def test_a_link_that_leads_elsewhere_is_noticed(tmp_path: Path) -> None:
    one, two = files(tmp_path, one="1", two="2")
    link = tmp_path / "link"
    link.symlink_to(one)
    learn(cache(tmp_path), link)
    link.unlink()
    link.symlink_to(two)
    assert told(cache(tmp_path), link) == {}


def test_a_stamp_is_all_that_changes_with_a_file(tmp_path: Path) -> None:
    (one,) = files(tmp_path, one="1")
    os.utime(one, ns=(10**9, 10**9))
    found = one.stat()
    assert stamp(found) == (1, 10**9, found.st_ctime_ns, found.st_ino, found.st_dev)


@pytest.mark.parametrize("field", range(5))
def test_each_part_of_a_stamp_counts(tmp_path: Path, field: int) -> None:
    (one,) = files(tmp_path, one="1")
    found = cache(tmp_path)
    told_by = list(stamp(one.stat()))
    told_by[field] -= 1
    found.keep(found.look({str(one): 1}), {str(one): (tuple(told_by), sha256(one))})  # type: ignore[dict-item]
    assert told(found, one) == {}


def test_a_file_must_have_the_size_that_the_spec_was_checked_with(tmp_path: Path) -> None:
    """It may have changed between the two looks, to something that is known."""
    (one,) = files(tmp_path, one="1")
    learn(cache(tmp_path), one)
    assert cache(tmp_path).look({str(one): 2}).digests == {}


def test_a_change_within_one_tick_of_the_clock_is_not_missed() -> None:
    """Whatever the tick, and whenever a file is written, hashed and written again: no entry outlives the second."""
    tick_sizes = (1, 4_000_000, 1_000_000_000, 2_000_000_000)
    moments = [10**18 + second * 500_000_000 + more for second in range(9) for more in (0, 1, 3_999_999)]
    missed = 0
    for tick, written, hashed, again in product(tick_sizes, moments, moments, moments):
        if not written <= hashed <= again:
            continue
        first, second = written // tick * tick, again // tick * tick
        if is_settled((64, first, first, 1, 1), hashed):
            assert first != second, (tick, written, hashed, again)
        else:
            missed += first == second
    assert missed  # there is something to guard against


@pytest.mark.parametrize("younger", [1, 2])
def test_both_times_must_lie_back(younger: int) -> None:
    """Which of the two a file system keeps exactly is not known."""
    found = [64, 10**18, 10**18, 1, 1]
    found[younger] += 1
    assert is_settled((64, 10**18, 10**18, 1, 1), 10**18 + SETTLED_NS)
    assert not is_settled(tuple(found), 10**18 + SETTLED_NS)  # type: ignore[arg-type]


def test_what_was_changed_just_now_is_not_remembered(tmp_path: Path) -> None:
    (one,) = files(tmp_path, one="1")
    changed = max(stamp(one.stat())[1:3])
    early = cache(tmp_path, now=lambda _: changed + SETTLED_NS - 1)
    learn(early, one)
    assert told(early, one) == {}
    late = cache(tmp_path, now=lambda _: changed + SETTLED_NS)
    learn(late, one)
    assert told(late, one) == {"one": sha256(one)}


def test_the_time_is_taken_before_anything_is_read(tmp_path: Path) -> None:
    """A file that is written while others are read is newer than that."""
    (one,) = files(tmp_path, one="1")
    asked: list[Path] = []
    found = cache(tmp_path, now=lambda folder: asked.append(folder) or LATER)  # type: ignore[func-returns-value]
    known = found.look({str(one): 1})
    assert asked == [found.path.parent]
    found.keep(known, {str(one): (stamp(one.stat()), sha256(one))})
    assert told(found, one) == {"one": sha256(one)}
    assert len(asked) == 1  # where all is known nothing is to be remembered


def test_the_earlier_of_two_clocks_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of a file server may be behind ours, or before it."""
    monkeypatch.setattr(time, "time_ns", lambda: 7)
    assert hashcache._now(tmp_path / ".asstops" / "hashes") == 7
    monkeypatch.setattr(time, "time_ns", lambda: LATER)
    assert 0 < hashcache._now(tmp_path / ".asstops" / "hashes") < LATER
    assert list((tmp_path / ".asstops" / "hashes").iterdir()) == []


# The file


def entries(path: Path) -> Any:
    return json.loads(path.read_bytes().partition(b"\n")[2])


def write(path: Path, body: Any) -> None:
    """A sound file with this content."""
    text = (body if isinstance(body, str) else json.dumps(body)).encode()
    head = {"hashes": 2, "sha256": hashlib.sha256(text).hexdigest()}
    path.write_bytes(json.dumps(head).encode() + b"\n" + text)


def test_it_holds_paths_and_digests(tmp_path: Path) -> None:
    """Relative ones: a folder that is moved keeps what is known of it."""
    here = tmp_path / "here"
    here.mkdir()
    one, two = files(here, one="1", two="2")
    learn(cache(here), one, two)
    path = cache(here).path
    assert entries(path) == {p.name: [*stamp(p.stat()), sha256(p)] for p in (one, two)}
    assert str(tmp_path).encode() not in path.read_bytes()
    here.rename(tmp_path / "there")
    there = tmp_path / "there"
    assert told(cache(there), there / "one") == {"one": sha256(there / "one")}


@POSIX
def test_it_is_for_the_user_alone_and_git_ignores_it(tmp_path: Path) -> None:
    (one,) = files(tmp_path, one="1")
    learn(cache(tmp_path), one)
    path = cache(tmp_path).path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert (tmp_path / ".asstops" / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_files_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    one, two, three = files(tmp_path, one="1", two="2", three="3")
    learn(cache(tmp_path), one, two, three)
    two.unlink()
    learn(cache(tmp_path), one)  # three has left the spec
    assert list(entries(cache(tmp_path).path)) == ["one"]


def test_it_is_written_only_when_something_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = files(tmp_path, one="1", two="2")
    written: list[Path] = []
    real = scratch.replace
    monkeypatch.setattr(scratch, "replace", lambda path, content: (written.append(path), real(path, content)))
    learn(cache(tmp_path), one, two)
    learn(cache(tmp_path), one, two)
    assert len(written) == 1
    let_the_clock_tick(one)
    one.write_text("x", encoding="utf-8")
    learn(cache(tmp_path), one, two)
    assert len(written) == 2
    three = files(tmp_path, three="3")[0]
    for _ in range(2):
        learn(cache(tmp_path, now=lambda _: 0), one, two, three)  # read each time, since it is too young
    assert len(written) == 2


GARBAGE: Mapping[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "one bit": lambda path: path.write_bytes(path.read_bytes().replace(b'"one"', b'"onf"')),
    "one digit": lambda path: path.write_bytes(path.read_bytes().replace(b'"]}', b'0"]}').replace(b'"6', b'"')),
    "other bytes": lambda path: path.write_bytes(os.urandom(500)),
    "another version": lambda path: path.write_bytes(path.read_bytes().replace(b'"hashes": 2', b'"hashes": 1')),
    "a list": lambda path: write(path, []),
    "another shape": lambda path: write(path, {"one": {"sha256": "0" * 64}}),
    "too short": lambda path: write(path, {"one": entries(path)["one"][:5]}),
    "no digest": lambda path: write(path, {"one": [*entries(path)["one"][:5], "\x1b[31m" * 13]}),
    "a number": lambda path: write(path, {"one": [*entries(path)["one"][:5], 5]}),
    "no JSON": lambda path: write(path, "{"),
    "deep": lambda path: write(path, "[" * 100_000),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "a file for a folder": lambda path: (shutil.rmtree(path.parent), path.parent.write_bytes(b"")),
}


@pytest.mark.parametrize("spoil", GARBAGE)
def test_what_is_no_cache_tells_nothing(tmp_path: Path, spoil: str) -> None:
    """And is no error, neither when it is read nor when it is to be replaced."""
    (one,) = files(tmp_path, one="1")
    learn(cache(tmp_path), one)
    GARBAGE[spoil](cache(tmp_path).path)
    assert told(cache(tmp_path), one) == {}
    learn(cache(tmp_path), one)
    if "folder" not in spoil:
        assert told(cache(tmp_path), one) == {"one": sha256(one)}


@POSIX
def test_a_link_and_a_pipe_are_no_cache(tmp_path: Path) -> None:
    (one,) = files(tmp_path, one="1")
    learn(cache(tmp_path), one)
    path = cache(tmp_path).path
    path.rename(tmp_path / "kept")
    path.symlink_to(tmp_path / "kept")
    assert told(cache(tmp_path), one) == {}
    path.unlink()
    os.mkfifo(path)
    assert told(cache(tmp_path), one) == {}  # and nobody waits for a writer


LINKS: Mapping[str, tuple[str, str]] = {
    "the folder": (".asstops", "../victim"),
    "the folder, leading nowhere": (".asstops", "../victim/new"),
    "one in it": (".asstops/hashes", "../../victim"),
    "the file for git": (".asstops/.gitignore", "../../victim/new"),
}


@POSIX
@pytest.mark.parametrize("which", LINKS)
def test_nothing_is_written_through_a_link(tmp_path: Path, which: str, caplog: pytest.LogCaptureFixture) -> None:
    """A repository can bring links along. They stay, and cost time."""
    victim, repository = tmp_path / "victim", tmp_path / "repository"
    victim.mkdir()
    repository.mkdir()
    (one,) = files(repository, one="1")
    link, target = repository / LINKS[which][0], LINKS[which][1]
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(target)
    with caplog.at_level(logging.INFO, "asstops"):
        learn(cache(repository, now=None), one)
        learn(cache(repository), one)
    assert list(victim.iterdir()) == []
    assert os.readlink(link) == target
    is_folder = link.name != ".gitignore"
    assert told(cache(repository), one) == ({} if is_folder else {"one": sha256(one)})
    said = f"{link.name} is a link or a file, not a folder"
    assert [record.message.partition("cannot be written: ")[2] for record in caplog.records] == [said] * 2 * is_folder


def test_a_huge_one_is_neither_read_nor_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = files(tmp_path, one="1")
    learn(cache(tmp_path), one)
    monkeypatch.setattr(hashcache, "_MAX_BYTES", 100)
    assert told(cache(tmp_path), one) == {}
    cache(tmp_path).path.unlink()
    learn(cache(tmp_path), one)
    assert not cache(tmp_path).path.exists()


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One line says so to who wants to know (-v)."""
    (one,) = files(tmp_path, one="1")
    (tmp_path / ".asstops").write_bytes(b"")
    with caplog.at_level(logging.INFO, "asstops"):
        learn(cache(tmp_path, now=None), one)
    assert [record.message.partition("hashes")[0] for record in caplog.records] == [
        f"the cache of digests {tmp_path}{os.sep}.asstops{os.sep}"
    ]
    assert "cannot be written" in caplog.text


def test_a_write_that_fails_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, and nothing beside it."""
    one, two = files(tmp_path, one="1", two="2")
    learn(cache(tmp_path), one)
    path = cache(tmp_path).path
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    learn(cache(tmp_path), one, two)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_two_at_once_leave_the_cache_of_one(tmp_path: Path) -> None:
    """Never a mixture: whoever reads finds one of them, whole."""
    paths = files(tmp_path, **{f"f{n}": str(n) * 50 for n in range(40)})
    broken: list[object] = []
    start = threading.Barrier(4)

    def work(mine: list[Path]) -> None:
        start.wait()
        for _ in range(5):
            learn(cache(tmp_path), *mine)
            here = told(cache(tmp_path), *paths)
            if len(here) not in (10, 20, 30, 40) or any(here[name] != sha256(tmp_path / name) for name in here):
                broken.append(here)

    threads = [threading.Thread(target=work, args=(paths[: 10 * n],)) for n in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broken == []
    assert [path.suffix for path in cache(tmp_path).path.parent.iterdir()] == [".json"]


def test_two_at_once_write_files_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before each puts its own where the cache is."""
    new: list[object] = []
    monkeypatch.setattr(os, "replace", lambda source, _: new.append(source))
    writers = [threading.Thread(target=scratch.replace, args=(cache(tmp_path).path, b"x")) for _ in range(2)]
    scratch.replace(cache(tmp_path).path, b"x")
    for writer in writers:
        writer.start()
        writer.join()
        assert new[0] != new[-1]


def test_what_killed_commands_left_is_removed_an_hour_later(tmp_path: Path) -> None:
    """By the next one that writes. What is younger may be at work; and a trouble with one is none for the others."""
    path = cache(tmp_path).path
    scratch.replace(path, b"x")
    ages_s = {"0ab.12-345": 3700, "moment.6-7": 3700, "0ab.8-9": 3500, "0ab.json": 3700, "folder.1-2": 3700}
    for name in ages_s:
        new = path.with_name(name)
        new.mkdir() if name.startswith("folder") else new.write_bytes(b"")
    for name, age_s in ages_s.items():
        then = path.stat().st_mtime - age_s
        os.utime(path.with_name(name), (then, then))
    scratch.replace(path, b"y")
    assert path.read_bytes() == b"y"
    assert sorted(p.name for p in path.parent.iterdir()) == sorted(["0ab.8-9", "0ab.json", "folder.1-2", path.name])


def test_few_small_files_are_not_worth_it(tmp_path: Path) -> None:
    found = cache(tmp_path)
    assert not found.is_worth_it(hashcache.WORTH_FILES - 1, hashcache.WORTH_BYTES - 1)
    assert found.is_worth_it(hashcache.WORTH_FILES, 0)
    assert found.is_worth_it(1, hashcache.WORTH_BYTES)


def test_where_files_have_no_change_time_it_is_not_used(tmp_path: Path) -> None:
    """There only reading a file tells that it is what it was."""
    assert not cache(tmp_path, has_change_times=False).is_worth_it(10**6, 10**12)
