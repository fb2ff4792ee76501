"""Canonical form and short digests of values. Pure.

A digest here answers "is this still what it was?", never "who made this?": it guards against accidents, not forgers.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from asstops.model import Ref

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
"""URL-safe base64 digits: 6 bits a character, safe in metadata, tags and URLs."""
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical(value: Any) -> str:
    """One text for equal values: sorted keys, 1.0 as 1, a Ref as its address."""
    return _ENCODER.encode(_plain(value))


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind is str or value is None or kind is bool or kind is int:
        return value
    if kind is dict or isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Ref):
        return f"@{value.address}"
    return value


def canonical_list(value: Any) -> Any:
    """The same list in canonical order, for lists in which order means nothing."""
    if not isinstance(value, (list, tuple)):
        return value
    return sorted(value, key=canonical) if len(value) > 1 else list(value)


def short(text: str, characters: int) -> str:
    """The first `characters` base64 digits of the text's SHA-256, at most 42."""
    return urlsafe_b64encode(sha256(text.encode("utf-8", "surrogatepass")).digest())[:characters].decode("ascii")
