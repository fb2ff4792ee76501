"""The running emulator's state: settings, store, clock, faults, log and roles, in one place.

Owns time and the upkeep of what happens by itself (operations that end, files that get ingested, objects
that expire). It knows no API; the API files register what has to be looked after.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

from asstops.emulator.catalogue import MODELS
from asstops.emulator.faults import Faults
from asstops.emulator.ratelimit import RateLimit
from asstops.emulator.requestlog import RequestLog
from asstops.emulator.scripted import Replies
from asstops.emulator.settings import EmulatorSettings
from asstops.emulator.store import Store

Upkeep: TypeAlias = Callable[["State", float], float]

PERMISSIONS = ("arm_read", "arm_write", "arm_keys", "data_read", "data_write")


class State:
    """What handlers work on."""

    def __init__(self, settings: EmulatorSettings, store: Store, upkeep: Sequence[Upkeep] = ()) -> None:
        self.settings = settings
        self.store = store
        self.faults = Faults(settings.faults)
        self.log = RequestLog(settings.request_log_size)
        self.rate = RateLimit(settings.requests_per_minute, settings.chosen("rate_limit_headers"))
        self.replies = Replies(settings.replies)
        self.url = settings.public_url or ""
        self.roles = dict.fromkeys(PERMISSIONS, True)
        self.models = dict(MODELS)  # with the defaults and retirements of this moment
        self.offset_s = 0.0
        store.clock = self.now
        self._upkeep = tuple(upkeep)
        self._wake_at = 0.0

    def now(self) -> float:
        return self.settings.clock() + self.offset_s

    def on(self, behaviour: str) -> str:
        """Return the value of a behaviour switch."""
        return self.settings.chosen(behaviour)

    def wake(self, due: float) -> None:
        """Ask for upkeep at `due` at the latest."""
        self._wake_at = min(self._wake_at, due)

    def settle(self) -> bool:
        """Do what has fallen due, inside the caller's transaction; say whether there was anything to look at.

        Called at the start of every request.
        """
        now = self.now()
        if now < self._wake_at:
            return False
        self._wake_at = math.inf
        for upkeep in self._upkeep:
            self.wake(upkeep(self, now))
        return True

    def restless(self) -> None:
        """Forget what is known about due times, after a rollback or a reset."""
        self._wake_at = 0.0
