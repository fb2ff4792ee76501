"""What users type, what they see, and the exit codes that pipelines rely on."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from tests.conformance.cases import ARM, DATA, FILES, put
from tests.e2e.test_shipped_specs import PLAN, REPORT
from tests.support.inside import Inside
from tests.support.live import is_bare, live_form
from tests.support.program import Program
from tests.support.stage import Stage

CTRL_C = "\x03"
KEYLESS: dict[str, Any] = {"stack": "small", "service": "assistants", "assistants": {"one": {"model": "gpt-4o"}}}


def test_without_approval_and_without_a_terminal_nothing_is_done(stage: Stage, program: Program) -> None:
    stage.write(KEYLESS)
    refused = program.run("apply", code=64)
    assert "--auto-approve" in refused.stderr
    assert stage.writes() == []
    assert is_bare(stage.dump())


def _at_terminal(program: Program, answer: str, *arguments: str) -> tuple[int, str]:
    """Run on a terminal and give one answer."""
    ours, theirs = pty.openpty()
    process = program.start(
        *arguments,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C reaches it as a signal
    )
    os.close(theirs)
    text, answered, again, deadline = "", False, 0.0, time.monotonic() + 90
    while time.monotonic() < deadline:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                text += os.read(ours, 65536).decode("utf-8", "replace")
            except OSError:
                break
        if not answered and "Only 'yes' goes on" in text:
            os.write(ours, answer.encode())
            answered, again = True, time.monotonic() + 10
        if answered and answer == CTRL_C and time.monotonic() > again and "Interrupted" not in text:
            # Python sees a signal that comes just before it begins to read only once the read ends, so press it again.
            # Not soon: one that comes while the program ends would kill it.
            os.write(ours, answer.encode())
            again = time.monotonic() + 10
    code = process.wait(60)  # before the terminal is closed, which would end the program by a hang-up
    os.close(ours)
    assert answered, text
    return code, text


@pytest.mark.parametrize(("answer", "expected"), [("no\n", 1), ("\n", 1), ("y\n", 1), (CTRL_C, 130)])
def test_at_a_terminal_only_yes_goes_on(stage: Stage, program: Program, answer: str, expected: int) -> None:
    stage.write(KEYLESS)
    code, text = _at_terminal(program, answer, "apply")
    assert code == expected, text
    told = "Interrupted. Nothing of this was done." if answer == CTRL_C else "Cancelled: nothing was changed."
    assert told in text
    assert is_bare(stage.dump())


def test_at_a_terminal_yes_goes_on(stage: Stage, program: Program) -> None:
    stage.write(KEYLESS)
    code, text = _at_terminal(program, "yes\n", "apply")
    assert code == 0, text
    assert len(stage.dump()["assistants"]) == 1
    code, text = _at_terminal(program, "yes\n", "destroy")
    assert code == 0, text
    assert is_bare(stage.dump())


def test_a_target_takes_what_it_needs_and_no_more(stage: Stage, program: Program) -> None:
    stage.write(DATA, FILES)
    plan = program.json("plan", "--target", "vector_store.docs", "--format", "json")
    PLAN.validate(plan)
    assert [change["address"] for change in plan["changes"]] == ["file.a", "vector_store.docs"]
    assert plan["complete"] is False
    program.run("apply", "-y", "--target", "vector_store.docs")
    assert [store["name"] for store in stage.dump()["vector_stores"] if not store["name"].startswith("asstops:")] == [
        "docs"
    ]
    assert stage.dump()["assistants"] == []
    program.run("apply", "-y")
    program.run("plan", "--detailed-exitcode")

    gone = program.json("plan", "--destroy", "--target", "vector_store.docs", "--format", "json")
    assert [change["address"] for change in gone["changes"]] == ["assistant.helper", "vector_store.docs"]
    program.run("destroy", "-y", "--target", "vector_store.docs")
    program.run("plan", "--detailed-exitcode", code=2)
    program.run("apply", "-y")
    program.run("plan", "--detailed-exitcode")
    assert "vector_store.none" in program.run("plan", "--target", "vector_store.none", code=64).stderr


def test_partly_applied_is_3_and_the_next_apply_finishes(stage: Stage, program: Program) -> None:
    """What failed and what was not attempted is named; what could be done was done."""
    stage.write(put(DATA, ("vector_stores",), {"docs": {"files": ["a"]}}), FILES)
    stage.admin("POST", "/faults", {"method": "POST", "path": "vector_stores/.*/file_batches", "status": 400,
                                    "body": {"error": {"code": "bad", "message": "No."}}, "count": 1})  # fmt: skip
    report = program.json("apply", "-y", "--format", "json", code=3)
    REPORT.validate(report)
    assert report["outcome"] == "partly"
    states = {step["address"]: step["state"] for step in report["steps"]}
    assert states == {"file.a": "done", "vector_store.docs": "failed", "assistant.helper": "skipped"}
    program.run("apply", "-y")
    program.run("plan", "--detailed-exitcode")
    fresh = live_form(stage.dump())
    stage.reset()
    program.run("apply", "-y")
    assert live_form(stage.dump()) == fresh


def test_nothing_written_is_1(stage: Stage, program: Program) -> None:
    stage.write(KEYLESS)
    stage.admin("POST", "/faults", {"method": "POST", "path": "/assistants", "status": 400,
                                    "body": {"error": {"code": "bad", "message": "No."}}})  # fmt: skip
    assert "assistant.one" in program.run("apply", "-y", code=1).stdout
    assert is_bare(stage.dump())


def test_unsafe_is_6_and_says_why(stage: Stage, program: Program) -> None:
    stage.write(put(DATA, ("assistants", "helper", "protect"), True), FILES)
    program.run("apply", "-y")
    assert "assistant.helper is protected" in program.run("destroy", "-y", code=6).stderr
    assert len(stage.dump()["assistants"]) == 1


@pytest.mark.parametrize(
    "arguments", [("aply",), ("plan", "--no-such-option"), ("plan", "--target", "nonsense"), ("plan", "-f")]
)
def test_wrong_use_is_64(program: Program, arguments: tuple[str, ...]) -> None:
    program.run(*arguments, code=64)


def test_a_wrong_spec_is_1_with_every_problem_placed(stage: Stage, program: Program) -> None:
    stage.write("stack: s\nservice: assistants\nassistants:\n  a:\n    modle: x\n    temperature: 9\n")
    text = program.run("plan", code=1).stderr
    for part in ("asstops.yaml:5:5", "asstops.yaml:6:18", "model"):
        assert part in text
    problems = program.json("validate", "--format", "json", code=1)
    assert problems["valid"] is False
    assert {(p["line"], bool(p["message"])) for p in problems["problems"]} >= {(5, True), (6, True)}
    stage.write(KEYLESS)
    assert program.json("validate", "--format", "json")["valid"] is True
    assert "The spec is valid" in program.run("validate").stdout


def test_interrupted_is_130_and_the_next_apply_finishes(staged: Callable[..., Stage]) -> None:
    """The first Ctrl-C lets what is under way finish, begins nothing new, and reports; nothing is lost or doubled."""
    stage = staged(latency_s=0.3)
    program = Program(stage.folder, stage.environ)
    spec = {**KEYLESS, "assistants": {f"a{n}": {"model": "gpt-4o"} for n in range(12)}}
    stage.write(spec)
    process = program.start("apply", "-y", "--parallelism", "2")
    deadline = time.monotonic() + 30
    while not stage.dump()["assistants"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    text, _ = process.communicate(timeout=30)
    assert process.returncode == 130, text
    assert 1 <= len(stage.dump()["assistants"]) < 12, text
    program.run("apply", "-y")
    program.run("plan", "--detailed-exitcode")
    assert len(stage.dump()["assistants"]) == 12


def test_output_is_for_other_programs(stage: Stage, program: Program) -> None:
    stage.write(ARM, FILES)
    program.run("output", code=1)
    program.run("apply", "-y")
    dump = stage.dump()
    helper = dump["assistants"][0]["id"]
    data = program.json("output", "--format", "json")
    assert data["assistants"] == {"helper": helper}
    assert data["deployments"] == {"gpt": "gpt"}
    assert data["endpoint"].rstrip("/").endswith("/conf-account")
    shell = dict(line.split("=", 1) for line in program.run("output", "--format", "env").stdout.splitlines())
    assert shell == {
        "AZURE_OPENAI_ENDPOINT": data["endpoint"],
        "OPENAI_API_VERSION": "2025-03-01-preview",
        "AZURE_OPENAI_DEPLOYMENT_NAME": "gpt",
        "ASSISTANT_ID": helper,
    }
    assert helper in program.run("output").stdout


def test_the_schema_is_one(program: Program) -> None:
    schema = program.json("schema")
    jsonschema.Draft202012Validator.check_schema(schema)
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(DATA)) == []
    assert list(jsonschema.Draft202012Validator(schema).iter_errors({**DATA, "nonsense": 1})) != []


def test_the_emulator_serves_and_says_where(stage: Stage, program: Program) -> None:
    """`emulator --port 0` says its port; `emulator env` prints what a shell evaluates to reach it."""
    stage.write(KEYLESS)
    process = program.start("emulator", "--port", "0")
    try:
        assert process.stdout is not None
        found = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert found is not None
        lines = program.run("emulator", "env", "--port", found[1]).stdout.splitlines()
        names = ("AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY")
        names += ("FOUNDRY_PROJECT_ENDPOINT", "IDENTITY_ENDPOINT", "IDENTITY_HEADER")
        show = " ".join(f"${name}" for name in names)
        exported = subprocess.run(
            ["/bin/sh", "-c", "\n".join([*lines, f'printf %s "{show}"'])], capture_output=True, text=True, check=True
        ).stdout.split()
        there = Program(stage.folder, dict(zip(names[:2], exported[:2], strict=True)))
        there.run("apply", "-y")
        there.run("plan", "--detailed-exitcode")
        stage.write({**KEYLESS, "service": "agents"})
        project = Inside(stage.folder, dict(zip(names[2:], exported[2:], strict=True)))
        project.run("apply", "-y")
        project.run("plan", "--detailed-exitcode")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_folders_environments_and_variables(stage: Stage, program: Program) -> None:
    """`-f` takes files and folders, which merge; `--env` lays an overlay over; `--var` beats the environment."""
    folder = stage.folder / "specs"
    folder.mkdir()
    (folder / "base.yaml").write_text("stack: many\nservice: assistants\nvars: {who: nobody}\n", encoding="utf-8")
    (folder / "more.yaml").write_text(
        "assistants:\n  one: {model: gpt-4o, description: 'for ${who}'}\n  two: {model: gpt-4o}\n", encoding="utf-8"
    )
    (folder / "more.prod.yaml").write_text("assistants:\n  one: {model: gpt-4o-mini}\n  two: null\n", encoding="utf-8")

    def described(*arguments: str, **environ: str) -> dict[str, tuple[str, str | None]]:
        import json

        plan = json.loads(program.run("plan", "-f", "specs", "--format", "json", *arguments, **environ).stdout)
        return {c["address"]: (c["after"]["model"], c["after"].get("description")) for c in plan["changes"]}

    assert described() == {"assistant.one": ("gpt-4o", "for nobody"), "assistant.two": ("gpt-4o", None)}
    assert described(ASSTOPS_VAR_who="env")["assistant.one"] == ("gpt-4o", "for env")
    assert described("--var", "who=me", ASSTOPS_VAR_who="env")["assistant.one"] == ("gpt-4o", "for me")
    assert described("--env", "prod") == {"assistant.one": ("gpt-4o-mini", "for nobody")}
    program.run("apply", "-y", "-f", "specs")
    program.run("apply", "-y", "-f", "specs", "--env", "prod")
    program.run("apply", "-y", "-f", "specs/base.yaml", "-f", "specs/more.yaml")
    assert sorted(item["model"] for item in stage.dump()["assistants"]) == ["gpt-4o", "gpt-4o", "gpt-4o-mini"]
    program.run("destroy", "-y", "-f", "specs")
    assert [item["model"] for item in stage.dump()["assistants"]] == ["gpt-4o-mini"]


def test_no_secret_is_ever_shown(stage: Stage, program: Program) -> None:
    """Neither the key of the environment nor a sensitive variable, in whatever command and however it ends."""
    key, secret = stage.environ["AZURE_OPENAI_API_KEY"], 'pear-trees-7/in "bloom"'
    spec = {
        **KEYLESS,
        "vars": {"pin": {"sensitive": True}},
        "assistants": {"one": {"model": "gpt-4o", "metadata": {"pin": "${pin}", "more": "is ${pin}!"}}},
    }
    stage.write(spec)
    given = ("--var", f"pin={secret}")
    for arguments in (
        ("validate",), ("validate", "--format", "json"), ("plan",), ("plan", "--format", "json"), ("apply", "-y", "-v"),
        ("plan", "-v", "--debug"), ("output",), ("output", "--format", "json"), ("output", "--format", "env"),
    ):  # fmt: skip
        program.run(*arguments, *given)
    program.run("plan", "--var", f"pin={secret}x", "--format", "json")
    program.run("plan", "--var", f"pin={secret}x")
    stage.write(put(spec, ("assistants", "one", "description"), "${pin}"))
    program.run("plan", *given, code=1)
    stage.write(put(spec, ("assistants", "one", "description"), "Another."))
    stage.admin("POST", "/faults", {"method": "POST", "status": 400, "count": 0,
                                    "body": {"error": {"code": "x", "message": f"echo {key} {secret}"}}})  # fmt: skip
    assert "echo (secret #" in program.run("apply", "-y", "-v", "--debug", *given, code=1).stdout
    stage.admin("DELETE", "/faults")
    program.run("plan", code=1, AZURE_OPENAI_API_KEY=key[:-1] + "x", ASSTOPS_VAR_pin=secret)
    program.run("destroy", "-y", "--format", "json", *given)
    text = "\n".join(program.all_output)
    for hidden in (key, key[:-1] + "x", secret, "pear-trees-7"):
        assert hidden not in text


def test_debug_shows_what_is_sent_and_what_comes(stage: Stage) -> None:
    """-v has a line for each request; --debug adds the bodies, of the SDKs' own requests too, files left out."""
    stage.folder.joinpath("a.md").write_text("only in the file\n", encoding="utf-8")
    spec = put(ARM, ("vector_stores",), {"kb": {"files": [{"glob": "*.md"}]}})
    stage.write(put(spec, ("assistants", "helper", "tools"), [{"file_search": {"vector_store": "kb"}}]))
    asstops = Inside(stage.folder, stage.environ)
    told = asstops.run("apply", "-y", "--debug").stderr
    assert re.search(r'  > PUT \S+/accounts/\S+ {"location"', told)
    assert re.search(r'  < \S+ {"id": "/subscriptions/', told)
    assert re.search(r'  > POST \S+/vector_stores {"', told)
    assert re.search(r"  > POST \S+/files \(multipart/form-data\)", told)
    assert "only in the file" not in told
    lines = asstops.run("plan", "-v").stderr
    assert re.search(r"GET \S+/vector_stores 200 \d+ ms \S+", lines)
    assert "  < " not in lines
    assert "GET /" not in asstops.run("plan").stderr
