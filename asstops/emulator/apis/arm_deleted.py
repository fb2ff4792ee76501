"""Soft-deleted accounts: list, read, purge.

Owns what can be done with an account between its deletion and its purge. Restoring is a PUT of the account.
"""

from __future__ import annotations

from asstops.emulator import accounts, armshape
from asstops.emulator.accounts import Account
from asstops.emulator.apis import arm_accounts
from asstops.emulator.armshape import PROVIDER
from asstops.emulator.state import State
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route

_ALL = "/subscriptions/{subscription}/providers/" + PROVIDER + "/deletedAccounts"
_ONE = (
    "/subscriptions/{subscription}/providers/"
    + PROVIDER
    + "/locations/{location}/resourceGroups/{group}/deletedAccounts/{account}"
)


def list_(call: Call) -> Reply:
    moment = call.listed_at()
    found = accounts.select(call.state, "deleted_at <= ?", call.state.now() if moment is None else moment)
    return armshape.paged(call, [_shown(call, account) for account in found])


def get(call: Call) -> Reply:
    account = _find(call)
    if account is None:
        raise Refusal(
            404, f"The soft-deleted account '{call.params['account']}' was not found in location "
            f"'{call.params['location']}'.", code="ResourceNotFound",
        )  # fmt: skip
    return Reply(_shown(call, account))


def purge(call: Call) -> Reply:
    account = _find(call)
    if account is None:
        return Reply(None, 204)
    armshape.free(call, account)
    operation = accounts.begin_operation(call.state, account.row, "", "account.purge", call.fault)
    return armshape.started(call, account, operation, None, 202)


def _find(call: Call) -> Account | None:
    account = accounts.find(call.state, call.params["group"], call.params["account"])
    if account is None or account.deleted_at is None:
        return None
    return account if account.location == accounts.location_key(call.params["location"]) else None


def _shown(call: Call, account: Account) -> Json:
    answer = arm_accounts.shown(call, account)
    subscription = call.state.settings.subscription_id
    answer["id"] = (
        f"/subscriptions/{subscription}/providers/{PROVIDER}/locations/{account.location}/resourceGroups/"
        f"{account.group}/deletedAccounts/{account.name}"
    )
    answer["properties"]["deletionDate"] = armshape.stamp(account.deleted_at or 0)
    answer["properties"]["scheduledPurgeDate"] = armshape.stamp(account.purge_at or 0)
    return answer


def _purged(state: State, account: Account, _target: str, succeeded: bool) -> None:
    if succeeded:
        accounts.erase(state, account.row)


def dump(state: State) -> list[Json]:
    return [
        {"name": account.name, "resource_group": account.group, **account.body}
        for account in accounts.select(state, "deleted_at IS NOT NULL")
    ]


FINISHERS = {"account.purge": _purged}
DUMP = {"deleted_accounts": dump}
ROUTES = [
    Route("arm", "GET", _ALL, list_),
    Route("arm", "GET", _ONE, get),
    Route("arm", "DELETE", _ONE, purge),
]
