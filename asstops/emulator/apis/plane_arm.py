"""Azure Resource Manager: everything under `/subscriptions`.

Owns its sign-in, api-version and error bodies, and the answer to an unknown subscription.
"""

from __future__ import annotations

import re

from asstops.emulator import keys
from asstops.emulator.wire import Call, Json, Refusal, Route

VERSION = "2025-09-01"
# Who asks other providers speaks their versions: https://learn.microsoft.com/rest/api/authorization/permissions and
# https://learn.microsoft.com/rest/api/resources/providers/get
_OTHERS = (
    (re.compile(r"/providers/microsoft\.authorization/[^/]+$"), "Microsoft.Authorization", "2022-04-01"),
    (re.compile(r"^/subscriptions/[^/]+/providers/[^/]+$"), "Microsoft.Resources", "2021-04-01"),
)


class ArmPlane:
    """See wire.Plane."""

    name = "arm"
    ignore_case = True

    def claim(self, call: Call, /) -> bool:
        call.path = "/" + call.path.lstrip("/")
        return call.path.lower().startswith("/subscriptions")

    def admit(self, call: Call, /) -> None:
        _sign_in(call)
        version = call.one("api-version")
        if not version:
            raise Refusal(
                400,
                "The api-version query parameter (?api-version=) is required for all requests.",
                code="MissingApiVersionParameter",
            )
        parts = call.path.split("/")
        subscription = parts[2] if len(parts) > 2 else ""
        if subscription.lower() != call.state.settings.subscription_id.lower():
            raise Refusal(404, f"The subscription '{subscription}' could not be found.", code="SubscriptionNotFound")
        namespace, spoken = _provider(call.path)
        if version != spoken:
            raise Refusal(
                400,
                f"No registered resource provider found for API version '{version}' of the namespace "
                f"'{namespace}'. The supported api-versions are '{spoken}'.",
                code="NoRegisteredProviderFound",
            )

    def permit(self, call: Call, route: Route, /) -> None:
        needed = route.action or ("arm_read" if call.method == "GET" else "arm_write")
        if not call.state.roles[needed]:
            verb = {"GET": "read", "DELETE": "delete", "POST": "action"}.get(call.method, "write")
            raise Refusal(
                403,
                f"The client '{keys.PRINCIPAL_ID}' with object id '{keys.PRINCIPAL_ID}' does not have authorization to "
                f"perform action 'Microsoft.CognitiveServices/{verb}' over scope '{call.path}' or the scope "
                "is invalid. If access was recently granted, please refresh your credentials.",
                code="AuthorizationFailed",
            )

    def unknown(self, call: Call, known_path: bool, /) -> Refusal:
        if known_path:
            return Refusal(
                405, f"The requested resource does not support http method '{call.method}'.", code="MethodNotAllowed"
            )
        return Refusal(404, f"The resource type of '{call.path}' could not be found.", code="InvalidResourceType")

    def error(self, _call: Call, refusal: Refusal, /) -> Json:
        code = refusal.code or "BadRequest"
        if code.islower():  # worded by the common checks, for the data plane
            code = "InvalidRequestContent" if "unknown" in code or "type" in code else "InvalidResourceProperties"
        error: Json = {"code": code, "message": refusal.message}
        if refusal.param:
            error["target"] = refusal.param
        return {"error": error}

    def headers(self, call: Call, /) -> dict[str, str]:
        return {"x-ms-correlation-request-id": call.request_id, "cache-control": "no-cache"}


def _provider(path: str) -> tuple[str, str]:
    """Whose path it is, and the version that they speak."""
    lowered = path.rstrip("/").lower()
    for pattern, namespace, version in _OTHERS:
        if pattern.search(lowered):
            return namespace, version
    return "Microsoft.CognitiveServices", VERSION


def _sign_in(call: Call) -> None:
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthorized("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
    try:
        claims = keys.read_token(token.strip())
    except (keys.BadToken, ValueError):
        raise _unauthorized("InvalidAuthenticationToken", "The access token is invalid.") from None
    if claims["aud"] != keys.ARM_AUDIENCE:
        raise _unauthorized(
            "InvalidAuthenticationTokenAudience",
            f"The access token has been obtained for wrong audience or resource '{claims['aud']}'. It should exactly "
            f"match with one of the allowed audiences '{keys.ARM_AUDIENCE}/'.",
        )
    if call.token_expired(claims["exp"]):
        raise _unauthorized("ExpiredAuthenticationToken", "The access token expiry UTC time has passed.")
    call.principal = "token"


def _unauthorized(code: str, message: str) -> Refusal:
    challenge = f'Bearer authorization_uri="https://login.windows.net/{keys.TENANT_ID}", error="invalid_token"'
    return Refusal(401, message, code=code, headers={"www-authenticate": challenge})


PLANES = [(20, ArmPlane())]
