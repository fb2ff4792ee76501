"""What only one service has, and what each wants of a spec: mistakes are told with line and column."""

from __future__ import annotations

from typing import Any

import pytest

from asstops.model import Address
from asstops.services import NAMES, by_name, every

AGENTS = "stack: s\n"
ASSISTANTS = "stack: s\nservice: assistants\n"
RESOURCE = "resource: {{name: acc, resource_group: rg, subscription_id: x, location: swedencentral{more}}}\n"
ONLY_AGENTS = "remove it, or write service: agents, which has it"


def test_agents_are_the_default(spec: Any) -> None:
    assert spec.load(head=AGENTS).service == "agents"
    assert NAMES == ("agents", "assistants")


def test_services_differ_in_kinds_only_where_they_must() -> None:
    kinds = {service.name: set(service.kinds) for service in every()}
    assert kinds["agents"] - kinds["assistants"] == {"project"}
    assert kinds["assistants"] <= kinds["agents"]
    assert by_name("agents").kinds["assistant"].rules.versioned
    with pytest.raises(KeyError):
        by_name("nothing")


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ("reasoning: {effort: low}", "reasoning"),
        ("keep_versions: 3", "keep_versions"),
        ("tools: [web_search]", "tools.web_search"),
        ("tools: [{mcp: {server_label: a, server_url: 'https://u'}}]", "tools.mcp"),
        ("tools: [{openapi: {name: a, spec: {}, auth: {type: anonymous}}}]", "tools.openapi"),
        ("tools: [code_interpreter: {memory_limit: 1g}]", "tools.code_interpreter.memory_limit"),
        ("tools: [file_search: {ranking_options: {ranker: auto}}]", "tools.file_search.ranking_options"),
    ],
)
def test_what_assistants_lack(spec: Any, entry: str, field: str) -> None:
    found = spec.problems(f"assistants:\n  a: {{model: m, {entry}}}\n", head=ASSISTANTS)
    assert f"assistant.a: service: assistants has no {field} | {ONLY_AGENTS}" in found[0].partition(" ")[2]
    assert found[0].startswith("4:")
    assert len(found) == 1
    taken = entry.replace("file_search: {", "file_search: {vector_store: v, ")
    text = f"vector_stores: {{v: {{}}}}\nassistants:\n  a: {{model: m, {taken}}}\n"
    assert spec.load(text, head=AGENTS).service == "agents"


def test_assistants_have_no_project(spec: Any) -> None:
    text = RESOURCE.format(more=", project: {name: sales}")
    told = "resource: service: assistants has no project | remove it, or write service: agents, which has projects"
    assert spec.problems(text, head=ASSISTANTS) == [f"3:{text.index('project: ') + 1} {told}"]


def test_an_account_of_agents(spec: Any) -> None:
    stack = spec.load(RESOURCE.format(more=", project: {name: sales, display_name: Sales}"), head=AGENTS)
    assert stack.account is not None
    assert stack.project is not None
    assert stack.account.body["kind"] == "AIServices"
    assert stack.account.body["project_management"] is True
    assert stack.project.address == Address("project", "sales")
    assert stack.project.body["display_name"] == "Sales"
    assert stack.project.depends_on == {Address("resource", "acc")}


def test_what_lives_where(spec: Any) -> None:
    """Agents and stores wait for the project, deployments for the account alone."""
    text = (
        RESOURCE.format(more=", project: {name: sales}")
        + "deployments: {gpt: {model: {name: gpt-4o}, sku: {name: S, capacity: 1}}}\n"
        + "vector_stores: {v: {}}\nassistants: {a: {model: gpt}}\n"
    )
    stack = spec.load(text, head=AGENTS)
    project, account = Address("project", "sales"), Address("resource", "acc")
    assert stack.resources[Address("assistant", "a")].depends_on == {project, account, Address("deployment", "gpt")}
    assert stack.resources[Address("vector_store", "v")].depends_on == {project, account}
    assert stack.resources[Address("deployment", "gpt")].depends_on == {account}


def entry(text: str) -> str:
    return f"vector_stores: {{v: {{}}}}\nassistants:\n  a: {{model: m, {text}}}\n"


CASES = {
    "kind: OpenAI": (
        RESOURCE.format(more=", kind: OpenAI, project: {name: sales}"),
        "OpenAI",
        "resource: kind is OpenAI, and agents live in projects, which need kind AIServices",
    ),
    "no project": (RESOURCE.format(more=""), "resource", "resource: project is missing: agents live in a project"),
    "project name": (
        RESOURCE.format(more=", project: {name: -x}"),
        "-x",
        "project: project name '-x' is not valid",
    ),
    "project key": (
        RESOURCE.format(more=", project: {nam: sales}"),
        "nam: sales",
        "resource: unknown key 'nam' in project",
    ),
    "project at the top": ("project: {name: sales}\n", "project", "project stands inside resource:"),
    "search without a store": (
        entry("tools: [file_search]"),
        "file_search",
        "assistant.a: file_search of an agent needs a vector store",
    ),
    "name twice": (
        entry("name: A, metadata: {display_name: B}"),
        "B}",
        "assistant.a: name is kept as metadata display_name, which is given as well",
    ),
    "much metadata": (
        entry("name: A, metadata: {" + ", ".join(f"k{n}: v" for n in range(15)) + "}"),
        "metadata: ",
        "assistant.a: metadata has 15 entries, at most 14 are allowed beside name",
    ),
    "one label twice": (
        entry(
            "tools: [{mcp: {server_label: a, server_url: 'https://u'}}, {mcp: {server_label: b2, server_url: 'https://w'}}]"
        ).replace("b2", "a"),
        "a, server_url: 'https://w",
        "assistant.a: two tools have the server_label 'a'",
    ),
    "empty tool": (entry("tools: [mcp: ]"), "mcp", "assistant.a: mcp is empty"),
    "audience is missing": (
        entry("tools: [openapi: {name: a, spec: {}, auth: {type: managed_identity}}]"),
        "auth: ",
        "assistant.a: auth of type managed_identity needs audience",
    ),
    "audience too many": (
        entry("tools: [openapi: {name: a, spec: {}, auth: {type: anonymous, audience: x}}]"),
        "x}}",
        "assistant.a: audience goes with auth of type managed_identity",
    ),
    "no versions": (
        entry("keep_versions: 0"),
        "0",
        "assistant.a: keep_versions is 0, at least 1 is allowed",
    ),
    "one tool twice": (
        entry("tools: [web_search, web_search ]"),
        "web_search ]",
        "assistant.a: web_search stands twice in tools",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_agents_want(spec: Any, case: str) -> None:
    text, at, message = CASES[case]
    line = next(n for n, line in enumerate(text.splitlines()) if at in line)
    column = text.splitlines()[line].index(at) + 1
    (found,) = spec.problems(text, head=AGENTS)
    assert found.startswith(f"{line + 2}:{column} {message} | ")
