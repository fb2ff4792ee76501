"""Model deployments in ARM.

Owns their contract: model and SKU from the catalogue, quota, what may change and what may not.
"""

from __future__ import annotations

from asstops.emulator import accounts, armshape, catalogue, quota
from asstops.emulator.accounts import Account
from asstops.emulator.armshape import ACCOUNT, PROVIDER
from asstops.emulator.catalogue import Model, Version
from asstops.emulator.state import State
from asstops.emulator.store import dump as dumped
from asstops.emulator.store import load
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route

_DEPLOYMENT = ACCOUNT + "/deployments/{deployment}"
_NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}"


def put(call: Call) -> Reply:
    account, name = armshape.live_account(call, parent=True), call.params["deployment"]
    armshape.check_name(name, _NAME, "deploymentName")
    armshape.free(call, account)
    if account.provisioning != "Succeeded":
        raise Refusal(
            409, f"The account '{account.name}' is in state {account.provisioning}, it must be Succeeded.",
            code="AccountProvisioningStateInvalid",
        )  # fmt: skip
    body = armshape.body_of(call, armshape.DEPLOYMENT_BODY)
    given, sku = body["properties"], {k: v for k, v in body["sku"].items() if v is not None}
    old = _find(call.state, account, name)
    wanted = {k: v for k, v in given["model"].items() if v is not None and k != "callRateLimit"}
    if old is not None:
        _same_model(old[1]["properties"]["model"], wanted)
    model, version = known_model(
        call, wanted, new=old is None or old[1]["properties"]["model"]["version"] != wanted.get("version")
    )
    sku.setdefault("capacity", 1)
    known_sku(model, version, sku["name"])
    _quota(call, account, name, model, sku)
    stored = quota.stored_deployment(
        call.state, {**wanted, "version": version.version}, sku, given, "Creating" if old is None else "Accepted"
    )
    stored["tags"] = body.get("tags") or {}
    store = call.state.store
    if old is None:
        store.run(
            "INSERT INTO deployment (account, name, name_key, body) VALUES (?, ?, ?, ?)",
            account.row, name, name.lower(), dumped(stored),
        )  # fmt: skip
        return _begin(call, account, name, stored, 201)
    stored["systemData"] = armshape.system_data(call.state.now(), old[1]["systemData"])
    _save(call.state, account, name, stored)
    return _begin(call, account, old[0], stored, 200)


def patch(call: Call) -> Reply:
    """PATCH: tags and sku only; given tags replace all tags."""
    account, name, body = _live(call)
    armshape.free(call, account)
    sent = armshape.body_of(call, armshape.TAGS_AND_SKU)
    if sent.get("sku"):
        sku = {**body["sku"], **{k: v for k, v in sent["sku"].items() if v is not None}}
        model, version = known_model(call, body["properties"]["model"], new=False)
        known_sku(model, version, sku["name"])
        _quota(call, account, name, model, sku)
        body["sku"] = sku
        if "currentCapacity" in body["properties"]:
            body["properties"].update(quota.sized(sku["capacity"]))
    if "tags" in sent:
        body["tags"] = sent["tags"] or {}
    body["properties"]["provisioningState"] = "Accepted"
    body["systemData"] = armshape.system_data(call.state.now(), body["systemData"])
    _save(call.state, account, name, body)
    return _begin(call, account, name, body, int(call.state.on("arm_patch_answer")))


def delete(call: Call) -> Reply:
    account = armshape.live_account(call)
    found = _find(call.state, account, call.params["deployment"])
    if found is None:
        return Reply(None, 204)
    armshape.free(call, account)
    name, body = found
    body["properties"]["provisioningState"] = "Deleting"
    _save(call.state, account, name, body)
    operation = accounts.begin_operation(call.state, account.row, name, "deployment.delete", call.fault)
    return armshape.started(call, account, operation, None, 202)


def get(call: Call) -> Reply:
    account, name, body = _live(call)
    return Reply(_shown(call, account, name, body))


def list_(call: Call) -> Reply:
    account = armshape.live_account(call)
    rows = call.state.store.all("SELECT name, body FROM deployment WHERE account = ?", account.row)
    moment = call.listed_at()
    if moment is not None:
        rows += call.state.store.all(
            "SELECT id, body FROM gone WHERE account = ? AND kind = 'deployment' AND deleted > ?", account.row, moment
        )
    found = [(name, load(body)) for name, body in sorted(rows, key=lambda row: str(row[0]).lower())]
    if moment is not None:
        found = [(name, body) for name, body in found if body["systemData"]["createdAt"] <= armshape.stamp(moment)]
    return armshape.paged(call, [_shown(call, account, name, body) for name, body in found])


def list_skus(call: Call) -> Reply:
    _, _, body = _live(call)
    model = catalogue.MODELS[body["properties"]["model"]["name"]]
    values = [
        {
            "resourceType": f"{PROVIDER}/accounts/deployments",
            "sku": {"name": sku},
            "capacity": {"minimum": 1, "maximum": catalogue.limit(call.state.settings, model, sku), "step": 1},
        }
        for sku in model.skus
    ]
    return Reply({"value": values})


def known_model(call: Call, wanted: Json, *, new: bool) -> tuple[Model, Version]:
    """Return the catalogue's entry for a wanted model; `new` refuses one that is deprecated."""
    model = call.state.models.get(wanted["name"]) if wanted["format"] == "OpenAI" else None
    version = model.version(wanted.get("version") or None) if model else None
    if model is None or version is None:
        raise Refusal(
            400,
            f"The model 'Format:{wanted['format']},Name:{wanted['name']},Version:{wanted.get('version') or ''}' of "
            "account deployment is not supported.",
            code="DeploymentModelNotSupported",
        )
    if new and version.status == "Deprecated":
        raise Refusal(
            400,
            f"The model 'Format:OpenAI,Name:{model.name},Version:{version.version}' has been deprecated since "
            f"{version.retires}.",
            code="ServiceModelDeprecated",
        )
    return model, version


def _same_model(old: Json, new: Json) -> None:
    for name in ("format", "name"):
        if old[name] != new[name]:
            raise Refusal(
                400, f"The model {name} of a deployment is '{old[name]}' and cannot be changed to '{new[name]}'.",
                code="InvalidResourceProperties", param=f"properties.model.{name}",
            )  # fmt: skip


def known_sku(model: Model, version: Version, sku: str) -> None:
    if sku not in model.skus:
        raise Refusal(
            400,
            f"The specified SKU '{sku}' of account deployment is not supported by the model "
            f"'{model.name}' version '{version.version}'.",
            code="InvalidResourceProperties",
            param="sku.name",
        )


def _quota(call: Call, account: Account, name: str, model: Model, sku: Json) -> None:
    if sku["capacity"] < 1:
        raise Refusal(
            400, f"The specified capacity '{sku['capacity']}' of account deployment should be at least 1.",
            code="InvalidResourceProperties", param="sku.capacity",
        )  # fmt: skip
    usage, most = model.usage_name(sku["name"]), catalogue.limit(call.state.settings, model, sku["name"])
    used = quota.used_in(call.state, account.location, account=account, but=name).get(usage, 0)
    if used + sku["capacity"] > most:
        raise Refusal(
            400,
            f"This operation require {sku['capacity']} new capacity in quota Tokens Per Minute (thousands) - "
            f"{model.name} - {sku['name']}, which is bigger than the current available capacity {most - used}. The "
            f"current quota usage is {used} and the quota limit is {most} for quota Tokens Per Minute (thousands) - "
            f"{model.name} - {sku['name']}.",
            code="InsufficientQuota",
        )


def _begin(call: Call, account: Account, name: str, body: Json, status: int) -> Reply:
    operation = accounts.begin_operation(call.state, account.row, name, "deployment.finish", call.fault)
    answer = None if status == 202 else _shown(call, account, name, body)
    return armshape.started(call, account, operation, answer, status)


def _find(state: State, account: Account, name: str) -> tuple[str, Json] | None:
    row = state.store.one(
        "SELECT name, body FROM deployment WHERE account = ? AND name_key = ?", account.row, name.lower()
    )
    return (row[0], load(row[1])) if row else None


def _live(call: Call) -> tuple[Account, str, Json]:
    account, name = armshape.live_account(call), call.params["deployment"]
    found = _find(call.state, account, name)
    if found is None:
        raise armshape.missing(account.group, f"accounts/{account.name}/deployments/{name}")
    return account, *found


def _save(state: State, account: Account, name: str, body: Json) -> None:
    state.store.run(
        "UPDATE deployment SET body = ?, pristine = 0 WHERE account = ? AND name_key = ?",
        dumped(body), account.row, name.lower(),
    )  # fmt: skip


def _shown(call: Call, account: Account, name: str, body: Json) -> Json:
    answer: Json = {
        "id": f"{armshape.account_id(call, account)}/deployments/{name}",
        "name": name,
        "type": f"{PROVIDER}/accounts/deployments",
        "sku": body["sku"],
        "properties": body["properties"],
        "systemData": body["systemData"],
    }
    if body.get("tags"):
        answer["tags"] = body["tags"]
    return answer


def _finished(state: State, account: Account, target: str, succeeded: bool) -> None:
    found = _find(state, account, target)
    if found is not None:
        found[1]["properties"]["provisioningState"] = "Succeeded" if succeeded else "Failed"
        _save(state, account, target, found[1])


def _deleted(state: State, account: Account, target: str, succeeded: bool) -> None:
    if succeeded:
        state.store.run("DELETE FROM deployment WHERE account = ? AND name_key = ?", account.row, target.lower())
    else:
        _finished(state, account, target, False)


def _result(call: Call, row: int, target: str) -> Json | None:
    account = accounts.by_row(call.state, row)
    found = _find(call.state, account, target)
    return _shown(call, account, *found) if found else None


def dump(state: State) -> list[Json]:
    rows = state.store.all(
        "SELECT account.name, deployment.name, deployment.body FROM deployment JOIN account "
        "ON account.row = deployment.account WHERE deployment.pristine = 0 AND deleted_at IS NULL "
        "ORDER BY deployment.row"
    )
    return [{"account": account, "name": name, **load(body)} for account, name, body in rows]


FINISHERS = {"deployment.finish": _finished, "deployment.delete": _deleted}
RESULTS = {"deployment.finish": _result}
DUMP = {"deployments": dump}
ROUTES = [
    Route("arm", "PUT", _DEPLOYMENT, put),
    Route("arm", "PATCH", _DEPLOYMENT, patch),
    Route("arm", "GET", _DEPLOYMENT, get),
    Route("arm", "DELETE", _DEPLOYMENT, delete),
    Route("arm", "GET", f"{ACCOUNT}/deployments", list_),
    Route("arm", "GET", f"{_DEPLOYMENT}/skus", list_skus),
]
