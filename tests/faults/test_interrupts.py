"""Stopped on the way: by the user, by the pipeline, or by the power. The next apply converges."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from .conftest import Ended, World
from .test_pressure import once_each, steady

Here = Callable[..., Ended]
# A request that the apply is in the middle of when it is stopped: method, path, and which one of them.
MOMENTS = [
    ("PUT", "/accounts/contoso$", 1),
    ("PUT", "/deployments/", 1),
    ("POST", "/vector_stores$", 1),
    ("POST", "/files$", 1),
    ("POST", "/files$", 3),
    ("POST", "/vector_stores$", 2),
    ("POST", "/file_batches$", 1),
    ("POST", "/assistants$", 1),
    ("POST", "/vector_stores/vs_[^/]*$", 2),
]


def stopped_at(world: World, method: str, path: str, nth: int, number: int) -> Ended:
    """Start an apply, and send it a signal while this request is on its way; the request then takes effect."""
    world.fault(method=method, path=path, nth=nth, delay_s=0.4)
    process = world.start("apply", "-y", "--parallelism", "2")
    deadline = time.monotonic() + 30
    while not any("fault" in entry for entry in world.requests()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "the request never came"
        time.sleep(0.005)
    process.send_signal(number)
    return ended(process)


def ended(process: subprocess.Popen[str]) -> Ended:
    out, err = process.communicate(timeout=30)
    return Ended(process.returncode, out, err)


def settled(world: World) -> None:
    """Wait until a request that outlived its client has taken effect."""
    deadline = time.monotonic() + 10
    while any(entry["status"] is None and "cut" not in entry for entry in world.requests()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(("method", "path", "nth"), [MOMENTS[0], MOMENTS[4], MOMENTS[6]])
def test_a_signal_stops_cleanly(
    world: World, here: Here, method: str, path: str, nth: int, number: int, code: int
) -> None:
    """What runs is finished, the rest reported; then the exit code of that signal; then the next apply goes on."""
    world.sales(files=5)
    result = stopped_at(world, method, path, nth, number)
    assert result.code == code, result
    assert "Stopping: requests under way are finished" in result.err
    assert "Interrupted:" in result.out
    assert "Not attempted:" in result.out
    assert "Traceback" not in result.err
    settled(world)
    world.clear()
    after = here(world, "apply", "-y")
    assert after.code == 0, after
    once_each(world, files=5)
    steady(world, here)


def test_a_signal_during_ingestion(special: Callable[..., object], here: Here) -> None:
    """Waiting ends at once; the store is completed by the next apply."""
    with special(ingestion_s=3.0) as world:  # type: ignore[attr-defined]
        world.sales(files=2)
        process = world.start("apply", "-y")
        while not world.requests("GET", "/file_batches/"):
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        result = ended(process)
        assert result.code == 143, result
        assert world.names("assistants") == []
        after = here(world, "apply", "-y")
        assert after.code == 0, after
        once_each(world, files=2)
        steady(world, here)


def test_a_signal_during_a_long_operation(special: Callable[..., object], here: Here) -> None:
    """A deployment takes minutes, a pipeline waits seconds: we leave, Azure ends it, the next apply takes it up."""
    with special(arm_operation_s=2.5) as world:  # type: ignore[attr-defined]
        world.spec()
        process = world.start("apply", "-y")
        while not world.requests("GET", "/operationStatuses/"):
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        result = ended(process)
        assert result.code == 130, result
        # It is still being made: nobody waited for it.
        assert world.dump()["accounts"][0]["properties"]["provisioningState"] != "Succeeded"
        after = world.run("apply", "-y")
        assert after.code == 0, after
        steady(world, here)


@pytest.mark.parametrize(("method", "path", "nth"), MOMENTS)
def test_killed(world: World, here: Here, method: str, path: str, nth: int) -> None:
    """Between a request and its answer, which is the worst moment: one of everything after the next apply.

    A file whose id nobody got to write down is left, and told.
    """
    world.sales(files=5)
    result = stopped_at(world, method, path, nth, signal.SIGKILL)
    assert result.code == -signal.SIGKILL
    settled(world)
    world.clear()
    after = here(world, "apply", "-y")
    assert after.code == 0, after
    live = world.dump()
    assert [item["name"] for item in live["assistants"]] == ["bot"]
    assert sorted(item["name"] for item in live["vector_stores"]) == ["asstops:demo", "kb"]
    assert len(live["deployments"]) == 1
    steady(world, here)
    left = len(live["files"]) - 5
    told = here(world, "plan").text.count("may be left from it")
    assert left == 0 or after.text.count("may be left from it") + told > 0
