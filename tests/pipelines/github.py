"""GitHub, as far as the workflows see it: runs of jobs on a fresh checkout, artifacts, `gh`, and what a job may do.

The steps' scripts are run by bash in the order and with the environment that the YAML says. Our own action is run from
action.yml. A job's token may do what the job's `permissions` say.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.pipelines.expressions import filled, holds
from tests.pipelines.machine import OWN, Job, Json, Machine, Run, needs
from tests.pipelines.programs import AzureCli, Call, Programs, Reply, Unforeseen
from tests.support.program import REPOSITORY

BOT = "github-actions[bot]"
_NO_PULL = {"number": "", "head": {"sha": "", "repo": {"full_name": ""}}}  # what is not there is empty in expressions
VARS = {
    "AZURE_PLAN_CLIENT_ID": "client-plan",
    "AZURE_APPLY_CLIENT_ID": "client-apply",
    "AZURE_TENANT_ID": "tenant",
    "AZURE_SUBSCRIPTION_ID": "00000000-0000-0000-0000-000000000000",
}


class GitHub:
    """One repository: a git repository, its pull requests, comments, issues and runs."""

    def __init__(self, folder: Path, programs: Programs, azure: AzureCli, base: Mapping[str, str]) -> None:
        self.folder, self.programs, self.azure, self.base = folder, programs, azure, base
        self.git_folder = folder / "git"
        self.workflows = REPOSITORY / "examples" / "pipelines" / "github"
        self.runs: dict[int, Run] = {}
        self.listed: list[Json] = []  # the runs, as the API has them
        self.pulls: dict[int, Json] = {}
        self.comments: dict[int, list[Json]] = {}
        self.issues: list[Json] = []
        self.between: Callable[[], object] = lambda: None  # what others do while a run goes from job to job
        self._tokens: dict[str, Json] = {}
        programs.play("gh", self._gh)
        programs.play("python3", self._python)
        programs.play("python", self._pip)
        self.programs.install(folder / "path", "gh", "az", "python3")
        self.git_folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("commit", "--quiet", "--allow-empty", "--message", "begin")

    # The repository

    def git(self, *args: str, cwd: Path | None = None) -> str:
        who = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
        command = ["git", *who, *args]
        alone = {"PATH": self.base["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            command, cwd=cwd or self.git_folder, env=alone, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str], *, branch: str = "main", new: bool = False) -> str:
        """Change files on a branch; returns the commit."""
        self.git("checkout", "--quiet", *(["-b", branch, "main"] if new else [branch]))
        for name, text in files.items():
            (self.git_folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.git_folder / name).write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "change")
        return self.git("rev-parse", "HEAD")

    def open_pull(self, number: int, files: Mapping[str, str], *, head_repository: str = OWN) -> Run:
        """Open a pull request, and run the workflow for it."""
        self.commit(files, branch=f"pull-{number}", new=True)
        self.pulls[number] = {
            "number": number,
            "head": {"repo": {"full_name": head_repository}},
            "base": {"ref": "main"},
            "merged_at": None,
            "merge_commit_sha": None,
        }
        return self.plan_pull(number)

    def plan_pull(self, number: int) -> Run:
        """What GitHub does when a pull request changes: run plan.yml on the merge of it with main."""
        pull = self.pulls[number]
        pull["head"]["sha"] = self.git("rev-parse", f"pull-{number}")
        self.git("checkout", "--quiet", "--detach", "main")
        self.git("merge", "--quiet", "--no-ff", "--no-edit", f"pull-{number}")
        merged = self.git("rev-parse", "HEAD")
        return self.run("plan.yml", "pull_request", merged, {"pull_request": pull}, ref=f"refs/pull/{number}/merge")

    def merge(self, number: int) -> Run:
        """Squash a pull request into main, and run apply.yml for the push."""
        self.git("checkout", "--quiet", "main")
        self.git("merge", "--quiet", "--squash", f"pull-{number}")
        self.git("commit", "--quiet", "--message", "squashed")
        merged = self.git("rev-parse", "HEAD")
        self.pulls[number] |= {"merged_at": "2026-11-21T12:00:00Z", "merge_commit_sha": merged}
        return self.run("apply.yml", "push", merged)

    # Runs

    def run(
        self,
        workflow: str,
        event: str,
        sha: str = "",
        payload: Json | None = None,
        *,
        ref: str = "refs/heads/main",
        inputs: Json | None = None,
    ) -> Run:
        """Run the jobs of a workflow, in the order they stand in."""
        sha = sha or self.git("rev-parse", "main")
        definition = yaml.safe_load((self.workflows / workflow).read_text(encoding="utf-8"))
        triggers = definition[True]  # YAML 1.1 takes the key `on` for a boolean
        assert event in triggers, f"{workflow} does not run on {event}"
        run = self.runs[len(self.runs) + 1000] = Run(len(self.runs) + 1000)
        pull = (payload or {}).get("pull_request")
        github = {
            "event_name": event,
            "event": {"pull_request": _NO_PULL, **(payload or {})},
            "repository": OWN,
            "ref": ref,
            "ref_name": ref.removeprefix("refs/heads/"),
            "sha": sha,
            "run_id": run.id,
        }
        context = {"github": github, "vars": VARS, "inputs": {"plan-run": "", **(inputs or {})}}
        for key in definition["concurrency"].values():
            filled(str(key), context)
        done: dict[str, Job] = {}
        for name, job in definition["jobs"].items():
            needed = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
            status = {"success": all(done[need].result == "success" for need in needed), "cancelled": False}
            # An output that a job did not come to set is an empty text.
            unset = {need: dict.fromkeys(definition["jobs"][need].get("outputs", {}), "") for need in needed}
            needs = {need: {"outputs": {**unset[need], **done[need].outputs}} for need in needed}
            within = {**context, "needs": needs, "status": status}
            done[name] = run.jobs[name] = Job()
            if holds(str(job.get("if", "")), within):
                self._job(run, name, job, definition, within)
                self.between()
        failed = any(job.result == "failure" for job in done.values())
        self.listed.insert(
            0,
            {
                "id": run.id,
                "path": f".github/workflows/{workflow}",
                "event": event,
                "head_sha": pull["head"]["sha"] if pull else sha,
                "head_branch": github["ref_name"] if pull is None else f"pull-{pull['number']}",
                "head_repository": {"full_name": pull["head"]["repo"]["full_name"] if pull else OWN},
                "conclusion": "failure" if failed else "success",
            },
        )
        return run

    def _job(self, run: Run, name: str, job: Json, definition: Json, context: Json) -> None:
        """One job on a machine of its own."""
        done = run.jobs[name]
        machine = self.folder / f"{run.id}-{name}"
        (machine / "temp").mkdir(parents=True)
        (machine / "work").mkdir()
        token = f"token-{run.id}-{name}"
        self._tokens[token] = {**(job.get("permissions") or definition["permissions"]), "run": run}
        self.azure.signed_in = ""
        context = {**context, "github": {**context["github"], "token": token}, "steps": done.steps}
        environ = {
            **self.base,
            "PATH": f"{self.folder / 'path'}:{self.base['PATH']}",
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": context["github"]["event_name"],
            "GITHUB_REPOSITORY": OWN,
            "GITHUB_REF_NAME": context["github"]["ref_name"],
            "GITHUB_SHA": context["github"]["sha"],
            "GITHUB_RUN_ID": str(run.id),
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_WORKSPACE": str(machine / "work"),
            "RUNNER_TEMP": str(machine / "temp"),
            "GITHUB_STEP_SUMMARY": str(machine / "summary"),
        }
        for source in (definition.get("env", {}), job.get("env", {})):
            environ |= {key: filled(str(value), context) for key, value in source.items()}
        shell = definition.get("defaults", {}).get("run", {}).get("shell", "")
        worker = Machine(self, machine, run, done, environ, self._tokens[token], shell)
        worker.steps(job["steps"], context)
        done.result = "failure" if worker.failed else "success"
        done.summary = worker.read("summary")
        if not worker.failed:
            done.outputs |= {key: filled(value, context) for key, value in job.get("outputs", {}).items()}

    # Programs

    def _python(self, call: Call) -> Reply:
        """The Python of the machine: says that it is new enough, and makes an environment."""
        if call.args[0] == "-c" and "(3, 10)" in call.args[1] and len(call.args) == 2:
            return Reply()
        if call.args[:2] == ("-m", "venv") and len(call.args) == 3:
            self.programs.install(Path(call.args[2]) / "bin", "python")
            return Reply()
        raise Unforeseen(call.args)

    def _pip(self, call: Call) -> Reply:
        """The environment's Python: installs asstops from this repository, as requirements.lock pins it."""
        lock, package = str(REPOSITORY / "requirements.lock"), f"{REPOSITORY}[azure-lock]"
        quietly = ("--quiet", "--disable-pip-version-check")
        if call.args != ("-m", "pip", "install", *quietly, "--constraint", lock, package):
            raise Unforeseen(call.args)
        self.programs.install(Path(call.path).parent, "asstops")
        return Reply()

    def _gh(self, call: Call) -> Reply:
        may = self._tokens[call.environ["GH_TOKEN"]]
        if call.args[0] == "api":
            return self._api(call, may)
        if call.args[:2] == ("run", "download"):
            number, *rest = call.args[2:]
            options = dict(zip(rest[::2], rest[1::2], strict=True))
            if set(options) != {"--repo", "--name", "--dir"} or options["--repo"] != OWN:
                raise Unforeseen(call.args)
            needs(may, "actions", "read")
            kept = self.runs[int(number)].artifacts.get(options["--name"])
            if kept is None:
                return Reply(err="no valid artifacts found to download\n", code=1)
            (call.cwd / options["--dir"]).mkdir()
            shutil.copy(kept, call.cwd / options["--dir"])
            return Reply()
        if call.args[:2] == ("issue", "close") and call.args[3:6] == ("--repo", OWN, "--comment"):
            needs(may, "issues", "write")
            issue = self.issues[int(call.args[2]) - 1]
            assert issue["state"] == "open"
            issue["state"] = "closed"
            return Reply()
        raise Unforeseen(call.args)

    def _api(self, call: Call, may: Json) -> Reply:
        """`gh api`: what the workflows ask of the REST API."""
        words, options, path = list(call.args[1:]), {}, ""
        fields: Json = {}
        while words:
            word = words.pop(0)
            if word in ("--paginate", "--silent"):
                options[word] = "yes"
            elif word == "--method":
                options[word] = words.pop(0)
            elif word in ("--field", "--raw-field"):
                key, _, value = words.pop(0).partition("=")
                reads = word == "--field" and value.startswith("@")
                fields[key] = (call.cwd / value[1:]).read_text(encoding="utf-8") if reads else value
            elif not word.startswith("-") and not path:
                path = word
            else:
                raise Unforeseen(call.args)
        method = options.get("--method", "GET")
        assert path.startswith(f"repos/{OWN}/"), path
        answer = self._rest(method, path.removeprefix(f"repos/{OWN}/"), fields, may)
        if "--silent" in options:
            return Reply()
        if "--paginate" in options:  # older versions of gh print one list per page, which is the harder case
            return Reply(out=json.dumps(answer[:1]) + json.dumps(answer[1:]))
        return Reply(out=json.dumps(answer))

    def _rest(self, method: str, path: str, fields: Json, may: Json) -> Any:
        what, _, query = path.partition("?")
        match [method, *what.split("/")]:
            case ["GET", "issues", number, "comments"] if query == "per_page=100":
                return self.comments.setdefault(int(number), [])
            case ["POST", "issues", number, "comments"] if set(fields) == {"body"}:
                needs(may, "pull-requests", "write")
                assert len(fields["body"]) <= 65536
                comment = {"id": 50 + len(self.comments[int(number)]), "user": {"login": BOT}, **fields}
                self.comments[int(number)].append(comment)
                return comment
            case ["PATCH", "issues", "comments", number] if set(fields) == {"body"}:
                needs(may, "pull-requests", "write")
                found = next(c for comments in self.comments.values() for c in comments if c["id"] == int(number))
                assert found["user"]["login"] == BOT, "another's comment"
                return found.update(fields)
            case ["GET", "issues"] if query == "state=open&per_page=100":
                return [issue for issue in self.issues if issue["state"] == "open"]
            case ["POST", "issues"] if set(fields) == {"title", "body"}:
                needs(may, "issues", "write")
                self.issues.append({"number": len(self.issues) + 1, "state": "open", "user": {"login": BOT}, **fields})
                return self.issues[-1]
            case ["PATCH", "issues", number] if set(fields) == {"body"}:
                needs(may, "issues", "write")
                return self.issues[int(number) - 1].update(fields)
            case ["GET", "commits", sha, "pulls"] if not query:
                needs(may, "pull-requests", "read")
                return [pull for pull in self.pulls.values() if pull["merge_commit_sha"] == sha]
            case ["GET", "actions", "runs", number] if not query:
                needs(may, "actions", "read")
                return next(run for run in self.listed if run["id"] == int(number))
            case ["GET", "actions", "workflows", "plan.yml", "runs"]:
                needs(may, "actions", "read")
                head = query.removeprefix("event=pull_request&status=success&head_sha=")
                wanted = {"path": ".github/workflows/plan.yml", "event": "pull_request", "conclusion": "success"}
                wanted["head_sha"] = head
                return {"workflow_runs": [run for run in self.listed if wanted.items() <= run.items()]}
        raise Unforeseen(f"{method} {path} {sorted(fields)}")
