"""`tests:` of a spec, as `asstops test` and `apply --test` run them, with both services."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from asstops import schemas, smoke
from asstops.providers.deadline import Deadline
from tests.support.inside import Inside
from tests.support.program import Program
from tests.support.running import Running, until
from tests.support.stage import Stage

Json = dict[str, Any]
SERVICES = ["agents", "assistants"]
FILES = {"hours.json": '{"opening hours": {"monday": "nine to five"}}'}
SPEC: Json = {
    "stack": "smoke",
    "origin": "here",
    "files": {"hours": {"path": "hours.json"}},
    "vector_stores": {"docs": {"files": ["hours"]}},
    "tools": {"weather": {"name": "get_weather", "description": "Weather."}},
    "assistants": {
        "desk": {"model": "gpt-4o", "tools": [{"file_search": {"vector_store": "docs"}}, "code_interpreter"]},
        "caller": {"model": "gpt-4o", "tools": [{"function": "weather"}]},
    },
}
CALL = {"assistant": "caller", "ask": "get_weather, please"}
TESTS: Json = {
    "says": {"assistant": "desk", "ask": "Hello?", "expect": {"contains": "Hello", "matches": "(?i)EMULATOR"}},
    "cites": {
        "assistant": "desk",
        "ask": "What are the opening hours on monday?",
        "expect": {"cites": "hours", "calls": "file_search"},
    },
    "counts": {"assistant": "desk", "ask": "What is 3 * 7?", "expect": {"calls": "code_interpreter", "contains": 21}},
    "answers": {**CALL, "answers": {"weather": {"sky": "clear"}}, "expect": {"contains": "clear", "calls": "weather"}},
    "calls": {**CALL, "expect": {"calls": "weather"}},
}


@pytest.fixture
def asstops(stage: Stage) -> Inside:
    return Inside(stage.folder, stage.environ)


@pytest.fixture(autouse=True)
def _no_replies_stay(stage: Stage) -> Iterator[None]:
    yield
    stage.admin("DELETE", "/replies")


def spec(tests: Json, service: str = "agents", **desk: Any) -> Json:
    assistants = {**SPEC["assistants"], "desk": {**SPEC["assistants"]["desk"], **desk}}
    return {**SPEC, "service": service, "assistants": assistants, "tests": tests}


def says(text: str, assistant: str = "desk", **more: Any) -> Json:
    return {"assistant": assistant, "ask": "Hello?", "expect": {"contains": text}, **more}


def conversations(stage: Stage) -> int:
    """In how many conversations, or threads, something was asked since the stage looked away."""
    asked = (entry for entry in stage.requests() if entry["path"].endswith(("/responses", "/runs")))
    return len({(entry["body"] or {}).get("conversation") or entry["path"] for entry in asked})


def left(stage: Stage) -> list[Any]:
    """What of them is still there, but for responses."""
    dump = stage.dump()
    return [*dump["conversations"], *dump["threads"]]


def results(asstops: Program, *arguments: str, code: int = 0) -> Json:
    document: Json = asstops.json("test", *arguments, "--format", "json", code=code)
    jsonschema.validate(document, schemas.load("tests"))
    return document


def outcomes(document: Json) -> dict[str, str]:
    return {test["name"]: test["outcome"] for test in document["tests"]}


@pytest.mark.parametrize("service", SERVICES)
def test_every_expectation_is_met(stage: Stage, asstops: Inside, service: str) -> None:
    """In conversations that are gone afterwards; nothing of the stack is touched."""
    stage.apply(spec(TESTS, service), FILES)
    stage.look_away()
    found = results(asstops)
    assert outcomes(found) == dict.fromkeys(TESTS, "passed")
    assert [test["called"] for test in found["tests"]] == [[], [], [], ["get_weather"], ["get_weather"]]
    assert (conversations(stage), left(stage)) == (5, [])
    responses = [entry["method"] for entry in stage.requests() if "/responses" in entry["path"]]
    assert responses.count("POST") == responses.count("DELETE") == (6 if service == "agents" else 0)
    assert stage.plan().is_empty


@pytest.mark.parametrize("service", SERVICES)
def test_what_does_not_hold_fails(stage: Stage, asstops: Inside, service: str) -> None:
    tests = {
        "wrong": says("Goodbye"),
        "uncited": {"assistant": "desk", "ask": "Hello?", "expect": {"cites": "hours", "calls": "code_interpreter"}},
        "uncalled": {"assistant": "caller", "ask": "Hello?", "expect": {"calls": "weather"}},
        "unanswered": {**CALL, "expect": {"contains": "clear"}},
        "right": says("Hello"),
    }
    stage.apply(spec(tests, service), FILES)
    stage.look_away()
    done = asstops.run("test", "--junit", "reports/smoke.xml", code=7)
    assert done.stderr == ""
    lines = [line for line in done.stdout.splitlines() if line[:4].strip()]
    assert [" ".join(line.split()[:2]) for line in lines[1:-1]] == [
        "FAIL wrong",
        "FAIL uncited",
        "FAIL uncalled",
        "FAIL unanswered",
        "pass right",
    ]
    assert done.stdout.endswith("\n5 smoke tests: 1 passed, 4 failed.\n")
    told = " ".join(done.stdout.split())
    assert 'expected text with "Goodbye" came [asstops emulator] desk was asked: Hello?' in told
    assert "expected use of code_interpreter came used were file_search expected a citation of file.hours" in told
    assert "expected a call of the function weather (get_weather) came no function was called" in told
    assert "failed the assistant wants the function get_weather called" in told
    assert "fix say under answers: of tests.unanswered what it returns" in told
    assert (conversations(stage), left(stage)) == (5, [])
    (suite,) = ElementTree.parse(stage.folder / "reports" / "smoke.xml").getroot()
    assert (suite.attrib["name"], suite.attrib["tests"], suite.attrib["failures"]) == ("smoke", "5", "4")


@pytest.mark.parametrize("service", SERVICES)
def test_a_test_that_takes_too_long_is_ended_alone(
    stage: Stage, asstops: Inside, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while it says something all the time; and the service does not go on with it."""

    class Short(Deadline):
        """One of 77 seconds is over once something was asked."""

        def __init__(self, seconds: float) -> None:
            super().__init__(seconds)
            self._short = seconds == 77

        @contextmanager
        def running(self) -> Iterator[None]:
            if self._short:
                threading.Thread(target=lambda: self.end() if until(lambda: conversations(stage)) else None).start()
            yield

    monkeypatch.setattr(smoke, "Deadline", Short)
    stage.admin("POST", "/replies", {"match": {"text": "^Drip"}, "reply": "word " * 600, "seconds": 600})
    slow = says("word", ask="Drip", within=77)
    stage.apply(spec({"slow": slow, "right": says("Hello")}, service), FILES)
    stage.look_away()
    found = results(asstops, "--parallelism", "1", code=7)
    assert outcomes(found) == {"slow": "failed", "right": "passed"}
    assert found["tests"][0]["message"] == "there was no whole answer within 77 s"
    assert (conversations(stage), left(stage)) == (2, [])


@pytest.mark.parametrize("service", SERVICES)
def test_a_conversation_whose_id_never_came_is_told_of(stage: Stage, asstops: Inside, service: str) -> None:
    """It is there, and nobody can delete it for want of its id."""
    stage.apply(spec({"says": says("Hello")}, service), FILES)
    stage.admin("POST", "/faults", {"method": "POST", "path": "/(threads|conversations)$", "cut": "after"})
    found = results(asstops, code=7)
    assert [test["left"] for test in found["tests"]] == ["?"]
    assert len(left(stage)) == 1
    stage.admin("POST", "/faults", {"method": "POST", "path": "/(threads|conversations)$", "status": 400})
    assert [test["left"] for test in results(asstops, code=7)["tests"]] == [None]


def test_names_choose(stage: Stage, asstops: Inside) -> None:
    stage.apply(spec({"a": says("Hello"), "b": says("Bye"), "c": says("Hello")}), FILES)
    assert outcomes(results(asstops, "c", "a")) == {"a": "passed", "c": "passed"}
    assert "did you mean c?" in asstops.run("test", "cc", code=64).stderr


def test_nothing_to_run_is_said(stage: Stage, asstops: Inside) -> None:
    stage.write(spec({}), FILES)
    done = asstops.run("test", "--junit", "x.xml")
    assert (done.stdout, "no smoke tests" in done.stderr) == ("", True)
    assert ElementTree.parse(stage.folder / "x.xml").getroot().attrib["tests"] == "0"
    assert results(asstops)["tests"] == []


def test_what_is_not_live_fails_with_the_fix(stage: Stage, asstops: Inside) -> None:
    stage.write(spec({"a": says("Hello")}), FILES)
    stage.look_away()
    (test,) = results(asstops, code=7)["tests"]
    assert (test["message"], test["fix"]) == ("assistant.desk does not exist yet", "run asstops apply")
    assert stage.writes() == []


def test_what_is_no_outcome_of_a_test_is_an_error(stage: Stage, asstops: Inside) -> None:
    stage.apply(spec({"a": says("Hello"), "b": says("Hello")}), FILES)
    stage.admin("POST", "/faults", {"method": "POST", "path": "/conversations$", "status": 403})
    done = asstops.run("test", code=1)
    stage.admin("DELETE", "/faults")
    assert "Error: " in done.stderr
    assert "smoke test" not in done.stdout
    assert "signing in" in asstops.run("test", code=1, IDENTITY_HEADER="wrong").stderr


def test_a_report_that_cannot_be_written_is_an_error(stage: Stage, asstops: Inside) -> None:
    stage.write(spec({}), {**FILES, "here": "a file"})
    assert "cannot be written" in asstops.run("test", "--junit", "here/x.xml", code=1).stderr


def test_a_signal_ends_the_tests_and_leaves_nothing(
    stage: Stage, program: Program, watched: Callable[..., Running]
) -> None:
    stage.admin("POST", "/replies", {"match": {"text": "^Drip"}, "reply": "word " * 600, "seconds": 600})
    stage.apply(spec({"slow": says("word", ask="Drip"), "next": says("Hello")}), FILES)
    stage.look_away()
    command = program.command("test", "--parallelism", "1", "--format", "json")
    running = watched(command, cwd=stage.folder, environ=program.environment())
    until(lambda: conversations(stage) or running.must_run(), lambda: running.text)
    running.process.send_signal(signal.SIGINT)
    assert running.end() == 130, running.text
    assert "Stopping: " in running.text
    assert "Traceback" not in running.text
    assert running.text.count('"outcome": "not_run"') == 2
    assert (conversations(stage), left(stage)) == (1, [])


def test_a_signal_ends_requests_that_are_not_answered(
    stage: Stage, program: Program, watched: Callable[..., Running]
) -> None:
    """Their conversations are deleted all the same, and of tests that never began nothing is said to be left."""
    stage.apply(spec({name: says("Hello") for name in "abc"}), FILES)
    stage.admin("POST", "/faults", {"method": "POST", "path": "/responses$", "delay_s": 600, "count": 0})
    stage.look_away()
    command = program.command("test", "--parallelism", "2", "--format", "json")
    running = watched(command, cwd=stage.folder, environ=program.environment())
    until(lambda: len(stage.dump()["conversations"]) == 2 or running.must_run(), lambda: running.text)
    running.process.send_signal(signal.SIGINT)
    assert running.end() == 130, running.text
    assert running.text.count('"outcome": "not_run"') == 3
    assert running.text.count('"left": null') == 3
    assert left(stage) == []
    stage.admin("DELETE", "/faults")


# After an apply


def applied(asstops: Inside, *arguments: str, code: int = 0) -> tuple[Json, str]:
    """An apply with its tests, as JSON, and what it says beside."""
    done = asstops.run("apply", "-y", "--test", "--format", "json", *arguments, code=code)
    document = json.loads(done.stdout)
    jsonschema.validate(document, schemas.load("report"))
    return document, " ".join(done.stderr.split())


def instructions(stage: Stage) -> dict[str, str]:
    """What each agent is told now."""
    agents = stage.dump()["agents"]
    return {agent["name"]: agent["versions"][-1]["definition"].get("instructions", "") for agent in agents}


def test_an_apply_is_followed_by_its_tests(stage: Stage, asstops: Inside) -> None:
    stage.write(spec({"a": says("Hello")}), FILES)
    done = asstops.run("apply", "-y", "--test")
    assert done.stdout.index("Applied: ") < done.stdout.index("pass  a  assistant.desk")
    report, _ = applied(asstops)  # with nothing to apply they are run all the same
    assert (outcomes(report), report["steps"], report["rollbacks"]) == ({"a": "passed"}, [], [])
    assert asstops.json("apply", "-y", "--format", "json")["tests"] is None


def test_a_failure_after_an_apply_says_how_to_go_back(stage: Stage, asstops: Inside) -> None:
    stage.apply(spec({}, instructions="One"), FILES)
    stage.write(spec({"a": says("Bye")}, instructions="Two"), FILES)
    report, told = applied(asstops, "--env", "", "-f", "asstops.yaml", code=7)
    assert (report["outcome"], outcomes(report)) == ("done", {"a": "failed"})
    command = "asstops -f asstops.yaml rollback assistant.desk --to 1"
    assert f"as they were before: {command}" in told
    assert instructions(stage)["desk"] == "Two"
    asstops.run(*command.split()[1:], "-y")
    assert instructions(stage)["desk"] == "One"


def test_without_versions_the_way_back_is_the_spec(stage: Stage, asstops: Inside) -> None:
    stage.write(spec({"a": says("Bye")}, "assistants"), FILES)
    _, told = applied(asstops, code=7)
    assert "revert the change of the spec" in told
    assert "rollback" not in told


def test_failed_agents_go_back_by_themselves(stage: Stage, asstops: Inside) -> None:
    """Those alone that this apply gave a new version; the next plan shows that the spec is ahead."""
    tests = {"a": says("Bye"), "b": says("Bye", "caller"), "c": says("Bye", "new"), "d": says("Hello", "other")}
    before = spec({}, instructions="One")
    before["assistants"]["other"] = {"model": "gpt-4o", "instructions": "One"}
    stage.apply(before, FILES)
    now = spec(tests, instructions="Two")
    now["assistants"]["other"] = {"model": "gpt-4o", "instructions": "Two"}
    now["assistants"]["new"] = {"model": "gpt-4o"}
    stage.write(now, FILES)
    report, told = applied(asstops, "--rollback-on-failure", code=7)
    assert outcomes(report) == {"a": "failed", "b": "failed", "c": "failed", "d": "passed"}
    assert [(gone["address"], gone["outcome"], gone["version"]) for gone in report["rollbacks"]] == [
        ("assistant.caller", "kept", None),
        ("assistant.desk", "rolled_back", "1"),
        ("assistant.new", "kept", None),
    ]
    assert "Rolled back: assistant.desk says what version 1 said." in told
    assert "assistant.caller: this apply did not change it" in told
    assert "assistant.new: it is new" in told
    assert instructions(stage) == {"caller": "", "desk": "One", "new": "", "other": "Two"}
    (change,) = stage.plan().changes
    assert (str(change.address), [diff.path for diff in change.diffs]) == ("assistant.desk", ["instructions"])


def test_a_way_back_that_the_apply_cuts_off_is_none(stage: Stage, asstops: Inside) -> None:
    """With one version kept, the one before goes with the apply: refused beforehand, and not told of afterwards."""
    stage.apply(spec({}, instructions="One", keep_versions=1), FILES)
    stage.write(spec({"a": says("Bye")}, instructions="Two", keep_versions=1), FILES)
    stage.look_away()
    refused = asstops.run("apply", "-y", "--test", "--rollback-on-failure", code=64)
    assert "raise its keep_versions" in refused.stderr
    assert stage.writes() == []
    assert " rollback " not in applied(asstops, code=7)[1]


def test_what_cannot_go_back_is_said(stage: Stage, asstops: Inside) -> None:
    """Here the service takes the apply's version and not the one that goes back."""
    stage.apply(spec({}, instructions="One"), FILES)
    stage.write(spec({"a": says("Bye")}, instructions="Two"), FILES)
    body = {"error": {"code": "no", "message": "Not today."}}
    stage.admin("POST", "/faults", {"method": "POST", "path": "/versions$", "nth": 2, "status": 400, "body": body})
    report, told = applied(asstops, "--rollback-on-failure", code=7)
    (gone,) = report["rollbacks"]
    assert (gone["outcome"], gone["version"]) == ("failed", "1")
    assert "Not today." in gone["message"]
    assert "assistant.desk could not go back to version 1" in told


def test_an_apply_that_fails_is_not_tested(stage: Stage, asstops: Inside) -> None:
    stage.write(spec({"a": says("Hello")}), FILES)
    stage.admin("POST", "/faults", {"method": "POST", "path": "/agents", "status": 400})
    report, _ = applied(asstops, code=3)
    stage.admin("DELETE", "/faults")
    assert report["tests"] is None


def test_tests_that_cannot_run_leave_the_apply_done(stage: Stage, asstops: Inside) -> None:
    stage.write(spec({"a": says("Hello")}), FILES)
    stage.admin("POST", "/faults", {"method": "POST", "path": "/conversations$", "status": 403})
    report, told = applied(asstops, code=1)
    stage.admin("DELETE", "/faults")
    assert (report["outcome"], report["tests"]) == ("done", [])
    assert "Error: " in told


def test_options_that_make_no_sense_are_refused_before_anything_is_written(stage: Stage, asstops: Inside) -> None:
    stage.write(spec({}, "assistants"), FILES)
    stage.look_away()
    assert "goes with --test" in asstops.run("apply", "-y", "--rollback-on-failure", code=64).stderr
    refused = asstops.run("apply", "-y", "--test", "--rollback-on-failure", code=64)
    assert "keeps no earlier versions" in " ".join(refused.stderr.split())
    asstops.run("plan", "--destroy", "-o", "gone.plan")
    assert "deletes what would be tested" in asstops.run("apply", "gone.plan", "--test", code=64).stderr
    assert stage.writes() == []
