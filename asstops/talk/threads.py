"""What a conversation is in the Assistants API: a thread, its messages, and runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from asstops.errors import NotFound, ProviderError
from asstops.talk.answer import Citation, Listener, ToolCall
from asstops.talk.conversation import Conversation
from asstops.talk.exchange import COMPLETED, WANTS_OUTPUTS, Creation, Pause, Said, Turn
from asstops.talk.marks import NotedMarks

if TYPE_CHECKING:
    from asstops.providers.openai_api import OpenAIApi
    from asstops.providers.threads_api import ThreadsApi

Json = dict[str, Any]
_POLLS, _POLL_S = 40, 0.25


def threads_conversation(
    api: OpenAIApi,
    remote_id: str,
    listener: Listener,
    pause: Callable[[float], None],
    thread_id: str = "",
) -> Conversation:
    """A conversation with the assistant of that id; it goes on in a thread whose id is given."""
    from asstops.providers.threads_api import ThreadsApi

    return Conversation(ThreadExchange(ThreadsApi(api), remote_id, thread_id), listener, pause)


class ThreadExchange:
    """An Exchange in a thread."""

    def __init__(self, api: ThreadsApi, assistant_id: str, thread_id: str = "") -> None:
        self.id = thread_id
        self._api = api
        self._assistant_id = assistant_id
        self._creation = Creation()
        self._marks = NotedMarks()
        self._written = False
        self._begun = False  # a run of ours may be under way
        self._used: set[str] = set()

    def begin(self, text: str) -> Iterator[str | Turn]:
        self._marks, self._written, self._begun, self._used = NotedMarks(), False, False, set()
        given = bool(self.id)
        if not given:
            self.id = self._creation.id_of(self._api.create_thread)
        try:
            self._api.add_message(self.id, text)
        except NotFound as error:
            if not given:
                raise
            raise NotFound(
                f"there is no thread {self.id} at {self._api.endpoint}",
                fix="leave --thread out to begin a new one; a thread belongs to one account",
                status=error.status,
                request_id=error.request_id,
            ) from error
        self._begun = True
        heard = False
        try:
            for event in self._read(self._api.stream_run(self.id, self._assistant_id)):
                heard = True
                yield event
        except ProviderError as error:
            self._begun = heard or error.ambiguous  # what was refused left nothing of ours to end
            raise

    def resume(self, turn: Turn, outputs: Sequence[ToolCall]) -> Iterator[str | Turn]:
        yield Turn(turn.id, "in_progress")
        given = [{"tool_call_id": call.id, "output": call.output or ""} for call in outputs]
        yield from self._read(self._api.stream_outputs(self.id, turn.id, given))

    def look(self, turn: Turn) -> Turn:
        return _turn(self._api.get_run(self.id, turn.id))

    def said(self, turn: Turn) -> Said:
        self._marks = marks = NotedMarks()
        parts = [_shown(marks, message) + marks.rest() for message in self._api.messages_of_run(self.id, turn.id)]
        with suppress(ProviderError):  # the answer is there without them
            for step in self._api.steps_of_run(self.id, turn.id):
                self._used.update(_tools(step))
        return Said("\n\n".join(parts), tuple(marks.citations))

    def citations(self) -> Sequence[Citation]:
        return self._marks.citations

    def used(self) -> frozenset[str]:
        return frozenset(self._used)

    def delete(self) -> None:
        if self.id:
            self._api.delete_thread(self.id)
        else:
            self._creation.check()

    def stop(self, turn: Turn, pause: Pause) -> bool:
        """Cancel the run and wait until it is: an active run bars its thread."""
        if not self._begun:
            return False
        if turn.id:
            ident = turn.id
        elif (newest := self._api.newest_run(self.id)) is not None:  # stopped before the first event
            ident = newest["id"]
        else:
            return False
        run = self._api.cancel_run(self.id, ident)
        for _ in range(_POLLS):
            if _turn(run).ended:
                break
            pause(_POLL_S)
            run = self._api.get_run(self.id, ident)
        return True

    def file_name(self, file_id: str) -> str:
        return self._api.file_name(file_id)

    def _read(self, events: Iterator[tuple[str, Json]]) -> Iterator[str | Turn]:
        for name, data in events:
            if name.startswith("thread.run.") and data.get("object") == "thread.run":
                if (turn := _turn(data)).ended and (rest := self._marks.rest()):
                    yield rest
                yield turn
            elif data.get("object") == "thread.run.step":
                self._used.update(_tools(data))
            elif name == "thread.message.delta":
                self._written = True
                yield _shown(self._marks, data.get("delta") or {})
            elif name == "thread.message.created" and self._written:
                yield self._marks.rest() + "\n\n"


def _tools(step: Json) -> Iterator[str]:
    """The service's own tools in a step."""
    for call in (step.get("step_details") or {}).get("tool_calls") or []:
        if (name := str(call.get("type"))) != "function":
            yield name


def _shown(marks: NotedMarks, message: Json) -> str:
    """The text of a message, or of a piece of one."""
    shown = ""
    for part in message.get("content") or []:
        text = part.get("text")
        if part.get("type") == "text" and text is not None:
            for note in text.get("annotations") or []:
                about = note.get("file_citation") or note.get("file_path") or {}
                marks.note(str(note.get("text") or ""), str(about.get("file_id") or ""), str(about.get("quote") or ""))
            shown += marks.add(text.get("value") or "")
        elif part.get("type") == "image_file":
            shown += marks.add(f"[image {(part.get('image_file') or {}).get('file_id', '')}]\n")
        elif part.get("type") == "refusal":
            shown += marks.add(str(part.get("refusal") or ""))
    return shown


def _turn(run: Json) -> Turn:
    status = str(run.get("status") or "")
    usage = run.get("usage")
    return Turn(
        id=str(run.get("id") or ""),
        status=status,
        calls=tuple(_calls(run)) if status == WANTS_OUTPUTS else (),
        reason=_reason(run),
        usage={name: value for name, value in usage.items() if isinstance(value, int)} if usage else None,
    )


def _calls(run: Json) -> Iterator[ToolCall]:
    action = (run.get("required_action") or {}).get("submit_tool_outputs") or {}
    for item in action.get("tool_calls") or []:
        yield ToolCall(item["id"], item["function"]["name"], item["function"]["arguments"])


def _reason(run: Json) -> str:
    """Why a run that has ended is not complete, in the service's words where it has some."""
    status = run.get("status")
    if status == COMPLETED:
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
    return ""
