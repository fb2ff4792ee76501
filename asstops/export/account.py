"""The account, the project in it and its deployments -> the sections `resource:` and `deployments:`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asstops.export.choice import Choice
from asstops.export.texts import plain_text
from asstops.kinds.base import Kind
from asstops.migrate.emit import literal
from asstops.migrate.metadata import kept_pairs
from asstops.migrate.report import Ledger, listed
from asstops.model import Observed

MAX_TAGS = 15
TAG_LENGTHS = (512, 256)
_UPGRADES = ("OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired", "NoAutoUpgrade")
_DEFAULT_FILTERS = ("Microsoft.DefaultV2", "Microsoft.Default")
_DEFAULT_FORMAT = "OpenAI"


@dataclass(frozen=True, slots=True)
class Place:
    """Where live is, as the spec that led there says, and the two as they are. `own`: they are to be the stack's."""

    resource_group: str
    subscription_id: str
    account: Observed
    project: Observed | None = None
    own: bool = False


def resource(place: Place, ledger: Ledger) -> dict[str, Any]:
    """The section `resource:`."""
    account, body = place.account, place.account.body
    address = f"resource.{account.remote_id}"
    made: dict[str, Any] = {"name": literal(account.remote_id), "resource_group": literal(place.resource_group)}
    if place.subscription_id:
        made["subscription_id"] = literal(place.subscription_id)
    if _may_own(account, place, address, ledger):
        made |= {field: literal(str(body[field])) for field in ("location", "kind", "sku") if body.get(field)}
        subdomain = body.get("custom_subdomain")
        if subdomain and subdomain != account.remote_id.lower():
            made["custom_subdomain"] = literal(str(subdomain))
        made |= _tags(body, address, ledger)
        ledger.kept(address, *made)
    else:
        made["managed"] = False
    if place.project is not None:
        made["project"] = _project(place.project, place, ledger)
    return made


def _project(project: Observed, place: Place, ledger: Ledger) -> dict[str, Any]:
    address = f"project.{project.remote_id}"
    made: dict[str, Any] = {"name": literal(project.remote_id)}
    if not _may_own(project, place, address, ledger):
        return {**made, "managed": False}
    for field in ("display_name", "description"):
        if text := plain_text(project.body.get(field), field, 10_000, address, ledger):
            made[field] = literal(text)
    made |= _tags(project.body, address, ledger)
    ledger.kept(address, *made)
    return made


def _may_own(item: Observed, place: Place, address: str, ledger: Ledger) -> bool:
    if place.own and item.mark is not None:
        told = f"it belongs to the stack {item.mark.stack}, so the spec says managed: false"
        ledger.changed(address, "", told)
    return place.own and item.mark is None


def deployments(
    choice: Choice, known: Sequence[Observed], kind: Kind[Any], ledger: Ledger
) -> dict[str, dict[str, Any]]:
    """The section `deployments:`; empty where it would make a `model:` an error that is live and well."""
    used = {str(item.body.get("model")): item.remote_id for item in choice.assistants}
    valid = {item.remote_id for item in known if re.fullmatch(kind.key_pattern, item.remote_id)}
    strange = sorted(model for model in used if model not in valid)
    if strange:
        told = f"no deployment of the account can be {listed(strange)}, which {used[strange[0]]} names for its model; "
        fix = "declare them by hand once every model: names one"
        ledger.lost("(deployments)", "", told + "so deployments: is left out, which takes any model", fix)
        return {}
    made: dict[str, dict[str, Any]] = {}
    for item in known:
        if ("deployment", item.remote_id) in choice.referred:
            made[item.remote_id] = {"managed": False}
        elif item in choice.deployments and item.remote_id not in valid:
            ledger.lost(f"({item.remote_id})", "", "a deployment whose name no spec can have is left out")
        elif item in choice.deployments:
            made[item.remote_id] = _deployment(item, ledger)
    return made


def _deployment(item: Observed, ledger: Ledger) -> dict[str, Any]:
    body, address = item.body, f"deployment.{item.remote_id}"
    model = {"name": body.get("model.name"), "version": body.get("model.version")}
    if body.get("model.format") != _DEFAULT_FORMAT:
        model["format"] = body.get("model.format")
    sku = {"name": _said(body.get("sku.name")), "capacity": body.get("sku.capacity")}
    made: dict[str, Any] = {"model": _given({name: _said(value) for name, value in model.items()}), "sku": _given(sku)}
    upgrade = body.get("version_upgrade")
    if upgrade in _UPGRADES:
        made["version_upgrade"] = upgrade
    elif upgrade is not None:
        ledger.lost(address, "version_upgrade", f"it is {str(upgrade)[:60]!r}; it is left out and stays as it is")
    if (policy := body.get("rai_policy")) and policy not in _DEFAULT_FILTERS:
        made["rai_policy"] = _said(policy)
    made |= _tags(body, address, ledger)
    ledger.kept(address, *made)
    return made


def _tags(body: Mapping[str, Any], address: str, ledger: Ledger) -> dict[str, Any]:
    tags = body.get("tags")
    pairs = kept_pairs(tags, address, ledger, most=MAX_TAGS, field="tags", lengths=TAG_LENGTHS)
    return {"tags": pairs} if pairs else {}


def _said(value: Any) -> Any:
    return literal(value) if isinstance(value, str) else value


def _given(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item for name, item in value.items() if item is not None}
