"""A project of an emulator as a test sees it: plain requests on both halves, held to their contracts."""

from __future__ import annotations

import json
from typing import Any

import httpx2

from asstops.emulator.keys import PROJECT_AUDIENCE
from tests.emulator import contract, openai_types
from tests.emulator.conftest import GROUP, Emu

PROMPT = {"kind": "prompt", "model": "gpt-4o"}
PROJECTS = f"{GROUP}/accounts/contoso/projects"
PROJECT_BODY = {"location": "swedencentral", "identity": {"type": "SystemAssigned"}}
Json = dict[str, Any]


def hub(emu: Emu, name: str = "contoso", **over: Any) -> Json:
    """Make an account that can have projects."""
    properties = {"customSubDomainName": name, "allowProjectManagement": True}
    body: Json = {"kind": "AIServices", "identity": {"type": "SystemAssigned"}, "properties": properties}
    return emu.account(name, **{**body, **over})


def make_project(emu: Emu, name: str = "one", account: str = "contoso", **over: Any) -> Json:
    """Make a project and wait until it is there."""
    path = f"{GROUP}/accounts/{account}/projects/{name}"
    answer = emu.arm("PUT", path, {**PROJECT_BODY, **over})
    assert answer.status_code == 201, answer.text
    return emu.settled(path)


class Foundry:
    """The project that is always there, or another by its prefix. What succeeds is checked against its contract."""

    def __init__(self, emu: Emu, prefix: str = "", project: str = "emulator") -> None:
        self.emu, self.url = emu, f"{prefix}/api/projects/{project}"
        self.bearer = {"authorization": f"Bearer {emu.token(PROJECT_AUDIENCE)}"}

    def agents(self, method: str, path: str, body: Any = None, **kwargs: Any) -> httpx2.Response:
        """A request of the agents API."""
        headers = kwargs.pop("headers", self.bearer)
        params = {"api-version": "v1", **kwargs.pop("params", {})}
        if body is not None:
            kwargs["json"] = body
        answer = self.emu.http.request(method, self.url + path, params=params, headers=headers, **kwargs)
        if contract.available() and contract.documented("agents", method, path):
            if answer.is_success and body is not None and method == "POST":
                contract.check_request("agents", method, path, body)
            parsed = answer.json() if answer.content else None
            contract.check_answer("agents", method, path, answer.status_code, parsed)
        return answer

    def version(self, name: str = "clerk", definition: Any = None, **body: Any) -> Json:
        """Make a version of an agent."""
        sent = {"definition": {**PROMPT, **(definition or {})}, **body}
        answer = self.agents("POST", f"/agents/{name}/versions", sent)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def openai(self, method: str, path: str, body: Any = None, **kwargs: Any) -> httpx2.Response:
        """A request of the project's OpenAI surface."""
        headers = kwargs.pop("headers", self.bearer)
        if body is not None:
            kwargs["json"] = body
        answer = self.emu.http.request(method, f"{self.url}/openai/v1{path}", headers=headers, **kwargs)
        if answer.is_success and openai_types.known(method, path):
            if body is not None:
                openai_types.check_sent(method, path, body)
            if answer.headers["content-type"] == "application/json":
                openai_types.check_got(method, path, answer.json())
        return answer

    def good(self, method: str, path: str, body: Any = None, **kwargs: Any) -> Json:
        """A request of the OpenAI surface that succeeds; returns the answer's body."""
        answer = self.openai(method, path, body, **kwargs)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def upload(self, name: str, content: bytes) -> str:
        files, data = {"file": (name, content)}, {"purpose": "assistants"}
        return str(self.good("POST", "/files", files=files, data=data)["id"])

    def ask(self, said: Any, agent: str | None = "clerk", **body: Any) -> Json:
        """Create a response."""
        if agent is not None:
            body["agent_reference"] = {"type": "agent_reference", "name": agent}
        return self.good("POST", "/responses", {"input": said, **body})

    def events(self, said: Any, agent: str | None = "clerk", **body: Any) -> list[Json]:
        """Create a streamed response and return its events, each checked."""
        if agent is not None:
            body["agent_reference"] = {"type": "agent_reference", "name": agent}
        answer = self.openai("POST", "/responses", {"input": said, "stream": True, **body})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/event-stream")
        found = []
        for block in answer.text.strip().split("\n\n"):
            name, data = block.split("\n")
            event = json.loads(data.removeprefix("data: "))
            assert name == f"event: {event['type']}"
            openai_types.check_event(event)
            found.append(event)
        return found
