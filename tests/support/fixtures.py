"""Fixtures that put a Stage at a test's disposal; a folder's conftest.py imports the ones it offers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from asstops.emulator import EmulatorServer
from tests.support.inside import Inside
from tests.support.program import Program
from tests.support.stage import ENVIRONMENT, Stage, emulator


@pytest.fixture(scope="module")
def module_server() -> Iterator[EmulatorServer]:
    with emulator() as server:
        yield server


@pytest.fixture
def stage(module_server: EmulatorServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """An empty folder and an emptied emulator. At the end what asstops sent is compared with the documents."""
    found = opened(module_server, tmp_path, monkeypatch)
    found.reset()
    yield found
    found.check_requests()
    found.close()


@pytest.fixture
def staged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Stage]]:
    """Stages with emulators of their own, for other settings: `staged(behaviour={...})`."""
    with ExitStack() as stack:

        def make(folder: str = "here", **settings: Any) -> Stage:
            server = stack.enter_context(emulator(**settings))
            (tmp_path / folder).mkdir(exist_ok=True)
            found = opened(server, tmp_path / folder, monkeypatch)
            stack.callback(found.close)
            return found

        yield make


def opened(server: EmulatorServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage, with the variables set that azure-identity reads from the process itself."""
    found = Stage(folder, server)
    for name in ENVIRONMENT:
        monkeypatch.setenv(name, found.environ[name])
    return found


@pytest.fixture
def inside(stage: Stage) -> Inside:
    """As `program`, but `run` stays in this process; `start` makes a new one all the same."""
    return Inside(stage.folder, stage.environ)


@pytest.fixture
def program(stage: Stage) -> Program:
    """The real command line in the stage's folder, against the stage's emulator."""
    return Program(stage.folder, stage.environ)
