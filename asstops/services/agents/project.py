"""The Foundry project that agents, files and vector stores live in.

API:          Microsoft.CognitiveServices/accounts/projects, 2025-09-01, through azure-mgmt-cognitiveservices.
Identity:     the name inside its account.
Deleting:     takes everything in it along; an account cannot be deleted while it has projects.
Limits:       name 2-64 characters; tags as on accounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from asstops.errors import NotFound, Problem, UnsafePlan
from asstops.kinds import tags as tag_rules
from asstops.kinds.base import BuildContext, Kind, Step, register
from asstops.kinds.resource import ACCOUNT_NAME, ProjectSpec
from asstops.mark import from_tags, is_ours, to_tags
from asstops.model import Address, Observed, Resource
from asstops.rules import KindRules

if TYPE_CHECKING:
    from asstops.providers.arm import AccountApi
    from asstops.providers.session import Session

_FIELDS = {"display_name": "displayName", "description": "description"}
ENDPOINT = "AI Foundry API"


@register
class ProjectKind(Kind[ProjectSpec]):
    name = "project"
    section = "project"
    summary = "Foundry project"
    single = True
    within = "resource"
    spec = ProjectSpec
    plane = "arm"
    rules = KindRules(
        maps=frozenset({"tags"}),
        defaults={"display_name": None, "description": None},
        empty={"display_name": ("",), "description": ("",)},
        named=True,
        replaceable=False,
    )

    def build(self, key: str, spec: ProjectSpec, ctx: BuildContext) -> Resource:
        """Check name and tags; a project that is not managed carries no body to compare."""
        if not ACCOUNT_NAME.fullmatch(spec.name):
            ctx.problem(
                f"project name {spec.name!r} is not valid",
                ("name",),
                "use 2 to 64 letters, digits, dots, hyphens or underscores, starting with a letter or digit",
            )
        tag_rules.check(spec.tags, ctx)
        body: dict[str, object] = {}
        if spec.managed:
            body = {field: value for field in _FIELDS if (value := getattr(spec, field)) is not None}
            body["tags"] = dict(spec.tags)
        return Resource(address=Address(self.name, key), body=body, owned=spec.managed, protect=spec.protect)

    def observe(self, session: Session, wanted: Sequence[Resource]) -> Iterable[Observed]:
        """All projects of the account, also other people's. Also learns the data plane's address from the one wanted.

        An apply that was cut off may have left it half made: then this waits until it is there.
        """
        api = session.arm
        if api is None or not session.account_exists:
            return
        spelled = {resource.address.key.lower(): resource.address.key for resource in wanted}
        projects = api.settled_projects()
        for resource in wanted:
            _refuse_another(resource, projects, session.stack)
        for item in projects:
            name = _name_of(item)
            if name.lower() in spelled:
                _located(session, item)
            yield _observed(item, spelled.get(name.lower(), name), api.account)

    def create(self, session: Session, step: Step) -> Observed:
        """PUT with an identity of its own, and wait until the project is there."""
        api, body, name = _arm(session), step.wanted.body, step.wanted.address.key
        account = api.get_account() or {}
        request: dict[str, Any] = {
            "location": account.get("location"),
            "identity": {"type": "SystemAssigned"},
            "properties": {wire: body[field] for field, wire in _FIELDS.items() if field in body},
            "tags": {**body["tags"], **to_tags(step.mark)},
        }
        project = api.put_project(name, request)
        _located(session, project)
        return _observed(project, name, api.account)

    def update(self, session: Session, step: Step) -> Observed:
        """PATCH what changed; tags go out whole, with everybody else's carried over."""
        api, live, body = _arm(session), step.live, step.wanted.body
        if live is None:
            raise ValueError("an update needs the live object")
        tags = tag_rules.merged(live.body["tags"], body["tags"], "tags", step.changed)
        properties = {wire: body.get(field) or "" for field, wire in _FIELDS.items() if field in step.changed}
        patch: dict[str, Any] = {"tags": {**tags, **to_tags(step.mark)}}
        api.patch_project(live.remote_id, patch | ({"properties": properties} if properties else {}))
        fresh = api.get_project(live.remote_id)
        if fresh is None:
            raise NotFound(
                f"the project {live.name} vanished while it was updated", fix="plan again to see what is there"
            )
        return _observed(fresh, live.remote_id, api.account)

    def delete(self, session: Session, live: Observed) -> None:
        _arm(session).delete_project(live.remote_id)

    def look(self, session: Session, live: Observed) -> Observed | None:
        api = _arm(session)
        item = api.get_project(live.remote_id)
        return None if item is None else _observed(item, live.remote_id, api.account)


def _arm(session: Session) -> AccountApi:
    if session.arm is None:
        raise ValueError("a project can only be written where the spec names a resource")
    return session.arm


def _refuse_another(resource: Resource, projects: Sequence[dict[str, Any]], stack: str) -> None:
    """Refuse to begin a second project while the stack's first one, and all that is in it, would be deleted."""
    for item in projects:
        mark = from_tags(item.get("tags"))
        own = mark is not None and mark.stack == stack and mark.key.lower() == _name_of(item).lower()
        if own and resource.address.key.lower() != _name_of(item).lower():
            raise UnsafePlan(
                [
                    Problem(
                        f"the stack has the project {_name_of(item)} already, and the spec now names "
                        f"{resource.address.key}: it cannot be renamed, and deleting it deletes all that is in it",
                        resource.location,
                        "put the old name back, or destroy the stack under its old name first",
                    )
                ]
            )


def _located(session: Session, project: dict[str, Any]) -> None:
    properties = project.get("properties") or {}
    url = str((properties.get("endpoints") or {}).get(ENDPOINT) or "")
    if not url and properties.get("provisioningState", "Succeeded") == "Succeeded":
        from asstops.providers.settings import SettingsInvalid

        # Without it all that is in the project would count as not there.
        raise SettingsInvalid(
            f"Azure Resource Manager shows no endpoint of the project {_name_of(project)} ({ENDPOINT!r})",
            fix="leave resource: out of the spec and name the project's endpoint in FOUNDRY_PROJECT_ENDPOINT",
        )
    session.set_endpoint(url, "the project's endpoint")


def _name_of(project: dict[str, Any]) -> str:
    """ARM may show a child with its parent's name before its own: ACCOUNT/PROJECT."""
    return str(project["name"]).rpartition("/")[2]


def _observed(project: dict[str, Any], name: str, account: str) -> Observed:
    properties, tags = project.get("properties") or {}, project.get("tags") or {}
    return Observed(
        kind="project",
        remote_id=name,
        name=_name_of(project),
        body={
            **{field: properties.get(wire) for field, wire in _FIELDS.items()},
            "tags": {key: value for key, value in tags.items() if not is_ours(key)},
        },
        mark=from_tags(tags),
        uses=frozenset({("resource", account)}),
        ready=properties.get("provisioningState", "Succeeded") == "Succeeded",
        raw=project,
    )
