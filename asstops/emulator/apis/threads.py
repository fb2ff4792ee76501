"""Threads, on the dated surfaces: create with messages, read, modify, delete.

Owns the thread object and its resources. A store that is made for a thread expires after seven days without use.
"""

from __future__ import annotations

from asstops.emulator import conversation, data, ids, thread_contract
from asstops.emulator.apis import messages
from asstops.emulator.apis.assistants import served, stored_resources
from asstops.emulator.data import DATED
from asstops.emulator.projects import shown_owner
from asstops.emulator.state import State
from asstops.emulator.store import load
from asstops.emulator.wire import Call, Json, Reply, Route


def create(call: Call) -> Reply:
    body = data.body_of(call, thread_contract.thread(call)) if call.raw else {}
    return Reply(conversation.shown_thread(make(call, body)))


def make(call: Call, body: Json) -> Json:
    """Make a thread from a checked description, with its messages."""
    now = call.state.now()
    thread: Json = {
        "id": ids.fresh("thread_"),
        "object": "thread",
        "created_at": data.seconds(now),
        "tool_resources": {},
        "metadata": body.get("metadata") or {},
    }
    call.state.store.add(call.account, "thread", thread["id"], now, thread)
    thread["tool_resources"] = _resources(call, body.get("tool_resources") or {})
    messages.keep_thread(call, thread)
    for described in body.get("messages") or []:
        messages.make(call, thread, described)
    return thread


def _resources(call: Call, sent: Json) -> Json:
    described = (sent.get("file_search") or {}).get("vector_stores")
    if described:
        stores = [{**store, "expires_after": dict(messages.STORE_EXPIRY)} for store in described]
        sent = {**sent, "file_search": {"vector_stores": stores}}
    return stored_resources(call, sent)


def get(call: Call) -> Reply:
    return Reply(conversation.shown_thread(conversation.thread(call)))


def modify(call: Call) -> Reply:
    thread = conversation.thread(call)
    body = data.body_of(call, thread_contract.thread_changes(call))
    if "metadata" in body:
        thread["metadata"] = data.merged_metadata(call, thread["metadata"], body["metadata"])
    if "tool_resources" in body:
        sent = stored_resources(call, body["tool_resources"] or {})
        keeps = call.state.on("tool_resources_modify") == "per_tool" and body["tool_resources"] is not None
        thread["tool_resources"] = {**thread["tool_resources"], **sent} if keeps else sent
    messages.keep_thread(call, thread)
    return Reply(conversation.shown_thread(thread))


def delete(call: Call) -> Reply:
    ident = conversation.thread(call)["id"]
    conversation.remove_thread(call.state, call.account, ident)
    return Reply({"id": ident, "object": "thread.deleted", "deleted": True})


def dump(state: State) -> list[Json]:
    rows = state.store.all(
        "SELECT owner.account, owner.project, object.body FROM object JOIN owner ON owner.row = object.account "
        "WHERE kind = 'thread' AND deleted_at IS NULL ORDER BY seq"
    )
    return [{**shown_owner(account, project), **load(body)} for account, project, body in rows]


DUMP = {"threads": dump}
ROUTES = [
    Route("data", method, path, served(handler), DATED, f"assistants/threads/{action}")
    for method, path, handler, action in (
        ("POST", "/threads", create, "write"),
        ("GET", "/threads/{thread_id}", get, "read"),
        ("POST", "/threads/{thread_id}", modify, "write"),
        ("DELETE", "/threads/{thread_id}", delete, "delete"),
    )
]
