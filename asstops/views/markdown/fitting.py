"""Fits a document below a limit: whole hunks, fields and objects are left out, and what was is said. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asstops.views.markdown.text import fence
from asstops.views.text import count

_NOTE = 900  # bytes kept for saying what was left out
_CUT = 90  # the same, in one object


@dataclass(frozen=True, slots=True)
class Part:
    """One field: a line of Markdown and, where it has more to show, a fence of hunks. Hunks hold `safe` lines."""

    lead: str
    hunks: tuple[tuple[str, ...], ...] = ()

    def text(self, hunks: int) -> str:
        """With its first `hunks` hunks."""
        if not self.hunks:
            return self.lead
        lines = [line for hunk in self.hunks[:hunks] for line in hunk]
        return "\n\n".join(part for part in (self.lead, fence(lines, "diff") if lines else "") if part)


@dataclass(frozen=True, slots=True)
class Section:
    """One object. `title` is HTML; `names` is how one and how several are counted that do not fit."""

    title: str
    parts: tuple[Part, ...] = ()
    opened: bool = False
    names: tuple[str, str] = ("object", "")

    def text(self, kept: Sequence[str], left_out: str = "") -> str:
        """The section with the texts of its parts; short ones make one list."""
        blocks: list[str] = []
        for text in [*kept, *([f"_{left_out}_"] if left_out else [])]:
            if blocks and blocks[-1].startswith("- ") and text.startswith("- "):
                blocks[-1] += f"\n{text}"
            else:
                blocks.append(text)
        body = "".join(f"{block}\n\n" for block in blocks)
        return f"<details{' open' if self.opened else ''}><summary>{self.title}</summary>\n\n{body}</details>"


def fit(head: Sequence[str], sections: Sequence[Section], tail: Sequence[str], *, limit: int, rest: str) -> str:
    """The document in less than `limit` bytes of UTF-8, ending in a line break.

    `head` and `tail` stay whole and must be small; `rest` says how to see what is left out.
    """
    whole = _joined(
        [*head, *(section.text([part.text(len(part.hunks)) for part in section.parts]) for section in sections), *tail]
    )
    if _bytes(whole) < limit:
        return whole
    room = limit - _bytes(_joined([*head, *tail])) - _NOTE
    number, room = _titles(sections, room)
    shown = sections[:number]
    hunks = _shares(shown, room)
    texts = [_filled(section, kept) for section, kept in zip(shown, hunks, strict=True)]
    cut = sum(
        _is_cut(part, n)
        for section, kept in zip(shown, hunks, strict=True)
        for part, n in zip(section.parts, kept, strict=True)
    )
    return _joined([*head, *texts, _note(cut, sections[number:], rest), *tail])


def _titles(sections: Sequence[Section], room: int) -> tuple[int, int]:
    """How many objects are named at all, and what room that leaves. Names take three quarters at most."""
    least = room // 4
    for number, section in enumerate(sections):
        cost = _bytes(section.text([])) + _CUT + 2
        if room - cost < least:
            return number, room
        room -= cost
    return len(sections), room


def _shares(sections: Sequence[Section], room: int) -> list[list[int]]:
    """How many hunks of each field there is room for, -1 for none of the field at all.

    What is short comes first, everywhere; then what is left is shared by the fields that have more to show.
    """
    result = [[-1] * len(section.parts) for section in sections]
    places = [(s, p) for s, section in enumerate(sections) for p in range(len(section.parts))]
    for s, p in places:
        cost = _bytes(sections[s].parts[p].text(0)) + 2
        if cost <= room:
            result[s][p], room = 0, room - cost
    longer = [(s, p) for s, p in places if result[s][p] == 0 and sections[s].parts[p].hunks]
    for waiting, (s, p) in zip(range(len(longer), 0, -1), longer, strict=True):
        part = sections[s].parts[p]
        least = _bytes(part.text(0))
        for number in _fewer(len(part.hunks)):
            cost = _bytes(part.text(number)) - least + 2
            if cost <= room // waiting:
                result[s][p], room = number, room - cost
                break
    return result


def _filled(section: Section, hunks: Sequence[int]) -> str:
    """One object with what there is room for."""
    parts = list(zip(section.parts, hunks, strict=True))
    cut = sum(_is_cut(part, number) for part, number in parts)
    left_out = f"{count(cut, 'field is', 'fields are')} cut short or left out for length." if cut else ""
    return section.text([part.text(number) for part, number in parts if number >= 0], left_out)


def _is_cut(part: Part, hunks: int) -> bool:
    return hunks < len(part.hunks)


def _fewer(hunks: int) -> list[int]:
    """All, then fewer and fewer, down to the first one."""
    return sorted({max(1, hunks * share // 16) for share in range(1, 17)} | {1}, reverse=True)


def _note(fields: int, missing: Sequence[Section], rest: str) -> str:
    what = [count(fields, "field")] if fields else []
    kinds = dict.fromkeys(section.names for section in missing)
    what += [count(sum(1 for section in missing if section.names == names), *names) for names in kinds]
    return f"> [!NOTE]\n> Cut for length: {', '.join(what)}. {rest}"


def _joined(blocks: Sequence[str]) -> str:
    return "\n\n".join(block for block in blocks if block) + "\n"


def _bytes(text: str) -> int:
    return len(text.encode("utf-8"))
