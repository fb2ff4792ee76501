"""The life of a run in time: states, expiry, cancelling, one run per thread, restarts. The clock is moved by hand."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.conftest import NEW, OLD, Emu, error_of
from tests.emulator.talking import WEATHER, ask, run_on, said, thread_with


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def still(emulator: Any, clock: Clock) -> Any:
    with emulator(clock=clock, run_s=10.0, ingestion_s=0) as emu:
        yield emu


def started(emu: Emu, text: str = "Hello", surface: str = NEW, **assistant: Any) -> str:
    thread = thread_with(emu, text, surface=surface)
    body = {"assistant_id": emu.assistant(**assistant)["id"]}
    return f"/threads/{thread}/runs/{ask(emu, surface, 'POST', f'/threads/{thread}/runs', body)['id']}"


def status(emu: Emu, run: str, surface: str = NEW) -> str:
    return str(ask(emu, surface, "GET", run)["status"])


@pytest.mark.parametrize("surface", [OLD, NEW])
def test_states_follow_the_clock(still: Emu, clock: Clock, surface: str) -> None:
    run = started(still, surface=surface)
    first = ask(still, surface, "GET", run)
    assert (first["status"], first["started_at"], first["usage"]) == ("queued", None, None)
    assert first["expires_at"] == first["created_at"] + 600
    clock.now += 1.5
    second = ask(still, surface, "GET", run)
    assert (second["status"], second["started_at"]) == ("in_progress", int(clock.now - 0.5))
    assert second["usage"] is None
    clock.now += 100
    last = ask(still, surface, "GET", run)
    assert (last["status"], last["completed_at"]) == ("completed", first["created_at"] + 10)


def test_a_message_is_in_progress_before_it_is_complete(still: Emu, clock: Clock) -> None:
    run = started(still)
    messages = run.split("/runs/")[0] + "/messages"
    seen = []
    for _ in range(12):
        clock.now += 1
        newest = ask(still, NEW, "GET", messages)["data"][0]
        if newest["role"] == "assistant" and (newest["status"], len(newest["content"])) not in seen:
            seen.append((newest["status"], len(newest["content"])))
    assert seen == [("in_progress", 0), ("completed", 1)]


def test_one_run_at_a_time(still: Emu, clock: Clock) -> None:
    run = started(still)
    thread, ident = run.split("/")[2], run.split("/")[4]
    other = {"assistant_id": still.assistant()["id"]}
    error = error_of(still.data("POST", f"/threads/{thread}/runs", other), 400)
    assert error["message"] == f"Thread {thread} already has an active run {ident}."
    said_now = still.data("POST", f"/threads/{thread}/messages", {"role": "user", "content": "x"})
    assert error_of(said_now, 400)["message"] == f"Can't add messages to {thread} while a run {ident} is active."
    assert len(ask(still, NEW, "GET", f"/threads/{thread}/messages")["data"]) == 1
    clock.now += 10
    ask(still, NEW, "POST", f"/threads/{thread}/messages", {"role": "user", "content": "x"})
    ask(still, NEW, "POST", f"/threads/{thread}/runs", other)


@pytest.mark.parametrize("waited", [0, 6])
def test_cancelling(still: Emu, clock: Clock, waited: int) -> None:
    run = started(still)
    clock.now += waited
    assert ask(still, NEW, "POST", f"{run}/cancel")["status"] == "cancelling"
    error = error_of(still.data("POST", f"{run}/cancel"), 400)
    assert error["message"] == "Cannot cancel run with status 'cancelling'."
    clock.now += 5
    found = ask(still, NEW, "GET", run)
    assert (found["status"], found["cancelled_at"]) == ("cancelled", int(clock.now))
    assert found["usage"] is not None
    clock.now += 1000
    assert status(still, run) == "cancelled"
    still_open = [m for m in ask(still, NEW, "GET", f"{run.split('/runs/')[0]}/messages")["data"] if m["run_id"]]
    assert [m["incomplete_details"] for m in still_open] == [{"reason": "run_cancelled"}] * (waited > 5)


def test_cancelling_what_waits_for_outputs(still: Emu, clock: Clock) -> None:
    run = started(still, "get_weather", tools=[WEATHER])
    clock.now += 10
    assert status(still, run) == "requires_action"
    assert ask(still, NEW, "POST", f"{run}/cancel")["required_action"] is None
    clock.now += 5
    assert status(still, run) == "cancelled"
    (step,) = ask(still, NEW, "GET", f"{run}/steps")["data"]
    assert (step["status"], step["cancelled_at"]) == ("cancelled", int(clock.now))


def test_cancelling_what_has_ended(still: Emu, clock: Clock) -> None:
    run = started(still)
    clock.now += 10
    error = error_of(still.data("POST", f"{run}/cancel"), 400)
    assert error["message"] == "Cannot cancel run with status 'completed'."


def test_expiry_after_ten_minutes(still: Emu, clock: Clock) -> None:
    run = started(still, "get_weather", tools=[WEATHER])
    clock.now += 599
    found = ask(still, NEW, "GET", run)
    assert found["status"] == "requires_action"
    call = found["required_action"]["submit_tool_outputs"]["tool_calls"][0]["id"]
    clock.now += 1
    found = ask(still, NEW, "GET", run)
    assert (found["status"], found["required_action"], found["completed_at"]) == ("expired", None, None)
    (step,) = ask(still, NEW, "GET", f"{run}/steps")["data"]
    assert (step["status"], step["expired_at"]) == ("expired", found["expires_at"])
    outputs = {"tool_outputs": [{"tool_call_id": call, "output": "late"}]}
    error = error_of(still.data("POST", f"{run}/submit_tool_outputs", outputs), 400)
    assert error["message"] == 'Runs in status "expired" do not accept tool outputs.'
    thread = run.split("/runs/")[0]
    ask(still, NEW, "POST", f"{thread}/messages", {"role": "user", "content": "the thread is free again"})


def test_a_run_ends_when_it_was_due_however_late_one_looks(still: Emu, clock: Clock) -> None:
    run = started(still)
    clock.now += 5000
    found = ask(still, NEW, "GET", run)
    assert (found["status"], found["completed_at"]) == ("completed", found["created_at"] + 10)


def test_a_longer_run_than_allowed_expires(emulator: Any, clock: Clock) -> None:
    with emulator(clock=clock, run_s=3600.0) as emu:
        run = started(emu)
        clock.now += 5000
        assert status(emu, run) == "expired"


def test_the_admin_clock_moves_runs_too(emulator: Any) -> None:
    with emulator(run_s=300.0) as emu:
        run = started(emu)
        assert status(emu, run) == "queued"
        emu.admin("POST", "/clock", {"advance_s": 300})
        assert status(emu, run) == "completed"


def test_a_refused_request_does_not_undo_what_time_brought(still: Emu, clock: Clock) -> None:
    """A scripted rule for one run is used up once, though the request that moved the run on was refused."""
    still.admin("POST", "/replies", {"reply": "scripted", "times": 1})
    run = started(still)
    clock.now += 10
    error_of(still.data("GET", "/threads/thread_x"), 404)
    thread = run.split("/")[2]
    assert (status(still, run), said(still, thread)) == ("completed", "scripted")


def test_deleting_a_thread_with_an_active_run(still: Emu, clock: Clock) -> None:
    run = started(still)
    thread = run.split("/runs/")[0]
    assert still.data("DELETE", thread).json()["deleted"] is True
    clock.now += 1000
    error_of(still.data("GET", run), 404)
    assert still.data("GET", "/assistants").status_code == 200


def test_deleting_the_assistant_does_not_stop_its_run(still: Emu, clock: Clock) -> None:
    run = started(still)
    still.data("DELETE", f"/assistants/{ask(still, NEW, 'GET', run)['assistant_id']}")
    clock.now += 10
    assert status(still, run) == "completed"


def test_conversations_survive_a_restart(emulator: Any, tmp_path: Path) -> None:
    db = tmp_path / "emulator.db"
    with emulator(db, run_s=1.0) as emu:
        thread = thread_with(emu, "Remember me")
        run = ask(emu, NEW, "POST", f"/threads/{thread}/runs", {"assistant_id": emu.assistant(name="A")["id"]})
        assert run["status"] == "queued"
    with emulator(db) as emu:
        emu.admin("POST", "/clock", {"advance_s": 5})
        assert status(emu, f"/threads/{thread}/runs/{run['id']}") == "completed"
        assert said(emu, thread) == "[asstops emulator] A was asked: Remember me"
        assert run_on(emu, thread, run["assistant_id"])["status"] == "completed"


def test_reset_forgets_conversations(emu: Emu) -> None:
    thread = thread_with(emu)
    emu.admin("POST", "/reset")
    error_of(emu.data("GET", f"/threads/{thread}"), 404)
    assert emu.admin("GET", "/dump")["threads"] == []
