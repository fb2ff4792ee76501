"""JSON Schemas of what asstops prints, by the names in NAMES. Read from the package, never from the network."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

NAMES = ("plan", "report", "gc", "rollback", "graph", "doctor", "tests", "problems", "adopt", "export")


@cache
def load(name: str) -> dict[str, Any]:
    """The schema of that name, one of NAMES. The value is shared: do not change it."""
    text = files(__package__).joinpath(f"{name}.schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
