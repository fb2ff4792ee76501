"""Addresses and keys from the environment: what is accepted, mended and refused."""

from __future__ import annotations

import pytest

from asstops.errors import ExitCode
from asstops.providers.settings import Settings, SettingsInvalid, is_loopback, project_endpoint, without_api_path


def test_an_empty_environment() -> None:
    settings = Settings.from_environ({})
    assert settings.arm_endpoint == "https://management.azure.com"
    assert (settings.endpoint, settings.api_key) == ("", "")
    assert settings.api_version == "2025-03-01-preview"


def test_blanks_around_values_are_dropped() -> None:
    settings = Settings.from_environ(
        {
            "AZURE_OPENAI_ENDPOINT": " https://a.openai.azure.com/ \n",
            "AZURE_OPENAI_API_KEY": " abc\n",
            "OPENAI_API_VERSION": " 2024-05-01-preview ",
            "AZURE_SUBSCRIPTION_ID": " s ",
        }
    )
    assert settings.endpoint == "https://a.openai.azure.com"
    assert (settings.api_key, settings.api_version, settings.subscription_id) == ("abc", "2024-05-01-preview", "s")


def test_the_key_is_in_no_repr() -> None:
    assert "hush" not in repr(Settings.from_environ({"AZURE_OPENAI_API_KEY": "hush"}))


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://127.9.9.9", True),
        ("http://localhost", True),
        ("http://[::1]:80", True),
        ("http://127.0.0.1.evil.example", False),
        ("http://127.example", False),
        ("http://localhost.evil.example", False),
        ("http://10.0.0.1", False),
        ("", False),
    ],
)
def test_what_is_this_machine(url: str, loopback: bool) -> None:
    """A name that only begins like an address on this machine is not one: a key would leave in the clear."""
    assert is_loopback(url) is loopback


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://a.openai.azure.com", "https://a.openai.azure.com"),
        ("https://a.openai.azure.com/openai", "https://a.openai.azure.com"),
        ("https://a.openai.azure.com/openai/v1", "https://a.openai.azure.com"),
        ("https://a/openai/deployments/d/chat/completions?api-version=2024-10-21", "https://a"),
        ("http://127.0.0.1:1/name/openai/v1/", "http://127.0.0.1:1/name"),
        ("http://127.0.0.1:1/openai-west", "http://127.0.0.1:1/openai-west"),
        ("", ""),
    ],
)
def test_what_belongs_to_requests_is_dropped(url: str, kept: str) -> None:
    assert without_api_path(url) == kept


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("", ""),
        ("https://a.services.ai.azure.com/api/projects/p", "https://a.services.ai.azure.com/api/projects/p"),
        (" https://a/api/projects/p/ \n", "https://a/api/projects/p"),
        ("https://a/api/projects/_project", "https://a/api/projects/_project"),
        ("https://a/api/projects/p/openai/v1/", "https://a/api/projects/p"),
        ("https://a/api/projects/p/agents/x?api-version=v1", "https://a/api/projects/p"),
        ("https://a/api/projects/p?api-version=v1#top", "https://a/api/projects/p"),
        ("http://127.0.0.1:1/gateway/api/projects/p/assistants", "http://127.0.0.1:1/gateway/api/projects/p"),
    ],
)
def test_the_endpoint_of_a_project(url: str, kept: str) -> None:
    assert project_endpoint(Settings.from_environ({"FOUNDRY_PROJECT_ENDPOINT": url})) == kept


@pytest.mark.parametrize(
    ("url", "example"),
    [
        ("https://a-b.services.ai.azure.com", "https://a-b.services.ai.azure.com/api/projects/PROJECT"),
        ("https://a.cognitiveservices.azure.com/", "https://a.services.ai.azure.com/api/projects/PROJECT"),
        ("https://a.openai.azure.com/openai/v1", "https://a.services.ai.azure.com/api/projects/PROJECT"),
        ("https://a/api/projects/", "https://NAME.services.ai.azure.com/api/projects/PROJECT"),
        ("https://a/projects/p", "https://NAME.services.ai.azure.com/api/projects/PROJECT"),
    ],
)
def test_an_address_without_a_project(url: str, example: str) -> None:
    """Refused by who needs a project, and by nobody else: other tools may want the variable as it is."""
    settings = Settings.from_environ({"FOUNDRY_PROJECT_ENDPOINT": url})
    with pytest.raises(SettingsInvalid, match=r"FOUNDRY_PROJECT_ENDPOINT is .* lacks /api/projects/PROJECT") as caught:
        project_endpoint(settings)
    assert example in caught.value.fix


@pytest.mark.parametrize(
    "name", ["AZURE_OPENAI_ENDPOINT", "AZURE_RESOURCE_MANAGER_ENDPOINT", "FOUNDRY_PROJECT_ENDPOINT"]
)
@pytest.mark.parametrize(
    "url", ["ftp://a", "a.openai.azure.com", "https://", "http://a.example", "https://ü.example", "https://[::1", "//a"]
)
def test_refused_addresses(name: str, url: str) -> None:
    """Named by the variable, with exit 1: the command line is not to blame."""
    with pytest.raises(SettingsInvalid, match=name) as caught:
        Settings.from_environ({name: url})
    assert caught.value.fix
    assert caught.value.exit_code is ExitCode.ERROR


@pytest.mark.parametrize("key", ["a\nb", "a\rb", "a b", "a\tb", "clé", "a\x00b", "\u200babc"])
def test_refused_keys(key: str) -> None:
    with pytest.raises(SettingsInvalid, match="AZURE_OPENAI_API_KEY") as caught:
        Settings.from_environ({"AZURE_OPENAI_API_KEY": key})
    assert f"{key!r}" not in caught.value.message
    assert key not in caught.value.message.replace("a blank", "")


def test_a_version_that_would_change_the_address() -> None:
    with pytest.raises(SettingsInvalid, match="OPENAI_API_VERSION"):
        Settings.from_environ({"OPENAI_API_VERSION": "2024&x=1"})
