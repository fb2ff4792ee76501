"""Where runs of asstops get killed: a folder with a spec, an emulator, and processes that start in milliseconds."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asstops.emulator import EmulatorServer
from tests.support import full_stack
from tests.support.forked import Ended, Nursery, Trap, another_machine, go_back, remembered, trapped
from tests.support.live import at_one_address, unrecorded
from tests.support.stage import Stage, emulator

Json = dict[str, Any]
ONE_AT_A_TIME = ("--parallelism", "1")
FORKS = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")


class Arena:
    """One emulator. `home` is the repository; `stage` writes specs into it and looks at the service."""

    def __init__(self, nursery: Nursery, server: EmulatorServer, scratch: Path) -> None:
        self.nursery, self.server, self._scratch = nursery, server, scratch
        self.home = scratch / "home"
        self.home.mkdir(parents=True)
        self.stage = Stage(self.home, server)
        self._moments: list[sqlite3.Connection] = []
        self.known: dict[str, Any] = {}  # for what tests want to work out once only

    def close(self) -> None:
        self.stage.close()
        for moment in self._moments:
            moment.close()

    # Runs

    def run(self, *args: str, folder: Path | None = None, trap: Trap | None = None) -> Ended:
        """Run the command line to its end, whichever that is."""
        if trap is None:
            return self.nursery.run(folder or self.home, self.stage.environ, *args)
        with trapped(self.server, trap):
            ended = self.nursery.run(folder or self.home, self.stage.environ, *args, begun=trap.begun)
            self.stage.dump()  # an answer to this means that what the killed process had sent was read as well
        return ended

    def must(self, *args: str, folder: Path | None = None) -> Ended:
        """Run the command line; it must succeed."""
        ended = self.run(*args, folder=folder)
        assert ended.code == 0, ended
        return ended

    def killed(self, trap: Trap, *args: str) -> Ended:
        """Run the command line at home until the trap kills it."""
        self.forget()
        ended = self.run(*args, trap=trap)
        assert ended.killed, ended
        return ended

    def elsewhere(self) -> Path:
        """Another machine with the same repository, on which asstops has never run."""
        return another_machine(self.home, self._scratch / "elsewhere")

    def forget(self) -> None:
        """Make home a machine on which asstops has never run."""
        shutil.rmtree(self.home / ".asstops", ignore_errors=True)

    # The service

    def remember(self) -> sqlite3.Connection:
        """What is live now, for `go_back`."""
        self._moments.append(remembered(self.server))
        return self._moments[-1]

    def go_back(self, moment: sqlite3.Connection) -> None:
        go_back(self.server, moment)
        self.stage.admin("DELETE", "/requests")
        self.stage.since = 0

    def committed(self) -> list[Json]:
        """Requests since `go_back` that took effect, whether their answer was sent or not."""
        return [
            entry for entry in self.stage.requests() if entry.get("cut") == "after" or (entry["status"] or 500) < 300
        ]

    def check_settled(self, folder: Path | None = None) -> Ended:
        """A plan is empty, and making it writes nothing; what it tells comes back."""
        self.stage.look_away()
        ended = self.must("plan", "--detailed-exitcode", folder=folder)
        assert self.stage.writes() == []
        assert at_one_address(self.stage.dump()) == {}
        return ended

    def orphans(self, but: Json = {}) -> dict[str, str]:  # noqa: B006
        """Id -> name of live files that no record knows, those of `but` left out."""
        return {ident: name for ident, name in unrecorded(self.stage.dump()).items() if ident not in but}


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Warmed by a whole life of each service's full stack, so that a fork has nothing left to import."""
    scratch = tmp_path_factory.mktemp("nursery")
    found = Nursery(scratch)
    try:
        with emulator() as server:
            stage = Stage(scratch, server)
            for spec, files in (
                (full_stack.FIRST, full_stack.FIRST_FILES),
                (full_stack.AGENTS_FIRST, full_stack.AGENTS_FIRST_FILES),
            ):
                stage.write(spec, files)
                found.warm(scratch, stage.environ, "apply", "-y")
                found.warm(scratch, stage.environ, "plan", "--detailed-exitcode")
                found.warm(scratch, stage.environ, "destroy", "-y", "--purge")
            stage.close()
        yield found
    finally:
        found.close()


@pytest.fixture(scope="module")
def arena(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """Nothing in this emulator takes time. Tests share it; each goes back to a state of its own first."""
    with emulator() as server:
        found = Arena(nursery, server, tmp_path_factory.mktemp("arena"))
        yield found
        found.close()


@pytest.fixture(scope="module")
def slow_arena(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """As `arena`; operations of ARM and ingestion take a moment, so that a kill can come in the middle of them."""
    with emulator(arm_operation_s=0.06, ingestion_s=0.06) as server:
        found = Arena(nursery, server, tmp_path_factory.mktemp("slow"))
        yield found
        found.close()
