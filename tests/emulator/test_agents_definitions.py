"""What a version of an agent may hold: each limit on both sides, each tool in full, nothing unknown."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.conftest import Emu, error_of
from tests.emulator.foundry import PROMPT, Foundry

FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}
SCHEMA = {"type": "json_schema", "name": "n", "schema": {"type": "object"}}
AUTH = {"type": "anonymous"}
OPENAPI = {"name": "n", "spec": {"openapi": "3.1.0"}, "auth": AUTH}
QUEUE = {"type": "storage_queue", "storage_queue": {"queue_service_endpoint": "https://q", "queue_name": "q"}}
AZURE_FUNCTION = {"function": {"name": "n", "parameters": {}}, "input_binding": QUEUE, "output_binding": QUEUE}
TOOLS: list[dict[str, Any]] = [
    {**FUNCTION, "description": "d", "async": False, "output_schema": {}, "defer_loading": True,
     "allowed_callers": ["direct"]},
    {"type": "code_interpreter"},
    {"type": "code_interpreter", "container": "cntr_1"},
    {"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "4g"}},
    {"type": "file_search", "vector_store_ids": [], "max_num_results": 50,
     "ranking_options": {"ranker": "auto", "score_threshold": 0.5,
                         "hybrid_search": {"embedding_weight": 1, "text_weight": 0.5}},
     "filters": {"type": "and", "filters": [{"type": "eq", "key": "k", "value": 1},
                                            {"type": "in", "key": "k", "value": ["a", 2]}]}},
    {"type": "mcp", "server_label": "s", "server_url": "https://s", "require_approval": "never",
     "allowed_tools": ["t"], "headers": {"h": "v"}},
    {"type": "mcp", "server_label": "s", "connector_id": "connector_gmail",
     "require_approval": {"always": {"tool_names": ["t"]}}, "allowed_tools": {"read_only": True}},
    {"type": "web_search", "search_context_size": "low", "filters": {"allowed_domains": ["example.com"]},
     "user_location": {"type": "approximate", "country": "SE"}},
    {"type": "openapi", "openapi": OPENAPI},
    {"type": "openapi", "openapi": {**OPENAPI, "auth": {"type": "managed_identity",
                                                        "security_scheme": {"audience": "a"}}}},
    {"type": "azure_ai_search", "azure_ai_search": {"indexes": [{"index_name": "i", "top_k": 3}]}},
    {"type": "azure_function", "azure_function": AZURE_FUNCTION},
    {"type": "bing_grounding", "bing_grounding": {"search_configurations": [{"project_connection_id": "c"}]}},
    {"type": "a2a", "a2a_version": "1.0", "base_url": "https://a"},
    {"type": "image_generation", "quality": "high"},
]  # fmt: skip
BAD_TOOLS: list[dict[str, Any]] = [
    {},
    {"type": "none"},
    {"type": "function", "name": "f", "parameters": {}},  # strict is wanted
    {"type": "function", "name": "f", "strict": True},
    {**FUNCTION, "name": "a b"},
    {**FUNCTION, "name": "x" * 65},
    {**FUNCTION, "strict": None},
    {"type": "function", "function": {"name": "f"}},  # the form that assistants have
    {"type": "file_search"},
    {"type": "file_search", "vector_store_ids": [], "max_num_results": 0},
    {"type": "file_search", "vector_store_ids": [], "max_num_results": 51},
    {"type": "file_search", "vector_store_ids": [], "ranking_options": {"score_threshold": 1.1}},
    {"type": "file_search", "vector_store_ids": [], "filters": {"type": "eq", "key": "k"}},
    {"type": "file_search", "vector_store_ids": [], "filters": {"type": {}}},
    {"type": "code_interpreter", "container": {"file_ids": []}},
    {"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "3g"}},
    {"type": "mcp", "server_url": "https://s"},
    {"type": "mcp", "server_label": "s"},
    {"type": "mcp", "server_label": "s", "server_url": "u", "require_approval": "sometimes"},
    {"type": "web_search", "search_context_size": "huge"},
    {"type": "openapi", "openapi": {"name": "n", "spec": {}}},
    {"type": "openapi", "openapi": {**OPENAPI, "auth": {"type": "managed_identity"}}},
    {"type": "bing_grounding"},
]


@pytest.fixture
def project(emu: Emu) -> Foundry:
    return Foundry(emu)


def status(project: Foundry, definition: dict[str, Any] | None = None, **body: Any) -> int:
    sent = {"definition": {**PROMPT, **(definition or {})}, **body}
    answer = project.agents("POST", "/agents/clerk/versions", sent)
    assert answer.status_code in {200, 400}, answer.text
    return answer.status_code


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool["type"])
def test_tools_are_kept_as_sent(project: Foundry, tool: dict[str, Any]) -> None:
    assert project.version("clerk", {"tools": [tool]})["definition"]["tools"] == [tool]


@pytest.mark.parametrize("tool", BAD_TOOLS, ids=str)
def test_bad_tools(project: Foundry, tool: dict[str, Any]) -> None:
    body = {"definition": {**PROMPT, "tools": [tool]}}
    error = error_of(project.agents("POST", "/agents/clerk/versions", body), 400)
    assert error["param"].startswith("definition.tools[0]")


def test_every_tool_refuses_what_it_does_not_know(project: Foundry) -> None:
    for tool in TOOLS[:-1]:
        assert status(project, {"tools": [{**tool, "nmae": "x"}]}) == 400, tool


@pytest.mark.parametrize(
    ("definition", "other"),
    [
        ({"temperature": 2}, {"temperature": 2.01}),
        ({"temperature": 0}, {"temperature": -0.01}),
        ({"top_p": 1}, {"top_p": 1.01}),
        ({"top_p": 0}, {"top_p": -0.01}),
        ({"tools": [{**FUNCTION, "name": f"f{n}"} for n in range(128)]},
         {"tools": [{**FUNCTION, "name": f"f{n}"} for n in range(129)]}),
        ({"tools": [FUNCTION, {**FUNCTION, "name": "g"}]}, {"tools": [FUNCTION, FUNCTION]}),
        ({"tools": [{**FUNCTION, "name": "x" * 64}]}, {"tools": [{**FUNCTION, "name": "x" * 65}]}),
        ({"reasoning": {"effort": "low", "summary": "auto"}}, {"reasoning": {"effort": "most"}}),
        ({"text": {"format": {"type": "text"}}}, {"text": {"format": {"type": "html"}}}),
        ({"text": {"format": SCHEMA}}, {"text": {"format": {"type": "json_schema", "name": "n"}}}),
        ({"text": {"format": {**SCHEMA, "name": "x" * 64}}}, {"text": {"format": {**SCHEMA, "name": "x" * 65}}}),
        ({"tool_choice": "required"}, {"tool_choice": "some"}),
        ({"tool_choice": {"type": "file_search"}}, {"tool_choice": {"type": {}}}),
        ({"tools": [{"type": "custom", "name": ["x"]}]}, {"tools": [{"type": "none", "name": ["x"]}]}),
        ({"tool_choice": {"type": "function", "name": "f"}}, {"tool_choice": {"type": "function"}}),
        ({"structured_inputs": {"a": {"required": True, "schema": {}}}}, {"structured_inputs": {"a": {"type": "x"}}}),
        ({"rai_config": {"rai_policy_name": "p"}}, {"rai_config": {}}),
        ({"skills": [{"name": "s"}]}, {"skills": [{"version": "1"}]}),
        ({"instructions": ""}, {"instructions": None}),
        ({"kind": "prompt"}, {"kind": "none"}),
        ({"model": "gpt-4o-mini"}, {"model": ""}),
        ({}, {"nmae": "x"}),
        ({}, {"metadata": {}}),
    ],
)  # fmt: skip
def test_both_sides_of_a_limit(project: Foundry, definition: dict[str, Any], other: dict[str, Any]) -> None:
    assert status(project, definition) == 200
    assert status(project, other) == 400


@pytest.mark.parametrize(
    ("body", "other"),
    [
        ({"description": "x" * 512}, {"description": "x" * 513}),
        ({"metadata": {"k" * 64: "v" * 512}}, {"metadata": {"k" * 65: "v"}}),
        ({"metadata": {"k": "v" * 512}}, {"metadata": {"k": "v" * 513}}),
        ({"metadata": {str(n): "v" for n in range(16)}}, {"metadata": {str(n): "v" for n in range(17)}}),
        ({"metadata": {}}, {"metadata": {"k": 1}}),
        ({"metadata": {}}, {"metadata": None}),
        ({"draft": False}, {"draft": "no"}),
        ({}, {"name": "clerk"}),
    ],
)
def test_both_sides_of_a_limit_of_a_version(project: Foundry, body: dict[str, Any], other: dict[str, Any]) -> None:
    assert status(project, **body) == 200
    assert status(project, **other) == 400


@pytest.mark.parametrize(
    ("body", "param"),
    [({}, "definition"), ({"definition": {}}, "definition.kind"), ({"definition": {"kind": "prompt"}},
     "definition.model"), ({"definition": []}, "definition"), ({"definition": None}, "definition")],
)  # fmt: skip
def test_a_definition_is_wanted(project: Foundry, body: dict[str, Any], param: str) -> None:
    assert error_of(project.agents("POST", "/agents/clerk/versions", body), 400)["param"] == param


def test_long_instructions(project: Foundry) -> None:
    assert status(project, {"instructions": "x" * 256_000}) == 200


def test_nothing_is_left_of_what_was_refused(project: Foundry) -> None:
    assert status(project, {"temperature": 9}) == 400
    error_of(project.agents("GET", "/agents/clerk"), 404)
