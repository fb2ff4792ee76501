"""Agents of a project and their versions, api-version v1.

Owns the routes. A version never changes; every write makes a new one. Two routes are of the REST API alone (create
and update of an agent); the SDK makes versions.
"""

from __future__ import annotations

from asstops.emulator import agent_contract, agents, data
from asstops.emulator.agent_forms import shown_version
from asstops.emulator.checks import Invalid, choice
from asstops.emulator.data import AGENTS
from asstops.emulator.state import State
from asstops.emulator.store import load
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route

_VERBS = (":enable", ":disable")


def create(call: Call) -> Reply:
    """POST /agents: a new agent with its first version."""
    sent = data.body_of(call, agent_contract.AGENT)
    agent_contract.check_name(sent["name"])
    if agents.find(call, sent["name"]) is not None:
        raise Refusal(409, f"An agent with the name '{sent['name']}' exists already.", code="conflict", param="name")
    agents.add_version(call, sent["name"], sent, identical="new")
    return Reply(agents.shown(call, agents.found(call, sent["name"])))


def update(call: Call) -> Reply:
    """POST /agents/NAME: a new version where anything differs; POST /agents/NAME:enable and :disable."""
    name = call.params["agent_name"]
    for verb in _VERBS:
        if name.endswith(verb):
            return _switch(call, name.removesuffix(verb), enabled=verb == ":enable")
    agents.found(call, name)
    agents.add_version(call, name, data.body_of(call, agent_contract.VERSION), identical="same")
    return Reply(agents.shown(call, agents.found(call, name)))


def _switch(call: Call, name: str, *, enabled: bool) -> Reply:
    agent = agents.found(call, name)
    agent["enabled"] = enabled
    call.state.store.put(call.account, agents.AGENT, name, agent)
    return Reply(None, 204)


def create_version(call: Call) -> Reply:
    name = call.params["agent_name"]
    agent_contract.check_name(name)
    sent = data.body_of(call, agent_contract.VERSION)
    made = agents.add_version(call, name, sent, identical=call.state.on("identical_agent_version"))
    return Reply(shown_version(call, made))


def update_details(call: Call) -> Reply:
    """PATCH: the endpoint and the card merge; null takes one away."""
    agent = agents.found(call, call.params["agent_name"])
    for field, value in data.body_of(call, agent_contract.DETAILS).items():
        agent[field] = _merged(agent.get(field), value)
    call.state.store.put(call.account, agents.AGENT, agent["name"], agent)
    return Reply(agents.shown(call, agent))


def _merged(old: Json | None, new: Json | None) -> Json | None:
    return None if new is None else {k: v for k, v in {**(old or {}), **new}.items() if v is not None}


def get(call: Call) -> Reply:
    return Reply(agents.shown(call, agents.found(call, call.params["agent_name"])))


def get_version(call: Call) -> Reply:
    agent = agents.found(call, call.params["agent_name"])
    return Reply(shown_version(call, agents.version(call, agent["name"], call.params["agent_version"])))


def list_(call: Call) -> Reply:
    kind = call.one("kind")
    if kind is not None:
        choice(agent_contract.KINDS)(kind, "kind")
    where, *args = ("",) if kind is None else (" AND json_extract(body, '$.kind') = ?", kind)
    rows, more = data.list_of(call, agents.AGENT, where, *args)
    return Reply(agents.page(call, [agents.shown(call, load(row)) for row in rows], more))


def list_versions(call: Call) -> Reply:
    name = agents.found(call, call.params["agent_name"])["name"]
    where = "" if _flag(call, "include_drafts") else " AND coalesce(json_extract(body, '$.draft'), 0) = 0"
    rows, more = data.list_of(call, agents.versions_of(name), where)
    return Reply(agents.page(call, [shown_version(call, load(row)) for row in rows], more))


def delete(call: Call) -> Reply:
    name = agents.found(call, call.params["agent_name"])["name"]
    _flag(call, "force")
    agents.remove(call, name)
    return Reply({"object": "agent.deleted", "name": name, "deleted": True})


def delete_version(call: Call) -> Reply:
    """Delete a version; whether the last one may go, and the agent with it, is a switch."""
    name, number = agents.found(call, call.params["agent_name"])["name"], call.params["agent_version"]
    stored = agents.version(call, name, number)
    _flag(call, "force")
    store = call.state.store
    (left,) = store.one(
        "SELECT count(*) FROM object WHERE account = ? AND kind = ?", call.account, agents.versions_of(name)
    )
    if left == 1 and call.state.on("last_agent_version") == "refused":
        raise Refusal(
            400, f"'{number}' is the only version of the agent '{name}'; delete the agent instead.",
            code="invalid_request", param="agent_version",
        )  # fmt: skip
    store.drop(call.account, agents.versions_of(name), stored["id"])
    if left == 1:
        agents.remove(call, name)
    return Reply({"object": "agent.version.deleted", "name": name, "version": number, "deleted": True})


def _flag(call: Call, name: str) -> bool:
    text = (call.one(name) or "false").lower()
    if text not in {"true", "false"}:
        raise Invalid(name, "invalid_type", f"Invalid type for '{name}': expected a boolean, but got '{text}' instead.")
    return text == "true"


def dump(state: State) -> list[Json]:
    rows = state.store.all(
        "SELECT owner.account, owner.project, object.account, object.body FROM object JOIN owner "
        "ON owner.row = object.account WHERE kind = 'agent' AND deleted_at IS NULL ORDER BY seq"
    )
    result = []
    for account, project, scope, text in rows:
        body = load(text)
        versions = list(state.store.each(scope, agents.versions_of(body["name"])))
        result.append({"account": account, "project": project, **body, "versions": versions})
    return result


DUMP = {"agents": dump}
_ONE = "/agents/{agent_name}"
ROUTES = [
    Route(AGENTS, method, path, handler, action=f"agents/{action}")
    for method, path, handler, action in (
        ("GET", "/agents", list_, "read"),
        ("POST", "/agents", create, "write"),
        ("GET", _ONE, get, "read"),
        ("POST", _ONE, update, "write"),
        ("PATCH", _ONE, update_details, "write"),
        ("DELETE", _ONE, delete, "delete"),
        ("POST", f"{_ONE}/versions", create_version, "write"),
        ("GET", f"{_ONE}/versions", list_versions, "read"),
        ("GET", f"{_ONE}/versions/{{agent_version}}", get_version, "read"),
        ("DELETE", f"{_ONE}/versions/{{agent_version}}", delete_version, "delete"),
    )
]
