"""Differences between two texts: lines with numbers, changed words marked, what is the same left out. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

Piece = tuple[str, bool]
"""(text, whether it is what changed)."""

_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = rf"[{_IDEOGRAPHS}]|[^\W{_IDEOGRAPHS}]+|\s+|[^\w\s]"  # compiled on use, since that takes its time
_TOO_MUCH = 2_000_000  # pairs of equal items a SequenceMatcher would visit: past it, a second or more
_ALIKE = 0.35  # below this share of equal characters, marked words tell less than the two lines
_KEEP = 40  # characters kept beside a change in a long line
_LONG = 240
MAX_LINE = 2_000


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a text diff. `sign` is "-", "+", " " (the same in both) or "…" (`skipped` lines left out)."""

    sign: str
    number: int
    pieces: tuple[Piece, ...] = ()
    skipped: int = 0


def diff_lines(before: str, after: str, context: int = 1) -> list[Row]:
    """Rows for what changed, with `context` unchanged lines around it. Numbers are those of the side a row is from."""
    old, new = _split(before), _split(after)
    rows: list[Row] = []
    blocks = _opcodes(old, new)
    for index, (tag, i1, i2, j1, j2) in enumerate(blocks):
        if tag == "equal":
            head = context if index else 0
            tail = context if index < len(blocks) - 1 else 0
            rows += _context_rows(new, j1, j2, head, tail)
        else:
            rows += _changed_rows(old, new, i1, i2, j1, j2)
    return rows


def diff_words(before: str, after: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Both texts in pieces, changed words marked; unmarked as a whole when they have little in common."""
    old, new = re.findall(_WORD, before), re.findall(_WORD, after)
    left: list[Piece] = []
    right: list[Piece] = []
    same = 0
    for tag, i1, i2, j1, j2 in _bridged(_opcodes(old, new), old):
        marked = tag != "equal"
        if not marked:
            same += sum(map(len, old[i1:i2]))
        left.append(("".join(old[i1:i2]), marked))
        right.append(("".join(new[j1:j2]), marked))
    if same * 2 < _ALIKE * (len(before) + len(after)):
        return ((before, False),), ((after, False),)
    return tuple(_trimmed(left)), tuple(_trimmed(right))


def _trimmed(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Marks hold words, not the space beside them, unless space is all that changed."""
    for text, marked in pieces:
        word = text.strip(" ")
        if marked and word:
            start = text.index(word)
            parts = [(text[:start], False), (word, True), (text[start + len(word) :], False)]
        else:
            parts = [(text, marked)]
        yield from (part for part in parts if part[0])


def shorten(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """A long line with the unchanged stretches between its changes cut to some words beside each."""
    if sum(len(text) for text, _ in pieces) <= _LONG or not any(marked for _, marked in pieces):
        return tuple(pieces)
    result: list[Piece] = []
    for index, (text, marked) in enumerate(pieces):
        first, last = index == 0, index == len(pieces) - 1
        keep = 0 if first or last else _KEEP
        if marked or len(text) <= _KEEP + keep + 10:
            result.append((text, marked))
        else:
            head = "" if first else _words(text[:_KEEP], from_end=False)
            tail = "" if last else _words(text[-_KEEP:], from_end=True)
            result.append((f"{head}…{tail}", False))
    return tuple(result)


def bounded(pieces: Sequence[Piece], most: int = MAX_LINE) -> Iterator[Piece]:
    """A line of at most `most` characters, and how many more there are."""
    room = most
    for text, marked in pieces:
        if len(text) > room:
            yield text[:room], marked
            yield f"… ({len(text) - room:,} more characters)", False
            return
        room -= len(text)
        yield text, marked


def same_endings(old: str, new: str) -> tuple[str, str, str]:
    """Texts that differ in CRLF and LF throughout are compared without, and the reader is told."""
    crlf = tuple("\r\n" in text and text.count("\n") == text.count("\r\n") for text in (old, new))
    if crlf == (True, False) and "\r" not in new:
        return old.replace("\r\n", "\n"), new, "(line breaks change from CRLF to LF)"
    if crlf == (False, True) and "\r" not in old:
        return old, new.replace("\r\n", "\n"), "(line breaks change from LF to CRLF)"
    return old, new, ""


def _words(text: str, *, from_end: bool) -> str:
    """Without the part of a word that the cut left over."""
    if from_end:
        return text[text.find(" ") :] if " " in text else text
    return text[: text.rfind(" ") + 1] if " " in text else text


def _split(text: str) -> list[str]:
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return lines


def _context_rows(new: Sequence[str], j1: int, j2: int, head: int, tail: int) -> list[Row]:
    head = min(head, j2 - j1)
    tail = min(tail, j2 - j1 - head)
    left_out = j2 - j1 - head - tail
    if head and tail and left_out == 1:  # the line itself takes no more room than saying that it was left out
        head, left_out = head + 1, 0
    rows = [Row(" ", j + 1, ((new[j], False),)) for j in range(j1, j1 + head)]
    if head and tail and left_out:
        rows.append(Row("…", 0, skipped=left_out))
    return rows + [Row(" ", j + 1, ((new[j], False),)) for j in range(j2 - tail, j2)]


def _changed_rows(old: Sequence[str], new: Sequence[str], i1: int, i2: int, j1: int, j2: int) -> Iterator[Row]:
    """Lines that correspond stand one under the other, so that the marked words can be compared."""
    i, j = i1, j1
    for pair_i, pair_j in [*_pairs(old, new, i1, i2, j1, j2), (i2, j2)]:
        yield from (Row("-", n + 1, ((old[n], False),)) for n in range(i, pair_i))
        yield from (Row("+", n + 1, ((new[n], False),)) for n in range(j, pair_j))
        if pair_i < i2:
            left, right = diff_words(old[pair_i], new[pair_j])
            yield Row("-", pair_i + 1, shorten(left))
            yield Row("+", pair_j + 1, shorten(right))
        i, j = pair_i + 1, pair_j + 1


def _pairs(old: Sequence[str], new: Sequence[str], i1: int, i2: int, j1: int, j2: int) -> list[tuple[int, int]]:
    """Which removed line became which added one: in order, the best sum of likeness."""
    if not (i2 - i1 and j2 - j1):
        return []
    words = {n: Counter(re.findall(_WORD, old[n])) for n in range(i1, i2)}
    others = {n: Counter(re.findall(_WORD, new[n])) for n in range(j1, j2)}
    if i2 - i1 == j2 - j1:
        beside = zip(range(i1, i2), range(j1, j2), strict=True)
        return [(i, j) for i, j in beside if _likeness(words[i], others[j]) >= _ALIKE]
    if (i2 - i1) * (j2 - j1) > 2_500:
        return []
    best: dict[tuple[int, int], tuple[float, tuple[tuple[int, int], ...]]] = {}
    for i in range(i2, i1 - 1, -1):
        for j in range(j2, j1 - 1, -1):
            if i == i2 or j == j2:
                best[i, j] = (0.0, ())
                continue
            like = _likeness(words[i], others[j])
            options = [best[i + 1, j], best[i, j + 1]]
            if like >= _ALIKE:
                score, rest = best[i + 1, j + 1]
                options.append((score + like, ((i, j), *rest)))
            best[i, j] = max(options, key=lambda option: option[0])
    return list(best[i1, j1][1])


def _likeness(left: Counter[str], right: Counter[str]) -> float:
    total = sum(left.values()) + sum(right.values())
    return 2 * sum((left & right).values()) / total if total else 1.0


Opcode = tuple[str, int, int, int, int]


def _opcodes(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Opcode]:
    """As SequenceMatcher, in bounded time: equal ends are taken off first, and a hopeless middle counts as replaced."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    a, b = old[head : len(old) - tail], new[head : len(new) - tail]
    result: list[Opcode] = [("equal", 0, head, 0, head)] if head else []
    if a or b:
        if _cost(a, b) > _TOO_MUCH:
            result.append(("replace", head, head + len(a), head, head + len(b)))
        else:
            result += [
                (tag, i1 + head, i2 + head, j1 + head, j2 + head)
                for tag, i1, i2, j1, j2 in SequenceMatcher(None, a, b).get_opcodes()
            ]
    if tail:
        result.append(("equal", len(old) - tail, len(old), len(new) - tail, len(new)))
    return result


def _cost(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """How many pairs of equal items a SequenceMatcher would visit. In long texts it passes over the popular ones."""
    counts = Counter(b)
    popular = len(b) // 100 + 1 if len(b) >= 200 else len(b)
    return sum(counts[item] for item in a if counts[item] <= popular)


def _bridged(opcodes: Sequence[Opcode], old: Sequence[str]) -> list[Opcode]:
    """Changes with nothing but a space between them as one, so that a rewritten phrase is marked once."""
    result: list[Opcode] = []
    for index, opcode in enumerate(opcodes):
        tag, i1, i2, j1, j2 = opcode
        inside = 0 < index < len(opcodes) - 1
        if tag == "equal" and inside and not "".join(old[i1:i2]).strip():
            tag = "replace"
        if result and tag != "equal" and result[-1][0] != "equal":
            _, first_i, _, first_j, _ = result[-1]
            result[-1] = ("replace", first_i, i2, first_j, j2)
        else:
            result.append((tag, i1, i2, j1, j2))
    return result
