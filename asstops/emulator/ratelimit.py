"""How many requests a minute an account or a project answers; what is above is refused with 429.

Owns the counting and what the answers say of it. The service spreads its limit over periods of 1 or 10 seconds: what is
too much for a period is refused until the next one begins.
https://learn.microsoft.com/azure/ai-services/openai/how-to/quota#understanding-rate-limits
"""

from __future__ import annotations

import math

from asstops.emulator.wire import Refusal

_PERIODS_S = (1, 10, 60)


class RateLimit:
    """`per_minute` requests for each account and project; 0 is no limit. Refused ones do not count."""

    def __init__(self, per_minute: int, said: str = "both") -> None:
        self._per_minute = per_minute
        self._said = said  # see the behaviour `rate_limit_headers`
        # The shortest period that the limit fills with whole requests, so that none is lost to rounding.
        self._period_s = next(period for period in _PERIODS_S if per_minute * period % 60 == 0)
        self._most = per_minute * self._period_s // 60
        self._counted: dict[int, tuple[int, int]] = {}  # of each account and project: which period, how many requests

    def reset(self) -> None:
        """Forget what was counted."""
        self._counted.clear()

    def admit(self, account: int, now: float) -> dict[str, str]:
        """Count a request; returns what its answer's headers say. Raises Refusal. `now` is in seconds."""
        if not self._per_minute:
            return {}
        period = math.floor(now / self._period_s)
        last, count = self._counted.get(account, (period, 0))
        count = (count if last == period else 0) + 1
        headers = {"x-ratelimit-limit-requests": str(self._per_minute)}
        if count > self._most:
            raise self._refusal(headers, (period + 1) * self._period_s - now)
        self._counted[account] = (period, count)
        return {**headers, "x-ratelimit-remaining-requests": str(self._most - count)}

    def _refusal(self, headers: dict[str, str], left_s: float) -> Refusal:
        seconds = max(1, math.ceil(left_s))
        headers["x-ratelimit-remaining-requests"] = "0"
        if self._said != "left_out":
            headers["retry-after"] = str(seconds)
        if self._said == "both":
            headers["retry-after-ms"] = str(max(1, math.ceil(left_s * 1000)))
        message = "Requests to this resource have exceeded the call rate limit of its pricing tier. Please retry after "
        return Refusal(429, f"{message}{seconds} second{'' if seconds == 1 else 's'}.", code="429", headers=headers)
