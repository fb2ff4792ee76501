"""asstops: GitOps for AI assistants on Azure.

    import asstops

    stack = asstops.load("asstops.yaml")
    planned = asstops.plan(stack)
    report = asstops.apply(stack, planned)

What is named here is the library; docs/library.md explains it. Importing it takes no time: each name is looked up on
its first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asstops.errors import (
        AsstopsError,
        Locked,
        PartlyApplied,
        Problem,
        ProviderError,
        SpecInvalid,
        StalePlan,
        UnsafePlan,
        UsageError,
    )
    from asstops.library import Planned, apply, destroy, load, plan
    from asstops.model import (
        Action,
        Address,
        Cause,
        Change,
        Event,
        FieldDiff,
        Notice,
        OnDrift,
        Plan,
        PlanSummary,
        Report,
        StepState,
    )
    from asstops.spec import Stack

__version__ = "0.1.0"

__all__ = [
    "Action",
    "Address",
    "AsstopsError",
    "Cause",
    "Change",
    "Event",
    "FieldDiff",
    "Locked",
    "Notice",
    "OnDrift",
    "PartlyApplied",
    "Plan",
    "PlanSummary",
    "Planned",
    "Problem",
    "ProviderError",
    "Report",
    "SpecInvalid",
    "Stack",
    "StalePlan",
    "StepState",
    "UnsafePlan",
    "UsageError",
    "apply",
    "destroy",
    "load",
    "plan",
]
_ROOMS = ("asstops.library", "asstops.errors", "asstops.model", "asstops.spec")


def __getattr__(name: str) -> Any:
    if name in __all__:
        for room in _ROOMS:
            found = getattr(import_module(room), name, None)
            if found is not None:
                globals()[name] = found
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
