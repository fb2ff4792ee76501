"""Waiting for a lock that somebody else holds, and saying who that is."""

from __future__ import annotations

import time
from collections.abc import Callable

from asstops.errors import Locked
from asstops.locks.holder import Holder

UNKNOWN = "a process that has not said who it is"
GRACE_S = 1.0
_GRACE_PAUSE_S = 0.05


def wait_for(
    attempt: Callable[[], bool],
    holder: Callable[[], Holder | None],
    *,
    what: str,
    fix: str,
    timeout_s: float,
    pause_s: float,
    waiting: Callable[[str], None],
) -> None:
    """Try until `attempt` is True; `waiting` gets a line whenever it turns out that somebody else holds the lock.

    Raises Locked after `timeout_s`. Whoever took the lock a moment ago gets a moment more to write down who it is.
    """
    began = time.monotonic()
    told: str | None = None
    while not attempt():
        who = holder()
        waited = time.monotonic() - began
        if who is None and waited < GRACE_S:
            time.sleep(_GRACE_PAUSE_S)
            continue
        name = str(who or UNKNOWN)
        if waited >= timeout_s:
            after = f" (waited {timeout_s:g} s)" if timeout_s else ""
            raise Locked(f"{what} is locked by {name}{after}", fix=fix)
        if told != name:
            told = name
            waiting(f"Waiting up to {timeout_s:g} s: {what} is locked by {name}")
        time.sleep(min(pause_s, max(0.0, timeout_s - waited)))
