"""Talking to what was provisioned: `ask` and `chat` as a shell or a person uses them, with both services.

What the service has no part in is tried with one of them.
"""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from asstops.emulator.keys import PROJECT_AUDIENCE
from tests.support.inside import Inside
from tests.support.program import Program
from tests.support.stage import Stage

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
SPEC: dict[str, Any] = {
    "stack": "talk",
    "files": {"hours": {"path": "hours.json"}},
    "vector_stores": {"docs": {"files": ["hours"]}},
    "tools": {
        "weather": {"name": "get_weather", "description": "Weather.", "parameters": CITY},
        "stock": {"name": "get_stock", "description": "Stock.", "parameters": CITY},
    },
    "assistants": {
        "plain": {"model": "gpt-4o", "name": "plain"},
        "reader": {"model": "gpt-4o", "tools": [{"file_search": {"vector_store": "docs"}}]},
        "caller": {"model": "gpt-4o", "tools": [{"function": "weather"}, {"function": "stock"}]},
    },
}
FILES = {"hours.json": '{"opening hours": {"monday": "nine to five"}}'}


@dataclass
class Service:
    """A service as somebody else sees it, and how its words differ from the other's."""

    name: str
    stage: Stage

    @property
    def spec(self) -> dict[str, Any]:
        return {**SPEC, "service": self.name}

    @property
    def prefixes(self) -> tuple[str, str]:
        """What ids of threads and of runs begin with."""
        return ("thread_", "run_") if self.name == "assistants" else ("conv_", "resp_")

    @property
    def limit(self) -> str:
        return "max_completion_tokens" if self.name == "assistants" else "max_output_tokens"

    @property
    def asking(self) -> str:
        """How the path ends that begins an answer."""
        return "/runs" if self.name == "assistants" else "/responses"

    def asked(self) -> bool:
        """An answer was begun since the stage looked away."""
        return any(
            e["path"].endswith(self.asking) and e["method"] == "POST" and e["status"] == 200
            for e in self.stage.requests()
        )

    def get(self, path: str, **params: Any) -> Any:
        if self.name == "assistants":
            return self.stage.data("GET", path, params=params)["data"]
        answer = self.stage.http.get(
            f"{self.stage.environ['FOUNDRY_PROJECT_ENDPOINT']}/openai/v1{path}",
            params=params,
            headers={"authorization": f"Bearer {self.stage.token(PROJECT_AUDIENCE)}"},
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def said(self, thread: str) -> list[tuple[str, str]]:
        """Who said what in a thread."""
        if self.name == "assistants":
            messages = self.get(f"/threads/{thread}/messages", order="asc")
            return [(m["role"], m["content"][0]["text"]["value"]) for m in messages]
        items = self.get(f"/conversations/{thread}/items", order="asc", limit=100)
        return [(item["role"], item["content"][0]["text"]) for item in items if item["type"] == "message"]

    def thread(self) -> str:
        """The thread that was asked in since the stage looked away."""
        for entry in self.stage.requests():
            if "/threads/" in entry["path"]:
                return str(entry["path"].split("/threads/")[1].split("/")[0])
            if entry["path"].endswith("/responses"):
                return str(entry["body"]["conversation"])
        raise AssertionError("nothing was asked")

    def assert_free(self, thread: str) -> None:
        """Nothing is at work in the thread, and nothing waits for somebody."""
        if self.name == "assistants":
            assert [run["status"] for run in self.get(f"/threads/{thread}/runs")] == ["cancelled"]
            return
        items = self.get(f"/conversations/{thread}/items", limit=100)
        calls = {item["call_id"] for item in items if item["type"] == "function_call"}
        assert calls == {item["call_id"] for item in items if item["type"] == "function_call_output"}


@pytest.fixture
def program(inside: Inside) -> Program:
    """In this process where nothing is typed and no signal comes, which is most of what is tried here."""
    return inside


@pytest.fixture(params=["assistants", "agents"])
def service(request: pytest.FixtureRequest, stage: Stage) -> Service:
    """Each service in turn, with everything of SPEC applied."""
    found = Service(request.param, stage)
    stage.apply(found.spec, FILES)
    return found


@pytest.fixture
def talk(stage: Stage, program: Program) -> Program:
    """The program, with everything of SPEC applied to one service."""
    stage.apply(Service("agents", stage).spec, FILES)
    return program


@pytest.fixture
def threads(stage: Stage, program: Program) -> Program:
    """The program, with everything of SPEC applied to the service that has threads and runs."""
    stage.apply(Service("assistants", stage).spec, FILES)
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


def test_an_answer_goes_to_stdout_and_the_thread_to_stderr(service: Service, program: Program) -> None:
    done = program.run("ask", "plain", "How are you?")
    assert done.stdout == "[asstops emulator] plain was asked: How are you?\n"
    assert done.stderr == f"thread: {_thread(done.stderr)}\n"
    assert _thread(done.stderr).startswith(service.prefixes[0])


def test_tools_that_the_sdk_does_not_know_are_no_trouble(stage: Stage, program: Program) -> None:
    """A response names the tools of its agent, and openai's models lack those that only Azure has."""
    document = {"openapi": "3.0.0", "info": {"title": "t", "version": "1"}, "paths": {}}
    api = {"name": "w", "spec": document, "auth": {"type": "anonymous"}}
    helper = {"model": "gpt-4o", "tools": ["web_search", {"openapi": api}]}
    stage.apply({"stack": "tools", "assistants": {"helper": helper}})
    done = program.run("ask", "helper", "Hello?")
    assert "helper was asked: Hello?" in done.stdout
    assert done.stderr.startswith("thread: conv_")


def test_a_thread_is_continued(service: Service, program: Program) -> None:
    thread = _thread(program.run("ask", "plain", "One").stderr)
    assert _thread(program.run("ask", "assistant.plain", "Two", "--thread", thread).stderr) == thread
    said = service.said(thread)
    assert [text for role, text in said if role == "user"] == ["One", "Two"]
    assert len(said) == 4
    none = f"{service.prefixes[0]}none"
    gone = program.run("ask", "plain", "Three", "--thread", none, code=1)
    assert f"there is no {'thread' if service.name == 'assistants' else 'conversation'} {none}" in gone.stderr
    assert "leave --thread out" in gone.stderr
    assert gone.stdout == ""


def test_an_id_that_is_none_is_not_sent(talk: Program) -> None:
    assert "no id of a thread" in talk.run("ask", "plain", "Four", "--thread", "../x", code=64).stderr


def test_citations_are_numbered_and_named(service: Service, program: Program) -> None:
    done = program.run("ask", "reader", "What are the opening hours on monday?")
    assert "hours.json says: " in done.stdout
    assert "\u3010" not in done.stdout
    assert done.stdout.endswith(" [1]\n\n[1] hours.json\n"), done.stdout


def test_json_is_one_document(service: Service, program: Program) -> None:
    found = program.json("ask", "--json", "reader", "What are the opening hours on monday?")
    assert found["status"] == "completed"
    assert found["reason"] is None
    assert [(c["number"], c["file_name"], c["url"]) for c in found["citations"]] == [(1, "hours.json", None)]
    assert found["citations"][0]["file_id"].startswith("assistant-")
    assert " [1]" in found["text"]
    usage = found["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
    assert found["run_id"].startswith(service.prefixes[1])
    assert found["tool_calls"] == []


def test_the_question_can_come_from_stdin(talk: Program) -> None:
    out, _ = _piped(talk, "From a pipe,\nin two lines.\n", "ask", "plain", "-")
    assert out.endswith("was asked: From a pipe,\nin two lines.\n")
    assert "no question" in talk.run("ask", "plain", "-", code=64).stderr
    assert "no question" in talk.run("ask", "plain", " ", code=64).stderr


def test_functions_get_the_outputs_that_were_given(service: Service, program: Program) -> None:
    given = ("--tool-output", 'get_weather={"sun": true}', "--tool-output", "get_stock=3")
    done = program.run("ask", "caller", "get_weather and get_stock", *given)
    assert 'The function get_weather returned: {"sun": true}' in done.stdout
    assert "The function get_stock returned: 3" in done.stdout
    assert 'get_weather({"city": "city"})\n' in done.stderr


def test_a_function_without_output_ends_the_answer(service: Service, program: Program) -> None:
    done = program.run("ask", "caller", "get_weather, please", code=1)
    assert 'get_weather({"city": "city"})\n' in done.stderr
    assert "--tool-output 'get_weather=JSON'" in done.stderr
    thread = _thread(done.stderr)
    service.assert_free(thread)
    program.run("ask", "caller", "Something else", "--thread", thread)
    found = program.json("ask", "--json", "caller", "get_weather, please", code=1)
    assert found["status"] == "requires_action"
    assert [(c["name"], json.loads(c["arguments"]), c["output"]) for c in found["tool_calls"]] == [
        ("get_weather", {"city": "city"}, None)
    ]


def test_an_output_that_is_no_json_is_refused(talk: Program) -> None:
    assert "no JSON" in talk.run("ask", "caller", "x", "--tool-output", "get_weather=sunny", code=64).stderr


def test_an_answer_that_is_not_complete_says_why(service: Service, program: Program) -> None:
    slow = {"code": "rate_limit_exceeded", "message": "Slow down."}
    broken = {"code": "server_error", "message": "It broke."}
    _reply(service.stage, match={"text": "^Slow"}, status="failed", error=slow)
    _reply(service.stage, match={"text": "^Break"}, status="failed", error=broken)
    _reply(service.stage, match={"text": "^Half"}, status="incomplete", reply="Half an")
    done = program.run("ask", "plain", "Slow", code=1)
    assert "Slow down." in done.stderr
    assert "sku.capacity" in done.stderr
    found = program.json("ask", "--json", "plain", "Break", code=1)
    assert (found["status"], found["text"]) == ("failed", "")
    assert "failed: It broke." in found["reason"]
    done = program.run("ask", "plain", "Half", code=1)
    assert done.stdout == "Half an\n"
    assert f"the answer is incomplete: {service.limit}" in done.stderr


def test_a_run_that_expires_says_so(stage: Stage, threads: Program) -> None:
    _reply(stage, reply="late", seconds=5000)
    process = threads.start("ask", "plain", "Hello", stderr=subprocess.PIPE)
    _until(Service("assistants", stage).asked)
    stage.admin("POST", "/clock", {"advance_s": 700})
    out, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "expired" in err
    assert "late" not in out


def _until(good: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not (found := good()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return found


def test_text_comes_as_it_is_written_until_a_signal(service: Service, program: Program) -> None:
    """The first words are there while the last are still to be thought of."""
    _reply(service.stage, reply=" ".join(f"word{n}" for n in range(40)), seconds=30)
    service.stage.look_away()
    process = program.start("ask", "plain", "Hello", stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.read(5) == "word0"
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    rest, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    assert "word39" not in rest
    assert "The answer was stopped." in err
    assert "Traceback" not in err
    service.assert_free(service.thread())


def test_ctrl_c_stops_an_answer_that_has_not_begun(service: Service, program: Program) -> None:
    _reply(service.stage, reply="far too late", seconds=600)
    service.stage.look_away()
    process = program.start("ask", "plain", "Hello", stderr=subprocess.PIPE)
    _until(service.asked)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out == ""
    assert "The answer was stopped." in err
    assert "Traceback" not in err
    service.assert_free(service.thread())


def test_a_reader_that_leaves_ends_the_answer_without_a_word(service: Service, program: Program) -> None:
    _reply(service.stage, reply=" ".join(f"word{n}" for n in range(400)), seconds=20)
    service.stage.look_away()
    process = program.start("ask", "plain", "Hello", stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.read(5) == "word0"
    process.stdout.close()
    assert process.wait(60) == 1
    assert process.stderr.read() == ""
    process.stderr.close()
    service.assert_free(service.thread())


def test_a_lost_answer_leaves_nothing_behind(service: Service, program: Program) -> None:
    """It was begun, and nobody heard of it: what there is, is looked up and ended rather than asked for twice."""
    rule = {"tool_calls": [{"name": "get_weather"}]} if service.name == "agents" else {"reply": "late", "seconds": 60}
    _reply(service.stage, **rule)
    service.stage.admin("POST", "/faults", {"method": "POST", "path": f"{service.asking}$", "cut": "after"})
    service.stage.look_away()
    assert "Error: " in program.run("ask", "caller", "Hello", code=1).stderr
    service.assert_free(service.thread())
    assert len(service.said(service.thread())) == 1


def test_a_stream_that_breaks_off_is_read_to_its_end(service: Service, program: Program) -> None:
    words = " ".join(f"word{n}" for n in range(40))
    _reply(service.stage, reply=words, seconds=0.2)
    service.stage.admin("POST", "/faults", {"method": "POST", "path": f"{service.asking}$", "truncate": True})
    service.stage.look_away()
    assert program.run("ask", "plain", "Hello").stdout == f"{words}\n"
    assert len([e for e in service.stage.requests() if e["path"].endswith(service.asking)]) == 1


def test_a_throttled_request_is_sent_again(service: Service, program: Program) -> None:
    fault = {"method": "POST", "path": f"{service.asking}$", "status": 429, "headers": {"retry-after": "0"}}
    service.stage.admin("POST", "/faults", fault)
    assert program.run("ask", "plain", "Hello").stdout.endswith("was asked: Hello\n")


def test_a_token_that_expired_is_renewed(stage: Stage, talk: Program) -> None:
    stage.admin("POST", "/faults", {"method": "POST", "path": "/responses$", "token": "expired"})
    assert talk.run("ask", "plain", "Hello").stdout.endswith("was asked: Hello\n")


def test_a_conversation_that_is_in_use_is_waited_for(stage: Stage, talk: Program) -> None:
    body = {"error": {"code": "conversation_locked", "message": "Another process is operating on it."}}
    stage.admin("POST", "/faults", {"method": "POST", "path": "/responses$", "status": 400, "body": body})
    assert talk.run("ask", "plain", "Hello").stdout.endswith("was asked: Hello\n")


def test_what_another_program_was_asked_for_is_left_to_it(stage: Stage, talk: Program) -> None:
    """A function call of somebody else bars the conversation; it is theirs to answer."""
    conversation = _thread(talk.run("ask", "plain", "One").stderr)
    call = {"type": "function_call", "call_id": "call_1", "name": "theirs", "arguments": "{}"}
    stage.http.post(
        f"{stage.environ['FOUNDRY_PROJECT_ENDPOINT']}/openai/v1/conversations/{conversation}/items",
        json={"items": [call]},
        headers={"authorization": f"Bearer {stage.token(PROJECT_AUDIENCE)}"},
    ).raise_for_status()
    stage.look_away()
    refused = talk.run("ask", "plain", "Two", "--thread", conversation, code=1)
    assert "waits for what another program was asked for" in " ".join(refused.stderr.split())
    assert "leave --thread out" in refused.stderr
    assert [e["path"].rpartition("/")[2] for e in stage.writes()] == ["responses"]


def test_control_characters_do_not_reach_the_terminal(stage: Stage, talk: Program) -> None:
    _reply(stage, reply="a\x1b[31mred\x07\n\tb\u202ec")
    assert talk.run("ask", "plain", "Hello").stdout == "a\\x1b[31mred\\x07\n\tb\\u202ec\n"


def test_what_is_not_there_is_said(stage: Stage, program: Program) -> None:
    stage.write(Service("agents", stage).spec, FILES)
    assert "did you mean plain?" in program.run("ask", "plane", "Hello", code=64).stderr
    assert "assistant.plain does not exist yet" in program.run("ask", "plain", "Hello", code=1).stderr


def test_entra_id_signs_in_where_there_is_no_key(threads: Program) -> None:
    assert threads.run("ask", "plain", "Hello", AZURE_OPENAI_API_KEY="").stdout.endswith("was asked: Hello\n")
    refused = threads.run("ask", "plain", "Hello", AZURE_OPENAI_API_KEY="", IDENTITY_HEADER="wrong", code=1)
    assert "signing in" in refused.stderr


def test_local_needs_no_server_and_keeps_threads(stage: Stage, program: Program) -> None:
    stage.write(Service("agents", stage).spec, FILES)
    program.run("--local", "apply", "-y")
    thread = _thread(program.run("--local", "ask", "plain", "One").stderr)
    assert _thread(program.run("--local", "ask", "plain", "Two", "--thread", thread).stderr) == thread
    assert stage.writes() == []


def test_lines_of_a_pipe_are_messages(service: Service, program: Program) -> None:
    out, err = _piped(program, "One\n\n/thread\nTwo\n/exit\nThree\n", "chat", "plain")
    assert out == "[asstops emulator] plain was asked: One\n[asstops emulator] plain was asked: Two\n"
    assert err == f"thread: {_thread(err)}\n" * 2
    out, again = _piped(program, "Four\n", "chat", "plain", "--thread", _thread(err))
    assert _thread(again) == _thread(err)
    assert len(service.said(_thread(err))) == 6


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
        end = time.monotonic() + 60
        while wanted not in self.text[self._seen :]:
            assert time.monotonic() < end, f"no {wanted!r} in {self.text!r}"
            if select.select([self._ours], [], [], 0.1)[0]:
                self.text += os.read(self._ours, 65536).decode("utf-8", "replace")
        self._seen = self.text.index(wanted, self._seen) + len(wanted)

    def types(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def leaves(self) -> int:
        code = self.process.wait(60)
        os.close(self._ours)
        return code


def _own_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_a_person_chats_stops_an_answer_and_leaves(service: Service, program: Program) -> None:
    _reply(service.stage, match={"text": "^Slow"}, reply="far too late", seconds=600)
    person = Person(program, "chat", "caller")
    person.sees("> ")
    person.types("Hello\n")
    person.sees("was asked: Hello")
    person.sees("> ")
    person.types("/thread\n")
    person.sees(f"thread: {service.prefixes[0]}")
    service.stage.look_away()
    person.types("Slow one\n")
    _until(service.asked)
    person.types("\x03")
    person.sees("The answer was stopped.")
    person.sees("> ")
    person.types("get_weather\n")
    person.sees("as JSON")
    person.types("sunny\n")
    person.sees("no JSON")
    person.types('"sunny"\n')
    person.sees('returned: "sunny"')
    person.sees("> ")
    person.types("\x04")
    person.sees(f"thread: {service.prefixes[0]}")
    assert person.leaves() == 0


def test_a_secret_that_an_answer_repeats_is_masked(service: Service, inside: Inside) -> None:
    """Answers come in pieces, which break it; what was held back comes at the end."""
    secret = "pear trees\nand 2 apples\twith a worm"
    spec = {**service.spec, "vars": {"pin": {"sensitive": True}}}
    service.stage.write(spec, FILES)
    told = inside.run("ask", "plain", f"Say {secret} and pear tree", "--var", f"pin={secret}").stdout
    assert re.search(r"was asked: Say \(secret #\d+\) and pear tree\n$", told)
