"""Azure Pipelines and GitLab CI as the examples see them: conditions, steps in order, what is kept between jobs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.pipelines.programs import AzureCli, Call, Programs, Reply, Unforeseen
from tests.support.program import REPOSITORY

Json = dict[str, Any]
EXAMPLES = REPOSITORY / "examples" / "pipelines"
PACKAGE = "asstops[azure-lock] @ git+https://github.com/contoso/asstops@v1"


def _bash(script: str, options: str, folder: Path, environ: Mapping[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", *options.split(), "-c", script],
        cwd=folder,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout


@dataclass
class Vendor:
    """What both have in common: a folder per job with a checkout, and a `pip` that brings asstops."""

    folder: Path
    programs: Programs
    base: Mapping[str, str]
    files: Mapping[str, str]
    remote: str
    log: str = ""
    results: dict[str, str] = field(default_factory=dict)
    jobs: int = 0

    def __post_init__(self) -> None:
        self.programs.play("pip", self._pip)

    def job(self, *programs: str) -> tuple[Path, dict[str, str]]:
        """A machine: a checkout in `work`, and its environment. asstops is on the PATH once pip was called."""
        self.jobs += 1
        place = self.folder / f"job{self.jobs}"
        for name, text in self.files.items():
            (place / "work" / name).parent.mkdir(parents=True, exist_ok=True)
            (place / "work" / name).write_text(text, encoding="utf-8")
        (place / "work" / ".git").mkdir()
        remote = self.remote.format(job=self.jobs)
        (place / "work" / ".git" / "config").write_text(f'[remote "origin"]\n\turl = {remote}\n', encoding="utf-8")
        self.programs.install(place / "bin", "pip", *programs)
        return place, {**self.base, "PATH": f"{place / 'bin'}:{self.base['PATH']}"}

    def _pip(self, call: Call) -> Reply:
        if call.args != ("install", "--quiet", PACKAGE):
            raise Unforeseen(call.args)
        self.programs.install(Path(call.path).parent, "asstops")
        return Reply()


class AzurePipelines(Vendor):
    """Runs the stages. Bash steps run without -e, as the vendor's do: a step fails with its last command."""

    azure: AzureCli
    connections: list[str]

    def run(self, reason: str, branch: str = "refs/heads/main", between: Callable[[], Any] = lambda: None) -> None:
        """One run of the pipeline; `between` happens while it waits for the approval of the environment."""
        pipeline = yaml.safe_load((EXAMPLES / "azure-pipelines.yml").read_text(encoding="utf-8"))
        self.log, self.results, self.connections = "", {}, []
        variables = {**pipeline["variables"], "Build.Reason": reason, "Build.SourceBranch": branch}
        outputs: dict[str, Json] = {}
        kept = self.folder / f"artifacts{self.jobs}"
        for stage in pipeline["stages"]:
            before = stage.get("dependsOn", [])
            before = [before] if isinstance(before, str) else before
            well = all(self.results[name] == "succeeded" for name in before)
            outputs[stage["stage"]] = {}
            if not _condition(stage["condition"], variables, outputs, well):
                self.results[stage["stage"]] = "skipped"
                continue
            [job] = stage["jobs"]
            steps = job.get("steps")
            if steps is None:
                assert job["environment"] == "production"  # where the approval is asked for
                between()
                steps = job["strategy"]["runOnce"]["deploy"]["steps"]
            code = self._steps(steps, variables, kept, outputs[stage["stage"]], job.get("job") or job["deployment"])
            self.results[stage["stage"]] = "failed" if code else "succeeded"

    def _steps(self, steps: list[Json], variables: Json, kept: Path, outputs: Json, job: str) -> int:
        place, environ = self.job("az")
        environ |= {name.upper().replace(".", "_"): value for name, value in variables.items()}
        environ |= {"TF_BUILD": "True", "PIPELINE_WORKSPACE": str(place)}
        self.azure.signed_in = ""
        assert steps[0] == {"checkout": "self"}
        for step in steps[1:]:
            code, said = self._step(step, place, environ, kept)
            self.log += said
            named = re.findall(r"^##vso\[task\.setvariable variable=(\w+);isOutput=true\](.*)$", said, re.MULTILINE)
            outputs.update({f"{job}.{step.get('name')}.{name}": value for name, value in named})
            for path in re.findall(r"^##vso\[task\.uploadsummary\](.*)$", said, re.MULTILINE):
                self.log += Path(path).read_text(encoding="utf-8")
            if code:
                return code
        return 0

    def _step(self, step: Json, place: Path, environ: Json, kept: Path) -> tuple[int, str]:
        match step:
            case {"bash": script}:
                return _bash(script, "", place / "work", environ)
            case {"task": "UsePythonVersion@0", "inputs": {"versionSpec": version}}:
                assert version == "3.13"
            case {"task": "AzureCLI@2", "inputs": given}:
                assert (given["scriptType"], given["scriptLocation"]) == ("bash", "inlineScript")
                self.connections.append(given["azureSubscription"])
                self.azure.signed_in = given["azureSubscription"]
                ended = _bash(given["inlineScript"], "", place / "work", environ)
                self.azure.signed_in = ""
                return ended
            case {"publish": path, "artifact": name}:
                (kept / name).mkdir(parents=True)
                shutil.copy(place / "work" / path, kept / name)
            case {"download": "current", "artifact": name}:
                shutil.copytree(kept / name, place / name)
            case _:
                raise Unforeseen(step)
        return 0, ""


def _condition(text: str, variables: Json, outputs: Mapping[str, Json], well: bool) -> bool:
    """Evaluate a stage's condition."""
    python = re.sub(r"\band\(", "all_(", text)
    python = re.sub(r"\bdependencies\.(\w+)\.outputs", r"outputs['\1']", python)
    names: Json = {
        "variables": variables,
        "outputs": {stage: _Or(values) for stage, values in outputs.items()},
        "all_": lambda *each: all(each),
        "eq": lambda one, other: one == other,
        "ne": lambda one, other: one != other,
        "succeeded": lambda: well,
    }
    return bool(eval(python, {"__builtins__": {}}, names))


class _Or(dict[str, str]):
    """What an unset output is."""

    def __missing__(self, key: str) -> str:
        return ""


class GitLab(Vendor):
    """Runs the jobs of a pipeline in the order of their stages, and has notes on merge request 5."""

    notes: list[Json]
    token = "glpat-note"
    identities: list[str]

    def run(self, source: str, *, branch: str = "main", fork: bool = False, play: bool = False, **more: str) -> None:
        """One pipeline; `play` clicks on the manual job."""
        self.programs.play("curl", self._curl)
        pipeline = yaml.safe_load((EXAMPLES / ".gitlab-ci.yml").read_text(encoding="utf-8"))
        self.log, self.results, self.identities = "", {}, []
        variables = {
            "CI_PIPELINE_SOURCE": source,
            "CI_DEFAULT_BRANCH": "main",
            "CI_COMMIT_BRANCH": "" if source == "merge_request_event" else branch,
            "CI_PROJECT_ID": "12",
            "CI_API_V4_URL": "https://gitlab.example.com/api/v4",
            "CI_MERGE_REQUEST_IID": "5" if source == "merge_request_event" else "",
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": ("13" if fork else "12") if source == "merge_request_event" else "",
            "AZURE_PLAN_CLIENT_ID": "client-plan",
            "AZURE_APPLY_CLIENT_ID": "client-apply",
            "GITLAB_NOTE_TOKEN": self.token,
            **pipeline["variables"],
            **more,
        }
        kept = self.folder / f"artifacts{self.jobs}"
        jobs = {name: job for name, job in pipeline.items() if isinstance(job, dict) and "stage" in job}
        for name in sorted(jobs, key=lambda name: pipeline["stages"].index(jobs[name]["stage"])):
            job = {**pipeline[jobs[name]["extends"]], **jobs[name]}
            rule = next((rule for rule in job["rules"] if _rule(rule["if"], variables)), None)
            failed = any(result == "failed" for result in self.results.values())
            if rule is None or failed or (rule.get("when") == "manual" and not play):
                continue
            code = self._job(job, variables, kept)
            self.results[name] = "failed" if code else "success"

    def _job(self, job: Json, variables: Json, kept: Path) -> int:
        place, environ = self.job("curl")
        environ |= variables
        if "id_tokens" in job:
            assert job["id_tokens"] == {"AZURE_ID_TOKEN": {"aud": "api://AzureADTokenExchange"}}
            environ["AZURE_ID_TOKEN"] = "id-token"
        for name, value in job.get("variables", {}).items():
            environ[name] = re.sub(r"\$(\w+)", lambda found: environ[found[1]], value)
        if kept.exists() and "needs" in job:
            shutil.copytree(kept, place / "work", dirs_exist_ok=True)
        # Microsoft Entra ID cannot be played here. What asstops would give it is looked at, and the emulator's own
        # managed identity signs in instead.
        seen = place / "identity"
        last = f'echo "$AZURE_CLIENT_ID $(cat "$AZURE_FEDERATED_TOKEN_FILE")" > {seen}' if "id_tokens" in job else ":"
        environ |= {"AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential", "TMPDIR": str(place)}
        script = "\n".join([*job["before_script"], last, *job["script"]])
        code, said = _bash(script, "-eo pipefail", place / "work", environ)
        self.log += said
        if seen.exists():
            self.identities.append(seen.read_text(encoding="utf-8").strip())
        if not code:
            for path in job.get("artifacts", {}).get("paths", []):
                kept.mkdir(exist_ok=True)
                shutil.copy(place / "work" / path, kept)
        return code

    def _curl(self, call: Call) -> Reply:
        """GitLab's API: who the token is of, and the notes of the merge request."""
        quietly = ("--silent", "--show-error", "--fail", "--header", f"PRIVATE-TOKEN: {self.token}")
        if call.args[:5] != quietly:
            raise Unforeseen(call.args)
        api = "https://gitlab.example.com/api/v4"
        notes = f"{api}/projects/12/merge_requests/5/notes"
        match call.args[5:]:
            case (url,) if url == f"{api}/user":
                return Reply(json.dumps({"id": 8, "username": "project_12_bot"}))
            case (url,) if url == f"{notes}?sort=asc&order_by=created_at&per_page=100":
                return Reply(json.dumps(self.notes))
            case ("--request", "POST", "--data-urlencode", "body@plan.md", "--output", os.devnull, url) if url == notes:
                body = (call.cwd / "plan.md").read_text(encoding="utf-8")
                self.notes.append({"id": len(self.notes) + 70, "author": {"id": 8}, "body": body})
                return Reply()
            case ("--request", "PUT", "--data-urlencode", "body@plan.md", "--output", os.devnull, url):
                [note] = [note for note in self.notes if url == f"{notes}/{note['id']}" and note["author"]["id"] == 8]
                note["body"] = (call.cwd / "plan.md").read_text(encoding="utf-8")
                return Reply()
        raise Unforeseen(call.args)


def _rule(text: str, variables: Mapping[str, str]) -> bool:
    """Evaluate an `if:` of a rule: equalities joined by &&."""
    assert re.fullmatch(r'[\w$" =&]+', text), text
    python = re.sub(r"\$(\w+)", r"variables['\1']", text).replace("&&", "and")
    return bool(eval(python, {"__builtins__": {}}, {"variables": variables}))
