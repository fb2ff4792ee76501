"""Threads, messages, runs and steps as stored, and in the form of answers.

Owns where they lie in the store (messages and runs under their thread, steps under their run), how they are
found and listed, and what each api-version shows of them. It does not move runs forward: run_engine.py does.
"""

from __future__ import annotations

from typing import Any

from asstops.emulator import data, ids
from asstops.emulator.data import OLD
from asstops.emulator.state import State
from asstops.emulator.store import dump, load
from asstops.emulator.wire import Call, Json, Refusal, Reply

ACTIVE = frozenset({"queued", "in_progress", "requires_action", "cancelling"})


def messages_of(thread: str) -> str:
    """Return the kind under which the messages of a thread are stored."""
    return f"message/{thread}"


def runs_of(thread: str) -> str:
    return f"run/{thread}"


def steps_of(run: str) -> str:
    return f"step/{run}"


def events_of(run: str, stream: int) -> str:
    """Return the kind of the events of a run; each request that streams it has a number of its own."""
    return f"event/{run}/{stream}"


AGENDA = "agenda"  # one entry for each thread with an active run: its id is the thread's, it is due at `expires`


# Finding -------------------------------------------------------------------------------------------------


def thread(call: Call) -> Json:
    ident = call.params["thread_id"]
    return _found(call, "thread", ident, "thread")


def message(call: Call) -> Json:
    return _found(call, messages_of(thread(call)["id"]), call.params["message_id"], "message")


def run(call: Call) -> Json:
    return _found(call, runs_of(thread(call)["id"]), call.params["run_id"], "run")


def step(call: Call) -> Json:
    return _found(call, steps_of(run(call)["id"]), call.params["step_id"], "run step")


def _found(call: Call, kind: str, ident: str, what: str) -> Json:
    body = call.state.store.get(call.account, kind, ident)
    if body is None:
        raise data.no_such(what, ident)
    return body


def active_run(state: State, account: int, thread: str) -> str | None:
    entry = state.store.get(account, AGENDA, thread)
    return entry["run"] if entry else None


def remove_thread(state: State, account: int, thread: str) -> None:
    """Delete a thread with all that belongs to it."""
    store = state.store
    runs = store.all("SELECT id FROM object WHERE account = ? AND kind = ?", account, runs_of(thread))
    for (run,) in runs:
        store.run("DELETE FROM object WHERE account = ? AND kind LIKE ?", account, f"event/{run}/%")
    for kind in (*(steps_of(run) for (run,) in runs), runs_of(thread), messages_of(thread)):
        store.run("DELETE FROM object WHERE account = ? AND kind = ?", account, kind)
    store.drop(account, AGENDA, thread)
    store.drop(account, "thread", thread)


def listed(call: Call, kind: str, show: Any, where: str = "", *args: Any) -> Reply:
    """Return a page of the objects of a kind, narrowed by `where`."""
    rows, more = data.list_of(call, kind, where, *args)
    return Reply(data.envelope(call, [show(load(row)) for row in rows], more))


# Making and keeping --------------------------------------------------------------------------------------


def new_message(
    thread: str, role: str, content: list[Json], at: float, *, run: Json | None = None, attachments: Any = None
) -> Json:
    """Return a message; one that a run writes is in progress, any other complete."""
    return {
        "id": ids.fresh("msg_"),
        "object": "thread.message",
        "created_at": data.seconds(at),
        "thread_id": thread,
        "status": "in_progress" if run else "completed",
        "incomplete_details": None,
        "completed_at": None if run else data.seconds(at),
        "incomplete_at": None,
        "role": role,
        "content": content,
        "assistant_id": run["assistant_id"] if run else None,
        "run_id": run["id"] if run else None,
        "attachments": attachments or [],
        "metadata": {},
    }


def add_message(state: State, account: int, message: Json, at: float) -> None:
    state.store.add(account, messages_of(message["thread_id"]), message["id"], at, message)


def put_message(state: State, account: int, message: Json) -> None:
    state.store.put(account, messages_of(message["thread_id"]), message["id"], message)


def put_step(state: State, account: int, step: Json) -> None:
    state.store.put(account, steps_of(step["run_id"]), step["id"], step)


def put_run(state: State, account: int, run: Json, due: float | None) -> None:
    """Keep a run and when it is to be looked at next; None: never again."""
    store, thread = state.store, run["thread_id"]
    store.put(account, runs_of(thread), run["id"], run)
    if due is None:
        store.drop(account, AGENDA, thread)
        return
    store.run(
        "INSERT INTO object (account, kind, id, created, expires, body) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (account, kind, id) DO UPDATE SET expires = excluded.expires, body = excluded.body",
        account, AGENDA, thread, run["created_at"], due, dump({"run": run["id"]}),
    )  # fmt: skip
    state.wake(due)


# Forms of answers ----------------------------------------------------------------------------------------


def shown_thread(stored: Json) -> Json:
    return stored


def shown_message(surface: str, stored: Json) -> Json:
    if surface == OLD:
        return stored
    content = [_without_quotes(part) if part["type"] == "text" else part for part in stored["content"]]
    return {**stored, "content": content}


def _without_quotes(part: Json) -> Json:
    """Only the older api-version shows the quoted words of a citation."""
    notes = [shown_annotation(note) for note in part["text"]["annotations"]]
    return {"type": "text", "text": {"value": part["text"]["value"], "annotations": notes}}


def shown_annotation(note: Json) -> Json:
    cited = {name: value for name, value in note["file_citation"].items() if name != "quote"}
    return {**note, "file_citation": cited}


def shown_run(surface: str, stored: Json) -> Json:
    hidden = {"work", "parallel_tool_calls"} if surface == OLD else {"work"}
    body = {name: value for name, value in stored.items() if name not in hidden}
    if surface == OLD:  # has no options of file_search
        body["tools"] = [{"type": t["type"]} if t["type"] == "file_search" else t for t in body["tools"]]
    return body


def shown_step(state: State, surface: str, stored: Json, *, content: bool = False) -> Json:
    """Return a step; the words that a file search found are shown only when they were asked for."""
    body = {**stored, "object": state.on("run_step_object")}
    details = stored["step_details"]
    if details["type"] == "tool_calls":
        calls = [_shown_search(surface, c, content) if c["type"] == "file_search" else c for c in details["tool_calls"]]
        body["step_details"] = {"type": "tool_calls", "tool_calls": calls}
    return body


def _shown_search(surface: str, call: Json, content: bool) -> Json:
    if surface == OLD:
        return {**call, "file_search": {}}
    results = [
        {name: value for name, value in result.items() if content or name != "content"}
        for result in call["file_search"].get("results", [])
    ]
    return {**call, "file_search": {"results": results}}


def not_while_active(call: Call, thread: str) -> None:
    """Refuse to add messages to a thread while a run is active on it."""
    run = active_run(call.state, call.account, thread)
    if run is not None:
        raise Refusal(400, f"Can't add messages to {thread} while a run {run} is active.")
