"""What a tool of an agent or of a response may hold: the flat form that both share.

Owns the contracts of tools, tool choices and text formats. Agents want `strict` of a function and no nulls; a
response of the OpenAI surface takes null for what it leaves open. What the service knows but the API document only
names (TOOLS_NAMED) is taken as it comes.

Source: the models of azure-ai-projects 2.10 and openai 3.52.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from asstops.emulator import checks
from asstops.emulator.checks import (
    Check,
    Invalid,
    any_object,
    anything,
    array,
    boolean,
    choice,
    mapping,
    number,
    record,
    string,
)
from asstops.emulator.thread_contract import by_type, optional

FUNCTION_NAME = r"[A-Za-z0-9_-]{1,64}"
MOST_TOOLS = 128
TOOLS_NAMED = (
    "a2a_preview", "apply_patch", "bing_custom_search_preview", "browser_automation", "browser_automation_preview",
    "capture_structured_outputs", "computer", "computer_use_preview", "custom", "fabric_dataagent_preview",
    "fabric_iq_preview", "github_copilot_toolset_preview", "image_generation", "local_shell", "memory_search_preview",
    "microsoft_copilot_toolset_preview", "namespace", "programmatic_tool_calling", "sharepoint_grounding_preview",
    "shell", "tool_search", "web_iq_preview", "web_search_preview", "work_iq_preview",
)  # fmt: skip
_COMPARISONS = ("eq", "ne", "gt", "gte", "lt", "lte", "in", "nin")
_CONNECTORS = tuple(
    f"connector_{name}"
    for name in ("dropbox", "gmail", "googlecalendar", "googledrive", "microsoftteams", "outlookcalendar",
                 "outlookemail", "sharepoint")
)  # fmt: skip
_CALLERS = array(choice(("direct", "programmatic")))
_CONFIGS = mapping(record({"pin": boolean(), "additional_search_text": string()}))
_STRING = string()


def _either(text: Check, other: Check) -> Check:
    def checked(value: Any, path: str) -> None:
        (text if isinstance(value, str) else other)(value, path)

    return checked


def _filter_value(value: Any, path: str) -> None:
    if isinstance(value, list):
        for index, entry in enumerate(value):
            _scalar(entry, f"{path}[{index}]")
    else:
        _scalar(value, path)


def _scalar(value: Any, path: str) -> None:
    if not isinstance(value, (str, int, float, bool)):
        raise checks.wrong_type(path, "a string, number or boolean", value)


def _filters(value: Any, path: str) -> None:
    any_object(value, path)
    if value.get("type") in ("and", "or"):  # a tuple: the type may be anything yet
        record({"type": _STRING, "filters": array(_filters)}, required=("type", "filters"))(value, path)
        return
    fields = {"type": choice(_COMPARISONS), "key": _STRING, "value": _filter_value}
    record(fields, required=("type", "key", "value"))(value, path)


def _record(kind: str, fields: dict[str, Check], required: tuple[str, ...] = ()) -> Check:
    return record({"type": choice((kind,)), **fields}, required=required)


def _function(nulls: bool) -> Check:
    return _record(
        "function",
        {
            "name": string(pattern=FUNCTION_NAME),
            "description": string(nullable=nulls),
            "parameters": optional(any_object) if nulls else any_object,
            "strict": boolean(nullable=nulls),
            "async": boolean(nullable=nulls),
            "output_schema": optional(any_object) if nulls else any_object,
            "defer_loading": boolean(nullable=nulls),
            "allowed_callers": optional(_CALLERS) if nulls else _CALLERS,
        },
        ("name",) if nulls else ("name", "parameters", "strict"),
    )


def _file_search(nulls: bool) -> Check:
    ranking = record(
        {
            "ranker": choice(("auto", "default-2024-11-15")),
            "score_threshold": number(0, 1),
            "hybrid_search": record(
                {"embedding_weight": number(), "text_weight": number()}, required=("embedding_weight", "text_weight")
            ),
        }
    )
    fields: dict[str, Check] = {
        "vector_store_ids": array(_STRING),
        "max_num_results": number(1, 50, whole=True),
        "ranking_options": ranking,
        "filters": optional(_filters) if nulls else _filters,
    }
    if not nulls:
        fields.update({"name": _STRING, "description": _STRING, "tool_configs": _CONFIGS})
    return _record("file_search", fields, ("vector_store_ids",))


def _code_interpreter(nulls: bool) -> Check:
    container = _record(
        "auto",
        {
            "file_ids": array(_STRING),
            "memory_limit": choice(("1g", "4g", "16g", "64g"), nullable=nulls),
            "network_policy": any_object,
        },
        ("type",),
    )
    fields: dict[str, Check] = {"container": _either(_STRING, container), "allowed_callers": _CALLERS}
    if nulls:
        return _record("code_interpreter", fields, ("container",))
    fields.update({"name": _STRING, "description": _STRING, "tool_configs": _CONFIGS})
    return _record("code_interpreter", fields)


def _mcp(nulls: bool) -> Check:
    tool_filter = record({"tool_names": array(_STRING), "read_only": boolean()})
    fields: dict[str, Check] = {
        **dict.fromkeys(
            ("server_label", "server_url", "tunnel_id", "authorization", "server_description", "project_connection_id"),
            _STRING,
        ),
        "connector_id": choice(_CONNECTORS),
        "headers": mapping(_STRING, nullable=nulls),
        "allowed_tools": _list_or(tool_filter, nulls),
        "allowed_callers": _CALLERS,
        "require_approval": _either(
            choice(("always", "never")), optional(record({"always": tool_filter, "never": tool_filter}))
        ),
        "defer_loading": boolean(),
        "tool_configs": _CONFIGS,
    }
    whole = _record("mcp", fields, ("server_label",))

    def checked(value: Any, path: str) -> None:
        whole(value, path)
        if not {"server_url", "connector_id", "tunnel_id"} & set(value):
            where = f"{path}.server_url"
            raise Invalid(
                where,
                "missing_required_parameter",
                f"Missing required parameter: '{where}' (or 'connector_id', or 'tunnel_id').",
            )

    return checked


def _list_or(other: Check, nulls: bool) -> Check:
    names = array(_STRING)

    def checked(value: Any, path: str) -> None:
        if value is not None or not nulls:
            (names if isinstance(value, list) else other)(value, path)

    return checked


def _openapi() -> Check:
    scheme = record({"audience": _STRING, "project_connection_id": _STRING})
    auth = by_type(
        {
            "anonymous": record({"type": _STRING}),
            "managed_identity": record({"type": _STRING, "security_scheme": scheme}, required=("security_scheme",)),
            "project_connection": record({"type": _STRING, "security_scheme": scheme}, required=("security_scheme",)),
        }
    )
    function = record(
        {
            "name": _STRING,
            "description": _STRING,
            "spec": any_object,
            "auth": auth,
            "default_params": array(_STRING),
            "functions": anything,  # read-only
        },
        required=("name", "spec", "auth"),
    )
    return _record("openapi", {"openapi": function, "tool_configs": _CONFIGS}, ("openapi",))


def _web_search(nulls: bool) -> Check:
    place = _record(
        "approximate",
        dict.fromkeys(("country", "region", "city", "timezone"), string(nullable=nulls)),
        () if nulls else ("type",),
    )
    fields: dict[str, Check] = {
        "external_web_access": boolean(),
        "filters": optional(record({"allowed_domains": array(_STRING)})),
        "user_location": optional(place) if nulls else place,
        "search_context_size": choice(("low", "medium", "high")),
    }
    if not nulls:
        connection = {"project_connection_id": _STRING, "instance_name": _STRING}
        fields["custom_search_configuration"] = record(connection, required=tuple(connection))
        fields.update({"name": _STRING, "description": _STRING, "tool_configs": _CONFIGS})
    return _record("web_search", fields)


def _azure() -> dict[str, Check]:
    """The tools that only agents have, and that only Azure has."""
    index = record(
        {
            **dict.fromkeys(("project_connection_id", "index_name", "filter", "index_asset_id"), _STRING),
            "query_type": choice(("simple", "semantic", "vector", "vector_simple_hybrid", "vector_semantic_hybrid")),
            "top_k": number(whole=True),
        }
    )
    queue = record(
        dict.fromkeys(("queue_service_endpoint", "queue_name"), _STRING),
        required=("queue_service_endpoint", "queue_name"),
    )
    binding = _record("storage_queue", {"storage_queue": queue}, ("type", "storage_queue"))
    azure_function = {
        "function": record(
            {"name": _STRING, "description": _STRING, "parameters": any_object}, required=("name", "parameters")
        ),
        "input_binding": binding,
        "output_binding": binding,
    }
    bing = record(
        {
            **dict.fromkeys(("project_connection_id", "market", "set_lang", "freshness"), _STRING),
            "count": number(whole=True),
        },
        required=("project_connection_id",),
    )
    named = {"name": _STRING, "description": _STRING, "tool_configs": _CONFIGS}
    return {
        "openapi": _openapi(),
        "a2a": _record(
            "a2a",
            {
                **dict.fromkeys(("base_url", "agent_card_path", "project_connection_id"), _STRING),
                "send_credentials_for_agent_card": boolean(),
                "a2a_version": choice(("1.0",)),
            },
            ("a2a_version",),
        ),
        "azure_ai_search": _record(
            "azure_ai_search",
            {**named, "azure_ai_search": record({"indexes": array(index)}, required=("indexes",))},
            ("azure_ai_search",),
        ),
        "azure_function": _record(
            "azure_function",
            {"tool_configs": _CONFIGS, "azure_function": record(azure_function, required=tuple(azure_function))},
            ("azure_function",),
        ),
        "bing_grounding": _record(
            "bing_grounding",
            {
                **named,
                "bing_grounding": record({"search_configurations": array(bing)}, required=("search_configurations",)),
            },
            ("bing_grounding",),
        ),
    }


@cache
def tools(*, nulls: bool) -> Check:
    """A list of tools; `nulls` for those of a response, which takes null for what it leaves open."""
    kinds: dict[str, Check] = {
        "function": _function(nulls),
        "file_search": _file_search(nulls),
        "code_interpreter": _code_interpreter(nulls),
        "mcp": _mcp(nulls),
        "web_search": _web_search(nulls),
        **_azure(),
        **dict.fromkeys(TOOLS_NAMED, any_object),
    }
    every = array(by_type(kinds), longest=MOST_TOOLS)

    def checked(value: Any, path: str) -> None:
        every(value, path)
        seen = set()
        for index, entry in enumerate(value):
            if entry["type"] == "function" and entry["name"] in seen:
                where = f"{path}[{index}].name"
                raise Invalid(where, "invalid_value", f"Duplicate function in '{path}': '{entry['name']}'.")
            if entry["type"] == "function":
                seen.add(entry["name"])

    return checked


def _named_choice(value: Any, path: str) -> None:
    any_object(value, path)
    if value.get("type") == "function":
        record({"type": _STRING, "name": _STRING}, required=("name",))(value, path)
    elif "type" not in value:
        raise Invalid(f"{path}.type", "missing_required_parameter", f"Missing required parameter: '{path}.type'.")
    else:
        _STRING(value["type"], f"{path}.type")


TOOL_CHOICE: Check = _either(choice(("none", "auto", "required")), _named_choice)


@cache
def text_format(*, nulls: bool) -> Check:
    """The format of a text: text, json_object or json_schema."""
    only_type = record({"type": _STRING})
    schema = record(
        {
            "type": _STRING,
            "name": string(pattern=FUNCTION_NAME),
            "description": _STRING,
            "schema": any_object,
            "strict": boolean(nullable=nulls),
        },
        required=("name", "schema"),
    )
    return by_type({"text": only_type, "json_object": only_type, "json_schema": schema})


@cache
def reasoning(*, nulls: bool) -> Check:
    """How much a model is to think."""
    summary = choice(("auto", "concise", "detailed"), nullable=nulls)
    return record(
        {
            "mode": choice(("standard", "pro"), nullable=nulls),
            "effort": choice(("none", "minimal", "low", "medium", "high", "xhigh", "max"), nullable=nulls),
            "summary": summary,
            "context": choice(("auto", "current_turn", "all_turns"), nullable=nulls),
            "generate_summary": summary,
        }
    )
