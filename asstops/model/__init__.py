"""The words of the program as frozen values: addresses, resources, live objects, changes, plans, events.

Owns the shapes that every other module passes around. Imports nothing of the package but errors, does no I/O.
What belongs to plans is looked up on its first use: a spec is read and checked without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asstops.model.objects import (
    UNKNOWN,
    Address,
    Body,
    FileSource,
    Mark,
    Observed,
    Past,
    Ref,
    Resource,
    Unknown,
    find_refs,
)

if TYPE_CHECKING:
    from asstops.model.plans import (
        Action,
        Cause,
        Change,
        Event,
        FieldDiff,
        ItemDiff,
        Kept,
        Notice,
        OnDrift,
        Plan,
        PlanSummary,
        RecordAction,
        Report,
        StepState,
        Target,
        Verb,
    )

__all__ = [
    "UNKNOWN",
    "Action",
    "Address",
    "Body",
    "Cause",
    "Change",
    "Event",
    "FieldDiff",
    "FileSource",
    "ItemDiff",
    "Kept",
    "Mark",
    "Notice",
    "Observed",
    "OnDrift",
    "Past",
    "Plan",
    "PlanSummary",
    "RecordAction",
    "Ref",
    "Report",
    "Resource",
    "StepState",
    "Target",
    "Unknown",
    "Verb",
    "find_refs",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from asstops.model import plans

    found = globals()[name] = getattr(plans, name)
    return found
