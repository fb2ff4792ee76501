"""Model deployments of an account.

API:          Microsoft.CognitiveServices/accounts/deployments, 2025-09-01.
Identity:     the name, which is the spec's key and what `model:` of an assistant means on Azure.
Create-only:  model name and format; a replacement deletes first, since the name can exist only once.
Loose:        the model version, unless pinned with NoAutoUpgrade: Azure moves it by itself.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from asstops.errors import NotFound
from asstops.kinds import tags as tag_rules
from asstops.kinds.base import BuildContext, Kind, Step, register
from asstops.kinds.fields import Bool, Int, SpecModel, Text, TextMap, source_text
from asstops.mark import from_tags, is_ours, to_tags
from asstops.model import Address, Observed, Resource
from asstops.rules import KindRules

if TYPE_CHECKING:
    from asstops.providers.arm import AccountApi
    from asstops.providers.session import Session


class ModelSpec(SpecModel):
    """Which model is deployed."""

    name: Text = Field(description="Model name.", examples=["gpt-4o"])
    version: Text | None = Field(
        None, description="Model version; the service's default when left out.", examples=["2024-11-20"]
    )
    format: Text = Field("OpenAI", description="Publisher format.", examples=["OpenAI"])


class SkuSpec(SpecModel):
    """How much of the model, and billed how."""

    name: Text = Field(description="Deployment type.", examples=["GlobalStandard", "Standard"])
    capacity: Annotated[Int, Field(ge=1)] = Field(
        1, description="Capacity units, thousands of tokens a minute for most models.", examples=[30]
    )


Upgrade = Literal["OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired", "NoAutoUpgrade"]


class DeploymentSpec(SpecModel):
    """A deployed model. The key is the deployment's name, which `model:` of an assistant refers to."""

    reaches_models = False

    model: ModelSpec | None = Field(
        None,
        description="The model; needed unless managed is false.",
        examples=[{"name": "gpt-4o", "version": "2024-11-20"}],
    )
    sku: SkuSpec | None = Field(
        None,
        description="Type and capacity; needed unless managed is false.",
        examples=[{"name": "GlobalStandard", "capacity": 30}],
    )
    version_upgrade: Annotated[Upgrade, BeforeValidator(source_text)] | None = Field(
        None, description="When Azure may move the model to a newer version."
    )
    rai_policy: Text | None = Field(
        None, description="Name of the content filter policy.", examples=["Microsoft.DefaultV2"]
    )
    tags: TextMap = Field(default_factory=dict, description="Azure tags; other tags on the deployment are left alone.")
    managed: Bool = Field(
        True, description="false: the deployment exists by other hands and is never written or deleted."
    )
    protect: Bool = Field(False, description="Refuse to delete or replace it, also after it has left the spec.")


@register
class DeploymentKind(Kind[DeploymentSpec]):
    name = "deployment"
    section = "deployments"
    summary = "model deployment"
    key_pattern = "[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?"
    key_rule = "use 1 to 64 letters, digits and inner dots, hyphens and underscores"
    spec = DeploymentSpec
    plane = "arm"
    rules = KindRules(
        create_only=frozenset({"model.name", "model.format"}),
        caseless=frozenset({"model.name", "model.format", "sku.name", "version_upgrade", "rai_policy"}),
        maps=frozenset({"tags"}),
        defaults={"version_upgrade": "OnceNewDefaultVersionAvailable", "rai_policy": None},
        empty={"rai_policy": ("Microsoft.DefaultV2", "Microsoft.Default")},
        named=True,
    )

    def build(self, key: str, spec: DeploymentSpec, ctx: BuildContext) -> Resource:
        """Flatten model and sku into fields, so that each is compared on its own."""
        tag_rules.check(spec.tags, ctx)
        if spec.managed:
            for field, value in (("model", spec.model), ("sku", spec.sku)):
                if value is None:
                    ctx.problem(
                        f"{field} is missing", (), f"add {field}:, or managed: false for a deployment made elsewhere"
                    )
        body: dict[str, object] = {}
        if spec.model is not None:
            body["model.name"] = spec.model.name
            body["model.format"] = spec.model.format
            if spec.model.version is not None:
                body["model.version"] = spec.model.version
        if spec.sku is not None:
            body["sku.name"] = spec.sku.name
            body["sku.capacity"] = spec.sku.capacity
        if spec.version_upgrade is not None:
            body["version_upgrade"] = spec.version_upgrade
        if spec.rai_policy is not None:
            body["rai_policy"] = spec.rai_policy
        if spec.managed:
            body["tags"] = dict(spec.tags)
        pinned = spec.version_upgrade == "NoAutoUpgrade"
        return Resource(
            address=Address(self.name, key),
            body=body,
            owned=spec.managed,
            protect=spec.protect,
            loose=frozenset() if pinned else frozenset({"model.version"}),
        )

    def observe(self, session: Session, wanted: Sequence[Resource]) -> Iterable[Observed]:
        """All deployments of the account, also other people's: their names are taken."""
        api = session.arm
        if api is None or not session.account_exists:
            return
        spelled = {resource.address.key.lower(): resource.address.key for resource in wanted}
        for item in api.list_deployments():
            name: str = item["name"]
            yield _observed(item, spelled.get(name.lower(), name), api.account)

    def create(self, session: Session, step: Step) -> Observed:
        """PUT and wait until the deployment is ready."""
        api = _arm(session)
        body = _merge({}, step.wanted.body)
        body["tags"] = {**step.wanted.body["tags"], **to_tags(step.mark)}
        name = step.wanted.address.key
        return _observed(api.put_deployment(name, body), name, api.account)

    def update(self, session: Session, step: Step) -> Observed:
        """PATCH where only sku or tags change; otherwise a PUT that carries unmanaged fields over."""
        api, live = _arm(session), step.live
        if live is None:
            raise ValueError("an update needs the live object")
        tags = tag_rules.merged(live.body["tags"], step.wanted.body["tags"], "tags", step.changed)
        tags |= to_tags(step.mark)
        slight = all(path.startswith(("sku.", "tags.")) for path in step.changed)
        if slight and live.ready:
            patch: dict[str, Any] = {"tags": tags}
            if any(path.startswith("sku.") for path in step.changed):
                patch["sku"] = _merge({}, step.wanted.body)["sku"]
            api.patch_deployment(live.remote_id, patch)
            fresh = api.get_deployment(live.remote_id)
            if fresh is None:
                raise NotFound(
                    f"the deployment {live.name} vanished while it was updated", fix="plan again to see what is there"
                )
            return _observed(fresh, live.remote_id, api.account)
        body = _merge(
            _writable(live.raw),
            {p: v for p, v in step.wanted.body.items() if p not in step.wanted.loose or p in step.changed},
        )
        for path, field in (("version_upgrade", "versionUpgradeOption"), ("rai_policy", "raiPolicyName")):
            if path in step.changed and path not in step.wanted.body:
                body["properties"].pop(field, None)
        body["tags"] = tags
        return _observed(api.put_deployment(live.remote_id, body), live.remote_id, api.account)

    def delete(self, session: Session, live: Observed) -> None:
        _arm(session).delete_deployment(live.remote_id)

    def look(self, session: Session, live: Observed) -> Observed | None:
        api = _arm(session)
        item = api.get_deployment(live.remote_id)
        return None if item is None else _observed(item, live.remote_id, api.account)


_READ_ONLY = (
    "provisioningState",
    "capabilities",
    "callRateLimit",
    "rateLimits",
    "dynamicThrottlingEnabled",
    "currentCapacity",
)


def _arm(session: Session) -> AccountApi:
    if session.arm is None:
        raise ValueError("deployments can only be written where the spec names a resource")
    return session.arm


def _writable(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The live object without what the service fills in by itself."""
    body = {key: copy.deepcopy(raw[key]) for key in ("sku", "properties") if key in raw}
    properties = body.setdefault("properties", {})
    for name in _READ_ONLY:
        properties.pop(name, None)
    (properties.get("model") or {}).pop("callRateLimit", None)
    return body


def _merge(base: dict[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Lay the wanted fields over a PUT body."""
    sku = base.setdefault("sku", {})
    properties = base.setdefault("properties", {})
    model = properties.setdefault("model", {})
    if "model.name" in wanted and model.get("name") not in (None, wanted["model.name"]):
        model.pop("version", None)
    for target, path, field in (
        (sku, "sku.name", "name"),
        (sku, "sku.capacity", "capacity"),
        (model, "model.name", "name"),
        (model, "model.format", "format"),
        (model, "model.version", "version"),
        (properties, "version_upgrade", "versionUpgradeOption"),
        (properties, "rai_policy", "raiPolicyName"),
    ):
        if path in wanted:
            target[field] = wanted[path]
    return base


def _observed(item: Mapping[str, Any], name: str, account: str) -> Observed:
    properties = item.get("properties") or {}
    model, sku, tags = properties.get("model") or {}, item.get("sku") or {}, item.get("tags") or {}
    return Observed(
        kind="deployment",
        remote_id=name,
        name=item.get("name", name),
        body={
            "model.name": model.get("name"),
            "model.format": model.get("format"),
            "model.version": model.get("version"),
            "sku.name": sku.get("name"),
            "sku.capacity": sku.get("capacity"),
            "version_upgrade": properties.get("versionUpgradeOption"),
            "rai_policy": properties.get("raiPolicyName"),
            "tags": {key: value for key, value in tags.items() if not is_ours(key)},
        },
        mark=from_tags(tags),
        uses=frozenset({("resource", account)}),
        ready=properties.get("provisioningState", "Succeeded") in ("Succeeded", "Disabled"),
        raw=item,
    )
