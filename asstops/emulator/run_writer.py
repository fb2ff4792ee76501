"""Writing down what a run does: its status, steps and messages, each with its event.

Owns the objects that a run makes and the order of their events. When things happen, and which, is run_engine.py's
business.
"""

from __future__ import annotations

from typing import Any

from asstops.emulator import conversation, data, ids
from asstops.emulator.state import State
from asstops.emulator.wire import Json


class Writer:
    """Writes for one run. `at` is the moment at which things happen."""

    def __init__(self, state: State, account: int, run: Json, at: float) -> None:
        self.state, self.account, self.run, self.at = state, account, run, at
        self.work: Json = run["work"]

    # Ends ------------------------------------------------------------------------------------------------

    def finish(self, status: str, error: Json | None = None) -> None:
        """End the run, and what it was in the middle of."""
        run, moment = self.run, data.seconds(self.at)
        run["status"], run["required_action"], run["last_error"] = status, None, error
        if status in {"completed", "failed", "cancelled"}:
            run[f"{status}_at"] = moment
        prompt, completion = self.work["prompt_tokens"], self.work["completion_tokens"]
        run["usage"] = {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }
        message = self.open_message()
        if message is not None:
            self.end_message(message, f"run_{status}")
        if self.work["step"] is not None:
            step = self.step()
            step["last_error"] = error
            self.end_step(step, status)
        self.work["todo"] = []
        self.emit(f"thread.run.{status}", self.shown())

    def open_message(self) -> Json | None:
        ident = self.work["message"]
        kind = conversation.messages_of(self.run["thread_id"])
        return self.state.store.get(self.account, kind, ident) if ident else None

    def end_message(self, message: Json, incomplete: str | None) -> None:
        message["status"] = "incomplete" if incomplete else "completed"
        message["incomplete_details"] = {"reason": incomplete} if incomplete else None
        message["incomplete_at" if incomplete else "completed_at"] = data.seconds(self.at)
        conversation.put_message(self.state, self.account, message)
        self.work["message"] = None
        self.message_event(message["status"], message)

    # Steps -----------------------------------------------------------------------------------------------

    def step(self) -> Json:
        """Return the step that is under way."""
        found = self.state.store.get(self.account, conversation.steps_of(self.run["id"]), self.work["step"])
        assert found is not None
        return found

    def new_step(self, kind: str, details: Json) -> Json:
        step: Json = {
            "id": ids.fresh("step_"),
            "object": "thread.run.step",
            "created_at": data.seconds(self.at),
            "assistant_id": self.run["assistant_id"],
            "thread_id": self.run["thread_id"],
            "run_id": self.run["id"],
            "type": kind,
            "status": "in_progress",
            "step_details": details,
            "last_error": None,
            "expired_at": None,
            "cancelled_at": None,
            "failed_at": None,
            "completed_at": None,
            "metadata": {},
        }
        self.state.store.add(self.account, conversation.steps_of(self.run["id"]), step["id"], self.at, step)
        self.work["step"] = step["id"]
        self._step_event("created", step)
        self._step_event("in_progress", step)
        return step

    def end_step(self, step: Json, status: str) -> None:
        step["status"] = status
        step[f"{status}_at"] = data.seconds(self.at)
        conversation.put_step(self.state, self.account, step)
        self.work["step"] = None
        self._step_event(status, step)

    # Events ----------------------------------------------------------------------------------------------

    def shown(self) -> Json:
        return conversation.shown_run(self.work["surface"], self.run)

    def emit(self, name: str, body: Any) -> None:
        """Write down an event for the request that streams the run, if one does."""
        if not self.work["streamed"]:
            return
        self.work["events"] += 1
        kind = conversation.events_of(self.run["id"], self.work["streamed"])
        self.state.store.add(self.account, kind, str(self.work["events"]), self.at, {"name": name, "data": body})

    def message_event(self, name: str, message: Json) -> None:
        self.emit(f"thread.message.{name}", conversation.shown_message(self.work["surface"], message))

    def _step_event(self, name: str, step: Json) -> None:
        shown = conversation.shown_step(self.state, self.work["surface"], step, content=self.work["content"])
        self.emit(f"thread.run.step.{name}", shown)

    def step_delta(self, step: Json, call: Json) -> None:
        details = {"type": "tool_calls", "tool_calls": [call]}
        body = {"id": step["id"], "object": "thread.run.step.delta", "delta": {"step_details": details}}
        self.emit("thread.run.step.delta", body)
