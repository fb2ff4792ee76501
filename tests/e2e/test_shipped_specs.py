"""Every spec that ships: validate, plan, apply, plan, an edit, apply, destroy, and the service as empty as before."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.support.inside import Inside
from tests.support.live import is_bare
from tests.support.program import REPOSITORY
from tests.support.stage import Stage

SPECS = REPOSITORY / "specs"
SHIPPED = sorted(
    path.relative_to(SPECS)
    for path in [*SPECS.glob("*.yaml"), *SPECS.glob("*/asstops.yaml")]
    if path.name.count(".") == 1
)


def schema(name: str) -> jsonschema.Draft202012Validator:
    """The documented form of a plan or a report."""
    return jsonschema.Draft202012Validator(
        json.loads(files("asstops.schemas").joinpath(name).read_text(encoding="utf-8"))
    )


PLAN, REPORT = schema("plan.schema.json"), schema("report.schema.json")


def test_five_specs_ship() -> None:
    assert len(SHIPPED) >= 5


def _edit(path: Path) -> None:
    """A change of the account, of every deployment, and of every assistant."""
    documents: list[dict[str, Any]] = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    for document in documents:
        if "resource" in document:
            document["resource"].setdefault("tags", {})["edited"] = "yes"
        for deployment in document.get("deployments", {}).values():
            deployment["version_upgrade"] = "OnceCurrentVersionExpired"
        for assistant in document.get("assistants", {}).values():
            assistant["description"] = "Edited."
    path.write_text(yaml.safe_dump_all(documents, allow_unicode=True), encoding="utf-8")


@pytest.mark.parametrize("spec", SHIPPED, ids=str)
def test_a_shipped_spec_lives_its_whole_life(stage: Stage, inside: Inside, spec: Path) -> None:
    shutil.copytree(SPECS, stage.folder, dirs_exist_ok=True)
    given = ("-f", str(spec))
    assert is_bare(stage.dump())

    inside.run("validate", *given)
    plan = inside.json("plan", *given, "--format", "json", "--detailed-exitcode", code=2)
    PLAN.validate(plan)
    assert {change["action"] for change in plan["changes"]} == {"create"}
    report = inside.json("apply", *given, "-y", "--format", "json")
    REPORT.validate(report)
    assert report["outcome"] == "done"
    assert len(report["steps"]) == len(plan["changes"])

    stage.look_away()
    assert "No changes." in inside.run("plan", *given, "--detailed-exitcode").stdout
    assert stage.writes() == []
    for line in inside.run("output", *given, "--format", "env").stdout.splitlines():
        assert "=" in line

    _edit(stage.folder / spec)
    edited = inside.json("plan", *given, "--format", "json", "--detailed-exitcode", code=2)
    PLAN.validate(edited)
    assert {change["action"] for change in edited["changes"]} == {"update"}
    inside.run("apply", *given, "-y")
    inside.run("plan", *given, "--detailed-exitcode")

    gone = inside.json("plan", *given, "--destroy", "--format", "json")
    PLAN.validate(gone)
    assert gone["summary"]["destroy"] == len(plan["changes"])
    REPORT.validate(inside.json("destroy", *given, "-y", "--purge", "--format", "json"))
    assert is_bare(stage.dump())


@pytest.mark.parametrize("spec", ["sales.yaml", "assistants.yaml"])
def test_a_shipped_spec_runs_without_azure(tmp_path: Path, spec: str) -> None:
    """`--local`: no server to start, no environment to set, the data beside the spec and out of git."""
    shutil.copytree(SPECS, tmp_path, dirs_exist_ok=True)
    program = Inside(tmp_path, {})
    given = ("--local", "-f", spec)
    assert "to add" in program.run("apply", *given, "-y").stdout
    assert "No changes." in program.run("plan", *given, "--detailed-exitcode").stdout
    ids = program.json("output", *given, "--format", "json")
    (key,) = ids["assistants"]
    assert len(ids["vector_stores"]) == 1
    assert "was asked: Which month was best?" in program.run("ask", *given, key, "Which month was best?").stdout
    assert (tmp_path / ".asstops" / "local.db").is_file()
    assert (tmp_path / ".asstops" / ".gitignore").read_text(encoding="utf-8") == "*\n"
    program.run("destroy", *given, "-y", "--purge")
    assert "to add" in program.run("plan", *given, "--detailed-exitcode", code=2).stdout
