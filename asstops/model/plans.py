"""Plans as frozen values: changes, what is said beside them, what happened while one was carried out. Does no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from asstops.model.objects import Address, Body, Mark, Observed, Resource


class Action(Enum):
    """What a plan does with one object. The value is the word in the JSON plan."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    READ = "read"
    NOOP = "noop"

    @property
    def symbol(self) -> str:
        return _SYMBOLS[self]


_SYMBOLS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.REPLACE: "-/+",
    Action.DELETE: "-",
    Action.READ: "<=",
    Action.NOOP: "=",
}


class Cause(Enum):
    """Why a field differs. The value is the word in the JSON plan.

    PENDING: the spec changed since the last apply. DRIFT: the live object did. BOTH: both, independently.
    DEPENDENCY: neither, but an object that the field refers to gets a new id.
    """

    PENDING = "pending"
    DRIFT = "drift"
    BOTH = "both"
    DEPENDENCY = "dependency"


class OnDrift(Enum):
    """What an apply does about what was changed outside asstops: put it back, leave it as it is, or write nothing."""

    OVERWRITE = "overwrite"
    KEEP = "keep"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class ItemDiff:
    """One entry of a list field that differs. `label` is an address or an id, `detail` a short text for people."""

    action: Action
    label: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FieldDiff:
    """One field that differs.

    `before` and `after` are display values: references are addresses, None is absent, UNKNOWN is known after apply.
    `items` is filled for lists of references, where the entries tell more than the two lists.
    `origin` is the file the wanted text came from, empty when it stands in the spec itself.
    """

    path: str
    before: Any
    after: Any
    cause: Cause = Cause.PENDING
    items: tuple[ItemDiff, ...] = ()
    origin: str = ""
    note: str = ""
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One object of a Plan.

    `before` is None exactly when nothing is live, `after` is None exactly when nothing is wanted; both are display
    bodies. `reason` is written for people; no code may branch on it. `live` is what is there now, `wanted` what the
    spec asks for. `moves` is True when the object gets a new remote id, so that whatever refers to it must follow.
    `delete_first` marks a replacement under a name that can exist only once. `generation` and `mark` are what the
    object will carry. `retires` are further live objects at this address that lost to a newer generation. `spares` is
    True when the live object stays although another takes its place: an older version of something else uses it.
    `prunes` are the numbers of its own older versions that go. `moved_from` is the address that its mark still names,
    where the spec says that its key has changed.
    """

    address: Address
    action: Action
    before: Body | None
    after: Body | None
    diffs: tuple[FieldDiff, ...] = ()
    reason: str = ""
    wanted: Resource | None = None
    live: Observed | None = None
    mark: Mark | None = None
    moves: bool = False
    delete_first: bool = False
    retires: tuple[Observed, ...] = ()
    spares: bool = False
    prunes: tuple[str, ...] = ()
    moved_from: Address | None = None

    def __post_init__(self) -> None:
        absent = (self.before is None, self.after is None)
        if absent != (self.action is Action.CREATE, self.action is Action.DELETE):
            raise ValueError(f"{self.address}: {self.action} with before, after absent: {absent}")


@dataclass(frozen=True, slots=True)
class Kept:
    """Fields of one object that drifted and stay as they are live; `after` of a diff is what the spec says."""

    address: Address
    diffs: tuple[FieldDiff, ...]


class RecordAction(Enum):
    """What a plan does with the stack's record of files."""

    NONE = "none"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a reader of a plan must know that is no change. `address` may be empty."""

    message: str
    address: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """Which stack a plan is for, and where: shown in its heading, pinned in a saved plan."""

    stack: str
    service: str
    account: str = ""
    location: str = ""
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All changes, sorted by address. A value: made once, shown, carried out as shown.

    `changes` holds no NOOP; `unchanged` counts those. `known` maps every address to the remote id it already has and
    keeps. `complete` is False when `targets` left something out. `origin` is the digest of where the spec lives.
    `kept` holds what drifted and stays so, with `on_drift` KEEP.
    """

    target: Target
    changes: tuple[Change, ...]
    unchanged: int = 0
    known: Mapping[Address, str] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    record: RecordAction = RecordAction.NONE
    destroy: bool = False
    targets: tuple[Address, ...] = ()
    complete: bool = True
    origin: str = ""
    on_drift: OnDrift = OnDrift.OVERWRITE
    kept: tuple[Kept, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True when applying it would write nothing."""
        return self.record is RecordAction.NONE and all(c.action is Action.READ for c in self.changes)

    def summary(self) -> PlanSummary:
        """Counts as printed; a replacement counts as one added and one destroyed, but where the old one stays."""
        count = {action: sum(1 for c in self.changes if c.action is action) for action in Action}
        drifted = sum(
            1
            for c in self.changes
            for d in c.diffs
            if d.cause in (Cause.DRIFT, Cause.BOTH) and c.action is not Action.DELETE
        )
        return PlanSummary(
            add=count[Action.CREATE] + count[Action.REPLACE],
            change=count[Action.UPDATE],
            destroy=count[Action.DELETE] + sum(1 for c in self.changes if c.action is Action.REPLACE and not c.spares),
            drifted_fields=drifted,
            unchanged=self.unchanged,
        )


@dataclass(frozen=True, slots=True)
class PlanSummary:
    add: int
    change: int
    destroy: int
    drifted_fields: int
    unchanged: int


class StepState(Enum):
    """Where a step of an apply stands."""

    STARTED = "started"
    PROGRESS = "progress"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class Verb(Enum):
    """What one step of an apply does, as said to people."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened while a plan was carried out. `elapsed_s` counts from the step's start.

    `done` and `total` are how far a step has come: bytes sent of a large file, else things such as files taken in.
    """

    address: Address
    verb: Verb
    state: StepState
    message: str = ""
    fix: str = ""
    elapsed_s: float = 0.0
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """How an apply ended: every step exactly once, in the order the steps ended.

    `wrote` is True once any writing request was sent, whatever came of it. `stale` is True when an object had moved
    since the plan was made, and so was not written to.
    """

    done: tuple[Event, ...] = ()
    failed: tuple[Event, ...] = ()
    skipped: tuple[Event, ...] = ()
    wrote: bool = False
    interrupted: bool = False
    stale: bool = False

    def then(self, later: Report) -> Report:
        """Both as one, for work that takes two rounds."""
        return Report(
            self.done + later.done,
            self.failed + later.failed,
            self.skipped + later.skipped,
            wrote=self.wrote or later.wrote,
            interrupted=self.interrupted or later.interrupted,
            stale=self.stale or later.stale,
        )
