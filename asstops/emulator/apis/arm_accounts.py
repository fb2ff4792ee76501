"""Accounts in ARM: create, read, update, soft-delete.

Owns the life of an account; what its bodies may hold is in account_rules.py. Soft-deleted accounts belong to
arm_deleted.py, keys to arm_keys.py.
"""

from __future__ import annotations

import math
from typing import Any

from asstops.emulator import account_rules, accounts, armshape, catalogue, ids, quota
from asstops.emulator.accounts import Account
from asstops.emulator.armshape import ACCOUNT, GROUP, PROVIDER
from asstops.emulator.state import State
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route

SOFT_DELETE_S = 48 * 3600


def put(call: Call) -> Reply:
    group, name = call.params["group"], call.params["account"]
    armshape.check_name(name, armshape.NAME, "accountName")
    body = armshape.body_of(call, armshape.ACCOUNT_BODY)
    existing = accounts.find(call.state, group, name)
    restore = bool((body.get("properties") or {}).get("restore"))
    if existing is not None:
        armshape.free(call, existing)
    if existing is not None and existing.deleted_at is not None:
        if not restore:
            raise Refusal(
                409,
                f"An existing resource with ID '{armshape.account_id(call, existing)}' has been soft-deleted. To "
                "restore the resource, you must specify 'restore' to be 'true' in the property. If you don't want to "
                "restore existing resource, please purge it first.",
                code="FlagMustBeSetForRestore",
            )
        return _restore(call, existing, body)
    if restore:
        raise Refusal(
            400, f"The resource '{name}' is not soft-deleted, so it cannot be restored.",
            code="CanNotRestoreANonDeletedResource",
        )  # fmt: skip
    account_rules.require(body)
    if existing is None:
        return _create(call, group, name, body)
    return _replace(call, existing, body)


def _create(call: Call, group: str, name: str, body: Json) -> Reply:
    state = call.state
    live = len(accounts.select(state, "deleted_at IS NULL"))
    if live >= catalogue.ACCOUNT_LIMIT:
        raise Refusal(400, "The account limit of the subscription is reached.", code="InsufficientQuota")
    properties = account_rules.replaced_properties(body, {})
    account_rules.projects_allowed(body["kind"], properties)
    if properties.get("customSubDomainName"):
        account_rules.free_subdomain(call, properties["customSubDomainName"])
    stored: Json = {
        "location": body["location"],
        "kind": body["kind"],
        "sku": account_rules.without_nulls(body["sku"]),
        "tags": body.get("tags") or {},
        "identity": account_rules.new_identity(body.get("identity"), None),
        "systemData": armshape.system_data(state.now()),
        "modified": state.now(),
        "properties": {
            **properties,
            "internalId": ids.guid().replace("-", ""),
            "dateCreated": armshape.stamp(state.now()),
            "provisioningState": "Creating",
        },
    }
    path = name.lower()
    if accounts.select(state, "path = ?", path):  # the same name in another resource group
        path = f"{path}-{group.lower()}"
    account = accounts.insert(state, name, group, stored, path=path)
    return _begin(call, account, "account.finish", 201)


def _replace(call: Call, account: Account, body: Json) -> Reply:
    """PUT: tags, identity and properties are what the body says; what cannot change must not."""
    account_rules.unchanged(account, body)
    old = account.body
    properties = account_rules.replaced_properties(body, old["properties"])
    account_rules.projects_allowed(old["kind"], properties)
    account_rules.change_subdomain(call, account, properties)
    old.update(sku=account_rules.without_nulls(body["sku"]), tags=body.get("tags") or {}, properties=properties)
    old["identity"] = account_rules.new_identity(body.get("identity"), old.get("identity"))
    return _change(call, account, 200)


def patch(call: Call) -> Reply:
    """PATCH: properties merge, given tags replace all tags."""
    account = armshape.live_account(call)
    armshape.free(call, account)
    body = armshape.body_of(call, armshape.ACCOUNT_BODY)
    account_rules.unchanged(account, body)
    old = account.body
    if body.get("sku"):
        account_rules.known_sku(old["kind"], body["sku"])
        old["sku"] = account_rules.without_nulls(body["sku"])
    if "tags" in body:
        old["tags"] = body["tags"] or {}
    if "identity" in body:
        old["identity"] = account_rules.new_identity(body["identity"], old.get("identity"))
    properties = account_rules.merged_properties(body, old["properties"])
    account_rules.projects_allowed(old["kind"], properties)
    account_rules.change_subdomain(call, account, properties)
    old["properties"] = properties
    return _change(call, account, int(call.state.on("arm_patch_answer")))


def _change(call: Call, account: Account, status: int) -> Reply:
    account.body["properties"]["provisioningState"] = "Accepted"
    account.body["systemData"] = armshape.system_data(call.state.now(), account.body["systemData"])
    account.body["modified"] = call.state.now()
    accounts.save(call.state, account)
    return _begin(call, account, "account.finish", status)


def _begin(call: Call, account: Account, action: str, status: int) -> Reply:
    operation = accounts.begin_operation(call.state, account.row, "", action, call.fault)
    call.account_name = account.name
    body = None if status == 202 else shown(call, account)
    return armshape.started(call, account, operation, body, status)


def _restore(call: Call, account: Account, body: Json) -> Reply:
    """Bring a soft-deleted account back as it was, without its deployments."""
    if body.get("location") and accounts.location_key(body["location"]) != account.location:
        account_rules.unchanged(account, body)
    account.deleted_at = account.purge_at = None
    account.held = {}
    account.body["properties"]["provisioningState"] = "Creating"
    accounts.save(call.state, account)
    call.state.store.run("UPDATE account SET created = ? WHERE row = ?", call.state.now(), account.row)  # for lists
    return _begin(call, account, "account.finish", 201)


def get(call: Call) -> Reply:
    return Reply(shown(call, armshape.live_account(call)))


def list_in_group(call: Call) -> Reply:
    return _listed(call, " AND group_key = ?", call.params["group"].lower())


def list_all(call: Call) -> Reply:
    return _listed(call)


def _listed(call: Call, where: str = "", *args: Any) -> Reply:
    """Return the accounts that are live, or were when a list that lags looked; one that was purged is gone."""
    moment = call.listed_at()
    live = "deleted_at IS NULL"
    values: tuple[float, ...] = ()
    if moment is not None:
        live, values = "created <= ? AND (deleted_at IS NULL OR deleted_at > ?)", (moment, moment)
    found = accounts.select(call.state, live + where, *values, *args)
    return armshape.paged(call, [shown(call, account) for account in found])


def delete(call: Call) -> Reply:
    account = accounts.find(call.state, call.params["group"], call.params["account"])
    if account is None or account.deleted_at is not None:
        return Reply(None, 204)
    armshape.free(call, account)
    if next(call.state.store.each(account.row, "project"), None) is not None:
        raise Refusal(
            409,
            f"Cannot delete resource while nested resources exist. Some existing nested resource IDs include: "
            f"'{armshape.account_id(call, account)}/projects'. Please delete all nested resources before deleting "
            "this resource.",
            code="CannotDeleteResource",
        )
    account.body["properties"]["provisioningState"] = "Deleting"
    accounts.save(call.state, account)
    return _begin(call, account, "account.delete", 202)


def shown(call: Call, account: Account) -> Json:
    """Return an account in the form of answers."""
    body, endpoint = account.body, endpoint_of(call.state, account)
    answer: Json = {
        "id": armshape.account_id(call, account),
        "name": account.name,
        "type": f"{PROVIDER}/accounts",
        "location": body["location"],
        "sku": body["sku"],
        "kind": body["kind"],
        "tags": body["tags"],
        "etag": armshape.etag(body["modified"]),
        "systemData": body["systemData"],
        "properties": {
            **body["properties"],
            "endpoint": endpoint,
            "endpoints": _endpoints(account, endpoint),
            "privateEndpointConnections": [],
            "isMigrated": False,
        },
    }
    if body.get("identity"):
        answer["identity"] = body["identity"]
    return answer


def endpoint_of(state: State, account: Account) -> str:
    """Return the address of an account, with a slash at its end."""
    return f"{state.url}/{account.path}/" if account.path else f"{state.url}/"


def _endpoints(account: Account, endpoint: str) -> Json:
    names = ["OpenAI Language Model Instance API"]
    if account.body["kind"] == "AIServices" and account.body["properties"].get("customSubDomainName"):
        names.append("AI Foundry API")
    return dict.fromkeys(names, endpoint)


def _finished(state: State, account: Account, _target: str, succeeded: bool) -> None:
    account.body["properties"]["provisioningState"] = "Succeeded" if succeeded else "Failed"
    accounts.save(state, account)


def _deleted(state: State, account: Account, _target: str, succeeded: bool) -> None:
    """End a deletion: the account is soft-deleted, its deployments are gone, their quota stays held."""
    account.body["properties"]["provisioningState"] = "Succeeded"
    if succeeded:
        account.held = quota.used_by(state, account)
        account.deleted_at = state.now()
        account.purge_at = account.deleted_at + SOFT_DELETE_S
        state.store.run("DELETE FROM deployment WHERE account = ?", account.row)
        state.wake(account.purge_at)
    accounts.save(state, account)


def purge_due(state: State, now: float) -> float:
    """Purge soft-deleted accounts whose time is up."""
    for account in accounts.select(state, "purge_at <= ?", now):
        accounts.erase(state, account.row)
    found = state.store.one("SELECT min(purge_at) FROM account")
    return math.inf if found[0] is None else float(found[0])


def dump(state: State) -> list[Json]:
    return [
        {"name": account.name, "resource_group": account.group, **account.body}
        for account in accounts.select(state, "deleted_at IS NULL AND pristine = 0")
    ]


FINISHERS = {"account.finish": _finished, "account.delete": _deleted}
RESULTS = {"account.finish": lambda call, row, _target: shown(call, accounts.by_row(call.state, row))}
UPKEEP = [purge_due]
DUMP = {"accounts": dump}
ROUTES = [
    Route("arm", "PUT", ACCOUNT, put),
    Route("arm", "PATCH", ACCOUNT, patch),
    Route("arm", "GET", ACCOUNT, get),
    Route("arm", "DELETE", ACCOUNT, delete),
    Route("arm", "GET", f"{GROUP}/accounts", list_in_group),
    Route("arm", "GET", "/subscriptions/{subscription}/providers/" + PROVIDER + "/accounts", list_all),
]
