"""The content of an upload on its way out: checked, counted, told of, and judged when it did not arrive."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from asstops.errors import ApplyError, Interrupted, Moved, Unavailable
from asstops.model import FileSource
from asstops.providers.upload import LARGE, REPORT_EVERY_S, Content

BLOCK = 64 * 1024
SMALL = b"".join(bytes([number]) * BLOCK for number in range(3))


def source(path: Path, content: bytes) -> FileSource:
    """The file as a plan has it."""
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return FileSource(path=path, shown=path.name, name=path.name, size_bytes=len(content), sha256=digest)


class Out:
    """A content that is sent as the SDK sends it, and what came of it. The clock goes on by `step_s` for each block."""

    def __init__(self, file: FileSource, go_on: Callable[[], None] = lambda: None, step_s: float = 0.0) -> None:
        self.told: list[tuple[int, int]] = []
        self.given = b""
        self.now = 0.0
        self._step_s = step_s
        self.content = Content(file, lambda *reached: self.told.append(reached), go_on, lambda: self.now)

    def send(self, blocks: int = 1_000_000) -> None:
        """Hand out blocks until there are none left, at most so many."""
        with self.content.judged():
            self.content.seek(0)
            self.given = b""
            while blocks and (block := self.content.read(BLOCK)):
                self.given += block
                self.now += self._step_s
                blocks -= 1


def test_what_is_read_is_the_file(tmp_path: Path) -> None:
    """Each rewind begins anew; a small file says nothing of itself."""
    out = Out(source(tmp_path / "a", SMALL))
    for _ in range(2):
        out.send()
        assert out.given == SMALL
    assert out.told == []


@pytest.mark.parametrize("now", [SMALL[:-1] + b"x", SMALL + b"x", SMALL[:-1], b"x" + SMALL[1:], b""])
def test_the_service_never_gets_all_of_another_content(tmp_path: Path, now: bytes) -> None:
    """Longer, shorter, or other in its first or last byte: the last block of what was planned is held back."""
    file = source(tmp_path / "a", SMALL)
    out = Out(file)
    file.path.write_bytes(now)
    with pytest.raises(Moved, match="a changed after the plan was made"):
        out.send()
    assert len(out.given) <= len(SMALL) - BLOCK


def test_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    file = source(tmp_path / "a", SMALL)
    file.path.unlink()
    with pytest.raises(ApplyError, match="a cannot be read: No such file"):
        Out(file)


def test_progress_of_a_large_file(tmp_path: Path) -> None:
    """From 0 at each attempt, to the end, and in between no more often than a few times a second."""
    content = bytes(LARGE)
    out = Out(source(tmp_path / "a", content), step_s=REPORT_EVERY_S / 4)
    out.send()
    blocks = -(-LARGE // BLOCK)
    assert (out.told[0], out.told[-1]) == ((0, LARGE), (LARGE, LARGE))
    assert out.told == sorted(out.told)
    assert blocks // 4 - 1 <= len(out.told) <= blocks // 4 + 2
    before = len(out.told)
    out.send(blocks=10)
    assert out.told[before : before + 2] == [(0, LARGE), (5 * BLOCK, LARGE)]


def test_a_large_file_is_not_sent_to_its_end_when_the_run_is_stopped(tmp_path: Path) -> None:
    """A small one is: that takes no longer than to stop."""

    def stopped() -> None:
        raise Interrupted("stopped")

    small = Out(source(tmp_path / "a", SMALL), stopped)
    small.send()
    assert small.given == SMALL
    large = Out(source(tmp_path / "b", bytes(LARGE)), stopped)
    with pytest.raises(Interrupted):
        large.send()
    assert len(large.given) == BLOCK


@pytest.mark.parametrize(("blocks", "ambiguous"), [(0, False), (2, False), (3, True)])
def test_only_who_had_it_all_may_have_made_something(tmp_path: Path, blocks: int, ambiguous: bool) -> None:
    """A lost answer is ambiguous once the last block was given out, and not before."""
    out = Out(source(tmp_path / "a", SMALL))
    out.send(blocks)
    lost = Unavailable("no answer", fix="again", status=503, code="Busy", request_id="r", ambiguous=True)
    with pytest.raises(Unavailable, match="no answer") as caught, out.content.judged():
        raise lost
    error = caught.value
    assert (error.ambiguous, error.status, error.code, error.request_id) == (ambiguous, 503, "Busy", "r")
    assert ("after 131,072 of 196,608 bytes" in error.message) == (blocks == 2)


def test_an_attempt_that_broke_after_one_that_did_not(tmp_path: Path) -> None:
    """What counts is how much of this one was sent: the service refused the one before, and said so."""
    out = Out(source(tmp_path / "a", SMALL))
    out.send()
    out.send(blocks=1)
    with pytest.raises(Unavailable) as caught, out.content.judged():
        raise Unavailable("the connection broke", ambiguous=True)
    assert not caught.value.ambiguous


def test_what_stopped_the_reading_comes_before_what_the_sdk_made_of_it(tmp_path: Path) -> None:
    file = source(tmp_path / "a", SMALL)
    out = Out(file)
    file.path.write_bytes(SMALL + b"x")
    with pytest.raises(Moved):
        out.send()
    with pytest.raises(Moved), out.content.judged():
        raise Unavailable("the connection broke", ambiguous=True)


def test_what_is_added_meanwhile_is_not_sent(tmp_path: Path) -> None:
    """Its length was told at the start, and all of what was planned is there."""
    file = source(tmp_path / "a", SMALL)
    out = Out(file)
    with out.content.judged():
        out.content.seek(0)
        file.path.write_bytes(SMALL + b"x")
        assert b"".join(iter(lambda: out.content.read(BLOCK), b"")) == SMALL
