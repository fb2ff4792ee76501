"""Identifiers that look like the services' own.

Owns their form: a prefix and random letters and digits, unique without asking anyone.
"""

from __future__ import annotations

import secrets
import string
import uuid

_LETTERS = string.ascii_letters + string.digits


def fresh(prefix: str, length: int = 24) -> str:
    """Return prefix + `length` random letters and digits."""
    # 6 bits a character with the last two folded back: the bias does not matter for names.
    return prefix + "".join(_LETTERS[byte % 62] for byte in secrets.token_bytes(length))


def guid() -> str:
    return str(uuid.uuid4())
