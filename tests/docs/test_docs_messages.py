"""The messages that the troubleshooting page explains are messages of the program."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.pages import ROOT, read

HEADINGS = [
    message
    for heading in re.findall(r"^### (.+)$", read("docs/troubleshooting.md"), re.MULTILINE)
    for message in re.findall(r"`([^`]+)`", heading)
]


@pytest.fixture(scope="module")
def texts() -> str:
    """Every text of the package, with f-strings' values left out: adjacent literals are one text for the parser."""
    found = []
    for path in sorted((ROOT / "asstops").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.append("…".join(str(part.value) for part in node.values if isinstance(part, ast.Constant)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return "\n".join(found)


@pytest.mark.parametrize("heading", HEADINGS)
def test_message_exists(heading: str, texts: str) -> None:
    """A reworded message fails here, so that a search for it still finds its explanation."""
    assert [part for part in heading.split("…") if part.strip() and part.strip() not in texts] == []
