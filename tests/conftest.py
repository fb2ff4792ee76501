"""Shared by all tests: a clean environment, no way out but loopback, and the option to rewrite golden files."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator

import pytest

_FOREIGN = ("AZURE_", "GITHUB_", "OPENAI_", "FOUNDRY_", "ASSTOPS_", "IDENTITY_", "MSI_")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite expected output; read the diff afterwards")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(scope="session")
def _broken_answers() -> Iterator[list[str]]:
    """Answers of emulators in this process that are not what the published documents say."""
    from tests.emulator import contract
    from tests.support.answers import watched

    if not contract.available():
        yield []
        return
    with pytest.MonkeyPatch.context() as patch, watched(patch) as found:
        yield found


@pytest.fixture(autouse=True)
def _answers_keep_to_the_documents(_broken_answers: list[str]) -> Iterator[None]:
    """Every test also checks every answer that an emulator gave during it."""
    _broken_answers.clear()
    yield
    assert _broken_answers == []


@pytest.fixture(scope="session")
def _state_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("state"))


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, _state_folder: str) -> None:
    """What is set on a developer's machine must not reach a test, nor a test's locks that machine."""
    monkeypatch.setenv("XDG_STATE_HOME", _state_folder)
    for name in list(os.environ):
        if name.startswith(_FOREIGN) or name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "TF_BUILD"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to connect anywhere but to this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
            host = str(address[0])
            if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
                raise AssertionError(f"a test tried to connect to {host}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)
