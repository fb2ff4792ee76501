"""`moved:` on the way from assistants to agents: those of assistants go, since an agent cannot move."""

from __future__ import annotations

import pytest

from asstops.migrate.report import Outcome
from asstops.migrate.respec import SpecText, rewrite

HEAD = "stack: shop\nservice: assistants\n"
AFTER = "stack: shop-agents\nservice: agents\n"
STORE = "  - {from: vector_store.a, to: vector_store.b}  # stays\n"


@pytest.mark.parametrize(
    ("moved", "left"),
    [
        ("moved:\n  - {from: assistant.a, to: assistant.b}\n" + STORE, "moved:\n" + STORE),
        ("moved:\n" + STORE + "  - from: assistant.a\n    to: assistant.b\n", "moved:\n" + STORE),
        ("moved:\n- {from: assistant.a, to: assistant.b}\n", "moved: []\n"),
        ("moved: [{from: assistant.a, to: assistant.b}]\n", "moved: []\n"),
    ],
)
def test_moves_of_assistants_are_taken_out(moved: str, left: str) -> None:
    """Every other character stays, and the report says it once."""
    made = rewrite([SpecText("s.yaml", HEAD + moved)])
    assert made.texts == (AFTER + left,)
    assert [(e.address, e.field) for e in made.report.of(Outcome.CHANGED) if e.field == "moved"] == [("stack", "moved")]


def test_other_moves_are_kept() -> None:
    made = rewrite([SpecText("s.yaml", HEAD + "moved:\n" + STORE)])
    assert made.texts == (AFTER + "moved:\n" + STORE,)
    assert ("stack", "moved") in [(e.address, e.field) for e in made.report.of(Outcome.KEPT)]
