"""The two keys of an account: read and regenerate.

Owns these two calls; keys are computed from how often each was regenerated, and never stored.
"""

from __future__ import annotations

from asstops.emulator import accounts, armshape
from asstops.emulator.accounts import Account
from asstops.emulator.armshape import ACCOUNT
from asstops.emulator.checks import choice, record
from asstops.emulator.wire import Call, Refusal, Reply, Route


def list_keys(call: Call) -> Reply:
    return _keys(call, armshape.live_account(call))


def regenerate_key(call: Call) -> Reply:
    account = armshape.live_account(call)
    body = call.json()
    record({"keyName": choice(("Key1", "Key2"), ignore_case=True)}, required=("keyName",))(body, "")
    if body["keyName"].lower() == "key1":
        account.revision1 += 1
    else:
        account.revision2 += 1
    accounts.save(call.state, account)
    return _keys(call, account)


def _keys(call: Call, account: Account) -> Reply:
    if account.body["properties"].get("disableLocalAuth"):
        raise Refusal(400, "Failed to list key. disableLocalAuth is set to be true", code="BadRequest")
    subscription = call.state.settings.subscription_id
    return Reply({"key1": account.key(subscription, 1), "key2": account.key(subscription, 2)})


ROUTES = [
    Route("arm", "POST", f"{ACCOUNT}/listKeys", list_keys, action="arm_keys"),
    Route("arm", "POST", f"{ACCOUNT}/regenerateKey", regenerate_key, action="arm_keys"),
]
