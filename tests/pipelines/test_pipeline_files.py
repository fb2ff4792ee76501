"""The examples, action.yml and the Dockerfile themselves: the vendors' schemas, and habits that keep pipelines safe."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.support.program import REPOSITORY

PIPELINES = REPOSITORY / "examples" / "pipelines"
WORKFLOWS = sorted((PIPELINES / "github").glob("*.yml"))
SCHEMAS = [
    *((path, "github-workflows") for path in WORKFLOWS),
    (REPOSITORY / "action.yml", "github-actions"),
    (PIPELINES / "azure-pipelines.yml", "azure-pipelines"),
    (PIPELINES / ".gitlab-ci.yml", "gitlab-ci"),
]


class _AsAzure(yaml.BaseLoader):
    """Azure Pipelines reads every scalar as text, but the schema wants the booleans of `inputs` as such."""


def _read(path: Path, schema: str) -> Any:
    text = path.read_text(encoding="utf-8")
    if schema != "azure-pipelines":
        found = yaml.safe_load(text)
        return {("on" if key is True else key): value for key, value in found.items()}  # YAML 1.1 takes `on` for true
    return _with_booleans(yaml.load(text, _AsAzure))


def _with_booleans(value: Any, within: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _with_booleans(item, "inputs" if within == "inputs" else key) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_booleans(item) for item in value]
    return value == "true" if within == "inputs" and value in ("true", "false") else value


def _problems(schema: str, document: Any) -> list[str]:
    builtin = pytest.importorskip("check_jsonschema.builtin_schemas")
    validator = jsonschema.Draft7Validator(builtin.get_builtin_schema(f"vendor.{schema}"))
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(document)]


@pytest.mark.parametrize(("path", "schema"), SCHEMAS, ids=[path.name for path, _ in SCHEMAS])
def test_follows_the_schema_of_the_vendor(path: Path, schema: str) -> None:
    """And the schema is one that finds a mistake."""
    document = _read(path, schema)
    assert _problems(schema, document) == []
    assert _problems(schema, {**document, "stages": 5, "jobs": 5, "runs": 5}) != []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_do_little_until_a_job_says_what_it_needs(path: Path) -> None:
    """Least rights, no credential left in the checkout, a bound on time, and pipes that fail."""
    workflow = _read(path, "github-workflows")
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["defaults"] == {"run": {"shell": "bash"}}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 120
        [checkout] = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
        assert checkout["with"] == {"persist-credentials": False}
    assert "pull_request_target" not in workflow["on"]


@pytest.mark.parametrize("path", [*WORKFLOWS, REPOSITORY / "action.yml"], ids=lambda path: path.name)
def test_no_expression_stands_inside_a_script(path: Path) -> None:
    """What a pull request is called, say, would be executed."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    scripts = list(_scripts(document))
    assert scripts
    assert [script for script in scripts if "${{" in script] == []


def _scripts(value: Any) -> Iterator[str]:
    """The script of every step; the outputs of a job may have a key `run` too."""
    if isinstance(value, dict):
        yield from (step["run"] for step in value.get("steps", []) if isinstance(step, dict) and "run" in step)
        for key, item in value.items():
            if key != "steps" or isinstance(item, dict):
                yield from _scripts(item)


# The image


def _instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, each in one line."""
    text = re.sub(r"^#.*\n", "", (REPOSITORY / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", "").splitlines()
    return [(line.split()[0], " ".join(line.split()[1:])) for line in lines if line.strip()]


def test_the_image_runs_asstops_as_nobody_in_particular() -> None:
    """Two stages of a named version, not root, and arguments go to asstops itself."""
    instructions = _instructions()
    bases = [rest for name, rest in instructions if name == "FROM"]
    assert bases == ["python:${PYTHON}-slim AS build", "python:${PYTHON}-slim"]
    version = next(rest for name, rest in instructions if name == "ARG").removeprefix("PYTHON=")
    assert tuple(map(int, version.split("."))) in ((3, minor) for minor in range(10, 14))
    last = instructions[len(instructions) - 1 - [name for name, _ in instructions][::-1].index("FROM") :]
    assert [rest for name, rest in last if name == "USER"] == ["10001"]
    assert ("ENTRYPOINT", '["asstops"]') in last
    assert all(name != "RUN" for name, _ in last[[name for name, _ in last].index("USER") :])


def test_what_is_copied_into_the_image_is_enough(tmp_path: Path) -> None:
    """The command that installs the package is run on it, without the packages it needs, and asstops is whole."""
    instructions = _instructions()
    allowed = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for name, rest in instructions:
        if name == "COPY" and not rest.startswith("--from"):
            *sources, target = shlex.split(rest)
            for source in sources:
                assert f"!{source}" in allowed
                _copy(REPOSITORY / source, tmp_path / target / (source if target == "./" else ""))
    assert allowed[[line.startswith("#") for line in allowed].index(False)] == "*"

    commands = next(rest for name, rest in instructions if name == "RUN").split("&&")
    [install] = [shlex.split(command) for command in commands if "--no-build-isolation" in command]
    assert install[0] == "/opt/asstops/bin/python"
    apart = ["--no-deps", "--no-index", "--disable-pip-version-check", "--target", "out"]
    done = subprocess.run(
        [sys.executable, *install[1:], *apart], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "does not provide the extra" not in done.stdout + done.stderr
    assert _files(tmp_path / "out" / "asstops") == _files(REPOSITORY / "asstops")


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def _files(folder: Path) -> set[str]:
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix() for path in files}
