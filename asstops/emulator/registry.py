"""Finds the API files and what they contribute.

Owns discovery only: every module in `apis/` may define PLANES, ROUTES, UPKEEP, FINISHERS, DUMP and SEED. A
new API is a new file; nothing here changes.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import Any

from asstops.emulator import apis
from asstops.emulator.wire import Plane, Route


def modules() -> list[ModuleType]:
    """Return every module of `apis/`, in order of name."""
    names = sorted(found.name for found in pkgutil.iter_modules(apis.__path__))
    return [importlib.import_module(f"{apis.__name__}.{name}") for name in names]


def gather(attribute: str) -> list[Any]:
    """Return what all modules list under `attribute`, one after another."""
    return [item for module in modules() for item in getattr(module, attribute, ())]


def merge(attribute: str) -> dict[str, Any]:
    """Return what all modules map under `attribute`."""
    merged: dict[str, Any] = {}
    for module in modules():
        merged.update(getattr(module, attribute, {}))
    return merged


def planes() -> dict[str, Plane]:
    """Return the planes by name, those that claim the narrowest paths first."""
    found: list[tuple[int, Plane]] = gather("PLANES")
    return {plane.name: plane for _, plane in sorted(found, key=lambda pair: pair[0])}


def routes() -> list[Route]:
    return gather("ROUTES")
