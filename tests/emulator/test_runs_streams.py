"""Runs as server-sent events: the order, the form of each event, the SDK's helpers, interruptions."""

from __future__ import annotations

import time
from itertools import groupby
from typing import Any

import httpx2
import pytest
from openai import AssistantEventHandler
from openai.types.beta import AssistantStreamEvent, Thread
from openai.types.beta.threads import Message, MessageDeltaEvent, Run
from openai.types.beta.threads.runs import RunStep, RunStepDeltaEvent
from pydantic import TypeAdapter

from tests.emulator import contract
from tests.emulator.conftest import NEW, OLD, Emu, wait
from tests.emulator.talking import WEATHER, ended, events, parsed, thread_with

DATED = pytest.mark.parametrize("surface", [OLD, NEW])
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated.*:DeprecationWarning")
MESSAGE = [
    "thread.run.step.created",
    "thread.run.step.in_progress",
    "thread.message.created",
    "thread.message.in_progress",
    "thread.message.delta",
    "thread.message.completed",
    "thread.run.step.completed",
]
TOOL = [
    "thread.run.step.created",
    "thread.run.step.in_progress",
    "thread.run.step.delta",
    "thread.run.step.completed",
]
BEGIN = ["thread.run.created", "thread.run.queued", "thread.run.in_progress"]


def stream(emu: Emu, path: str, body: dict[str, Any], surface: str = NEW) -> list[tuple[str, Any]]:
    """Send a request with `stream`, hold each event against the documents, and return the events."""
    answer = emu.data("POST", path, {**body, "stream": True}, surface=surface)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    found = list(events(answer.text))
    assert found[-1] == ("done", "[DONE]")
    for name, data in found[:-1]:
        check(surface, name, data)
    return found[:-1]


def check(surface: str, name: str, data: Any) -> None:
    forms: list[tuple[str, Any, str]] = [  # prefix, model, a path that answers with the object
        ("thread.run.step.delta", RunStepDeltaEvent, ""),
        ("thread.run.step.", RunStep, "/threads/t/runs/r/steps/s"),
        ("thread.run.", Run, "/threads/t/runs/r"),
        ("thread.message.delta", MessageDeltaEvent, ""),
        ("thread.message.", Message, "/threads/t/messages/m"),
        ("thread.created", Thread, "/threads/t"),
    ]
    model, path = next((model, path) for prefix, model, path in forms if name.startswith(prefix))
    if not (surface == OLD and model is Run):  # that api-version lacks parallel_tool_calls, which the SDK requires
        parsed(model, data, besides=("quote",) if surface == OLD else ())
        TypeAdapter(AssistantStreamEvent).validate_python({"event": name, "data": data})
    if path and contract.available():
        contract.check_answer(surface, "GET", path, 200, data)


def unread(emu: Emu) -> int:
    """Return how many events are kept for streams."""
    assert emu.server.state is not None
    return int(emu.server.state.store.one("SELECT count(*) FROM object WHERE kind LIKE 'event/%'")[0])


def names(found: list[tuple[str, Any]]) -> list[str]:
    """Return the names of events, a row of deltas as one."""
    return [name for name, _ in groupby(name for name, _ in found)]


def spoken(found: list[tuple[str, Any]]) -> str:
    deltas = [data["delta"]["content"][0]["text"] for name, data in found if name == "thread.message.delta"]
    return "".join(delta["value"] for delta in deltas)


@DATED
def test_order_of_a_run(emu: Emu, surface: str) -> None:
    thread = thread_with(emu, "Hello stream")
    assistant = emu.assistant(name="A")["id"]
    found = stream(emu, f"/threads/{thread}/runs", {"assistant_id": assistant}, surface)
    assert names(found) == [*BEGIN, *MESSAGE, "thread.run.completed"]
    assert spoken(found) == "[asstops emulator] A was asked: Hello stream"
    statuses = [data["status"] for name, data in found if name.startswith("thread.run.") and "step" not in name]
    assert statuses == ["queued", "queued", "in_progress", "completed"]
    run = found[-1][1]
    assert ended(emu, run, surface) == run  # what was streamed is what is read
    listed = emu.data("GET", f"/threads/{thread}/messages", surface=surface).json()["data"]
    assert [data for name, data in found if name == "thread.message.completed"] == listed[:1]
    assert unread(emu) == 0


@DATED
def test_order_with_tools(emu: Emu, surface: str) -> None:
    store = emu.store(file_ids=[emu.upload("hours.md", b"We open at nine.")["id"]])["id"]
    assistant = emu.assistant(
        tools=[{"type": "code_interpreter"}, {"type": "file_search"}],
        tool_resources={"file_search": {"vector_store_ids": [store]}},
    )["id"]
    body = {
        "assistant_id": assistant,
        "thread": {"messages": [{"role": "user", "content": "When do you open? What is 1+1?"}]},
    }
    found = stream(emu, "/threads/runs", body, surface)
    assert names(found) == ["thread.created", *BEGIN, *TOOL, *TOOL, *MESSAGE, "thread.run.completed"]
    noted = [
        note
        for name, data in found
        if name == "thread.message.delta"
        for note in data["delta"]["content"][0]["text"].get("annotations", ())
    ]
    text = spoken(found)
    assert [text[note["start_index"] : note["end_index"]] for note in noted] == [note["text"] for note in noted] != []
    assert noted[0]["index"] == 0


@DATED
def test_order_with_functions(emu: Emu, surface: str) -> None:
    thread = thread_with(emu, "get_weather")
    assistant = emu.assistant(tools=[WEATHER])["id"]
    found = stream(emu, f"/threads/{thread}/runs", {"assistant_id": assistant}, surface)
    assert names(found) == [*BEGIN, *TOOL[:3], "thread.run.requires_action"]
    run = found[-1][1]
    (call,) = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    parts = [d["delta"]["step_details"]["tool_calls"][0]["function"] for n, d in found if n.endswith("step.delta")]
    assert "".join(part["arguments"] for part in parts) == call["function"]["arguments"]
    path = f"/threads/{thread}/runs/{run['id']}/submit_tool_outputs"
    outputs = [{"tool_call_id": call["id"], "output": "sun"}]
    found = stream(emu, path, {"tool_outputs": outputs}, surface)
    expected = ["thread.run.step.completed", *BEGIN[1:], *MESSAGE, "thread.run.completed"]
    assert names(found) == expected
    assert found[0][1]["step_details"]["tool_calls"][0]["function"]["output"] == "sun"


class Handler(AssistantEventHandler):
    """Notes what the SDK makes of a stream."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[str] = []

    def on_text_created(self, text: Any) -> None:
        self.noted.append("text")

    def on_text_done(self, text: Any) -> None:
        self.noted.append(f"done {text.value}")

    def on_tool_call_created(self, tool_call: Any) -> None:
        self.noted.append(f"tool {tool_call.type}")

    def on_tool_call_done(self, tool_call: Any) -> None:
        self.noted.append(f"ran {tool_call.type}")

    def on_message_done(self, message: Any) -> None:
        self.noted.append("message")

    def on_end(self) -> None:
        self.noted.append("end")


def test_helpers_of_the_sdk(emu: Emu) -> None:
    client = emu.openai()
    assistant = emu.assistant(name="A", tools=[{"type": "code_interpreter"}])["id"]
    thread = thread_with(emu, "What is 2*3?")
    handler = Handler()
    with client.beta.threads.runs.stream(thread_id=thread, assistant_id=assistant, event_handler=handler) as streamed:
        streamed.until_done()
        steps, messages = streamed.get_final_run_steps(), streamed.get_final_messages()
    text = "[asstops emulator] A was asked: What is 2*3?\n\nThe code `print(2*3)` printed 6."
    assert messages[0].content[0].text.value == text
    assert steps[0].step_details.tool_calls[0].code_interpreter.outputs[0].logs == "6\n"
    assert handler.noted[0] == "tool code_interpreter"
    assert [note for note in handler.noted if note not in {"tool code_interpreter", "ran code_interpreter"}] == [
        "text",
        f"done {text}",
        "message",
        "end",
    ]


def test_submit_tool_outputs_stream(emu: Emu) -> None:
    client = emu.openai()
    body: dict[str, Any] = {"messages": [{"role": "user", "content": "get_weather please"}]}
    assistant = emu.assistant(name="A", tools=[WEATHER])["id"]
    with client.beta.threads.create_and_run_stream(assistant_id=assistant, thread=body) as streamed:
        streamed.until_done()
        run = streamed.current_run
    assert run.status == "requires_action"
    call = run.required_action.submit_tool_outputs.tool_calls[0]
    with client.beta.threads.runs.submit_tool_outputs_stream(
        run_id=run.id, thread_id=run.thread_id, tool_outputs=[{"tool_call_id": call.id, "output": "rain"}]
    ) as streamed:
        text = "".join(streamed.text_deltas)
        assert streamed.current_run.status == "completed"
    assert text.endswith("The function get_weather returned: rain")


def test_events_come_as_they_happen(emulator: Any) -> None:
    """The first event is there long before the last one; other requests are answered meanwhile."""
    now = time.time()
    waits = {"event: thread.run.queued": 0.5, "event: thread.run.in_progress": 1.0}
    with emulator(run_s=1.0, clock=lambda: now) as emu:
        thread, assistant = thread_with(emu, "one two three four five six"), emu.assistant()["id"]
        seen: list[tuple[str, str]] = []
        with emu.http.stream(
            "POST",
            f"/openai/threads/{thread}/runs",
            params={"api-version": NEW},
            headers={"api-key": emu.key},
            json={"assistant_id": assistant, "stream": True},
        ) as answer:
            for line in answer.iter_lines():
                if line.startswith("event: thread.run.") and ".step." not in line:
                    seen.append((line, emu.data("GET", f"/threads/{thread}/runs").json()["data"][0]["status"]))
                    now += waits.get(line, 0)
        assert seen == [
            ("event: thread.run.created", "queued"),
            ("event: thread.run.queued", "queued"),
            ("event: thread.run.in_progress", "in_progress"),
            ("event: thread.run.completed", "completed"),
        ]


def test_a_run_goes_on_when_its_reader_leaves(emulator: Any) -> None:
    with emulator(run_s=0.3) as emu:
        thread, client = thread_with(emu), emu.openai()
        with client.beta.threads.runs.stream(thread_id=thread, assistant_id=emu.assistant()["id"]) as streamed:
            run = next(iter(streamed)).data
        found = ended(emu, {"id": run.id, "thread_id": thread})
        assert found["status"] == "completed"
        wait(lambda: unread(emu), lambda count: count == 0)


def test_cancelling_ends_the_stream(emulator: Any) -> None:
    with emulator(run_s=120.0) as emu:  # much longer than any machine needs to cancel in its midst
        thread, client = thread_with(emu), emu.openai()
        seen, text, kept = [], "", ""
        with client.beta.threads.runs.stream(thread_id=thread, assistant_id=emu.assistant()["id"]) as streamed:
            for event in streamed:
                seen.append(event.event)
                if event.event in {"thread.run.queued", "thread.run.cancelling"}:
                    emu.admin("POST", "/clock", {"advance_s": 60})
                if event.event == "thread.message.delta":
                    text += event.data.delta.content[0].text.value
                if event.event == "thread.message.incomplete":
                    kept = event.data.content[0].text.value
                if event.event == "thread.message.delta" and "cancel" not in seen:
                    client.beta.threads.runs.cancel(run_id=streamed.current_run.id, thread_id=thread)
                    seen.append("cancel")
        tail = seen[seen.index("cancel") + 1 :]
        assert [name for name in tail if name != "thread.message.delta"][:1] == ["thread.run.cancelling"]
        assert tail[-3:] == ["thread.message.incomplete", "thread.run.step.cancelled", "thread.run.cancelled"]
        assert kept == text != ""


def test_deleting_the_thread_ends_the_stream(emulator: Any) -> None:
    with emulator(run_s=30.0) as emu:
        thread, client = thread_with(emu), emu.openai()
        with client.beta.threads.runs.stream(thread_id=thread, assistant_id=emu.assistant()["id"]) as streamed:
            seen = []
            for event in streamed:
                seen.append(event.event)
                client.beta.threads.delete(thread) if len(seen) == 1 else None
        assert seen == ["thread.run.created", "thread.run.queued"]


class Seen(AssistantEventHandler):
    """Notes the names of events."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def on_event(self, event: Any) -> None:
        self.names.append(event.event)


def test_a_fault_cuts_a_stream(emu: Emu) -> None:
    emu.admin("POST", "/faults", {"path": "/runs$", "truncate": True})
    thread, seen = thread_with(emu), Seen()
    started = emu.openai().beta.threads.runs.stream(
        thread_id=thread, assistant_id=emu.assistant()["id"], event_handler=seen
    )
    with started as streamed, pytest.raises(httpx2.RemoteProtocolError):
        streamed.until_done()
    assert 0 < len(seen.names) <= 4
    run = emu.data("GET", f"/threads/{thread}/runs").json()["data"][0]
    assert ended(emu, run)["status"] == "completed"


def test_an_incomplete_run_says_so_in_its_stream(emu: Emu) -> None:
    thread = thread_with(emu, "word " * 1000)
    body = {"assistant_id": emu.assistant()["id"], "max_completion_tokens": 256}
    found = stream(emu, f"/threads/{thread}/runs", body)
    assert names(found)[-3:] == ["thread.message.incomplete", "thread.run.step.completed", "thread.run.incomplete"]
    assert len(spoken(found)) == 1024
