"""The cases of `service: agents`: those that every service has, and the fields that only agents have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.conformance.cases import ARM, CASES, DATA, At, Case, Json, put
from tests.conformance.cases import ELSEWHERE as EVERYWHERE

PETS: Json = {"openapi": "3.1.0", "info": {"title": "Pets", "version": "1"}, "paths": {"/pets": {"get": {}}}}
SHOPS: Json = {"openapi": "3.1.0", "info": {"title": "Shops", "version": "1"}, "paths": {"/shops": {"get": {}}}}
MCP: Json = {"server_label": "docs", "server_url": "https://docs.example.com/mcp"}
OPENAPI: Json = {"name": "pets", "spec": PETS, "auth": {"type": "anonymous"}}

_H: At = ("assistants", "helper")
_T: At = (*_H, "tools")
_R: At = (*_H, "response_format")
_P: At = ("resource", "project")

AGENTS: Json = put(
    {**DATA, "service": "agents"},
    _T,
    [*DATA["assistants"]["helper"]["tools"], {"mcp": MCP}, {"openapi": OPENAPI}, {"web_search": {}}],
)
FOUNDRY: Json = put({**ARM, "service": "agents"}, _P, {"name": "conf-project"})


def _agent(name: str, at: At, before: Any, after: Any, *diffs: str, **more: Any) -> Case:
    return Case("assistant", name, at, before, after, diffs, base=AGENTS, **more)


def _project(name: str, before: Any, after: Any, *diffs: str, **more: Any) -> Case:
    return Case("project", name, (*_P, name), before, after, diffs, base=FOUNDRY, **more)


def _tool(name: str, place: int, before: Any, after: Any, *, removable: bool = True) -> Case:
    """A setting of one of the tools of which a list holds the whole."""
    tool, *rest = name.split(".")
    at = (*_T, place, tool, *rest)
    return _agent(f"tools.{name}", at, before, after, tool, removed=(tool,) if removable else None)


def _auth(name: str, before: Json, after: Json) -> Case:
    return replace(_tool("openapi.auth", 4, before, after, removable=False), field=f"tools.openapi.auth.{name}")


def _described(name: str, before: Any, after: Any) -> Case:
    """The document of an HTTP API, which has to be there."""
    return replace(_tool("openapi.spec", 4, before, after, removable=False), field=f"tools.openapi.{name}")


def _places(name: str, before: str, after: str) -> Case:
    at, diffs = (*_T, 5, "web_search", "user_location"), ("web_search.user_location",)
    return _agent(f"tools.web_search.user_location.{name}", at, {name: before}, {name: after}, *diffs, removed=diffs)


def _searches(name: str, before: Any, after: Any) -> Case:
    diffs = (f"web_search.{name}",)
    return _agent(f"tools.web_search.{name}", (*_T, 5, "web_search", name), before, after, *diffs, removed=diffs)


_IDENTITY = {"type": "managed_identity", "audience": "https://one.example.com"}
_CONNECTION = {"type": "project_connection", "project_connection_id": "one"}
_FOUND = "file_search.ranking_options"

OWN: tuple[Case, ...] = (
    _project("display_name", "First", "Second", "display_name", removed=("display_name",)),
    _project("description", "One.", "Two.", "description", removed=("description",)),
    _project("tags", {"team": "x", "gone": "1"}, {"team": "y", "new": "2"}, "tags.gone", "tags.new", "tags.team",
             removed=("tags.new", "tags.team")),
    _agent("tools", _T, ["code_interpreter"], [{"file_search": {"vector_store": "docs"}}], "code_interpreter",
           "file_search", "file_search.vector_store", removed=("file_search", "file_search.vector_store")),
    _agent("tools.file_search.vector_store", (*_T, 1, "file_search", "vector_store"), "docs", "other",
           "file_search.vector_store"),
    _agent(f"tools.{_FOUND}.ranker", (*_T, 1, "file_search", "ranking_options"), {"ranker": "auto"},
           {"ranker": "default-2024-11-15"}, _FOUND, removed=(_FOUND,)),
    _agent(f"tools.{_FOUND}.score_threshold", (*_T, 1, "file_search", "ranking_options"), {"score_threshold": 0.5},
           {"score_threshold": 0}, _FOUND, removed=(_FOUND,)),
    _agent("tools.code_interpreter.memory_limit", (*_T, 0, "code_interpreter", "memory_limit"), "4g", "16g",
           "code_interpreter.memory_limit", removed=("code_interpreter.memory_limit",)),
    _tool("mcp.server_label", 3, "docs", "papers", removable=False),
    _tool("mcp.server_url", 3, "https://one.example.com", "https://two.example.com", removable=False),
    _tool("mcp.server_description", 3, "One.", "Two."),
    _tool("mcp.allowed_tools", 3, ["a"], ["b", "a"]),
    _tool("mcp.require_approval", 3, "always", "never"),
    _tool("mcp.project_connection_id", 3, "one", "two"),
    _tool("openapi.name", 4, "pets", "animals", removable=False),
    _tool("openapi.description", 4, "One.", "Two."),
    _tool("openapi.default_params", 4, ["a"], ["a", "b"]),
    _described("spec", PETS, SHOPS),
    _described("spec.file", PETS, {"file": "schemas/city.json"}),
    _described("spec.vars", {"file": "schemas/vars.json"}, {"file": "schemas/vars.json", "vars": True}),
    _auth("type", {"type": "anonymous"}, _IDENTITY),
    _auth("audience", _IDENTITY, {**_IDENTITY, "audience": "https://two.example.com"}),
    _auth("project_connection_id", _CONNECTION, {**_CONNECTION, "project_connection_id": "two"}),
    _searches("search_context_size", "low", "high"),
    _searches("allowed_domains", ["a.example.com"], ["b.example.com", "a.example.com"]),
    _places("country", "SE", "NO"),
    _places("region", "Skåne", "Oslo"),
    _places("city", "Lund", "Oslo"),
    _places("timezone", "Europe/Stockholm", "Europe/Oslo"),
    _agent("reasoning.effort", (*_H, "reasoning"), {"effort": "low"}, {"effort": "high"}, "reasoning",
           removed=("reasoning",)),
    _agent("reasoning.summary", (*_H, "reasoning"), {"effort": "low"}, {"effort": "low", "summary": "auto"},
           "reasoning", removed=("reasoning",)),
    _agent("response_format", _R, {"type": "json_object"}, "auto", "response_format", removed=()),
)  # fmt: skip


def _in_agents(case: Case) -> Case:
    """A case of every service on agents; a file that is searched and computed with is used by more there."""
    if case.base is ARM:
        return replace(case, base=FOUNDRY)
    return replace(case, base=AGENTS if case.kind in ("assistant", "tool") else {**DATA, "service": "agents"})


_INSTEAD = {str(case) for case in OWN}
AGENT_CASES = (*(_in_agents(case) for case in CASES if str(case) not in _INSTEAD), *OWN)

ELSEWHERE: dict[str, str] = {
    **EVERYWHERE,
    "project.name": "test_a_project_is_not_left_behind_under_its_old_name",
    "project.managed": "test_an_existing_project_is_used_and_left",
    "project.protect": "test_protection_is_switched_in_place",
    "assistant.keep_versions": "test_old_versions_go",
}
