"""Inside GitHub Actions and Azure Pipelines: annotations, the summary of the step, its outputs, and nothing forged."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from asstops import schemas
from asstops.cli import ci
from tests.support.inside import Inside
from tests.support.stage import Stage

GITHUB = {"GITHUB_ACTIONS": "true"}
AZURE = {"TF_BUILD": "True"}
PIN = "canary/of-bloom-7"
FORGED = """::add-mask::x
  ::set-output name=has_changes::false
	##vso[task.setvariable variable=hasChanges]false ##[error]x
"""
SPEC: dict[str, Any] = {
    "stack": "small",
    "service": "assistants",
    "vars": {"pin": {"sensitive": True}},
    "assistants": {
        "one": {"model": "gpt-4o", "instructions": {"file": "one.md"}, "metadata": {"pin": "is ${pin}!"}},
        "two": {"model": "gpt-4o", "name": "::warning::Two"},
    },
}


@pytest.fixture
def cli(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Inside:
    """A step of a workflow, with a spec in the root of the checkout."""
    step = tmp_path_factory.mktemp("step")
    stage.write(SPEC, {"one.md": "Be kind.\n"})
    files = {"GITHUB_STEP_SUMMARY": str(step / "summary.md"), "GITHUB_OUTPUT": str(step / "output")}
    environ = {**stage.environ, **GITHUB, **files, "GITHUB_WORKSPACE": str(stage.folder), "ASSTOPS_VAR_pin": PIN}
    return Inside(stage.folder, environ)


def written(cli: Inside, name: str) -> str:
    """What the steps so far appended."""
    path = Path(cli.environ[name])
    return path.read_text(encoding="utf-8") if path.exists() else ""


def commands(text: str) -> list[str]:
    """What a runner would take for a command, by the rules of both vendors."""
    found = [line for line in text.replace("\r", "\n").split("\n") if line.lstrip().startswith("::")]
    return found + [line for line in text.split("\n") if "##[" in line or "##vso" in line.lower()]


def test_from_plan_to_drift(stage: Stage, cli: Inside) -> None:
    """Each command appends to the summary and tells later steps whether there is something to do."""
    cli.run("plan")
    assert written(cli, "GITHUB_OUTPUT") == "has_changes=true\nadd=2\nchange=0\ndestroy=0\n"
    plan = written(cli, "GITHUB_STEP_SUMMARY")
    assert plan.startswith("### `small` · Plan: 2 to add, 0 to change, 0 to destroy.\n")
    assert plan.rstrip("\n") == cli.run("plan", "--format", "markdown").stdout.rstrip("\n")
    cli.run("apply", "-y")
    assert "### `small` · Applied: 2 done, 0 failed, 0 not attempted.\n" in written(cli, "GITHUB_STEP_SUMMARY")
    cli.run("plan", "--format", "json")
    assert written(cli, "GITHUB_OUTPUT").endswith("has_changes=false\nadd=0\nchange=0\ndestroy=0\n")
    one = next(item for item in stage.dump()["assistants"] if item["instructions"])
    stage.data("POST", f"/assistants/{one['id']}", {"instructions": "Be rude.\n"})
    shown = cli.run("drift", "--format", "markdown").stdout
    assert "1 field of 1 object has drifted." in shown
    assert "\n- Be kind.\n+ Be rude.\n" in shown
    assert written(cli, "GITHUB_STEP_SUMMARY").endswith(shown + "\n")
    assert written(cli, "GITHUB_OUTPUT").endswith("has_changes=true\nadd=0\nchange=1\ndestroy=0\n")
    cli.run("destroy", "-y", "--target", "assistant.two")
    assert "> - delete `assistant.two`\n" in written(cli, "GITHUB_STEP_SUMMARY")
    everything = "".join([*cli.all_output, written(cli, "GITHUB_STEP_SUMMARY"), written(cli, "GITHUB_OUTPUT")])
    assert "(sensitive value)" in everything
    assert PIN not in everything


def test_nobody_can_forge_a_command(stage: Stage, cli: Inside) -> None:
    """Neither by a prompt in the spec nor by one in the portal; without a pipeline the text is as it was."""
    stage.write(SPEC, {"one.md": f"A\n{FORGED}"})
    forms = ("human", "markdown", "json")
    shown = [cli.run("plan", "--format", form).stdout for form in forms]
    cli.run("apply", "-y")
    for item in stage.dump()["assistants"]:
        stage.data("POST", f"/assistants/{item['id']}", {"instructions": FORGED * 2, "name": FORGED[:256]})
    shown += [cli.run("plan", "--format", form, **AZURE).stdout for form in forms]
    assert [commands(text) for text in shown] == [[]] * 6
    assert "##vs\\x6f[task.setvariable variable=hasChanges]false" in shown[1]
    plain = cli.run("plan", "--format", "markdown", GITHUB_ACTIONS="").stdout
    assert len(commands(plain)) >= 2
    assert json.loads(shown[5])["changes"][0]["before"]["instructions"] == FORGED * 2


def test_problems_are_annotated(stage: Stage, cli: Inside) -> None:
    """Beside the text on stderr, with the file from the checkout's root; stdout holds data alone."""
    (stage.folder / "envs").mkdir()
    stage.write({**SPEC, "assistents": {}}, name="envs/bad.yaml")
    ended = cli.run("--chdir", "envs", "validate", "-f", "bad.yaml", code=1)
    assert "Error: unknown key 'assistents'\n  at: bad.yaml:" in ended.stderr
    notes = [line for line in ended.stderr.split("\n") if line.startswith("::error ")]
    assert notes[0].startswith("::error file=envs/bad.yaml,line=")
    assert any(",title=asstops::unknown key 'assistents'%0Afix: did you mean assistants?" in note for note in notes)
    ended = cli.run("validate", "-f", "envs/bad.yaml", "--format", "json", code=1, GITHUB_ACTIONS="", **AZURE)
    assert "##vso[task.logissue type=error;sourcepath=envs/bad.yaml;linenumber=" in ended.stderr
    found = json.loads(ended.stdout)
    jsonschema.validate(found, schemas.load("problems"))
    assert found["valid"] is False
    assert "unknown-key" in {problem["rule"] for problem in found["problems"]}
    ended = cli.run("validate", "-f", "envs/bad.yaml", "--format", "sarif", code=1)
    [run] = json.loads(ended.stdout)["runs"]
    places = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in run["results"]]
    assert set(places) == {"envs/bad.yaml"}
    assert "::error" not in ended.stderr, "they would be shown twice"
    assert json.loads(cli.run("validate", "--format", "sarif").stdout)["runs"][0]["results"] == []
    valid = json.loads(cli.run("validate", "--format", "json").stdout)
    assert (valid["valid"], valid["problems"]) == (True, [])


def test_wrong_use_and_warnings_are_annotated(stage: Stage, cli: Inside) -> None:
    stage.data("POST", "/assistants", {"model": "gpt-4o", "name": "one"})
    told = cli.run("plan", "--nope", code=64).stderr
    assert "\n::error title=asstops::No such option" in told
    told = cli.run("plan", "--nope", code=64, GITHUB_ACTIONS="").stderr
    assert "::error" not in told
    warned = cli.run("plan", "--detailed-exitcode", code=2, GITHUB_ACTIONS="", **AZURE)
    assert "##vso[task.setvariable variable=hasChanges;isOutput=true]true\n" in warned.stderr
    assert "##vso" not in warned.stdout
    notices = json.loads(cli.run("plan", "--format", "json").stdout)["notices"]
    assert len(notices) == 1
    assert warned.stderr.count("##vso[task.logissue type=warning;") == len(notices)


def test_many_problems_are_ten_annotations(stage: Stage, cli: Inside) -> None:
    """A pipeline shows ten of a step; the tenth says that there are more."""
    stage.write({**SPEC, "assistants": {f"a{n}": {"modle": "x"} for n in range(15)}})
    told = cli.run("validate", code=1).stderr
    assert told.count("::error ") == 10
    assert "::error title=asstops::and 6 more; the log has all of them\n" in told


def test_failed_steps_are_told(stage: Stage, cli: Inside) -> None:
    """In annotations, and first in the summary."""
    body = {"error": {"code": "bad", "message": "::error::no"}}
    stage.admin(
        "POST", "/faults", {"method": "POST", "path": "/openai/assistants", "status": 400, "count": 0, "body": body}
    )
    ended = cli.run("apply", "-y", code=None)
    assert ended.returncode in (1, 3)
    notes = [line for line in ended.stderr.split("\n") if line.startswith("::error ")]
    assert len(notes) == 2
    assert notes[0].startswith("::error title=asstops::assistant.")
    summary = written(cli, "GITHUB_STEP_SUMMARY")
    assert "0 done, 2 failed, 0 not attempted." in summary.split("\n")[0]
    assert "<details open><summary><b>2 steps failed</b></summary>" in summary
    assert commands(summary) == []


def test_failed_smoke_tests_are_annotated(stage: Stage, cli: Inside) -> None:
    """At their place in the spec."""
    cli.run("apply", "-y")
    stage.write({**SPEC, "tests": {"greets": {"assistant": "two", "ask": "Hello?", "expect": {"contains": "Ω"}}}})
    told = cli.run("test", code=7).stderr
    assert "::error file=asstops.yaml,line=" in told
    assert ",title=asstops::smoke test greets: expected " in told
    summary = written(cli, "GITHUB_STEP_SUMMARY")
    assert "### `small` · 1 smoke test: 0 passed, 1 failed.\n" in summary
    assert "- `greets` of `assistant.two` (" in summary
    assert "expected text with `Ω`" in summary


def test_what_cannot_be_written_is_a_warning(cli: Inside) -> None:
    ended = cli.run("plan", GITHUB_STEP_SUMMARY="/nowhere/at/all", GITHUB_OUTPUT="/nowhere/either")
    assert "Plan: 2 to add" in ended.stdout
    assert "Warning: the summary of the step cannot be written: " in ended.stderr
    assert "Warning: the outputs of the step cannot be written: " in ended.stderr


def test_a_full_summary_is_left_alone(cli: Inside) -> None:
    """More than 1 MiB, and GitHub shows none of it."""
    path = Path(cli.environ["GITHUB_STEP_SUMMARY"])
    path.write_bytes(b"x" * (1024 * 1024 - 2_000))
    cli.run("plan")
    assert path.stat().st_size == 1024 * 1024 - 2_000


def test_a_file_gets_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a log is read by a pipeline; data in a file stay as they are."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    with (tmp_path / "out").open("w", encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdout", file)
        monkeypatch.setattr(sys, "stderr", log := io.StringIO())
        with ci.surroundings():
            sys.stdout.write("::a::")
            sys.stderr.write("::a::")
        assert sys.stdout is file
    assert (tmp_path / "out").read_text(encoding="utf-8") == "::a::"
    assert log.getvalue() == ":\\x3aa::"


def test_answers_of_a_model_are_disarmed(stage: Stage, cli: Inside) -> None:
    """They come in pieces, and go out as they come."""
    cli.run("apply", "-y")
    shown = cli.run("ask", "two", "::error::x ##[error]y").stdout
    assert commands(shown) == []
    assert "##\\x5berror]y" in shown
    data = json.loads(cli.run("ask", "two", "Hello?", "--format", "json").stdout)
    assert data["text"]


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (("init", "--list"), "templates"),
        (("--chdir", "new", "init", "agent"), "written"),
        (("explain", "assistant"), "fields"),
        (("unlock",), "locked"),
    ],
)
def test_data_come_as_json_everywhere(stage: Stage, cli: Inside, arguments: tuple[str, ...], key: str) -> None:
    (stage.folder / "new").mkdir()
    data = json.loads(cli.run(*arguments, "--format", "json").stdout)
    assert data["format_version"] == "1.0"
    assert key in data
    assert data[key] or key == "locked"
