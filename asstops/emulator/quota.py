"""How much of a model's quota is used, and by what.

Owns the sums over deployments, and over what soft-deleted accounts still hold.
"""

from __future__ import annotations

from asstops.emulator import accounts, armshape, catalogue
from asstops.emulator.accounts import Account
from asstops.emulator.state import State
from asstops.emulator.store import dump, load
from asstops.emulator.wire import Json


def used_by(state: State, account: Account, *, but: str = "") -> dict[str, int]:
    """Return capacity by usage name of one account's deployments, without the one named `but`."""
    result: dict[str, int] = {}
    rows = state.store.all("SELECT body FROM deployment WHERE account = ? AND name_key != ?", account.row, but.lower())
    for (text,) in rows:
        body = load(text)
        model = catalogue.MODELS[body["properties"]["model"]["name"]]
        name = model.usage_name(body["sku"]["name"])
        result[name] = result.get(name, 0) + body["sku"]["capacity"]
    return result


def used_in(state: State, location: str, *, account: Account | None = None, but: str = "") -> dict[str, int]:
    """Return capacity by usage name in a location; `account` and `but` name a deployment not to count."""
    result: dict[str, int] = {}
    for found in accounts.select(state, "location_key = ?", accounts.location_key(location)):
        own = account is not None and found.row == account.row
        counted = found.held if found.deleted_at is not None else used_by(state, found, but=but if own else "")
        for name, capacity in counted.items():
            result[name] = result.get(name, 0) + capacity
    return result


def stored_deployment(state: State, model: Json, sku: Json, given: Json, status: str) -> Json:
    """Return the stored form of a deployment."""
    known = catalogue.MODELS[model["name"]]
    properties: Json = {
        "model": model,
        "versionUpgradeOption": given.get("versionUpgradeOption") or "OnceNewDefaultVersionAvailable",
        "capabilities": known.capabilities(deployed=True),
        "provisioningState": status,
    }
    for name in ("raiPolicyName", "parentDeploymentName", "spilloverDeploymentName", "scaleSettings"):
        if given.get(name) is not None:
            properties[name] = given[name]
    if state.on("deployment_defaults") == "filled":
        properties.setdefault("raiPolicyName", "Microsoft.DefaultV2")
        properties.update(sized(sku["capacity"]))
    return {"sku": sku, "properties": properties, "systemData": armshape.system_data(state.now())}


def sized(capacity: int) -> Json:
    """Return the properties of a deployment that follow from its capacity."""
    return {
        "currentCapacity": capacity,
        "rateLimits": [
            {"key": "request", "renewalPeriod": 10, "count": capacity},
            {"key": "token", "renewalPeriod": 60, "count": capacity * 1000},
        ],
    }


def seed_deployment(state: State, account: Account, name: str, version: str) -> None:
    """Make one of the deployments that the default account is born with."""
    model = {"format": "OpenAI", "name": name, "version": version}
    body = stored_deployment(state, model, {"name": "GlobalStandard", "capacity": 10}, {}, "Succeeded")
    state.store.run(
        "INSERT INTO deployment (account, name, name_key, pristine, body) VALUES (?, ?, ?, 1, ?)",
        account.row, name, name.lower(), dump(body),
    )  # fmt: skip
