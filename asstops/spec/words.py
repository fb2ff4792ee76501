"""How problems are worded: values cut to size, nearest known names, lists of what is allowed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

SHOWN = 60
_CLOSE = 0.6  # of 1 for the same
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
    return folded.get(_closest(_fold(word), folded), "")


def _closest(word: str, names: Iterable[str]) -> str:
    """The one that `difflib.get_close_matches` names first. What cannot be as close as one before is not compared."""
    from difflib import SequenceMatcher

    matcher: SequenceMatcher[str] = SequenceMatcher(b=word)
    best = (_CLOSE, "")
    for name in names:
        matcher.set_seq1(name)
        if matcher.real_quick_ratio() >= best[0] and matcher.quick_ratio() >= best[0]:
            best = max(best, (matcher.ratio(), name))
    return best[1]


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """A fix: the nearest name, else what is there, else `otherwise`."""
    names = sorted(known)
    if close := nearest(word, names):
        return f"did you mean {close}?"
    if names:
        return f"known: {listed(names)}"
    return otherwise


ALWAYS: Final = 50
"""Names that a word is compared with however often it is asked: as many as a model has keys, or a keyword values."""


class Suggestions:
    """What was meant by the wrong names of one spec.

    A name is compared with every known one. Thousands of wrong names and thousands of known ones would take minutes,
    so that comparisons with many names come to an end; those with a few do not.
    """

    def __init__(self, comparisons: int = 50_000) -> None:
        self._left = comparisons

    def nearest(self, word: str, known: Collection[str]) -> str:
        """As `nearest`; "" where too much was asked already."""
        return nearest(word, known) if self._may(known) else ""

    def closest(self, word: str, known: Collection[str]) -> str:
        """As `nearest`, of names in which case and separators tell: those of files."""
        return _closest(word, known) if self._may(known) else ""

    def did_you_mean(self, word: str, known: Collection[str], otherwise: str = "") -> str:
        """As `did_you_mean`; `otherwise` where too much was asked already."""
        return did_you_mean(word, known, otherwise) if self._may(known) else otherwise

    def _may(self, known: Collection[str]) -> bool:
        if len(known) <= ALWAYS:
            return True
        left, self._left = self._left, self._left - len(known)
        return left > 0  # so the first is always compared


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
