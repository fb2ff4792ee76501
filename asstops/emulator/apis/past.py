"""Forgetting what was deleted, once no list that lags can show it any more.

Owns how long deletions are remembered; the store remembers them.
"""

from __future__ import annotations

from asstops.emulator.state import State

_KEPT_S = 3600.0  # what a fault may set the lag to, without the settings knowing
_EVERY_S = 60.0


def forget(state: State, now: float) -> float:
    """Forget old deletions; return when to look again."""
    settings = state.settings
    state.store.forget(now - max(_KEPT_S, settings.list_lag_s, settings.arm_list_lag_s))
    return now + _EVERY_S


UPKEEP = [forget]
