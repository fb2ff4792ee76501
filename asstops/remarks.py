"""What a plan says beside its changes: why it refuses, what it warns of, why it writes to what agrees. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from asstops.diff import Comparison
from asstops.errors import Problem
from asstops.model import Action, Address, Change, FieldDiff, Mark, Notice, Observed, Resource

STAYS = "the old one stays, since an older version of an agent uses it"


def housekeeping(
    mark: Mark,
    after: Mark,
    live: Observed,
    losers: list[Observed],
    found: Comparison,
    *,
    versioned: bool,
    moved: bool = False,
) -> str:
    """Why an object whose fields all agree is written to all the same; "" when it is not.

    A `versioned` kind gets no new version for its mark alone, unless that says what nothing else does. `moved`: the
    mark names the address of before.
    """
    reasons = []
    if not live.ready and not found.diffs:
        reasons.append("the service is still at work on it; apply waits until it is ready")
    if after.protect != mark.protect:
        reasons.append("protection is switched " + ("on" if after.protect else "off"))
    if after.origin != mark.origin:
        reasons.append("the origin of the spec is noted anew")
    if moved and not found.diffs:
        reasons.append("only its key changes")
    if losers:
        reasons.append("an older copy that nothing needs any more is removed")
    if not reasons and after != mark and not found.diffs and not versioned:
        reasons.append("the live object already agrees; only the mark of asstops is brought up to date")
    return "; ".join(reasons)


def does_not_move(stays: Address, taken: Address) -> Notice:
    """An object whose key has changed in the spec, where the new key has one of its own."""
    text = f"it was moved to {taken} in the spec, but that is live already; so this one is deleted"
    return Notice(text, str(stays), "to keep it, take its entry of moved: out and put it back into the spec")


def unknown_origin(changes: Iterable[Change], origin: str, *, marked: bool, destroy: bool) -> Notice | None:
    """A spec whose origin nobody knows is not guarded against a copied stack name; that must show.

    `marked`: what is live says where its spec was.
    """
    if origin:
        return None
    fix = "set origin: in the spec to any text of your own, or work in a clone that has a remote"
    why = "the spec's origin is not known (no git remote, no origin: in it)"
    if marked:
        return Notice(f"{why}, so whether it is the one that made these objects was not checked", fix=fix)
    if not destroy and any(change.action in (Action.DELETE, Action.REPLACE) for change in changes):
        return Notice(f"{why}, so nothing tells whether another spec of the same stack name made what goes", fix=fix)
    return None


def namesake(resource: Resource, other: Observed | None) -> Notice | None:
    """An unmarked object of the name that a new one is to have."""
    if other is None:
        return None
    text = f"{other.remote_id} has the same name {other.name!r}, but no mark of asstops; it is left alone"
    fix = f"'asstops adopt {resource.address} {other.remote_id}' takes it over instead"
    return Notice(text, str(resource.address), fix)


def not_there(resource: Resource, remote_id: str) -> Problem:
    """Something that the spec refers to, and that asstops must not create."""
    return Problem(
        f"{resource.address}: {remote_id!r} does not exist, and the spec says that asstops must not create it",
        resource.location,
        "create it, correct the name, or let asstops manage it",
    )


def stays_different(address: Address, diff: FieldDiff) -> Notice:
    """A field of something that is not managed, and is not what the spec says."""
    text = f"{diff.path} is {diff.before!r}, the spec says {diff.after!r}; it is not managed here and stays"
    return Notice(text, str(address))


def protected(address: Address, verb: str, why: str, resource: Resource | None) -> Problem:
    because = f" ({why})" if why else ""
    return Problem(
        f"{address} is protected, and the plan would {verb} it{because}",
        resource.location if resource is not None else None,
        "to allow it, set protect: false on it (put the entry back first, if it has left the spec) and apply that",
    )
