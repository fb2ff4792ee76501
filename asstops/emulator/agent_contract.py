"""What the bodies of the agents API may hold.

Owns the fields and limits of an agent's version and of what an update of an agent sends. What a definition refers to
is checked elsewhere.

Source: the models of azure-ai-projects 2.10; lengths as the API document has them.
"""

from __future__ import annotations

from typing import Any

from asstops.emulator import agent_tools, checks
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

KINDS = ("prompt", "hosted", "workflow", "external", "voice")
NAME = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_STRING = string()
_METADATA = mapping(string(longest=512), most=16, key_longest=64)
_MODERATION = record(
    {
        "input_content_type": choice(("json", "text")),
        "output_content_type": choice(("json", "text")),
        "response_mode": choice(("non_streaming", "streaming", "both")),
        "input_paths": array(_STRING),
        "output_paths": array(_STRING),
        "stream_selectors": array(
            record({"event_type": _STRING, "text_field": _STRING}, required=("event_type",)),
        ),
    },
    required=("response_mode",),
)
_PROMPT = record(
    {
        "kind": choice(("prompt",)),
        "model": string(shortest=1),
        "instructions": _STRING,
        "temperature": number(0, 2),
        "top_p": number(0, 1),
        "reasoning": agent_tools.reasoning(nulls=False),
        "tools": agent_tools.tools(nulls=False),
        "tool_choice": agent_tools.TOOL_CHOICE,
        "text": record({"format": agent_tools.text_format(nulls=False)}),
        "structured_inputs": mapping(
            record({"description": _STRING, "default_value": anything, "schema": any_object, "required": boolean()})
        ),
        "rai_config": record(
            {"rai_policy_name": _STRING, "invocations_moderation": _MODERATION}, required=("rai_policy_name",)
        ),
        "skills": array(record({"name": _STRING, "version": _STRING}, required=("name",))),
        "harness": any_object,
    },
    required=("kind", "model"),
)


def _definition(value: Any, path: str) -> None:
    any_object(value, path)
    if "kind" not in value:
        raise Invalid(f"{path}.kind", "missing_required_parameter", f"Missing required parameter: '{path}.kind'.")
    choice(KINDS)(value["kind"], f"{path}.kind")
    if value["kind"] == "prompt":  # of the others the API document has only the names
        _PROMPT(value, path)


def _blueprint(value: Any, path: str) -> None:
    any_object(value, path)
    if "type" not in value:
        raise Invalid(f"{path}.type", "missing_required_parameter", f"Missing required parameter: '{path}.type'.")
    _STRING(value["type"], f"{path}.type")


_VERSION: dict[str, Check] = {
    "definition": _definition,
    "metadata": _METADATA,
    "description": string(longest=512),
    "draft": boolean(),
    "blueprint_reference": _blueprint,
}
VERSION = record(_VERSION, required=("definition",))
AGENT = record({"name": string(), **_VERSION}, required=("name", "definition"))
_RULES = record(
    {
        "version_selection_rules": array(
            record(
                {"type": _STRING, "agent_version": _STRING, "traffic_percentage": number(0, 100, whole=True)},
                required=("type", "agent_version"),
            )
        )
    },
    required=("version_selection_rules",),
)
DETAILS = record(
    {
        "agent_endpoint": record(
            {
                "version_selector": _RULES,
                "protocol_configuration": record(
                    dict.fromkeys(("activity", "responses", "a2a", "mcp", "invocations", "invocations_ws"), any_object)
                ),
                "authorization_schemes": array(any_object),
                "publish_approval_status": anything,  # read-only
            },
            nullable=True,
        ),
        "agent_card": record(
            {
                "version": _STRING,
                "description": _STRING,
                "skills": array(
                    record(
                        {
                            **dict.fromkeys(("id", "name", "description"), _STRING),
                            **dict.fromkeys(("tags", "examples"), array(_STRING)),
                        },
                        required=("id", "name"),
                    )
                ),
            },
            required=("version", "skills"),
            nullable=True,
        ),
    }
)


def check_name(name: str) -> None:
    """Refuse what is no name of an agent: letters, digits and inner hyphens, at most 63."""
    checks.string(pattern=NAME)(name, "agent_name")
