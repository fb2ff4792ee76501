"""What a conversation is in Foundry Agent Service: items, to which an agent adds by responses.

A response runs on the connection that asked for it, so leaving ends it. What can bar a conversation afterwards is a
question of the agent's that nobody answered: a function that it wants called, a tool that it wants approved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from asstops.errors import NotFound, ProviderError, Rejected, Unavailable
from asstops.talk.answer import Citation, Listener, ToolCall
from asstops.talk.conversation import Conversation
from asstops.talk.exchange import COMPLETED, WANTS_OUTPUTS, Creation, Pause, Said, Turn
from asstops.talk.marks import PlacedNotes

if TYPE_CHECKING:
    from asstops.providers.openai_api import OpenAIApi
    from asstops.providers.responses_api import ResponsesApi

Json = dict[str, Any]
_NOT_CALLED = "The function was not called."
_SHOWN_ARGUMENTS = 300
_SHOWN = frozenset({"message", "image_generation_call"})  # items that readers see something of
_MOST_MISSES = 10  # looks for a response that the service does not know yet: ten seconds or so
_USAGE = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens", "total_tokens": "total_tokens"}


def responses_conversation(
    api: OpenAIApi,
    remote_id: str,
    listener: Listener,
    pause: Callable[[float], None],
    thread_id: str = "",
) -> Conversation:
    """A conversation with the agent of that name; it goes on in a conversation whose id is given."""
    from asstops.providers.responses_api import ResponsesApi

    return Conversation(ResponseExchange(ResponsesApi(api), remote_id, thread_id), listener, pause)


class ResponseExchange:
    """An Exchange in a conversation of a project."""

    def __init__(self, api: ResponsesApi, agent: str, conversation_id: str = "") -> None:
        self.id = conversation_id
        self._api = api
        self._agent = agent
        self._creation = Creation()
        self._unsettled = False  # an earlier answer was left before its end
        self._begin()

    def _begin(self) -> None:
        self._notes = PlacedNotes()
        self._done: list[Json] = []  # responses of this answer that have ended
        self._written = False
        self._begun = False  # a response of ours may be under way
        self._misses = 0

    def begin(self, text: str) -> Iterator[str | Turn]:
        self._begin()
        given = bool(self.id)
        if not given:
            self.id = self._creation.id_of(self._api.create_conversation)
        try:
            try:
                yield from self._asked(text)
            except Rejected as error:
                if not (self._unsettled and _is_barred(error)):
                    raise
                self._settle()  # the service had not written it down when we left
                yield from self._asked(text)
        except NotFound as error:
            if not given or self.id not in error.message:
                raise
            raise NotFound(
                f"there is no conversation {self.id} at {self._api.endpoint}",
                fix="leave --thread out to begin a new one; a conversation belongs to one project",
                status=error.status,
                request_id=error.request_id,
            ) from error
        except Rejected as error:
            if not _is_barred(error):
                raise
            raise Rejected(
                f"the conversation {self.id} waits for what another program was asked for: {error.message}",
                fix="give it from there, or leave --thread out to begin a new one",
                status=error.status,
                code=error.code,
                request_id=error.request_id,
            ) from error
        self._unsettled = False

    def resume(self, turn: Turn, outputs: Sequence[ToolCall]) -> Iterator[str | Turn]:
        return self._asked([_output(call.id, call.output or "") for call in outputs])

    def look(self, turn: Turn) -> Turn:
        """Raises Unavailable where the service forgot the response when the stream broke off."""
        try:
            return self._turn(self._api.get_response(turn.id))
        except NotFound as error:
            self._misses += 1
            if self._misses < _MOST_MISSES:
                return turn
            raise Unavailable(
                "the stream of the answer broke off, and the service did not go on with it",
                fix="check the network, then ask again",
                ambiguous=True,
            ) from error

    def said(self, turn: Turn) -> Said:
        self._notes = notes = PlacedNotes()
        parts = [_whole(notes, item) for response in self._done for item in response.get("output") or []]
        return Said("\n\n".join(part for part in parts if part), tuple(notes.citations))

    def citations(self) -> Sequence[Citation]:
        return self._notes.citations

    def used(self) -> frozenset[str]:
        items = (str(item.get("type")) for response in self._done for item in response.get("output") or [])
        return frozenset(name.removesuffix("_call") for name in items if name.endswith("_call")) - {"function"}

    def delete(self) -> None:
        """The responses go too, which else stay for weeks; where one cannot be deleted it stays."""
        if self.id:
            self._api.delete_conversation(self.id)
        else:
            self._creation.check()
        for response in self._done:
            with suppress(ProviderError):
                self._api.delete_response(str(response.get("id")))

    def stop(self, turn: Turn, pause: Pause) -> bool:
        """Answer what the agent asked and nobody did. Leaving the stream has already ended the response."""
        if not self._begun:
            return False
        self._unsettled = True
        self._settle()
        return True

    def file_name(self, file_id: str) -> str:
        return self._api.file_name(file_id)

    # Asking

    def _asked(self, given: str | Sequence[Json]) -> Iterator[str | Turn]:
        self._begun, before, heard = True, self._begun, False
        try:
            for event in self._api.stream_response(self.id, self._agent, given):
                heard = True
                yield from self._read(event)
        except ProviderError as error:
            self._begun = before or heard or error.ambiguous  # what was refused left nothing of ours to end
            raise

    def _settle(self) -> None:
        """Say that functions were not called and tools not approved, where the newest items ask for it."""
        items = self._api.newest_items(self.id)
        known = {item.get("call_id") for item in items if item.get("type") == "function_call_output"}
        known |= {item.get("approval_request_id") for item in items if item.get("type") == "mcp_approval_response"}
        answers: list[Json] = []
        for item in reversed(items):
            if item.get("type") == "function_call" and item.get("call_id") not in known:
                answers.append(_output(str(item["call_id"]), _NOT_CALLED))
            elif item.get("type") == "mcp_approval_request" and item.get("id") not in known:
                answer = {"type": "mcp_approval_response", "approval_request_id": item["id"], "approve": False}
                answers.append(answer)
        if answers:
            self._api.add_items(self.id, answers)

    # Reading

    def _read(self, event: Json) -> Iterator[str | Turn]:
        """What one event says; a kind that we do not know says nothing."""
        kind, item = str(event.get("type")), event.get("item") or {}
        if isinstance(response := event.get("response"), dict):
            turn = self._turn(response)
            if turn.ended:
                yield from self._text(self._notes.end())
            yield turn
        elif kind == "response.output_item.added" and item.get("type") in _SHOWN:
            self._notes.begin()
            if self._written:
                yield "\n\n"
        elif kind == "response.content_part.added":
            self._notes.begin()
        elif kind in ("response.output_text.delta", "response.refusal.delta"):
            yield from self._text(self._notes.add(str(event.get("delta") or "")))
        elif kind == "response.output_text.annotation.added":
            _note(self._notes, event.get("annotation"))
        elif kind in ("response.content_part.done", "response.output_item.done"):
            parts = [event.get("part") or {}, *(item.get("content") or [])]
            for note in parts[-1].get("annotations") or []:
                _note(self._notes, note)  # not every service sends them while the text comes
            yield from self._text(self._notes.end() + _image(item))

    def _text(self, text: str) -> Iterator[str]:
        if text:
            self._written = True
            yield text

    def _turn(self, response: Json) -> Turn:
        ident, turn = str(response.get("id")), _state(response)
        usage: Counter[str] = Counter()
        for each in (*self._done, response):
            usage.update(_usage(each.get("usage")))
        if turn.ended:
            self._done.append(response)
        return Turn(ident, turn.status, turn.calls, turn.reason, turn.fix, dict(usage) or None)


def _state(response: Json) -> Turn:
    """How it stands with a response: what the agent waits for, and why there is no whole answer."""
    status, output = str(response.get("status")), response.get("output") or []
    calls = tuple(
        ToolCall(str(item["call_id"]), str(item["name"]), str(item.get("arguments") or ""))
        for item in output
        if item.get("type") == "function_call"
    )
    if status == "failed":
        error = response.get("error") or {}
        said = f": {error.get('message') or ''} ({error.get('code') or ''})" if error else ""
        return Turn(status=status, calls=calls, reason=f"the response failed{said}")
    if status == "incomplete":
        why = (response.get("incomplete_details") or {}).get("reason") or "unknown"
        return Turn(status=status, calls=calls, reason=f"the answer is incomplete: {why}")
    if status == "cancelled":
        return Turn(status=status, calls=calls, reason="the response was cancelled")
    if status != COMPLETED:
        return Turn(status=status)
    reason, fix = _wanted(output)
    return Turn(status=WANTS_OUTPUTS if calls or reason else COMPLETED, calls=calls, reason=reason, fix=fix)


def _wanted(output: Sequence[Json]) -> tuple[str, str]:
    """What the agent asks of a person, and what to do about it. A stranger's text: it is shown, never obeyed."""
    for item in output:
        server = item.get("server_label") or "?"
        if item.get("type") == "mcp_approval_request":
            wants = f"the assistant wants to use the tool {item.get('name')} of the MCP server {server}"
            given = str(item.get("arguments") or "{}")[:_SHOWN_ARGUMENTS]
            return (
                f"{wants}, with {given}; nobody can approve that here, so it was refused",
                "set require_approval: never for tools that need no consent, or approve it in a program of your own",
            )
        if item.get("type") == "oauth_consent_request":
            return (
                f"the MCP server {server} wants you to sign in before the assistant may use it",
                f"open {item.get('consent_link') or 'the project in the Foundry portal'}, then ask again",
            )
    return "", ""


def _is_barred(error: Rejected) -> bool:
    """Source: the service's words where a function call or a request for approval has no answer yet."""
    said = error.message.lower()
    return "no tool output found" in said or ("mcp" in said and "approval" in said)


def _output(call_id: str, output: str) -> Json:
    return {"type": "function_call_output", "call_id": call_id, "output": output}


def _usage(given: Mapping[str, Any] | None) -> dict[str, int]:
    """Token counts under the names that every service has in our reports."""
    return {ours: given[name] for name, ours in _USAGE.items() if isinstance(given.get(name), int)} if given else {}


def _whole(notes: PlacedNotes, item: Json) -> str:
    """An item that is finished, as it is shown."""
    shown = _image(item)
    for part in item.get("content") or [] if item.get("type") == "message" else []:
        notes.begin()
        for note in part.get("annotations") or []:
            _note(notes, note)
        shown += notes.add(str(part.get("text") or part.get("refusal") or "")) + notes.end()
    return shown


def _image(item: Json) -> str:
    return f"[image {item.get('id', '')}]\n" if item.get("type") == "image_generation_call" else ""


def _note(notes: PlacedNotes, note: Any) -> None:
    """Tell the text where it cites what. `index` is a place in the text but for file_path, where it counts files."""
    if not isinstance(note, dict):
        return
    place = note.get("end_index", note.get("index")) if note.get("type") != "file_path" else None
    source = Citation(
        0,
        "",
        str(note.get("file_id") or ""),
        file_name=str(note.get("filename") or note.get("title") or note.get("url") or ""),
        url=str(note.get("url") or ""),
    )
    if source.file_id or source.url:
        notes.note(source, place if isinstance(place, int) else None)
