"""Foundry's side of a conversation: what its events and items mean, and what may not bar the next question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from asstops.errors import NotFound, ProviderError, Rejected, Unavailable
from asstops.talk.answer import Answer, Listener
from asstops.talk.conversation import Conversation
from asstops.talk.responses import ResponseExchange

Json = dict[str, Any]
BARRED = Rejected("asking: No tool output found for function call call_1.", status=400, code="invalid_value")


def message(text: str, *notes: Json, ident: str = "msg_1") -> Json:
    part = {"type": "output_text", "text": text, "annotations": list(notes)}
    return {"type": "message", "id": ident, "role": "assistant", "status": "completed", "content": [part]}


def call(ident: str = "call_1") -> Json:
    return {"type": "function_call", "id": "fc_1", "call_id": ident, "name": "get_weather", "arguments": "{}"}


def response(*items: Json, status: str = "completed", ident: str = "resp_1", **over: Any) -> Json:
    usage = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7, "input_tokens_details": {"cached_tokens": 1}}
    return {"id": ident, "status": status, "output": list(items), "usage": usage, **over}


def events(whole: Json, *, annotated: bool = True) -> list[Json]:
    """The stream of a response whose text comes in two pieces; annotations in time, or with the finished part."""
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    made: list[Json] = [{"type": "response.created", "response": begun}]
    for item in whole["output"]:
        made.append({"type": "response.output_item.added", "item": {**item, "content": []}})
        for part in item.get("content") or []:
            text, notes = part["text"], part["annotations"]
            made.append({"type": "response.content_part.added", "part": {**part, "text": "", "annotations": []}})
            made.append({"type": "response.output_text.delta", "delta": text[:3]})
            made += [{"type": "response.output_text.annotation.added", "annotation": n} for n in notes if annotated]
            made.append({"type": "response.output_text.delta", "delta": text[3:]})
            made.append({"type": "response.content_part.done", "part": part})
        made.append({"type": "response.output_item.done", "item": item})
    return [*made, {"type": f"response.{whole['status']}", "response": whole}]


@dataclass
class Project:
    """A project that plays streams. `items` are those of its conversation, newest first."""

    streams: list[list[Json | Exception]]
    items: list[Json] = field(default_factory=list)
    kept: dict[str, list[Json | Exception]] = field(default_factory=dict)
    endpoint: str = "https://example"
    asked: list[str | Sequence[Json]] = field(default_factory=list)
    added: list[Json] = field(default_factory=list)

    def create_conversation(self) -> Json:
        return {"id": "conv_1"}

    def newest_items(self, conversation_id: str) -> list[Json]:
        return self.items

    def add_items(self, conversation_id: str, items: Sequence[Json]) -> Json:
        self.added += items
        return {}

    def get_response(self, response_id: str) -> Json:
        found = self.kept[response_id].pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def stream_response(self, conversation_id: str, agent: str, given: str | Sequence[Json]) -> Iterator[Json]:
        self.asked.append(given)
        for event in self.streams.pop(0):
            if isinstance(event, Exception):
                raise event
            yield event

    def file_name(self, file_id: str) -> str:
        return ""


def talking(project: Project, thread_id: str = "", output: str | None = None) -> tuple[Conversation, list[str]]:
    heard: list[str] = []
    listener = Listener(heard.append, lambda _: None, lambda _: output)
    exchange = ResponseExchange(cast(Any, project), "clerk", thread_id)
    return Conversation(exchange, listener, lambda _: None), heard


def asked(project: Project, output: str | None = None) -> Answer:
    return talking(project, output=output)[0].ask("Hello")


# What is shown


def test_messages_are_kept_apart_and_tokens_added_up() -> None:
    project = Project(
        [
            cast(Any, events(response(message("First"), call()))),
            cast(Any, events(response(message("Second"), message("Third"), ident="resp_2"))),
        ]
    )
    answer = asked(project, "1")
    assert answer.text == "First\n\nSecond\n\nThird"
    assert answer.usage == {"prompt_tokens": 6, "completion_tokens": 8, "total_tokens": 14}
    assert (answer.thread_id, answer.run_id) == ("conv_1", "resp_2")
    assert project.asked == ["Hello", [{"type": "function_call_output", "call_id": "call_1", "output": "1"}]]
    assert project.added == []


@pytest.mark.parametrize("annotated", [True, False])
def test_sources_of_every_kind_are_listed(annotated: bool) -> None:
    notes = [
        {"type": "file_citation", "file_id": "f1", "filename": "a.md", "index": 8},
        {"type": "url_citation", "start_index": 5, "end_index": 8, "url": "https://example.com", "title": "A page"},
        {"type": "container_file_citation", "file_id": "cfile_1", "filename": "b.csv", "container_id": "c",
         "start_index": 5, "end_index": 8},
        {"type": "file_path", "file_id": "f2", "index": 0},
        {"type": "something_new"},
    ]  # fmt: skip
    answer = asked(Project([cast(Any, events(response(message("It is so.", *notes)), annotated=annotated))]))
    assert answer.text == ("It is so [1] [2] [3]. [4]" if annotated else "It is so. [1] [2] [3] [4]")
    assert {(c.file_id, c.file_name, c.url) for c in answer.citations} == {
        ("f1", "a.md", ""),
        ("", "A page", "https://example.com"),
        ("cfile_1", "b.csv", ""),
        ("f2", "", ""),
    }


def test_a_refusal_and_an_image_are_shown_and_the_rest_is_not() -> None:
    image = {"type": "image_generation_call", "id": "ig_1", "result": "iVBOR", "status": "completed"}
    others = [
        {"type": kind, "id": f"{kind}_1"}
        for kind in ("reasoning", "web_search_call", "mcp_list_tools", "mcp_call", "x")
    ]
    stream = events(response(*others, image))
    stream[1:1] = [
        {"type": "response.refusal.delta", "delta": "I will not."},
        {"type": "response.reasoning_summary_text.delta", "delta": "hidden"},
        {"type": "response.never_heard_of"},
    ]
    answer = asked(Project([cast(Any, stream)]))
    assert answer.text == "I will not.\n\n[image ig_1]\n"
    assert answer.status == "completed"


# How it ends


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"status": "failed", "error": {"code": "server_error", "message": "It broke."}}, "failed: It broke."),
        ({"status": "failed", "error": None}, "the response failed"),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "incomplete: content_filter"),
        ({"status": "incomplete"}, "incomplete: unknown"),
        ({"status": "cancelled"}, "was cancelled"),
    ],
)
def test_an_end_that_is_none_is_said(over: Json, said: str) -> None:
    answer = asked(Project([cast(Any, events(response(message("Half"), **over)))]))
    assert answer.status == over["status"]
    assert said in answer.reason
    assert answer.text == "Half"


def test_a_tool_that_wants_approval_is_refused_so_that_the_conversation_goes_on() -> None:
    wants = {"type": "mcp_approval_request", "id": "mcpr_1", "server_label": "docs", "name": "purge", "arguments": "{}"}
    settled = {"type": "mcp_approval_response", "approval_request_id": "mcpr_0", "approve": True}
    before = {**wants, "id": "mcpr_0"}
    project = Project([cast(Any, events(response(message("Well"), wants)))], items=[wants, settled, before])
    answer = asked(project, "1")
    assert answer.status == "requires_action"
    assert "the tool purge of the MCP server docs" in answer.reason
    assert "require_approval: never" in answer.fix
    assert project.added == [{"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": False}]
    assert answer.tool_calls == ()


def test_a_server_that_wants_a_sign_in_says_where() -> None:
    wants = {"type": "oauth_consent_request", "id": "o_1", "server_label": "docs", "consent_link": "https://example"}
    answer = asked(Project([cast(Any, events(response(wants)))]))
    assert (answer.status, answer.fix) == ("requires_action", "open https://example, then ask again")
    assert "MCP server docs wants you to sign in" in answer.reason


# What is left behind


def test_calls_without_outputs_are_answered_and_others_left() -> None:
    items = [call("call_2"), {"type": "function_call_output", "call_id": "call_1", "output": "x"}, call("call_1")]
    project = Project([cast(Any, events(response(call("call_2"))))], items=items)
    assert asked(project).status == "requires_action"
    assert [(item["type"], item["call_id"]) for item in project.added] == [("function_call_output", "call_2")]


def test_half_an_answer_leaves_no_call_open() -> None:
    project = Project([cast(Any, events(response(call(), status="incomplete")))], items=[call()])
    assert asked(project, "1").status == "incomplete"
    assert [item["call_id"] for item in project.added] == ["call_1"]


def test_a_question_that_was_refused_touches_nothing() -> None:
    """Another program may be at work in the conversation; its calls are its own."""
    project = Project([[BARRED]], items=[call()])
    with pytest.raises(Rejected, match="waits for what another program was asked for"):
        talking(project, "conv_1")[0].ask("Hello")
    assert project.added == []
    assert len(project.asked) == 1


def test_a_lost_answer_is_not_asked_for_again_but_cleared_away() -> None:
    project = Project([[Unavailable("cut", ambiguous=True)]], items=[call()])
    with pytest.raises(Unavailable):
        asked(project)
    assert project.asked == ["Hello"]
    assert [item["call_id"] for item in project.added] == ["call_1"]


def test_outputs_that_were_refused_leave_no_call_open() -> None:
    project = Project([cast(Any, events(response(call()))), [Rejected("too long", status=400)]], items=[call()])
    with pytest.raises(Rejected, match="too long"):
        asked(project, "1")
    assert [item["call_id"] for item in project.added] == ["call_1"]


def test_a_call_that_was_written_down_after_we_left_is_answered_before_the_next_question() -> None:
    failing = [*events(response())[:1], ProviderError("it broke")]
    project = Project([cast(Any, failing), [BARRED], cast(Any, events(response(message("Yes"))))])
    talk, _ = talking(project)
    with pytest.raises(ProviderError):
        talk.ask("One")
    assert project.added == []
    project.items = [call()]
    assert talk.ask("Two").text == "Yes"
    assert project.asked == ["One", "Two", "Two"]
    assert [item["call_id"] for item in project.added] == ["call_1"]


def test_a_conversation_that_is_gone_is_named() -> None:
    gone = NotFound("asking: Conversation with id 'conv_9' not found.", status=404)
    with pytest.raises(NotFound, match="there is no conversation conv_9 at https://example"):
        talking(Project([[gone]]), "conv_9")[0].ask("Hello")
    other = NotFound("asking: the agent clerk was not found", status=404)
    with pytest.raises(NotFound, match="the agent clerk"):
        talking(Project([[other]]), "conv_9")[0].ask("Hello")


# Streams that break off


def test_a_response_is_read_where_its_stream_broke_off() -> None:
    whole = response(message("It is so.", {"type": "file_citation", "file_id": "f1", "filename": "a.md", "index": 8}))
    stream: list[Json | Exception] = [*events(whole)[:4], Unavailable("cut", ambiguous=True)]
    working = {**whole, "status": "in_progress", "output": []}
    missing = NotFound("not found", status=404)
    project = Project([stream], kept={"resp_1": [missing, working, whole]})
    talk, heard = talking(project)
    answer = talk.ask("Hello")
    assert heard == ["It ", "is so [1]."]
    assert (answer.status, [c.file_name for c in answer.citations]) == ("completed", ["a.md"])
    assert answer.usage == {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    assert project.asked == ["Hello"]


def test_what_was_said_before_the_break_is_not_said_again() -> None:
    second = response(message("Second"), ident="resp_2")
    broken: list[Json | Exception] = [*events(second)[:4], Unavailable("cut", ambiguous=True)]
    first = cast(Any, events(response(message("First"), call())))
    project = Project([first, broken], kept={"resp_2": [second]})
    talk, heard = talking(project, output="1")
    assert talk.ask("Hello").text == "First\n\nSecond"
    assert "".join(heard) == "First\n\nSecond"


def test_a_response_that_nobody_kept_is_said_to_be_lost() -> None:
    stream: list[Json | Exception] = [*events(response())[:1], Unavailable("cut", ambiguous=True)]
    project = Project([stream], kept={"resp_1": [NotFound("not found", status=404)] * 10})
    with pytest.raises(Unavailable, match="did not go on with it"):
        asked(project)
    assert project.kept == {"resp_1": []}
