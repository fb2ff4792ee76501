"""Reading the files that script the emulator: YAML, or JSON where the name ends in .json.

Owns how they are read and how a broken one is reported. What stands in them is their readers' business.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from asstops.emulator.settings import EmulatorError


def read(path: Path, what: str) -> Any:
    """Return what the file says, an empty list for an empty file; `what` names it in messages."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EmulatorError(f"cannot read the {what} in {path}: {error}") from error
    try:
        return json.loads(text) if path.suffix == ".json" else _yaml(text)
    except (ValueError, RecursionError) as error:
        raise EmulatorError(f"the {what} in {path} cannot be read: {error}") from error


def _yaml(text: str) -> Any:
    import yaml  # only for those who have such a file

    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    return [] if found is None else found
