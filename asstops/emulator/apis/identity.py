"""Sign-in: the managed-identity endpoint that azure-identity finds through IDENTITY_ENDPOINT.

Owns the issuing of tokens, in the form of App Service (api-version 2019-08-01).
"""

from __future__ import annotations

from asstops.emulator import keys
from asstops.emulator.app import ADMIN_PREFIX
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route


def token(call: Call) -> Reply:
    if call.headers.get("x-identity-header") != keys.IDENTITY_HEADER:
        raise _refused(401, "The X-IDENTITY-HEADER is missing or wrong.")
    if call.one("api-version") != "2019-08-01":
        raise _refused(400, "The api-version must be 2019-08-01.")
    resource = call.one("resource") or ""
    audience = keys.AUDIENCES.get(resource.rstrip("/"))
    if audience is None:
        raise _refused(400, f"The resource '{resource}' is not known.")
    state = call.state
    issued, expires = keys.issue_token(audience, state.now(), state.settings.token_lifetime_s)
    return Reply(
        {
            "access_token": issued,
            # Clients compare this with their own clock, which does not know that ours was advanced.
            "expires_on": str(int(expires - state.offset_s)),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": call.one("client_id") or keys.PRINCIPAL_ID,
        }
    )


def _refused(status: int, message: str) -> Refusal:
    body: Json = {"statusCode": status, "message": message}
    return Refusal(status, message, body=body)


ROUTES = [Route("admin", "GET", f"{ADMIN_PREFIX}/identity/token", token)]
