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
