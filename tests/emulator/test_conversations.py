"""Conversations and their items, in a project and in an account; each answer is held to the SDK's types."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.conftest import V1, Emu, error_of
from tests.emulator.foundry import Foundry

USER = {"role": "user", "content": "hello"}
CALL = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
SAID = {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed"}
ITEMS: list[dict[str, Any]] = [
    USER,
    {"type": "message", "role": "assistant", "content": "yes"},
    {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "be short"}]},
    {"role": "user", "content": [{"type": "input_image", "detail": "low", "image_url": "https://example.com/a.png"}]},
    {**SAID, "content": [{"type": "output_text", "text": "t", "annotations": []}]},
    {**SAID, "id": "msg_2", "content": [{"type": "refusal", "refusal": "no"}]},
    CALL,
    {"type": "function_call_output", "call_id": "call_1", "output": "o"},
    {"type": "file_search_call", "id": "fs_1", "queries": ["q"], "status": "completed", "results": None},
    {"type": "code_interpreter_call", "id": "ci_1", "code": "1", "container_id": "c", "status": "completed",
     "outputs": [{"type": "logs", "logs": "1"}]},
    {"type": "reasoning", "id": "rs_1", "summary": []},
]  # fmt: skip


@pytest.fixture
def project(emu: Emu) -> Foundry:
    return Foundry(emu)


def test_life(project: Foundry) -> None:
    made = project.good("POST", "/conversations", {"metadata": {"a": "b"}})
    assert made["id"].startswith("conv_")
    assert (made["object"], made["metadata"]) == ("conversation", {"a": "b"})
    one = f"/conversations/{made['id']}"
    assert project.good("GET", one) == made
    assert project.good("POST", one, {"metadata": {"c": "d"}})["metadata"] == {"c": "d"}
    assert project.good("DELETE", one) == {"id": made["id"], "object": "conversation.deleted", "deleted": True}
    for method, path, body in (("GET", one, None), ("DELETE", one, None), ("POST", one, {"metadata": {}}),
                               ("GET", f"{one}/items", None), ("POST", f"{one}/items", {"items": [USER]})):  # fmt: skip
        assert error_of(project.openai(method, path, body), 404)["code"] == "not_found"


def test_items(project: Foundry) -> None:
    one = f"/conversations/{project.good('POST', '/conversations', {'items': [USER]})['id']}"
    added = project.good("POST", f"{one}/items", {"items": ITEMS[1:]})["data"]
    listed = project.good("GET", f"{one}/items", params={"order": "asc", "limit": 100})
    assert listed["data"][1:] == added
    assert [item["type"] for item in listed["data"]] == [item.get("type", "message") for item in ITEMS]
    first = listed["data"][0]
    assert first["content"] == [{"type": "input_text", "text": "hello"}]
    assert added[0]["content"] == [{"type": "output_text", "text": "yes", "annotations": [], "logprobs": []}]
    assert project.good("GET", f"{one}/items/{first['id']}") == first
    assert project.good("DELETE", f"{one}/items/{first['id']}")["object"] == "conversation"
    error_of(project.openai("GET", f"{one}/items/{first['id']}"), 404)
    error_of(project.openai("DELETE", f"{one}/items/{first['id']}"), 404)


def test_pages_of_items(project: Foundry) -> None:
    items = [{"role": "user", "content": str(n)} for n in range(5)]
    one = f"/conversations/{project.good('POST', '/conversations', {'items': items})['id']}"
    found: list[str] = []
    params: dict[str, Any] = {"limit": 2}
    while True:
        page = project.good("GET", f"{one}/items", params=params)
        found += [item["content"][0]["text"] for item in page["data"]]
        if not page["has_more"]:
            break
        params["after"] = page["last_id"]
    assert found == ["4", "3", "2", "1", "0"]
    error_of(project.openai("GET", f"{one}/items", params={"after": "none"}), 400)
    error_of(project.openai("GET", f"{one}/items", params={"limit": 101}), 400)


def test_what_tools_found_is_shown_when_it_is_asked_for(project: Foundry) -> None:
    one = f"/conversations/{project.good('POST', '/conversations', {'items': ITEMS})['id']}"
    code = next(item for item in project.good("GET", f"{one}/items")["data"] if item["type"] == "code_interpreter_call")
    assert code["outputs"] is None
    wanted = {"include": "code_interpreter_call.outputs"}
    assert project.good("GET", f"{one}/items/{code['id']}", params=wanted)["outputs"] == ITEMS[9]["outputs"]
    error_of(project.openai("GET", f"{one}/items", params={"include": "everything"}), 400)


def test_a_reference_becomes_a_copy(project: Foundry) -> None:
    first = f"/conversations/{project.good('POST', '/conversations', {'items': [USER]})['id']}"
    item = project.good("GET", f"{first}/items")["data"][0]
    made = project.good("POST", "/conversations", {"items": [{"type": "item_reference", "id": item["id"]}]})
    copy = project.good("GET", f"/conversations/{made['id']}/items")["data"][0]
    assert copy["content"] == item["content"]
    again = project.good("POST", f"{first}/items", {"items": [{"id": item["id"]}]})["data"][0]
    assert again["id"] != item["id"]
    error_of(project.openai("POST", f"{first}/items", {"items": [{"id": "msg_none"}]}), 404)
    project.good("DELETE", first)
    error_of(project.openai("POST", "/conversations", {"items": [{"id": again["id"]}]}), 404)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ({"items": [USER] * 20}, {"items": [USER] * 21}),
        ({"items": []}, {"items": "hello"}),
        ({"metadata": {str(n): "v" for n in range(16)}}, {"metadata": {str(n): "v" for n in range(17)}}),
        ({"metadata": {"k" * 64: "v" * 512}}, {"metadata": {"k" * 65: "v"}}),
        ({"items": [USER]}, {"items": [{**USER, "role": "boss"}]}),
        ({"items": [USER]}, {"items": [{**USER, "nmae": "x"}]}),
        ({"items": [USER]}, {"items": [{"role": "user"}]}),
        ({"items": [USER]}, {"items": [{"type": "none"}]}),
        ({"items": [CALL]}, {"items": [{**CALL, "arguments": {}}]}),
        ({"items": ITEMS[7:8]}, {"items": [{**ITEMS[7], "call_id": "x" * 65}]}),
        ({"items": ITEMS[7:8]}, {"items": [{**ITEMS[7], "output": 1}]}),
        ({"items": ITEMS[3:4]}, {"items": [{"role": "user", "content": [{"type": "image_url"}]}]}),
        ({}, {"name": "x"}),
    ],
)
def test_both_sides(project: Foundry, good: dict[str, Any], bad: dict[str, Any]) -> None:
    project.good("POST", "/conversations", good)
    error_of(project.openai("POST", "/conversations", bad), 400)


def test_update_wants_metadata(project: Foundry) -> None:
    one = f"/conversations/{project.good('POST', '/conversations', {})['id']}"
    error_of(project.openai("POST", one, {}), 400)
    error_of(project.openai("POST", one, {"metadata": {}, "items": []}), 400)


def test_an_account_has_conversations_too(emu: Emu) -> None:
    made = emu.data("POST", "/conversations", {}, surface=V1).json()
    assert emu.data("GET", f"/conversations/{made['id']}", surface=V1).json() == made
    error_of(Foundry(emu).openai("GET", f"/conversations/{made['id']}"), 404)
    (dumped,) = emu.admin("GET", "/dump")["conversations"]
    assert (dumped["account"], dumped.get("project"), dumped["items"]) == ("emulator", None, [])
