"""The account: there and fit for what is wanted of it, or free to be made. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from asstops.checks.facts import Facts
from asstops.checks.findings import Finding, State, Topic, Unread, unverified
from asstops.model import Resource

Json = Mapping[str, Any]
REGISTER = "az provider register --namespace Microsoft.CognitiveServices"


def existing(wanted: Resource, account: Json, *, projects: bool, with_key: bool) -> Iterator[Finding]:
    """An account that is there. `projects`: it is to hold one."""
    properties, address = account.get("properties") or {}, str(wanted.address)
    kind, place = str(account.get("kind") or ""), _region(account.get("location"))
    wrong = []
    for field, live in (("location", place), ("kind", kind)):
        asked = wanted.body.get(field)
        if asked is not None and _region(asked) != _region(live):
            wrong.append(
                Finding(
                    Topic.ACCOUNT,
                    State.PROBLEM,
                    f"{field} is {live}, the spec says {asked}; it cannot be changed on an account",
                    address,
                    f"write {field}: {live}, or choose another account name",
                )
            )
    fit = ("AIServices",) if projects else ("OpenAI", "AIServices")
    if not wanted.owned and kind.lower() not in {name.lower() for name in fit}:
        text = f"the account is of kind {kind}, and {'projects want' if projects else 'the service wants'} " + (
            " or ".join(fit)
        )
        wrong.append(Finding(Topic.ACCOUNT, State.PROBLEM, text, address, f"name an account of kind {fit[0]}"))
    if not wanted.owned and projects and properties.get("allowProjectManagement") is False:
        fix = "have its owner switch on project management, or name another account"
        text = "the account takes no projects: allowProjectManagement is false"
        wrong.append(Finding(Topic.ACCOUNT, State.PROBLEM, text, address, fix))
    if with_key and properties.get("disableLocalAuth"):
        fix = "unset AZURE_OPENAI_API_KEY and sign in with 'az login'"
        wrong.append(Finding(Topic.ACCOUNT, State.PROBLEM, "the account takes no keys", address, fix))
    if not with_key and not properties.get("customSubDomainName") and "custom_subdomain" not in wanted.body:
        text, fix = "the account has no custom subdomain, and sign-in with Entra ID wants one", "give it one"
        wrong.append(Finding(Topic.ACCOUNT, State.PROBLEM, text, address, fix))
    state = str(properties.get("provisioningState") or "Succeeded")
    if state != "Succeeded":
        text = f"the account is in the state {state}"
        wrong.append(Finding(Topic.ACCOUNT, State.WARNING, text, address, "wait until Azure is done with it"))
    yield from wrong
    if not wrong:
        yield Finding(Topic.ACCOUNT, State.OK, f"the account exists: {kind} in {place}", address)


def missing(wanted: Resource, deleted: Json | Unread | None) -> Iterator[Finding]:
    """An account that is not there. `deleted` is the soft-deleted one of its name, None for none."""
    address = str(wanted.address)
    if not wanted.owned:
        text = "the account does not exist, and the spec says that asstops must not create it (managed: false)"
        fix = "correct the name, the resource group or the subscription; or let asstops manage it"
        yield Finding(Topic.ACCOUNT, State.PROBLEM, text, address, fix)
    elif isinstance(deleted, Unread):
        yield unverified(Topic.ACCOUNT, "whether the name is kept by a soft-deleted account", deleted, address)
    elif deleted is None:
        yield Finding(Topic.ACCOUNT, State.OK, "the account does not exist yet; apply makes it", address)
    elif wanted.options.get("restore"):
        yield Finding(Topic.ACCOUNT, State.OK, "the account is soft-deleted; apply brings it back", address)
    else:
        until = str((deleted.get("properties") or {}).get("scheduledPurgeDate") or "")[:16]
        text = "the account was deleted, and Azure keeps it and its name " + (
            f"until {until}" if until else "for 48 hours"
        )
        fix = "set restore: true on the resource to bring it back, or remove it for good with 'asstops destroy --purge'"
        yield Finding(Topic.ACCOUNT, State.PROBLEM, text, address, fix)


def to_be_made(wanted: Resource, facts: Facts) -> Iterator[Finding]:
    """What a new account takes: its subdomain free, its SKU on offer."""
    address, body = str(wanted.address), wanted.body
    name = str(body.get("custom_subdomain"))
    if isinstance(facts.subdomain, Unread):
        yield unverified(Topic.ACCOUNT, f"whether the subdomain {name} is free", facts.subdomain, address)
    elif facts.subdomain is not None and facts.subdomain.get("isSubdomainAvailable") is True:
        yield Finding(Topic.ACCOUNT, State.OK, f"the subdomain {name} is free", address)
    elif facts.subdomain is not None:
        why = str(facts.subdomain.get("reason") or "Azure says that it is not available")
        fix = (
            "choose another custom_subdomain; where a deleted account of yours holds it, purge that: "
            "az cognitiveservices account list-deleted"
        )
        yield Finding(Topic.ACCOUNT, State.PROBLEM, f"the subdomain {name} is not free: {why}", address, fix)
    what = f"the SKU {body.get('sku')} for accounts of kind {body.get('kind')} in {body.get('location')}"
    if isinstance(facts.sku, Unread):
        yield unverified(Topic.ACCOUNT, what, facts.sku, address)
    elif facts.sku is not None and "skuAvailable" not in facts.sku:
        yield unverified(Topic.ACCOUNT, what, Unread("Azure's answer does not name it"), address)
    elif facts.sku is not None and facts.sku["skuAvailable"] is True:
        yield Finding(Topic.ACCOUNT, State.OK, f"{what} is on offer", address)
    elif facts.sku is not None:
        why = str(facts.sku.get("message") or facts.sku.get("reason") or "Azure gives no reason")
        fix = "choose another sku or location"
        yield Finding(Topic.ACCOUNT, State.PROBLEM, f"{what} is not on offer: {why}", address, fix)


def registered(state: str | Unread | None) -> Iterator[Finding]:
    """Whether the subscription knows the resource provider."""
    if state is None:
        return
    what = "the resource provider Microsoft.CognitiveServices"
    if isinstance(state, Unread):
        yield unverified(Topic.ACCOUNT, f"whether {what} is registered", state)
    elif state == "Registered":
        yield Finding(Topic.ACCOUNT, State.OK, f"{what} is registered")
    elif state == "Registering":
        yield Finding(Topic.ACCOUNT, State.WARNING, f"{what} is being registered", fix="wait a few minutes")
    else:
        yield Finding(Topic.ACCOUNT, State.PROBLEM, f"{what} is not registered ({state or 'no state'})", fix=REGISTER)


def _region(text: object) -> str:
    return str(text or "").replace(" ", "").lower()
