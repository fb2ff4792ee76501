"""Items of conversations and responses: what may be sent, the stored form, what they say.

Owns the contract of items and the rules between them (each output of a function answers a call, each call has its
output). What a model makes of them is response_turn.py's business.

Source: the models of openai 3.52.
"""

from __future__ import annotations

from typing import Any

from asstops.emulator import ids
from asstops.emulator.checks import Check, Invalid, any_object, array, boolean, choice, record, string
from asstops.emulator.thread_contract import by_type, optional
from asstops.emulator.wire import Json

_STRING = string()
_STATUS = choice(("in_progress", "completed", "incomplete"), nullable=True)
_LONGEST = 10_485_760  # characters
_INPUT: dict[str, Check] = {
    "input_text": record(
        {"type": _STRING, "text": string(longest=_LONGEST), "prompt_cache_breakpoint": any_object}, required=("text",)
    ),
    "input_image": record(
        {
            "type": _STRING,
            "detail": choice(("low", "high", "auto", "original")),
            "image_url": string(nullable=True),
            "file_id": string(nullable=True),
        }
    ),
    "input_file": record(
        {
            "type": _STRING,
            "detail": choice(("auto", "low", "high")),
            "file_data": _STRING,
            "file_id": string(nullable=True),
            "file_url": _STRING,
            "filename": _STRING,
        }
    ),
}
_SAID: dict[str, Check] = {
    "output_text": record(
        {"type": _STRING, "text": _STRING, "annotations": array(any_object), "logprobs": array(any_object)},
        required=("text",),
    ),
    "refusal": record({"type": _STRING, "refusal": _STRING}, required=("refusal",)),
}
_PARTS = array(by_type({**_INPUT, **_SAID}))


def _content(value: Any, path: str) -> None:
    (string(longest=_LONGEST) if isinstance(value, str) else _PARTS)(value, path)


def _output(value: Any, path: str) -> None:
    (string(longest=_LONGEST) if isinstance(value, str) else array(by_type(_INPUT)))(value, path)


_COMMON: dict[str, Check] = {"type": _STRING, "id": string(nullable=True), "status": _STATUS}
_KINDS: dict[str, Check] = {
    "message": record(
        {
            **_COMMON,
            "role": choice(("user", "assistant", "system", "developer")),
            "content": _content,
            "phase": choice(("commentary", "final_answer"), nullable=True),
        },
        required=("role", "content"),
    ),
    "function_call": record(
        {
            **_COMMON,
            **dict.fromkeys(("call_id", "name", "arguments", "namespace"), _STRING),
            "async": boolean(nullable=True),
            "caller": optional(any_object),
        },
        required=("call_id", "name", "arguments"),
    ),
    "function_call_output": record(
        {
            **_COMMON,
            "call_id": string(shortest=1, longest=64),
            "output": _output,
            "name": string(nullable=True),
            "namespace": string(nullable=True),
            "caller": optional(any_object),
        },
        required=("call_id", "output"),
    ),
    "file_search_call": record(
        {
            "type": _STRING,
            "id": _STRING,
            "status": choice(("in_progress", "searching", "completed", "incomplete", "failed")),
            "queries": array(_STRING),
            "results": array(any_object, nullable=True),
        },
        required=("id", "queries", "status"),
    ),
    "code_interpreter_call": record(
        {
            "type": _STRING,
            "id": _STRING,
            "status": choice(("in_progress", "completed", "incomplete", "interpreting", "failed")),
            "code": string(nullable=True),
            "container_id": _STRING,
            "outputs": array(any_object, nullable=True),
        },
        required=("id", "container_id", "status", "code", "outputs"),
    ),
    "reasoning": record(
        {
            **_COMMON,
            "id": _STRING,
            "summary": array(any_object),
            "content": array(any_object),
            "encrypted_content": string(nullable=True),
        },
        required=("id", "summary"),
    ),
    "item_reference": record({"type": string(nullable=True), "id": _STRING}, required=("id",)),
}
_PREFIXES = {"message": "msg_", "function_call": "fc_", "function_call_output": "fco_"}


def ITEM(value: Any, path: str) -> None:  # noqa: N802 - used like the other contracts
    """An item: without a type it is a message, or a reference where it has nothing but an id."""
    any_object(value, path)
    kind = _kind(value)
    choice(_KINDS)(kind, f"{path}.type")
    _KINDS[kind](value, path)


def _kind(item: Json) -> Any:
    given = item.get("type")
    return given if given is not None else "message" if "role" in item or "id" not in item else "item_reference"


def INPUT(value: Any, path: str) -> None:  # noqa: N802
    """The input of a response: a text, or items."""
    (string(longest=_LONGEST) if isinstance(value, str) else array(ITEM))(value, path)


def stored(sent: Any) -> list[Json]:
    """Return the input of a response, or the items of a conversation, in the form in which they are kept."""
    if isinstance(sent, str):
        sent = [{"role": "user", "content": sent}]
    return [_stored(item) for item in sent]


def _stored(item: Json) -> Json:
    kind = _kind(item)
    made: Json = {"type": kind, **{name: value for name, value in item.items() if name != "type" and value is not None}}
    if kind in _PREFIXES:
        made.setdefault("id", ids.fresh(_PREFIXES[kind], 48))
        made["status"] = made.get("status", "completed")
    if kind == "message":
        content = made["content"]
        if isinstance(content, str):
            content = [{"type": "output_text" if made["role"] == "assistant" else "input_text", "text": content}]
        made["content"] = [_stored_part(part) for part in content]
    return made


def _stored_part(part: Json) -> Json:
    if part["type"] == "output_text":
        return {"annotations": [], "logprobs": [], **part}
    if part["type"] == "input_image":
        return {"detail": "auto", **part}
    return part


# What they say -------------------------------------------------------------------------------------------


def text_of(item: Json) -> str:
    """Return the text of a message or of the output of a function, without images and files."""
    content = item["content"] if item["type"] == "message" else item.get("output", "")
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text") or part.get("refusal") or "") for part in content)


def between(items: list[Json]) -> None:
    """Refuse outputs of functions that nobody called, and calls whose output is missing."""
    open_calls: dict[str, None] = {}
    called: set[str] = set()
    for item in items:
        if item["type"] == "function_call":
            open_calls[item["call_id"]] = None
            called.add(item["call_id"])
        elif item["type"] == "function_call_output":
            if item["call_id"] not in called:
                raise Invalid(
                    "input", "invalid_value",
                    f"No tool call found for function call output with call_id {item['call_id']}.",
                )  # fmt: skip
            open_calls.pop(item["call_id"], None)
    for call_id in open_calls:
        raise Invalid("input", "invalid_value", f"No tool output found for function call {call_id}.")
