"""azure-ai-projects against the emulator: the models of the SDK, its pager, its errors, its OpenAI client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from azure.ai.projects import AIProjectClient
from azure.ai.projects import models as m
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.policies import AzureKeyCredentialPolicy
from azure.identity import DefaultAzureCredential
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient

from asstops.emulator.keys import ARM_AUDIENCE, PROJECT_AUDIENCE
from tests.emulator.conftest import SUBSCRIPTION, Emu, wait
from tests.emulator.foundry import hub

FUNCTION = m.FunctionTool(name="get_weather", parameters={"type": "object"}, strict=True, description="d")


def policy(token: str) -> AzureKeyCredentialPolicy:
    """The SDKs send no token over plain http by themselves."""
    return AzureKeyCredentialPolicy(AzureKeyCredential(token), "Authorization", prefix="Bearer")


def client_of(emu: Emu, credential: DefaultAzureCredential, endpoint: str = "") -> AIProjectClient:
    return AIProjectClient(
        endpoint or emu.environment["FOUNDRY_PROJECT_ENDPOINT"],
        credential,
        authentication_policy=policy(emu.token(PROJECT_AUDIENCE)),
        retry_total=0,
    )


@pytest.fixture
def credential(emu: Emu, monkeypatch: pytest.MonkeyPatch) -> Iterator[DefaultAzureCredential]:
    for name, value in emu.environment.items():
        monkeypatch.setenv(name, value)
    with DefaultAzureCredential() as found:
        yield found


@pytest.fixture
def project(emu: Emu, credential: DefaultAzureCredential) -> Iterator[AIProjectClient]:
    with client_of(emu, credential) as found:
        yield found


@pytest.fixture
def talking(project: AIProjectClient) -> Iterator[openai.OpenAI]:
    with project.get_openai_client(max_retries=0) as found:
        yield found


def known(model: Any, path: str = "") -> None:
    """Say whether the SDK's model knows every field that came, inside too."""
    if isinstance(model, list):
        for item in model:
            known(item, path)
    elif isinstance(model, dict | m.AgentDetails) or hasattr(model, "_attr_to_rest_field"):
        fields = getattr(type(model), "_attr_to_rest_field", None)
        if fields is None:
            return
        names = {field._rest_name for field in fields.values()}
        assert set(model.keys()) <= names, f"{path or type(model).__name__}: {set(model.keys()) - names}"
        for attribute, field in fields.items():
            if field._rest_name in model:
                known(getattr(model, attribute), f"{path}.{attribute}")


def test_agents(project: AIProjectClient, talking: openai.OpenAI) -> None:
    file = talking.files.create(file=("a.md", b"apples"), purpose="assistants")
    store = talking.vector_stores.create(name="s", file_ids=[file.id])
    definition = m.PromptAgentDefinition(
        model="gpt-4o",
        instructions="i",
        temperature=0.5,
        reasoning=m.Reasoning(effort="low"),
        text=m.PromptAgentDefinitionTextOptions(format=m.TextResponseFormatJsonSchema(name="n", schema={})),
        tools=[
            FUNCTION,
            m.FileSearchTool(vector_store_ids=[store.id], max_num_results=3),
            m.CodeInterpreterTool(container=m.AutoCodeInterpreterToolParam(file_ids=[file.id])),
            m.MCPTool(server_label="s", server_url="https://example.com/mcp", require_approval="never"),
            m.WebSearchTool(),
        ],
    )
    made = project.agents.create_version("clerk", definition=definition, metadata={"a": "b"}, description="d")
    assert isinstance(made.definition, m.PromptAgentDefinition)
    assert [type(tool) for tool in made.definition.tools or []] == [type(tool) for tool in definition.tools or []]
    assert made.definition.as_dict() == definition.as_dict()
    assert (made.id, made.version, made.metadata, made.status) == ("clerk:1", "1", {"a": "b"}, "active")
    known(made)
    agent = project.agents.get("clerk")
    known(agent)
    assert (agent.state, agent.versions.latest) == ("enabled", made)
    assert project.agents.get_version("clerk", "1") == made
    project.agents.disable("clerk")
    assert project.agents.get("clerk").state == "disabled"
    project.agents.enable("clerk")
    card = m.AgentCard(version="1", skills=[m.AgentCardSkill(id="s", name="n")])
    updated = project.agents.update_details("clerk", agent_card=card)
    assert updated.agent_card == card
    known(updated)
    gone = project.agents.delete_version("clerk", "1")
    assert (gone.deleted, gone.version) == (True, "1")
    with pytest.raises(ResourceNotFoundError):
        project.agents.get("clerk")


@pytest.mark.parametrize("value", ["null_at_end", "always"])
def test_the_pager_ends(emulator: Any, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK follows last_id until there is none; under both values of agents_last_id it gets each agent once."""
    with emulator(behaviour={"agents_last_id": value}) as emu:
        for name, setting in emu.environment.items():
            monkeypatch.setenv(name, setting)
        with DefaultAzureCredential() as credential, client_of(emu, credential) as project:
            plain = m.PromptAgentDefinition(model="gpt-4o")
            for n in range(5):
                project.agents.create_version(f"a{n}", definition=plain)
            for _ in range(2):
                project.agents.create_version("a0", definition=plain)
            names = [agent.name for agent in project.agents.list(limit=2)]
            assert names == ["a4", "a3", "a2", "a1", "a0"]
            assert [each.version for each in project.agents.list_versions("a0", limit=1, order="asc")] == list("123")


def test_refusals(emu: Emu, credential: DefaultAzureCredential, project: AIProjectClient) -> None:
    with pytest.raises(HttpResponseError) as bad:
        project.agents.create_version("clerk", definition=m.PromptAgentDefinition(model="gpt-4o", temperature=3))
    assert bad.value.status_code == 400
    assert isinstance(bad.value.model, m.ApiErrorResponse)
    assert bad.value.model.error.param == "definition.temperature"
    emu.admin("POST", "/roles", {"data_write": False})
    with pytest.raises(HttpResponseError) as forbidden:
        project.agents.create_version("clerk", definition=m.PromptAgentDefinition(model="gpt-4o"))
    assert forbidden.value.status_code == 403
    stranger = AIProjectClient(
        emu.environment["FOUNDRY_PROJECT_ENDPOINT"], credential, authentication_policy=policy(emu.token(ARM_AUDIENCE))
    )
    with stranger, pytest.raises(ClientAuthenticationError):
        stranger.agents.get("clerk")


def test_talking(project: AIProjectClient, talking: openai.OpenAI) -> None:
    file = talking.files.create(file=("sales.md", b"March: 40 bicycles"), purpose="assistants")
    store = talking.vector_stores.create(name="s")
    talking.vector_stores.files.create_and_poll(file_id=file.id, vector_store_id=store.id, poll_interval_ms=10)
    tools: list[m.Tool] = [FUNCTION, m.FileSearchTool(vector_store_ids=[store.id])]
    project.agents.create_version("clerk", definition=m.PromptAgentDefinition(model="gpt-4o", tools=tools))
    agent: dict[str, Any] = {"agent_reference": {"name": "clerk", "type": "agent_reference"}}
    conversation = talking.conversations.create(metadata={"a": "b"})
    answer = talking.responses.create(conversation=conversation.id, input="March?", extra_body=agent)
    assert answer.output_text.endswith("March: 40 bicycles")
    message = answer.output[-1]
    assert message.type == "message"
    assert [note.type for note in message.content[0].annotations] == ["file_citation"]  # type: ignore[union-attr]
    call = talking.responses.create(conversation=conversation.id, input="get_weather", extra_body=agent).output[0]
    assert call.type == "function_call"
    output: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    with talking.responses.create(
        conversation=conversation.id, input=[output], extra_body=agent, stream=True
    ) as stream:
        events = list(stream)
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta").endswith("sunny")
    last = events[-1]
    assert last.type == "response.completed"
    assert talking.responses.retrieve(last.response.id) == last.response
    assert len(list(talking.conversations.items.list(conversation.id, limit=2))) == 7
    talking.responses.delete(last.response.id)
    with pytest.raises(openai.NotFoundError):
        talking.responses.retrieve(last.response.id)
    assert talking.conversations.update(conversation.id, metadata={"c": "d"}).metadata == {"c": "d"}
    assert talking.conversations.delete(conversation.id).deleted


def test_projects_through_the_management_sdk(emu: Emu, credential: DefaultAzureCredential) -> None:
    hub(emu)
    with CognitiveServicesManagementClient(
        credential, SUBSCRIPTION, base_url=emu.url, authentication_policy=policy(emu.token(ARM_AUDIENCE)),
        polling_interval=0.02,
    ) as arm:  # fmt: skip
        body = {"location": "swedencentral", "identity": {"type": "SystemAssigned"}, "properties": {}}
        made = arm.projects.begin_create("rg", "contoso", "one", body).result()
        assert made.properties.provisioning_state == "Succeeded"
        changed = arm.projects.begin_update("rg", "contoso", "one", {"tags": {"a": "b"}}).result()
        assert (changed.tags, changed.properties.is_default) == ({"a": "b"}, True)
        assert [each.name for each in arm.projects.list("rg", "contoso")] == ["one"]
        endpoint = changed.properties.endpoints["AI Foundry API"]
        with client_of(emu, credential, endpoint) as project:
            assert list(project.agents.list()) == []
        with pytest.raises(HttpResponseError) as refused:
            arm.accounts.begin_delete("rg", "contoso")
        assert refused.value.status_code == 409
        arm.projects.begin_delete("rg", "contoso", "one").result()
        wait(lambda: len(list(arm.projects.list("rg", "contoso"))), lambda count: count == 0)
        arm.accounts.begin_delete("rg", "contoso").result()
