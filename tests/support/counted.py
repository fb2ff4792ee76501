"""How much work a function does, as a count: the same on every machine and under any load, unlike seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def calls(work: Callable[[], object]) -> int:
    """How many calls of Python functions `work` makes in this thread, generators and comprehensions included."""
    found = 0

    def see(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal found
        found += event == "call"

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        work()
    finally:
        sys.setprofile(before)
    return found


def growth(work: Callable[[int], Callable[[], object]], small: int = 30) -> float:
    """How many times as much is done for four times as many things: 4 when each costs the same, 16 for a square.

    `work` prepares for a number of things, which is not counted, and gives what is. It is done once before, since what
    is imported or remembered on the way would count with the first only.
    """
    work(small // 2)()
    return calls(work(4 * small)) / calls(work(small))
