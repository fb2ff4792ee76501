"""The form in which the version of an agent is answered, where that is not the form in which it was sent.

Owns the switches `agent_defaults` and `tools_order`, as far as agents go. What is stored stays as it was sent.
"""

from __future__ import annotations

import copy

from asstops.emulator.wire import Call, Json

_DEFAULTS: dict[str, Json] = {
    "function": {"description": ""},
    "code_interpreter": {"container": {"type": "auto", "file_ids": [], "memory_limit": "1g"}},
    "file_search": {"max_num_results": 20, "ranking_options": {"ranker": "auto", "score_threshold": 0.0}},
    "mcp": {"require_approval": "always"},
    "openapi": {"openapi": {"description": ""}},
    "web_search": {"search_context_size": "medium", "external_web_access": True},
}
_DEFINITION: Json = {
    "instructions": "",
    "temperature": 1.0,
    "top_p": 1.0,
    "tools": [],
    "text": {"format": {"type": "text"}},
}
_FORMAT: Json = {"description": "", "strict": False}
_OPEN: dict[str, Json] = {  # what may be left open, and can then be null
    "function": {"description": None},
    "code_interpreter": {"container": {"type": "auto", "file_ids": None, "memory_limit": None}},
    "file_search": dict.fromkeys(("max_num_results", "ranking_options", "filters", "name", "description")),
    "mcp": dict.fromkeys(
        ("server_description", "allowed_tools", "require_approval", "project_connection_id", "headers", "authorization")
    ),
    "openapi": {"openapi": dict.fromkeys(("description", "default_params", "functions"))},
    "web_search": dict.fromkeys(("search_context_size", "user_location", "filters", "external_web_access")),
}
_OPEN_DEFINITION = dict.fromkeys(
    ("instructions", "temperature", "top_p", "reasoning", "tools", "tool_choice", "text", "rai_config", "skills")
)
_OPEN_REASONING = dict.fromkeys(("effort", "summary"))


def shown_version(call: Call, stored: Json) -> Json:
    """Return a version in the form of answers."""
    on = call.state.on
    way, kept = on("agent_defaults"), on("tools_order") == "kept"
    if (way == "left_out" and kept) or stored["definition"]["kind"] != "prompt":
        return stored
    body = copy.deepcopy(stored)
    made: Json = body["definition"]
    if not kept and made.get("tools"):
        made["tools"].sort(key=lambda tool: str(tool["type"]))
    if way == "filled":
        body["definition"] = made = _laid_over(_DEFINITION, made)
        made["tools"] = [_shown_openapi(_laid_over(_DEFAULTS.get(tool["type"], {}), tool)) for tool in made["tools"]]
        if made["text"].get("format", {}).get("type") == "json_schema":
            made["text"]["format"] = _laid_over(_FORMAT, made["text"]["format"])
        body.setdefault("description", "")
    elif way == "null":
        body["definition"] = made = _laid_over(_OPEN_DEFINITION, made)
        if made["tools"]:
            made["tools"] = [_laid_over(_OPEN.get(tool["type"], {}), tool) for tool in made["tools"]]
        if made["reasoning"]:
            made["reasoning"] = _laid_over(_OPEN_REASONING, made["reasoning"])
        body.setdefault("description", None)
    return body


def _laid_over(default: Json, given: Json) -> Json:
    """Return what was given with the defaults of what was not, map by map; a choice of another type has none."""
    made = {**copy.deepcopy(default), **given}
    for name, inner in default.items():
        if isinstance(inner, dict) and isinstance(given.get(name), dict):
            same = inner.get("type", given[name].get("type")) == given[name].get("type")
            made[name] = _laid_over(inner, given[name]) if same else given[name]
    return made


def _shown_openapi(tool: Json) -> Json:
    """Return a tool with what the service reads out of its document, which nobody can send."""
    if tool["type"] != "openapi":
        return tool
    functions = [{"name": path, "parameters": {}} for path in tool["openapi"]["spec"].get("paths", {})]
    return {**tool, "openapi": {**tool["openapi"], "functions": functions}}
