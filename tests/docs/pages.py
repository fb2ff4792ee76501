"""Reads the Markdown pages of the repository: their code blocks, in order, and what is said about each.

A comment in front of a block says how the tests treat it:

    <!-- not run: REASON -->     left alone
    <!-- file: NAME -->          the block is the file NAME, written before the next command runs
    <!-- edit: NAME -->          a diff block: its `-` lines become its `+` lines in NAME
    <!-- server -->              started in the background, and waited for

Blocks of `sh` are commands. Blocks of `console` are commands after `$ `, each with the stdout it must print.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))

_BLOCK = re.compile(
    r"^(?:<!-- (?P<note>(?:not run|file|edit|server)[^\n]*?) -->\n)?"
    r"```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, the note before it, and where its text stands in the page."""

    language: str
    text: str
    note: str
    argument: str
    start: int
    end: int


@dataclass
class Command:
    """One command of a page. `shown` is the output the page gives for it, None where it gives none."""

    text: str
    shown: str | None = None
    server: bool = False


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(text: str) -> Iterator[Block]:
    for found in _BLOCK.finditer(text):
        note, _, argument = (found["note"] or "").partition(":")
        yield Block(found["language"], found["text"], note, argument.strip(), found.start("text"), found.end("text"))


def commands(block: Block) -> list[Command]:
    """The commands of a `sh` or `console` block, in order."""
    if block.note == "not run":
        return []
    if block.language == "sh":
        return [Command(block.text.strip(), server=block.note == "server")]
    result: list[Command] = []
    for line in block.text.splitlines(keepends=True):
        if line.startswith("$ "):
            result.append(Command(line[2:].strip(), shown=""))
        elif line.startswith("> ") and result and not result[-1].shown:
            result[-1].text += "\n" + line[2:].rstrip()
        elif result:
            result[-1].shown = (result[-1].shown or "") + line
    return result
