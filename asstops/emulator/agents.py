"""Agents and their versions as stored, and in the form of answers.

Owns where they lie in the store (versions under their agent), how a version is made, found and shown, and what a
definition may refer to. The routes are in apis/.
"""

from __future__ import annotations

from asstops.emulator import agent_forms, data, ids, projects
from asstops.emulator.store import load
from asstops.emulator.wire import Call, Json, Refusal

AGENT = "agent"
PROMPT = "prompt"
_VERSION_FIELDS = ("description", "definition", "draft", "blueprint_reference")


def versions_of(agent: str) -> str:
    """Return the kind under which the versions of an agent are stored."""
    return f"agent_version/{agent}"


# Finding -------------------------------------------------------------------------------------------------


def find(call: Call, name: str) -> Json | None:
    """Return an agent as stored, or None. Its own name says how it was written when it was made."""
    if call.state.on("agent_names") == "caseless":
        row = call.state.store.one(
            "SELECT id FROM object WHERE account = ? AND kind = ? AND lower(id) = ?", call.account, AGENT, name.lower()
        )
        name = row[0] if row else name
    return call.state.store.get(call.account, AGENT, name)


def found(call: Call, name: str) -> Json:
    """Return an agent as stored, refusing one that is not there."""
    agent = find(call, name)
    if agent is None:
        raise Refusal(404, f"No agent found with name '{name}'.", code="not_found", param="agent_name")
    return agent


def version(call: Call, name: str, number: str) -> Json:
    """Return a version of an agent as stored, refusing one that is not there."""
    stored = call.state.store.get(call.account, versions_of(name), f"{name}:{number}")
    if stored is None:
        raise Refusal(
            404, f"No version '{number}' found of the agent '{name}'.", code="not_found", param="agent_version"
        )
    return stored


def latest(call: Call, name: str) -> Json | None:
    """Return the newest version; a draft counts only where there is nothing else."""
    rows = call.state.store.all(
        "SELECT body FROM object WHERE account = ? AND kind = ? ORDER BY seq DESC", call.account, versions_of(name)
    )
    if not rows:  # a list that lags shows an agent that is gone as it was
        rows = call.state.store.all(
            "SELECT body FROM gone WHERE account = ? AND kind = ? ORDER BY seq DESC", call.account, versions_of(name)
        )
    bodies = [load(row[0]) for row in rows]
    return next((body for body in bodies if not body.get("draft")), bodies[0] if bodies else None)


# Making --------------------------------------------------------------------------------------------------


def add_version(call: Call, name: str, sent: Json, *, identical: str) -> Json:
    """Make a version, and the agent with its first one.

    `identical` is what happens to one like the newest: a `new` version, the `same` one, or with `same_definition` the
    same one also where metadata or description differ.
    """
    state, now = call.state, call.state.now()
    _known(call, sent["definition"])
    agent = find(call, name)
    if agent is None:
        agent = {"name": name, "guid": ids.guid(), "next": 1, "enabled": True}
        state.store.add(call.account, AGENT, name, now, agent)
    name = agent["name"]
    if agent["next"] > 1 and identical != "new":
        newest = latest(call, name)
        fields = ("definition",) if identical == "same_definition" else ("metadata", *_VERSION_FIELDS)
        if newest is not None and all((newest.get(f) or None) == (sent.get(f) or None) for f in fields):
            return newest
    made: Json = {
        "metadata": sent.get("metadata", {}),
        "object": "agent.version",
        "id": f"{name}:{agent['next']}",
        "name": name,
        "version": str(agent["next"]),
        "created_at": data.seconds(now),
        "status": "active",
        "agent_guid": agent["guid"],
        **{field: sent[field] for field in _VERSION_FIELDS if field in sent},
    }
    agent["next"] += 1
    agent["kind"] = made["definition"]["kind"]
    state.store.put(call.account, AGENT, name, agent)
    state.store.add(call.account, versions_of(name), made["id"], now, made)
    return made


def remove(call: Call, name: str) -> None:
    """Delete an agent with all its versions."""
    call.state.store.run("DELETE FROM object WHERE account = ? AND kind = ?", call.account, versions_of(name))
    call.state.store.drop(call.account, AGENT, name)


def _known(call: Call, definition: Json) -> None:
    """Refuse a model, stores and files that do not exist; a template is filled in later."""
    if call.state.on("agent_references") == "unchecked" or definition["kind"] != PROMPT:
        return
    model, store = definition["model"], call.state.store
    row = store.one(
        "SELECT body FROM deployment WHERE account = ? AND name_key = ?",
        projects.home(call.state, call.account), model.lower(),
    )  # fmt: skip
    if "{{" not in model and (
        row is None or load(row[0])["properties"]["provisioningState"] in {"Creating", "Deleting"}
    ):
        raise Refusal(
            400, f"The model '{model}' does not exist: no deployment of this account has that name.",
            code="model_not_found", param="definition.model",
        )  # fmt: skip
    for index, tool in enumerate(definition.get("tools", [])):
        for kind, what, idents, where in _referred(tool):
            for ident in store.missing(call.account, kind, [ident for ident in idents if "{{" not in ident]):
                raise Refusal(
                    400, f"No {what} found with id '{ident}'.", code="invalid_value",
                    param=f"definition.tools[{index}].{where}",
                )  # fmt: skip


def _referred(tool: Json) -> list[tuple[str, str, list[str], str]]:
    if tool["type"] == "file_search":
        return [("vector_store", "vector store", tool["vector_store_ids"], "vector_store_ids")]
    container = tool.get("container")
    if tool["type"] == "code_interpreter" and isinstance(container, dict):
        return [("file", "file", container.get("file_ids", []), "container.file_ids")]
    return []


# Forms of answers ----------------------------------------------------------------------------------------


def shown(call: Call, agent: Json) -> Json:
    """Return an agent in the form of answers."""
    state = "enabled" if agent["enabled"] else "disabled"
    newest = latest(call, agent["name"])
    answer: Json = {
        "object": "agent",
        "id": agent["name"],
        "name": agent["name"],
        "state": state,
        "configuration_state": state,
        "versions": {"latest": newest and agent_forms.shown_version(call, newest)},
    }
    for field in ("agent_endpoint", "agent_card"):
        if agent.get(field) is not None:
            answer[field] = agent[field]
    return answer


def page(call: Call, entries: list[Json], more: bool) -> Json:
    """Return a list answer. The SDK follows last_id until there is none, so the last page must not have one."""
    ended = not more and call.state.on("agents_last_id") == "null_at_end"
    return {
        "object": "list",
        "data": entries,
        "first_id": entries[0]["id"] if entries else None,
        "last_id": entries[-1]["id"] if entries and not ended else None,
        "has_more": more,
    }
