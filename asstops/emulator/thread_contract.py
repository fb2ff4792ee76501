"""What the bodies of threads, messages and runs may hold.

Owns the fields and limits of each dated api-version. What a body refers to is checked elsewhere.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from asstops.emulator import data, ingest
from asstops.emulator.apis import vector_stores
from asstops.emulator.assistant_contract import response_format, tool_list
from asstops.emulator.checks import Check, Invalid, any_object, array, boolean, choice, number, record, string
from asstops.emulator.data import OLD
from asstops.emulator.wire import Call

MOST_CODE_FILES = 20
MOST_RUN_TOOLS = 20
LONGEST_CONTENT = 256_000
RESULT_CONTENT = "step_details.tool_calls[*].file_search.results[*].content"

METADATA_ONLY = record({"metadata": data.METADATA})


def optional(check: Check) -> Check:
    """The same, or null."""

    def checked(value: Any, path: str) -> None:
        if value is not None:
            check(value, path)

    return checked


def by_type(kinds: dict[str, Check]) -> Check:
    """An object whose `type` says which contract it must meet."""

    def checked(value: Any, path: str) -> None:
        any_object(value, path)
        if "type" not in value:
            raise Invalid(f"{path}.type", "missing_required_parameter", f"Missing required parameter: '{path}.type'.")
        choice(kinds)(value["type"], f"{path}.type")
        kinds[value["type"]](value, path)

    return checked


# Messages ------------------------------------------------------------------------------------------------

_PARTS = array(
    by_type(
        {
            "text": record({"type": string(), "text": string(longest=LONGEST_CONTENT)}, required=("text",)),
            "image_file": record(
                {
                    "type": string(),
                    "image_file": record(
                        {"file_id": string(), "detail": choice(("auto", "low", "high"))}, required=("file_id",)
                    ),
                },
                required=("image_file",),
            ),
            "image_url": record(
                {
                    "type": string(),
                    "image_url": record(
                        {"url": string(shortest=1), "detail": choice(("auto", "low", "high"))}, required=("url",)
                    ),
                },
                required=("image_url",),
            ),
        }
    ),
    shortest=1,
)
_TYPE_ONLY = record({"type": string()})
_ATTACHMENTS = array(
    record(
        {"file_id": string(), "tools": array(by_type({"code_interpreter": _TYPE_ONLY, "file_search": _TYPE_ONLY}))},
        required=("file_id", "tools"),
    ),
    nullable=True,
)


def message(call: Call) -> Check:
    return _message(call.state.on("message_content_parts") == "accepted")


@cache
def _message(parts: bool) -> Check:
    text = string(longest=LONGEST_CONTENT, shortest=1)

    def content(value: Any, path: str) -> None:
        (_PARTS if parts and isinstance(value, list) else text)(value, path)

    return record(
        {
            "role": choice(("user", "assistant")),
            "content": content,
            "attachments": _ATTACHMENTS,
            "metadata": data.METADATA,
        },
        required=("role", "content"),
    )


# Threads -------------------------------------------------------------------------------------------------


@cache
def _resources(surface: str, create: bool) -> Check:
    searched: dict[str, Check] = {"vector_store_ids": array(string(), longest=1)}
    if create:
        store: dict[str, Check] = {"file_ids": array(string(), longest=ingest.MOST_FILES), "metadata": data.METADATA}
        if surface != OLD:
            store["chunking_strategy"] = vector_stores.CHUNKING
        searched["vector_stores"] = array(record(store), longest=1)
    search = record(searched)

    def search_once(value: Any, path: str) -> None:
        search(value, path)
        if create and len(set(value) & {"vector_store_ids", "vector_stores"}) != 1:
            raise Invalid(
                path,
                "invalid_value",
                f"Invalid '{path}': exactly one of 'vector_store_ids' and 'vector_stores' must be given.",
            )

    code = record({"file_ids": array(string(), longest=MOST_CODE_FILES)})
    return record({"code_interpreter": code, "file_search": search_once}, nullable=True)


def thread(call: Call) -> Check:
    return record(
        {
            "messages": array(message(call)),
            "tool_resources": _resources(call.surface, True),
            "metadata": data.METADATA,
        }
    )


def thread_changes(call: Call) -> Check:
    return record({"tool_resources": _resources(call.surface, False), "metadata": data.METADATA})


# Runs ----------------------------------------------------------------------------------------------------


def run(call: Call) -> Check:
    fields = _run_fields(call)
    fields["additional_instructions"] = string(nullable=True)
    fields["additional_messages"] = array(message(call), nullable=True)
    return record(fields, required=("assistant_id",))


def thread_and_run(call: Call) -> Check:
    fields = _run_fields(call)
    fields["thread"] = thread(call)
    fields["tool_resources"] = _resources(call.surface, False)
    if call.surface != OLD:
        fields["stream_options"] = record({"include_usage": boolean()}, nullable=True)
    return record(fields, required=("assistant_id",))


def _run_fields(call: Call) -> dict[str, Check]:
    on = call.state.on
    tools = tool_list(call.surface, on("function_strict"), on("file_search_defaults"))

    def few_tools(value: Any, path: str) -> None:
        array(any_object, longest=MOST_RUN_TOOLS)(value, path)
        tools(value, path)

    fields: dict[str, Check] = {
        "assistant_id": string(),
        "model": string(nullable=True),
        "instructions": string(longest=256_000, nullable=True),
        "tools": optional(few_tools),
        "metadata": data.METADATA,
        "temperature": number(0, 2, nullable=True),
        "top_p": number(0, 1, nullable=True),
        "stream": boolean(nullable=True),
        "max_prompt_tokens": number(256, whole=True, nullable=True),
        "max_completion_tokens": number(256, whole=True, nullable=True),
        "truncation_strategy": optional(_TRUNCATION),
        "tool_choice": optional(_tool_choice(on("run_tool_choice_required") == "accepted")),
        "response_format": optional(response_format(call.surface)),
    }
    if call.surface != OLD:
        fields["parallel_tool_calls"] = boolean()
    return fields


_TRUNCATION = record(
    {"type": choice(("auto", "last_messages")), "last_messages": number(1, whole=True, nullable=True)},
    required=("type",),
)
_NAMED = by_type(
    {
        "code_interpreter": _TYPE_ONLY,
        "file_search": _TYPE_ONLY,
        "function": record(
            {"type": string(), "function": record({"name": string()}, required=("name",))}, required=("function",)
        ),
    }
)


def _tool_choice(required: bool) -> Check:
    words = choice(("none", "auto", "required") if required else ("none", "auto"))

    def check(value: Any, path: str) -> None:
        (words if isinstance(value, str) else _NAMED)(value, path)

    return check


TOOL_OUTPUTS = record(
    {
        "tool_outputs": array(record({"tool_call_id": string(), "output": string()})),
        "stream": boolean(nullable=True),
    },
    required=("tool_outputs",),
)


def wants_result_content(call: Call) -> bool:
    """Check the `include[]` parameter, which the older api-version does not have; say what it asks for."""
    values = call.query.get("include[]") or call.query.get("include") or []
    if call.surface == OLD:
        return False
    for value in values:
        choice((RESULT_CONTENT,))(value, "include")
    return bool(values)
