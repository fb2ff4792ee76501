"""Assistants v2, on the dated surfaces only.

Owns what a modify does and the forms in which the service may store what was sent.
"""

from __future__ import annotations

from collections.abc import Callable

from asstops.emulator import data, ids, projects
from asstops.emulator.apis import vector_stores
from asstops.emulator.assistant_contract import contract
from asstops.emulator.checks import Invalid
from asstops.emulator.data import DATED, OLD
from asstops.emulator.state import State
from asstops.emulator.store import load
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route

_TOOL_ORDER = ("code_interpreter", "file_search", "function")


def create(call: Call) -> Reply:
    body = data.body_of(call, contract(call, modify=False))
    require_deployment(call, body["model"])
    state, now = call.state, call.state.now()
    made: Json = {
        "id": ids.fresh("asst_"),
        "object": "assistant",
        "created_at": data.seconds(now),
        "name": body.get("name"),
        "description": body.get("description"),
        "model": body["model"],
        "instructions": body.get("instructions"),
        "tools": stored_tools(call, body.get("tools") or []),
        "tool_resources": stored_resources(call, body.get("tool_resources") or {}),
        "metadata": body.get("metadata") or {},
        "temperature": body.get("temperature"),
        "top_p": body.get("top_p"),
        "response_format": body.get("response_format"),
    }
    state.store.add(call.account, "assistant", made["id"], now, made)
    _refer(call, made)
    return Reply(_shown(call, made))


def modify(call: Call) -> Reply:
    old = _found(call)
    body = data.body_of(call, contract(call, modify=True))
    if "model" in body:
        require_deployment(call, body["model"])
    new = dict(old)
    for name in ("name", "description", "model", "instructions", "temperature", "top_p", "response_format"):
        if name in body:
            new[name] = body[name]
    if "metadata" in body:
        new["metadata"] = data.merged_metadata(call, old["metadata"], body["metadata"])
    if "tools" in body:
        new["tools"] = _merged_tools(call, old["tools"], stored_tools(call, body["tools"]))
    if "tool_resources" in body:
        sent = stored_resources(call, body["tool_resources"])
        keeps = call.state.on("tool_resources_modify") == "per_tool"
        new["tool_resources"] = {**old["tool_resources"], **sent} if keeps else sent
    call.state.store.put(call.account, "assistant", new["id"], new)
    _refer(call, new)
    return Reply(_shown(call, new))


def get(call: Call) -> Reply:
    return Reply(_shown(call, _found(call)))


def list_(call: Call) -> Reply:
    rows, more = data.list_of(call, "assistant")
    return Reply(data.envelope(call, [_shown(call, load(row)) for row in rows], more))


def delete(call: Call) -> Reply:
    ident = _found(call)["id"]
    call.state.store.drop(call.account, "assistant", ident)
    return Reply({"id": ident, "object": "assistant.deleted", "deleted": True})


def require_deployment(call: Call, model: str) -> None:
    row = call.state.store.one(
        "SELECT body FROM deployment WHERE account = ? AND name_key = ?",
        projects.home(call.state, call.account), model.lower(),
    )  # fmt: skip
    if row is None or load(row[0])["properties"]["provisioningState"] in {"Creating", "Deleting"}:
        raise Refusal(
            400,
            f"The requested model '{model}' does not exist: no deployment of this resource has that name.",
            code="model_not_found",
            param="model",
        )


# Stored forms ------------------------------------------------------------------------------------------


def stored_tools(call: Call, tools: list[Json]) -> list[Json]:
    if call.state.on("function_strict") == "drop":
        for tool in tools:
            tool.get("function", {}).pop("strict", None)
    return tools


def _merged_tools(call: Call, old: list[Json], new: list[Json]) -> list[Json]:
    if call.state.on("tools_modify") == "replace":
        return new
    sent = {_tool_key(tool) for tool in new}
    merged = [tool for tool in old if _tool_key(tool) not in sent] + new
    if len(merged) > 128:
        raise Invalid("tools", "array_above_max_length", "Invalid 'tools': array too long after merging.")
    return merged


def _tool_key(tool: Json) -> tuple[int, str]:
    return _TOOL_ORDER.index(tool["type"]), tool.get("function", {}).get("name", "")


def stored_resources(call: Call, sent: Json) -> Json:
    """Check what tool_resources refer to and return their stored form."""
    stored: Json = {}
    if "code_interpreter" in sent:
        files = sent["code_interpreter"].get("file_ids", [])
        data.known_files(call, files, "tool_resources.code_interpreter.file_ids")
        stored["code_interpreter"] = {"file_ids": files}
    search = sent.get("file_search")
    if search is not None:
        wanted = search.get("vector_store_ids", [])
        for ident in call.state.store.missing(call.account, "vector_store", wanted):
            raise data.no_such("vector store", ident, status=400, param="tool_resources.file_search.vector_store_ids")
        for described in search.get("vector_stores", []):
            wanted = [*wanted, vector_stores.make(call, described)["id"]]
        stored["file_search"] = {"vector_store_ids": wanted}
    return stored


def _refer(call: Call, body: Json) -> None:
    listed = body["tool_resources"].get("code_interpreter", {}).get("file_ids", [])
    call.state.store.refer(call.account, body["id"], listed)


def _found(call: Call) -> Json:
    ident = call.params["assistant_id"]
    body = call.state.store.get(call.account, "assistant", ident)
    if body is None:
        raise data.no_such("assistant", ident)
    return body


def _shown(call: Call, stored: Json) -> Json:
    on, body = call.state.on, dict(stored)
    body["tools"] = list(body["tools"])
    if call.surface == OLD:  # has no options of file_search
        body["tools"] = [{"type": t["type"]} if t["type"] == "file_search" else t for t in body["tools"]]
    elif on("file_search_defaults") == "filled":
        body["tools"] = [_filled_search(t) if t["type"] == "file_search" else t for t in body["tools"]]
    if on("tools_order") == "reordered":
        body["tools"].sort(key=_tool_key)
    if on("tool_resources_defaults") == "filled":
        empty: Json = {"code_interpreter": {"file_ids": []}, "file_search": {"vector_store_ids": []}}
        present = {tool["type"] for tool in body["tools"]}
        body["tool_resources"] = {
            **{kind: value for kind, value in empty.items() if kind in present},
            **body["tool_resources"],
        }
    if on("defaults_filled") == "filled":
        for name, default in (("temperature", 1.0), ("top_p", 1.0), ("response_format", "auto")):
            if body[name] is None:
                body[name] = default
    if body["response_format"] is None and call.surface == OLD:
        del body["response_format"]  # not nullable in that document
    return body


def _filled_search(tool: Json) -> Json:
    given = tool.get("file_search", {})
    filled = {"max_num_results": 20, "ranking_options": {"ranker": "default_2024_08_21", "score_threshold": 0.0}}
    return {"type": "file_search", "file_search": {**filled, **given}}


def dump(state: State) -> list[Json]:
    rows = state.store.all(
        "SELECT owner.account, owner.project, object.body FROM object JOIN owner ON owner.row = object.account "
        "WHERE kind = 'assistant' AND deleted_at IS NULL ORDER BY seq"
    )
    return [{**projects.shown_owner(account, project), **load(body)} for account, project, body in rows]


def served(handler: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
    """Answer as a retired service does, when the switch says so. Projects still serve it (plane_classic.py)."""

    def answered(call: Call) -> Reply:
        state = call.state.on("assistants_api") if call.account > 0 else "served"
        if state == "retired_404":
            raise data.resource_not_found()
        if state == "retired_410":
            raise Refusal(410, "The Assistants API was retired on 2026-08-26.", code="410")
        return handler(call)

    return answered


DUMP = {"assistants": dump}
ROUTES = [
    Route("data", method, path, served(handler), DATED, f"assistants/{action}")
    for method, path, handler, action in (
        ("POST", "/assistants", create, "write"),
        ("GET", "/assistants", list_, "read"),
        ("GET", "/assistants/{assistant_id}", get, "read"),
        ("POST", "/assistants/{assistant_id}", modify, "write"),
        ("DELETE", "/assistants/{assistant_id}", delete, "delete"),
    )
]
