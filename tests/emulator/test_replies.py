"""Scripted replies: from a file and over the wire, in runs and in chat completions."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from asstops.emulator import EmulatorError, EmulatorServer, EmulatorSettings
from tests.emulator.conftest import NEW, Emu, error_of
from tests.emulator.talking import WEATHER, ask, ended, run_on, said, thread_with

CHAT = "/deployments/gpt-4o/chat/completions"
FILE = """\
replies:
  - match: {text: "(?i)opening hours"}
    reply: "{assistant} on {model}: you asked '{question}'."
  - match: {assistant: "Sales.*"}
    reply: sales
  - reply: anything else
"""


def chat(emu: Emu, text: str) -> Any:
    return emu.data("POST", CHAT, {"messages": [{"role": "user", "content": text}]})


def content(emu: Emu, text: str) -> str:
    return str(chat(emu, text).json()["choices"][0]["message"]["content"])


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_a_file_of_replies(emulator: Any, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"replies{suffix}"
    rules = [
        {"match": {"text": "(?i)opening hours"}, "reply": "{assistant} on {model}: you asked '{question}'."},
        {"match": {"assistant": "Sales.*"}, "reply": "sales"},
        {"reply": "anything else"},
    ]
    path.write_text(FILE if suffix == ".yaml" else json.dumps({"replies": rules}))
    with emulator(replies=path) as emu:
        for name, text, wanted in (
            ("Sales EU", "Opening hours?", "Sales EU on gpt-4o: you asked 'Opening hours?'."),
            ("Sales EU", "Hello", "sales"),
            ("EU Sales", "Hello", "anything else"),
        ):
            thread = thread_with(emu, text)
            assert run_on(emu, thread, emu.assistant(name=name)["id"])["status"] == "completed"
            assert said(emu, thread) == wanted
        assert content(emu, "Hi") == "anything else"


def test_rules_over_the_wire_come_first(emulator: Any, tmp_path: Path) -> None:
    path = tmp_path / "replies.yaml"
    path.write_text("- reply: from the file\n")
    with emulator(replies=path) as emu:
        made = emu.admin("POST", "/replies", {"match": {"text": "x"}, "reply": "one", "times": 2})
        emu.admin("POST", "/replies", {"replies": [{"match": {"model": "gpt-4o"}, "reply": "two", "times": 1}]})
        assert made["replies"][0]["times"] == 2
        assert [content(emu, "x") for _ in range(4)] == ["one", "one", "two", "from the file"]
        assert [rule["used"] for rule in emu.admin("GET", "/replies")["replies"]] == [2, 1, 1]
        path.write_text("- reply: changed\n")
        emu.admin("POST", "/reset")
        assert content(emu, "x") == "changed"
        emu.admin("DELETE", "/replies")
        assert content(emu, "x") == "[asstops emulator] gpt-4o was asked: x"


def test_matches_must_cover_the_whole_name(emu: Emu) -> None:
    emu.admin("POST", "/replies", {"match": {"model": "gpt-4"}, "reply": "never"})
    assert content(emu, "x").startswith("[asstops emulator]")


def test_scripted_calls(emu: Emu) -> None:
    rule = {
        "match": {"text": "umbrella"},
        "tool_calls": [{"name": "get_weather", "arguments": {"city": "Bergen"}}],
        "reply": "It will be {outputs}.",
    }
    emu.admin("POST", "/replies", rule)
    thread = thread_with(emu, "Do I need an umbrella?")
    run = run_on(emu, thread, emu.assistant(tools=[WEATHER])["id"])
    (call,) = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"city": "Bergen"}
    path = f"/threads/{thread}/runs/{run['id']}/submit_tool_outputs"
    ended(emu, ask(emu, NEW, "POST", path, {"tool_outputs": [{"tool_call_id": call["id"], "output": "wet"}]}))
    assert said(emu, thread) == "It will be wet."
    body = {"messages": [{"role": "user", "content": "umbrella"}], "tools": [WEATHER]}
    choice = emu.data("POST", CHAT, body).json()["choices"][0]
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "get_weather"


def test_scripted_call_used_once(emu: Emu) -> None:
    """The turn after the calls still belongs to the rule, though its uses are spent."""
    emu.admin("POST", "/replies", {"tool_calls": [{"name": "get_weather"}], "reply": "{outputs}!", "times": 1})
    thread = thread_with(emu)
    run = run_on(emu, thread, emu.assistant(tools=[WEATHER])["id"])
    (call,) = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"city": "city"}
    path = f"/threads/{thread}/runs/{run['id']}/submit_tool_outputs"
    ended(emu, ask(emu, NEW, "POST", path, {"tool_outputs": [{"tool_call_id": call["id"], "output": "wet"}]}))
    assert said(emu, thread) == "wet!"


def test_scripted_citations(emu: Emu) -> None:
    first, second = emu.upload("a.md", b"Alpha\nBeta")["id"], emu.upload("b.md", b"Gamma")["id"]
    store = emu.store(file_ids=[first, second])["id"]
    assistant = emu.assistant(
        tools=[{"type": "file_search"}], tool_resources={"file_search": {"vector_store_ids": [store]}}
    )["id"]
    emu.admin("POST", "/replies", {"reply": "See ", "citations": ["b.md", {"file": first, "quote": "Beta"}]})
    thread = thread_with(emu)
    run = run_on(emu, thread, assistant)
    text = ask(emu, NEW, "GET", f"/threads/{thread}/messages")["data"][0]["content"][0]["text"]
    assert [note["file_citation"]["file_id"] for note in text["annotations"]] == [second, first]
    marks = [text["value"][note["start_index"] : note["end_index"]] for note in text["annotations"]]
    assert "".join(["See ", *marks]) == text["value"]
    assert marks == [note["text"] for note in text["annotations"]]
    steps = ask(emu, NEW, "GET", f"/threads/{thread}/runs/{run['id']}/steps", params={"order": "asc"})["data"]
    assert steps[0]["step_details"]["tool_calls"][0]["type"] == "file_search"


@pytest.mark.parametrize(
    ("rule", "part"),
    [
        ({"citations": ["nowhere.md"]}, "cites 'nowhere.md'"),
        ({"tool_calls": [{"name": "fly"}]}, "calls 'fly'"),
    ],
)
def test_a_reply_that_cannot_be_carried_out_fails_the_run(emu: Emu, rule: dict[str, Any], part: str) -> None:
    emu.admin("POST", "/replies", rule)
    run = run_on(emu, thread_with(emu), emu.assistant()["id"])
    assert run["status"] == "failed"
    assert part in run["last_error"]["message"]


def test_scripted_failure(emu: Emu) -> None:
    emu.admin(
        "POST",
        "/replies",
        {"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "Too much."}, "tokens": {"prompt": 7}},
    )
    thread = thread_with(emu)
    run = run_on(emu, thread, emu.assistant()["id"])
    assert (run["status"], run["last_error"]) == ("failed", {"code": "rate_limit_exceeded", "message": "Too much."})
    assert (run["usage"]["prompt_tokens"], run["failed_at"] is not None) == (7, True)
    assert len(ask(emu, NEW, "GET", f"/threads/{thread}/messages")["data"]) == 1
    answer = chat(emu, "x")
    assert error_of(answer, 429)["message"] == "Too much."
    assert answer.headers["retry-after"] == "1"


def test_scripted_end_in_the_middle(emu: Emu) -> None:
    emu.admin("POST", "/replies", {"status": "incomplete", "reply": "Once upon a"})
    run = run_on(emu, thread_with(emu), emu.assistant()["id"])
    assert (run["status"], run["incomplete_details"]["reason"]) == ("incomplete", "max_completion_tokens")
    assert chat(emu, "x").json()["choices"][0]["finish_reason"] == "length"


def test_scripted_tokens(emu: Emu) -> None:
    emu.admin("POST", "/replies", {"reply": "x", "tokens": {"prompt": 100, "completion": 23}})
    wanted = {"prompt_tokens": 100, "completion_tokens": 23, "total_tokens": 123}
    assert run_on(emu, thread_with(emu), emu.assistant()["id"])["usage"] == wanted
    usage = chat(emu, "x").json()["usage"]
    assert {name: usage[name] for name in wanted} == wanted


def test_scripted_time(emulator: Any) -> None:
    now = time.time()
    with emulator(clock=lambda: now, run_s=1.0) as emu:
        emu.admin("POST", "/replies", {"reply": "slow", "seconds": 60})
        thread = thread_with(emu)
        run = ask(emu, NEW, "POST", f"/threads/{thread}/runs", {"assistant_id": emu.assistant()["id"]})
        path = f"/threads/{thread}/runs/{run['id']}"
        for advance, status in ((2, "in_progress"), (57, "in_progress"), (1, "completed")):
            emu.admin("POST", "/clock", {"advance_s": advance})
            assert emu.data("GET", path).json()["status"] == status


def test_scripted_time_of_a_chat_completion(emu: Emu) -> None:
    """The answer comes when the time has passed, in one piece too, and so does a failure."""
    emu.admin("POST", "/replies", {"match": {"text": "broken"}, "status": "failed", "seconds": 0.15})
    emu.admin("POST", "/replies", {"reply": "slow", "seconds": 0.15})
    for text, status in (("x", 200), ("broken", 500)):
        start = time.monotonic()
        assert chat(emu, text).status_code == status
        assert time.monotonic() - start >= 0.15


REFUSED: list[tuple[Any, str]] = [
    ({"answer": "x"}, "Unknown parameter: 'replies[0].answer'."),
    ({"match": {"name": "x"}}, "Unknown parameter: 'replies[0].match.name'."),
    ({"match": {"text": "("}}, "'replies[0].match.text' is no regular expression"),
    ({"times": 0}, "integer below minimum"),
    ({"status": "tired"}, "Supported values are: 'completed', 'failed', 'incomplete'."),
    ({"tool_calls": [{"arguments": {}}]}, "Missing required parameter: 'replies[0].tool_calls[0].name'."),
    ({"replies": [], "more": 1}, "Unknown parameter: 'more'."),
    ("x", "expected an array, but got a string"),
    ({"reply": 5}, "expected a string, but got an integer"),
]


@pytest.mark.parametrize(("rule", "part"), REFUSED)
def test_bad_rules_are_refused(emu: Emu, tmp_path: Path, rule: Any, part: str) -> None:
    answer = emu.http.post("/_emulator/replies", json=rule)
    assert part in error_of(answer, 400)["message"]
    assert emu.admin("GET", "/replies") == {"replies": []}
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(rule))
    with pytest.raises(EmulatorError) as caught, EmulatorServer(settings=EmulatorSettings(replies=path)):
        pass
    assert part in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(("text", "part"), [("a: [", "cannot be read"), (None, "cannot read the replies")])
def test_bad_files_are_refused(tmp_path: Path, text: str | None, part: str) -> None:
    path = tmp_path / "replies.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(EmulatorError, match=part), EmulatorServer(settings=EmulatorSettings(replies=path)):
        pass


def test_a_body_that_is_no_json(emu: Emu) -> None:
    assert error_of(emu.http.post("/_emulator/replies", content=b"{"), 400)["code"] == "invalid_json"
