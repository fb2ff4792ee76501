"""Conversations and their items, on the v1 surface of accounts and projects.

Owns the conversation object and where items lie. What items may be is response_items.py's business.
"""

from __future__ import annotations

from asstops.emulator import data, ids, response_contract, response_items
from asstops.emulator.checks import choice
from asstops.emulator.data import V1
from asstops.emulator.projects import shown_owner
from asstops.emulator.state import State
from asstops.emulator.store import load
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route

_KIND = "conversation"
_HIDDEN = {"file_search_call": ("results", "file_search_call.results"),
           "code_interpreter_call": ("outputs", "code_interpreter_call.outputs")}  # fmt: skip


def create(call: Call) -> Reply:
    body = data.body_of(call, response_contract.CONVERSATION)
    state, now = call.state, call.state.now()
    made: Json = {
        "id": ids.fresh("conv_", 48),
        "object": "conversation",
        "created_at": data.seconds(now),
        "metadata": body.get("metadata") or {},
    }
    state.store.add(call.account, _KIND, made["id"], now, made)
    add(call, made["id"], response_items.stored(body.get("items") or []))
    return Reply(made)


def get(call: Call) -> Reply:
    return Reply(found(call, call.params["conversation_id"]))


def update(call: Call) -> Reply:
    conversation = found(call, call.params["conversation_id"])
    body = data.body_of(call, response_contract.CONVERSATION_UPDATE)
    conversation["metadata"] = data.merged_metadata(call, conversation["metadata"], body["metadata"])
    call.state.store.put(call.account, _KIND, conversation["id"], conversation)
    return Reply(conversation)


def delete(call: Call) -> Reply:
    ident = found(call, call.params["conversation_id"])["id"]
    call.state.store.run("DELETE FROM object WHERE account = ? AND kind = ?", call.account, items_of(ident))
    call.state.store.drop(call.account, _KIND, ident)
    return Reply({"id": ident, "object": "conversation.deleted", "deleted": True})


def create_items(call: Call) -> Reply:
    """Add items; the answer lists those that were added."""
    ident = found(call, call.params["conversation_id"])["id"]
    body = data.body_of(call, response_contract.ITEMS)
    made = [shown_item(item, includes(call)) for item in add(call, ident, response_items.stored(body["items"]))]
    return Reply(data.envelope(call, made, False))


def list_items(call: Call) -> Reply:
    ident, wanted = found(call, call.params["conversation_id"])["id"], includes(call)
    rows, more = data.list_of(call, items_of(ident))
    return Reply(data.envelope(call, [shown_item(load(row), wanted) for row in rows], more))


def get_item(call: Call) -> Reply:
    return Reply(shown_item(_item(call), includes(call)))


def delete_item(call: Call) -> Reply:
    """Take an item out; the answer is the conversation."""
    conversation, item = found(call, call.params["conversation_id"]), _item(call)
    call.state.store.drop(call.account, items_of(conversation["id"]), item["id"])
    return Reply(conversation)


def items_of(conversation: str) -> str:
    """Return the kind under which the items of a conversation are stored."""
    return f"item/{conversation}"


def found(call: Call, ident: str) -> Json:
    """Return a conversation, refusing one that is not there."""
    body = call.state.store.get(call.account, _KIND, ident)
    if body is None:
        raise Refusal(404, f"Conversation with id '{ident}' not found.", code="not_found", param="conversation_id")
    return body


def _item(call: Call) -> Json:
    conversation, ident = found(call, call.params["conversation_id"])["id"], call.params["item_id"]
    body = call.state.store.get(call.account, items_of(conversation), ident)
    if body is None:
        message = f"Item with id '{ident}' not found in the conversation '{conversation}'."
        raise Refusal(404, message, code="not_found", param="item_id")
    return body


def add(call: Call, conversation: str, items: list[Json]) -> list[Json]:
    """Append items as they are kept; a reference becomes what it refers to, an id that is taken a new one."""
    kind, store, now = items_of(conversation), call.state.store, call.state.now()
    added = []
    for item in items:
        made = resolved(call, item)
        if store.get(call.account, kind, made.get("id", "")) is not None or "id" not in made:
            made = {**made, "id": ids.fresh(f"{made.get('id', 'item_').partition('_')[0]}_", 48)}
        store.add(call.account, kind, made["id"], now, made)
        added.append(made)
    return added


def resolved(call: Call, item: Json) -> Json:
    """Return an item, or what it refers to: an item that a response made or a conversation holds."""
    if item["type"] != "item_reference":
        return item
    row = call.state.store.one(
        "SELECT body FROM object WHERE account = ? AND (kind = 'response_item' OR kind GLOB 'item/*') AND id = ?",
        call.account, item["id"],
    )  # fmt: skip
    if row is None:
        raise Refusal(404, f"Item with id '{item['id']}' not found.", code="not_found", param="input")
    return load(row[0])


def includes(call: Call) -> set[str]:
    """Return what the query asks to have shown beyond the usual."""
    wanted = [*call.query.get("include", []), *call.query.get("include[]", [])]
    for index, value in enumerate(wanted):
        choice(response_contract.INCLUDABLE)(value, f"include[{index}]")
    return set(wanted)


def shown_item(item: Json, wanted: set[str]) -> Json:
    """Return an item in the form of answers: what a tool found or printed is shown only when it is asked for."""
    field, name = _HIDDEN.get(item["type"], ("", ""))
    return item if not field or name in wanted else {**item, field: None}


def dump(state: State) -> list[Json]:
    rows = state.store.all(
        "SELECT owner.account, owner.project, object.account, object.body FROM object JOIN owner "
        "ON owner.row = object.account WHERE kind = 'conversation' AND deleted_at IS NULL ORDER BY seq"
    )
    result = []
    for account, project, scope, text in rows:
        body = load(text)
        items = list(state.store.each(scope, items_of(body["id"])))
        result.append({**shown_owner(account, project), **body, "items": items})
    return result


DUMP = {"conversations": dump}
_ONE = "/conversations/{conversation_id}"
ROUTES = [
    Route("data", method, path, handler, frozenset({V1}), f"conversations/{action}")
    for method, path, handler, action in (
        ("POST", "/conversations", create, "write"),
        ("GET", _ONE, get, "read"),
        ("POST", _ONE, update, "write"),
        ("DELETE", _ONE, delete, "delete"),
        ("POST", f"{_ONE}/items", create_items, "write"),
        ("GET", f"{_ONE}/items", list_items, "read"),
        ("GET", f"{_ONE}/items/{{item_id}}", get_item, "read"),
        ("DELETE", f"{_ONE}/items/{{item_id}}", delete_item, "delete"),
    )
]
