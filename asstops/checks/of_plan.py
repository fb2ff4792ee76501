"""The checks of a plan: only on what it will make or change, and asking only where that takes Resource Manager.

An empty plan costs no request, any other at most eight, each sent once: this is advice, and must not hold a plan up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from asstops.checks import account, deployments, files, prompts, reading, roles
from asstops.checks.deployments import Asked
from asstops.checks.findings import Finding
from asstops.model import Action, Address, Change, Plan, Resource
from asstops.providers.advice import role

if TYPE_CHECKING:
    from asstops.providers.session import Session

_WRITTEN = (Action.CREATE, Action.UPDATE, Action.REPLACE)
_ARM = ("resource", "project", "deployment")
PATIENCE_S = 10.0  # for all answers together


def check(
    plan: Plan,
    session: Session,
    wanted: Mapping[Address, Resource],
    live_account: Mapping[str, Any] | None,
    today: date,
) -> list[Finding]:
    """Findings on what the plan makes and changes. `live_account` is the account as read for it, None for none."""
    changes = [change for change in plan.changes if change.action in _WRITTEN]
    written = {change.address for change in changes}
    found = [*prompts.check(wanted, session.service.longest_update, written), *files.check(wanted, written)]
    api = session.arm
    if api is None or plan.destroy or not any(change.address.kind in _ARM for change in changes):
        return found
    owner = next((resource for address, resource in wanted.items() if address.kind == "resource"), None)
    if owner is None:
        return found
    new = next((c.wanted for c in changes if c.address.kind == "resource" and c.action is Action.CREATE), None)
    if session.restoring:
        new = None
    asked = list(_asked(changes))
    location, kind = where(owner, live_account)
    projects = [address.key for address in wanted if address.kind == "project"]
    live_project = projects[0] if projects and session.endpoint else ""
    kinds = [change.address.kind for change in changes]
    needed = needs(session, kinds, live_account is not None, live_project, projects)
    facts = reading.read(
        api,
        scopes=list(dict.fromkeys(need.scope for need in needed)),
        models_of=location if asked else "",
        new=new,
        registration=new is not None,
        within_s=PATIENCE_S,
    )
    found += roles.check(needed, facts.permissions, reading.object_id(session, api))
    if new is not None:
        found += [*account.registered(facts.registration), *account.to_be_made(new, facts)]
    found += deployments.check(asked, facts.offers, facts.usages, kind=kind, location=location, today=today)
    return found


def where(owner: Resource, live: Mapping[str, Any] | None) -> tuple[str, str]:
    """Region and kind of the account: those it has, else those it is to get."""
    live = live or {}
    location = str(live.get("location") or owner.body.get("location") or "").replace(" ", "").lower()
    return location, str(live.get("kind") or owner.body.get("kind") or "")


def needs(
    session: Session, kinds: Sequence[str], there: bool, live_project: str, projects: Sequence[str]
) -> list[roles.Need]:
    """What writing objects of these kinds takes. Roles count on the account once it is `there`, before on its group."""
    if session.arm is None:
        return []
    scope = session.arm.account_id if there else session.arm.group_id
    access = session.service.access(session)
    # Cognitive Services Contributor is not known to suffice for projects; see docs/services.md.
    shown, named = ("'Contributor'", "Contributor") if projects else role("arm")
    data_shown, data_named = role(access.plane)
    return roles.needs(
        kinds,
        scope=scope,
        role=(shown, named.strip("'")),
        data_scope=f"{scope}/projects/{live_project}" if there and live_project else scope,
        data_role=(data_shown, data_named.strip("'")),
        data_actions=() if access.with_key else access.actions,
    )


def _asked(changes: Sequence[Change]) -> Iterator[Asked]:
    """Deployments that are made, or whose model or SKU changes."""
    for change in changes:
        if change.address.kind != "deployment" or change.wanted is None:
            continue
        paths = {diff.path for diff in change.diffs}
        if change.action is Action.UPDATE and not any(path.startswith(("model.", "sku.")) for path in paths):
            continue
        live = change.live.body if change.live is not None else None
        moved = "model.version" in change.wanted.loose and "model.version" not in paths
        replaced = change.action is Action.REPLACE
        yield Asked.of(str(change.address), change.wanted.body, live, moved=moved and not replaced)
