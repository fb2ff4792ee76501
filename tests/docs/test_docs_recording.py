"""The picture in the README shows what asstops prints now."""

from __future__ import annotations

import runpy
import sys
from itertools import chain, groupby
from xml.etree import ElementTree

import pytest
from rich.text import Text

from tests.docs.pages import ROOT, read

PICTURE = "docs/recording/session.svg"
SVG = "{http://www.w3.org/2000/svg}"


def _lines(text: str) -> list[str]:
    """Lines without blanks; steps that run side by side may end either way."""
    lines = ["".join(line.split()) for line in text.splitlines()]
    runs = groupby(filter(None, lines), lambda line: line.startswith("✓"))
    return list(chain.from_iterable(sorted(run) if steps else run for steps, run in runs))


def _drawn() -> str:
    """The text of the picture, line by line: every text element has its place."""
    (matrix,) = (
        group for group in ElementTree.parse(ROOT / PICTURE).iter(f"{SVG}g") if group.get("class") == "session-matrix"
    )
    placed = sorted((float(item.attrib["y"]), float(item.attrib["x"]), item.text or "") for item in matrix)
    rows = groupby(placed, lambda item: item[0])
    return "\n".join("".join(text for _, _, text in row) for _, row in rows)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_shows_what_the_commands_print() -> None:
    """The session is played again; `make recording` draws it anew."""
    session = runpy.run_path(str(ROOT / "docs/recording/record.py"))["session"]()
    assert _lines(_drawn()) == _lines(Text.from_ansi(session).plain)


def test_can_be_shown_anywhere() -> None:
    """It is in the README, and reaches for nothing outside itself."""
    picture = read(PICTURE)
    assert f"]({PICTURE})" in read("README.md")
    assert picture.count("http") == picture.count(SVG.strip("{}")) == 1
    assert "url(#" in picture
    assert not any(word in picture for word in ("@import", "@font-face", "<script", "<image", "href"))
