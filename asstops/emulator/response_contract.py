"""What the bodies of the responses and conversations APIs may hold.

Owns their fields, limits and the rules between fields. Tools are agent_tools.py's, items response_items.py's.

Source: the request types of openai 3.52; `agent_reference` and `structured_inputs` are Foundry's.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from asstops.emulator import agent_tools, data
from asstops.emulator.checks import (
    Check,
    Invalid,
    anything,
    array,
    boolean,
    choice,
    mapping,
    number,
    record,
    string,
)
from asstops.emulator.response_items import INPUT, ITEM
from asstops.emulator.thread_contract import optional
from asstops.emulator.wire import Json

INCLUDABLE = (
    "file_search_call.results", "web_search_call.results", "web_search_call.action.sources",
    "message.input_image.image_url", "computer_call_output.output.image_url", "code_interpreter_call.outputs",
    "reasoning.encrypted_content", "message.output_text.logprobs",
)  # fmt: skip
OF_THE_AGENT = ("model", "instructions", "tools", "tool_choice", "temperature", "top_p", "reasoning", "text")
NOT_EMULATED = (
    "background", "prompt", "context_management", "image", "moderation", "access_programs", "prompt_cache_options",
)  # fmt: skip
MOST_ITEMS = 20
_STRING = string()


def _conversation(value: Any, path: str) -> None:
    (_STRING if isinstance(value, str) else record({"id": _STRING}, required=("id",), nullable=True))(value, path)


def _instructions(value: Any, path: str) -> None:
    (string(nullable=True) if not isinstance(value, list) else array(ITEM))(value, path)


@cache
def _response(agents: bool) -> Check:
    fields: dict[str, Check] = {
        "model": _STRING,
        "input": INPUT,
        "instructions": _instructions,
        "stream": boolean(nullable=True),
        "stream_options": record({"include_obfuscation": boolean()}, nullable=True),
        "store": boolean(nullable=True),
        "metadata": data.METADATA,
        "temperature": number(0, 2, nullable=True),
        "top_p": number(0, 1, nullable=True),
        "max_output_tokens": number(16, whole=True, nullable=True),
        "max_tool_calls": number(1, whole=True, nullable=True),
        "parallel_tool_calls": boolean(nullable=True),
        "previous_response_id": string(nullable=True),
        "conversation": _conversation,
        "tools": agent_tools.tools(nulls=True),
        "tool_choice": agent_tools.TOOL_CHOICE,
        "text": record(
            {
                "format": agent_tools.text_format(nulls=True),
                "verbosity": choice(("low", "medium", "high"), nullable=True),
            }
        ),
        "reasoning": optional(agent_tools.reasoning(nulls=True)),
        "truncation": choice(("auto", "disabled"), nullable=True),
        "include": array(choice(INCLUDABLE), nullable=True),
        "top_logprobs": number(0, 20, whole=True, nullable=True),
        "service_tier": string(nullable=True),
        "user": string(nullable=True),
        "safety_identifier": string(longest=64, nullable=True),
        "prompt_cache_key": string(longest=64, nullable=True),
        "prompt_cache_retention": choice(("in_memory", "24h"), nullable=True),
        **dict.fromkeys(NOT_EMULATED, anything),
    }
    if agents:
        reference = {"type": choice(("agent_reference",)), "name": _STRING, "version": string(nullable=True)}
        fields["agent_reference"] = record(reference, required=("type", "name"))
        fields["structured_inputs"] = mapping(anything)
    return record(fields)


def check(body: Json, *, agents: bool, overrides: str) -> None:
    """Raise Invalid when a body that creates a response breaks its contract.

    `agents`: an agent can be named, as in projects. `overrides` is the switch agent_overrides.
    """
    if agents and "agent" in body:
        message = "The 'agent' property is deprecated. Use 'agent_reference' instead."
        raise Invalid("agent", "invalid_payload", message)
    _response(agents)(body, "")
    for name in NOT_EMULATED:
        if body.get(name):
            raise Invalid(name, "invalid_value", f"The emulator has no '{name}'.")
    if body.get("agent_reference") is not None:
        for name in OF_THE_AGENT:
            if body.get(name) is not None and overrides == "refused":
                raise Invalid(name, "invalid_payload", "Not allowed when agent is specified.")
    elif "model" not in body:
        raise Invalid("model", "missing_required_parameter", "Missing required parameter: 'model'.")
    if body.get("conversation") is not None and body.get("previous_response_id") is not None:
        message = "Mutually exclusive parameters: 'conversation' and 'previous_response_id'."
        raise Invalid("conversation", "mutually_exclusive_parameters", message)
    if body.get("stream_options") is not None and not body.get("stream"):
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise Invalid("stream_options", "invalid_value", message)


def check_choice(tool_choice: Any, tools: list[Json]) -> None:
    """Refuse a tool choice that names what is not among the tools."""
    if not isinstance(tool_choice, dict):
        return
    kind, name = tool_choice["type"], tool_choice.get("name")
    known = {tool["name"] for tool in tools if tool["type"] == "function"}
    if (name not in known) if kind == "function" else kind not in {tool["type"] for tool in tools}:
        message = f"Tool choice '{name or kind}' not found in 'tools' parameter."
        raise Invalid("tool_choice", "invalid_value", message)


CONVERSATION = record({"metadata": data.METADATA, "items": array(ITEM, longest=MOST_ITEMS, nullable=True)})
CONVERSATION_UPDATE = record({"metadata": data.METADATA}, required=("metadata",))
ITEMS = record({"items": array(ITEM, longest=MOST_ITEMS)}, required=("items",))
