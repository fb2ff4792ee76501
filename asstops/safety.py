"""Objections to a plan that would delete more than anybody is likely to mean. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asstops import ondrift
from asstops.errors import Problem, UnsafePlan
from asstops.model import Action, Plan
from asstops.ownership import Snapshot

if TYPE_CHECKING:
    from asstops.spec import Stack

SHARE = 0.3
AT_LEAST = 10


def check(plan: Plan, snapshot: Snapshot, stack: Stack, *, allow_deletes: int | None) -> None:
    """Raise UnsafePlan for a plan that empties the stack, deletes a large share of it, or takes others along.

    Also for one that would write over what was changed outside asstops, where it is told not to.
    """
    # What is in a project is in its account too.
    if not _others_inside("resource", plan, snapshot, stack, allow_deletes):
        _others_inside("project", plan, snapshot, stack, allow_deletes)
    if plan.destroy:
        return
    ondrift.check(plan)
    deletes = sum(1 for c in plan.changes if c.action in (Action.DELETE, Action.REPLACE))
    owned = sum(
        1 for found in snapshot.objects.values() for o in found if o.mark is not None and o.mark.stack == stack.identity
    )
    if not any(resource.owned for resource in stack.resources.values()) and deletes:
        raise UnsafePlan(
            [
                Problem(
                    f"the spec is empty, so all {deletes} objects of the stack would be deleted",
                    stack.location,
                    "if that is what you want, run asstops destroy",
                )
            ]
        )
    allowed = SHARE * owned if allow_deletes is None else allow_deletes
    if owned >= AT_LEAST and deletes > SHARE * owned and deletes > allowed:
        raise UnsafePlan(
            [
                Problem(
                    f"{deletes} of {owned} objects of the stack would be deleted",
                    stack.location,
                    f"if that is what you want, add --allow-deletes {deletes}",
                )
            ]
        )


def _others_inside(kind: str, plan: Plan, snapshot: Snapshot, stack: Stack, allow_deletes: int | None) -> bool:
    """Deleting an account or a project deletes everything in it, also what this stack does not own.

    Raises UnsafePlan unless that was allowed; returns whether one is deleted at all.
    """
    gone = next((c.address for c in plan.changes if c.address.kind == kind and c.action is Action.DELETE), None)
    if gone is None:
        return False
    wanted = stack.resources.get(gone)
    where = wanted.location if wanted is not None else stack.location
    what = f"the {'account' if kind == 'resource' else kind} {gone.key}"
    others = [
        f"{o.kind} {o.name}"
        for found in snapshot.objects.values()
        for o in found
        if any(used[0] == kind for used in o.uses) and (o.mark is None or o.mark.stack != plan.target.stack)
    ]
    if kind == "resource":
        others += snapshot.beside
        going = {c.address.key for c in plan.changes if c.action is Action.DELETE and c.address.kind == "project"}
        others += [
            f"project {o.name}"
            for o in snapshot.objects.get("project", ())
            if o.mark is not None and o.mark.stack == plan.target.stack and o.remote_id not in going
        ]
    if snapshot.blind and allow_deletes is None:
        kinds = ", ".join(sorted(snapshot.blind))
        raise UnsafePlan(
            [
                Problem(
                    f"{what} would be deleted, and its {kinds} could not be read",
                    where,
                    "get the role to read it, or, if all of it may go, add --allow-deletes 0",
                )
            ]
        )
    if len(others) > (allow_deletes or 0):
        named = ", ".join(others[:5]) + (", …" if len(others) > 5 else "")
        raise UnsafePlan(
            [
                Problem(
                    f"{what} also holds {len(others)} objects that the stack does not own ({named}); they would go "
                    "with it",
                    where,
                    f"set managed: false on the {kind} to keep it, or, if all of it may go, add --allow-deletes "
                    f"{len(others)}",
                )
            ]
        )
    return True
