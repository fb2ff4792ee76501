"""Model, version, SKU, retirement and quota: each finding in each of its states."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from asstops.checks import facts
from asstops.checks.deployments import Asked, check
from asstops.checks.facts import Offer, Usage
from asstops.checks.findings import Finding, State, Unread

TODAY = date(2026, 11, 21)
QUOTA = "OpenAI.GlobalStandard.gpt-4o"
OFFERS = facts.offers(
    {
        "kind": kind,
        "model": {
            "format": "OpenAI",
            "name": "gpt-4o",
            "version": version,
            "isDefaultVersion": version == "2024-11-20",
            "lifecycleStatus": status,
            "deprecation": {"inference": f"{retires}T00:00:00Z"},
            "skus": [{"name": "GlobalStandard", "usageName": QUOTA}, {"name": "Standard", "usageName": "OpenAI.S"}],
        },
    }
    for kind in ("OpenAI", "AIServices")
    for version, status, retires in (
        ("2024-05-13", "Deprecated", "2026-03-31"),
        ("2024-08-06", "Deprecating", "2027-01-15"),
        ("2024-11-20", "GenerallyAvailable", "2028-04-01"),
    )
)
USAGES = {QUOTA.lower(): Usage(440, 450), "openai.s": Usage(0, 5)}
NEW = Asked("deployment.a", "OpenAI", "gpt-4o", "2024-11-20", "GlobalStandard", 10, {})
LIVE = {
    "model.name": "gpt-4o",
    "model.format": "OpenAI",
    "model.version": "2024-11-20",
    "sku.name": "GlobalStandard",
    "sku.capacity": 10,
}


def found(*asked: Asked, offers: Any = OFFERS, usages: Any = USAGES, today: date = TODAY) -> list[Finding]:
    return list(check(asked, offers, usages, kind="OpenAI", location="swedencentral", today=today))


def states(findings: list[Finding]) -> list[str]:
    return [finding.state.value for finding in findings]


def test_all_is_well() -> None:
    """Three findings: on offer, when it retires, the quota; names compare without case."""
    assert [finding.message for finding in found(NEW)] == [
        "gpt-4o 2024-11-20 as GlobalStandard is offered in swedencentral",
        "gpt-4o 2024-11-20 as GlobalStandard retires on 2028-04-01, in 497 days",
        "capacity 10 asked, 10 left of 450 (OpenAI.GlobalStandard.gpt-4o in swedencentral)",
    ]
    assert states(found(NEW)) == ["ok"] * 3
    assert states(found(replace(NEW, name="GPT-4o", sku="globalstandard", format="openai"))) == ["ok"] * 3


@pytest.mark.parametrize(
    ("change", "message", "fix"),
    [
        ({"name": "gpt-9"}, "the model gpt-9 is not offered in swedencentral", "offered: gpt-4o"),
        ({"format": "Other"}, "the model gpt-4o is not offered in swedencentral", "offered: gpt-4o"),
        ({"version": "1"}, "gpt-4o is not offered with version 1 in", "offered: 2024-05-13, 2024-08-06, 2024-11-20"),
        ({"sku": "Batch"}, "gpt-4o 2024-11-20 is not offered as Batch in", "offered: GlobalStandard, Standard"),
    ],
)
def test_what_is_not_offered_is_a_problem(change: dict[str, str], message: str, fix: str) -> None:
    first = found(replace(NEW, **change))[0]
    assert first.state is State.PROBLEM
    assert first.address == "deployment.a"
    assert first.message.startswith(message)
    assert first.fix == fix


def test_what_is_live_goes_on_though_no_longer_offered() -> None:
    """Only making it anew would fail."""
    live = {**LIVE, "sku.name": "Batch"}
    first, *_ = found(replace(NEW, sku="Batch", live=live))
    assert first.state is State.WARNING
    assert "the live deployment goes on" in first.message
    gone = found(replace(NEW, version="1", live={**LIVE, "model.version": "1"}))[0]
    assert gone.state is State.WARNING


def test_offers_of_other_kinds_of_account_do_not_count() -> None:
    others = tuple(offer for offer in OFFERS if offer.kind == "AIServices")
    first = found(NEW, offers=others)[0]
    assert first.state is State.UNVERIFIED
    assert "names no models for accounts of this kind" in first.message


def test_without_a_version_the_default_one_counts() -> None:
    asked = replace(NEW, version="")
    assert found(asked)[0].message == "gpt-4o 2024-11-20 as GlobalStandard is offered in swedencentral"
    no_default = tuple(replace(offer, default=False) for offer in OFFERS)
    assert found(asked, offers=no_default)[0].state is State.PROBLEM


@pytest.mark.parametrize(
    ("days", "state", "text"),
    [
        (91, "ok", "retires on 2028-04-01, in 91 days"),
        (90, "warning", "retires on 2028-04-01, in 90 days"),
        (1, "warning", "retires on 2028-04-01, in 1 day"),
        (0, "problem", "retired on 2028-04-01"),
        (-400, "problem", "retired on 2028-04-01"),
    ],
)
def test_retirement(days: int, state: str, text: str) -> None:
    """A warning within 90 days, a problem from the day itself."""
    retirement = found(NEW, today=date(2028, 4, 1) - timedelta(days=days))[1]
    assert retirement.state.value == state
    assert retirement.message == f"gpt-4o 2024-11-20 as GlobalStandard {text}"


def test_the_day_of_the_sku_goes_before_that_of_the_model() -> None:
    def offer(sku: str | None, model: str | None) -> tuple[Offer, ...]:
        item = {
            "kind": "OpenAI",
            "model": {
                "format": "OpenAI",
                "name": "gpt-4o",
                "version": "2024-11-20",
                "deprecation": {"inference": model, "deprecationStatus": "Tentative"},
                "skus": [{"name": "GlobalStandard", "usageName": QUOTA, "deprecationDate": sku}],
            },
        }
        return facts.offers([item])

    both = found(NEW, offers=offer("2026-12-01T00:00:00Z", "2030-01-01T00:00:00Z"))[1]
    assert both.state is State.WARNING
    assert both.message.endswith("retires on 2026-12-01 (the date may still move), in 10 days")
    assert both.fix == "change to another model"
    assert found(NEW, offers=offer(None, "2026-12-01"))[1].state is State.WARNING
    for nothing in (None, "soon", ""):
        unknown = found(NEW, offers=offer(nothing, nothing))[1]
        assert unknown.state is State.UNVERIFIED
        assert unknown.message.endswith("Azure names no day")


def test_on_its_way_out() -> None:
    """Deprecated: no new deployment. Deprecating, or live already: a warning. The fix names what lasts longer."""
    (blocked, *rest) = found(replace(NEW, version="2024-05-13"))
    assert blocked.state is State.PROBLEM
    assert "can no longer be deployed" in blocked.message
    assert blocked.fix == "change the version to 2024-11-20"
    assert not any("retire" in finding.message for finding in rest)
    live = replace(NEW, version="2024-05-13", live={**LIVE, "model.version": "2024-05-13"})
    assert states(found(live))[:2] == ["warning", "problem"]
    assert states(found(replace(NEW, version="2024-08-06")))[:2] == ["warning", "warning"]


@pytest.mark.parametrize(
    ("capacity", "held", "state", "text"),
    [
        (10, 0, "ok", "capacity 10 asked, 10 left of 450"),
        (11, 0, "problem", "capacity 11 asked, 10 left of 450"),
        (20, 10, "ok", "capacity 20 asked, 10 of it held already, 10 left of 450"),
        (21, 10, "problem", "capacity 21 asked, 10 of it held already, 10 left of 450"),
        (300, 300, "ok", "capacity 300 asked, no more than is held already"),
        (5, 300, "ok", "capacity 5 asked, no more than is held already"),
    ],
)
def test_only_what_comes_on_top_counts(capacity: int, held: int, state: str, text: str) -> None:
    live = {**LIVE, "sku.capacity": held} if held else {}
    quota = found(replace(NEW, capacity=capacity, live=live))[-1]
    assert quota.state.value == state
    assert quota.message.startswith(text)


def test_what_is_held_of_another_quota_does_not_count() -> None:
    asked = replace(NEW, sku="Standard", capacity=6, live={**LIVE, "sku.capacity": 6})
    assert found(asked)[-1].message.startswith("capacity 6 asked, 5 left of 5 (OpenAI.S ")


def test_deployments_share_a_quota() -> None:
    """Each fits alone; together they do not."""
    one, two = replace(NEW, capacity=6), replace(NEW, address="deployment.b", capacity=6)
    quota = found(one, two)[-1]
    assert quota.state is State.PROBLEM
    assert quota.message.startswith("capacity 12 asked by deployment.a, deployment.b, 10 left of 450")
    assert quota.address == ""
    assert found(one, replace(two, sku="Standard", capacity=5))[-1].state is State.OK


def test_a_quota_that_is_not_named_is_unverified() -> None:
    assert found(NEW, usages={})[-1].state is State.UNVERIFIED


@pytest.mark.parametrize("missing", ["offers", "usages"])
@pytest.mark.parametrize("nothing", [Unread("HTTP 403"), None])
def test_what_was_not_read_is_never_ok(missing: str, nothing: Unread | None) -> None:
    """Without the offers, which quota counts is not known either."""
    result = found(NEW, replace(NEW, address="deployment.b"), **{missing: nothing})
    unread = [finding for finding in result if finding.state is State.UNVERIFIED]
    assert len(unread) == (2 if missing == "offers" else 1)
    assert all("deployment.a, deployment.b" in finding.message for finding in unread)
    assert not any("left of" in finding.message for finding in result)


def test_asked_of_a_spec_and_what_is_live() -> None:
    """Azure may have moved the version: then the live one counts. What the spec leaves out is what is live."""
    body = {"model.name": "gpt-4o", "model.format": "OpenAI", "model.version": "2024-08-06", "sku.name": "Standard"}
    body |= {"sku.capacity": 7}
    moved = Asked.of("deployment.a", body, LIVE, moved=True)
    assert (moved.version, moved.sku, moved.capacity) == ("2024-11-20", "Standard", 7)
    assert Asked.of("deployment.a", body, LIVE, moved=False).version == "2024-08-06"
    assert Asked.of("deployment.a", body, None, moved=True).version == "2024-08-06"
    whole = Asked.of("deployment.a", {}, LIVE, moved=True)
    assert (whole.name, whole.version, whole.sku, whole.capacity) == ("gpt-4o", "2024-11-20", "GlobalStandard", 10)


def test_usages_are_read_as_they_come() -> None:
    listed = [
        {"name": {"value": "A.b"}, "limit": 3},
        {"name": None, "limit": 3},
        {"name": {"value": "c"}, "limit": "x"},
    ]
    assert facts.usages(listed) == {"a.b": Usage(0, 3)}
