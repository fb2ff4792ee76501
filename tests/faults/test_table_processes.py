"""A choice of the table's cells through the real command line as a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from asstops.emulator import EmulatorServer
from tests.support.arena import FORKS
from tests.support.forked import Nursery
from tests.support.stage import emulator

from .conftest import Ended, World
from .scene import Moments, Scene
from .table import FAULTS, GOOD, SERVICES, Outcome, Where, cells
from .test_table import check_undisturbed

pytestmark = FORKS
CHOSEN = {
    "create": ("429 in seconds", "cut after the commit"),
    "update": ("503",),
    "delete": ("cut after the commit",),
}
BY_NAME = {fault.name: fault for fault in FAULTS}


@pytest.fixture(scope="module")
def instant_server() -> Iterator[EmulatorServer]:
    with emulator() as server:
        yield server


@pytest.fixture(scope="module")
def moments() -> Iterator[Moments]:
    found = Moments()
    yield found
    found.close()


@pytest.mark.parametrize(
    ("service", "kind", "operation", "name", "outcome"),
    [
        pytest.param(service, kind, operation, fault.name, found, id=f"{service}: {operation} {kind}, {fault.name}")
        for service, kind, operation, fault, found in cells()
        if fault.name in CHOSEN.get(operation, ()) and found in GOOD and kind not in SERVICES[service].shared
    ],
)
def test_cell(
    nursery: Nursery,
    instant_server: EmulatorServer,
    moments: Moments,
    tmp_path: Path,
    service: str,
    kind: str,
    operation: str,
    name: str,
    outcome: Outcome,
) -> None:
    """The process ends with 0, everything is as without the fault, and another process finds nothing to do."""

    def process(world: World, *args: str) -> Ended:
        ended = nursery.run(world.folder, world.environment, *args)
        return Ended(ended.code, ended.out, ended.err)

    world = World(instant_server, tmp_path)
    scene = Scene(world, process, moments, service, operation)
    where = SERVICES[service].requests[kind][operation]
    assert isinstance(where, Where)
    over = {"headers": {"Retry-After": "0.1"}} if name == "429 in seconds" else {}
    scene.strike(where, BY_NAME[name], **over)
    ended = scene.run(*scene.command)
    assert all(scene.struck())
    assert ended.code == 0, ended
    assert "Traceback" not in ended.text
    scene.check_single()
    check_undisturbed(scene, twins=outcome is Outcome.TWIN)
    world.http.close()
