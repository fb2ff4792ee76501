"""The tools of Foundry classic that call other services -> how a spec writes them. Pure.

Source: the models of azure-ai-agents 1.1 and azure-ai-projects 2.10.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asstops.kinds.assistant_spec import ADDRESS
from asstops.migrate.emit import literal
from asstops.migrate.naming import key_from, looks_secret, sound
from asstops.migrate.report import Output
from asstops.migrate.schemas import json_text, trouble

_APPROVALS = ("always", "never")


def mcp_tool(tool: Mapping[str, Any], *, same_project: bool = False) -> dict[str, Any] | str:
    """An MCP server's entry, or why there is none. In the `same_project` its connections still hold."""
    label, url = _text(tool.get("server_label")), _text(tool.get("server_url"))
    if not label or not url:
        return "it has no server_label or no server_url"
    if not ADDRESS.match(url):
        return "its server_url is no address"
    made: dict[str, Any] = {"server_label": label, "server_url": url}
    if description := _text(tool.get("server_description")):
        made["server_description"] = description
    allowed = tool.get("allowed_tools")
    if isinstance(allowed, list) and allowed:
        if not all(_text(name) for name in allowed):
            return "allowed_tools holds what is no name"
        made["allowed_tools"] = [_text(name) for name in allowed]
    elif allowed:
        return "allowed_tools is no list of names"
    approval = tool.get("require_approval")
    if approval in _APPROVALS:
        made["require_approval"] = approval
    elif approval is not None:
        return "require_approval is neither always nor never"
    if tool.get("headers"):
        return "it sends headers; put what they hold into a connection of the project"
    if same_project and (connection := _text(tool.get("project_connection_id"))):
        made["project_connection_id"] = connection
    return made


def openapi_tool(
    tool: Mapping[str, Any], stem: str, outputs: list[Output], *, same_project: bool = False
) -> dict[str, Any] | str:
    """An OpenAPI tool's entry, its document in a file of its own; or why there is none.

    In the `same_project` its connections still hold.
    """
    inner = tool.get("openapi")
    if not isinstance(inner, Mapping) or not isinstance(inner.get("spec"), Mapping):
        return "it has no OpenAPI document"
    name = _text(inner.get("name"))
    if not name:
        return "it has no name"
    auth = inner.get("auth")
    kind = auth.get("type") if isinstance(auth, Mapping) else None
    scheme = auth.get("security_scheme") if isinstance(auth, Mapping) else None
    scheme = scheme if isinstance(scheme, Mapping) else {}
    signing: dict[str, Any]
    if kind == "anonymous":
        signing = {"type": "anonymous"}
    elif kind == "managed_identity" and _text(scheme.get("audience")):
        signing = {"type": "managed_identity", "audience": _text(scheme.get("audience"))}
    elif same_project and kind == "project_connection" and (name_of := _text(scheme.get("project_connection_id"))):
        signing = {"type": "project_connection", "project_connection_id": name_of}
    else:
        return "it signs in by a connection of the old project; make one in the new project"
    path = f"openapi/{stem}-{key_from(name) or 'api'}.json"
    while any(output.path.casefold() == path.casefold() for output in outputs):
        path = path.removesuffix(".json") + "-2.json"
    text = json_text(inner["spec"])
    if wrong := trouble(text):
        return f"its OpenAPI document cannot be used: {wrong}"
    made: dict[str, Any] = {"name": name}
    if description := _text(inner.get("description")):
        made["description"] = description
    defaults = inner.get("default_params")
    more = {"default_params": list(map(_text, defaults))} if defaults and same_project and _all_texts(defaults) else {}
    outputs.append(Output(path, text))
    return {**made, "spec": {"file": path}, "auth": signing, **more}


def _all_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_text, value))


def _text(value: Any) -> str:
    """Text that a spec takes, else ""."""
    return literal(sound(value)) if isinstance(value, str) and not looks_secret(value) else ""
