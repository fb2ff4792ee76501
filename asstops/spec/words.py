"""How problems are worded: values cut to size, nearest known names, lists of what is allowed. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

SHOWN = 60
HIDDEN = "(sensitive value)"


def cut(text: str, limit: int = SHOWN) -> str:
    """The text on one line, at most `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def nearest(word: str, known: Iterable[str]) -> str:
    """The known name most like `word`, "" when none is close. Case and separators count for little."""
    names = list(known)
    if len(word) > 200:
        return ""
    folded: dict[str, str] = {}
    for name in names:
        folded.setdefault(_fold(name), name)
    match = get_close_matches(_fold(word), folded, n=1, cutoff=0.6)
    return folded[match[0]] if match else ""


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """A fix: the nearest name, else what is there, else `otherwise`."""
    names = sorted(known)
    if close := nearest(word, names):
        return f"did you mean {close}?"
    if names:
        return f"known: {listed(names)}"
    return otherwise


def listed(names: Iterable[str], most: int = 20) -> str:
    """Names in one line, cut after `most`."""
    every = list(names)
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")


def plural(count: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _fold(name: str) -> str:
    return name.lower().replace("-", "_")


def flow(value: Any) -> str:
    """A value as a spec has it in one line, `[notes, {glob: kb/*.md}]`. For examples, which need no quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(flow(item) for item in value) + "]" if isinstance(value, list) else str(value)
