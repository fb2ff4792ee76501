"""Models on the v1 surface: what an account can deploy.

Owns `/openai/v1/models`. It lists models of the catalogue, not deployments.
"""

from __future__ import annotations

from asstops.emulator import catalogue
from asstops.emulator.data import V1
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route

_CREATED = 1_730_000_000


def list_(_call: Call) -> Reply:
    return Reply({"object": "list", "data": [_shown(ident) for ident in _idents()]})


def get(call: Call) -> Reply:
    ident = call.params["model"]
    if ident not in _idents():
        raise Refusal(404, f"The model '{ident}' does not exist.", code="model_not_found", param="model")
    return Reply(_shown(ident))


def _idents() -> list[str]:
    return [f"{model.name}-{entry.version}" for model in catalogue.MODELS.values() for entry in model.versions]


def _shown(ident: str) -> Json:
    return {"id": ident, "object": "model", "created": _CREATED, "owned_by": "system"}


ROUTES = [
    Route("data", "GET", "/models", list_, frozenset({V1}), "models/read"),
    Route("data", "GET", "/models/{model}", get, frozenset({V1}), "models/read"),
]
