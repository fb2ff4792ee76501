"""What can be written at one place of a spec, as a value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One field: its name, what it may be, what it is for, its default ("" for none)."""

    name: str
    type: str
    about: str
    default: str
    required: bool


@dataclass(frozen=True, slots=True)
class Explained:
    """One place: the same of itself, and the fields in it. `path` is "" for the whole document."""

    path: str
    type: str
    about: str
    default: str
    examples: tuple[str, ...]
    lines: tuple[Line, ...]
