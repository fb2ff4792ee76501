"""init, list, show, drift, explain and completion: what people type between applies."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from asstops import templates
from asstops.spec.explain import explain
from tests.support.inside import Inside
from tests.support.program import Program
from tests.support.stage import Stage

Json = dict[str, Any]
SPEC: Json = {
    "stack": "everyday",
    "origin": "here",
    "vars": {"pin": {"sensitive": True}},
    "files": {"a": {"path": "a.md"}},
    "vector_stores": {"docs": {"files": ["a"], "metadata": {"pin": "${pin}"}}},
    "assistants": {
        "helper": {
            "name": "The helper",
            "model": "gpt-4o",
            "instructions": "Be brief.\nBe polite.\n",
            "temperature": 0.2,
            "protect": True,
            "tools": [{"file_search": {"vector_store": "docs"}}],
        },
        "second": {"model": "gpt-4o"},
    },
}
PIN = "--var", "pin=canary-pin"


@pytest.fixture
def inside(stage: Stage) -> Inside:
    return Inside(stage.folder, stage.environ)


@pytest.fixture
def applied(stage: Stage, inside: Inside) -> Inside:
    stage.write(SPEC, {"a.md": "one\n"})
    inside.run("apply", "--auto-approve", *PIN)
    return inside


def without(spec: Json, key: str) -> Json:
    return {**spec, "assistants": {name: entry for name, entry in spec["assistants"].items() if name != key}}


def test_list_says_where_everything_stands(stage: Stage, applied: Inside) -> None:
    stage.write(without(SPEC, "second") | {"files": {**SPEC["files"], "b": {"id": "assistant-none"}}}, {})
    stage.write(
        {**without(SPEC, "second"), "assistants": {**without(SPEC, "second")["assistants"], "third": {"model": "m"}}}
    )
    found = {item["address"]: item for item in applied.json("list", "--format", "json", *PIN)["objects"]}
    assert {address: item["state"] for address, item in found.items()} == {
        "assistant.helper": "live",
        "assistant.second": "left_the_spec",
        "assistant.third": "missing",
        "file.a": "live",
        "vector_store.docs": "live",
    }
    assert found["assistant.helper"]["name"] == "The helper"
    assert found["assistant.third"]["id"] is None
    lines = applied.run("list", *PIN).stdout.splitlines()
    assert lines[0].split() == ["ADDRESS", "NAME", "STATE", "ID"]
    assert "assistant.third" in lines[3]
    assert "not there yet" in lines[3]
    assert all(len(line) <= 100 for line in lines)


def test_list_of_nothing(stage: Stage, inside: Inside) -> None:
    stage.write({"stack": "empty"})
    assert inside.run("list").stdout == "The stack has nothing.\n"


def test_show_one_object(applied: Inside) -> None:
    text = applied.run("show", "assistant.helper", *PIN).stdout
    for part in ("assistant.helper", "vector_store.docs", "protected", "instructions\n  Be brief.\n  Be polite.\n"):
        assert part in text
    data = applied.json("show", "assistant.helper", "--format", "json", *PIN)
    assert data["protect"] is True
    assert data["fields"]["temperature"] == 0.2
    assert data["fields"]["file_search.vector_store"] == "vector_store.docs"


def test_show_tells_what_no_spec_can_say(stage: Stage, applied: Inside) -> None:
    """A setting that the spec does not name stays, and must not be a riddle."""
    definition = {"kind": "prompt", "model": "gpt-4o", "tool_choice": "required"}
    stage.project("POST", "/agents/second/versions", {"definition": definition})
    assert "tool_choice: required" in applied.run("show", "assistant.second", *PIN).stdout
    fields = applied.json("show", "assistant.second", "--format", "json", *PIN)["fields"]
    assert fields["other_settings"] == {"tool_choice": "required"}
    assert "other_settings" not in applied.run("plan", *PIN).stdout


def test_show_masks_what_is_sensitive(applied: Inside) -> None:
    for form in ("human", "json"):
        text = applied.run("show", "vector_store.docs", "--format", form, *PIN).stdout
        assert "canary-pin" not in text
        assert "(sensitive value)" in text


def test_show_of_what_is_not_there(applied: Inside) -> None:
    assert "did you mean assistant.helper?" in applied.run("show", "assistant.helpr", *PIN, code=64).stderr
    for neither in ("no-such-plan", "assistant", "assistant.", "nope.x"):
        told = applied.run("show", neither, code=1).stderr
        assert f"there is no plan file {neither}, and it is no address either\n  fix: write KIND.KEY" in told


def test_drift_shows_what_others_changed_and_nothing_else(stage: Stage, applied: Inside) -> None:
    assert "No drift." in applied.run("drift", "--detailed-exitcode", *PIN).stdout
    stage.project(
        "POST",
        "/agents/helper/versions",
        {"definition": {"kind": "prompt", "model": "gpt-4o", "instructions": "Be loud.", "temperature": 0.2}},
    )
    spec = json.loads(json.dumps(SPEC))
    spec["assistants"]["helper"]["temperature"] = 0.5
    spec["assistants"]["third"] = {"model": "gpt-4o"}
    stage.write(spec)
    told = applied.run("drift", "--detailed-exitcode", *PIN, code=2).stdout
    assert "loud" in told
    assert "temperature" not in told
    assert "nothing tells whether deleted or never made" in told
    assert "assistant.third" in told
    (change,) = applied.json("drift", "--format", "json", *PIN)["changes"]
    assert change["address"] == "assistant.helper"
    assert {diff["cause"] for diff in change["diffs"]} <= {"drift", "both"}
    applied.run("apply", "--auto-approve", *PIN)
    assert "No drift." in applied.run("drift", *PIN).stdout


@pytest.mark.parametrize("name", templates.names())
def test_a_template_applies_as_it_is(stage: Stage, inside: Inside, name: str) -> None:
    inside.run("init", name)
    inside.run("validate")
    inside.run("apply", "--auto-approve")
    stage.assert_settled()
    assert templates.about(name)[0].isupper()


def test_init_overwrites_nothing(stage: Stage, inside: Inside) -> None:
    (stage.folder / "asstops.yaml").write_text("stack: mine\n")
    refused = inside.run("init", code=1)
    assert "asstops.yaml is there already" in refused.stderr
    assert (stage.folder / "asstops.yaml").read_text() == "stack: mine\n"
    assert not (stage.folder / "prompts").exists()
    inside.run("init", "--force")
    assert "assistants:" in (stage.folder / "asstops.yaml").read_text()
    inside.run("init")  # what is there is the same, so nothing is lost
    assert "did you mean agent?" in inside.run("init", "agnt", code=64).stderr
    assert "(default)" in inside.run("init", "--list").stdout


def test_explain_reaches_every_field(inside: Inside) -> None:
    def walk(path: str, depth: int) -> int:
        found = explain(path)
        assert not path or found.about, path
        return 1 + sum(walk(f"{path}.{line.name}".lstrip("."), depth + 1) for line in found.lines if depth < 6)

    assert walk("", 0) > 90
    text = inside.run("explain", "assistant.tools.file_search").stdout
    assert "max_num_results   whole number from 1 to 50" in text
    assert "required" in inside.run("explain", "tool").stdout
    assert "display_name" in inside.run("explain", "project").stdout
    assert inside.run("explain", "assistants").stdout == inside.run("explain", "assistant").stdout
    assert "did you mean assistants?" in inside.run("explain", "assistnt", code=64).stderr
    assert "did you mean temperature?" in inside.run("explain", "assistant.temprature", code=64).stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(inside: Inside, shell: str) -> None:
    script = inside.run("completion", shell).stdout
    assert "_ASSTOPS_COMPLETE" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n", "-c", script], check=True, timeout=60)


def test_a_shell_gets_its_completions(stage: Stage) -> None:
    program = Program(stage.folder, stage.environ)
    environ = {"_ASSTOPS_COMPLETE": "bash_complete", "COMP_WORDS": "asstops pl", "COMP_CWORD": "1"}
    done = subprocess.run(
        ["asstops"],
        executable=str(Path(os.sys.executable).with_name("asstops")),  # type: ignore[attr-defined]
        env={**program.environment(), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "plain,plan\n"


def test_a_folder_to_work_in_may_be_relative(stage: Stage, inside: Inside) -> None:
    """Files are named from there, on the command line as in the spec."""
    (stage.folder / "sub").mkdir()
    (stage.folder / "sub" / "x.yaml").write_text("stack: there\nvars: {a: 1}\n")
    (stage.folder / "sub" / "v.yaml").write_text("a: 2\n")
    told = inside.run("--chdir", "sub", "-f", "x.yaml", "--var-file", "v.yaml", "validate").stdout
    assert "stack there" in told
    inside.run("--chdir", str(stage.folder / "sub"), "-f", "x.yaml", "--var-file", "v.yaml", "validate")
