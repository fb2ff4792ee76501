"""The data plane of an account: `{prefix}/openai/...` (dated) and `{prefix}/openai/v1/...`.

Owns its sign-in, api-versions and error bodies.
"""

from __future__ import annotations

from asstops.emulator import accounts, keys
from asstops.emulator.accounts import Account
from asstops.emulator.data import DATED, V1, resource_not_found
from asstops.emulator.wire import Call, Json, Refusal, Route

_KINDS = frozenset({"OpenAI", "AIServices"})


class DataPlane:
    """See wire.Plane."""

    name = "data"
    ignore_case = False

    def claim(self, call: Call, /) -> bool:
        # The JavaScript SDK doubles the slash when the endpoint ends in one, as Azure's do.
        parts = call.path.lstrip("/").split("/")
        if parts[1:3] == ["", "openai"]:
            del parts[1]
        account: Account | None = None
        if len(parts) > 1 and parts[1] == "openai":
            account = accounts.by_path(call.state, parts[0])
        if account is not None:
            rest = parts[2:]
        elif parts[0] == "openai":
            account, rest = accounts.by_path(call.state, ""), parts[1:]
        elif len(parts) > 1 and parts[1] == "openai":
            rest = parts[2:]
        else:
            return False
        if rest[:1] == ["v1"]:
            call.surface, rest = V1, rest[1:]
        call.path = "/" + "/".join(rest)
        if account is not None:
            call.account, call.account_name = account.row, account.name
        return True

    def admit(self, call: Call, /) -> None:
        if not call.account:
            raise resource_not_found()
        account = accounts.by_row(call.state, call.account)
        if account.provisioning == "Creating" or account.body["kind"] not in _KINDS:
            raise resource_not_found()
        _sign_in(call, account)
        version = call.one("api-version")
        if call.surface == V1:
            if version not in {None, "v1", "preview"}:
                raise resource_not_found()
        elif version in DATED:
            call.surface = str(version)
        else:
            raise resource_not_found()

    def permit(self, call: Call, route: Route, /) -> None:
        if call.principal != "token":
            return  # a key may do everything
        reading = call.method == "GET" or route.action.endswith("/read")
        if not call.state.roles["data_read" if reading else "data_write"]:
            action = route.action or f"{call.path.split('/')[1]}/{'read' if reading else 'write'}"
            raise Refusal(
                int(call.state.on("permission_denied_status")),
                f"The principal `{keys.PRINCIPAL_ID}` lacks the required data action "
                f"`Microsoft.CognitiveServices/accounts/OpenAI/{action}` to perform "
                f"`{call.method} /openai{route.pattern}` operation.",
                code="PermissionDenied",
            )

    def unknown(self, _call: Call, _known_path: bool, /) -> Refusal:
        return resource_not_found()

    def error(self, call: Call, refusal: Refusal, /) -> Json:
        if call.surface == V1:
            # The v1 document has no null fields here, and "error" as the only type.
            error: Json = {"code": refusal.code or str(refusal.status), "message": refusal.message, "type": "error"}
            if refusal.param is not None:
                error["param"] = refusal.param
            return {"error": error}
        if refusal.status in {401, 403}:
            return {"error": {"code": refusal.code, "message": refusal.message}}
        return {
            "error": {
                "message": refusal.message,
                "type": refusal.kind,
                "param": refusal.param,
                "code": refusal.code,
            }
        }

    def headers(self, call: Call, /) -> dict[str, str]:
        return {"apim-request-id": call.request_id, "x-ms-region": "Emulator"}


def _sign_in(call: Call, account: Account) -> None:
    state = call.state
    key = call.headers.get("api-key")
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    properties = account.body["properties"]
    if call.surface == V1 and scheme and account.accepts(state.settings.subscription_id, token.strip() or scheme):
        # The v1 document takes the key in this header too, which is what a plain OpenAI client sends.
        key = token.strip() or scheme
    elif scheme.lower() == "bearer" and token:
        if not properties.get("customSubDomainName"):
            raise Refusal(
                400,
                "Please provide a custom subdomain for token authentication, otherwise an API key is required.",
                code="BadRequest",
            )
        try:
            claims = keys.read_token(token.strip())
        except (keys.BadToken, ValueError):
            claims = {}
        if claims.get("aud") != keys.DATA_AUDIENCE or call.token_expired(claims.get("exp", 0)):
            raise Refusal(
                401,
                "Unauthorized. Access token is missing, invalid, audience is incorrect "
                f"({keys.DATA_AUDIENCE}), or have expired.",
                code="Unauthorized",
            )
        call.principal = "token"
        return
    if key is None or not account.accepts(state.settings.subscription_id, key):
        raise Refusal(
            401,
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key "
            "for an active subscription and use a correct regional API endpoint for your resource.",
            code="401",
        )
    if properties.get("disableLocalAuth"):
        raise Refusal(403, "Key based authentication is disabled for this resource.", code="AuthenticationTypeDisabled")
    call.principal = "key"


PLANES = [(10, DataPlane())]
