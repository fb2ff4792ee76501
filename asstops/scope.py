"""What a plan with targets is about: they and what they need, and what must not be cut off by that. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from asstops import graph
from asstops.errors import Problem, UsageError
from asstops.model import Address, Change, Resource
from asstops.ownership import Ownership

MAX_NAMES = 10


def limited_to(
    targets: Sequence[Address], wanted: Mapping[Address, Resource], live: Ownership, *, destroy: bool
) -> set[Address]:
    """The targets and what they need; on destroy, what needs them. Raises UsageError for one that is not there."""
    known = set(wanted) | set(live.owned)
    for target in targets:
        if target not in known:
            raise _no_such_target(target, known)
    needs: dict[Address, set[Address]] = {a: set(r.references()) for a, r in wanted.items()}
    if destroy:
        for address, objects in live.owned.items():
            needs.setdefault(address, set()).update(live.used_by(objects))
        needs = _reversed(needs)
    scope: set[Address] = set()
    queue = list(targets)
    while queue:
        address = queue.pop()
        if address not in scope:
            scope.add(address)
            queue.extend(needs.get(address, ()))
    return scope


def loose_ends(scope: set[Address], changes: Sequence[Change], live: Ownership) -> list[Problem]:
    """Objections to taking away what something outside the scope still uses."""
    going = {(o.kind, o.remote_id): change.address for change in changes for o in graph.drops(change)}
    return [
        Problem(
            f"{address} still uses the {going[used]} that this targeted plan would take away",
            fix=f"add --target {address}",
        )
        for address in sorted(set(live.owned) - scope)
        for found in live.owned[address]
        for used in sorted(found.uses & going.keys())
    ]


def _no_such_target(target: Address, known: Iterable[Address]) -> UsageError:
    names = sorted(map(str, known))
    near = get_close_matches(str(target), names, n=3, cutoff=0.6)
    if near:
        fix = f"did you mean {' or '.join(near)}?"
    elif names:
        fix = f"known: {', '.join(names[:MAX_NAMES])}" + (" and more" if len(names) > MAX_NAMES else "")
    else:
        fix = "the spec names nothing, and nothing of the stack is live"
    return UsageError(f"--target {target}: there is no such address in the spec or the live state", fix=fix)


def _reversed(needs: Mapping[Address, Iterable[Address]]) -> dict[Address, set[Address]]:
    result: dict[Address, set[Address]] = {}
    for address, targets in needs.items():
        for target in targets:
            result.setdefault(target, set()).add(address)
    return result
