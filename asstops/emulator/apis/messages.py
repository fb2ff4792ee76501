"""Messages of a thread: create with attachments, list, read, modify, and delete where a switch has it.

Owns the message object and what an attachment does to the thread it is sent to.
"""

from __future__ import annotations

from typing import Any

from asstops.emulator import conversation, data, thread_contract
from asstops.emulator.apis import vector_stores
from asstops.emulator.apis.assistants import served
from asstops.emulator.checks import Invalid
from asstops.emulator.data import DATED
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route

STORE_EXPIRY = {"anchor": "last_active_at", "days": 7}


def create(call: Call) -> Reply:
    thread = conversation.thread(call)
    body = data.body_of(call, thread_contract.message(call))
    conversation.not_while_active(call, thread["id"])
    return Reply(_shown(call, make(call, thread, body)))


def make(call: Call, thread: Json, body: Json) -> Json:
    """Add a checked message to a thread, and its attachments to the thread's tools."""
    attachments = body.get("attachments") or []
    data.known_files(call, [item["file_id"] for item in attachments], "attachments")
    now = call.state.now()
    message = conversation.new_message(
        thread["id"], body["role"], _content(call, body["content"]), now, attachments=attachments
    )
    message["metadata"] = body.get("metadata") or {}
    conversation.add_message(call.state, call.account, message, now)
    _attach(call, thread, attachments)
    return message


def _content(call: Call, sent: Any) -> list[Json]:
    if isinstance(sent, str):
        return [_text(sent)]
    content = []
    for part in sent:
        if part["type"] == "text":
            content.append(_text(part["text"]))
        elif part["type"] == "image_file":
            ident = part["image_file"]["file_id"]
            data.known_files(call, [ident], "content")
            content.append({"type": "image_file", "image_file": {"file_id": ident}})
        else:
            content.append({"type": "image_url", "image_url": dict(part["image_url"])})
    return content


def _text(value: str) -> Json:
    return {"type": "text", "text": {"value": value, "annotations": []}}


def _attach(call: Call, thread: Json, attachments: list[Json]) -> None:
    """Give each attached file to the tools it is for; a thread without a store gets one."""
    wanted: dict[str, list[str]] = {"code_interpreter": [], "file_search": []}
    for item in attachments:
        for tool in item["tools"]:
            wanted[tool["type"]].append(item["file_id"])
    resources = thread["tool_resources"]
    if wanted["code_interpreter"]:
        held = resources.get("code_interpreter", {}).get("file_ids", [])
        files = list(dict.fromkeys([*held, *wanted["code_interpreter"]]))
        if len(files) > thread_contract.MOST_CODE_FILES:
            raise Invalid(
                "attachments",
                "array_above_max_length",
                f"The thread '{thread['id']}' would have {len(files)} files for code_interpreter, the most are "
                f"{thread_contract.MOST_CODE_FILES}.",
            )
        resources["code_interpreter"] = {"file_ids": files}
    if wanted["file_search"]:
        stores = resources.get("file_search", {}).get("vector_store_ids", [])
        store = call.state.store.get(call.account, "vector_store", stores[0]) if stores else None
        if store is None:
            store = vector_stores.make(call, {"expires_after": dict(STORE_EXPIRY)})
            resources["file_search"] = {"vector_store_ids": [store["id"]]}
        vector_stores.touch(call, store)
        vector_stores.attach(call, store, wanted["file_search"], None, None)
    if attachments:
        keep_thread(call, thread)


def keep_thread(call: Call, thread: Json) -> None:
    """Store a thread and the files it refers to."""
    store = call.state.store
    store.put(call.account, "thread", thread["id"], thread)
    store.refer(call.account, thread["id"], thread["tool_resources"].get("code_interpreter", {}).get("file_ids", []))


def list_(call: Call) -> Reply:
    thread = conversation.thread(call)["id"]
    kind, run = conversation.messages_of(thread), call.one("run_id")
    if run is None:
        return conversation.listed(call, kind, lambda stored: _shown(call, stored))
    narrowed = " AND json_extract(body, '$.run_id') = ?"
    return conversation.listed(call, kind, lambda stored: _shown(call, stored), narrowed, run)


def get(call: Call) -> Reply:
    return Reply(_shown(call, conversation.message(call)))


def modify(call: Call) -> Reply:
    message = conversation.message(call)
    body = data.body_of(call, thread_contract.METADATA_ONLY)
    if "metadata" in body:
        message["metadata"] = data.merged_metadata(call, message["metadata"], body["metadata"])
        conversation.put_message(call.state, call.account, message)
    return Reply(_shown(call, message))


def delete(call: Call) -> Reply:
    """Neither dated document has this; real servers may, so a switch decides."""
    if call.state.on("message_delete") == "refused":
        raise data.resource_not_found()
    message = conversation.message(call)
    active = conversation.active_run(call.state, call.account, message["thread_id"])
    if active is not None:
        raise Refusal(400, f"Can't delete messages of {message['thread_id']} while a run {active} is active.")
    call.state.store.drop(call.account, conversation.messages_of(message["thread_id"]), message["id"])
    return Reply({"id": message["id"], "object": "thread.message.deleted", "deleted": True})


def _shown(call: Call, stored: Json) -> Json:
    return conversation.shown_message(call.surface, stored)


ROUTES = [
    Route("data", method, path, served(handler), DATED, f"assistants/threads/messages/{action}")
    for method, path, handler, action in (
        ("POST", "/threads/{thread_id}/messages", create, "write"),
        ("GET", "/threads/{thread_id}/messages", list_, "read"),
        ("GET", "/threads/{thread_id}/messages/{message_id}", get, "read"),
        ("POST", "/threads/{thread_id}/messages/{message_id}", modify, "write"),
        ("DELETE", "/threads/{thread_id}/messages/{message_id}", delete, "delete"),
    )
]
