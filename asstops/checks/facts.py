"""What Azure Resource Manager said, in a form of ours. Pure; takes JSON as it came, and leaves out what makes no sense.

Shapes: Model, ModelSku, ModelDeprecationInfo and Usage of Microsoft.CognitiveServices 2025-09-01; Permission of
Microsoft.Authorization 2022-04-01.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from asstops.checks.findings import Unread

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Permission:
    """What one role assignment allows: actions with `*` for any text, and those taken out again."""

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sku:
    """How a model can be deployed. `usage` names its quota, "" where none is named."""

    name: str
    usage: str = ""
    retires: date | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """One version of a model in a region. `status` is its lifecycleStatus, `tentative` that the date may move."""

    kind: str
    format: str
    name: str
    version: str
    default: bool = False
    status: str = ""
    retires: date | None = None
    tentative: bool = False
    skus: tuple[Sku, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """A quota: how much there is and how much of it is used, in units of capacity."""

    used: float
    limit: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What was asked about before anything is made. None: it was not asked. `permissions` are by scope."""

    permissions: Mapping[str, tuple[Permission, ...] | Unread] = field(default_factory=dict)
    registration: str | Unread | None = None
    subdomain: Json | Unread | None = None
    sku: Json | Unread | None = None
    offers: tuple[Offer, ...] | Unread | None = None
    usages: Mapping[str, Usage] | Unread | None = None


def permissions(listed: Iterable[Json]) -> tuple[Permission, ...]:
    return tuple(
        Permission(*(_texts(item.get(name)) for name in ("actions", "notActions", "dataActions", "notDataActions")))
        for item in listed
    )


def offers(listed: Iterable[Json]) -> tuple[Offer, ...]:
    return tuple(_offer(item) for item in listed)


def usages(listed: Iterable[Json]) -> dict[str, Usage]:
    """By the name that a SKU names its quota with, lower-cased."""
    found: dict[str, Usage] = {}
    for item in listed:
        name, limit = (item.get("name") or {}).get("value"), item.get("limit")
        if isinstance(name, str) and isinstance(limit, (int, float)):
            found[name.lower()] = Usage(float(item.get("currentValue") or 0), float(limit))
    return found


def _offer(item: Json) -> Offer:
    model = item.get("model") or {}
    deprecation = model.get("deprecation") or {}
    return Offer(
        kind=str(item.get("kind") or ""),
        format=str(model.get("format") or ""),
        name=str(model.get("name") or ""),
        version=str(model.get("version") or ""),
        default=bool(model.get("isDefaultVersion")),
        status=str(model.get("lifecycleStatus") or ""),
        retires=_day(deprecation.get("inference")),
        tentative=str(deprecation.get("deprecationStatus") or "").lower() == "tentative",
        skus=tuple(
            Sku(str(sku.get("name") or ""), str(sku.get("usageName") or ""), _day(sku.get("deprecationDate")))
            for sku in model.get("skus") or ()
        ),
    )


def _day(text: object) -> date | None:
    """The day of a moment such as 2028-04-01T00:00:00Z; None for what is none."""
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
