"""SIGINT and SIGTERM: no new work, what is under way is finished, a report, the exit code of the signal.

The signal comes while a request is on its way, and the answer waits until the process has taken note.
"""

from __future__ import annotations

import signal

import pytest

from tests.support.arena import FORKS, ONE_AT_A_TIME, Arena
from tests.support.forked import Stop

from .crashing import check_converged, undisturbed

pytestmark = FORKS
WRITES = "POST|PUT|PATCH|DELETE"
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
ACTS = ("create", "update", "destroy")


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("name", ACTS)
def test_a_signal_during_a_write(arena: Arena, name: str, number: int) -> None:
    """Nothing follows but what the record has to be told, and then nothing is left that nobody knows of."""
    act = undisturbed(arena, "assistants", name, *ONE_AT_A_TIME)
    writes = [request for request in act.requests if not request.startswith("GET")]
    for nth in range(1 + 2 * (number == signal.SIGTERM), len(writes) - 1, 4):  # the two signals take turns
        arena.go_back(act.start)
        arena.forget()
        stop = Stop(nth, number, arena.nursery.err, method=WRITES)
        ended = arena.run(*act.command, trap=stop)
        told = f"{signal.Signals(number).name} during {writes[nth - 1]}: {ended}"
        assert ended.code == CODES[number], told
        assert (
            ended.err.count("Stopping: requests under way are finished but for large uploads, nothing new begins.") == 1
        ), told
        assert "Interrupted:" in ended.out, told
        assert " done, 0 failed, " in ended.out or "stopped on the way" in ended.out, told
        assert f" {len(undone(ended.out))} not attempted." in ended.out, told
        begun = [
            request
            for request in stop.after
            if not request.startswith(("GET", "POST /contoso/openai/vector_stores/vs_"))
        ]
        assert begun == [], (told, begun)
        assert arena.orphans(act.foreign) == {}, told
        try:
            check_converged(arena, act, arena.elsewhere())
        except AssertionError as error:
            raise AssertionError(f"{told}: {error}") from error


def undone(out: str) -> list[str]:
    """The lines of a report under `Not attempted:`."""
    _, _, rest = out.partition("Not attempted:\n")
    return [line for line in rest.partition("\n\n")[0].splitlines() if line.strip()]


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("name", ACTS)
def test_a_second_signal_ends_at_once(arena: Arena, name: str, number: int) -> None:
    """Also when a request is never answered; what it leaves is what a kill leaves."""
    act = undisturbed(arena, "assistants", name, *ONE_AT_A_TIME)
    ended = arena.run(*act.command, trap=Stop(4, number, arena.nursery.err, method=WRITES, twice=True))
    assert ended.code == CODES[number], ended
    assert "Interrupted:" not in ended.out
    check_converged(arena, act, arena.elsewhere())
