"""How fast requests leave once the service has said that it was too fast. Pure: every time is given, in seconds.

A refusal shows the rate that was too high, and how many requests the service let through in how long, the pause that it
asks for included. From between the two the rate climbs: fast at first, level just below the one that was refused, and
beyond it only when that has gone well for long. A refusal costs everybody a pause, so the climb takes ten of them:
little time is lost to trying. The shape is that of CUBIC, by which TCP shares a line:
https://www.rfc-editor.org/rfc/rfc9438
"""

from __future__ import annotations

import math

LOWEST, HIGHEST, LEVEL = 0.7, 0.9, 0.95  # of the rate that was refused: where to go on, and where to stay for a while
CLIMB = 10.0  # pauses
SHORTEST_CLIMB_S, LONGEST_CLIMB_S = 2.0, 60.0
SLOWEST = 1.0  # requests a second; where the service allows less, its pauses alone do


class Pace:
    """Not thread-safe. Until the first refusal nothing is held back."""

    def __init__(self) -> None:
        self._next = -math.inf  # when the next request may leave
        self._level: float | None = None  # requests a second, as the floor; None before the first refusal
        self._floor = 0.0
        self._climb_s = SHORTEST_CLIMB_S
        self._since: float | None = None  # the end of the last pause, when the climb began; or the first request
        self._count = 0  # answers since then

    def rate(self, now: float) -> float:
        """Requests a second at `now`; infinite before the first refusal."""
        if self._level is None or self._since is None:
            return math.inf
        climbed = max(0.0, now - self._since) / self._climb_s
        steep = self._level - self._floor
        if climbed <= 2.0:
            return self._level + steep * (climbed - 1.0) ** 3
        return (self._level + steep) * math.pow(4.0, min(climbed - 2.0, 30.0))

    def turn(self, now: float) -> float:
        """Take the next free place; returns when it is, `now` or later."""
        at = max(now, self._next)
        if self._since is None:
            self._since = at
        self._next = at + 1.0 / self.rate(at)
        return at

    def freed(self, now: float, until: float) -> None:
        """Take back the turns that are still to come: a pause until `until` made them void, and all take new ones."""
        self._next = min(self._next, max(until, now + 1.0 / self.rate(now)))

    def answered(self) -> None:
        """Take note of an answer that was no refusal."""
        self._count += 1

    def refused(self, now: float, until: float, most: float) -> None:
        """Go on more slowly at `until`. `most` is how many requests a second would leave if nothing held them back.

        To be called for the first refusal alone of those that left at one rate.
        """
        if self._count and self._since is not None:
            # A slow request that is refused says little of how fast the others went: no slower than they were answered.
            most = max(most, self._count / max(now - self._since, 0.001))
            refused = min(self.rate(now), most)
            let_through = self._count / max(until - self._since, 0.001)
            self._level = max(LEVEL * refused, SLOWEST)
            self._floor = max(min(max(let_through, LOWEST * refused), HIGHEST * refused), HIGHEST * SLOWEST)
            self._climb_s = min(max(CLIMB * (until - now), SHORTEST_CLIMB_S), LONGEST_CLIMB_S)
        # Else nothing was let through since the last pause, which was too short then: the rate is not to blame.
        self._since = self._next = until
        self._count = 0
