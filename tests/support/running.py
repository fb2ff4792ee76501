"""Programs that are watched while they run, and requests that are held until a test lets them go. Nothing is timed."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pytest

PATIENCE_S = 90


def until(condition: Callable[[], Any], told: Callable[[], str] = lambda: "") -> Any:
    """Wait until something is true, and return it."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s in vain\n{told()}"
        time.sleep(0.01)
    return found


class Running:
    """A program whose output can be read while it runs. With `terminal` it finds somebody to ask there."""

    def __init__(
        self, command: Sequence[str], *, cwd: Path, environ: Mapping[str, str], log: Path, terminal: bool = False
    ) -> None:
        self._log = log
        self._terminal = -1
        theirs: int | BinaryIO
        with log.open("wb") as file:
            given: int = subprocess.DEVNULL
            theirs = file
            if terminal:
                self._terminal, given = pty.openpty()
                theirs = given
            self.process = subprocess.Popen(
                command, cwd=cwd, env=dict(environ), stdin=given, stdout=theirs, stderr=file, start_new_session=True
            )
            if terminal:
                os.close(given)
                # What the program writes to its terminal is read away, or it would wait for a reader.
                threading.Thread(target=self._drain, daemon=True).start()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def text(self) -> str:
        """What it wrote so far, in one line, so that where lines wrap does not matter."""
        return " ".join(self._log.read_text(encoding="utf-8", errors="replace").split())

    def must_run(self) -> None:
        """Fail if it has ended: what is waited for will not come any more."""
        assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.text}"

    def says(self, text: str) -> None:
        """Wait until it has written this."""
        until(lambda: text in self.text or (self.must_run() or text in self.text), lambda: self.text)

    def answer(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def end(self) -> int:
        """Wait for its end; the exit code."""
        code = self.process.wait(PATIENCE_S)
        if self._terminal >= 0:
            os.close(self._terminal)
            self._terminal = -1
        return code

    def kill(self) -> None:
        """The power is cut, whether or not it has ended already."""
        self.process.kill()
        self.end()

    def _drain(self) -> None:
        terminal = self._terminal
        while True:
            try:
                if not os.read(terminal, 65536):
                    return
            except OSError:
                return


class Gate:
    """Stands in for asyncio in the emulator's app: a fault with a delay is held until the gate is opened."""

    def __init__(self) -> None:
        self._open = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, _seconds: float) -> None:
        while not self._open.is_set():
            await asyncio.sleep(0.005)

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    found = Gate()
    monkeypatch.setattr("asstops.emulator.app.asyncio", found)
    yield found
    found.open()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start programs: `watched(command, cwd=…, environ=…, terminal=…)`; those still running at the end are killed."""
    started: list[Running] = []

    def start(command: Sequence[str], **options: Any) -> Running:
        started.append(Running(command, log=tmp_path / f"output-{len(started)}.txt", **options))
        return started[-1]

    yield start
    for running in started:
        if running.process.poll() is None:
            running.kill()
