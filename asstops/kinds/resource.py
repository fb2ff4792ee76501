"""The Azure account that everything else lives in: `resource`.

API:          Microsoft.CognitiveServices/accounts, 2025-09-01, through azure-mgmt-cognitiveservices.
Identity:     subscription, resource group and name.
Create-only:  location, kind, custom subdomain. An account is never replaced: that would delete all it holds.
Limits:       name 2-64 characters; tags of the spec at most 15, since the mark keeps a digest of each in one tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from asstops.errors import Conflict, Forbidden, NotFound, Problem, UnsafePlan
from asstops.kinds import tags as tag_rules
from asstops.kinds.base import BuildContext, Kind, Step, register
from asstops.kinds.fields import Bool, SpecModel, Text, TextMap, source_text
from asstops.mark import from_tags, is_ours, to_tags
from asstops.model import Address, Observed, Resource
from asstops.rules import KindRules

if TYPE_CHECKING:
    from asstops.providers.arm import AccountApi
    from asstops.providers.session import Session

ACCOUNT_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}")
LOOKS = 6
LOOK_PAUSE_S = 0.5
SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")


class ProjectSpec(SpecModel):
    """A Foundry project: what agents, their files and their vector stores live in."""

    reaches_models = False

    name: Text = Field(description="Project name, 2 to 64 characters.", examples=["sales"])
    display_name: Text | None = Field(None, description="Name that people see.", examples=["Sales"])
    description: Text | None = Field(None, description="What it is for.", examples=["Agents of the sales team."])
    managed: Bool = Field(True, description="false: the project exists by other hands and is never written or deleted.")
    tags: TextMap = Field(
        default_factory=dict,
        description="Azure tags; other tags on the project are left alone.",
        examples=[{"team": "sales"}],
    )
    protect: Bool = Field(False, description="Refuse to delete it, also after it has left the spec.")


class ResourceSpec(SpecModel):
    """The Azure account. Leave the section out to use the endpoint in the environment."""

    reaches_models = False

    name: Text = Field(description="Account name, 2 to 64 characters.", examples=["contoso-openai"])
    resource_group: Text = Field(description="Resource group that holds the account.", examples=["rg-contoso"])
    subscription_id: Text | None = Field(
        None, description="Subscription id; AZURE_SUBSCRIPTION_ID when left out.", examples=["${AZURE_SUBSCRIPTION_ID}"]
    )
    location: Text | None = Field(
        None, description="Azure region; needed unless managed is false.", examples=["swedencentral"]
    )
    kind: Annotated[Literal["OpenAI", "AIServices"], BeforeValidator(source_text)] | None = Field(
        None, description="Kind of account: AIServices for agents, which need it, else OpenAI if left out."
    )
    sku: Text = Field("S0", description="Pricing tier.", examples=["S0"])
    custom_subdomain: Text | None = Field(
        None,
        description="Host name of the endpoint, unique in Azure; the account's name when left out.",
        examples=["contoso-openai"],
    )
    managed: Bool = Field(True, description="false: the account exists by other hands and is never written or deleted.")
    restore: Bool = Field(False, description="Bring a soft-deleted account of this name back instead of refusing.")
    tags: TextMap = Field(
        default_factory=dict,
        description="Azure tags; other tags on the account are left alone.",
        examples=[{"team": "sales"}],
    )
    protect: Bool = Field(False, description="Refuse to delete it, also after it has left the spec.")
    project: ProjectSpec | None = Field(
        None, description="The Foundry project in it. Agents only.", examples=[{"name": "sales"}]
    )


ACCOUNT_RULES = KindRules(
    create_only=frozenset({"location", "kind", "custom_subdomain"}),
    caseless=frozenset({"location", "kind", "sku", "custom_subdomain"}),
    maps=frozenset({"tags"}),
    named=True,
    replaceable=False,
)


@register
class ResourceKind(Kind[ResourceSpec]):
    name = "resource"
    section = "resource"
    summary = "Azure OpenAI account"
    single = True
    spec = ResourceSpec
    plane = "arm"
    rules = ACCOUNT_RULES
    lacks: ClassVar[Mapping[str, str]] = {"project": "remove it, or write service: agents, which has projects"}
    default_kind: ClassVar[str] = "OpenAI"

    def build(self, key: str, spec: ResourceSpec, ctx: BuildContext) -> Resource:
        """Check names and tags; an account that is not managed carries no body to compare."""
        if not ACCOUNT_NAME.fullmatch(spec.name):
            ctx.problem(
                f"account name {spec.name!r} is not valid",
                ("name",),
                "use 2 to 64 letters, digits, dots, hyphens or underscores, starting with a letter or digit",
            )
        tag_rules.check(spec.tags, ctx)
        body: dict[str, object] = {}
        if spec.managed:
            if not spec.location:
                ctx.problem(
                    "location is missing", (), "add a region, for example location: swedencentral, or managed: false"
                )
            subdomain = spec.custom_subdomain or spec.name.lower()
            if not SUBDOMAIN.fullmatch(subdomain):
                ctx.problem(
                    f"{subdomain!r} cannot be a host name",
                    ("custom_subdomain",) if spec.custom_subdomain else ("name",),
                    "set custom_subdomain to lower-case letters, digits and hyphens, at most 64 characters",
                )
            body = {
                "location": _region(spec.location or ""),
                "kind": spec.kind or self.default_kind,
                "sku": spec.sku,
                "custom_subdomain": subdomain,
                "tags": dict(spec.tags),
            }
        return Resource(
            address=Address(self.name, key),
            body=body,
            owned=spec.managed,
            protect=spec.protect,
            options={
                "resource_group": spec.resource_group,
                "subscription_id": spec.subscription_id,
                "restore": spec.restore,
            },
        )

    def observe(self, session: Session, wanted: Sequence[Resource]) -> Iterable[Observed]:
        """The one account the spec names. Also learns the data plane's address from it.

        An apply that was cut off may have left it half made: then this waits until it is there.
        """
        api = session.arm
        if api is None:
            return
        account = api.settled_account()
        if account is not None:
            self.located(session, account)
            yield self.read(account, api.account)
            return
        for resource in wanted:
            if resource.owned and not session.destroying:
                self._renamed(session, resource)
            if resource.owned and (deleted := api.get_deleted_account(str(resource.body["location"]))) is not None:
                yield from self._soft_deleted(session, resource, deleted)

    def enrich(self, request: dict[str, Any], step: Step) -> None:
        """Add what a service needs of its accounts to a PUT or a PATCH."""
        return

    def read(self, account: dict[str, Any], name: str) -> Observed:
        """The account as wanted ones are compared with it. `name` as the spec writes it: Azure ignores its case."""
        return _observed(account, name)

    def located(self, session: Session, account: Mapping[str, Any]) -> None:
        """Learn from the account where the data plane is."""
        session.account_exists = True
        properties = account.get("properties") or {}
        endpoints = properties.get("endpoints") or {}
        url = endpoints.get("OpenAI Language Model Instance API") or properties.get("endpoint") or ""
        session.set_endpoint(url, "the account's endpoint")

    def _renamed(self, session: Session, resource: Resource) -> None:
        """Refuse to begin a second account while the stack's first one would be left behind under its old name."""
        try:
            others = _arm(session).list_accounts()
        except Forbidden:
            return  # whoever may not look at the group still may create the account
        for other in others:
            mark = from_tags(other.get("tags"))
            if str(other.get("kind")).lower() != str(resource.body["kind"]).lower():
                continue  # the stack moves to a service that needs another kind of account, and the old one lives on
            if mark is not None and mark.stack == session.stack:
                raise UnsafePlan(
                    [
                        Problem(
                            f"the stack has the account {other['name']} already, and the spec now names "
                            f"{resource.address.key}: an account cannot be renamed",
                            resource.location,
                            "put the old name back, or destroy the stack under its old name first",
                        )
                    ]
                )

    def _soft_deleted(self, session: Session, resource: Resource, deleted: dict[str, Any]) -> Iterable[Observed]:
        """Creating the name again is refused by Azure until the deleted account is restored or purged.

        To a destroy it is gone, unless the destroy is to purge it.
        """
        if session.destroying:
            return (self.read(deleted, resource.address.key),) if session.purge else ()
        if resource.options["restore"]:
            mark = from_tags(deleted.get("tags"))
            if mark is not None and mark.stack != session.stack:
                raise UnsafePlan(
                    [
                        Problem(
                            f"the deleted account {resource.address.key} belongs to the stack {mark.stack!r}, so it "
                            "is not brought back",
                            resource.location,
                            "restore it from that stack's spec, or choose another name",
                        )
                    ]
                )
            session.restoring = True
            return ()
        until = (deleted.get("properties") or {}).get("scheduledPurgeDate", "")
        raise Conflict(
            f"the account {resource.address.key} was deleted, and Azure keeps it and its name "
            + (f"until {until[:16]}" if until else "for 48 hours"),
            at=str(resource.location or resource.address),
            fix="set restore: true on the resource to bring it back with what it held, or remove it for good with "
            "'asstops destroy --purge'",
        )

    def create(self, session: Session, step: Step) -> Observed:
        """PUT, with `restore` when a soft-deleted account comes back; waits until the account is there."""
        body = step.wanted.body
        properties: dict[str, Any] = {"customSubDomainName": body["custom_subdomain"]}
        if session.restoring:
            properties["restore"] = True
        request = {
            "location": body["location"],
            "kind": body["kind"],
            "sku": {"name": body["sku"]},
            "properties": properties,
            "tags": {**body["tags"], **to_tags(step.mark)},
        }
        self.enrich(request, step)
        account = _arm(session).put_account(request)
        self.located(session, account)
        return self.read(account, _arm(session).account)

    def update(self, session: Session, step: Step) -> Observed:
        """PATCH what changed; tags go out whole, with everybody else's carried over."""
        live = _live(step)
        tags = tag_rules.merged(live.body["tags"], step.wanted.body["tags"], "tags", step.changed)
        patch: dict[str, Any] = {"tags": {**tags, **to_tags(step.mark)}}
        if "sku" in step.changed:
            patch["sku"] = {"name": step.wanted.body["sku"]}
        self.enrich(patch, step)
        _arm(session).patch_account(patch)
        account = _arm(session).get_account()
        if account is None:
            raise NotFound(
                f"the account {live.name} vanished while it was updated", fix="plan again to see what is there"
            )
        return self.read(account, live.remote_id)

    def delete(self, session: Session, live: Observed) -> None:
        """Soft delete: Azure keeps the account for 48 hours. With `purge` it is removed for good."""
        api, location = _arm(session), str(live.body["location"])
        was_there = session.purge and api.get_account() is not None
        api.delete_account()
        if not session.purge:
            return
        purged = False
        for attempt in range(LOOKS):  # it may take a moment until Azure has it among the deleted ones
            if api.get_deleted_account(location) is not None:
                api.purge_account(location)
                purged = True
            elif purged or not was_there:
                return
            if attempt or not purged:
                session.limiter.wait(LOOK_PAUSE_S * 2**attempt)
        raise NotFound(
            f"the account {live.name} was deleted, but whether it is purged is not known",
            fix="run 'asstops destroy --purge' again in a minute",
        )

    def look(self, session: Session, live: Observed) -> Observed | None:
        """A soft-deleted account is not there, but a destroy that purges it goes on from what was listed."""
        account = _arm(session).get_account()
        if account is None:
            return live if session.purge else None
        return self.read(account, live.remote_id)


def _arm(session: Session) -> AccountApi:
    if session.arm is None:
        raise ValueError("an account can only be written where the spec names one")
    return session.arm


def _live(step: Step) -> Observed:
    if step.live is None:
        raise ValueError("an update needs the live object")
    return step.live


def _observed(account: dict[str, Any], name: str) -> Observed:
    """`name` as the spec writes it: Azure does not tell names apart by case."""
    properties = account.get("properties") or {}
    tags = account.get("tags") or {}
    return Observed(
        kind="resource",
        remote_id=name,
        name=account.get("name", name),
        body={
            "location": _region(account.get("location", "")),
            "kind": account.get("kind"),
            "sku": (account.get("sku") or {}).get("name"),
            "custom_subdomain": properties.get("customSubDomainName"),
            "tags": {key: value for key, value in tags.items() if not is_ours(key)},
        },
        mark=from_tags(tags),
        ready=properties.get("provisioningState", "Succeeded") == "Succeeded",
        raw=account,
    )


def _region(text: str) -> str:
    """Azure takes `Sweden Central` for `swedencentral` and answers with the latter."""
    return text.replace(" ", "").lower()
