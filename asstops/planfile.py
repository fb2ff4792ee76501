"""Saved plans: a plan, what it was made from and how, as a file that another machine can carry out.

The file holds the plan as it was shown (secrets masked), the options it was made with, and pins (asstops/pins.py). What
is sent later is never read from it: the plan is made again from the spec and the live state there, and runs only if it
is the same one. The file does say which plan to make (a destroy, targets, values of variables), so whoever can replace
it chooses among those that the spec allows. Its text is validated whole before any use.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from asstops.errors import PlanFileInvalid, Problem
from asstops.model import (
    UNKNOWN,
    Action,
    Address,
    Cause,
    Change,
    FieldDiff,
    FileSource,
    ItemDiff,
    Kept,
    Notice,
    Observed,
    OnDrift,
    Plan,
    RecordAction,
    Resource,
    Target,
)
from asstops.pins import LivePin, Pins, differences
from asstops.views.graphs.links import NO_LINKS, Links
from asstops.views.values import masked, plain

FORMAT: Final = "asstops-plan"
FORMAT_VERSION: Final = 1
MAX_BYTES: Final = 256 * 1024 * 1024
_UNKNOWN: Final = {"\0": "unknown"}  # no key of a spec or a service holds a NUL
_AGAIN = "make a new one with 'asstops plan -o FILE'"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class VariableValue(_Part):
    """The value of a variable as typed; `quoted` text is never taken for a number or the like."""

    text: str
    quoted: bool


class Invocation(_Part):
    """How the plan was made: paths are relative to the folder that asstops works in."""

    files: tuple[str, ...] = ()
    env: str = ""
    variables: dict[str, VariableValue] = {}
    allow_outside: bool = False
    accept_origin: bool = False
    local: bool = False


class _Target(_Part):
    stack: str
    service: str
    account: str
    location: str
    endpoint: str


class _Item(_Part):
    action: Action
    label: str
    detail: str


class _Diff(_Part):
    path: str
    before: JsonValue
    after: JsonValue
    cause: Cause
    items: tuple[_Item, ...]
    origin: str
    note: str
    sensitive: bool


class _Source(_Part):
    shown: str
    name: str
    size_bytes: int
    sha256: str


class _Change(_Part):
    address: str
    action: Action
    before: dict[str, JsonValue] | None
    after: dict[str, JsonValue] | None
    diffs: tuple[_Diff, ...]
    reason: str
    remote_id: str | None
    name: str
    copies: tuple[str, ...]
    moves: bool
    spares: bool = False
    prunes: tuple[str, ...] = ()
    moved_from: str | None = None
    source: _Source | None
    origins: dict[str, str]
    sensitive: tuple[str, ...]


class _Kept(_Part):
    address: str
    diffs: tuple[_Diff, ...]


class _Notice(_Part):
    message: str
    address: str
    fix: str


class _Plan(_Part):
    target: _Target
    origin: str
    destroy: bool
    targets: tuple[str, ...]
    complete: bool
    changes: tuple[_Change, ...]
    unchanged: int
    record: RecordAction
    on_drift: OnDrift = OnDrift.OVERWRITE
    kept: tuple[_Kept, ...] = ()
    notices: tuple[_Notice, ...]


class _LivePin(_Part):
    address: str
    kind: str
    remote_id: str
    fields: dict[str, str]


class _Pins(_Part):
    spec: dict[str, dict[str, str]]
    live: tuple[_LivePin, ...]


class _Links(_Part):
    uses: dict[str, tuple[str, ...]]
    foreign: tuple[str, ...]


class _File(_Part):
    format: Literal["asstops-plan"]
    format_version: Literal[1]
    asstops_version: str
    created_at: str
    invocation: Invocation
    plan: _Plan
    links: _Links = _Links(uses={}, foreign=())
    pins: _Pins
    sha256: str


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What a plan file holds. `plan` is for showing only: its objects have no bodies. `created_at` is ISO 8601, UTC.

    `links` says what refers to what, for showing too.
    """

    plan: Plan
    pins: Pins
    invocation: Invocation
    asstops_version: str
    created_at: str
    links: Links = NO_LINKS


def to_text(saved: SavedPlan) -> str:
    """The file's text. Mask secrets in `saved.plan` first; values at sensitive paths are masked here."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "asstops_version": saved.asstops_version,
        "created_at": saved.created_at,
        "invocation": saved.invocation.model_dump(),
        "plan": _sound(_plan(saved.plan)),
        "links": _sound(_links(saved.links)),
        "pins": {
            "spec": {address: dict(fields) for address, fields in saved.pins.spec.items()},
            "live": [
                {"address": pin.address, "kind": pin.kind, "remote_id": pin.remote_id, "fields": dict(pin.fields)}
                for pin in saved.pins.live
            ],
        },
    }
    return json.dumps({**content, "sha256": _checksum(content)}, allow_nan=False, indent=1) + "\n"


def from_bytes(data: bytes, *, version: str) -> SavedPlan:
    """Read a plan file that `version` of asstops has written. Raises PlanFileInvalid."""
    if len(data) > MAX_BYTES:
        raise PlanFileInvalid(f"it has {len(data):,} bytes; a plan file has at most {MAX_BYTES:,}", fix=_AGAIN)
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        raise PlanFileInvalid("it is no saved plan, or it is damaged: it is not JSON", fix=_AGAIN) from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise PlanFileInvalid("it is no saved plan of asstops", fix=_AGAIN)
    if (theirs := content.get("format_version")) != FORMAT_VERSION and content.get("asstops_version") == version:
        raise PlanFileInvalid(f"its format is {theirs!r:.40}, this asstops reads {FORMAT_VERSION}", fix=_AGAIN)
    if content.get("format_version") != FORMAT_VERSION or content.get("asstops_version") != version:
        theirs = content.get("asstops_version")
        raise PlanFileInvalid(
            f"it was made by asstops {theirs if isinstance(theirs, str) else '(unknown)'}, this is {version}",
            fix=f"carry it out with the version that made it, or {_AGAIN}",
        )
    checksum = content.pop("sha256", None)
    if checksum != _checksum(content):
        raise PlanFileInvalid("it is damaged: its checksum does not fit", fix=_AGAIN)
    try:
        file = _File.model_validate_json(data)
        return SavedPlan(
            plan=_read_plan(file.plan),
            pins=Pins(
                file.pins.spec,
                tuple(LivePin(pin.address, pin.kind, pin.remote_id, pin.fields) for pin in file.pins.live),
            ),
            invocation=file.invocation,
            asstops_version=file.asstops_version,
            created_at=file.created_at,
            links=_read_links(file.links),
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise PlanFileInvalid(f"it is damaged: {where}: {first['msg']}", fix=_AGAIN) from None
    except (ValueError, RecursionError) as error:
        raise PlanFileInvalid(f"it is damaged: {error}", fix=_AGAIN) from None


def moved_since(saved: SavedPlan, plan: Plan, pins: Pins) -> list[Problem]:
    """Why `plan`, made just now and masked in the same way, is not the saved one; empty when it is."""
    return differences(saved.pins, pins) or changes_moved(saved.plan, plan)


def changes_moved(before: Plan, plan: Plan) -> list[Problem]:
    """What the changes of two plans, masked in the same way, differ in: one problem an address."""
    problems: list[Problem] = []
    then = {str(change.address): _sound(_change(change)) for change in before.changes}
    now = {str(change.address): _sound(_change(change)) for change in plan.changes}
    for address in sorted({*then, *now}):
        if address not in now:
            what = then[address]["action"]
            problems.append(
                Problem(
                    f"{address}: it exists already" if what == "create" else f"{address}: no {what} is needed any more"
                )
            )
        elif address not in then:
            problems.append(Problem(f"{address}: the plan would now {now[address]['action']} it as well"))
        elif then[address] != now[address]:
            problems.append(Problem(f"{address}: the plan would now {now[address]['action']} it in another way"))
    if not problems and (before.record, before.complete) != (plan.record, plan.complete):
        problems.append(Problem("the stack's record of files changed in the service"))
    return problems


def _checksum(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _sound(value: Any) -> Any:
    """The value with half surrogate pairs replaced: services may send them, and no JSON reader has to take them."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_sound(key): _sound(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_sound(item) for item in value]
    return value


def _plan(plan: Plan) -> dict[str, Any]:
    target = plan.target
    return {
        "target": {
            "stack": target.stack,
            "service": target.service,
            "account": target.account,
            "location": target.location,
            "endpoint": target.endpoint,
        },
        "origin": plan.origin,
        "destroy": plan.destroy,
        "targets": [str(address) for address in plan.targets],
        "complete": plan.complete,
        "changes": [_change(change) for change in plan.changes],
        "unchanged": plan.unchanged,
        "record": plan.record.value,
        "on_drift": plan.on_drift.value,
        "kept": [
            {"address": str(kept.address), "diffs": [_diff(diff, _secret(kept)) for diff in kept.diffs]}
            for kept in plan.kept
        ],
        "notices": [{"message": n.message, "address": n.address, "fix": n.fix} for n in plan.notices],
    }


def _links(links: Links) -> dict[str, Any]:
    return {
        "uses": {str(address): [str(need) for need in sorted(used)] for address, used in links.uses.items()},
        "foreign": [str(address) for address in sorted(links.foreign)],
    }


def _read_links(links: _Links) -> Links:
    uses = {Address.parse(text): frozenset(map(Address.parse, used)) for text, used in links.uses.items()}
    if loose := sorted({need for used in uses.values() for need in used} - uses.keys()):
        raise ValueError(f"links: {loose[0]} is referred to and not there")
    return Links(uses, frozenset(map(Address.parse, links.foreign)))


def _change(change: Change) -> dict[str, Any]:
    wanted = change.wanted
    sensitive = wanted.sensitive if wanted is not None else frozenset()
    sensitive |= {diff.path for diff in change.diffs if diff.sensitive}
    source = wanted.source if wanted is not None else None
    return {
        "address": str(change.address),
        "action": change.action.value,
        "before": None if change.before is None else plain(masked(change.before, sensitive), _UNKNOWN),
        "after": None if change.after is None else plain(masked(change.after, sensitive), _UNKNOWN),
        "diffs": [_diff(diff, sensitive) for diff in change.diffs],
        "reason": change.reason,
        "remote_id": change.live.remote_id if change.live is not None else None,
        "name": change.live.name if change.live is not None else "",
        "copies": sorted(live.remote_id for live in change.retires),
        "moves": change.moves,
        "spares": change.spares,
        "prunes": list(change.prunes),
        "moved_from": str(change.moved_from) if change.moved_from is not None else None,
        "source": None
        if source is None
        else {"shown": source.shown, "name": source.name, "size_bytes": source.size_bytes, "sha256": source.sha256},
        "origins": dict(sorted(wanted.origins.items())) if wanted is not None else {},
        "sensitive": sorted(sensitive),
    }


def _secret(kept: Kept) -> frozenset[str]:
    return frozenset(diff.path for diff in kept.diffs if diff.sensitive)


def _diff(diff: FieldDiff, sensitive: frozenset[str]) -> dict[str, Any]:
    return {
        "path": diff.path,
        "before": plain(masked(diff.before, sensitive, diff.path), _UNKNOWN),
        "after": plain(masked(diff.after, sensitive, diff.path), _UNKNOWN),
        "cause": diff.cause.value,
        "items": [{"action": item.action.value, "label": item.label, "detail": item.detail} for item in diff.items],
        "origin": diff.origin,
        "note": diff.note,
        "sensitive": diff.sensitive,
    }


def _read_plan(plan: _Plan) -> Plan:
    target = plan.target
    return Plan(
        target=Target(target.stack, target.service, target.account, target.location, target.endpoint),
        changes=tuple(_read_change(change) for change in plan.changes),
        unchanged=plan.unchanged,
        notices=tuple(Notice(n.message, n.address, n.fix) for n in plan.notices),
        record=plan.record,
        on_drift=plan.on_drift,
        kept=tuple(Kept(Address.parse(k.address), tuple(map(_read_diff, k.diffs))) for k in plan.kept),
        destroy=plan.destroy,
        targets=tuple(Address.parse(text) for text in plan.targets),
        complete=plan.complete,
        origin=plan.origin,
    )


def _read_change(change: _Change) -> Change:
    address = Address.parse(change.address)
    source = change.source
    wanted = Resource(
        address,
        {},
        source=None
        if source is None
        else FileSource(Path(source.shown), source.shown, source.name, source.size_bytes, source.sha256),
        origins=change.origins,
        sensitive=frozenset(change.sensitive),
    )
    return Change(
        address=address,
        action=change.action,
        before=_value(change.before),
        after=_value(change.after),
        diffs=tuple(_read_diff(diff) for diff in change.diffs),
        reason=change.reason,
        wanted=None if change.action is Action.DELETE else wanted,
        live=None if change.remote_id is None else Observed(address.kind, change.remote_id, change.name, {}),
        moves=change.moves,
        spares=change.spares,
        prunes=change.prunes,
        moved_from=Address.parse(change.moved_from) if change.moved_from is not None else None,
        retires=tuple(Observed(address.kind, copy, "", {}) for copy in change.copies),
    )


def _read_diff(diff: _Diff) -> FieldDiff:
    return FieldDiff(
        path=diff.path,
        before=_value(diff.before),
        after=_value(diff.after),
        cause=diff.cause,
        items=tuple(ItemDiff(item.action, item.label, item.detail) for item in diff.items),
        origin=diff.origin,
        note=diff.note,
        sensitive=diff.sensitive,
    )


def _value(value: Any) -> Any:
    """The value with UNKNOWN where that stood."""
    if value == _UNKNOWN:
        return UNKNOWN
    if isinstance(value, dict):
        return {key: _value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_value(item) for item in value]
    return value
