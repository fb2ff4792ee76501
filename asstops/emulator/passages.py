"""Finding passages in files: what the file_search tool of the emulator does.

Owns a plain search by words, the same on every run. It knows no store and no API; it is given texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_LONGEST = 400
_COMMON_WORDS = (
    "a about an and are as at be by can do does for from how i in is it me my of on or our please say tell that the "
    "their this to was we what when where which who why will with you your"
)
_COMMON = frozenset(_COMMON_WORDS.split())


@dataclass(frozen=True, slots=True)
class Document:
    """A file that can be searched."""

    file_id: str
    filename: str
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document, with how well it fits: 0 to 1."""

    document: Document
    text: str
    score: float


def search(documents: Iterable[Document], question: str, most: int) -> list[Passage]:
    """Return the best passage of each document that has any word of the question, the best first."""
    wanted = words(question)
    found = [passage for document in documents if (passage := _best(document, wanted)) is not None]
    found.sort(key=lambda passage: -passage.score)  # stable: equals stay in the order of the store
    return found[:most]


def words(text: str) -> set[str]:
    """Return the telling words of a text; a plural counts as its singular."""
    return {_stem(word) for word in re.findall(r"\w+", text.lower()) if word not in _COMMON}


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


def _best(document: Document, wanted: set[str]) -> Passage | None:
    best, text = 0.0, ""
    for piece in _pieces(document.text):
        score = len(wanted & words(piece)) / len(wanted) if wanted else 0.0
        if score > best:
            best, text = score, piece
    return Passage(document, text, round(best, 4)) if best else None


def _pieces(text: str) -> Sequence[str]:
    """Split a text into lines and long lines into parts, blank ones left out."""
    pieces = []
    for line in text.splitlines():
        line = line.strip()
        pieces += [line[start : start + _LONGEST] for start in range(0, len(line), _LONGEST)]
    return pieces
