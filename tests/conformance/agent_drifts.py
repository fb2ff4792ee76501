"""What somebody else may change in a project: mostly by a new version of an agent."""

from __future__ import annotations

import copy
from typing import Any

from tests.conformance.agent_cases import AGENTS, FOUNDRY, MCP, OPENAPI, SHOPS
from tests.conformance.cases import TOWN, At, put
from tests.conformance.drifts import FULL_ARM, Drift
from tests.support.stage import Json, Stage

_H: At = ("assistants", "helper")
_D: At = ("vector_stores", "docs")
_P: At = ("resource", "project")

FULL_AGENTS: Json = put(
    put(
        AGENTS,
        _H,
        {
            "name": "Helper",
            "model": "gpt-4o",
            "description": "Helps.",
            "instructions": "Be brief.",
            "tools": [
                {"code_interpreter": {"files": ["a"], "memory_limit": "4g"}},
                {
                    "file_search": {
                        "vector_store": "docs",
                        "max_num_results": 5,
                        "ranking_options": {"ranker": "auto", "score_threshold": 0.5},
                    }
                },
                {"function": "weather"},
                {"mcp": {**MCP, "server_description": "Docs.", "allowed_tools": ["a"], "require_approval": "never"}},
                {"openapi": {**OPENAPI, "description": "Pets."}},
                {
                    "web_search": {
                        "search_context_size": "low",
                        "user_location": {"country": "SE"},
                        "allowed_domains": ["a.example.com"],
                    }
                },
            ],
            "temperature": 0.2,
            "top_p": 0.5,
            "reasoning": {"effort": "low"},
            "response_format": {"type": "json_object"},
            "metadata": {"owner": "x"},
        },
    ),
    _D,
    {"name": "Docs", "files": ["a"], "expires_after_days": 30, "metadata": {"owner": "x"}},
)
FULL_FOUNDRY: Json = put(
    put(
        put(FOUNDRY, ("deployments",), FULL_ARM["deployments"]),
        _P,
        {"name": "conf-project", "display_name": "First", "description": "One.", "tags": {"owner": "x"}},
    ),
    ("resource", "tags"),
    {"owner": "x"},
)


def new_version(stage: Stage, key: str, change: Json, *, copied: bool, home: str = "/api/projects/emulator") -> Json:
    """Somebody else's version of an agent: the newest one with a change, laid over it field by field.

    Of the definition by name, of its tools by type (None takes one out, one of a new type comes to it). `copied`
    metadata has our mark, as a client that reads and writes makes it; else it has the rest alone.
    """
    (agent,) = [item for item in stage.dump()["agents"] if item["name"] == key]
    latest = agent["versions"][-1]
    definition, change = copy.deepcopy(latest["definition"]), dict(change)
    metadata = {name: value for name, value in latest["metadata"].items() if copied or name != "asstops"}
    body: Json = {
        "metadata": {**metadata, **change.pop("metadata", {})},
        "description": change.pop("description", latest.get("description", "")),
        "definition": definition,
    }
    tools = {tool["type"]: tool for tool in definition.get("tools", [])}
    for kind, given in change.pop("tools", {}).items():
        tools[kind] = None if given is None else {**tools.get(kind, {"type": kind}), **given}
    definition.update(change, tools=[tool for tool in tools.values() if tool is not None])
    return stage.project("POST", f"/agents/{key}/versions", body, home=home)


def _agent(path: str, body: Json, at: At, value: Any, **more: Any) -> Drift:
    return Drift("assistant.helper", path, body, (*_H, *at), value, spec=FULL_AGENTS, **more)


def _tool(path: str, kind: str, change: Json | None, at: At, value: Any, **more: Any) -> Drift:
    return _agent(path, {"tools": {kind: change}}, ("tools", *at) if at else (), value, **more)


def _store(path: str, body: Json, at: At, value: Any) -> Drift:
    return Drift("vector_store.docs", path, body, (*_D, *at), value, spec=FULL_AGENTS)


def _arm(address: str, path: str, body: Json, at: At, value: Any) -> Drift:
    return Drift(address, path, body, at, value, spec=FULL_FOUNDRY)


_RANKED = {"ranker": "auto", "score_threshold": 0.9}
_CODE = ("code_interpreter.files", "code_interpreter.memory_limit")
_WEB = ("web_search.allowed_domains", "web_search.search_context_size", "web_search.user_location")
_SEARCH = ("file_search.max_num_results", "file_search.ranking_options", "file_search.vector_store")

AGENT_DRIFTS = (
    _agent("name", {"metadata": {"display_name": "Theirs"}}, ("name",), "Mine"),
    _agent("model", {"model": "gpt-4o-mini"}, ("model",), "gpt-4.1", applied=False),
    _agent("description", {"description": "Theirs."}, ("description",), "Mine."),
    _agent("instructions", {"instructions": "Theirs."}, ("instructions",), "Mine."),
    _agent("temperature", {"temperature": 1.5}, ("temperature",), 0.3),
    _agent("top_p", {"top_p": 0.9}, ("top_p",), 0.3),
    _agent("reasoning", {"reasoning": {"effort": "high"}}, ("reasoning", "effort"), "medium"),
    _agent("response_format", {"text": {"format": {"type": "text"}}}, ("response_format",),
           {"type": "json_schema", "json_schema": {"name": "answer", "schema": TOWN}}),
    _agent("metadata.owner", {"metadata": {"owner": "y"}}, ("metadata", "owner"), "z"),
    _tool("functions", "function", {"parameters": TOWN}, (2, "function"), "stock"),
    _tool("code_interpreter.files", "code_interpreter", {"container": {"type": "auto", "memory_limit": "4g"}},
          (0, "code_interpreter", "files"), ["b"]),
    _tool("code_interpreter.memory_limit", "code_interpreter", {"container": {"type": "auto", "memory_limit": "1g"}},
          (0, "code_interpreter", "memory_limit"), "16g", also=("code_interpreter.files",)),
    _tool("file_search.vector_store", "file_search", {"vector_store_ids": []}, (1, "file_search", "vector_store"),
          "other"),
    _tool("file_search.max_num_results", "file_search", {"max_num_results": 9}, (1, "file_search", "max_num_results"),
          7),
    _tool("file_search.ranking_options", "file_search", {"ranking_options": _RANKED},
          (1, "file_search", "ranking_options", "score_threshold"), 0.1),
    _tool("mcp", "mcp", {"require_approval": "always"}, (3, "mcp", "server_description"), "Mine."),
    _tool("openapi", "openapi", {"openapi": {**OPENAPI, "spec": SHOPS}}, (4, "openapi", "description"), "Mine."),
    _tool("web_search.search_context_size", "web_search", {"search_context_size": "high"},
          (5, "web_search", "search_context_size"), "medium"),
    _tool("web_search.user_location", "web_search", {"user_location": {"type": "approximate", "country": "NO"}},
          (5, "web_search", "user_location", "country"), "DK"),
    _tool("web_search.allowed_domains", "web_search", {"filters": {"allowed_domains": ["c.example.com"]}},
          (5, "web_search", "allowed_domains"), ["b.example.com"]),
    _tool("web_search", "web_search", None, (), None, also=_WEB),
    _tool("other_tools", "image_generation", {}, (), None),
    _tool("code_interpreter", "code_interpreter", None, (), None, also=_CODE),
    _tool("file_search", "file_search", None, (), None, also=_SEARCH),
    _store("name", {"name": "Theirs"}, ("name",), "Mine"),
    _store("expires_after_days", {"expires_after": {"anchor": "last_active_at", "days": 9}}, ("expires_after_days",),
           5),
    _store("metadata.owner", {"metadata": {"owner": "y"}}, ("metadata", "owner"), "z"),
    _arm("resource.conf-account", "tags.owner", {"tags": {"owner": "y"}}, ("resource", "tags", "owner"), "z"),
    _arm("resource.conf-account", "project_management", {"properties": {"allowProjectManagement": False}}, (), None),
    _arm("resource.conf-account", "identity", {"identity": {"type": "None"}}, (), None),
    _arm("project.conf-project", "display_name", {"properties": {"displayName": "Theirs"}}, (*_P, "display_name"),
         "Mine"),
    _arm("project.conf-project", "description", {"properties": {"description": "Theirs."}}, (*_P, "description"),
         "Mine."),
    _arm("project.conf-project", "tags.owner", {"tags": {"owner": "y"}}, (*_P, "tags", "owner"), "z"),
)  # fmt: skip
