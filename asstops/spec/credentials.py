"""Finds credentials in a spec: keys named like one, values that look like one. Values are never shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from asstops.errors import Location
from asstops.spec.nodes import ListNode, MapNode, Node, Problems, ScalarNode
from asstops.spec.words import cut

FIX = "remove it; sign in with Microsoft Entra ID, or set AZURE_OPENAI_API_KEY in the environment"

_NAMES = frozenset(
    {
        "accountkey",
        "authorization",
        "authtoken",
        "bearertoken",
        "credential",
        "credentials",
        "idtoken",
        "key",
        "key1",
        "key2",
        "passwd",
        "password",
        "primarykey",
        "pwd",
        "refreshtoken",
        "sas",
        "sastoken",
        "secondarykey",
        "secret",
        "secrets",
        "subscriptionkey",
        "token",
    }
)
_ENDINGS = (
    "apikey",
    "apitoken",
    "password",
    "clientsecret",
    "accesstoken",
    "accesskey",
    "secretkey",
    "privatekey",
    "connectionstring",
    "sharedkey",
)
_VALUES = re.compile(
    r"""
      \bsk-(?=[A-Za-z_-]{0,64}[0-9])[A-Za-z0-9_-]{20,}                   # OpenAI
    | \b[A-Za-z0-9]{84}\b                                           # Azure, since 2024
    | (?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.              # JWT
    | \b(AccountKey|SharedAccessKey|SharedAccessSignature)\s*=\s*[A-Za-z0-9+/=%]{16,}
    | \bgh[pousr]_[A-Za-z0-9]{36}                                   # GitHub
    | -----BEGIN\ ([A-Z]+\ )*PRIVATE\ KEY-----
    """,
    re.VERBOSE,
)


_SHORTEST = 23
_SIGNS = ("sk-", "eyJ", "AccountKey", "SharedAccess", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "PRIVATE KEY")
_RUN = re.compile(r"[A-Za-z0-9]{84}")


def _is_credential(text: str) -> bool:
    """Whether `_VALUES` finds one; most text holds nothing of what one begins with, and is told from it sooner."""
    if len(text) < _SHORTEST or not (any(sign in text for sign in _SIGNS) or _RUN.search(text)):
        return False
    return _VALUES.search(text) is not None


@lru_cache(maxsize=4096)
def is_credential_name(name: str) -> bool:
    """True for api_key, Api-Key, clientSecret and the like."""
    folded = re.sub(r"[-_. ]", "", name).lower()
    return folded in _NAMES or folded.endswith(_ENDINGS)


def refuse_credentials(node: Node, opaque: Mapping[str, Any] | bool, problems: Problems) -> None:
    """Note every credential in an entry. In what `opaque` marks (JSON Schemas) keys may be named anything."""
    if isinstance(node, ScalarNode):
        if not node.sensitive and _is_credential(node.text):
            refuse(
                problems,
                "the value looks like a real key or token, and credentials never stand in a spec",
                node.location,
            )
    elif isinstance(node, ListNode):
        for item in node.items:
            refuse_credentials(item, opaque if opaque is True else _under(opaque, "*"), problems)
    elif isinstance(node, MapNode):
        for name, item in node.entries.items():
            if opaque is not True and is_credential_name(name) and not isinstance(item, MapNode):
                refuse_name(problems, name, node.keys[name].location)
            else:
                refuse_credentials(item, opaque if opaque is True else _under(opaque, name), problems)


def refuse_name(problems: Problems, name: str, where: Location) -> None:
    """Note a key that is named like a credential."""
    refuse(problems, f"{cut(name)!r} looks like a credential, and those never stand in a spec", where)


def refuse(problems: Problems, message: str, where: Location, fix: str = FIX) -> None:
    problems.of("credential").add(message, where, fix)
    problems.settle(where)


def _under(opaque: Mapping[str, Any] | bool, part: str) -> Mapping[str, Any] | bool:
    if isinstance(opaque, bool):
        return opaque
    found: Mapping[str, Any] | bool = opaque.get(part, opaque.get("*", {}))
    return found
