"""The emulator's own paths, `/_emulator/...`: log, faults, reset, dump, roles, clock, health.

Owns what tests use to look at and to steer the emulator. No Azure has these paths, and nothing here is
logged, delayed or struck by a fault.
"""

from __future__ import annotations

import re

from asstops.emulator import checks, registry
from asstops.emulator.app import ADMIN_PREFIX, shown_entry
from asstops.emulator.catalogue import MODELS
from asstops.emulator.wire import Call, Handler, Json, Refusal, Reply, Route

_TABLES = ("account", "deployment", "operation", "object", "reference", "store_file", "batch_file", "chunk",
           "gone", "gone_file")  # fmt: skip


class AdminPlane:
    """Takes every path that no other plane claims; see wire.Plane."""

    name = "admin"
    ignore_case = False

    def claim(self, _call: Call, /) -> bool:
        return True

    def admit(self, _call: Call, /) -> None:
        """Anyone who reaches it may use it."""

    def permit(self, _call: Call, _route: Route, /) -> None:
        """Everything is allowed."""

    def unknown(self, call: Call, known_path: bool, /) -> Refusal:
        if known_path:
            return Refusal(405, f"{call.method} is not supported here.", code="405")
        return Refusal(404, "Resource not found", code="404")

    def error(self, _call: Call, refusal: Refusal, /) -> Json:
        return {"error": {"code": refusal.code or str(refusal.status), "message": refusal.message}}

    def headers(self, _call: Call, /) -> dict[str, str]:
        return {}


def health(call: Call) -> Reply:
    return Reply({"status": "ok", "url": call.state.url, "now": call.state.now()})


def show_requests(call: Call) -> Reply:
    return Reply({"requests": [shown_entry(entry) for entry in call.state.log.entries()]})


def clear_requests(call: Call) -> Reply:
    call.state.log.clear()
    return Reply(None, 204)


def add_faults(call: Call) -> Reply:
    return Reply({"faults": [fault.shown() for fault in call.state.faults.add(call.json())]}, 201)


def show_faults(call: Call) -> Reply:
    return Reply({"faults": [fault.shown() for fault in call.state.faults.all()]})


def clear_faults(call: Call) -> Reply:
    call.state.faults.clear()
    return Reply(None, 204)


def remove_fault(call: Call) -> Reply:
    ident = call.params["id"]
    if not re.fullmatch(r"[0-9]{1,18}", ident) or not call.state.faults.remove(int(ident)):
        raise Refusal(404, f"No fault has the id {ident}.")
    return Reply(None, 204)


def show_roles(call: Call) -> Reply:
    return Reply(dict(call.state.roles))


def set_roles(call: Call) -> Reply:
    body = call.json()
    checks.record(dict.fromkeys(call.state.roles, checks.boolean()))(body, "")
    call.state.roles.update(body)
    return show_roles(call)


def restore_roles(call: Call) -> Reply:
    call.state.roles.update(dict.fromkeys(call.state.roles, True))
    return show_roles(call)


def show_clock(call: Call) -> Reply:
    return Reply({"now": call.state.now(), "offset_s": call.state.offset_s})


def advance_clock(call: Call) -> Reply:
    body = call.json()
    checks.record({"advance_s": checks.number(0)}, required=["advance_s"])(body, "")
    call.state.offset_s += body["advance_s"]
    call.state.settle()
    return show_clock(call)


def reset(call: Call) -> Reply:
    state = call.state
    for table in _TABLES:
        state.store.run(f"DELETE FROM {table}")  # noqa: S608 - a constant
    state.log.clear()
    state.rate.reset()
    state.faults.reset()
    state.replies.reset()
    state.roles.update(dict.fromkeys(state.roles, True))
    state.models.update(MODELS)
    state.offset_s = 0.0
    state.restless()
    for seed in registry.gather("SEED"):
        seed(state)
    return Reply(None, 204)


def dump(call: Call) -> Reply:
    """Everything that is live. The default account counts only once it was changed."""
    return Reply({name: make(call.state) for name, make in sorted(registry.merge("DUMP").items())})


PLANES = [(99, AdminPlane())]


def _route(method: str, path: str, handler: Handler) -> Route:
    return Route("admin", method, ADMIN_PREFIX + path, handler)


ROUTES = [
    _route("GET", "/health", health),
    _route("GET", "/requests", show_requests),
    _route("DELETE", "/requests", clear_requests),
    _route("POST", "/faults", add_faults),
    _route("GET", "/faults", show_faults),
    _route("DELETE", "/faults", clear_faults),
    _route("DELETE", "/faults/{id}", remove_fault),
    _route("GET", "/roles", show_roles),
    _route("POST", "/roles", set_roles),
    _route("DELETE", "/roles", restore_roles),
    _route("GET", "/clock", show_clock),
    _route("POST", "/clock", advance_clock),
    _route("POST", "/reset", reset),
    _route("GET", "/dump", dump),
]
