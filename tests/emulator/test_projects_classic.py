"""Foundry classic: assistants at a project's endpoint, which outlive the Assistants API of the accounts."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from asstops.emulator.keys import DATA_AUDIENCE, PROJECT_AUDIENCE
from tests.emulator.conftest import Emu, error_of
from tests.emulator.foundry import Foundry

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")


def classic(emu: Emu, audience: str = PROJECT_AUDIENCE) -> openai.OpenAI:
    """A client of the project that is always there."""
    return openai.OpenAI(
        base_url=f"{emu.url}/api/projects/emulator",
        api_key=emu.token(audience),
        default_query={"api-version": "v1"},
        max_retries=0,
    )


@pytest.mark.parametrize("behaviour", [{}, {"assistants_api": "retired_404"}])
def test_an_assistant_talks(emulator: Any, behaviour: dict[str, str]) -> None:
    with emulator(behaviour=behaviour, run_s=0) as emu, classic(emu) as client:
        file = client.files.create(file=("sales.md", b"March: 40 bicycles"), purpose="assistants")
        store = client.vector_stores.create(name="s")
        client.vector_stores.files.create_and_poll(file_id=file.id, vector_store_id=store.id, poll_interval_ms=10)
        assistant = client.beta.assistants.create(
            model="gpt-4o",
            name="Clerk",
            tools=[{"type": "file_search"}],
            tool_resources={"file_search": {"vector_store_ids": [store.id]}},
        )
        assert [each.id for each in client.beta.assistants.list()] == [assistant.id]
        thread = client.beta.threads.create(messages=[{"role": "user", "content": "How was March?"}])
        run = client.beta.threads.runs.create_and_poll(
            thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=10
        )
        assert run.status == "completed"
        (part,) = next(iter(client.beta.threads.messages.list(thread.id))).content
        assert part.type == "text"
        assert "40 bicycles" in part.text.value
        dumped = emu.admin("GET", "/dump")
        assert [(each["account"], each["project"]) for each in dumped["assistants"]] == [("emulator", "emulator")]
        assert [each["project"] for each in dumped["threads"]] == ["emulator"]
        listed = emu.data("GET", "/assistants")
        if behaviour:
            error_of(listed, 404)
        else:
            assert listed.json()["data"] == []  # the account's own


def test_files_and_stores_are_those_of_the_other_halves(emu: Emu) -> None:
    file = Foundry(emu).upload("a.md", b"x")
    with classic(emu) as client:
        assert client.files.retrieve(file).filename == "a.md"


def test_sign_in_and_version(emu: Emu) -> None:
    with classic(emu, DATA_AUDIENCE) as client, pytest.raises(openai.AuthenticationError):
        client.beta.assistants.list()
    headers = {"authorization": f"Bearer {emu.token(PROJECT_AUDIENCE)}"}
    url = "/api/projects/emulator/assistants"
    error_of(emu.http.get(url, headers=headers), 400)
    error_of(emu.http.get(url, headers=headers, params={"api-version": "2025-03-01-preview"}), 400)
    error_of(emu.http.get("/api/projects/none/files", headers=headers, params={"api-version": "v1"}), 404)
    store = {"query": "x"}
    search = emu.http.post("/api/projects/emulator/vector_stores/vs_1/search", headers=headers, json=store,
                           params={"api-version": "v1"})  # fmt: skip
    assert error_of(search, 404)["message"] == "Resource not found"
