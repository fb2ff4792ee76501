"""The log of requests, for tests to look at.

Owns what is kept of a request. Credentials are never kept.
"""

from __future__ import annotations

from collections import deque
from typing import Any

SECRET_HEADERS = frozenset({"authorization", "api-key", "cookie", "x-identity-header", "ocp-apim-subscription-key"})


class RequestLog:
    """The last requests, numbered from 1 since the last clearing."""

    def __init__(self, size: int) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=size)
        self._count = 0

    def begin(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Number an entry and keep it; the caller adds the outcome to the returned dictionary."""
        self._count += 1
        numbered = {"n": self._count, **entry}
        self._entries.append(numbered)
        return numbered

    def entries(self) -> list[dict[str, Any]]:
        return list(self._entries)

    def clear(self) -> None:
        self._entries.clear()
        self._count = 0


def safe_headers(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in SECRET_HEADERS}
