"""What an account may be: which fields a write may hold and change, which names are free.

Owns the rules for the bodies of account writes. It writes nothing.
"""

from __future__ import annotations

import re

from asstops.emulator import accounts, armshape, catalogue, ids, keys
from asstops.emulator.accounts import Account
from asstops.emulator.armshape import PROVIDER, READ_ONLY_ACCOUNT
from asstops.emulator.state import State
from asstops.emulator.wire import Call, Json, Refusal


def require(body: Json) -> None:
    for name, code in (("location", "LocationRequired"), ("kind", "InvalidKind"), ("sku", "InvalidSku")):
        if not body.get(name):
            raise Refusal(400, f"The '{name}' property is required for this type.", code=code, param=name)
    known_location(body["location"])
    known_sku(body["kind"], body["sku"])


def known_location(location: str) -> None:
    if accounts.location_key(location) not in catalogue.LOCATIONS:
        raise Refusal(
            400,
            f"The provided location '{location}' is not available for resource type '{PROVIDER}/accounts'.",
            code="LocationNotAvailableForResourceType",
        )


def known_sku(kind: str, sku: Json) -> None:
    allowed = catalogue.account_skus(kind)
    if not allowed:
        raise Refusal(400, f"The account kind '{kind}' is not known.", code="InvalidKind", param="kind")
    if sku["name"] not in allowed:
        raise Refusal(
            400, f"The SKU '{sku['name']}' is not available for kind '{kind}'; it has {', '.join(allowed)}.",
            code="InvalidSku", param="sku.name",
        )  # fmt: skip


def unchanged(account: Account, body: Json) -> None:
    old = account.body
    if body.get("location") and accounts.location_key(body["location"]) != account.location:
        raise Refusal(
            400,
            f"The resource '{account.name}' already exists in location '{old['location']}' in resource group "
            f"'{account.group}'. A resource with the same name cannot be created in location '{body['location']}'.",
            code="InvalidResourceLocation",
        )
    if body.get("kind") and body["kind"] != old["kind"]:
        raise Refusal(
            400, f"The kind of the account is '{old['kind']}' and cannot be changed to '{body['kind']}'.",
            code="AccountKindNotChangeable", param="kind",
        )  # fmt: skip


def replaced_properties(body: Json, old: Json) -> Json:
    """Return the properties of a PUT: those of the body, and of the old ones what only the service sets."""
    given = {k: v for k, v in (body.get("properties") or {}).items() if v is not None and k != "restore"}
    kept = {k: v for k, v in old.items() if k in READ_ONLY_ACCOUNT or k == "customSubDomainName"}
    sent = {k: v for k, v in given.items() if k not in READ_ONLY_ACCOUNT}
    return {"publicNetworkAccess": "Enabled", **kept, **sent}


def projects_allowed(kind: str, properties: Json) -> None:
    if not properties.get("allowProjectManagement"):
        return
    if kind != "AIServices" or not properties.get("customSubDomainName"):
        raise Refusal(
            400, "Project management needs an account of kind AIServices with a custom subdomain.",
            code="InvalidResourceProperties", param="properties.allowProjectManagement",
        )  # fmt: skip


def change_subdomain(call: Call, account: Account, properties: Json) -> None:
    new, old = properties.get("customSubDomainName"), account.body["properties"].get("customSubDomainName")
    if new is None or new == old:
        return
    if old is not None:
        raise Refusal(
            400, f"The custom subdomain name is '{old}' and cannot be changed.",
            code="CustomSubDomainNameNotChangeable", param="properties.customSubDomainName",
        )  # fmt: skip
    free_subdomain(call, new)
    account.subdomain = new.lower()


def free_subdomain(call: Call, name: str) -> None:
    if not is_subdomain(name):
        raise Refusal(400, f"The subdomain name '{name}' is not valid.", code="CustomDomainInvalid")
    if is_taken(call.state, name):
        raise Refusal(
            409,
            f"Please pick a different name. The subdomain name '{name}' is not available as it's already used by a "
            "resource.",
            code="CustomDomainInUse",
        )


def is_subdomain(name: str) -> bool:
    return 2 <= len(name) <= 64 and re.fullmatch(armshape.SUBDOMAIN, name, re.IGNORECASE) is not None


def is_taken(state: State, subdomain: str) -> bool:
    """Say whether an account, also a soft-deleted one, holds a subdomain."""
    return bool(accounts.select(state, "subdomain = ?", subdomain.lower()))


def without_nulls(sku: Json) -> Json:
    return {name: value for name, value in sku.items() if value is not None}


def new_identity(sent: Json | None, old: Json | None) -> Json | None:
    if not sent or sent["type"] == "None":
        return None
    identity = {k: v for k, v in sent.items() if k in {"type", "userAssignedIdentities"}}
    if "SystemAssigned" in sent["type"]:
        identity["principalId"] = (old or {}).get("principalId") or ids.guid()
        identity["tenantId"] = keys.TENANT_ID
    return identity


def merged_properties(body: Json, old: Json) -> Json:
    """Return the properties after a PATCH; null takes one away, but never the subdomain."""
    given = {k: v for k, v in (body.get("properties") or {}).items() if k not in READ_ONLY_ACCOUNT and k != "restore"}
    merged = {k: v for k, v in {**old, **given}.items() if v is not None}
    merged.setdefault("publicNetworkAccess", "Enabled")
    if "customSubDomainName" in old:
        merged.setdefault("customSubDomainName", old["customSubDomainName"])
    return merged
