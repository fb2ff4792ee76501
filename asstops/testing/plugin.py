"""The pytest plug-in: a local Azure for the whole run, and specs applied to it, test by test.

Owns the fixtures' names and scopes, which are an interface (docs/talk.md). Imports nothing slow: every run of pytest
on a machine that has asstops imports it.
"""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from asstops.emulator import EmulatorServer, EmulatorSettings
    from asstops.testing.provisioned import Provisioned

_CLEARED = ("AZURE_", "OPENAI_", "FOUNDRY_", "IDENTITY_", "MSI_")


@pytest.fixture(scope="session")
def azure_openai_emulator_settings() -> EmulatorSettings:
    """How the emulator behaves; override it in your conftest.py. By default nothing takes time."""
    from asstops.emulator import EmulatorSettings

    return EmulatorSettings(ingestion_s=0, run_s=0, arm_operation_s=0)


@pytest.fixture(scope="session")
def azure_openai_emulator(azure_openai_emulator_settings: EmulatorSettings) -> Iterator[EmulatorServer]:
    """A local Azure, running for the whole session: `url`, and `environment` for programs that are started."""
    from asstops.emulator import EmulatorServer

    try:
        server = EmulatorServer(settings=azure_openai_emulator_settings)
    except ImportError as error:
        pytest.fail(f"the emulator needs {error.name}: pip install 'asstops[emulator]'", pytrace=False)
    with server:
        yield server


@pytest.fixture
def azure_openai_environment(azure_openai_emulator: EmulatorServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An emptied emulator, and an environment that points at it and at nothing else, for one test."""
    _admin(azure_openai_emulator.url, "POST", "/reset")
    for name in [name for name in os.environ if name.startswith(_CLEARED)]:
        monkeypatch.delenv(name)
    environment = {**azure_openai_emulator.environment, "NO_PROXY": "127.0.0.1,localhost"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return environment


@pytest.fixture
def azure_openai_apply(
    azure_openai_emulator: EmulatorServer,
    azure_openai_environment: dict[str, str],  # noqa: ARG001 - empties the emulator
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Provisioned]:
    """Apply a spec: `azure_openai_apply("asstops.yaml")` returns ids, endpoint and the arguments of a client."""
    from asstops.testing.provisioned import provision

    def applied(*specs: Any, **options: Any) -> Provisioned:
        found = provision(azure_openai_emulator, *specs, **options)
        for name in ("AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY", "FOUNDRY_PROJECT_ENDPOINT"):
            monkeypatch.setenv(name, found.environment[name])
        return found

    return applied


@pytest.fixture
def azure_openai_admin(
    azure_openai_emulator: EmulatorServer,
    azure_openai_environment: dict[str, str],  # noqa: ARG001 - what is set holds for one test
) -> Callable[..., Any]:
    """The emulator's own interface: `azure_openai_admin("POST", "/faults", {...})` returns the answer."""
    return lambda method, path, body=None: _admin(azure_openai_emulator.url, method, path, body)


def _admin(url: str, method: str, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(  # noqa: S310 - loopback http
        f"{url}/_emulator{path}", data=None if body is None else json.dumps(body).encode(), method=method
    )
    # No proxy stands between us and this machine.
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None
