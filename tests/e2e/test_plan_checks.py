"""The checks of doctor in a plan: what they say, and how many requests they may cost."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from tests.support.doctoring import Json, asked, deployment, doctor, environment_spec, fault, inside, notices, spec
from tests.support.inside import Inside
from tests.support.stage import Stage

__all__ = ["inside"]


@pytest.mark.parametrize("service", ["agents", "assistants"])
def test_a_plan_says_what_an_apply_would_run_into(stage: Stage, inside: Inside, service: str) -> None:
    many: Mapping[str, Json] = {
        "big": deployment(capacity=300),
        "bigger": deployment(capacity=300),
        "old": deployment(version="2024-05-13"),
        "odd": deployment(sku="Batch"),
    }
    whole = spec(service, deployments=many)
    whole["assistants"]["bot"]["model"] = "big"
    whole["files"]["a"]["path"] = "a.csv"
    stage.write(whole, {"a.csv": "1\n"})
    found = {notice["address"]: notice["message"] for notice in notices(inside)}
    assert found.keys() == {None, "deployment.old", "deployment.odd", "vector_store.docs"}
    assert found[None].startswith(
        "capacity 610 asked by deployment.big, deployment.bigger, deployment.old, 440 left of 450"
    )
    assert "can no longer be deployed" in found["deployment.old"]
    assert "is not offered as Batch" in found["deployment.odd"]
    assert "file_search does not take files of this type: a.csv" in found["vector_store.docs"]
    assert "! deployment.old: gpt-4o 2024-05-13 can no longer be deployed" in inside.run("plan").stdout


@pytest.mark.parametrize("service", ["agents", "assistants"])
def test_the_requests_of_a_plan_are_bounded(stage: Stage, inside: Inside, service: str) -> None:
    """None for an empty plan, or one without anything of Resource Manager; else the same for one and for many."""
    stage.write(spec(service), {"a.md": "text\n"})
    notices(inside)
    first = len(asked(stage))
    assert 0 < first <= 8
    stage.apply()
    stage.look_away()
    inside.run("plan", "--detailed-exitcode")
    assert asked(stage) == []
    whole = spec(service)
    whole["assistants"]["bot"]["instructions"] = "Be brief."
    stage.write(whole)
    stage.look_away()
    inside.run("plan", "--detailed-exitcode", code=2)
    inside.run("plan", "--destroy")
    assert asked(stage) == []
    counts = []
    for number in (1, 5):
        more = {f"d{n}": deployment() for n in range(number)}
        stage.write(spec(service, deployments={**spec(service)["deployments"], **more}))
        stage.look_away()
        assert notices(inside) == []
        counts.append(len(asked(stage)))
    assert counts[0] == counts[1]
    assert 0 < counts[0] <= first


def test_what_a_plan_could_not_check_is_one_notice(stage: Stage, inside: Inside) -> None:
    """And no reason for it to fail, nor to try for long."""
    stage.write(spec("assistants"), {"a.md": "text\n"})
    fault(stage, {"path": "/(permissions|models|usages)$", "status": 403})
    (notice,) = notices(inside)
    assert notice["message"].startswith("not verified: whether you may make and change the account")
    assert "the models, versions and SKUs that swedencentral offers, for deployment.gpt-4o" in notice["message"]
    assert "the quota left in swedencentral" in notice["message"]
    assert notice["address"] is None
    stage.admin("DELETE", "/faults")
    fault(stage, {"path": "/(permissions|models|usages)$", "status": 429, "headers": {"Retry-After": "0"}})
    stage.look_away()
    (notice,) = notices(inside)
    assert "HTTP 429" in notice["message"]
    assert sorted(path.rpartition("/")[2] for path in asked(stage) if path.startswith("GET")) == [
        "Microsoft.CognitiveServices",
        "models",
        "permissions",
        "usages",
    ]


def test_long_instructions(stage: Stage, inside: Inside) -> None:
    """Of an assistant; of an agent no such limit is known."""
    for service, told in (("assistants", ["assistant.bot"]), ("agents", [])):
        whole = environment_spec(service)
        whole["assistants"]["bot"]["instructions"] = "x" * 32_769
        stage.write(whole, {"a.md": "text\n"})
        way = {"AZURE_OPENAI_ENDPOINT": stage.environ["AZURE_OPENAI_ENDPOINT"]}
        assert [each["address"] for each in doctor(inside, **way)["findings"] if each["state"] == "warning"] == told
        found = json.loads(inside.run("plan", "--format", "json", **way).stdout)["notices"]
        assert [each["address"] for each in found if "32,768" in each["message"]] == told


def test_a_plan_looks_at_the_resource_provider(stage: Stage, inside: Inside) -> None:
    stage.write(spec("assistants"), {"a.md": "text\n"})
    fault(
        stage, {"path": "/Microsoft.CognitiveServices$", "status": 200, "body": {"registrationState": "NotRegistered"}}
    )
    (notice,) = notices(inside)
    assert notice["fix"] == "az provider register --namespace Microsoft.CognitiveServices"


def test_a_change_of_capacity_counts_what_is_held(stage: Stage, inside: Inside) -> None:
    stage.write(spec("assistants", deployments={"gpt-4o": deployment(capacity=400)}), {"a.md": "text\n"})
    stage.apply()
    stage.write(spec("assistants", deployments={"gpt-4o": deployment(capacity=440)}))
    assert notices(inside) == []
    stage.write(spec("assistants", deployments={"gpt-4o": deployment(capacity=460)}))
    (notice,) = notices(inside)
    assert notice["message"].startswith("capacity 460 asked, 400 of it held already, 40 left of 450")


def test_a_saved_plan_with_notices_is_carried_out(stage: Stage, inside: Inside) -> None:
    """What was noticed is no part of what is compared. Who is asked to approve is told, who is not is not."""
    stage.write(spec("assistants", deployments={"gpt-4o": deployment("gpt-4-turbo", "2024-04-09", "Standard")}))
    (stage.folder / "a.md").write_text("text\n")
    assert "on its way out" in inside.run("plan", "-o", "saved.plan").stdout
    stage.look_away()
    assert "on its way out" not in inside.run("apply", "saved.plan", "--auto-approve").stdout
    assert asked(stage) == []


def test_who_is_to_approve_is_told(stage: Stage, inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asstops.cli.carry_out.interactive", lambda: True)
    stage.write(spec("assistants", deployments={"gpt-4o": deployment(capacity=500)}), {"a.md": "text\n"})
    assert "capacity 500 asked, 440 left of 450" in inside.run("apply", code=130).stdout
