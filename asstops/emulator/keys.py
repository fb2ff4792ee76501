"""Account keys and sign-in tokens, both computed and never stored.

Owns how they are made and checked. The constant below is public, so neither protects anything: they only
make clients sign in the way Azure wants.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

_CONSTANT = b"asstops emulator: not a secret"

IDENTITY_HEADER = "emulator"
ARM_AUDIENCE = "https://management.azure.com"
DATA_AUDIENCE = "https://cognitiveservices.azure.com"
PROJECT_AUDIENCE = "https://ai.azure.com"
AUDIENCES = {
    ARM_AUDIENCE: ARM_AUDIENCE,
    "https://management.core.windows.net": ARM_AUDIENCE,
    DATA_AUDIENCE: DATA_AUDIENCE,
    PROJECT_AUDIENCE: PROJECT_AUDIENCE,
}
TENANT_ID = "11111111-1111-1111-1111-111111111111"
PRINCIPAL_ID = "22222222-2222-2222-2222-222222222222"


class BadToken(Exception):
    """The token is malformed or was not issued here."""


def account_key(scope: str, slot: int, revision: int) -> str:
    """Return key 1 or 2 of an account; `scope` names the account, `revision` counts its regenerations."""
    seed = f"{scope.lower()}|{slot}|{revision}".encode()
    return hmac.new(_CONSTANT, seed, hashlib.sha256).hexdigest()[:32]


def default_account_key(subscription_id: str) -> str:
    """Return key 1 of the account that is always there."""
    return account_key(key_scope(subscription_id, "emulator", "emulator"), 1, 0)


def key_scope(subscription_id: str, resource_group: str, name: str) -> str:
    return f"{subscription_id}/{resource_group}/{name}"


def issue_token(audience: str, issued_at: float, lifetime_s: float) -> tuple[str, int]:
    """Return a signed token and the time at which it expires."""
    expires = int(issued_at + lifetime_s)
    claims = {
        "aud": audience,
        "exp": expires,
        "iat": int(issued_at),
        "iss": f"https://sts.windows.net/{TENANT_ID}/",
        "oid": PRINCIPAL_ID,
        "tid": TENANT_ID,
    }
    signed = f"{_encode({'alg': 'HS256', 'typ': 'JWT'})}.{_encode(claims)}"
    return f"{signed}.{_sign(signed)}", expires


def read_token(token: str) -> dict[str, Any]:
    """Return the claims of a token that was issued here; the caller checks audience and expiry."""
    signed, _, signature = token.rpartition(".")
    if not signed or not hmac.compare_digest(_sign(signed).encode(), signature.encode()):
        raise BadToken("not issued by this emulator")
    payload = signed.partition(".")[2]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def _encode(value: dict[str, Any]) -> str:
    raw = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _sign(text: str) -> str:
    digest = hmac.new(_CONSTANT, text.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
