"""Progress in plain lines and live: what is told, how often, and that it never fails an apply."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import threading
import time
from dataclasses import replace

from asstops.model import Address, Event, StepState, Verb
from asstops.views.progress import LISTED, PlainProgress, progress_for, waiting

STORE = Event(Address("vector_store", "sales"), Verb.UPDATE, StepState.STARTED)


class Utf8(io.StringIO):
    encoding = "utf-8"


class Ascii(io.StringIO):
    encoding = "ascii"


class Gone(Utf8):
    """A stream whose reader went away."""

    def write(self, text: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise BrokenPipeError


def test_plain_lines() -> None:
    """One line for each thing that happens, failures with the way out."""
    stream = Utf8()
    with progress_for(stream, tty=False, color=False, total=3) as progress:
        progress.handle(STORE)
        progress.handle(replace(STORE, state=StepState.DONE, elapsed_s=0.42))
        progress.handle(replace(STORE, state=StepState.FAILED, message="refused\n\x1b[2Jbad", fix="try again"))
        progress.handle(replace(STORE, state=StepState.SKIPPED, verb=Verb.DELETE, message="file.a failed"))
    assert stream.getvalue() == (
        "vector_store.sales: updating…\n"
        "vector_store.sales: updated (0.4s)\n"
        "vector_store.sales: failed: refused\n"
        "  \\x1b[2Jbad\n"
        "  fix: try again\n"
    ), "what was not attempted stands in the report, not here too"


def test_why_nothing_happens() -> None:
    """Between the lines of the steps, and above a live display."""
    asked = waiting(30.0, 429, asked=True)
    assert asked == "the service asks to wait 30s (HTTP 429)"
    assert waiting(8.0, 429, asked=False) == "the service refuses requests (HTTP 429): trying again in 8.0s"
    for tty in (False, True):
        stream = Utf8()
        with progress_for(stream, tty=tty, color=False, total=3) as progress:
            progress.handle(STORE)
            progress.note(asked)
        assert stream.getvalue().count(f"{asked}\n") == 1
    with progress_for(Gone(), tty=False, color=False, total=1) as progress:
        progress.note(asked)


def test_many_of_a_kind_are_counted() -> None:
    """Twenty by name, then a line every ten seconds; failures always, other kinds by name still."""
    now = [0.0]
    stream = Utf8()
    progress = PlainProgress(stream, total=2, clock=lambda: now[0])
    for number in range(1000):
        now[0] = number / 10
        event = Event(Address("file", f"f{number}"), Verb.CREATE, StepState.STARTED)
        progress.handle(event)
        state = StepState.FAILED if number == 500 else StepState.DONE
        progress.handle(replace(event, state=state, message="too big" if number == 500 else ""))
    progress.handle(STORE)
    told = stream.getvalue().splitlines()
    assert told[:2] == ["file.f0: creating…", "file.f0: created (0.0s)"]
    assert [line for line in told if "f500" in line] == ["file.f500: failed: too big"]
    assert [line for line in told if "so far" in line][:2] == ["121 files created so far", "221 files created so far"]
    assert told[-1] == "vector_store.sales: updating…"
    assert len(told) < 60


def test_plain_progress_every_ten_seconds() -> None:
    """A long step is heard of now and then, each step on its own clock."""
    now = [0.0]
    stream = Utf8()
    progress = PlainProgress(stream, total=2, clock=lambda: now[0])
    other = replace(STORE, address=Address("file", "a"))
    progress.handle(STORE)
    for second in range(1, 31):
        now[0] = second
        event = replace(STORE, state=StepState.PROGRESS, done=second, total=2000, elapsed_s=second, message="ingesting")
        progress.handle(event)
        if second == 5:
            progress.handle(other)
    assert stream.getvalue().splitlines() == [
        "vector_store.sales: updating…",
        "file.a: updating…",
        "vector_store.sales: updating… 10 of 2,000 ingesting (10s)",
        "vector_store.sales: updating… 20 of 2,000 ingesting (20s)",
        "vector_store.sales: updating… 30 of 2,000 ingesting (30s)",
    ]


UPLOAD = Event(Address("file", "big"), Verb.CREATE, StepState.PROGRESS, done=120_000_000, total=500_000_000)


def test_an_upload_is_told_in_bytes() -> None:
    """In a log every ten seconds as any long step, also when it begins anew; on a terminal at once."""
    now = [0.0]
    stream = Utf8()
    progress = PlainProgress(stream, total=1, clock=lambda: now[0])
    progress.handle(replace(UPLOAD, state=StepState.STARTED))
    for second in range(1, 26):
        now[0] = second
        done = 12_000_000 * (second if second < 15 else second - 15)
        progress.handle(replace(UPLOAD, done=done, elapsed_s=second))
    assert stream.getvalue().splitlines() == [
        "file.big: creating…",
        "file.big: uploading… 120 of 500 MB (10s)",
        "file.big: uploading… 60 of 500 MB (20s)",
    ]
    terminal = Utf8()
    with progress_for(terminal, tty=True, color=False, total=1) as live:
        live.handle(replace(UPLOAD, state=StepState.STARTED))
        live.handle(UPLOAD)
        until = time.monotonic() + 30
        while "120/500 MB" not in terminal.getvalue() and time.monotonic() < until:
            time.sleep(0.02)
    assert re.search(r"file\.big  uploading +120/500 MB", _shown(terminal.getvalue()))


def test_a_stream_that_cannot_hold_it_gets_escapes() -> None:
    """An ASCII log gets ASCII, also where a terminal would have a live display."""
    for tty in (False, True):
        stream = Ascii()
        with progress_for(stream, tty=tty, color=True, total=1) as progress:
            progress.handle(STORE)
        assert stream.getvalue() == "vector_store.sales: updating\\u2026\n"


def test_a_stream_that_is_gone_is_no_error() -> None:
    """The apply goes on when nobody listens any more."""
    closed = Utf8()
    closed.close()
    for stream in (Gone(), closed):
        for tty in (False, True):
            with progress_for(stream, tty=tty, color=False, total=1) as progress:
                progress.handle(STORE)
                progress.handle(replace(STORE, state=StepState.DONE))


def _shown(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_live_display() -> None:
    """What runs is drawn with its count; what ended is told, files only when something is wrong with them."""
    stream = Utf8()
    with progress_for(stream, tty=True, color=False, total=4) as progress:
        progress.handle(STORE)
        progress.handle(replace(STORE, state=StepState.PROGRESS, done=3, total=12, message="ingesting"))
        until = time.monotonic() + 30
        while "3/12" not in stream.getvalue() and time.monotonic() < until:
            time.sleep(0.02)  # it is drawn by a clock of its own
        file = replace(STORE, address=Address("file", "kb/a.md"), verb=Verb.CREATE)
        progress.handle(replace(file, state=StepState.DONE))
        progress.handle(replace(file, state=StepState.FAILED, message="too [red]big[/red]\x07", fix="split it"))
        progress.handle(replace(STORE, state=StepState.DONE, elapsed_s=3))
    shown = _shown(stream.getvalue())
    assert "3/12" in shown
    assert "vector_store.sales  updating  ingesting" in shown
    assert "✗ file.kb/a.md: failed: too [red]big[/red]\\x07\n" in shown.replace("\r", "")
    assert "fix: split it" in shown
    assert "✓ vector_store.sales: updated (3.0s)" in shown
    assert "✓ file.kb/a.md" not in shown
    assert "3 of 4 steps, 1 failed" in shown


def test_live_display_in_colour_and_without() -> None:
    """Without colour no colour codes are sent."""

    def codes(color: bool) -> set[str]:
        stream = Utf8()
        with progress_for(stream, tty=True, color=color, total=1) as progress:
            progress.handle(replace(STORE, state=StepState.FAILED, message="no"))
        return set(re.findall(r"\x1b\[(?:\d+;)*3[1-7]m", stream.getvalue()))

    assert codes(False) == set()
    assert codes(True) != set()


def test_many_threads() -> None:
    """Events come from everywhere at once; none is lost, and nothing hangs."""
    for tty in (False, True):
        stream = Utf8()
        with progress_for(stream, tty=tty, color=False, total=400) as progress:

            def work(number: int, progress: object = progress) -> None:
                for n in range(50):
                    event = replace(STORE, address=Address("assistant", f"a-{number}-{n}"))
                    progress.handle(event)  # type: ignore[attr-defined]
                    progress.handle(replace(event, state=StepState.DONE))  # type: ignore[attr-defined]

            threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            assert not any(thread.is_alive() for thread in threads)
        told = re.findall(r"(assistant\.a-\d+-\d+): updated", _shown(stream.getvalue()))
        assert len(told) == len(set(told)) == (400 if tty else LISTED)


def test_rich_is_loaded_only_for_a_live_display() -> None:
    """Help, plans and pipes do without it."""
    modules = "human, machine, problems, progress, report, table"
    code = (
        f"from asstops.views import {modules}; import io, sys\n"
        "with progress.progress_for(io.StringIO(), tty=False, color=False, total=0): pass\n"
        "sys.exit('rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
