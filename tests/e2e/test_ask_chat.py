"""Talking to what was provisioned: `ask` and `chat` as a shell or a person uses them."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from asstops.conversation import Conversation, Listener, _Marks
from asstops.errors import Unavailable
from tests.support.program import Program
from tests.support.stage import Stage

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
SPEC: dict[str, Any] = {
    "stack": "talk",
    "service": "assistants",
    "files": {"hours": {"path": "hours.json"}},
    "vector_stores": {"docs": {"files": ["hours"]}},
    "tools": {
        "weather": {"name": "get_weather", "description": "Weather.", "parameters": CITY},
        "stock": {"name": "get_stock", "description": "Stock.", "parameters": CITY},
    },
    "assistants": {
        "plain": {"model": "gpt-4o", "name": "Plain"},
        "reader": {"model": "gpt-4o", "tools": [{"file_search": {"vector_store": "docs"}}]},
        "caller": {"model": "gpt-4o", "tools": [{"function": "weather"}, {"function": "stock"}]},
    },
}
FILES = {"hours.json": '{"opening hours": {"monday": "nine to five"}}'}


@pytest.fixture
def talk(stage: Stage, program: Program) -> Program:
    """The program, with everything of SPEC applied."""
    stage.apply(SPEC, FILES)
    return program


def _reply(stage: Stage, **rule: Any) -> None:
    stage.admin("POST", "/replies", rule)


@pytest.fixture(autouse=True)
def _no_replies_stay(stage: Stage) -> Iterator[None]:
    yield
    stage.admin("DELETE", "/replies")


def _piped(program: Program, text: str, *arguments: str, code: int = 0) -> tuple[str, str]:
    process = program.start(*arguments, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate(text, timeout=60)
    assert process.returncode == code, f"{process.returncode}\n{out}\n{err}"
    assert "Traceback" not in err
    return out, err


def _thread(err: str) -> str:
    return err.rpartition("thread: ")[2].split()[0]


def test_an_answer_goes_to_stdout_and_the_thread_to_stderr(talk: Program) -> None:
    done = talk.run("ask", "plain", "How are you?")
    assert done.stdout == "[asstops emulator] Plain was asked: How are you?\n"
    assert done.stderr == f"thread: {_thread(done.stderr)}\n"
    assert _thread(done.stderr).startswith("thread_")


def test_a_thread_is_continued(stage: Stage, talk: Program) -> None:
    thread = _thread(talk.run("ask", "plain", "One").stderr)
    assert _thread(talk.run("ask", "assistant.plain", "Two", "--thread", thread).stderr) == thread
    said = stage.data("GET", f"/threads/{thread}/messages", params={"order": "asc"})["data"]
    assert [(m["role"], m["content"][0]["text"]["value"]) for m in said if m["role"] == "user"] == [
        ("user", "One"),
        ("user", "Two"),
    ]
    assert len(said) == 4
    gone = talk.run("ask", "plain", "Three", "--thread", "thread_none", code=1)
    assert "there is no thread thread_none" in gone.stderr
    assert gone.stdout == ""
    assert "no id of a thread" in talk.run("ask", "plain", "Four", "--thread", "../x", code=64).stderr


def test_citations_are_numbered_and_named(talk: Program) -> None:
    done = talk.run("ask", "reader", "What are the opening hours on monday?")
    assert "hours.json says: " in done.stdout
    assert "\u3010" not in done.stdout
    assert done.stdout.endswith(" [1]\n\n[1] hours.json\n"), done.stdout


def test_json_is_one_document(talk: Program) -> None:
    found = talk.json("ask", "--json", "reader", "What are the opening hours on monday?")
    assert found["status"] == "completed"
    assert found["reason"] is None
    assert [(c["number"], c["file_name"]) for c in found["citations"]] == [(1, "hours.json")]
    assert found["citations"][0]["file_id"].startswith("assistant-")
    assert " [1]" in found["text"]
    assert found["usage"]["total_tokens"] > 0
    assert found["run_id"].startswith("run_")
    assert found["tool_calls"] == []


def test_the_question_can_come_from_stdin(talk: Program) -> None:
    out, _ = _piped(talk, "From a pipe,\nin two lines.\n", "ask", "plain", "-")
    assert out.endswith("was asked: From a pipe,\nin two lines.\n")
    assert "no question" in talk.run("ask", "plain", "-", code=64).stderr
    assert "no question" in talk.run("ask", "plain", " ", code=64).stderr


def test_functions_get_the_outputs_that_were_given(talk: Program) -> None:
    done = talk.run(
        "ask",
        "caller",
        "get_weather and get_stock",
        "--tool-output",
        'get_weather={"sun": true}',
        "--tool-output",
        "get_stock=3",
    )
    assert 'The function get_weather returned: {"sun": true}' in done.stdout
    assert "The function get_stock returned: 3" in done.stdout
    assert 'get_weather({"city": "city"})\n' in done.stderr


def test_a_function_without_output_ends_the_run(stage: Stage, talk: Program) -> None:
    done = talk.run("ask", "caller", "get_weather, please", code=1)
    assert 'get_weather({"city": "city"})\n' in done.stderr
    assert "--tool-output 'get_weather=JSON'" in done.stderr
    thread = _thread(done.stderr)
    assert [run["status"] for run in stage.data("GET", f"/threads/{thread}/runs")["data"]] == ["cancelled"]
    talk.run("ask", "caller", "Something else", "--thread", thread)
    found = talk.json("ask", "--json", "caller", "get_weather, please", code=1)
    assert found["status"] == "requires_action"
    assert [(c["name"], json.loads(c["arguments"]), c["output"]) for c in found["tool_calls"]] == [
        ("get_weather", {"city": "city"}, None)
    ]
    assert "no JSON" in talk.run("ask", "caller", "x", "--tool-output", "get_weather=sunny", code=64).stderr


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "Slow down."}}, "Slow down."),
        ({"status": "failed", "error": {"code": "server_error", "message": "It broke."}}, "the run failed: It broke."),
        ({"status": "incomplete", "reply": "Half an"}, "the answer is incomplete: max_completion_tokens"),
    ],
)
def test_a_run_that_does_not_complete_says_why(stage: Stage, talk: Program, rule: dict[str, Any], said: str) -> None:
    _reply(stage, **rule)
    done = talk.run("ask", "plain", "Hello", code=1)
    assert said in done.stderr
    assert done.stdout.strip() == rule.get("reply", "")
    found = talk.json("ask", "--json", "plain", "Hello", code=1)
    assert found["status"] == rule["status"]
    assert said in found["reason"]


def test_a_run_that_expires_says_so(stage: Stage, talk: Program) -> None:
    _reply(stage, reply="late", seconds=5000)
    process = talk.start("ask", "plain", "Hello", stderr=subprocess.PIPE)
    _until(lambda: _active(stage))
    stage.admin("POST", "/clock", {"advance_s": 700})
    out, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "expired" in err
    assert "late" not in out


def _until(good: Callable[[], Any], seconds: float = 15) -> Any:
    end = time.monotonic() + seconds
    while not (found := good()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return found


def _requested(stage: Stage, ending: str) -> bool:
    return any(entry["path"].endswith(ending) for entry in stage.requests())


def _active(stage: Stage) -> bool:
    """A run was begun."""
    return any(e["path"].endswith("/runs") and e["method"] == "POST" and e["status"] == 200 for e in stage.requests())


def _runs(stage: Stage) -> list[str]:
    threads = {
        e["path"].split("/threads/")[1].split("/")[0] for e in stage.requests() if e["path"].endswith("/messages")
    }
    return [run["status"] for thread in threads for run in stage.data("GET", f"/threads/{thread}/runs")["data"]]


def test_text_comes_as_it_is_written(stage: Stage, talk: Program) -> None:
    _reply(stage, reply=" ".join(f"word{n}" for n in range(40)), seconds=2.0)
    process = talk.start("ask", "plain", "Hello", stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.read(5) == "word0"
    began = time.monotonic()
    rest = process.stdout.read()
    assert time.monotonic() - began > 0.5
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert rest.endswith("word39\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_cancels_the_run(stage: Stage, talk: Program, number: signal.Signals, code: int) -> None:
    _reply(stage, reply="far too late", seconds=60)
    stage.look_away()
    process = talk.start("ask", "plain", "Hello", stderr=subprocess.PIPE)
    _until(lambda: _active(stage))
    time.sleep(0.3)
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert process.returncode == code, err
    assert "The run was cancelled." in err
    assert "Traceback" not in err
    assert _runs(stage) == ["cancelled"]


def test_a_reader_that_leaves_ends_the_run_without_a_word(stage: Stage, talk: Program) -> None:
    _reply(stage, reply=" ".join(f"word{n}" for n in range(400)), seconds=8)
    stage.look_away()
    process = talk.start("ask", "plain", "Hello", stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.read(5) == "word0"
    process.stdout.close()
    assert process.wait(20) == 1
    assert process.stderr.read() == ""
    process.stderr.close()
    assert _runs(stage) == ["cancelled"]


def test_a_lost_answer_leaves_no_run_behind(stage: Stage, talk: Program) -> None:
    """The run was begun, and nobody heard of it: it is looked up and cancelled rather than begun twice."""
    _reply(stage, reply="far too late", seconds=60)
    stage.admin("POST", "/faults", {"method": "POST", "path": "/runs$", "cut": "after"})
    stage.look_away()
    assert "Error: " in talk.run("ask", "plain", "Hello", code=1).stderr
    assert _runs(stage) == ["cancelled"]


def test_a_throttled_request_is_sent_again(stage: Stage, talk: Program) -> None:
    stage.admin("POST", "/faults", {"method": "POST", "path": "/runs$", "status": 429, "headers": {"retry-after": "0"}})
    assert talk.run("ask", "plain", "Hello").stdout.endswith("was asked: Hello\n")


def test_control_characters_do_not_reach_the_terminal(stage: Stage, talk: Program) -> None:
    _reply(stage, reply="a\x1b[31mred\x07\n\tb\u202ec")
    assert talk.run("ask", "plain", "Hello").stdout == "a\\x1b[31mred\\x07\n\tb\\u202ec\n"


def test_what_is_not_there_is_said(stage: Stage, program: Program) -> None:
    stage.write(SPEC, FILES)
    assert "did you mean plain?" in program.run("ask", "plane", "Hello", code=64).stderr
    assert "assistant.plain does not exist yet" in program.run("ask", "plain", "Hello", code=1).stderr


def test_entra_id_signs_in_where_there_is_no_key(talk: Program) -> None:
    assert talk.run("ask", "plain", "Hello", AZURE_OPENAI_API_KEY="").stdout.endswith("was asked: Hello\n")
    refused = talk.run("ask", "plain", "Hello", AZURE_OPENAI_API_KEY="", IDENTITY_HEADER="wrong", code=1)
    assert "signing in" in refused.stderr


def test_local_needs_no_server_and_keeps_threads(stage: Stage, program: Program) -> None:
    stage.write(SPEC, FILES)
    program.run("--local", "apply", "-y")
    thread = _thread(program.run("--local", "ask", "plain", "One").stderr)
    assert _thread(program.run("--local", "ask", "plain", "Two", "--thread", thread).stderr) == thread
    assert stage.writes() == []


def test_lines_of_a_pipe_are_messages(stage: Stage, talk: Program) -> None:
    out, err = _piped(talk, "One\n\n/thread\nTwo\n/exit\nThree\n", "chat", "plain")
    assert out == "[asstops emulator] Plain was asked: One\n[asstops emulator] Plain was asked: Two\n"
    assert err == f"thread: {_thread(err)}\n" * 2
    out, again = _piped(talk, "Four\n", "chat", "plain", "--thread", _thread(err))
    assert _thread(again) == _thread(err)
    assert len(stage.data("GET", f"/threads/{_thread(err)}/messages")["data"]) == 6


def test_a_pipe_ends_in_1_where_an_answer_is_missing(stage: Stage, talk: Program) -> None:
    _reply(stage, match={"text": "^One"}, status="failed", error={"code": "server_error", "message": "It broke."})
    out, err = _piped(talk, "One\nTwo\n", "chat", "plain", code=1)
    assert "It broke." in err
    assert out.endswith("was asked: Two\n")


class Person:
    """Somebody at a terminal."""

    def __init__(self, program: Program, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = program.start(*arguments, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                                     preexec_fn=_own_terminal)  # fmt: skip
        os.close(theirs)
        self.text, self._seen = "", 0

    def sees(self, wanted: str) -> None:
        """Wait for `wanted`, after what was waited for before."""
        end = time.monotonic() + 20
        while wanted not in self.text[self._seen :]:
            assert time.monotonic() < end, f"no {wanted!r} in {self.text!r}"
            if select.select([self._ours], [], [], 0.1)[0]:
                self.text += os.read(self._ours, 65536).decode("utf-8", "replace")
        self._seen = self.text.index(wanted, self._seen) + len(wanted)

    def types(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def leaves(self) -> int:
        code = self.process.wait(20)
        os.close(self._ours)
        return code


def _own_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_a_person_chats_stops_an_answer_and_leaves(stage: Stage, talk: Program) -> None:
    _reply(stage, match={"text": "^Slow"}, reply="far too late", seconds=60)
    person = Person(talk, "chat", "caller")
    person.sees("> ")
    person.types("Hello\n")
    person.sees("was asked: Hello")
    person.sees("> ")
    person.types("/thread\n")
    person.sees("thread: thread_")
    stage.look_away()
    person.types("Slow one\n")
    _until(lambda: _active(stage))
    time.sleep(0.3)
    person.types("\x03")
    person.sees("The run was cancelled.")
    person.sees("> ")
    person.types("get_weather\n")
    person.sees("as JSON")
    person.types("sunny\n")
    person.sees("no JSON")
    person.types('"sunny"\n')
    person.sees('returned: "sunny"')
    person.sees("> ")
    person.types("\x04")
    person.sees("thread: thread_")
    assert person.leaves() == 0


# How an answer comes together


def _delta(value: str, *notes: dict[str, Any]) -> dict[str, Any]:
    return {"delta": {"content": [{"type": "text", "text": {"value": value, "annotations": list(notes)}}]}}


def test_a_mark_may_come_in_pieces_and_a_lone_bracket_is_text() -> None:
    mark = "\u30104:0\u2020a.md\u3011"
    note = {"type": "file_citation", "text": mark, "file_citation": {"file_id": "f1"}}
    marks = _Marks()
    shown = [
        marks.text_of(_delta("See \u30104:0")),
        marks.text_of(_delta("\u2020a.md\u3011", note)),
        marks.text_of(_delta(".")),
    ]
    assert "".join(shown) + marks.rest() == "See  [1]."
    assert shown[0] == "See "
    assert marks.text_of(_delta(f" Again{mark}", note)) + marks.rest() == " Again [1]"
    assert [c.file_id for c in marks.citations] == ["f1"]
    assert marks.text_of(_delta("A lone \u3010 bracket")) + marks.rest() == "A lone \u3010 bracket"


class _BrokenStream:
    """A service whose stream breaks off after the first words, while the run goes on."""

    endpoint = "https://example"

    def __init__(self) -> None:
        self.asked = 0

    def create_thread(self) -> dict[str, Any]:
        return {"id": "thread_1"}

    def add_message(self, thread_id: str, text: str) -> dict[str, Any]:
        return {"id": "msg_1"}

    def stream_run(self, thread_id: str, assistant_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
        yield "thread.run.created", {"object": "thread.run", "id": "run_1", "status": "queued"}
        yield "thread.message.delta", _delta("The first words")
        raise Unavailable("cut", ambiguous=True)

    def get_run(self, thread_id: str, run_id: str) -> dict[str, Any]:
        self.asked += 1
        return {"object": "thread.run", "id": "run_1", "status": "completed" if self.asked > 2 else "in_progress"}

    def messages_of_run(self, thread_id: str, run_id: str) -> list[dict[str, Any]]:
        return [{"role": "assistant", "content": _delta("The first words and the last.")["delta"]["content"]}]


def test_an_answer_is_completed_after_its_stream_broke_off() -> None:
    heard: list[str] = []
    listener = Listener(heard.append, lambda _: None, lambda _: None)
    api: Any = _BrokenStream()
    answer = Conversation(api, "asst_1", listener, lambda _: None).ask("Hello")
    assert answer.status == "completed"
    assert answer.text == "The first words and the last."
    assert heard == ["The first words", " and the last."]
    assert api.asked == 3
