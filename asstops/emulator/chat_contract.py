"""What the body of a chat completion may hold.

Owns the fields and limits of each surface, and the rules between fields; messages are chat_messages.py's. The v1
document that is at hand has no chat; v1 takes what the newest dated api-version does, and the model's name.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from asstops.emulator.assistant_contract import FUNCTION_NAME
from asstops.emulator.chat_messages import between_messages, message_check, refuse, text_of
from asstops.emulator.checks import Check, Invalid, any_object, array, boolean, choice, mapping, number, record, string
from asstops.emulator.data import OLD, V1
from asstops.emulator.thread_contract import by_type, optional
from asstops.emulator.wire import Json

NOT_EMULATED = ("audio", "data_sources")


def check(body: Json, surface: str) -> None:
    """Raise Invalid when the body breaks the contract of the surface."""
    _contract(surface)(body, "")
    _between_fields(body)
    between_messages(body["messages"])


@cache
def _contract(surface: str) -> Check:
    newer = surface != OLD
    fields: dict[str, Check] = {
        "messages": array(message_check(surface), shortest=1),
        "model": string(),  # the SDK sends it on every surface; the path decides on the dated ones
        "temperature": number(0, 2, nullable=True),
        "top_p": number(0, 1, nullable=True),
        "n": number(1, 128, whole=True, nullable=True),
        "stream": boolean(nullable=True),
        "stop": _stop,
        "max_tokens": number(1, whole=True, nullable=newer),
        "presence_penalty": number(-2, 2, nullable=newer),
        "frequency_penalty": number(-2, 2, nullable=newer),
        "logit_bias": mapping(number(-100, 100, whole=newer), nullable=True),
        "logprobs": boolean(nullable=True),
        "top_logprobs": number(0, 20 if newer else 5, whole=True, nullable=True),
        "user": string(),
        "seed": number(-(2**63), 2**63 - 1, whole=True, nullable=True),
        "response_format": _response_format(surface),
        "tools": array(_tool(surface), shortest=0 if newer else 1, longest=128),
        "tool_choice": _choice("tool", newer),
        "functions": array(_function(newer=False), shortest=1, longest=128),
        "function_call": _choice("function", False),
        "data_sources": array(any_object),
    }
    if newer:
        fields.update(_NEWER)
    if surface == V1:
        fields.update(_V1)
    return record(fields, required=("messages", "model") if surface == V1 else ("messages",))


_NEWER: dict[str, Check] = {
    "max_completion_tokens": number(1, whole=True, nullable=True),
    "store": boolean(nullable=True),
    "metadata": mapping(string(), most=16, key_longest=64, nullable=True),
    "reasoning_effort": choice(("low", "medium", "high")),
    "modalities": array(choice(("text", "audio"))),
    "prediction": optional(any_object),
    "audio": any_object,
    "parallel_tool_calls": boolean(nullable=True),
    "stream_options": record({"include_usage": boolean()}, nullable=True),
    "user_security_context": record(
        dict.fromkeys(("application_name", "end_user_id", "end_user_tenant_id", "source_ip"), string())
    ),
}
_V1: dict[str, Check] = {
    "reasoning_effort": choice(("none", "minimal", "low", "medium", "high", "xhigh"), nullable=True),
    "verbosity": choice(("low", "medium", "high"), nullable=True),
    "prompt_cache_key": string(),
    "safety_identifier": string(),
}


def _stop(value: Any, path: str) -> None:
    if value is not None:
        (array(string(), shortest=1, longest=4) if isinstance(value, list) else string())(value, path)


def _response_format(surface: str) -> Check:
    only_type = record({"type": string(nullable=True)})
    kinds: dict[str, Check] = {"text": only_type, "json_object": only_type}
    if surface != OLD:
        schema = record(
            {
                "name": string(pattern=FUNCTION_NAME),
                "description": string(),
                "schema": any_object,
                "strict": boolean(nullable=True),
            },
            required=("name", "schema"),
        )
        kinds["json_schema"] = record({"type": string(), "json_schema": schema}, required=("json_schema",))
    checked = by_type(kinds)

    def form(value: Any, path: str) -> None:
        if surface == OLD and isinstance(value, dict) and value.get("type") is None:
            only_type(value, path)
        else:
            checked(value, path)

    return form


def _function(*, newer: bool) -> Check:
    fields: dict[str, Check] = {
        "name": string(pattern=FUNCTION_NAME),
        "description": string(),
        "parameters": any_object,
    }
    if newer:
        fields["strict"] = boolean(nullable=True)
    return record(fields, required=("name",))


def _tool(surface: str) -> Check:
    function = _function(newer=surface != OLD)

    def described(value: Any, path: str) -> None:
        function(value, path)
        if surface == OLD and "parameters" not in value:
            where = f"{path}.parameters"
            raise Invalid(where, "missing_required_parameter", f"Missing required parameter: '{where}'.")

    return by_type({"function": record({"type": string(), "function": described}, required=("function",))})


def _choice(what: str, required: bool) -> Check:
    words = choice(("none", "auto", "required") if required else ("none", "auto"))
    name = record({"name": string()}, required=("name",))
    named = by_type({"function": record({"type": string(), "function": name}, required=("function",))})

    def checked(value: Any, path: str) -> None:
        if isinstance(value, str):
            words(value, path)
        else:
            (named if what == "tool" else name)(value, path)

    return checked


# Rules between fields -------------------------------------------------------------------------------------


def _between_fields(body: Json) -> None:
    for name in ("tool_choice", "parallel_tool_calls"):
        if body.get(name) is not None and not body.get("tools"):
            raise refuse(name, f"'{name}' is only allowed when 'tools' are specified.")
    if body.get("stream_options") is not None and not body.get("stream"):
        raise refuse("stream_options", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
    if body.get("top_logprobs") is not None and not body.get("logprobs"):
        raise refuse("top_logprobs", "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.")
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        raise refuse(
            "max_tokens", "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        )
    wanted = body.get("tool_choice")
    if isinstance(wanted, dict):
        name = wanted["function"]["name"]
        if name not in {tool["function"]["name"] for tool in body["tools"]}:
            raise refuse("tool_choice", f"Tool choice '{name}' not found in 'tools' parameter.")
    for name in NOT_EMULATED:
        if body.get(name):
            raise refuse(name, f"The emulator has no '{name}'.")
    if "audio" in (body.get("modalities") or ()):
        raise refuse("modalities", "The emulator has no audio.")
    if (body.get("response_format") or {}).get("type") == "json_object" and not _says_json(body["messages"]):
        raise refuse(
            "messages",
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
        )


def _says_json(messages: list[Json]) -> bool:
    return any("json" in text_of(message).lower() for message in messages)
