"""The workflows of examples/pipelines/github, their steps run against the emulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.pipelines.contoso import FILES, PROMPT
from tests.pipelines.github import BOT, GitHub
from tests.pipelines.machine import FORK, Run
from tests.pipelines.programs import MACHINE
from tests.support.inside import Inside
from tests.support.stage import Stage

pytestmark = MACHINE


def writes(live: Stage) -> list[str]:
    """What was written since `look_away`; asking whether a name is free is a POST in Azure, and writes nothing."""
    sent = [f"{entry['method']} {entry['path']}" for entry in live.writes()]
    return [entry for entry in sent if not entry.endswith("Availability")]


def instructions(live: Stage) -> str:
    agent = live.project("GET", "/agents/analyst", home="/contoso-sales/api/projects/sales")
    return str(agent["versions"]["latest"]["definition"]["instructions"])


def test_what_the_pull_request_showed_is_what_the_merge_applies(
    github: GitHub, live: Stage, portal: Callable[..., Any]
) -> None:
    """Plan, one comment, merge, apply of that very plan from another checkout; then drift, in one issue."""
    opened = github.open_pull(7, FILES)
    assert opened.results == {"validate": "success", "plan": "success"}, opened.log
    assert github.azure.signed_in == "client-plan"
    assert writes(live) == []
    [comment] = github.comments[7]
    assert "<!-- asstops:contoso-sales/prod -->" in comment["body"]
    assert "4 to add" in comment["body"]

    # A second push rewrites the comment; others' comments are left alone, whatever they say.
    github.comments[7].insert(0, {"id": 1, "user": {"login": "somebody"}, "body": comment["body"]})
    # Nor is the comment of another stack taken for this one's because a prompt in it has the marker.
    other = "<!-- asstops:other -->\n+ <!-- asstops:contoso-sales/prod -->\n"
    github.comments[7].insert(0, {"id": 2, "user": {"login": BOT}, "body": other})
    github.commit({"prompts/analyst.md": PROMPT + "Name the months.\n"}, branch="pull-7")
    github.plan_pull(7)
    assert [c["user"]["login"] for c in github.comments[7]] == [BOT, "somebody", BOT]
    assert github.comments[7][0]["body"] == other
    assert "Name the months." in github.comments[7][2]["body"]

    applied = github.merge(7)
    assert applied.results == {"find": "success", "apply": "success"}, applied.log
    assert github.azure.signed_in == "client-apply"
    assert "4 to add" in applied.jobs["find"].summary
    assert "Applied: 4 done" in applied.log
    assert instructions(live) == (PROMPT + "Name the months.")
    asked = {resource for who, resource in github.azure.tokens if who == "asstops"}
    assert asked == {resource for who, resource in github.azure.tokens if who == "step"}

    github.open_pull(8, {"README.md": "Nothing that asstops reads.\n"})
    assert github.merge(8).results == {"find": "success", "apply": "skipped"}  # nobody approves nothing

    assert github.run("drift.yml", "schedule").results == {"drift": "success"}
    assert github.issues == []
    for text in ("Say yes.", "Say no."):  # the second night rewrites the issue of the first
        portal(instructions=text)
        found = github.run("drift.yml", "schedule")
        assert found.results == {"drift": "success"}, found.log
        [issue] = github.issues
        assert (issue["title"], issue["state"]) == ("asstops: contoso-sales/prod has drifted", "open")
        assert text in issue["body"]
    Inside(github.folder / f"{found.id}-drift" / "work", live.environ).run("apply", "--env", "prod", "-y")
    assert github.run("drift.yml", "schedule").results == {"drift": "success"}
    assert [issue["state"] for issue in github.issues] == ["closed"]


def test_a_stale_plan_stops_and_a_new_one_is_applied_by_hand(github: GitHub, live: Stage) -> None:
    """Main moved between plan and merge: nothing is written, and a plan of main itself goes through."""
    github.open_pull(7, FILES)
    assert github.merge(7).jobs["apply"].result == "success"
    github.open_pull(8, {"prompts/analyst.md": "You answer in rhymes.\n"})
    github.open_pull(9, {"asstops.prod.yaml": "assistants: {analyst: {temperature: 0.5}}\n"})
    assert github.merge(9).jobs["apply"].result == "success"
    live.look_away()
    stale = github.merge(8)
    assert stale.results == {"find": "success", "apply": "failure"}, stale.log
    assert "assistant.analyst: temperature changed in the spec" in stale.log
    assert "::error title=Stale plan::" in stale.log
    assert writes(live) == []

    planned = github.run("plan.yml", "workflow_dispatch")
    assert planned.results == {"validate": "success", "plan": "success"}, planned.log
    assert 8 not in github.comments or len(github.comments[8]) == 1  # a run by hand has nowhere to comment
    for number, why in (("$(false)", "plan-run is no number"), (str(planned.id - 1), "is not a successful plan of")):
        refused(github.run("apply.yml", "workflow_dispatch", inputs={"plan-run": number}), why)
    applied = github.run("apply.yml", "workflow_dispatch", inputs={"plan-run": str(planned.id)})
    assert applied.results == {"find": "success", "apply": "success"}, applied.log
    assert instructions(live) == "You answer in rhymes."

    github.commit({"README.md": "Main went on.\n"})
    refused(github.run("apply.yml", "workflow_dispatch", inputs={"plan-run": str(planned.id)}), "what main is now")


def refused(run: Run, why: str = "is not a whole plan of contoso-sales/prod") -> None:
    assert run.results == {"find": "failure", "apply": "skipped"}, run.log
    assert why in run.log


def test_what_nobody_reviewed_is_not_applied(github: GitHub, live: Stage) -> None:
    """A push without a pull request, a fork's, a plan that failed, and plans that plan.yml does not make."""
    refused(github.run("apply.yml", "push", github.commit(FILES)), "came to main without a pull request")

    foreign = github.open_pull(7, {"prompts/analyst.md": "Hi.\n"}, head_repository=FORK)
    assert foreign.results == {"validate": "success", "plan": "skipped"}
    refused(github.merge(7), "has no plan of its last commit")

    github.open_pull(8, {"prompts/analyst.md": "Hello.\n"})
    github.commit({"asstops.prod.yaml": "assistants: {analyst: {temperature: 20}}\n"}, branch="pull-8")
    failed = github.plan_pull(8)
    assert failed.results == {"validate": "failure", "plan": "failure"}
    assert "asstops.prod.yaml:1" in failed.log
    [comment] = github.comments[8]
    assert f"contoso-sales/prod: no plan of {github.pulls[8]['head']['sha'][:12]}" in comment["body"]
    assert f"actions/runs/{failed.id}" in comment["body"]
    assert "temperature" not in comment["body"]

    github.commit({"asstops.prod.yaml": "assistants: {analyst: {temperature: 0.3}}\n"}, branch="pull-8")
    planned = github.plan_pull(8)
    assert "to add" in comment["body"]
    artifact = planned.artifacts["asstops-plan"]
    inside = Inside(github.folder / f"{planned.id}-plan" / "work", live.environ)
    # Between the look at the plan and its approval somebody has it made again, so it is another file.
    shown = artifact.read_bytes()
    github.between = lambda: artifact.write_bytes(shown + b"\n")
    replaced = github.merge(8)
    assert replaced.results == {"find": "success", "apply": "failure"}, replaced.log
    assert "is not the one that was shown any more" in replaced.log
    github.between = lambda: None
    inside.run("plan", "--env", "prod", "--destroy", "-o", str(artifact))
    refused(github.run("apply.yml", "push"))
    for arguments in (("--env", "prod", "--target", "deployment.gpt-4o"), ()):
        inside.run("plan", *arguments, "-o", str(artifact))
        refused(github.run("apply.yml", "push"))
    artifact.write_text("{}", encoding="utf-8")
    refused(github.run("apply.yml", "push"), "no saved plan")
    del planned.artifacts["asstops-plan"]
    refused(github.run("apply.yml", "push"), "has no plan, or has it no more")
    assert writes(live) == []
