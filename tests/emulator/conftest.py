"""One emulator for the session, emptied before each test, and clients of every kind."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from openai import AzureOpenAI, OpenAI

from asstops.emulator import EmulatorServer, EmulatorSettings, environment
from asstops.emulator.keys import ARM_AUDIENCE, DATA_AUDIENCE, IDENTITY_HEADER

OLD, NEW, V1 = "2024-05-01-preview", "2025-03-01-preview", "v1"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.CognitiveServices"
PROVIDER = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices"
ARM_VERSION = "2025-09-01"


class Emu:
    """An emulator as a test sees it: plain requests on each plane."""

    def __init__(self, server: EmulatorServer) -> None:
        self.server, self.url = server, server.url
        self.environment = environment(server.url)
        self.key = self.environment["AZURE_OPENAI_API_KEY"]
        self.http = httpx2.Client(base_url=server.url, timeout=60, verify=False)

    def token(self, audience: str) -> str:
        answer = self.http.get(
            "/_emulator/identity/token",
            params={"resource": audience, "api-version": "2019-08-01"},
            headers={"X-IDENTITY-HEADER": IDENTITY_HEADER},
        )
        return str(answer.json()["access_token"])

    def data(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        surface: str = NEW,
        account: str = "",
        headers: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> httpx2.Response:
        """A request of the data plane with the default account's key."""
        prefix = f"/{account}/openai" if account else "/openai"
        params = dict(kwargs.pop("params", {}))
        if surface == V1:
            prefix += "/v1"
        else:
            params["api-version"] = surface
        if body is not None:
            kwargs["json"] = body
        headers = {"api-key": self.key} if headers is None else headers
        return self.http.request(method, prefix + path, params=params, headers=headers, **kwargs)

    def arm(
        self, method: str, path: str, body: Any = None, *, version: str | None = ARM_VERSION, **kwargs: Any
    ) -> httpx2.Response:
        """A request of ARM with a fresh token."""
        params = {**kwargs.pop("params", {}), **({"api-version": version} if version else {})}
        headers = {"authorization": f"Bearer {self.token(ARM_AUDIENCE)}", **kwargs.pop("headers", {})}
        if body is not None:
            kwargs["json"] = body
        return self.http.request(method, path, params=params, headers=headers, **kwargs)

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"/_emulator{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def upload(
        self, name: str = "a.md", content: bytes = b"hello", *, surface: str = NEW, purpose: str = "assistants"
    ) -> dict[str, Any]:
        answer = self.data(
            "POST", "/files", surface=surface, files={"file": (name, content)}, data={"purpose": purpose}
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def store(self, surface: str = NEW, **body: Any) -> dict[str, Any]:
        answer = self.data("POST", "/vector_stores", body, surface=surface)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def assistant(self, surface: str = NEW, **body: Any) -> dict[str, Any]:
        answer = self.data("POST", "/assistants", {"model": "gpt-4o", **body}, surface=surface)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def account(self, name: str = "contoso", group: str = "rg", **over: Any) -> dict[str, Any]:
        """Make an account and wait until it is there."""
        path = f"{GROUP.replace('/rg/', f'/{group}/')}/accounts/{name}"
        body = {
            "location": "swedencentral",
            "kind": "OpenAI",
            "sku": {"name": "S0"},
            "properties": {"customSubDomainName": name.lower()},
            **over,
        }
        answer = self.arm("PUT", path, body)
        assert answer.status_code == 201, answer.text
        return self.settled(path)

    def deploy(self, name: str = "gpt", account: str = "contoso", **over: Any) -> dict[str, Any]:
        path = f"{GROUP}/accounts/{account}/deployments/{name}"
        body = {
            "sku": {"name": "GlobalStandard", "capacity": 10},
            "properties": {"model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}},
            **over,
        }
        answer = self.arm("PUT", path, body)
        assert answer.status_code in {200, 201}, answer.text
        return self.settled(path)

    def settled(self, path: str) -> dict[str, Any]:
        """Wait until a resource has left its passing states."""
        return dict(
            wait(
                lambda: self.arm("GET", path).json(),
                lambda body: body["properties"]["provisioningState"] not in {"Creating", "Accepted", "Deleting"},
            )
        )

    def openai(self, surface: str = NEW, **kwargs: Any) -> Any:
        if surface == V1:
            options = {"base_url": f"{self.url}/openai/v1/", "api_key": self.key, "max_retries": 0}
            return OpenAI(**{**options, **kwargs})
        options = {"azure_endpoint": self.url, "api_key": self.key, "api_version": surface, "max_retries": 0}
        return AzureOpenAI(**{**options, **kwargs})


def wait(read: Callable[[], Any], good: Callable[[Any], bool], timeout_s: float = 30.0) -> Any:
    """Read until the value is good."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = read()
        if good(value):
            return value
        assert time.monotonic() < deadline, f"still {json.dumps(value)[:400]}"
        time.sleep(0.01)


def error_of(answer: httpx2.Response, status: int) -> dict[str, Any]:
    """Return the error of a refused request."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
    return dict(answer.json()["error"])


@pytest.fixture(scope="session")
def session_server() -> Iterator[EmulatorServer]:
    with EmulatorServer(settings=EmulatorSettings(arm_operation_s=0.03, ingestion_s=0.02)) as server:
        yield server


@pytest.fixture
def emu(session_server: EmulatorServer) -> Iterator[Emu]:
    found = Emu(session_server)
    found.admin("POST", "/reset")
    yield found
    found.http.close()


@pytest.fixture
def emulator() -> Callable[..., Any]:
    """Return a context manager for an emulator of its own, with settings."""

    @contextmanager
    def opened(db: Any = None, **settings: Any) -> Iterator[Emu]:
        settings = {"arm_operation_s": 0.03, "ingestion_s": 0.02, **settings}
        with EmulatorServer(db=db, settings=EmulatorSettings(**settings)) as server:
            found = Emu(server)
            try:
                yield found
            finally:
                found.http.close()

    return opened


@pytest.fixture
def data_token(emu: Emu) -> str:
    return emu.token(DATA_AUDIENCE)
