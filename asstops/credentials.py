"""What is a credential by where it stands in JSON: headers of tools, fields of that name, parameters of a URL. Pure.

A spec holds none, but others put them into what is live: an MCP server with a key among its headers, a function's
address with its code. No output of asstops shows them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

LEFT_OUT = "(credential)"
_NAMED = re.compile(
    r"[a-z0-9][-_]?key[12]?$|^key[12]$|(secret|password|token|authorization|credentials?|connection_?string)$",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(url|uri|endpoint|href)$", re.IGNORECASE)
_PARAMETER = re.compile(
    r"((?<=[?&;])[^=&;#\s]*(?:code|key|sig|signature|token|secret|password)=)[^&;#\s]+", re.IGNORECASE
)
_USERS_OWN = frozenset({"metadata", "tags"})
_HARMLESS = frozenset({"accept", "accept-encoding", "accept-language", "cache-control", "content-type", "user-agent"})


def without_credentials(value: Any) -> Any:
    """JSON-like data with `(credential)` in the place of each."""
    if isinstance(value, Mapping):
        return {
            name: item if is_of_users(str(name)) else without_credentials(under(str(name), item))
            for name, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [without_credentials(item) for item in value]
    return value


def under(name: str, value: Any) -> Any:
    """What stands under a name: `(credential)` where that says so, else the value itself, not looked into."""
    if isinstance(value, str):
        if _is_named_like_one(name):
            return _left_out(value)
        return _PARAMETER.sub(rf"\1{LEFT_OUT}", value) if _is_address(name) else value
    if name.lower() == "headers" and isinstance(value, Mapping):
        return {key: item if str(key).lower() in _HARMLESS else _left_out(item) for key, item in value.items()}
    return value


@lru_cache(maxsize=4096)
def _is_named_like_one(name: str) -> bool:
    return _NAMED.search(name) is not None


@lru_cache(maxsize=4096)
def _is_address(name: str) -> bool:
    return _ADDRESS.search(name) is not None


def is_of_users(name: str) -> bool:
    """Keys of metadata and tags are the user's own, and mean nothing here."""
    return name.lower() in _USERS_OWN


def _left_out(value: Any) -> Any:
    return LEFT_OUT if value else value
