"""What ARM's read-only fields look like at api-version 2025-09-01.

Clients send back what they read, so these fields are accepted and ignored; what no answer can hold is refused.
"""

from __future__ import annotations

from asstops.emulator.checks import Check, array, boolean, mapping, number, record, string

_TEXT, _NUMBER, _FLAG = string(nullable=True), number(nullable=True), boolean(nullable=True)
_MOMENT = string(pattern=r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", nullable=True)
_MAP = mapping(string(), nullable=True)
_RULES = array(
    record(
        {
            "key": _TEXT,
            "renewalPeriod": _NUMBER,
            "count": _NUMBER,
            "minCount": _NUMBER,
            "dynamicThrottlingEnabled": _FLAG,
            "matchPatterns": array(record({"path": _TEXT, "method": _TEXT}), nullable=True),
        }
    ),
    nullable=True,
)
_LIMIT = record({"count": _NUMBER, "renewalPeriod": _NUMBER, "rules": _RULES}, nullable=True)
_SYSTEM_DATA = record(
    {
        **dict.fromkeys(("createdBy", "createdByType", "lastModifiedBy", "lastModifiedByType"), _TEXT),
        **dict.fromkeys(("createdAt", "lastModifiedAt"), _MOMENT),
    },
    nullable=True,
)
COMMON: dict[str, Check] = {**dict.fromkeys(("id", "name", "type", "etag"), _TEXT), "systemData": _SYSTEM_DATA}
_ENDPOINT_CONNECTION = record(
    {
        **COMMON,
        "location": _TEXT,
        "properties": record(
            {
                "privateEndpoint": record({"id": _TEXT}, nullable=True),
                "privateLinkServiceConnectionState": record(
                    dict.fromkeys(("status", "description", "actionsRequired"), _TEXT), nullable=True
                ),
                "provisioningState": _TEXT,
                "groupIds": array(string(), nullable=True),
            },
            nullable=True,
        ),
    }
)
CALL_RATE_LIMIT = _LIMIT
ACCOUNT: dict[str, Check] = {
    **dict.fromkeys(
        ("provisioningState", "endpoint", "internalId", "dateCreated", "deletionDate", "scheduledPurgeDate"), _TEXT
    ),
    "capabilities": array(record({"name": _TEXT, "value": _TEXT}), nullable=True),
    "isMigrated": _FLAG,
    "skuChangeInfo": record(
        {"countOfDowngrades": _NUMBER, "countOfUpgradesAfterDowngrades": _NUMBER, "lastChangeDate": _TEXT},
        nullable=True,
    ),
    "privateEndpointConnections": array(_ENDPOINT_CONNECTION, nullable=True),
    "callRateLimit": _LIMIT,
    "quotaLimit": _LIMIT,
    "endpoints": _MAP,
    "commitmentPlanAssociations": array(
        record({"commitmentPlanId": _TEXT, "commitmentPlanLocation": _TEXT}), nullable=True
    ),
    "abusePenalty": record({"action": _TEXT, "rateLimitPercentage": _NUMBER, "expiration": _MOMENT}, nullable=True),
}
DEPLOYMENT: dict[str, Check] = {
    "provisioningState": _TEXT,
    "capabilities": _MAP,
    "callRateLimit": _LIMIT,
    "rateLimits": _RULES,
    "dynamicThrottlingEnabled": _FLAG,
}
PROJECT: dict[str, Check] = {"provisioningState": _TEXT, "endpoints": _MAP, "isDefault": _FLAG}
