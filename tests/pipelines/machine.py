"""One machine of GitHub: carries out the steps of a job, which bash runs with the environment that the YAML says.

Our own action is run from action.yml. The vendors' are played: a checkout, a sign-in, an artifact.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.pipelines.expressions import filled, holds
from tests.pipelines.programs import Unforeseen
from tests.support.program import REPOSITORY

if TYPE_CHECKING:
    from tests.pipelines.github import GitHub

Json = dict[str, Any]
OWN, FORK = "contoso/assistants", "stranger/assistants"
ACTION = "contoso/asstops@v1"
SHELLS = {"": ["bash", "-e"], "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"]}


@dataclass
class Job:
    """How a job ended: `result` is success, failure or skipped; `log` is what its steps printed."""

    result: str = "skipped"
    outputs: Json = field(default_factory=dict)
    steps: Json = field(default_factory=dict)
    log: str = ""
    summary: str = ""


@dataclass
class Run:
    """One run of a workflow."""

    id: int
    jobs: dict[str, Job] = field(default_factory=dict)
    artifacts: dict[str, Path] = field(default_factory=dict)

    @property
    def log(self) -> str:
        return "\n".join(job.log for job in self.jobs.values())

    @property
    def results(self) -> dict[str, str]:
        return {name: job.result for name, job in self.jobs.items()}


def needs(may: Json, what: str, level: str) -> None:
    granted = may.get(what)
    assert granted == level or (granted == "write" and level == "read"), f"the job may not {level} {what}"


class Machine:
    """One runner: carries out steps in a workspace."""

    def __init__(self, github: GitHub, folder: Path, run: Run, done: Job, environ: Json, may: Json, shell: str) -> None:
        self.github, self.folder, self.run, self.done = github, folder, run, done
        self.environ, self.may, self.shell = environ, may, shell
        self.failed = False
        self._count = 0

    def read(self, name: str) -> str:
        path = self.folder / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def steps(self, steps: list[Json], context: Json, extra: Mapping[str, str] | None = None) -> None:
        for step in steps:
            status = {"success": not self.failed, "failure": self.failed, "cancelled": False, "always": True}
            record = {"outputs": {}, "outcome": "skipped"}
            if "id" in step:
                context["steps"][step["id"]] = record
            if not holds(str(step.get("if", "")), {**context, "status": status}):
                continue
            failed = not self._step(step, context, record, extra or {})
            record["outcome"] = "failure" if failed else "success"
            self.failed = self.failed or failed

    def _step(self, step: Json, context: Json, record: Json, extra: Mapping[str, str]) -> bool:
        """Carry out one step; False when it failed."""
        own = {key: filled(str(value), context) for key, value in step.get("env", {}).items()}
        if "run" in step:
            assert "${{" not in step["run"], "an expression inside a script: what it holds becomes code"
            folder = self.folder / "work" / filled(step.get("working-directory", "."), context)
            return self._script(step["run"], step.get("shell", self.shell), {**own, **extra}, record, folder)
        given = {key: filled(str(value), context) for key, value in step.get("with", {}).items()}
        return self._action(step["uses"], given, context, record)

    def _script(self, script: str, shell: str, own: Mapping[str, str], record: Json, folder: Path) -> bool:
        self._count += 1
        file, output = self.folder / f"step-{self._count}.sh", self.folder / f"output-{self._count}"
        file.write_text(script, encoding="utf-8")
        output.touch()
        path = "".join(f"{line}:" for line in reversed(self.read("path").splitlines())) + self.environ["PATH"]
        environ = {**self.environ, "PATH": path, **own}
        environ |= {"GITHUB_OUTPUT": str(output), "GITHUB_PATH": str(self.folder / "path")}
        done = subprocess.run(
            [*SHELLS[shell], str(file)],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )
        self.done.log += done.stdout
        record["outputs"] |= dict(line.split("=", 1) for line in output.read_text(encoding="utf-8").splitlines())
        return done.returncode == 0

    def _action(self, uses: str, given: Json, context: Json, record: Json) -> bool:
        if uses == ACTION:
            return self._ours(given, context, record)
        name, _, version = uses.partition("@")
        assert version.startswith("v"), uses
        work = self.folder / "work"
        match name:
            case "actions/checkout":
                assert given == {"persist-credentials": "False"}
                assert self.may["contents"] == "read"
                self.github.git("clone", "--quiet", "--no-checkout", str(self.github.git_folder), str(work))
                self.github.git("fetch", "--quiet", "origin", context["github"]["sha"], cwd=work)
                self.github.git("checkout", "--quiet", "--detach", context["github"]["sha"], cwd=work)
                self.github.git("remote", "set-url", "origin", f"https://github.com/{OWN}", cwd=work)
            case "azure/login":
                assert set(given) == {"client-id", "tenant-id", "subscription-id"}
                needs(self.may, "id-token", "write")
                self.github.azure.signed_in = given["client-id"]
            case "actions/upload-artifact":
                assert set(given) >= {"name", "path", "if-no-files-found"}
                kept = self.github.folder / f"artifact-{self.run.id}" / Path(given["path"]).name
                kept.parent.mkdir()
                shutil.copy(work / given["path"], kept)
                self.run.artifacts[given["name"]] = kept
            case _:
                raise Unforeseen(uses)
        return True

    def _ours(self, given: Json, context: Json, record: Json) -> bool:
        """action.yml, with its inputs and outputs."""
        action = yaml.safe_load((REPOSITORY / "action.yml").read_text(encoding="utf-8"))
        assert set(given) <= set(action["inputs"])
        inputs = {name: given.get(name, about["default"]) for name, about in action["inputs"].items()}
        github = {**context["github"], "action_path": str(REPOSITORY)}
        within = {**context, "github": github, "inputs": inputs, "steps": {}}
        before, self.failed = self.failed, False
        self.steps(action["runs"]["steps"], within)
        well, self.failed = not self.failed, before
        if "run" in within["steps"]:
            outputs = {"exit-code": "", "has-changes": "", "plan-file": ""} | within["steps"]["run"]["outputs"]
            within["steps"]["run"] = {"outputs": outputs}
            record["outputs"] |= {key: filled(about["value"], within) for key, about in action["outputs"].items()}
        return well
