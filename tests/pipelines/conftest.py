"""A spec for pipelines, an emulator, and the programs that their steps find on the PATH."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from asstops.emulator import EmulatorServer
from tests.pipelines.contoso import FILES, SPEC
from tests.pipelines.github import VARS, GitHub
from tests.pipelines.programs import AzureCli, Programs
from tests.support.forked import Nursery
from tests.support.stage import Stage, emulator


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Warmed by what the steps do, so that a fork has little left to import."""
    scratch = tmp_path_factory.mktemp("nursery")
    found = Nursery(scratch)
    try:
        with emulator() as server:
            stage = Stage(scratch, server)
            stage.write(SPEC, FILES)
            found.warm(scratch, stage.environ, "apply", "-y")
            stage.close()
        yield found
    finally:
        found.close()


@pytest.fixture(scope="module")
def _server() -> Iterator[EmulatorServer]:
    with emulator() as server:
        yield server


@pytest.fixture
def live(_server: EmulatorServer, tmp_path: Path) -> Iterator[Stage]:
    """What is live, emptied before."""
    found = Stage(tmp_path, _server)
    found.reset()
    yield found
    found.close()


@pytest.fixture
def base(live: Stage) -> dict[str, str]:
    """What a machine of the vendor has in its environment, and where Azure is; no credential."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_STATE_HOME")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    arm = live.environ["AZURE_RESOURCE_MANAGER_ENDPOINT"]
    return {**found, "AZURE_RESOURCE_MANAGER_ENDPOINT": arm, "NO_PROXY": "127.0.0.1"}


@pytest.fixture
def programs(nursery: Nursery) -> Iterator[Programs]:
    found = Programs(nursery)
    yield found
    found.close()
    assert found.unforeseen == []


@pytest.fixture
def azure(programs: Programs, live: Stage) -> AzureCli:
    found = AzureCli(live.token, VARS["AZURE_SUBSCRIPTION_ID"])
    programs.play("az", found)
    return found


@pytest.fixture
def github(tmp_path: Path, programs: Programs, azure: AzureCli, base: dict[str, str]) -> GitHub:
    """A repository whose main has nothing yet."""
    folder = tmp_path / "github"
    folder.mkdir()
    found = GitHub(folder, programs, azure, base)
    found.commit({"README.md": "Assistants of Contoso\n"})
    return found


@pytest.fixture
def portal(live: Stage) -> Callable[..., Any]:
    """Edit the agent as the portal does: a new version, without our mark."""

    def edit(**changes: Any) -> None:
        home = "/contoso-sales/api/projects/sales"
        agent = live.project("GET", "/agents/analyst", home=home)
        definition = {**agent["versions"]["latest"]["definition"], **changes}
        live.project("POST", "/agents/analyst/versions", {"definition": definition}, home=home)

    return edit
