"""Text from outside: neutralised, measured, wrapped, compared."""

from __future__ import annotations

import random
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plans import nasty

from asstops.views.ink import Ink, spans_width, wrap
from asstops.views.table import pairs, table
from asstops.views.text import cells, count, cut, encodable, safe, seconds, size, size_reached
from asstops.views.textdiff import diff_lines, diff_words, shorten

texts = st.one_of(nasty, st.text(max_size=80), st.text(alphabet="ab \n.", max_size=80))


def test_nothing_that_acts_or_hides_gets_through() -> None:
    """Controls, surrogates, separators, directions and zero-width characters become visible."""
    for code in range(0x110000):
        character = chr(code)
        category = unicodedata.category(character)
        bidi = unicodedata.bidirectional(character)
        acts = category in ("Cc", "Cs", "Zl", "Zp") or bidi in (
            "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
        )  # fmt: skip
        hides = character in "\xad\u034f\u061c\u180e\u200b\u200c\u200d\u2060\ufeff\u3164\U000e0041\ufe01\U000e0101"
        if acts or hides:
            assert safe(character).startswith("\\"), hex(code)
    assert safe("plain, ünïcode, 日本語 and ⚠\ufe0f") == "plain, ünïcode, 日本語 and ⚠\ufe0f"


def test_escapes_are_readable() -> None:
    """The escape names the character; special spaces only show where asked."""
    assert safe("\x1b[2J\n\t\u202e\U000e0041\xa0") == "\\x1b[2J\\n\\t\\u202e\\U000e0041\xa0"
    assert safe("a\xa0b", spaces=True) == "a\\xa0b"


def test_what_an_encoding_cannot_hold_is_escaped() -> None:
    """Output to an ASCII log never fails."""
    assert encodable("a… é", "ascii") == "a\\u2026 \\xe9"
    assert encodable("a… é", "utf-8") == "a… é"
    assert encodable("é", None) == "\\xe9"


@given(texts, st.integers(1, 30))
def test_cut_fits(text: str, width: int) -> None:
    """What is cut is no wider than asked, and says that it was cut."""
    result = cut(safe(text), width)
    assert cells(result) <= width
    assert result == safe(text) or result.endswith("…")


@given(st.lists(st.tuples(st.sampled_from(["", "add", "dim"]), texts.map(safe)), max_size=5), st.integers(10, 60))
def test_wrap_keeps_everything_but_spaces(line: list[tuple[str, str]], width: int) -> None:
    """Wrapped lines fit, and together hold what the line held, in its roles."""
    wrapped = wrap(line, width, 4)
    assert all(spans_width(part) <= width for part in wrapped)

    def characters(spans: list[tuple[str, str]]) -> list[tuple[str, str]]:
        return [(role, c) for role, text in spans for c in text if c != " "]

    assert [c for part in wrapped for c in characters(part)] == characters(line)


def test_wrap_breaks_at_words() -> None:
    """A word is broken only when a line cannot hold it."""
    shown = Ink(20, False).lines([("", "the quick brown fox jumps")], 2)
    assert shown == ["the quick brown fox", "  jumps"]
    assert Ink(10, False).lines([("", "x" * 15)], 0) == ["x" * 10, "x" * 5]


def test_marks_are_brackets_without_colour() -> None:
    """Colour or brackets, never nothing."""
    line = [("add", "a "), ("add-mark", "b")]
    assert Ink(20, False).lines(line) == ["a [b]"]
    assert Ink(20, True).lines(line) == ["\x1b[32ma \x1b[0m\x1b[1;7;32mb\x1b[0m"]


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


@given(texts, texts)
def test_diff_holds_both_texts(before: str, after: str) -> None:
    """With all context, the rows give back either text, and every number is right."""
    rows = diff_lines(before, after, context=10**6)
    old, new = (_lines(before), _lines(after))
    if old == new:
        assert rows == []
        return
    joined = [("".join(text for text, _ in row.pieces), row) for row in rows]
    assert [text for text, row in joined if row.sign in " -"] == old
    assert [text for text, row in joined if row.sign in " +"] == new
    assert all(new[row.number - 1] == text for text, row in joined if row.sign in " +")
    assert all(old[row.number - 1] == text for text, row in joined if row.sign == "-")


@given(texts, texts)
def test_diff_leaves_out_only_what_is_the_same(before: str, after: str) -> None:
    """What is elided is counted, and changes never are."""
    rows = diff_lines(before, after)
    assert [row for row in rows if row.sign in "-+"] == [
        row for row in diff_lines(before, after, context=10**6) if row.sign in "-+"
    ]
    assert all(row.skipped > 1 for row in rows if row.sign == "…")


@given(texts, texts)
def test_words_hold_both_texts(before: str, after: str) -> None:
    """The pieces put together are the texts; what is unmarked is the same in both."""
    left, right = diff_words(before, after)
    assert ("".join(t for t, _ in left), "".join(t for t, _ in right)) == (before, after)


def test_marks_what_changed() -> None:
    """Changed words are marked, not the words or spaces beside them."""
    left, right = diff_words("Use a chart when asked.", "Always use a bar chart when asked.")
    assert [text for text, marked in left if marked] == ["Use"]
    assert [text for text, marked in right if marked] == ["Always use", "bar"]


def test_unlike_texts_are_not_marked() -> None:
    """Marks that cover nearly everything tell nothing."""
    left, right = diff_words("You are a pirate.", "Act as counsel in patent law")
    assert (left, right) == ((("You are a pirate.", False),), (("Act as counsel in patent law", False),))


def test_long_lines_keep_the_change() -> None:
    """Unchanged stretches of a long line are cut, what changed is not."""
    pieces = (("x " * 300, False), ("changed", True), (" y" * 300, False))
    short = shorten(pieces)
    assert ("changed", True) in short
    assert sum(len(text) for text, _ in short) < 120
    assert short[0][0].startswith("…")
    assert short[-1][0].endswith("…")


def _prose(seed: int, words: int) -> str:
    chosen = random.Random(seed)
    return " ".join(f"w{chosen.randrange(150)}" for _ in range(words))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (_prose(1, 40_000), _prose(2, 40_000)),
        ("a " * 128_000, "a b " * 64_000),
        ("." * 256_000, "!." * 128_000),
        ("x\n\n" * 60_000, "y\n\n" * 60_000),
        ("\n".join(str(n % 7) for n in range(80_000)), "\n".join(str(n % 5) for n in range(80_000))),
    ],
)
def test_time_is_bounded(before: str, after: str) -> None:
    """Texts at the service's limit are compared in seconds, however unlike they are."""
    began = time.perf_counter()
    diff_lines(before, after)
    assert time.perf_counter() - began < 15


def test_numbers_for_people() -> None:
    """Counts, sizes and times are short and plain."""
    assert [count(1, "file"), count(1204, "file"), count(2, "copy", "copies")] == ["1 file", "1,204 files", "2 copies"]
    assert [size_reached(120_400_000, 500_000_000), size_reached(400_000, 9_234_567), size_reached(5, 812)] == [
        "120 of 500 MB",
        "0.4 of 9.2 MB",
        "5 of 812 B",
    ]
    assert [size(0), size(999), size(18_211), size(999_960), size(512_000_000)] == [
        "0 B", "999 B", "18.2 kB", "1.0 MB", "512.0 MB",
    ]  # fmt: skip
    assert [seconds(0.4), seconds(9.96), seconds(59.7), seconds(185), seconds(3_900)] == [
        "0.4s", "10s", "1m00s", "3m05s", "1h05m",
    ]  # fmt: skip


def test_table_fits_and_never_cuts_what_is_to_be_copied() -> None:
    """Columns line up; the widest gives way first, ids stay whole."""
    rows = [("assistant.sales", "asst_" + "x" * 24, "a long description that does not fit here"), ("file.a", "f", "")]
    shown = table(rows, headers=("ADDRESS", "ID", "NAME"), width=60, whole=(0, 1))
    lines = shown.splitlines()
    assert lines[0] == "ADDRESS          ID                             NAME"
    assert lines[1] == f"assistant.sales  asst_{'x' * 24}  a long desc…"
    assert lines[2] == "file.a           f"
    assert table([], width=60) == ""


def test_pairs_line_up() -> None:
    """Values begin in one column and are carried over under themselves."""
    shown = pairs([("id", "x"), ("endpoint", "word " * 12)], width=40)
    assert shown == (
        "id        x\n"
        "endpoint  word word word word word word\n"
        "          word word word word word word\n"
    )  # fmt: skip
    assert pairs([("id", "\x1b[2J")], width=40) == "id  \\x1b[2J\n"
