"""A conversation with an assistant: one question, one run, one answer, whatever the run wants in between.

Owns what the events of a run mean, and how an answer and its citations come together. It neither prints nor reads the
command line: text is handed out piece by piece as it arrives, and the whole comes back as an `Answer`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from asstops.errors import NotFound, ProviderError, Unavailable

if TYPE_CHECKING:
    from asstops.providers.threads_api import ThreadsApi

Json = dict[str, Any]
ENDS = frozenset({"requires_action", "completed", "incomplete", "failed", "cancelled", "expired"})
LONGEST_RUN_S = 660.0
_OPEN, _CLOSE, _LONGEST_MARK = "\u3010", "\u3011", 300  # how the service writes a citation into its text


@dataclass(frozen=True, slots=True)
class Citation:
    """A place in a file that the answer refers to. `mark` is what stands for it in the text."""

    number: int
    mark: str
    file_id: str
    file_name: str = ""
    quote: str = ""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function that the assistant wants called; `arguments` is JSON text, `output` None until there is one."""

    id: str
    name: str
    arguments: str
    output: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question. `reason` says in words why `status` is not `completed`, "" when it is."""

    text: str
    status: str
    thread_id: str
    run_id: str
    citations: tuple[Citation, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Mapping[str, int] | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears about an answer while it comes: pieces of text, and functions that are called.

    `output` gives a function's result, None when there is none.
    """

    text: Callable[[str], None]
    called: Callable[[ToolCall], None]
    output: Callable[[ToolCall], str | None]


@dataclass
class _Progress:
    """What is known of the run under way."""

    run: Json = field(default_factory=dict)
    calls: list[ToolCall] = field(default_factory=list)
    marks: _Marks = field(default_factory=lambda: _Marks())
    written: str = ""


class Conversation:
    """A thread with one assistant. The thread is made with the first question unless its id is given."""

    def __init__(
        self,
        api: ThreadsApi,
        assistant_id: str,
        listener: Listener,
        pause: Callable[[float], None],
        thread_id: str = "",
    ) -> None:
        self.thread_id = thread_id
        self._api = api
        self._assistant_id = assistant_id
        self._listener = listener
        self._pause = pause
        self._names: dict[str, str] = {}
        self._now = _Progress()
        self._running = False

    def ask(self, text: str) -> Answer:
        """Put a question and follow the run to its end. A run that fails is an Answer too; `reason` says why."""
        self._now = _Progress()
        given = bool(self.thread_id)
        if not given:
            self.thread_id = str(self._api.create_thread()["id"])
        try:
            self._api.add_message(self.thread_id, text)
        except NotFound as error:
            if not given:
                raise
            raise NotFound(
                f"there is no thread {self.thread_id} at {self._api.endpoint}",
                fix="leave --thread out to begin a new one; a thread belongs to one account",
                status=error.status,
                request_id=error.request_id,
            ) from error
        self._running = True
        try:
            self._follow(self._api.stream_run(self.thread_id, self._assistant_id))
            while self._now.run.get("status") == "requires_action":
                outputs = self._outputs()
                if outputs is None:
                    self.cancel()
                    return self._answer("requires_action", _missing(self._now.calls))
                self._follow(self._api.stream_outputs(self.thread_id, self._now.run["id"], outputs))
        except ProviderError:
            self.cancel()  # where no answer came, the run may have begun all the same
            raise
        self._running = False
        self._say(self._now.marks.rest())
        return self._answer(str(self._now.run.get("status", "")), _reason(self._now.run))

    def cancel(self) -> bool:
        """End the run that is under way, and wait until it is; an active run bars its thread. False when none was."""
        if not self._running:
            return False
        self._running = False
        # Interrupted before the first event, we do not know the run's id.
        run: Json | None = self._now.run if self._now.run.get("id") else self._api.newest_run(self.thread_id)
        if run is None:
            return False
        try:
            run = self._api.cancel_run(self.thread_id, run["id"])
            for _ in range(40):
                if run["status"] in ENDS:
                    break
                self._pause(0.25)
                run = self._api.get_run(self.thread_id, run["id"])
        except ProviderError:
            return False  # it had ended by itself, or will expire
        return True

    # Events

    def _follow(self, events: Iterator[tuple[str, Json]]) -> None:
        now, ended = self._now, False
        try:
            for name, data in events:
                if name.startswith("thread.run.") and data.get("object") == "thread.run":
                    now.run = data
                    ended = data.get("status") in ENDS
                elif name == "thread.message.delta":
                    self._say(now.marks.text_of(data))
                elif name == "thread.message.created" and now.written:
                    self._say(now.marks.rest() + "\n\n")
        except Unavailable:
            if not now.run.get("id"):
                raise
        if not ended:
            self._poll()

    def _poll(self) -> None:
        """The stream broke off while the run goes on: wait for its end, and hand out what was missed."""
        now = self._now
        if not now.run.get("id"):
            raise ProviderError("the service ended the stream without saying what became of the run", fix="ask again")
        delay, waited = 0.1, 0.0
        while now.run["status"] not in ENDS and waited < LONGEST_RUN_S:
            self._pause(delay)
            waited, delay = waited + delay, min(delay * 1.5, 2.0)
            now.run = self._api.get_run(self.thread_id, now.run["id"])
        if now.run["status"] == "requires_action":
            return
        marks = _Marks()
        messages = self._api.messages_of_run(self.thread_id, now.run["id"])
        whole = "\n\n".join(marks.text_of({"delta": message}) + marks.rest() for message in messages)
        if whole.startswith(now.written):
            self._say(whole[len(now.written) :])
        else:  # what came before the break was cut differently; the whole once more is better than a gap
            self._say("\n" + whole)
        now.marks = marks

    def _say(self, text: str) -> None:
        if text:
            self._now.written += text
            self._listener.text(text)

    # Functions

    def _outputs(self) -> list[dict[str, str]] | None:
        """What the functions that the run waits for give; None when one gives nothing."""
        action = (self._now.run.get("required_action") or {}).get("submit_tool_outputs") or {}
        outputs: list[dict[str, str]] = []
        missing = False
        for item in action.get("tool_calls") or []:
            call = ToolCall(item["id"], item["function"]["name"], item["function"]["arguments"])
            self._listener.called(call)
            output = self._listener.output(call)
            self._now.calls.append(replace(call, output=output))
            missing = missing or output is None
            outputs.append({"tool_call_id": call.id, "output": output or ""})
        return None if missing else outputs

    # The end

    def _answer(self, status: str, reason: str) -> Answer:
        now = self._now
        usage = now.run.get("usage")
        return Answer(
            text=now.written,
            status=status,
            thread_id=self.thread_id,
            run_id=str(now.run.get("id", "")),
            citations=tuple(replace(c, file_name=self._name(c.file_id)) for c in now.marks.citations),
            tool_calls=tuple(now.calls),
            usage={name: value for name, value in usage.items() if isinstance(value, int)} if usage else None,
            reason=reason,
        )

    def _name(self, file_id: str) -> str:
        """A name is a courtesy: where it cannot be read, the id has to do."""
        if file_id and file_id not in self._names:
            try:
                self._names[file_id] = self._api.file_name(file_id)
            except ProviderError:
                self._names[file_id] = ""
        return self._names.get(file_id, "")


class _Marks:
    """Turns the service's citation marks into numbers, `[1]`, as the text arrives; the same place keeps its number."""

    def __init__(self) -> None:
        self.citations: list[Citation] = []
        self._numbers: dict[str, int] = {}
        self._held = ""

    def text_of(self, delta: Json) -> str:
        """The text of one delta, ready to show. A mark that has only begun is held back until it ends."""
        for part in (delta.get("delta") or {}).get("content") or []:
            if part.get("type") == "text" and (text := part.get("text")) is not None:
                for note in text.get("annotations") or []:
                    self._note(note)
                self._held += text.get("value") or ""
            elif part.get("type") == "image_file":
                self._held += f"[image {(part.get('image_file') or {}).get('file_id', '')}]\n"
        head, opened, tail = self._held.rpartition(_OPEN)
        if opened and _CLOSE not in tail and len(tail) < _LONGEST_MARK:
            self._held = opened + tail
            return self._numbered(head)
        return self.rest()

    def rest(self) -> str:
        """What was held back, now that nothing more will come."""
        text, self._held = self._held, ""
        return self._numbered(text)

    def _numbered(self, text: str) -> str:
        return re.sub(
            f"{_OPEN}[^{_OPEN}{_CLOSE}]*{_CLOSE}",
            lambda m: f" [{self._numbers[m[0]]}]" if m[0] in self._numbers else m[0],
            text,
        )

    def _note(self, note: Json) -> None:
        about = note.get("file_citation") or note.get("file_path") or {}
        mark = str(note.get("text") or "")
        if mark in self._numbers or not about.get("file_id"):
            return
        self._numbers[mark] = number = len(self.citations) + 1
        self.citations.append(Citation(number, mark, str(about["file_id"]), quote=str(about.get("quote") or "")))


def _missing(calls: list[ToolCall]) -> str:
    names = sorted({call.name for call in calls if call.output is None})
    if len(names) == 1:
        return f"the assistant wants the function {names[0]} called, and has no output of it"
    return f"the assistant wants the functions {', '.join(names)} called, and lacks outputs of them"


def _reason(run: Json) -> str:
    """Why a run that has ended is not complete, in the service's words where it has some."""
    status = run.get("status")
    if status == "completed":
        return ""
    error = run.get("last_error") or {}
    said = f": {error.get('message') or ''} ({error.get('code') or ''})" if error else ""
    if status == "incomplete":
        why = (run.get("incomplete_details") or {}).get("reason") or "unknown"
        return f"the answer is incomplete: {why}"
    if status == "expired":
        return f"the run expired before it was done{said}"
    if status in ("failed", "cancelled"):
        return f"the run {'failed' if status == 'failed' else 'was cancelled'}{said}"
    return f"the run is still {status} after {LONGEST_RUN_S / 60:.0f} minutes"
