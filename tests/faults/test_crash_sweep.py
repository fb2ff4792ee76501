"""Killed at every request of creating, updating and destroying a stack: the next apply converges all the same.

The process is asstops' own command line, killed with SIGKILL. What comes after runs on another machine, which has the
repository and nothing else. "Before" means that the service never saw the request, "after" that it carried it out and
the answer was lost. A read changes nothing, so for reads the two are one.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Sequence

import pytest

from tests.support.arena import FORKS, ONE_AT_A_TIME, Arena
from tests.support.forked import AFTER, BEFORE, Trap
from tests.support.stage import labels

from .crashing import ACTS, PAIRS, check_converged, undisturbed

pytestmark = FORKS
READS = ("GET", "HEAD")
PARTS = 3  # so that no test takes long
SAME_FOR_ALL = "another model"  # is about deployments alone
EVERY = bool(os.environ.get("CRASH_EVERY"))
SEEDS = int(os.environ.get("CRASH_SEEDS", "3"))


def points(requests: Sequence[str], every: bool) -> list[tuple[int, str]]:
    """Where to kill: a request by number, and whether before or after it took effect.

    If not every one, those that leave something else each: after each write.
    """
    reads = {number for number, request in enumerate(requests, 1) if request.split(" ")[0] in READS}
    if not every:
        return [(number, AFTER) for number in range(1, len(requests) + 1) if number not in reads]
    return [
        (number, when)
        for number in range(1, len(requests) + 1)
        for when in ((BEFORE,) if number in reads else (BEFORE, AFTER))
    ]


SWEPT = [(service, name) for service in PAIRS for name in ACTS if EVERY or (service, name) != ("agents", SAME_FOR_ALL)]


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize(("service", "name"), SWEPT)
def test_killed_at_every_request(arena: Arena, service: str, name: str, part: int) -> None:
    """One step at a time, so that each request is met exactly once. A fresh machine takes over.

    All that it finds is what the service holds, and that is told by how many writes took effect, since they come in the
    same order each time: so of kills that leave the same, one is gone on from (with CRASH_EVERY=1, each). That kills
    before and after a request leave what is expected is shown with one service (with CRASH_EVERY=1, with each).
    """
    act = undisturbed(arena, service, name, *ONE_AT_A_TIME)
    writes, where = written(act.requests), points(act.requests, EVERY or service == "assistants")
    wrong, gone_on = [], set()
    for number, when in where[len(where) * part // PARTS : len(where) * (part + 1) // PARTS]:
        arena.go_back(act.start)
        done = len(written(act.requests[: number - 1])) + (when == AFTER)
        try:
            arena.killed(Trap(number, when), *act.command)
            committed = written(labels(arena.committed()))
            assert committed == writes[:done], (committed, writes[:done])
            if EVERY or done not in gone_on:
                check_converged(arena, act, arena.elsewhere())
        except AssertionError as error:
            wrong.append(f"killed {when} request {number}, {act.requests[number - 1]}: {error}")
        gone_on.add(done)
    assert not wrong, "\n\n".join(wrong)


def written(requests: Sequence[str]) -> list[str]:
    """The writing ones of some requests, without ids."""
    return [re.sub("(vs|asst|vsfb)_[^/]+|assistant-[^/]+", "*", r) for r in requests if r.split(" ")[0] not in READS]


@pytest.mark.parametrize(("service", "name"), SWEPT)
def test_killed_with_much_under_way(slow_arena: Arena, service: str, name: str) -> None:
    """Ten steps at a time, operations that take a moment, and the machine itself goes on where it was killed."""
    arena = slow_arena
    act = undisturbed(arena, service, name)
    for seed in range(SEEDS):
        chance = random.Random(f"{service} {name} {seed}")
        number, when = chance.randint(1, len(act.requests)), chance.choice((BEFORE, AFTER))
        arena.go_back(act.start)
        arena.forget()
        ended = arena.run(*act.command, trap=Trap(number, when))
        told = f"CRASH seed {seed}: {service}, {name}, killed {when} request {number}"
        assert ended.killed or ended.code == 0, (told, ended)  # waiting can take fewer requests than the first time
        try:
            check_converged(arena, act, arena.home)
        except AssertionError as error:
            raise AssertionError(f"{told}: {error}") from error
