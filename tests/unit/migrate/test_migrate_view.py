"""The report, for people and as JSON."""

from __future__ import annotations

import json

from asstops.errors import Location, Problem
from asstops.migrate.report import Ledger, Missing, Report
from asstops.views.machine import dumps
from asstops.views.migration import render_migration, render_texts, to_json


def sample() -> Report:
    ledger = Ledger()
    ledger.kept("assistant.a", "model", "temperature", "name")
    ledger.kept_by_default("assistant.a", "top_p")
    ledger.changed("assistant.a", "name", "it is \x1b[31m red", "look", Location("s.yaml", 3, 5))
    ledger.lost("assistant.a", "tools[0]", "agents have no tool 'x'", "do without")
    ledger.lost("(file-1)", "", "used by nothing")
    return Report(
        source="s.yaml",
        stack="shop",
        entries=ledger.entries(),
        missing=(Missing("files/a.md", 1234, "file-1"), Missing("files/b.md", None, "file-2")),
        steps=("plan", "apply"),
        problems=(Problem("model is missing", Location("agents/s.yaml", 9, 1), "add it"),),
    )


def test_for_people() -> None:
    """What is lost comes last of an object and what did not come along last of all; nothing acts on a terminal."""
    text = render_migration(sample(), ["agents/s.yaml", "agents/a.md"], dry_run=False, color=False, width=80)
    assert text == (
        "stack shop · s.yaml · wrote agents/s.yaml and 1 more file\n"
        "\n"
        "assistant.a\n"
        "  kept     model, temperature, top_p (left out: it is the default)\n"
        "  changed  name: it is \\x1b[31m red\n"
        "           at: s.yaml:3:5\n"
        "           fix: look\n"
        "  lost     tools[0]: agents have no tool 'x'\n"
        "           fix: do without\n"
        "\n"
        "(file-1)\n"
        "  lost     used by nothing\n"
        "\n"
        "Put in place, beside agents/s.yaml (2 files):\n"
        "  files/a.md  1.2 kB · file-1\n"
        "  files/b.md  of unknown size · file-2\n"
        "\n"
        "The new spec needs a hand before it can be used:\n"
        "\n"
        "Warning: model is missing\n"
        "  at: agents/s.yaml:9:1\n"
        "  fix: add it\n"
        "\n"
        "Next:\n"
        "  1. plan\n"
        "  2. apply\n"
        "\n"
        "Migrated: 3 fields kept, 1 changed, 2 lost.\n"
    )


def test_a_narrow_terminal() -> None:
    text = render_migration(sample(), ["agents/s.yaml"], dry_run=True, color=False, width=40)
    assert "would write agents/s.yaml" in text
    assert max(map(len, text.splitlines())) <= 40


def test_for_programs() -> None:
    document = json.loads(
        dumps(to_json(sample(), ["agents/s.yaml"], dry_run=True, texts={"agents/s.yaml": "stack: shop\n"}))
    )
    assert document["summary"] == {"kept": 3, "changed": 1, "lost": 2}
    assert document["entries"][3] == {
        "outcome": "changed",
        "address": "assistant.a",
        "field": "name",
        "message": "it is \x1b[31m red",
        "fix": "look",
        "file": "s.yaml",
        "line": 3,
        "column": 5,
    }
    assert document["files"] == [{"path": "agents/s.yaml", "text": "stack: shop\n"}]
    assert document["missing"][1] == {"path": "files/b.md", "size_bytes": None, "id": "file-2"}
    assert document["problems"][0]["line"] == 9
    assert (document["service"], document["dry_run"], document["steps"]) == ("agents", True, ["plan", "apply"])


def test_what_would_be_written() -> None:
    """A difference where there was something, the whole text elsewhere; nothing for what stays."""
    text = render_texts({"a": "x\ny\n", "b": "new\x07\n", "c": "same\n"}, {"a": "x\nz\n", "c": "same\n"})
    assert text == "--- a\n+++ a\n@@ -1,2 +1,2 @@\n x\n-z\n+y\n\n--- b\nnew\\x07\n"
