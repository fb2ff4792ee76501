"""The account: fit for what is wanted, free to be made, or neither."""

from __future__ import annotations

from typing import Any

import pytest

from asstops.checks import account
from asstops.checks.facts import Facts
from asstops.checks.findings import Finding, State, Topic, Unread, count, listed, notices
from asstops.model import Address, Notice, Resource

BODY = {"location": "swedencentral", "kind": "OpenAI", "sku": "S0", "custom_subdomain": "contoso", "tags": {}}
WANTED = Resource(Address("resource", "contoso"), BODY, options={"restore": False})
OTHERS = Resource(Address("resource", "contoso"), {}, owned=False)
LIVE: dict[str, Any] = {
    "kind": "OpenAI",
    "location": "Sweden Central",
    "properties": {"customSubDomainName": "contoso", "provisioningState": "Succeeded"},
}
UNREAD = Unread("nobody answered")


def existing(wanted: Resource = WANTED, *, projects: bool = False, key: bool = False, **live: Any) -> list[Finding]:
    properties = {**LIVE["properties"], **live.pop("properties", {})}
    return list(account.existing(wanted, {**LIVE, **live, "properties": properties}, projects=projects, with_key=key))


def only(found: list[Finding]) -> Finding:
    (one,) = found
    return one


def test_an_account_that_is_fit() -> None:
    for wanted in (WANTED, OTHERS):
        one = only(existing(wanted))
        assert (one.state, one.message) == (State.OK, "the account exists: OpenAI in swedencentral")


@pytest.mark.parametrize(
    ("wanted", "options", "text"),
    [
        (WANTED, {"kind": "AIServices"}, "kind is AIServices, the spec says OpenAI"),
        (WANTED, {"location": "westus"}, "location is westus, the spec says swedencentral"),
        (OTHERS, {"projects": True}, "the account is of kind OpenAI, and projects want AIServices"),
        (OTHERS, {"kind": "Face"}, "the account is of kind Face, and the service wants OpenAI or AIServices"),
        (
            OTHERS,
            {"projects": True, "kind": "AIServices", "properties": {"allowProjectManagement": False}},
            "the account takes no projects",
        ),
        (WANTED, {"key": True, "properties": {"disableLocalAuth": True}}, "the account takes no keys"),
        (OTHERS, {"properties": {"customSubDomainName": None}}, "the account has no custom subdomain"),
    ],
)
def test_an_account_that_is_not(wanted: Resource, options: dict[str, Any], text: str) -> None:
    one = only(existing(wanted, **options))
    assert (one.topic, one.state, one.address) == (Topic.ACCOUNT, State.PROBLEM, "resource.contoso")
    assert one.message.startswith(text)
    assert one.fix


def test_what_asstops_itself_mends_is_no_problem() -> None:
    """Of its own account it switches project management on."""
    own = Resource(Address("resource", "contoso"), {**BODY, "kind": "AIServices"})
    assert only(
        existing(own, projects=True, kind="AIServices", properties={"allowProjectManagement": False})
    ).state is (State.OK)
    assert only(existing(properties={"disableLocalAuth": True})).state is State.OK


def test_an_account_in_the_making() -> None:
    assert only(existing(properties={"provisioningState": "Creating"})).state is State.WARNING


@pytest.mark.parametrize(
    ("wanted", "deleted", "state", "text"),
    [
        (WANTED, None, "ok", "the account does not exist yet; apply makes it"),
        (OTHERS, None, "problem", "the account does not exist, and the spec says"),
        (WANTED, UNREAD, "unverified", "whether the name is kept by a soft-deleted account: nobody answered"),
        (WANTED, {}, "problem", "the account was deleted, and Azure keeps it and its name for 48 hours"),
        (
            WANTED,
            {"properties": {"scheduledPurgeDate": "2026-11-22T10:00:00Z"}},
            "problem",
            "the account was deleted, and Azure keeps it and its name until 2026-11-22T10:00",
        ),
        (
            Resource(Address("resource", "contoso"), BODY, options={"restore": True}),
            {},
            "ok",
            "the account is soft-deleted; apply brings it back",
        ),
    ],
)
def test_an_account_that_is_not_there(wanted: Resource, deleted: Any, state: str, text: str) -> None:
    one = only(list(account.missing(wanted, deleted)))
    assert one.state.value == state
    assert one.message.startswith(text)


@pytest.mark.parametrize(
    ("subdomain", "state", "text"),
    [
        ({"isSubdomainAvailable": True}, "ok", "the subdomain contoso is free"),
        ({"isSubdomainAvailable": False, "reason": "used"}, "problem", "the subdomain contoso is not free: used"),
        ({}, "problem", "the subdomain contoso is not free: Azure says that it is not available"),
        (UNREAD, "unverified", "whether the subdomain contoso is free: nobody answered"),
    ],
)
def test_the_subdomain(subdomain: Any, state: str, text: str) -> None:
    one = only(list(account.to_be_made(WANTED, Facts(subdomain=subdomain))))
    assert (one.state.value, one.message) == (state, text)


@pytest.mark.parametrize(
    ("sku", "state", "end"),
    [
        ({"skuAvailable": True}, "ok", " is on offer"),
        ({"skuAvailable": False, "message": "no"}, "problem", " is not on offer: no"),
        ({"skuAvailable": False}, "problem", " is not on offer: Azure gives no reason"),
        ({}, "unverified", ": Azure's answer does not name it"),
        (UNREAD, "unverified", ": nobody answered"),
    ],
)
def test_the_sku_of_an_account(sku: Any, state: str, end: str) -> None:
    one = only(list(account.to_be_made(WANTED, Facts(sku=sku))))
    text = f"the SKU S0 for accounts of kind OpenAI in swedencentral{end}"
    assert (one.state.value, one.message) == (state, text)


def test_what_was_not_asked_is_not_told() -> None:
    assert list(account.to_be_made(WANTED, Facts())) == []
    assert list(account.registered(None)) == []


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("Registered", "ok"),
        ("Registering", "warning"),
        ("NotRegistered", "problem"),
        ("", "problem"),
        (UNREAD, "unverified"),
    ],
)
def test_the_resource_provider(answer: Any, state: str) -> None:
    one = only(list(account.registered(answer)))
    assert one.state.value == state
    assert (one.fix == account.REGISTER) is (state == "problem")


def test_a_plan_tells_problems_and_one_line_of_what_is_unread() -> None:
    found = [
        Finding(Topic.ROLES, State.OK, "fine"),
        Finding(Topic.ROLES, State.PROBLEM, "bad", "resource.a", "mend"),
        Finding(Topic.FILES, State.WARNING, "odd", "vector_store.b"),
        Finding(Topic.FILES, State.UNVERIFIED, "one: why"),
        Finding(Topic.FILES, State.UNVERIFIED, "two: why"),
        Finding(Topic.FILES, State.UNVERIFIED, "one: why"),
    ]
    assert list(notices(found)) == [
        Notice("bad", "resource.a", "mend"),
        Notice("odd", "vector_store.b"),
        Notice("not verified: one: why; two: why", fix="'asstops doctor' says more"),
    ]
    assert list(notices(found[:1])) == []
    assert count(found) == {State.OK: 1, State.WARNING: 1, State.PROBLEM: 1, State.UNVERIFIED: 3}


def test_many_names_are_counted() -> None:
    assert listed(["a", "b"], 2) == "a, b"
    assert listed(["a", "b", "c", "d"], 2) == "a, b and 2 more"
