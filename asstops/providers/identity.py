"""Who is signed in, as the token itself says. Reads its claims and proves nothing: that is the service's part."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass

from asstops.providers.advice import Caller
from asstops.providers.credentials import TokenSource
from asstops.providers.failures import azure_errors

_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Identity:
    """`credential` is the class of azure-identity that got the token; the ids are "" where the token has none."""

    credential: str
    tenant_id: str = ""
    object_id: str = ""


def identity(source: TokenSource, scope: str, caller: Caller) -> Identity:
    """Get a token for `scope` and say whose it is. Raises AuthFailed where there is no credential."""
    with azure_errors("signing in", caller):
        token = source.get_token(scope).token
    claims = _claims(token)
    return Identity(source.name, _id(claims.get("tid")), _id(claims.get("oid")))


def _claims(token: str) -> dict[str, object]:
    """The payload of a JSON Web Token; {} for any other token, which is nobody's business but the service's."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return found if isinstance(found, dict) else {}


def _id(value: object) -> str:
    """Only what has the form of an id: nothing else of a token is ever shown."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""
