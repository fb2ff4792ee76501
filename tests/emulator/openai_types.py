"""Compares requests and answers of conversations and responses with the types of the installed openai package.

The published documents beside the repository leave these two out, so the SDK's own types are the contract: what it
would send, and what it would read, with no field beyond them.

    check_sent("POST", "/responses", body)            raises AssertionError
    check_got("GET", "/conversations/conv_1", body)
    check_event(event)                                 one event of a stream
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from openai.types import conversations, responses
from openai.types.conversations import conversation_create_params, conversation_update_params, item_create_params
from openai.types.responses import response_create_params
from openai.types.responses.response_item_list import ResponseItemList
from pydantic import TypeAdapter

Json = dict[str, Any]
FOUNDRY = {  # what Foundry adds, by the name of the type
    "request": {"agent_reference": {"type": "object"}, "structured_inputs": {"type": "object"}},
    "Response": {"agent_reference": {"type": "object"}},
}
_SENT: dict[tuple[str, str], Any] = {
    ("POST", "/responses"): response_create_params.ResponseCreateParamsBase,
    ("POST", "/conversations"): conversation_create_params.ConversationCreateParams,
    ("POST", "/conversations/*"): conversation_update_params.ConversationUpdateParams,
    ("POST", "/conversations/*/items"): item_create_params.ItemCreateParams,
}
_GOT: dict[tuple[str, str], Any] = {
    ("POST", "/responses"): responses.Response,
    ("GET", "/responses/*"): responses.Response,
    ("GET", "/responses/*/input_items"): ResponseItemList,
    ("POST", "/conversations"): conversations.Conversation,
    ("GET", "/conversations/*"): conversations.Conversation,
    ("POST", "/conversations/*"): conversations.Conversation,
    ("DELETE", "/conversations/*"): conversations.ConversationDeletedResource,
    ("POST", "/conversations/*/items"): conversations.ConversationItemList,
    ("GET", "/conversations/*/items"): conversations.ConversationItemList,
    ("GET", "/conversations/*/items/*"): conversations.ConversationItem,
    ("DELETE", "/conversations/*/items/*"): conversations.Conversation,
}


def check_sent(method: str, path: str, body: Json) -> None:
    """Check a body that was sent; `stream` is in types of its own, which say no more."""
    body = {name: value for name, value in body.items() if name != "stream"}
    _complain(_validator("sent", method, _template(path)), body, f"request {method} {path}")


def check_got(method: str, path: str, body: Any) -> None:
    _complain(_validator("got", method, _template(path)), body, f"answer of {method} {path}")


def check_event(event: Json) -> None:
    _complain(_event_validator(), event, f"event {event.get('type')}")


def known(method: str, path: str) -> bool:
    return (method, _template(path)) in _GOT


def _template(path: str) -> str:
    """Return a path with * for its ids."""
    parts = path.split("?")[0].strip("/").split("/")
    return "/" + "/".join("*" if index % 2 else part for index, part in enumerate(parts))


@cache
def _validator(way: str, method: str, template: str) -> Draft202012Validator:
    found = (_SENT if way == "sent" else _GOT)[(method, template)]
    return _built(found, request=way == "sent")


@cache
def _event_validator() -> Draft202012Validator:
    return _built(responses.ResponseStreamEvent, request=False)


def _built(found: Any, *, request: bool) -> Draft202012Validator:
    schema = TypeAdapter(found).json_schema()
    if request:
        schema.setdefault("properties", {}).update(FOUNDRY["request"])
    for name, added in FOUNDRY.items():
        for inner in (schema, *schema.get("$defs", {}).values()):
            if inner.get("title") == name:
                inner["properties"].update(added)
    return Draft202012Validator(_closed(schema))


def _closed(schema: Any) -> Any:
    """Return the schema with no room for unknown fields."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(value) for name, value in schema.items()}
    if isinstance(closed.get("properties"), dict) and closed.get("type") == "object":
        closed["additionalProperties"] = False
    return closed


def _complain(validator: Draft202012Validator, body: Any, what: str) -> None:
    errors = sorted(validator.iter_errors(body), key=lambda error: list(error.absolute_path))
    lines = [f"{'.'.join(map(str, error.absolute_path)) or 'body'}: {error.message[:300]}" for error in errors]
    assert not lines, f"{what} breaks the SDK's types:\n" + "\n".join(lines)
