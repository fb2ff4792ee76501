"""action.yml, the composite action: what its inputs become, what it gives back, and that no input is executed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pipelines.contoso import FILES
from tests.pipelines.github import VARS, GitHub
from tests.pipelines.machine import ACTION, Job
from tests.pipelines.programs import MACHINE

pytestmark = MACHINE
LOGIN = {
    "uses": "azure/login@v3",
    "with": dict.fromkeys(("client-id", "tenant-id", "subscription-id"), "x"),
}
CHECKOUT = {"uses": "actions/checkout@v6", "with": {"persist-credentials": False}}


def carried_out(github: GitHub, folder: Path, *calls: dict[str, Any]) -> Job:
    """A job that uses the action once per call, and prints the outputs of the last."""
    used = [{"id": f"step{n}", "uses": ACTION, "with": call} for n, call in enumerate(calls)]
    last = f"steps.step{len(calls) - 1}.outputs"
    outputs = {name: f"${{{{ {last}.{name} }}}}" for name in ("exit-code", "has-changes", "plan-file")}
    job = {
        "steps": [CHECKOUT, LOGIN, *used],
        "outputs": outputs,
        "permissions": {"contents": "read", "id-token": "write"},
        "env": {
            "AZURE_SUBSCRIPTION_ID": VARS["AZURE_SUBSCRIPTION_ID"],
            "AZURE_TOKEN_CREDENTIALS": "AzureCliCredential",
        },
    }
    definition = {True: ["push"], "permissions": {}, "concurrency": {}, "jobs": {"only": job}}
    github.workflows = folder
    (folder / "it.yml").write_text(yaml.safe_dump(definition), encoding="utf-8")
    return github.run("it.yml", "push").jobs["only"]


def test_plans_and_applies_with_outputs(github: GitHub, tmp_path: Path) -> None:
    """Installed once for two uses; exit code 2 of a plan is no failure, and the plan that it saved is applied."""
    github.commit({f"sales/{name}": text for name, text in FILES.items()})
    where = {"working-directory": "sales"}
    plan = {"command": "plan", "plan-file": "it.plan", "env": "prod", **where}
    planned = carried_out(github, tmp_path, {"command": "validate", **where}, plan)
    assert planned.result == "success", planned.log
    assert planned.outputs["exit-code"] == "2"
    assert planned.outputs["has-changes"] == "true"
    saved = Path(planned.outputs["plan-file"])
    assert saved.is_absolute()
    assert len([args for args in github.programs.called("python") if "pip" in args]) == 1
    assert github.programs.called("asstops")[-1] == (
        *("plan", "--env", "prod", "--detailed-exitcode", "--out", "it.plan"),
    )

    applied = carried_out(github, tmp_path, {"command": "apply", "plan-file": str(saved), **where})
    assert applied.result == "success", applied.log
    assert applied.outputs == {"exit-code": "0", "has-changes": "", "plan-file": ""}


def test_what_stands_in_an_input_is_data(github: GitHub, tmp_path: Path) -> None:
    """Not a word of it is split, expanded or executed; each line is one argument."""
    github.commit(FILES)
    evil = "$(touch hacked) `touch hacked` ; touch hacked * ' \""
    done = carried_out(
        github, tmp_path, {"command": "plan", "file": f"{evil}\nb.yaml", "env": evil, "args": f"--var\nx={evil}"}
    )
    assert done.result == "failure"
    assert github.programs.called("asstops") == [
        ("plan", "--file", evil, "--file", "b.yaml", "--env", evil, "--var", f"x={evil}", "--detailed-exitcode")
    ]
    assert list(tmp_path.rglob("hacked")) == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"command": "destroy"}, "command is validate, plan, apply or drift"),
        ({"command": "apply", "plan-file": "--auto-approve"}, "plan-file is no file name"),
        ({"command": "plan", "plan-file": "a\nhas-changes=false"}, "plan-file is no file name"),
    ],
)
def test_refuses_what_it_cannot_do(github: GitHub, tmp_path: Path, given: dict[str, str], says: str) -> None:
    done = carried_out(github, tmp_path, given)
    assert done.result == "failure"
    assert says in done.log
    assert github.programs.called("asstops") == []
