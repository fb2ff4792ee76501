"""Threads and messages: what they hold, how they change, what an attachment does."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.beta import Thread
from openai.types.beta.threads import Message

from tests.emulator.conftest import NEW, OLD, V1, Emu, error_of, wait
from tests.emulator.talking import ask, parsed, run_on, thread_with

DATED = pytest.mark.parametrize("surface", [OLD, NEW])
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated.*:DeprecationWarning")


@DATED
def test_life_of_a_thread(emu: Emu, surface: str) -> None:
    file, store = emu.upload()["id"], emu.store()["id"]
    resources = {"code_interpreter": {"file_ids": [file]}, "file_search": {"vector_store_ids": [store]}}
    body = {
        "messages": [
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "two", "metadata": {"k": "v"}},
        ],
        "tool_resources": resources,
        "metadata": {"a": "b"},
    }
    made = ask(emu, surface, "POST", "/threads", body)
    assert (made["tool_resources"], made["metadata"]) == (resources, {"a": "b"})
    parsed(Thread, made)
    one = f"/threads/{made['id']}"
    assert ask(emu, surface, "GET", one) == made
    assert ask(emu, surface, "POST", one, {"metadata": {"c": "d"}}) == {**made, "metadata": {"c": "d"}}
    changed = ask(emu, surface, "POST", one, {"tool_resources": {"code_interpreter": {"file_ids": []}}})
    assert changed["tool_resources"] == {**resources, "code_interpreter": {"file_ids": []}}
    listed = ask(emu, surface, "GET", f"{one}/messages", params={"order": "asc"})["data"]
    assert [(m["role"], m["content"][0]["text"]["value"], m["metadata"]) for m in listed] == [
        ("user", "one", {}),
        ("assistant", "two", {"k": "v"}),
    ]
    assert ask(emu, surface, "DELETE", one) == {"id": made["id"], "object": "thread.deleted", "deleted": True}
    for path in (one, f"{one}/messages", f"{one}/runs"):
        error = error_of(emu.data("GET", path, surface=surface), 404)
        assert error["message"] == f"No thread found with id '{made['id']}'."


def test_an_empty_body_makes_an_empty_thread(emu: Emu) -> None:
    answer = emu.data("POST", "/threads")
    assert (answer.status_code, answer.json()["tool_resources"], answer.json()["metadata"]) == (200, {}, {})


@DATED
def test_life_of_a_message(emu: Emu, surface: str) -> None:
    thread = ask(emu, surface, "POST", "/threads", {})["id"]
    path = f"/threads/{thread}/messages"
    made = ask(emu, surface, "POST", path, {"role": "user", "content": "hello", "metadata": {"a": "b"}})
    parsed(Message, made)
    assert (made["status"], made["run_id"], made["assistant_id"], made["attachments"]) == ("completed", None, None, [])
    assert ask(emu, surface, "GET", f"{path}/{made['id']}") == made
    changed = ask(emu, surface, "POST", f"{path}/{made['id']}", {"metadata": {"c": "d"}})
    assert changed == {**made, "metadata": {"c": "d"}}
    assert ask(emu, surface, "GET", f"{path}/{made['id']}") == changed


def test_messages_are_listed_in_pages(emu: Emu) -> None:
    client, thread = emu.openai(), emu.openai().beta.threads.create()
    made = [client.beta.threads.messages.create(thread.id, role="user", content=str(n)).id for n in range(7)]
    other = thread_with(emu)
    assert [m.id for m in client.beta.threads.messages.list(thread.id, order="asc", limit=3)] == made
    assert [m.id for m in client.beta.threads.messages.list(thread.id, limit=3)] == made[::-1]
    page = emu.data("GET", f"/threads/{thread.id}/messages", params={"order": "asc", "before": made[4], "limit": 2})
    assert [m["id"] for m in page.json()["data"]] == made[2:4]
    assert page.json()["has_more"] is True
    foreign = emu.data("GET", f"/threads/{other}/messages", params={"after": made[0]})
    assert error_of(foreign, 400)["param"] == "after"
    error_of(emu.data("GET", f"/threads/{other}/messages/{made[0]}"), 404)


def test_content_parts(emu: Emu) -> None:
    image = emu.upload("a.png")["id"]
    thread = emu.openai().beta.threads.create(
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_file", "image_file": {"file_id": image, "detail": "low"}},
                    {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                ],
            }
        ]
    )
    message = emu.openai().beta.threads.messages.list(thread.id).data[0]
    assert [part.type for part in message.content] == ["text", "image_file", "image_url"]
    assert message.content[1].image_file.file_id == image
    assert run_on(emu, thread.id, emu.assistant()["id"])["status"] == "completed"


def test_content_parts_can_be_refused(emulator: Any) -> None:
    with emulator(behaviour={"message_content_parts": "refused"}) as emu:
        body = {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}
        assert error_of(emu.data("POST", "/threads", body), 400)["param"] == "messages[0].content"


@pytest.mark.parametrize("value", ["refused", "served"])
def test_deleting_a_message(emulator: Any, value: str) -> None:
    with emulator(behaviour={"message_delete": value}) as emu:
        thread = thread_with(emu)
        path = f"/threads/{thread}/messages"
        ident = emu.data("GET", path).json()["data"][0]["id"]
        answer = emu.data("DELETE", f"{path}/{ident}")
        if value == "refused":
            assert error_of(answer, 404) == {"code": "404", "message": "Resource not found"}
        else:
            assert answer.json() == {"id": ident, "object": "thread.message.deleted", "deleted": True}
        assert len(emu.data("GET", path).json()["data"]) == (value == "refused")


@DATED
def test_attachments_reach_the_tools(emu: Emu, surface: str) -> None:
    first, second = emu.upload("a.md")["id"], emu.upload("b.md")["id"]
    search, code = [{"type": "file_search"}], [{"type": "code_interpreter"}]
    attachments = [{"file_id": first, "tools": search}, {"file_id": second, "tools": [*search, *code]}]
    thread = thread_with(emu, surface=surface, attachments=attachments)
    resources = ask(emu, surface, "GET", f"/threads/{thread}")["tool_resources"]
    assert resources["code_interpreter"] == {"file_ids": [second]}
    (store,) = resources["file_search"]["vector_store_ids"]
    found = wait(lambda: emu.data("GET", f"/vector_stores/{store}").json(), lambda s: s["status"] == "completed")
    assert found["expires_after"] == {"anchor": "last_active_at", "days": 7}
    assert found["file_counts"]["completed"] == 2
    third = emu.upload("c.md")["id"]
    body = {"role": "user", "content": "more", "attachments": [{"file_id": third, "tools": search}]}
    made = ask(emu, surface, "POST", f"/threads/{thread}/messages", body)
    assert made["attachments"] == body["attachments"]
    assert ask(emu, surface, "GET", f"/threads/{thread}")["tool_resources"] == resources
    assert emu.data("GET", f"/vector_stores/{store}/files/{third}").status_code == 200
    emu.data("DELETE", f"/files/{second}")
    assert ask(emu, surface, "GET", f"/threads/{thread}")["tool_resources"]["code_interpreter"] == {"file_ids": []}


def test_a_store_made_with_a_thread_expires(emu: Emu) -> None:
    file = emu.upload()["id"]
    made = emu.data("POST", "/threads", {"tool_resources": {"file_search": {"vector_stores": [{"file_ids": [file]}]}}})
    (store,) = made.json()["tool_resources"]["file_search"]["vector_store_ids"]
    assert emu.data("GET", f"/vector_stores/{store}").json()["expires_after"]["days"] == 7


def test_too_many_files_for_code_interpreter(emu: Emu) -> None:
    file, code = emu.upload()["id"], [{"type": "code_interpreter"}]
    held = [emu.upload(f"{n}.md")["id"] for n in range(20)]
    thread = emu.data("POST", "/threads", {"tool_resources": {"code_interpreter": {"file_ids": held}}}).json()["id"]
    body = {"role": "user", "content": "x", "attachments": [{"file_id": file, "tools": code}]}
    assert error_of(emu.data("POST", f"/threads/{thread}/messages", body), 400)["code"] == "array_above_max_length"
    assert emu.data("GET", f"/threads/{thread}/messages").json()["data"] == []


def test_v1_has_no_threads(emu: Emu) -> None:
    for method, path in (("POST", "/threads"), ("GET", "/threads/x"), ("POST", "/threads/runs")):
        assert error_of(emu.data(method, path, surface=V1), 404)["message"] == "Resource not found"


@pytest.mark.parametrize("value", ["retired_404", "retired_410"])
def test_threads_are_retired_with_the_assistants(emulator: Any, value: str) -> None:
    with emulator(behaviour={"assistants_api": value}) as emu:
        for path in ("/threads", "/threads/runs", "/threads/x/messages", "/threads/x/runs"):
            assert emu.data("POST", path, {}).status_code == int(value[-3:])


_MESSAGE = {"role": "user", "content": "x"}
REFUSED: list[tuple[str, Any, str, str]] = [  # path, body, param, code
    ("/threads", {"name": "x"}, "name", "unknown_parameter"),
    ("/threads", {"messages": {}}, "messages", "invalid_type"),
    ("/threads", {"messages": [{"role": "user"}]}, "messages[0].content", "missing_required_parameter"),
    ("/threads", {"messages": [{**_MESSAGE, "role": "system"}]}, "messages[0].role", "invalid_value"),
    ("/threads", {"metadata": {str(n): "" for n in range(17)}}, "metadata", "object_above_max_properties"),
    ("/threads", {"tool_resources": {"x": {}}}, "tool_resources.x", "unknown_parameter"),
    ("/threads", {"tool_resources": {"file_search": {}}}, "tool_resources.file_search", "invalid_value"),
    ("M", {**_MESSAGE, "content": ""}, "content", "string_below_min_length"),
    ("M", {**_MESSAGE, "content": "x" * 256_001}, "content", "string_above_max_length"),
    ("M", {**_MESSAGE, "content": []}, "content", "array_below_min_length"),
    ("M", {**_MESSAGE, "content": [{"type": "audio"}]}, "content[0].type", "invalid_value"),
    ("M", {**_MESSAGE, "content": [{"type": "text"}]}, "content[0].text", "missing_required_parameter"),
    ("M", {**_MESSAGE, "metadata": {"k": "v" * 513}}, "metadata.k", "string_above_max_length"),
    ("M", {**_MESSAGE, "metadata": {"k" * 65: "v"}}, "metadata", "property_name_above_max_length"),
    ("M", {**_MESSAGE, "file_ids": []}, "file_ids", "unknown_parameter"),
    ("M", {**_MESSAGE, "attachments": [{"tools": []}]}, "attachments[0].file_id", "missing_required_parameter"),
    (
        "M",
        {**_MESSAGE, "attachments": [{"file_id": "x", "tools": [{"type": "function"}]}]},
        "attachments[0].tools[0].type",
        "invalid_value",
    ),
]


@pytest.mark.parametrize(("path", "body", "param", "code"), REFUSED)
@DATED
def test_refused(emu: Emu, surface: str, path: str, body: Any, param: str, code: str) -> None:
    thread = emu.data("POST", "/threads", {}, surface=surface).json()["id"]
    error = error_of(emu.data("POST", path.replace("M", f"/threads/{thread}/messages"), body, surface=surface), 400)
    assert (error["param"], error["code"], error["type"]) == (param, code, "invalid_request_error")


def test_older_version_has_no_chunking(emu: Emu) -> None:
    store = {"chunking_strategy": {"type": "auto"}, "file_ids": [emu.upload()["id"]]}
    body = {"tool_resources": {"file_search": {"vector_stores": [store]}}}
    assert emu.data("POST", "/threads", body, surface=NEW).status_code == 200
    assert error_of(emu.data("POST", "/threads", body, surface=OLD), 400)["code"] == "unknown_parameter"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"attachments": [{"file_id": "assistant-x", "tools": [{"type": "file_search"}]}]}, "attachments"),
        ({"content": [{"type": "image_file", "image_file": {"file_id": "assistant-x"}}]}, "content"),
    ],
)
def test_unknown_files_are_refused_and_leave_nothing(emu: Emu, body: dict[str, Any], param: str) -> None:
    thread = emu.data("POST", "/threads", {}).json()["id"]
    answer = emu.data("POST", f"/threads/{thread}/messages", {**_MESSAGE, **body})
    assert error_of(answer, 400)["param"] == param
    assert emu.data("GET", f"/threads/{thread}/messages").json()["data"] == []
