"""What a saved plan holds fast, and what of it no longer holds. Pure.

Pins are digests: of every entry of the spec (file contents and the values of variables are part of those), and of
every live object that the plan touches or that something it touches refers to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from asstops.errors import Problem
from asstops.fingerprint import live_fields, moved, named, wanted_fields
from asstops.model import Address, Change, Observed, Plan, Resource
from asstops.ownership import Snapshot
from asstops.rules import KindRules

Fields = Mapping[str, str]
"""Field path -> digest."""


@dataclass(frozen=True, slots=True)
class LivePin:
    """One live object: the address it belongs to, and what each of its fields held."""

    address: str
    kind: str
    remote_id: str
    fields: Fields


@dataclass(frozen=True, slots=True)
class Pins:
    """`spec` maps every address of the spec to its fields; `live` is sorted by address and id.

    `there` is every live object by kind and id, to tell what is gone from what needs no change; it is not saved.
    """

    spec: Mapping[str, Fields]
    live: tuple[LivePin, ...]
    there: frozenset[tuple[str, str]] = field(default=frozenset(), compare=False)


def pins(plan: Plan, wanted: Mapping[Address, Resource], snapshot: Snapshot, rules: Mapping[str, KindRules]) -> Pins:
    """What must still hold when `plan` is carried out later."""
    by_id = {(live.kind, live.remote_id): live for found in snapshot.objects.values() for live in found}
    touched: dict[tuple[str, str], LivePin] = {}
    for change in plan.changes:
        for address, live in _concerned(change, plan, by_id):
            secret = wanted[address].sensitive if address in wanted else frozenset()
            pin = LivePin(str(address), live.kind, live.remote_id, live_fields(rules[live.kind], live, secret=secret))
            touched.setdefault((live.kind, live.remote_id), pin)
    return Pins(
        {str(address): wanted_fields(resource) for address, resource in sorted(wanted.items())},
        tuple(sorted(touched.values(), key=lambda pin: (pin.address, pin.remote_id))),
        frozenset(by_id),
    )


def _concerned(
    change: Change, plan: Plan, by_id: Mapping[tuple[str, str], Observed]
) -> Iterator[tuple[Address, Observed]]:
    """The live objects of a change, and those that it refers to, each with its address."""
    for live in (change.live, *change.retires):
        if live is not None:
            yield change.address, live
    for need in sorted(change.wanted.references()) if change.wanted is not None else ():
        found = by_id.get((need.kind, plan.known.get(need, "")))
        if found is not None:
            yield need, found


def differences(then: Pins, now: Pins) -> list[Problem]:
    """What has moved, one problem an address: first in the spec, then among what is live."""
    problems = [
        Problem(f"{address}: {text}")
        for address in sorted({*then.spec, *now.spec})
        if (text := _in_spec(address, then.spec.get(address), now.spec.get(address)))
    ]
    before = {(pin.kind, pin.remote_id): pin for pin in then.live}
    after = {(pin.kind, pin.remote_id): pin for pin in now.live}
    for key, pin in before.items():
        if key not in after and key in now.there:
            text = "it needs no change any more; the plan may have been carried out already"
            problems.append(Problem(f"{pin.address}: {text}"))
        elif key not in after:
            problems.append(Problem(f"{pin.address}: {pin.remote_id} is gone, or means something else now"))
        elif paths := moved(pin.fields, after[key].fields):
            problems.append(Problem(f"{pin.address}: {named(paths)} changed in the service"))
    return problems


def _in_spec(address: str, then: Fields | None, now: Fields | None) -> str:
    if then is None:
        return "came into the spec"
    if now is None:
        return "left the spec"
    paths = moved(then, now)
    if not paths:
        return ""
    if address.startswith("file."):
        return "the file has other content"
    return f"{named([path or 'settings' for path in paths])} changed in the spec"
