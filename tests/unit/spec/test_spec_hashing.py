"""Hashing the files of a stack: right, once, and only where it must be."""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from asstops import hashcache
from asstops.errors import Problem, SpecInvalid
from asstops.hashcache import HashCache
from asstops.model import Address
from asstops.spec import Stack, hash_files, hashing

LARGE, BLOCK = 64 * 1024, 256 * 1024
GLOB = "vector_stores: {v: {files: [{glob: 'kb/**'}]}}\n"


class Opened:
    """Which files below a folder were opened by number, how often, and which of those numbers were not closed."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times: Counter[str] = Counter()
        self.left: dict[int, str] = {}
        opens, closes = os.open, os.close

        def opened(path: Any, *rest: Any, **more: Any) -> int:
            handle = opens(path, *rest, **more)
            if str(path).startswith(str(folder)):
                name = Path(path).relative_to(folder).as_posix()
                self.times[name] += 1
                self.left[handle] = name
            return handle

        def closed(handle: int) -> None:
            closes(handle)
            self.left.pop(handle, None)

        monkeypatch.setattr(os, "open", opened)
        monkeypatch.setattr(os, "close", closed)


@pytest.fixture
def opened(spec: Any, monkeypatch: pytest.MonkeyPatch) -> Opened:
    (spec.root / "kb").mkdir(exist_ok=True)
    return Opened(spec.root / "kb", monkeypatch)


@pytest.fixture
def cache(spec: Any, monkeypatch: pytest.MonkeyPatch) -> HashCache:
    """One that holds even three files, and those that were written just now."""
    monkeypatch.setattr(hashcache, "WORTH_FILES", 3)
    return HashCache(spec.root, "s", now=lambda _: 2**62, has_change_times=True)


def digests(stack: Stack, cache: HashCache | None = None) -> dict[str, str]:
    hashed = hash_files(stack.resources, cache)
    assert list(hashed) == list(stack.resources)
    return {address.key: r.source.sha256 for address, r in hashed.items() if r.source is not None}


def problems(stack: Stack, cache: HashCache | None = None) -> tuple[Problem, ...]:
    with pytest.raises(SpecInvalid) as caught:
        hash_files(stack.resources, cache)
    return tuple(caught.value.problems)


def contents() -> dict[str, bytes]:
    """Files of every size at which they are read in another way, more of the small ones than are opened at once."""
    edges = (LARGE, BLOCK, 2 * BLOCK)
    sizes = [1, *(edge + more for edge in edges for more in (-1, 0, 1)), *range(2000, 2150)]
    return {f"kb/{size}": size.to_bytes(4, "big") * (size // 4) + b"\0" * (size % 4) for size in sizes}


def test_every_file_gets_its_digest_and_is_opened_once(spec: Any, opened: Opened) -> None:
    files = contents()
    found = digests(spec.load(GLOB, files))
    assert found == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    assert opened.times == Counter(name.removeprefix("kb/") for name in files)
    assert opened.left == {}


def test_nothing_but_the_digest_is_new(spec: Any) -> None:
    stack = spec.load(GLOB, {"kb/a": "a"})
    before, after = stack.resources, hash_files(stack.resources)
    address = Address("file", "kb/a")
    source = after[address].source
    assert source is not None
    assert before[address].source is not None
    assert (source.path, source.shown, source.name, source.size_bytes) == (spec.root / "kb" / "a", "kb/a", "a", 1)
    assert {a: r for a, r in after.items() if a != address} == {a: r for a, r in before.items() if a != address}
    assert after[address].location == before[address].location


def test_the_largest_are_begun_first(spec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a thread may be left with the largest one when all the others are done."""
    begun: list[int] = []
    real = hashing._hash_some
    monkeypatch.setattr(hashing, "_READERS", 1)

    def noted(todo: Any) -> Any:
        begun.extend(r.source.size_bytes for _, r in todo if r.source.size_bytes >= LARGE)
        return real(todo)

    monkeypatch.setattr(hashing, "_hash_some", noted)
    sizes = (LARGE + 5, LARGE + 50, 3, LARGE + 7)
    digests(spec.load(GLOB, {f"kb/{n}": b"x" * size for n, size in enumerate(sizes)}))
    assert begun == sorted((size for size in sizes if size >= LARGE), reverse=True)


def test_large_files_are_hashed_side_by_side(spec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By several processors: one waits here for another to be at work too."""
    both = threading.Barrier(2)
    real = hashing._read_large

    def meet(handle: int, expected: int) -> tuple[str, int]:
        both.wait(60)
        return real(handle, expected)

    monkeypatch.setattr(hashing, "_read_large", meet)
    assert len(digests(spec.load(GLOB, {f"kb/{n}": b"x" * LARGE for n in range(2)}))) == 2


def test_short_reads_are_read_on(spec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some file systems answer with less than was asked for."""
    real = os.read
    monkeypatch.setattr(os, "read", lambda handle, count: real(handle, min(count, 3)))
    assert digests(spec.load(GLOB, {"kb/a": "0123456789"})) == {"kb/a": hashlib.sha256(b"0123456789").hexdigest()}


# What goes wrong


@pytest.mark.parametrize("at_once", [3, 5])
def test_a_file_that_has_grown_is_seen_also_by_short_reads(
    spec: Any, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Its beginning is not taken for the file."""
    stack = spec.load(GLOB, {"kb/a": "0123456789"})
    spec.write({"kb/a": "0123456789x"})
    real = os.read
    monkeypatch.setattr(os, "read", lambda handle, count: real(handle, min(count, at_once)))
    assert [problem.message for problem in problems(stack)] == ["file.kb/a: file 'kb/a' changed while it was read"]


@pytest.mark.parametrize("interrupted", ["small ones", "handing over"])
def test_ctrl_c_begins_no_more_files(spec: Any, monkeypatch: pytest.MonkeyPatch, interrupted: str) -> None:
    """Only the large one that is being hashed is waited for."""
    begun: list[str] = []
    busy, stopping = threading.Event(), threading.Event()

    class Pool(ThreadPoolExecutor):
        def map(self, *given: Any, **more: Any) -> Any:
            results = super().map(*given, **more)
            if interrupted == "small ones":
                return results
            assert busy.wait(60)
            raise KeyboardInterrupt

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(False, cancel_futures=cancel_futures)
            stopping.set()
            super().shutdown(wait)

    def hash_some(todo: Any) -> Any:
        if threading.current_thread() is threading.main_thread():
            assert busy.wait(60)
            raise KeyboardInterrupt
        begun.extend(path for path, _ in todo)
        busy.set()
        assert stopping.wait(60)
        return {}

    monkeypatch.setattr(hashing, "_READERS", 1)
    monkeypatch.setattr(hashing, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(hashing, "_hash_some", hash_some)
    stack = spec.load(GLOB, {"kb/small": "x", **{f"kb/{n}": b"x" * LARGE for n in range(4)}})
    with pytest.raises(KeyboardInterrupt):
        hash_files(stack.resources)
    assert len(begun) == 1


@pytest.mark.parametrize("size", [10, LARGE + 10])
def test_what_changes_size_meanwhile(spec: Any, size: int) -> None:
    """The spec was checked with the size that it had then."""
    stack = spec.load(GLOB, {"kb/a": b"a" * size, "kb/b": b"b" * size, "kb/c": b"c"})
    (spec.root / "kb" / "a").write_bytes(b"a" * (size + 1))
    (spec.root / "kb" / "b").write_bytes(b"b" * (size - 1))
    assert [(problem.message, problem.fix) for problem in problems(stack)] == [
        (f"file.kb/{name}: file 'kb/{name}' changed while it was read", "run the command again") for name in "ab"
    ]


def test_all_that_cannot_be_read_is_named(spec: Any, opened: Opened) -> None:
    """In the order of the spec, whoever found out first; what was opened is closed."""
    stack = spec.load(GLOB, {"kb/a": b"a" * LARGE, "kb/b": "b", "kb/c": b"c" * LARGE, "kb/d": "d"})
    for name in "abd":
        (spec.root / "kb" / name).unlink()
    assert [problem.message for problem in problems(stack)] == [
        f"file.kb/{name}: file 'kb/{name}' cannot be read: No such file or directory" for name in "abd"
    ]
    assert opened.left == {}


# The cache


def test_only_what_has_changed_is_opened(spec: Any, cache: HashCache, opened: Opened) -> None:
    files = {f"kb/{n}": str(n) * 9 for n in range(5)}
    first = digests(spec.load(GLOB, files), cache)
    assert len(opened.times) == 5
    opened.times.clear()
    assert digests(spec.load(GLOB), cache) == first
    assert opened.times == {}
    again = digests(spec.load(GLOB, {"kb/3": "another length"}), cache)
    assert opened.times == {"3": 1}
    assert again == {**first, "kb/3": hashlib.sha256(b"another length").hexdigest()}
    opened.times.clear()
    assert digests(spec.load(GLOB), cache) == again
    assert opened.times == {}


def test_it_says_what_was_read(spec: Any, cache: HashCache, caplog: pytest.LogCaptureFixture) -> None:
    """With -v, one line."""
    stack = spec.load(GLOB, {f"kb/{n}": "x" for n in range(5)})
    with caplog.at_level(logging.INFO, "asstops"):
        digests(stack, cache)
        digests(stack, cache)
    assert [record.message for record in caplog.records] == [f"read {n} of 5 files to hash them" for n in (5, 0)]


def test_few_small_files_leave_no_trace(spec: Any, cache: HashCache, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "asstops"):
        digests(spec.load(GLOB, {"kb/a": "a", "kb/b": "b"}), cache)
    assert not (spec.root / ".asstops").exists()
    assert caplog.records == []


def test_few_large_files_are_remembered(spec: Any, cache: HashCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashcache, "WORTH_BYTES", 10)
    digests(spec.load(GLOB, {"kb/a": "a" * 9}), cache)
    assert not cache.path.exists()
    digests(spec.load(GLOB, {"kb/a": "a" * 10}), cache)
    assert cache.path.exists()


def test_without_a_cache_everything_is_read(spec: Any, cache: HashCache, opened: Opened) -> None:
    stack = spec.load(GLOB, {f"kb/{n}": "x" for n in range(5)})
    digests(stack, cache)
    digests(stack)
    assert opened.times == {str(n): 2 for n in range(5)}


def test_a_file_that_changes_while_it_is_read_is_not_remembered(
    spec: Any, cache: HashCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its size stayed, so that nothing tells which content the digest is of."""
    stack = spec.load(GLOB, {f"kb/{n}": "x" for n in range(5)})
    real, times = os.read, iter(range(10**9))

    def read(handle: int, count: int) -> bytes:
        now = next(times)
        os.utime(spec.root / "kb" / "2", ns=(now, now))
        return real(handle, count)

    with monkeypatch.context() as patched:
        patched.setattr(os, "read", read)
        digests(stack, cache)
    known = cache.look({str(spec.root / "kb" / str(n)): 1 for n in range(5)})
    assert sorted(Path(path).name for path in known.digests) == ["0", "1", "3", "4"]


def test_what_was_read_is_remembered_although_another_file_fails(spec: Any, cache: HashCache, opened: Opened) -> None:
    stack = spec.load(GLOB, {f"kb/{n}": "x" for n in range(5)})
    (spec.root / "kb" / "2").unlink()
    assert len(problems(stack, cache)) == 1
    spec.write({"kb/2": "y"})
    opened.times.clear()
    digests(stack, cache)
    assert opened.times == {"2": 1}


def test_a_known_file_that_cannot_be_read_any_more_fails_as_ever(spec: Any, cache: HashCache) -> None:
    stack = spec.load(GLOB, {f"kb/{n}": "x" for n in range(5)})
    digests(stack, cache)
    (spec.root / "kb" / "2").unlink()
    assert [problem.message for problem in problems(stack, cache)] == [
        "file.kb/2: file 'kb/2' cannot be read: No such file or directory"
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="where files can be fetched ahead")
def test_the_disk_fetches_files_before_they_are_read(spec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of a group are on their way when the first is read."""
    said: list[str] = []
    advise, read = os.posix_fadvise, os.read
    monkeypatch.setattr(os, "posix_fadvise", lambda *given: (said.append("fetch"), advise(*given)))
    monkeypatch.setattr(os, "read", lambda *given: (said.append("read"), read(*given))[1])
    digests(spec.load(GLOB, {f"kb/{n}": "x" for n in range(5)}))
    assert said == ["fetch"] * 5 + ["read"] * 5
