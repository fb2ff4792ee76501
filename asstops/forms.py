"""Whether a service says the same as was sent, in another form. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def is_form_of(sent: Any, stored: Any, forgettable: frozenset[str] = frozenset(), *, caseless: bool = False) -> bool:
    """True when `stored` says the same as `sent` in another form: filled in, reordered, trimmed, rounded.

    `forgettable` are keys that a service may drop. With `caseless` the case of a text means nothing.
    """
    if isinstance(sent, Mapping) and isinstance(stored, Mapping):
        return all(
            is_form_of(value, stored[key], forgettable) if key in stored else key in forgettable
            for key, value in sent.items()
            if value is not None
        )
    if isinstance(sent, (list, tuple)) and isinstance(stored, (list, tuple)):
        return len(sent) == len(stored) and _match(list(sent), list(stored), forgettable)
    if isinstance(sent, bool) or isinstance(stored, bool):
        return sent is stored
    if isinstance(sent, (int, float)) and isinstance(stored, (int, float)):
        return math.isclose(sent, stored, rel_tol=1e-5, abs_tol=1e-9)
    if isinstance(sent, str) and isinstance(stored, str):
        left, right = sent.strip(), stored.strip()
        return left == right or (caseless and left.casefold() == right.casefold())
    if sent is None:
        return True
    return bool(sent == stored)


def _match(sent: list[Any], stored: list[Any], forgettable: frozenset[str]) -> bool:
    """Pair every item sent with one stored, in any order."""
    left = list(stored)
    for item in sent:
        found = next((other for other in left if is_form_of(item, other, forgettable)), None)
        if found is None:
            return False
        left.remove(found)
    return True
