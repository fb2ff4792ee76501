"""Between the question and each write: what moved meanwhile is left alone and named, and all else goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import DEPLOYMENT, RESOURCE, Ended, World
from .test_saved_plans import arm_patch, edit, token

Here = Callable[..., Ended]
BOT: dict[str, Any] = {"model": "gpt-4o", "instructions": "hi"}
BIGGER: dict[str, Any] = {**DEPLOYMENT, "sku": {"name": "GlobalStandard", "capacity": 5}}
CHUNKS: dict[str, Any] = {"max_chunk_size_tokens": 400, "chunk_overlap_tokens": 9}
FILES: list[Any] = [{"glob": "kb/*.md"}]


def stack(world: World, **over: Any) -> None:
    """Every kind, and nothing that refers to a store, so that each can be changed alone."""
    world.write("kb/a.md", "text\n")
    world.spec(
        **{
            "deployments": {"gpt-4o": DEPLOYMENT},
            "vector_stores": {"kb": {"files": FILES}},
            "assistants": {"bot": BOT},
            **over,
        }
    )


def raced(world: World, here: Here, monkeypatch: pytest.MonkeyPatch, move: Callable[[World], Any]) -> Ended:
    """Apply; `move` happens between the answer to the question and the first write."""

    def answered(*_: Any) -> bool:
        move(world)
        world.admin("DELETE", "/requests")
        return True

    monkeypatch.setattr("asstops.cli.carry_out._approved", answered)
    return here(world, "apply")


def settled(world: World) -> dict[str, Any]:
    """What is live once no operation of Azure Resource Manager is under way any more; they go on after the answer."""
    deadline = time.monotonic() + 30
    while True:
        found = world.dump()
        states = {item["properties"]["provisioningState"] for item in (*found["accounts"], *found["deployments"])}
        if states <= {"Succeeded"}:
            return found
        assert time.monotonic() < deadline, states
        time.sleep(0.02)


def deployment(world: World, capacity: int) -> None:
    path = (
        f"/subscriptions/{RESOURCE['subscription_id']}/resourceGroups/rg/providers/"
        "Microsoft.CognitiveServices/accounts/contoso/deployments/mini"
    )
    body = {
        "sku": {"name": "GlobalStandard", "capacity": capacity},
        "properties": {"model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}},
    }
    headers = token(world, "https://management.azure.com/")
    answer = world.http.put(path, params={"api-version": "2025-09-01"}, headers=headers, json=body)
    assert answer.status_code in (200, 201), answer.text


def theirs(**tags: str) -> Callable[[World], None]:
    """Somebody adds tags to the account in the portal, leaving those of asstops."""
    return lambda w: arm_patch(w, "", {"tags": {**w.dump()["accounts"][0]["tags"], **tags}})


# what is planned -> the spec's sections, what happens meanwhile, address and words of the message
RACES: dict[str, tuple[dict[str, Any], Callable[[World], Any], tuple[str, ...]]] = {
    "update an assistant": (
        {"assistants": {"bot": {**BOT, "instructions": "new"}}},
        lambda w: edit(w, "assistants", "bot", temperature=0.7),
        ("assistant.bot", "left alone: temperature"),
    ),
    "update an assistant that lost its mark": (
        {"assistants": {"bot": {**BOT, "instructions": "new"}}},
        lambda w: edit(w, "assistants", "bot", metadata={"asstops": ""}),
        ("assistant.bot", "left alone: the mark of asstops"),
    ),
    "update an assistant that is deleted": (
        {"assistants": {"bot": {**BOT, "instructions": "new"}}},
        lambda w: edit(w, "assistants", "bot"),
        ("assistant.bot", "it was deleted after the plan was made"),
    ),
    "delete an assistant": (
        {"assistants": None},
        lambda w: edit(w, "assistants", "bot", instructions="precious"),
        ("assistant.bot", "left alone: instructions"),
    ),
    "update a vector store": (
        {"vector_stores": {"kb": {"files": FILES, "name": "new"}}},
        lambda w: edit(w, "vector_stores", "kb", expires_after={"anchor": "last_active_at", "days": 3}),
        ("vector_store.kb", "left alone: expires_after_days"),
    ),
    "replace a vector store": (
        {"vector_stores": {"kb": {"files": FILES, "chunking": CHUNKS}}},
        lambda w: edit(w, "vector_stores", "kb", name="precious"),
        ("vector_store.kb", "left alone: name"),
    ),
    "update a deployment": (
        {"deployments": {"gpt-4o": BIGGER}},
        lambda w: arm_patch(w, "deployments/gpt-4o", {"sku": {"name": "GlobalStandard", "capacity": 3}}),
        ("deployment.gpt-4o", "left alone: sku.capacity"),
    ),
    "create a deployment whose name is taken": (
        {"deployments": {"gpt-4o": DEPLOYMENT, "mini": DEPLOYMENT}},
        lambda w: deployment(w, 2),
        ("deployment.mini", "made by others after the plan was made"),
    ),
    "update the account": (
        {"resource": {**RESOURCE, "tags": {"team": "sales"}}},
        theirs(cost="42"),
        ("resource.contoso", "left alone: tags.cost"),
    ),
}


@pytest.mark.parametrize("what", RACES)
def test_what_moved_is_left_alone(world: World, here: Here, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Nothing is written, exit 4, and what was live stays as whoever moved it left it."""
    stack(world)
    assert here(world, "apply", "-y").code == 0
    sections, move, words = RACES[what]
    stack(world, **sections)
    moved: dict[str, Any] = {}

    def moving(w: World) -> None:
        move(w)
        moved.update(settled(w))

    ended = raced(world, here, monkeypatch, moving)
    assert ended.code == 4, ended
    assert world.writes() == []
    assert world.dump() == moved
    for word in (*words, "plan again to see what is live now"):
        assert word in ended.text, ended


def test_nothing_moved_nothing_in_the_way(world: World, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same changes go through when nobody interferes, all at once."""
    stack(world)
    assert here(world, "apply", "-y").code == 0
    stack(
        world,
        resource={**RESOURCE, "tags": {"team": "sales"}},
        deployments={"gpt-4o": BIGGER, "mini": DEPLOYMENT},
        vector_stores={"kb": {"files": FILES, "chunking": CHUNKS}},
        assistants={"bot": {**BOT, "instructions": "new"}},
    )
    ended = raced(world, here, monkeypatch, lambda w: None)
    assert ended.code == 0, ended
    assert "No changes." in here(world, "plan").out


def test_a_create_of_an_account_that_others_made(world: World, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PUT would take it over."""
    stack(world)

    def others(w: World) -> None:
        path = (
            f"/subscriptions/{RESOURCE['subscription_id']}/resourceGroups/rg/providers/"
            "Microsoft.CognitiveServices/accounts/contoso"
        )
        body = {
            "location": "swedencentral",
            "kind": "OpenAI",
            "sku": {"name": "S0"},
            "properties": {"customSubDomainName": "contoso"},
            "tags": {"owner": "others"},
        }
        headers = token(w, "https://management.azure.com/")
        answer = w.http.put(path, params={"api-version": "2025-09-01"}, headers=headers, json=body)
        assert answer.status_code in (200, 201), answer.text

    ended = raced(world, here, monkeypatch, lambda w: (others(w), settled(w)))
    assert (ended.code, world.writes()) == (4, []), ended
    assert "contoso was made by others" in ended.text
    assert world.dump()["accounts"][0]["tags"] == {"owner": "others"}


def test_what_was_to_be_deleted_is_gone_already(world: World, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    stack(world)
    assert here(world, "apply", "-y").code == 0
    stack(world, assistants=None)
    ended = raced(world, here, monkeypatch, lambda w: edit(w, "assistants", "bot"))
    assert ended.code == 0, ended
    assert world.names("assistants") == []


def test_a_file_taken_out_of_a_store_by_hand(world: World, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    stack(world)
    assert here(world, "apply", "-y").code == 0
    stack(world, vector_stores={"kb": {"files": FILES, "name": "new"}})

    def detach(w: World) -> None:
        store = next(item["id"] for item in w.dump()["vector_stores"] if item["name"] == "kb")
        file = w.dump()["files"][0]["id"]
        answer = w.http.delete(
            f"/contoso/openai/vector_stores/{store}/files/{file}",
            params={"api-version": "2025-03-01-preview"},
            headers=token(w, "https://cognitiveservices.azure.com/"),
        )
        assert answer.status_code == 200, answer.text

    ended = raced(world, here, monkeypatch, detach)
    assert (ended.code, world.writes()) == (4, []), ended
    assert "vector_store.kb" in ended.text
    assert "left alone: files" in ended.text


def test_a_file_that_changes_on_disk(world: World, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was shown is not what would be sent, so it is not sent; what is independent goes on, so exit 3."""
    stack(world)
    ended = raced(world, here, monkeypatch, lambda w: w.write("kb/a.md", "other\n"))
    assert ended.code == 3, ended
    assert "kb/a.md changed after the plan was made" in ended.text
    assert world.dump()["files"] == []
    assert world.names("assistants") == ["bot"]


def test_the_rest_goes_on(world: World, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of two assistants moved: the other is written, so the exit code is that of a partial apply."""
    stack(world, assistants={"bot": BOT, "other": BOT})
    assert here(world, "apply", "-y").code == 0
    changed = {**BOT, "instructions": "new"}
    stack(world, assistants={"bot": changed, "other": changed})
    ended = raced(world, here, monkeypatch, lambda w: edit(w, "assistants", "bot", temperature=0.7))
    assert ended.code == 3, ended
    live = {item["name"]: item["instructions"] for item in world.dump()["assistants"]}
    assert live == {"bot": "hi", "other": "new"}
    assert here(world, "apply", "-y").code == 0
    assert "No changes." in here(world, "plan").out


def test_a_destroy_leaves_what_moved(world: World, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    stack(world)
    assert here(world, "apply", "-y").code == 0

    def answered(*_: Any) -> bool:
        edit(world, "assistants", "bot", instructions="precious")
        return True

    monkeypatch.setattr("asstops.cli.carry_out._approved", answered)
    ended = here(world, "destroy")
    assert ended.code == 3, ended
    assert world.names("assistants") == ["bot"]
    assert "left alone: instructions" in ended.text
    assert here(world, "destroy", "-y").code == 0
    assert world.dump()["accounts"] == []
