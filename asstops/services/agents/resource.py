"""The Azure account that projects live in: `resource` of a spec for agents.

API:          as kinds/resource.py.
Needs:        kind AIServices, a custom subdomain, project management switched on, and an identity of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from asstops.kinds.base import BuildContext, Step, register
from asstops.kinds.resource import ACCOUNT_RULES, ResourceKind, ResourceSpec
from asstops.model import Observed, Resource

if TYPE_CHECKING:
    from asstops.providers.session import Session

IDENTITY = "SystemAssigned"


@register
class FoundryAccountKind(ResourceKind):
    summary = "Azure AI Services account"
    rules = replace(ACCOUNT_RULES, caseless=ACCOUNT_RULES.caseless | {"identity"})
    lacks: ClassVar[Mapping[str, str]] = {}
    default_kind = "AIServices"

    def build(self, key: str, spec: ResourceSpec, ctx: BuildContext) -> Resource:
        """As every account, and with what a project needs."""
        if spec.kind not in (None, self.default_kind):
            ctx.problem(
                f"kind is {spec.kind}, and agents live in projects, which need kind AIServices",
                ("kind",),
                "write kind: AIServices under a new account name, since the kind of an account cannot be changed",
            )
        if spec.project is None:
            ctx.problem(
                "project is missing: agents live in a project",
                (),
                "add project: {name: NAME}, with managed: false if it is there already; or leave resource: out and "
                "set FOUNDRY_PROJECT_ENDPOINT",
            )
        resource = super().build(key, spec, ctx)
        if not resource.owned:
            return resource
        return replace(resource, body={**resource.body, "project_management": True, "identity": IDENTITY})

    def enrich(self, request: dict[str, Any], step: Step) -> None:
        if step.live is None or "project_management" in step.changed:
            request.setdefault("properties", {})["allowProjectManagement"] = True
        if step.live is None:
            request["identity"] = {"type": IDENTITY}
        elif "identity" in step.changed:
            theirs = step.live.raw.get("identity") or {}
            named = theirs.get("userAssignedIdentities")
            request["identity"] = {"type": f"{IDENTITY}, UserAssigned" if named else IDENTITY}
            if named:  # other people's stay
                request["identity"]["userAssignedIdentities"] = {name: {} for name in named}

    def read(self, account: dict[str, Any], name: str) -> Observed:
        live = super().read(account, name)
        properties = account.get("properties") or {}
        kinds = str((account.get("identity") or {}).get("type") or "")
        more = {
            "project_management": bool(properties.get("allowProjectManagement")),
            "identity": IDENTITY if IDENTITY.lower() in kinds.lower() else kinds or None,
        }
        return replace(live, body={**live.body, **more})

    def located(self, session: Session, account: Mapping[str, Any]) -> None:
        """The project tells where the data plane is, not the account."""
        session.account_exists = True
        endpoints = (account.get("properties") or {}).get("endpoints") or {}
        session.account_url = str(endpoints.get("OpenAI Language Model Instance API") or "").rstrip("/")
