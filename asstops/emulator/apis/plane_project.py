"""A project's endpoint: `{prefix}/api/projects/{name}/agents...` and `{prefix}/api/projects/{name}/openai/v1/...`.

Owns sign-in, api-version and error bodies of both halves. They take Entra tokens for https://ai.azure.com alone. The
second half serves the v1 routes of the data plane on what the project holds.
"""

from __future__ import annotations

from dataclasses import replace

from asstops.emulator import accounts, keys, projects
from asstops.emulator.apis import (
    chat,
    conversations,
    files,
    models,
    responses,
    vector_store_batches,
    vector_store_files,
    vector_stores,
)
from asstops.emulator.apis.plane_data import DataPlane
from asstops.emulator.data import AGENTS, V1, resource_not_found
from asstops.emulator.wire import Call, Json, Refusal, Route

_DEFAULT_PROJECT = "_project"
_SHARED = (chat, conversations, files, models, responses, vector_store_batches, vector_store_files, vector_stores)


class ProjectEndpoint:
    """What all parts of the endpoint do: find the project, sign the caller in, check what a token may do."""

    name = ""
    ignore_case = False
    half: tuple[str, ...] = ()  # the segments behind the project's name
    surface = ""

    def claim(self, call: Call, /) -> bool:
        parts = [part for part in call.path.split("/") if part]
        prefix = parts.pop(0) if parts[:2] != ["api", "projects"] and parts[1:3] == ["api", "projects"] else ""
        if parts[:2] != ["api", "projects"] or tuple(parts[3 : 3 + len(self.half)]) != self.half:
            return False
        account = accounts.by_path(call.state, prefix)
        if account is not None:
            call.account_name = account.name
            wanted = parts[2] if len(parts) > 2 else ""
            if wanted == _DEFAULT_PROJECT:
                named = account.body["properties"].get("defaultProject")
                wanted = projects.default_of(call.state, account.row, named) or ""
            project = projects.find(call.state, account.row, wanted)
            if project is not None and project.provisioning != "Creating":
                call.account = project.scope
        call.path = "/" + "/".join(parts[3 + len(self.half) :])
        call.surface = self.surface
        return True

    def admit(self, call: Call, /) -> None:
        if not call.account_name:
            raise resource_not_found()
        _sign_in(call)
        if not call.account:
            raise Refusal(404, "Project not found", code="NotFound")
        self.check_version(call.one("api-version"))

    def check_version(self, version: str | None, /) -> None:
        """Refuse an api-version that this half does not have."""
        if version not in {None, "v1", "preview"}:
            raise resource_not_found()

    def permit(self, call: Call, route: Route, /) -> None:
        reading = call.method == "GET" or route.action.endswith("/read")
        if not call.state.roles["data_read" if reading else "data_write"]:
            raise Refusal(
                int(call.state.on("permission_denied_status")),
                f"The principal `{keys.PRINCIPAL_ID}` lacks the required data action "
                f"`Microsoft.CognitiveServices/accounts/AIServices/agents/{'read' if reading else 'write'}` to perform "
                f"`{call.method} /api/projects/{{projectName}}{'/'.join(('', *self.half))}{route.pattern}` operation.",
                code="PermissionDenied",
            )


class AgentsPlane(ProjectEndpoint):
    """Agents; see wire.Plane."""

    name = "agents"
    surface = AGENTS

    def check_version(self, version: str | None, /) -> None:
        check_agents_version(version)

    def unknown(self, _call: Call, known_path: bool, /) -> Refusal:
        if known_path:
            return Refusal(405, "The method is not allowed here.", code="MethodNotAllowed")
        return resource_not_found()

    def error(self, _call: Call, refusal: Refusal, /) -> Json:
        error: Json = {"code": refusal.code or "invalid_request", "message": refusal.message, "type": refusal.kind}
        if refusal.param:
            error["param"] = refusal.param
        return {"error": error}

    def headers(self, call: Call, /) -> dict[str, str]:
        return {"apim-request-id": call.request_id, "x-ms-region": "Emulator"}


class ProjectDataPlane(ProjectEndpoint, DataPlane):
    """The OpenAI v1 surface of a project; see wire.Plane."""

    name = "project"
    half = ("openai", "v1")
    surface = V1


def check_agents_version(version: str | None) -> None:
    """Refuse what is not v1, the only version of the agents API."""
    if version is None:
        raise Refusal(400, "The query parameter 'api-version' is required.", code="MissingApiVersionParameter")
    if version != "v1":
        raise Refusal(400, f"The api-version '{version}' is not supported.", code="UnsupportedApiVersion")


def _sign_in(call: Call) -> None:
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    try:
        claims = keys.read_token(token.strip()) if scheme.lower() == "bearer" else {}
    except (keys.BadToken, ValueError):
        claims = {}
    if claims.get("aud") != keys.PROJECT_AUDIENCE or call.token_expired(claims.get("exp", 0)):
        raise Refusal(
            401,
            f"Unauthorized. Access token is missing, invalid, audience is incorrect ({keys.PROJECT_AUDIENCE}), or have "
            "expired.",
            code="Unauthorized",
        )
    call.principal = "token"


PLANES = [(5, ProjectDataPlane()), (6, AgentsPlane())]
ROUTES = [
    replace(route, plane=ProjectDataPlane.name)
    for module in _SHARED
    for route in module.ROUTES
    if not route.surfaces or V1 in route.surfaces
]
