"""asstops as real processes that start in milliseconds, an emulator that can go back to an earlier state, and a trap.

The trap kills the process with SIGKILL at one of its requests: before the request reaches the service, or after the
service has carried it out but before the answer is sent.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asstops.emulator import EmulatorServer
from asstops.emulator.faults import Fault
from tests.support.program import REPOSITORY

Json = dict[str, Any]
SLOW_S = 120
BEFORE, AFTER = "before", "after"


@dataclass(frozen=True)
class Ended:
    """How a run ended; a code of -9 is a kill."""

    code: int
    out: str
    err: str

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


class Nursery:
    """The warm parent of all runs (tests/support/nursery.py)."""

    def __init__(self, scratch: Path) -> None:
        self.out, self.err = scratch / "out", scratch / "err"  # what the run that is under way, or was last, has said
        self._process = subprocess.Popen(
            [sys.executable, str(REPOSITORY / "tests" / "support" / "nursery.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**_plain(), "PYTHONPATH": str(REPOSITORY)},
        )

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(SLOW_S)
        self._process.stdout.close()

    def warm(self, folder: Path, environ: Json, *args: str) -> None:
        """Run once in the parent itself, so that no fork has to load or build what this needed."""
        self._say({"warm": True, **self._asked(folder, environ, args)})
        assert self._hear() == {"code": 0, "threads": 1}, self.err.read_text(encoding="utf-8")

    def run(self, folder: Path, environ: Json, *args: str, begun: Callable[[int], None] = lambda pid: None) -> Ended:
        """Run to the end. `begun` is told the process id as soon as there is one."""
        self.out.write_text("")
        self.err.write_text("")
        self._say(self._asked(folder, environ, args))
        begun(int(self._hear()["pid"]))
        code = int(self._hear()["status"])
        return Ended(code, self.out.read_text(encoding="utf-8"), self.err.read_text(encoding="utf-8"))

    def _asked(self, folder: Path, environ: Json, args: tuple[str, ...]) -> Json:
        environ = {**_plain(), "NO_PROXY": "127.0.0.1", "COLUMNS": "200", **environ}
        return {"args": args, "cwd": str(folder), "environ": environ, "out": str(self.out), "err": str(self.err)}

    def _say(self, asked: Json) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> Json:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the nursery has ended with {self._process.wait(SLOW_S)}"
        heard: Json = json.loads(line)
        return heard


def _plain() -> dict[str, str]:
    kept = ("PATH", "HOME", "XDG_STATE_HOME", "LANG", "TMPDIR")
    return {name: value for name, value in os.environ.items() if name in kept}


class Trap:
    """Kills the process that runs now at the `nth` request that matches, and counts what comes.

    `when` is before (the service never sees the request) or after (it has carried it out). What other threads of the
    process had sent by then ends the same way.
    """

    def __init__(self, nth: int, when: str = BEFORE, *, method: str = "", path: str = "") -> None:
        """`method` and `path` are regular expressions."""
        self.nth, self.when, self.method, self.path = nth, when, method, path
        self.seen = 0
        self.after: list[str] = []  # requests that came once it had sprung
        self._pid = 0
        self._known = threading.Event()

    @property
    def sprung(self) -> bool:
        return self.seen >= self.nth

    def begun(self, pid: int) -> None:
        self._pid = pid
        self._known.set()

    def strikes(self, method: str, path: str) -> Fault | None:
        """The emulator asks this of every request; called in its thread."""
        if self.sprung:
            self.after.append(f"{method} {path}")
            return self.later()
        if not re.match(self.method, method) or not re.search(self.path, path):
            return None
        self.seen += 1
        if not self.sprung:
            return None
        assert self._known.wait(SLOW_S)
        return self.spring(self._pid)

    def spring(self, pid: int) -> Fault | None:
        """What happens to the process and to the request."""
        os.kill(pid, signal.SIGKILL)
        return self.later()

    def later(self) -> Fault | None:
        """What happens to a request that comes even so."""
        return Fault(id=0, cut=self.when)


class Stop(Trap):
    """Sends a signal and holds the request back until the process has said that it stops; then the request goes on.

    With `twice` it sends the signal again instead, and the request is not answered before the process is gone.
    """

    def __init__(
        self, nth: int, number: int, err: Path, *, method: str = "", path: str = "", twice: bool = False
    ) -> None:
        super().__init__(nth, method=method, path=path)
        self._number, self._err, self._twice = number, err, twice

    def spring(self, pid: int) -> Fault | None:
        os.kill(pid, self._number)
        _until(lambda: "Stopping" in self._err.read_text(encoding="utf-8"))
        if not self._twice:
            return None
        os.kill(pid, self._number)
        _until(lambda: not _is_there(pid))
        return Fault(id=0, cut=BEFORE)

    def later(self) -> Fault | None:
        return None


def _until(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SLOW_S
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def _is_there(pid: int) -> bool:
    """False once the nursery has taken note of its end."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def trapped(server: EmulatorServer, trap: Trap) -> Iterator[None]:
    """Ask the trap about every request until the block ends; faults that are set strike where it lets one pass."""
    assert server.state is not None
    faults = server.state.faults
    ordinary = faults.for_request

    def for_request(method: str, path: str, *, by_token: bool = False) -> Fault | None:
        return trap.strikes(method, path) or ordinary(method, path, by_token=by_token)

    faults.for_request = for_request  # type: ignore[method-assign]
    try:
        yield
    finally:
        del faults.for_request  # type: ignore[method-assign]


def remembered(server: EmulatorServer) -> sqlite3.Connection:
    """All that is live, to go back to. The emulator must be idle."""
    assert server.state is not None
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    server.state.store.db.backup(copy)
    return copy


def go_back(server: EmulatorServer, to: sqlite3.Connection) -> None:
    """Make live what was live then. The emulator must be idle."""
    assert server.state is not None
    to.backup(server.state.store.db)
    server.state.restless()


def another_machine(folder: Path, to: Path) -> Path:
    """The repository as somebody else has it: without what asstops may have put into .asstops."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(to)
    shutil.copytree(folder, to, ignore=shutil.ignore_patterns(".asstops"))
    return to
