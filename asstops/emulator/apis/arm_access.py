"""What the caller may do, and whether the subscription has the provider: questions to other providers of ARM.

Owns the answers of Microsoft.Authorization/permissions and of the registration, which the roles of this moment decide.
Their versions are those that Microsoft documents for them; plane_arm holds them to those.
"""

from __future__ import annotations

from asstops.emulator import armshape, projects
from asstops.emulator.armshape import ACCOUNT, PROVIDER
from asstops.emulator.state import State
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route

_PERMISSIONS = "/providers/Microsoft.Authorization/permissions"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_READ = "*/read"
_KEYS = f"{PROVIDER}/accounts/listKeys/action"
_REGENERATE = f"{PROVIDER}/accounts/regenerateKey/action"


def _permissions(state: State) -> list[Json]:
    """One entry, as of one role; nothing where every right is taken away."""
    roles = state.roles
    actions: list[str] = []
    without: list[str] = []
    data: list[str] = []
    data_without: list[str] = []
    if roles["arm_write"]:
        actions.append("*")
        without += [] if roles["arm_keys"] else [_KEYS, _REGENERATE]
    else:
        actions += [_READ, *([_KEYS, _REGENERATE] if roles["arm_keys"] else [])]
    if roles["data_write"]:
        data.append(f"{PROVIDER}/*")
        data_without += [] if roles["data_read"] else [f"{PROVIDER}/*/read"]
    elif roles["data_read"]:
        data.append(f"{PROVIDER}/*/read")
    return [{"actions": actions, "notActions": without, "dataActions": data, "notDataActions": data_without}]


def of_group(call: Call) -> Reply:
    return Reply({"value": _permissions(call.state)})


def of_account(call: Call) -> Reply:
    armshape.live_account(call)
    return of_group(call)


def of_project(call: Call) -> Reply:
    account = armshape.live_account(call)
    name = call.params["project"]
    if projects.find(call.state, account.row, name) is None:
        raise armshape.missing(call.params["group"], f"accounts/{account.name}/projects/{name}")
    return of_group(call)


def registration(call: Call) -> Reply:
    """The emulator's subscription always has the one provider that there is."""
    if call.params["provider"].lower() != PROVIDER.lower():
        name = call.params["provider"]
        raise Refusal(404, f"The resource namespace '{name}' is invalid.", code="InvalidResourceNamespace")
    subscription = call.state.settings.subscription_id
    return Reply(
        {
            "id": f"/subscriptions/{subscription}/providers/{PROVIDER}",
            "namespace": PROVIDER,
            "registrationState": "Registered",
            "registrationPolicy": "RegistrationRequired",
            "resourceTypes": [],
        }
    )


ROUTES = [
    Route("arm", "GET", _GROUP + _PERMISSIONS, of_group),
    Route("arm", "GET", ACCOUNT + _PERMISSIONS, of_account),
    Route("arm", "GET", ACCOUNT + "/projects/{project}" + _PERMISSIONS, of_project),
    Route("arm", "GET", "/subscriptions/{subscription}/providers/{provider}", registration),
]
