"""Long-running operations of ARM: their passage of time and the two ways to follow them.

Owns `operationStatuses` (Azure-AsyncOperation) and `operationResults` (Location). What an operation does
when it ends is a finisher of the file that began it, looked up by the operation's action.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import TypeAlias

from asstops.emulator import accounts, registry
from asstops.emulator.accounts import Account
from asstops.emulator.armshape import PROVIDER, stamp
from asstops.emulator.state import State
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route

Finisher: TypeAlias = Callable[[State, Account, str, bool], None]  # state, account, target, succeeded

_BASE = "/subscriptions/{subscription}/providers/" + PROVIDER + "/locations/{location}"
_FAILED = "InternalServerError"
_MESSAGES = {
    "InsufficientQuota": "This operation requires more capacity than the quota of the subscription has left.",
}
_COLUMNS = ("id", "account", "target", "action", "started", "due", "outcome", "status", "error")
_SELECT = "SELECT id, account, target, action, started, due, outcome, status, error FROM operation WHERE id = ?"


@cache
def _finishers() -> dict[str, Finisher]:
    return registry.merge("FINISHERS")


def finish(state: State, now: float) -> float:
    """End the operations that are due; return when the next one is."""
    rows = state.store.all(
        "SELECT id, account, target, action, outcome FROM operation WHERE status = 'InProgress' AND due <= ? "
        "ORDER BY due",
        now,
    )
    for ident, row, target, action, outcome in rows:
        state.store.run("UPDATE operation SET status = ? WHERE id = ?", outcome, ident)
        _finishers()[action](state, accounts.by_row(state, row), target, outcome == "Succeeded")
    found = state.store.one("SELECT min(due) FROM operation WHERE status = 'InProgress'")
    return math.inf if found[0] is None else float(found[0])


def status(call: Call) -> Reply:
    found = _found(call)
    answer: Json = {
        "id": call.path,
        "name": found["id"],
        "status": found["status"],
        "startTime": stamp(found["started"]),
    }
    if found["status"] != "InProgress":
        answer["endTime"] = stamp(found["due"])
    if found["status"] == "Failed":
        answer["error"] = {"code": found["error"] or _FAILED, "message": _message(found["error"])}
    return Reply(answer)


def result(call: Call) -> Reply:
    """Answer 202 while it runs, then 200 (204 where nothing is left to show)."""
    found = _found(call)
    if found["status"] == "InProgress":
        link = f"{call.state.url}{call.path}?api-version={call.one('api-version')}"
        return Reply(None, 202, {"location": link})
    if found["status"] == "Failed":
        raise Refusal(400 if found["error"] else 500, _message(found["error"]), code=found["error"] or _FAILED)
    show = registry.merge("RESULTS").get(found["action"])
    body = show(call, found["account"], found["target"]) if show else None
    return Reply(body, 200 if body else 204)


def _message(code: str | None) -> str:
    return _MESSAGES.get(code or "", "The operation failed.")


def _found(call: Call) -> Json:
    row = call.state.store.one(_SELECT, call.params["operation"].lower())
    if row is None:
        raise Refusal(404, f"The operation '{call.params['operation']}' was not found.", code="NotFound")
    return dict(zip(_COLUMNS, row, strict=True))


UPKEEP = [finish]
ROUTES = [
    Route("arm", "GET", f"{_BASE}/operationStatuses/{{operation}}", status),
    Route("arm", "GET", f"{_BASE}/operationResults/{{operation}}", result),
]
