"""azure-pipelines.yml and .gitlab-ci.yml, their steps run against the emulator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.contoso import FILES
from tests.pipelines.others import AzurePipelines, GitLab
from tests.pipelines.programs import MACHINE, AzureCli, Programs
from tests.support.stage import Stage

pytestmark = MACHINE
Edit = Callable[..., Any]


@pytest.fixture
def pipelines(tmp_path: Path, programs: Programs, azure: AzureCli, base: dict[str, str]) -> AzurePipelines:
    remote = "https://contoso@dev.azure.com/contoso/ai/_git/assistants"
    found = AzurePipelines(tmp_path / "pipelines", programs, base, FILES, remote)
    found.azure = azure
    return found


@pytest.fixture
def gitlab(tmp_path: Path, programs: Programs, live: Stage, base: dict[str, str]) -> GitLab:
    identity = {name: live.environ[name] for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "AZURE_SUBSCRIPTION_ID")}
    remote = "https://gitlab-ci-token:token-of-job-{job}@gitlab.example.com/contoso/assistants.git"
    found = GitLab(tmp_path / "gitlab", programs, {**base, **identity}, FILES, remote)
    found.notes = []
    return found


def test_azure_pipelines_apply_what_was_approved(pipelines: AzurePipelines, live: Stage, portal: Edit) -> None:
    """A pull request is only planned; main is applied once approved, unless something moved; drift fails a night."""
    pipelines.run("PullRequest", branch="refs/pull/7/merge")
    assert pipelines.results == {"Plan": "succeeded", "Apply": "skipped", "Drift": "skipped"}, pipelines.log
    assert "Plan: 4 to add" in pipelines.log

    pipelines.run("IndividualCI")
    assert pipelines.results == {"Plan": "succeeded", "Apply": "succeeded", "Drift": "skipped"}, pipelines.log
    assert pipelines.connections == ["asstops-plan", "asstops-apply"]
    assert "Applied: 4 done" in pipelines.log

    pipelines.run("IndividualCI")
    assert pipelines.results == {"Plan": "succeeded", "Apply": "skipped", "Drift": "skipped"}, pipelines.log

    pipelines.files = {**FILES, "prompts/analyst.md": "You answer in rhymes.\n"}
    pipelines.run("IndividualCI", between=lambda: portal(instructions="Say yes."))
    assert pipelines.results == {"Plan": "succeeded", "Apply": "failed", "Drift": "skipped"}, pipelines.log
    assert "##vso[task.logissue type=error]Something moved since the plan was made" in pipelines.log

    pipelines.run("Schedule")
    assert pipelines.results == {"Plan": "skipped", "Apply": "skipped", "Drift": "failed"}
    assert "Say yes." in pipelines.log


def test_gitlab_applies_what_was_clicked_on(gitlab: GitLab, live: Stage, portal: Edit) -> None:
    """One note on a merge request, rewritten; main is applied after a click; drift fails the scheduled pipeline."""
    gitlab.notes.append({"id": 60, "author": {"id": 1}, "body": "<!-- asstops:contoso-sales/prod --> me too"})
    for text in ("You answer in rhymes.\n", "You answer in verse.\n"):
        gitlab.files = {**FILES, "prompts/analyst.md": text}
        gitlab.run("merge_request_event")
        assert gitlab.results == {"validate": "success", "plan": "success"}, gitlab.log
    assert [note["author"]["id"] for note in gitlab.notes] == [1, 8]
    assert "You answer in verse." in gitlab.notes[1]["body"]
    assert gitlab.identities == ["client-plan id-token"]

    gitlab.run("merge_request_event", fork=True)
    assert gitlab.results == {"validate": "success"}

    gitlab.run("push", play=True)
    assert gitlab.results == {"validate": "success", "plan": "success", "apply": "success"}, gitlab.log
    assert gitlab.identities == ["client-plan id-token", "client-apply id-token"]
    assert "Applied: 4 done" in gitlab.log
    assert "token-of-job" not in gitlab.log

    gitlab.run("schedule")
    assert gitlab.results == {"drift": "success"}, gitlab.log
    portal(instructions="Say yes.")
    gitlab.run("schedule")
    assert gitlab.results == {"drift": "failed"}
    assert "Say yes." in gitlab.log
