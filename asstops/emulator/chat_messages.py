"""What the messages of a chat completion may hold, and how they must follow each other.

Owns the roles and content parts of each surface, the pairing of calls and results, and the text of a message.
"""

from __future__ import annotations

from typing import Any

from asstops.emulator.checks import Check, Invalid, any_object, array, choice, record, string
from asstops.emulator.data import OLD
from asstops.emulator.thread_contract import by_type
from asstops.emulator.wire import Json

_TEXT = record({"type": string(), "text": string()}, required=("text",))
_IMAGE = record(
    {
        "type": string(),
        "image_url": record({"url": string(), "detail": choice(("auto", "low", "high"))}, required=("url",)),
    },
    required=("image_url",),
)
_REFUSED = record({"type": string(), "refusal": string()}, required=("refusal",))
_CALL = record(
    {
        "id": string(),
        "type": choice(("function",)),
        "function": record({"name": string(), "arguments": string()}, required=("name", "arguments")),
    },
    required=("id", "type", "function"),
)


def _content(parts: dict[str, Check] | None, *, nullable: bool = False) -> Check:
    listed = array(by_type(parts), shortest=1) if parts else None

    def checked(value: Any, path: str) -> None:
        if value is None and nullable:
            return
        (listed if listed is not None and isinstance(value, list) else string())(value, path)

    return checked


def message_check(surface: str) -> Check:
    """Return the contract of one message."""
    old = surface == OLD
    plain: dict[str, Check] = {"text": _TEXT}
    base = {"role": string(), "name": string()}
    system = record({**base, "content": _content(None if old else plain, nullable=old)}, required=("content",))
    user = {**plain, "image_url": _IMAGE}
    spoken: dict[str, Check] = {
        **base,
        "content": _content(None if old else {**plain, "refusal": _REFUSED}, nullable=True),
        "tool_calls": array(_CALL),
        "function_call": record(
            {"name": string(), "arguments": string()}, required=("name", "arguments"), nullable=True
        ),
    }
    spoken["context" if old else "refusal"] = any_object if old else string(nullable=True)
    roles = {
        "system": system,
        "user": record({**base, "content": _content(user, nullable=old)}, required=("content",)),
        "assistant": record(spoken),
        "tool": record(
            {**base, "content": _content(None if old else plain, nullable=old), "tool_call_id": string()},
            required=("content", "tool_call_id"),
        ),
        "function": record({**base, "content": string(nullable=True)}, required=("content", "name")),
    }
    if not old:
        roles["developer"] = system

    def checked(value: Any, path: str) -> None:
        any_object(value, path)
        if "role" not in value:
            raise Invalid(f"{path}.role", "missing_required_parameter", f"Missing required parameter: '{path}.role'.")
        choice(roles)(value["role"], f"{path}.role")
        roles[value["role"]](value, path)

    return checked


def refuse(path: str, message: str) -> Invalid:
    return Invalid(path, "invalid_value", message)


def text_of(message: Json) -> str:
    """Return the text of a message, without images."""
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content if part["type"] == "text")
    return content or ""


def between_messages(messages: list[Json]) -> None:
    """Each result of a tool answers a call just before it, and each call has its result."""
    open_calls: list[str] = []
    asked = False
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            if not asked:
                raise refuse(
                    f"messages[{index}].role",
                    "Messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
                )
            ident = message["tool_call_id"]
            if ident not in open_calls:
                raise refuse(
                    f"messages[{index}].tool_call_id", f"Invalid parameter: no tool call has the id '{ident}'."
                )
            open_calls.remove(ident)
            continue
        _all_answered(open_calls, index)
        open_calls = [call["id"] for call in message.get("tool_calls") or ()]
        asked = bool(open_calls)
    _all_answered(open_calls, len(messages))


def _all_answered(open_calls: list[str], index: int) -> None:
    if open_calls:
        raise refuse(
            f"messages[{index - 1}]",
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(open_calls)}",
        )
