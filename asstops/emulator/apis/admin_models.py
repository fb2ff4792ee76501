"""The passage of time over models, steered by tests: a new default version, a version that is retired.

Owns what that does to deployments, as their `versionUpgradeOption` says. See DeploymentProperties in the ARM document.
"""

from __future__ import annotations

from asstops.emulator import checks
from asstops.emulator.app import ADMIN_PREFIX
from asstops.emulator.catalogue import Model
from asstops.emulator.state import State
from asstops.emulator.store import dump, load
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route

_CHANGE = checks.record(
    {"name": checks.string(), "default": checks.string(), "retired": checks.string()}, required=("name",)
)


def show(call: Call) -> Reply:
    return Reply({"models": [_shown(model) for model in call.state.models.values()]})


def change(call: Call) -> Reply:
    """Change one model, and move the deployments that follow it."""
    state, body = call.state, call.json()
    _CHANGE(body, "")
    model = state.models.get(body["name"])
    if model is None:
        raise Refusal(400, f"The model '{body['name']}' is not known; known are {', '.join(state.models)}.")
    if "default" not in body and "retired" not in body:
        raise Refusal(400, "The change needs 'default' or 'retired', a version of the model.")
    if "default" in body:
        model = model.with_default(_version(model, body["default"]))
    if "retired" in body:
        model = model.without(_version(model, body["retired"]))
    newest = model.version(None)
    if newest is None or newest.status == "Deprecated":
        raise Refusal(400, f"The default version of '{model.name}' would be retired; name another default.")
    state.models[model.name] = model
    _upgrade(state, model, newest.version, body)
    return Reply(_shown(model))


def _version(model: Model, wanted: str) -> str:
    if model.version(wanted) is None:
        known = ", ".join(each.version for each in model.versions)
        raise Refusal(400, f"The model '{model.name}' has no version '{wanted}'; it has {known}.")
    return wanted


def _upgrade(state: State, model: Model, newest: str, changed: Json) -> None:
    """Move deployments to the default version: when there is a new one, or when theirs is retired."""
    for row, text in state.store.all("SELECT row, body FROM deployment"):
        body = load(text)
        properties = body["properties"]
        used, option = properties["model"], properties["versionUpgradeOption"]
        if used["name"] != model.name or used["version"] == newest:
            continue
        expired = used["version"] == changed.get("retired")
        if (option == "OnceNewDefaultVersionAvailable" and ("default" in changed or expired)) or (
            option == "OnceCurrentVersionExpired" and expired
        ):
            used["version"] = newest
            state.store.run("UPDATE deployment SET body = ? WHERE row = ?", dump(body), row)


def _shown(model: Model) -> Json:
    versions = [{"version": each.version, "default": each.default, "status": each.status} for each in model.versions]
    return {"name": model.name, "versions": versions}


ROUTES = [
    Route("admin", "GET", f"{ADMIN_PREFIX}/models", show),
    Route("admin", "POST", f"{ADMIN_PREFIX}/models", change),
]
