"""Citations in a text that arrives in pieces: where the service puts a mark or names a place, readers see a number.

Owns how marks are told from text, and what number each source gets. A mark looks like 【4:0†source】.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace

from asstops.talk.answer import Citation

_OPEN, _CLOSE, _LONGEST_MARK = "\u3010", "\u3011", 300
_MARK = re.compile(f"({_OPEN}[^{_OPEN}{_CLOSE}]*{_CLOSE})")
_NOBODY = ("", "")
_END = sys.maxsize  # a place behind every text
_CITING = re.compile(f"{_OPEN}[0-9:]+\u2020([^{_CLOSE}]*){_CLOSE}")


def split_held(text: str) -> tuple[str, str]:
    """What can be shown of a text that goes on, and the beginning of a mark, which has to wait for its end."""
    head, opened, tail = text.rpartition(_OPEN)
    if opened and _CLOSE not in tail and len(tail) < _LONGEST_MARK:
        return head, opened + tail
    return text, ""


class NotedMarks:
    """Marks that are announced: a note gives a mark's exact text with its source, before or with the text itself."""

    def __init__(self) -> None:
        self.citations: list[Citation] = []
        self._numbers: dict[str, int] = {}
        self._held = ""

    def note(self, mark: str, file_id: str, quote: str = "") -> None:
        """A source of the text to come. The same mark keeps its number."""
        if not file_id or mark in self._numbers:
            return
        self._numbers[mark] = number = len(self.citations) + 1
        self.citations.append(Citation(number, mark, file_id, quote=quote))

    def add(self, text: str) -> str:
        """A piece of text, ready to show. A mark that has only begun is held back until it ends."""
        ready, self._held = split_held(self._held + text)
        return self._numbered(ready)

    def rest(self) -> str:
        """What was held back, now that nothing more will come."""
        text, self._held = self._held, ""
        return self._numbered(text)

    def _numbered(self, text: str) -> str:
        return _MARK.sub(lambda m: f" [{self._numbers[m[0]]}]" if m[0] in self._numbers else m[0], text)


class PlacedNotes:
    """Sources that are told by their place in a part of the text, with or without a mark there, in time or too late.

    Where a mark stands, its number replaces it. Where none stands, the number is put in at the place; once the text has
    gone past it, before the next gap between words.
    """

    def __init__(self) -> None:
        self.citations: list[Citation] = []
        self._numbers: dict[object, int] = {}
        self.begin()

    def begin(self) -> None:
        """A new part of the text begins; places count from its start."""
        self._place = 0  # how much of the part's own text has been handed out
        self._held = ""
        self._coming: list[tuple[int, Citation]] = []  # sources of places that the text has yet to reach
        self._late: list[str] = []  # numbers whose place it has passed
        self._marks: list[tuple[int, int, int]] = []  # start, end and number of the marks of this part
        self._seen: set[object] = set()

    def add(self, text: str) -> str:
        """A piece of the part's text, ready to show. A mark that has only begun is held back until it ends."""
        ready, self._held = split_held(self._held + text)
        return "".join(self._shown(ready))

    def note(self, source: Citation, place: int | None) -> None:
        """A source of this part; None for the place where the service names none. Told twice, it counts once."""
        if (key := (_of(source), place)) in self._seen:
            return
        self._seen.add(key)
        marked = [n for start, end, n in self._marks if place is not None and start <= place <= end]
        if place is None or place < self._place:  # a mark that has no source yet may be its own
            marked += [c.number for c in self.citations if c.mark and _of(c) == _NOBODY]
        if any(self._takes(number, source) for number in marked):
            return
        if place is not None and place < self._place:
            self._late.append(self._numbered(source))
        else:
            self._coming.append((_END if place is None else place, source))

    def end(self) -> str:
        """What was held back of this part, now that nothing more of its text will come."""
        text, self._held = self._held, ""
        shown = "".join([*self._shown(text), *self._late])
        shown += "".join(self._numbered(source) for _, source in self._in_order())
        self._coming, self._late = [], []
        return shown

    def _shown(self, text: str) -> Iterator[str]:
        for token in _MARK.split(text):
            if citing := _CITING.fullmatch(token):
                yield self._marked(token, citing[1])
            elif token:
                yield from self._plain(token)

    def _marked(self, mark: str, label: str) -> str:
        """The number for a mark. Its source is known if it was told before; otherwise it may still be."""
        start, self._place = self._place, self._place + len(mark)
        entry = next((entry for entry in self._in_order() if start <= entry[0] <= self._place), None)
        if entry is not None:
            self._coming.remove(entry)
        number = self._numbers.get(mark)
        if number is None or (entry is not None and not self._takes(number, entry[1])):
            source = Citation(0, mark, "", file_name=label) if entry is None else replace(entry[1], mark=mark)
            self._numbers[mark] = number = self._listed(source)
        self._marks.append((start, self._place, number))
        return f" [{number}]"

    def _plain(self, text: str) -> Iterator[str]:
        """Text without marks, with the numbers that belong into it. One at its very end waits: a mark may follow."""
        start, done, self._place = self._place, 0, self._place + len(text)
        if self._late and (gap := re.search(r"\s", text)):
            yield text[: gap.start()] + "".join(self._late)
            done, self._late = gap.start(), []
        for entry in [entry for entry in self._in_order() if entry[0] < self._place]:
            until = max(entry[0] - start, done)
            yield text[done:until] + self._numbered(entry[1])
            done = until
            self._coming.remove(entry)
        yield text[done:]

    def _in_order(self) -> list[tuple[int, Citation]]:
        return sorted(self._coming, key=lambda entry: entry[0])

    def _takes(self, number: int, source: Citation) -> bool:
        """True when a number stands for this source, or did for none and does from now on."""
        known = self.citations[number - 1]
        if _of(known) == _NOBODY:
            self.citations[number - 1] = replace(source, number=number, mark=known.mark)
            return True
        return _of(known) == _of(source)

    def _numbered(self, source: Citation) -> str:
        key = _of(source)
        if key not in self._numbers:
            self._numbers[key] = self._listed(source)
        return f" [{self._numbers[key]}]"

    def _listed(self, source: Citation) -> int:
        self.citations.append(replace(source, number=len(self.citations) + 1))
        return len(self.citations)


def _of(source: Citation) -> tuple[str, str]:
    """What makes two sources the same."""
    return source.file_id, source.url
