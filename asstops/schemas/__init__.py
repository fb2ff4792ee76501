"""JSON Schemas of what asstops prints: `plan`, `report` and `gc`. Read from the package, never from the network."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

NAMES = ("plan", "report", "gc")


@cache
def load(name: str) -> dict[str, Any]:
    """The schema `plan`, `report` or `gc`. The value is shared: do not change it."""
    text = files(__package__).joinpath(f"{name}.schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
