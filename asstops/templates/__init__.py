"""Starter specs, a folder each: what `asstops init` writes. The first line of a spec says what it is for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent
SPEC = "asstops.yaml"
DEFAULT = "agent"


def names() -> list[str]:
    """Every template, the default first."""
    found = sorted(path.parent.name for path in ROOT.glob(f"*/{SPEC}"))
    return sorted(found, key=lambda name: name != DEFAULT)


def about(name: str) -> str:
    """What a template is for, in a sentence."""
    first = (ROOT / name / SPEC).read_text(encoding="utf-8").partition("\n")[0]
    return first.lstrip("# ").rstrip(".")


def files(name: str) -> Iterator[tuple[str, bytes]]:
    """Path and content of every file of a template, in order of paths."""
    folder = ROOT / name
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()
