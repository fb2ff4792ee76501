"""What a plan does about fields that were changed outside asstops: put back, kept, or a reason to refuse. Pure.

A kept field is wanted as it is live, so nothing that is sent changes it: neither a PATCH, nor a list that goes out
whole, nor a new version of an agent. The mark goes on saying what the spec had, so the next plan knows it as drift.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from asstops.diff import Comparison, Resolve, compare, normal, same
from asstops.errors import Problem, UnsafePlan
from asstops.mark import KEPT, fits_metadata, is_ours, path_digest
from asstops.model import Action, Address, Cause, FieldDiff, Kept, Mark, Notice, Observed, OnDrift, Plan, Ref, Resource
from asstops.ownership import Ownership
from asstops.rules import KindRules

_SHORT = 40
_OVERWRITE = "--on-drift overwrite puts back what the spec says"
_KEEP = "--on-drift keep leaves it as it is live"
_TAKE = "or put the live value into the spec"


@dataclass(frozen=True, slots=True)
class Around:
    """What else there is: the spec, what is live, the ids that addresses will have, and kinds that were not read."""

    wanted: Mapping[Address, Resource]
    live: Ownership
    resolve: Resolve
    unread: frozenset[str]


def keep(
    rules: KindRules, wanted: Resource, live: Observed, found: Comparison, around: Around
) -> tuple[Resource, Comparison, tuple[FieldDiff, ...]]:
    """What is wanted with the drifted fields as they are live, what then still differs, and the fields kept.

    What the spec refers to and is not there is made anew in any case, and put where the spec has it; what has left the
    spec goes, also out of lists that are kept. Of an expired object no reference can be kept.
    """
    if "kind" in live.problems:  # there is nothing of a prompt agent to keep
        return wanted, found, ()
    body, kept, followed = dict(wanted.body), [], set()
    for diff in found.diffs:
        if diff.cause is not Cause.DRIFT or diff.path in rules.hidden:
            continue
        value = _live_value(rules, diff.path, live)
        if diff.path in rules.references:
            followed.add(diff.path)
            value = _as_refs(rules.references[diff.path], value, body[diff.path], around)
            if not live.usable or _says_the_same(value, body[diff.path]):
                continue
        kept.append(diff)
        _lay(rules, body, diff.path, value)
        if value:
            _lay_parts(rules, body, diff.path, live)
    resource = replace(wanted, body=body)
    again = compare(rules, resource, live, around.resolve, around.live.label, around.live.formers, around.live.once)
    moved = {diff.path for diff in kept} | followed
    diffs = tuple(replace(diff, cause=Cause.DEPENDENCY) if diff.path in moved else diff for diff in again.diffs)
    stored = {**found.stored, **({path_digest(diff.path): KEPT for diff in kept} if rules.versioned else {})}
    return resource, replace(found, diffs=diffs, stored=stored), tuple(kept)


def with_live_needs(wanted: Mapping[Address, Resource], live: Ownership) -> dict[Address, Resource]:
    """The spec, each entry depending also on what its live object uses: a kept field may refer to it."""
    uses = {address: live.used_by(found) for address, found in live.owned.items()}
    return {a: replace(r, depends_on=r.depends_on | uses.get(a, frozenset())) for a, r in wanted.items()}


def _live_value(rules: KindRules, path: str, live: Observed) -> Any:
    head, dot, key = path.partition(".")
    if dot and head in rules.maps:
        return (live.body.get(head) or {}).get(key)
    return live.body.get(path)


def _lay(rules: KindRules, body: dict[str, Any], path: str, value: Any) -> None:
    """Put a live value into a wanted body. One that is the default is left out, as a spec would leave it out."""
    head, dot, key = path.partition(".")
    if dot and head in rules.maps:
        pairs = {name: item for name, item in body[head].items() if name != key and not is_ours(name)}
        body[head] = pairs if value is None else {**pairs, key: value}
    elif path in rules.defaults and same(normal(rules, path, value), rules.defaults[path]):
        body.pop(path, None)
    else:
        body[path] = value


def _lay_parts(rules: KindRules, body: dict[str, Any], path: str, live: Observed) -> None:
    """What the spec leaves out of a tool that others gave: it goes out with the tool, or it is lost."""
    for part in sorted(rules.defaults):
        if part.startswith(f"{path}.") and part not in body:
            _lay(rules, body, part, live.body.get(part))


def _as_refs(kind: str, value: Any, wanted: Any, around: Around) -> Any:
    """Live ids with the addresses of ours in their place, so that they follow what gets a new id."""
    wanted_refs = [item for item in (wanted if isinstance(wanted, list) else [wanted]) if isinstance(item, Ref)]
    missing = [ref for ref in wanted_refs if not _is_live(ref, around)]
    if not isinstance(wanted, list):
        if missing:
            return wanted
        ids = value if isinstance(value, list) else [value]
        found = [ref for item in ids if (ref := _as_ref(kind, item, around)) is not None]
        return found if isinstance(value, list) and len(found) > 1 else found[0] if found else None
    refs = [ref for item in value or () if (ref := _as_ref(kind, item, around)) is not None]
    return list(dict.fromkeys([*refs, *missing]))


def _as_ref(kind: str, remote_id: Any, around: Around) -> Any:
    """An id, or the address that it belongs to; None for what is gone or going."""
    if remote_id is None:
        return None
    label = around.live.label(kind, remote_id)
    if label == remote_id:
        return remote_id if (kind, remote_id) in around.live.by_id or kind in around.unread else None
    address = Address.parse(label)
    return Ref(address) if address in around.wanted else None


def _is_live(ref: Ref, around: Around) -> bool:
    resource = around.wanted.get(ref.address)
    return ref.address in around.live.owned or (resource is not None and not resource.owned)


def _says_the_same(value: Any, wanted: Any) -> bool:
    if isinstance(value, list) and isinstance(wanted, list):
        return len(value) == len(wanted) and frozenset(wanted).issuperset(value)  # ids and Refs
    return bool(value == wanted)


def fits(mark: Mark, resource: Resource, kept: tuple[FieldDiff, ...]) -> Problem | None:
    """Objection to more kept fields than the mark of a version can tell of."""
    if not kept or fits_metadata(mark):
        return None
    return Problem(
        f"{resource.address}: {len(kept)} fields would be kept, more than its mark has room to remember",
        resource.location,
        f"put some of the live values into the spec; {_OVERWRITE}",
    )


def notice(kept: Kept) -> Notice:
    """What a plan says of fields that stay as others made them."""
    shown = ", ".join(diff.path + _values(diff) for diff in kept.diffs)
    text = f"kept as changed outside asstops: {shown}"
    return Notice(text, str(kept.address), fix=f"{_OVERWRITE}; {_TAKE}")


def _values(diff: FieldDiff) -> str:
    """` (0.7, the spec says 0.2)`, where that is short and may be told."""
    if diff.sensitive:
        return ""
    if diff.items:
        ours = sum(item.action is Action.CREATE for item in diff.items)
        theirs = sum(item.action is Action.DELETE for item in diff.items)
        parts = [f"{ours} taken out"] * bool(ours) + [f"{theirs} put in"] * bool(theirs)
        return f" ({', '.join(parts)})" if parts else ""
    before, after = _short(diff.before), _short(diff.after)
    return f" ({before}, the spec says {after})" if before and after else ""


def _short(value: Any) -> str:
    if value is None or value == []:
        return "not set"
    if not isinstance(value, (str, bool, int, float)):
        return ""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHORT else ""


def check(plan: Plan) -> None:
    """Raise UnsafePlan, one problem an object, where the plan would write over what it was told not to."""
    problems: list[Problem] = []
    for change in plan.changes:
        if change.action not in (Action.UPDATE, Action.REPLACE):
            continue
        where = change.wanted.location if change.wanted is not None else None
        drifted = [diff.path for diff in change.diffs if diff.cause is Cause.DRIFT]
        both = [diff.path for diff in change.diffs if diff.cause is Cause.BOTH]
        if plan.on_drift is OnDrift.FAIL and (paths := [*drifted, *both]):
            text = f"{change.address} was changed outside asstops: {', '.join(sorted(paths))}"
            problems.append(Problem(text, where, f"{_OVERWRITE}, {_KEEP}; {_TAKE}"))
        if plan.on_drift is OnDrift.KEEP and drifted:
            text = f"{change.address} was changed outside asstops and cannot be kept: {', '.join(drifted)}"
            problems.append(Problem(text, where, _OVERWRITE))
        if plan.on_drift is OnDrift.KEEP and both:
            text = f"{change.address} was changed in the spec and outside asstops: {', '.join(both)}"
            problems.append(Problem(text, where, f"{_OVERWRITE}; {_TAKE}"))
    if problems:
        raise UnsafePlan(problems)
