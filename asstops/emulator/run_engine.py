"""Moving runs forward: what happens when, what it writes, and the events it sends.

Owns the life of a run, from queued to its end, as a list of small pieces that fall due one after another. Time
comes from the clock of the emulator alone, so a run ends at the same moment whether anyone polls, streams or
comes back an hour later. What a model answers is answers.py's business.
"""

from __future__ import annotations

import math

from asstops.emulator import conversation, data, ingest, run_turn
from asstops.emulator.conversation import AGENDA
from asstops.emulator.run_writer import Writer
from asstops.emulator.state import State
from asstops.emulator.store import load
from asstops.emulator.wire import Json

EXPIRES_AFTER_S = 600
_LONGEST_INGESTION_S = 60  # how long a run waits for the files of its stores
_STARTS, _THINKS = 0.1, 0.2  # parts of a run's duration


def begin(state: State, account: int, run: Json, at: float, *, thread: Json | None = None) -> None:
    """Store a run, which is queued, and plan its first turn. `thread` is the one made with it, if so."""
    state.store.add(account, conversation.runs_of(run["thread_id"]), run["id"], at, run)
    turn = _Turn(state, account, run, at)
    if thread is not None:
        turn.emit("thread.created", thread)
    turn.emit("thread.run.created", turn.shown())
    turn.emit("thread.run.queued", turn.shown())
    turn.plan()
    turn.keep()


def resume(state: State, account: int, run: Json, outputs: dict[str, str], at: float) -> None:
    """Take the outputs of the functions that the run waits for, and plan its next turn."""
    turn = _Turn(state, account, run, at)
    step = turn.step()
    for call in step["step_details"]["tool_calls"]:
        call["function"]["output"] = outputs[call["id"]]
        turn.work["outputs"].append([call["function"]["name"], outputs[call["id"]]])
    turn.end_step(step, "completed")
    run["status"], run["required_action"] = "queued", None
    turn.emit("thread.run.queued", turn.shown())
    turn.plan()
    turn.keep()


def cancel(state: State, account: int, run: Json, at: float) -> None:
    """Begin to cancel a run."""
    turn = _Turn(state, account, run, at)
    run["status"], run["required_action"] = "cancelling", None
    turn.emit("thread.run.cancelling", turn.shown())
    turn.work["todo"] = [{"do": "cancelled", "due": at + state.settings.run_s / 2}]
    turn.keep()


def advance_all(state: State, now: float) -> float:
    """Do what is due in every run; return when the next piece is."""
    rows = state.store.all(
        "SELECT account, id, body FROM object WHERE kind = ? AND expires <= ? ORDER BY expires, seq", AGENDA, now
    )
    if rows:
        ingest.ingest(state, now)  # what a run searches must be as old as the run, in whatever order upkeep comes
    for account, thread, text in rows:
        run = state.store.get(account, conversation.runs_of(thread), load(text)["run"])
        if run is None:
            state.store.drop(account, AGENDA, thread)
            continue
        _advance(state, account, run, now)
    found = state.store.one("SELECT min(expires) FROM object WHERE kind = ? AND expires IS NOT NULL", AGENDA)
    return math.inf if found[0] is None else float(found[0])


def _advance(state: State, account: int, run: Json, now: float) -> None:
    turn = _Turn(state, account, run, now)
    while (due := turn.due()) is not None and due <= now:
        turn.at = due
        todo = turn.work["todo"]
        if due >= turn.work["expires"]:
            turn.finish("expired")
            continue
        piece = todo.pop(0)
        turn.perform(piece)
    turn.keep()


class _Turn(Writer):
    """One stretch of a run: what happens in it, piece by piece."""

    # Time ------------------------------------------------------------------------------------------------

    def due(self) -> float | None:
        """Return when the next thing happens, None after the end."""
        if self.run["status"] not in conversation.ACTIVE:
            return None
        todo, expires = self.work["todo"], float(self.work["expires"])
        return min(float(todo[0]["due"]), expires) if todo else expires

    def plan(self) -> None:
        """Plan to start, then to think."""
        lasts = self.state.settings.run_s
        self.work["began"], self.work["lasts"] = self.at, lasts
        self.work["todo"] = [
            {"do": "start", "due": self.at + _STARTS * lasts},
            {"do": "think", "due": self.at + _THINKS * lasts},
        ]

    def keep(self) -> None:
        conversation.put_run(self.state, self.account, self.run, self.due())

    # Pieces ----------------------------------------------------------------------------------------------

    def perform(self, piece: Json) -> None:
        getattr(self, f"_{piece['do']}")(piece)

    def _start(self, _piece: Json) -> None:
        self.run["status"] = "in_progress"
        self.run["started_at"] = self.run["started_at"] or data.seconds(self.at)
        self.emit("thread.run.in_progress", self.shown())

    def _think(self, piece: Json) -> None:
        """Decide what the run does, and spread it over the time that is left."""
        waits = self._ingestion_ends()
        if waits is not None:
            self.work["began"] += waits - self.at
            self.work["todo"] = [{**piece, "due": waits}]
            return
        pieces, seconds = run_turn.pieces(self.state, self.account, self.run)
        lasts = self.work["lasts"] if seconds is None else seconds
        end = max(self.work["began"] + lasts, self.at)
        for number, item in enumerate(pieces, 1):
            item["due"] = self.at + (end - self.at) * number / len(pieces)
        self.work["todo"] = pieces

    def _ingestion_ends(self) -> float | None:
        """Return until when the run waits for files of its stores, None when it need not."""
        patience = self.run["created_at"] + _LONGEST_INGESTION_S
        if self.at >= patience or not self.work["stores"]:
            return None
        marks = ", ".join("?" * len(self.work["stores"]))
        found = self.state.store.one(
            f"SELECT max(due) FROM store_file WHERE status = 'in_progress' AND store IN ({marks})",  # noqa: S608
            *self.work["stores"],
        )
        if found[0] is None or found[0] <= self.at:
            return None
        return float(min(found[0], patience))

    def _tool(self, piece: Json) -> None:
        """Begin a step of tool calls."""
        step = self.new_step("tool_calls", {"type": "tool_calls", "tool_calls": []})
        for delta in piece["deltas"]:
            self.step_delta(step, delta)
        step["step_details"]["tool_calls"] = piece["calls"]
        conversation.put_step(self.state, self.account, step)

    def _tool_end(self, piece: Json) -> None:
        step = self.step()
        for delta in piece["deltas"]:
            self.step_delta(step, delta)
        step["step_details"]["tool_calls"] = piece["calls"]
        self.end_step(step, "completed")

    def _require(self, _piece: Json) -> None:
        calls = [
            {"id": call["id"], "type": "function", "function": {n: call["function"][n] for n in ("name", "arguments")}}
            for call in self.step()["step_details"]["tool_calls"]
        ]
        self.run["status"] = "requires_action"
        self.run["required_action"] = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": calls}}
        self.emit("thread.run.requires_action", self.shown())

    def _message(self, _piece: Json) -> None:
        """Begin the message of the answer, and the step that writes it."""
        message = conversation.new_message(self.run["thread_id"], "assistant", [], self.at, run=self.run)
        self.new_step(
            "message_creation", {"type": "message_creation", "message_creation": {"message_id": message["id"]}}
        )
        conversation.add_message(self.state, self.account, message, self.at)
        self.work["message"] = message["id"]
        self.message_event("created", message)
        self.message_event("in_progress", message)

    def _text(self, piece: Json) -> None:
        message = self.open_message()
        assert message is not None
        # The message holds what was sent, also when the run is cut short: the SDK reads it from the last event.
        held = message["content"] or [{"type": "text", "text": {"value": "", "annotations": []}}]
        message["content"] = held
        for text in piece["deltas"]:
            held[0]["text"]["value"] += text["value"]
            held[0]["text"]["annotations"] += [_at_rest(note) for note in text.get("annotations", ())]
            delta = {"content": [{"index": 0, "type": "text", "text": text}]}
            body = {"id": message["id"], "object": "thread.message.delta", "delta": delta}
            self.emit("thread.message.delta", body)
        conversation.put_message(self.state, self.account, message)

    def _message_end(self, piece: Json) -> None:
        message = self.open_message()
        assert message is not None
        message["content"] = [{"type": "text", "text": {"value": piece["text"], "annotations": piece["annotations"]}}]
        self.end_message(message, piece.get("incomplete"))
        self.end_step(self.step(), "completed")

    def _finish(self, piece: Json) -> None:
        self.run["incomplete_details"] = piece.get("incomplete")
        self.finish(piece["status"], piece.get("error"))

    def _cancelled(self, _piece: Json) -> None:
        self.finish("cancelled")


def _at_rest(note: Json) -> Json:
    """Return an annotation of a delta without its number."""
    return {name: value for name, value in note.items() if name != "index"}
