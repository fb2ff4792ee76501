"""The pytest plug-in, in runs of pytest of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
ROOT = Path(__file__).resolve().parents[2]
ASK = """
import openai

def ask(client, assistant):
    thread = client.beta.threads.create()
    client.beta.threads.messages.create(thread.id, role="user", content="Is it warm?")
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant)
    assert run.status == "completed", run.last_error
    return client.beta.threads.messages.list(thread.id).data[0].content[0].text.value
"""


@pytest.fixture
def other(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Somebody else's project, whose tests find the plug-in through its entry point."""
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makefile(
        ".yaml",
        keyless="stack: small\nservice: assistants\nassistants:\n  one: {model: gpt-4o, name: One}\n",
        whole=(
            "stack: whole\nservice: assistants\n"
            "resource: {name: their-account, resource_group: rg, location: swedencentral, managed: true}\n"
            "deployments:\n  chat:\n    model: {name: gpt-4o, version: '2024-11-20'}\n"
            "    sku: {name: GlobalStandard, capacity: 5}\n"
            "assistants:\n  two: {model: chat, name: Two}\n"
        ),
        broken="stack: small\nservice: assistants\nassistants:\n  one: {modell: gpt-4o}\n",
        agent="stack: small\nassistants:\n  one: {model: gpt-4o, name: One}\n",
        project=(
            "stack: whole\n"
            "resource: {name: their-ai, resource_group: rg, location: swedencentral, project: {name: sales}}\n"
            "deployments:\n  chat:\n    model: {name: gpt-4o, version: '2024-11-20'}\n"
            "    sku: {name: GlobalStandard, capacity: 5}\n"
            "assistants:\n  two: {model: chat, name: Two}\n"
        ),
    )
    return pytester


def test_a_spec_is_applied_and_its_assistants_answer(other: pytest.Pytester) -> None:
    other.makepyfile(
        ASK
        + """
def test_one(azure_openai_apply):
    stack = azure_openai_apply("keyless.yaml")
    client = openai.AzureOpenAI(**stack.client_kwargs)
    assert ask(client, stack.assistant("one")).endswith("One was asked: Is it warm?")

def test_account_of_its_own(azure_openai_apply):
    stack = azure_openai_apply("whole.yaml")
    assert stack.endpoint.endswith("/their-account/")
    assert set(stack.ids) == {"resource.their-account", "deployment.chat", "assistant.two"}
    client = openai.AzureOpenAI()  # finds endpoint, key and version in the environment
    assert ask(client, stack.assistant("two")).endswith("Two was asked: Is it warm?")
    reply = client.chat.completions.create(model="chat", messages=[{"role": "user", "content": "Hi"}])
    assert reply.choices[0].message.content

def test_each_test_begins_with_nothing(azure_openai_environment):
    client = openai.AzureOpenAI()
    assert client.beta.assistants.list().data == []
"""
    )
    other.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=3)


def test_agents_answer(other: pytest.Pytester) -> None:
    """By the client's arguments, by the SDK of projects, and by nothing but the environment."""
    other.makepyfile(
        """
import os
import openai
from azure.ai.projects import AIProjectClient
from azure.identity import DefaultAzureCredential, get_bearer_token_provider

def test_one(azure_openai_apply):
    stack = azure_openai_apply("agent.yaml")
    assert (stack.assistant("one"), stack.versions, stack.api_key) == ("one", {"assistant.one": "1"}, "")
    with openai.OpenAI(**stack.client_kwargs) as client:
        answer = client.responses.create(input="Is it warm?", **stack.agent_kwargs("one"))
    assert answer.output_text.endswith("was asked: Is it warm?")
    with AIProjectClient(**stack.project_kwargs) as project:
        assert [agent.name for agent in project.agents.list()] == ["one"]
        with project.get_openai_client() as client:
            assert client.responses.create(input="Hi", **stack.agent_kwargs("one")).output_text

def test_account_of_its_own(azure_openai_apply):
    stack = azure_openai_apply("project.yaml")
    assert stack.project_endpoint == stack.endpoint == stack.environment["FOUNDRY_PROJECT_ENDPOINT"]
    assert stack.endpoint.endswith("/their-ai/api/projects/sales")
    assert set(stack.ids) == {"resource.their-ai", "project.sales", "deployment.chat", "assistant.two"}
    token = get_bearer_token_provider(DefaultAzureCredential(), "https://ai.azure.com/.default")
    url = os.environ["FOUNDRY_PROJECT_ENDPOINT"] + "/openai/v1"
    with openai.OpenAI(base_url=url, api_key=token) as client:
        assert "was asked: Hi" in client.responses.create(input="Hi", **stack.agent_kwargs("two")).output_text

def test_each_test_begins_with_nothing(azure_openai_environment, azure_openai_admin):
    assert azure_openai_admin("GET", "/dump")["agents"] == []
"""
    )
    other.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=3)


def test_entra_works_without_a_key(other: pytest.Pytester) -> None:
    other.makepyfile(
        ASK
        + """
from azure.identity import DefaultAzureCredential, get_bearer_token_provider

def test_entra(azure_openai_apply):
    stack = azure_openai_apply("keyless.yaml")
    provider = get_bearer_token_provider(DefaultAzureCredential(), "https://cognitiveservices.azure.com/.default")
    client = openai.AzureOpenAI(
        azure_endpoint=stack.endpoint, api_version=stack.api_version, azure_ad_token_provider=provider
    )
    assert "One was asked" in ask(client, stack.assistant("one"))
"""
    )
    other.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_settings_can_be_overridden_and_mistakes_are_told(other: pytest.Pytester) -> None:
    other.makeconftest(
        """
import pytest
from asstops.emulator import EmulatorSettings

@pytest.fixture(scope="session")
def azure_openai_emulator_settings():
    return EmulatorSettings(behaviour={"assistants_api": "retired_410"})
"""
    )
    other.makepyfile(
        """
import openai, pytest

def test_retired(azure_openai_environment):
    with pytest.raises(openai.APIStatusError) as caught:
        openai.AzureOpenAI(max_retries=0).beta.assistants.list()
    assert caught.value.status_code == 410

def test_broken(azure_openai_apply):
    azure_openai_apply("broken.yaml")

def test_unknown(azure_openai_emulator):
    from asstops.testing import Provisioned
    with pytest.raises(KeyError, match="assistant.one"):
        Provisioned({"assistant.one": "asst_1"}, "", "", "", {}).assistant("two")
"""
    )
    result = other.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*SpecInvalid*"])


def test_runs_without_it_pay_nothing(other: pytest.Pytester) -> None:
    """The plug-in is imported in every run of pytest; nothing slow comes with it."""
    other.makepyfile(
        """
import sys

def test_loaded():
    assert "asstops.testing.plugin" in sys.modules
    assert {"openai", "azure", "pydantic", "starlette", "uvicorn", "yaml"} & set(sys.modules) == set()
"""
    )
    other.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
