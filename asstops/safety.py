"""Objections to a plan that would delete more than anybody is likely to mean. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asstops.errors import Problem, UnsafePlan
from asstops.model import Action, Plan
from asstops.ownership import Snapshot

if TYPE_CHECKING:
    from asstops.spec import Stack

SHARE = 0.3
AT_LEAST = 10


def check(plan: Plan, snapshot: Snapshot, stack: Stack, *, allow_deletes: int | None) -> None:
    """Raise UnsafePlan for a plan that empties the stack, deletes a large share of it, or takes others along."""
    _others_in_the_account(plan, snapshot, stack, allow_deletes)
    if plan.destroy:
        return
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


def _others_in_the_account(plan: Plan, snapshot: Snapshot, stack: Stack, allow_deletes: int | None) -> None:
    """Deleting the account deletes everything in it, also what this stack does not own."""
    if not any(c.address.kind == "resource" and c.action is Action.DELETE for c in plan.changes):
        return
    where = stack.account.location if stack.account is not None else stack.location
    others = [
        o
        for kind, found in snapshot.objects.items()
        for o in found
        if kind != "resource" and (o.mark is None or o.mark.stack != plan.target.stack)
    ]
    if snapshot.blind and allow_deletes is None:
        kinds = ", ".join(sorted(snapshot.blind))
        raise UnsafePlan(
            [
                Problem(
                    f"the account {plan.target.account} would be deleted, and its {kinds} could not be read",
                    where,
                    "get the role to read it, or, if all of it may go, add --allow-deletes 0",
                )
            ]
        )
    if len(others) > (allow_deletes or 0):
        named = ", ".join(f"{o.kind} {o.name}" for o in others[:5]) + (", …" if len(others) > 5 else "")
        raise UnsafePlan(
            [
                Problem(
                    f"the account {plan.target.account} also holds {len(others)} objects that the stack does not own "
                    f"({named}); they would go with it",
                    where,
                    "set managed: false on the resource to keep the account, or, if all of it may go, "
                    f"add --allow-deletes {len(others)}",
                )
            ]
        )
