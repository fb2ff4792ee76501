"""What ARM bodies may hold, and what the ARM files share: tags, SKUs, refusals, async answers.

Owns the contracts of accounts and deployments at api-version 2025-09-01. Read-only fields are accepted and
ignored, since clients send back what they read; unknown ones are refused.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

from asstops.emulator import accounts, armread, checks, keys
from asstops.emulator.accounts import Account
from asstops.emulator.apis.plane_arm import VERSION
from asstops.emulator.checks import Check, any_object, array, boolean, choice, mapping, number, record, string
from asstops.emulator.wire import Call, Json, Refusal, Reply

PROVIDER = "Microsoft.CognitiveServices"
GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers/" + PROVIDER
ACCOUNT = GROUP + "/accounts/{account}"
NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}"
SUBDOMAIN = r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?"

SKU = record(
    {
        "name": string(shortest=1),
        "tier": choice(("Free", "Basic", "Standard", "Premium", "Enterprise"), nullable=True),
        "size": string(nullable=True),
        "family": string(nullable=True),
        "capacity": number(whole=True, nullable=True),
    },
    required=("name",),
)

_ACCOUNT_PROPERTIES: dict[str, Check] = {
    **armread.ACCOUNT,
    "migrationToken": string(nullable=True),
    "customSubDomainName": string(nullable=True),
    "networkAcls": record(
        {
            "defaultAction": choice(("Allow", "Deny")),
            "bypass": choice(("None", "AzureServices")),
            "ipRules": array(record({"value": string()}, required=("value",))),
            "virtualNetworkRules": array(
                record(
                    {"id": string(), "state": string(), "ignoreMissingVnetServiceEndpoint": boolean()},
                    required=("id",),
                )
            ),
        },
        nullable=True,
    ),
    "encryption": record({"keyVaultProperties": any_object, "keySource": string()}, nullable=True),
    "userOwnedStorage": array(record({"resourceId": string(), "identityClientId": string()}), nullable=True),
    "amlWorkspace": record({"resourceId": string(), "identityClientId": string()}, nullable=True),
    "publicNetworkAccess": choice(("Enabled", "Disabled"), nullable=True),
    "apiProperties": any_object,
    "dynamicThrottlingEnabled": boolean(nullable=True),
    "storedCompletionsDisabled": boolean(nullable=True),
    "restrictOutboundNetworkAccess": boolean(nullable=True),
    "allowedFqdnList": array(string(), nullable=True),
    "disableLocalAuth": boolean(nullable=True),
    "restore": boolean(nullable=True),
    "locations": record({"routingMethod": string(), "regions": array(any_object)}, nullable=True),
    "raiMonitorConfig": record({"adxStorageResourceId": string(), "identityClientId": string()}, nullable=True),
    "networkInjections": array(any_object, nullable=True),
    "allowProjectManagement": boolean(nullable=True),
    "defaultProject": string(nullable=True),
    "associatedProjects": array(string(), nullable=True),
}  # fmt: skip
READ_ONLY_ACCOUNT = frozenset(armread.ACCOUNT)

TAGS = mapping(string(), nullable=True)
IDENTITY = record(
    {
        "type": choice(("None", "SystemAssigned", "UserAssigned", "SystemAssigned, UserAssigned")),
        "tenantId": string(nullable=True),
        "principalId": string(nullable=True),
        "userAssignedIdentities": any_object,
    },
    required=("type",),  # the documents mark nothing as required; without a type there is nothing to assign
    nullable=True,
)
ACCOUNT_BODY = record(
    {
        **armread.COMMON,
        "kind": string(),
        "sku": SKU,
        "identity": IDENTITY,
        "tags": TAGS,
        "location": string(),
        "properties": record(_ACCOUNT_PROPERTIES, nullable=True),
    }
)

MODEL = record(
    {
        "publisher": string(nullable=True),
        "format": string(),
        "name": string(),
        "version": string(nullable=True),
        "source": string(nullable=True),
        "sourceAccount": string(nullable=True),
        "callRateLimit": armread.CALL_RATE_LIMIT,
    },
    required=("format", "name"),
)
DEPLOYMENT_BODY = record(
    {
        **armread.COMMON,
        "sku": SKU,
        "tags": TAGS,
        "properties": record(
            {
                **armread.DEPLOYMENT,
                "model": MODEL,
                "scaleSettings": record(
                    {
                        "scaleType": string(),
                        "capacity": number(whole=True),
                        "activeCapacity": number(whole=True, nullable=True),
                    }
                ),
                "raiPolicyName": string(nullable=True),
                "versionUpgradeOption": choice(
                    ("OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired", "NoAutoUpgrade"), nullable=True
                ),
                "currentCapacity": number(whole=True, nullable=True),
                "capacitySettings": any_object,
                "parentDeploymentName": string(nullable=True),
                "spilloverDeploymentName": string(nullable=True),
            },
            required=("model",),
        ),
    },
    required=("properties", "sku"),
)
TAGS_AND_SKU = record({"tags": TAGS, "sku": SKU})


def body_of(call: Call, check: Check) -> Json:
    body = call.json()
    check(body, "")
    tags = body.get("tags")
    if tags:
        _limit_tags(tags)
    return body


def _limit_tags(tags: dict[str, str]) -> None:
    if len(tags) > 50:
        raise Refusal(400, f"The number of tags is {len(tags)}, the maximum is 50.", code="InvalidTags")
    for name, value in tags.items():
        if len(name) > 512 or len(value) > 256:
            raise Refusal(
                400,
                f"The tag '{name[:64]}' is too long: a name has at most 512 characters, a value at most 256.",
                code="InvalidTags",
            )
        if not name or set(name) & set("<>%&\\?/"):
            raise Refusal(
                400, f"The tag name '{name}' is empty or has one of <>%&\\?/.", code="InvalidTagNameCharacters"
            )
    if len({name.lower() for name in tags}) < len(tags):
        raise Refusal(400, "Tag names must be unique; they are case-insensitive.", code="DuplicateTagNames")


def stamp(moment: float) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def etag(moment: float) -> str:
    return f"W/\"datetime'{stamp(moment).replace(':', '%3A')}'\""


def system_data(call_now: float, old: Json | None = None) -> Json:
    created = old or {"createdBy": keys.PRINCIPAL_ID, "createdByType": "Application", "createdAt": stamp(call_now)}
    return {
        **created,
        "lastModifiedBy": keys.PRINCIPAL_ID,
        "lastModifiedByType": "Application",
        "lastModifiedAt": stamp(call_now),
    }


def account_id(call: Call, account: Account) -> str:
    subscription = call.state.settings.subscription_id
    return f"/subscriptions/{subscription}/resourceGroups/{account.group}/providers/{PROVIDER}/accounts/{account.name}"


def live_account(call: Call, *, parent: bool = False) -> Account:
    """Return the account that the path names; `parent` words the refusal for a child that is being written."""
    group, name = call.params["group"], call.params["account"]
    account = accounts.find(call.state, group, name)
    if account is None or account.deleted_at is not None:
        raise (
            missing(group, f"accounts/{name}")
            if not parent
            else Refusal(
                404,
                f"Failed to perform 'write' on resource(s) of type 'accounts/deployments', because the parent resource "
                f"'/subscriptions/{call.state.settings.subscription_id}/resourceGroups/{group}/providers/{PROVIDER}/"
                f"accounts/{name}' could not be found.",
                code="ParentResourceNotFound",
            )
        )
    call.account_name = account.name
    return account


def missing(group: str, what: str) -> Refusal:
    return Refusal(
        404,
        f"The Resource '{PROVIDER}/{what}' under resource group '{group}' was not found.",
        code="ResourceNotFound",
    )


def free(call: Call, account: Account) -> None:
    """Refuse a write while another one is under way."""
    if accounts.is_busy(call.state, account.row):
        raise conflict(call)


def conflict(call: Call) -> Refusal:
    given = call.state.on("conflict_retry_after") == "given"
    return Refusal(
        409,
        "Another operation is being performed on the parent resource. Please try again later.",
        code="RequestConflict",
        headers={"retry-after": "1"} if given else {},
    )


def started(call: Call, account: Account, operation: str, body: Json | None, status: int) -> Reply:
    """Answer that an operation has begun, with the headers by which clients follow it."""
    base = (
        f"{call.state.url}/subscriptions/{call.state.settings.subscription_id}/providers/{PROVIDER}"
        f"/locations/{account.location}"
    )
    headers = {}
    polling = call.state.on("arm_polling")
    if polling == "async_operation" or (status == 202 and polling == "body"):
        # A 202 must say where to look, whatever the switch wants of other answers.
        headers["azure-asyncoperation"] = f"{base}/operationStatuses/{operation}?api-version={VERSION}"
    elif polling == "location":
        headers["location"] = f"{base}/operationResults/{operation}?api-version={VERSION}"
    return Reply(body, status, headers)


def paged(call: Call, values: list[Json]) -> Reply:
    """Return a page of a list, with nextLink where there is more."""
    text = call.one("$skipToken") or "0"
    if not re.fullmatch(r"[0-9]{1,18}", text):  # isdigit() takes more than int() does
        raise Refusal(400, f"The skip token '{text}' is not valid.", code="InvalidSkipToken")
    start, size = int(text), call.state.settings.arm_page_size
    answer: dict[str, Any] = {"value": values[start : start + size]}
    if len(values) > start + size:
        answer["nextLink"] = f"{call.state.url}{call.path}?api-version={VERSION}&$skipToken={start + size}"
    return Reply(answer)


def check_name(name: str, pattern: str, what: str) -> None:
    checks.string(pattern=pattern)(name, what)
