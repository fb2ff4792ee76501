"""`graph`, and plans as pages: what is offline, what a saved plan adds, and that both show the same."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from tests.support.inside import Inside
from tests.support.stage import Stage

SPEC: dict[str, Any] = {
    "stack": "pictures",
    "origin": "here",
    "vars": {"pin": {"sensitive": True}},
    "files": {"a": {"path": "a.md"}},
    "vector_stores": {"docs": {"files": ["a", {"glob": "kb/*.md"}], "metadata": {"pin": "${pin}"}}},
    "assistants": {
        "helper": {
            "model": "gpt-4o",
            "instructions": "Be brief.\nUse <b>bold</b> words.\n",
            "tools": [{"file_search": {"vector_store": "docs"}}, {"code_interpreter": {"files": ["a"]}}],
        },
    },
}
FILES = {"a.md": "one\n", **{f"kb/{n}.md": f"article {n}\n" for n in range(6)}}
PIN = "--var", "pin=canary-pin"
TREE = """\
stack pictures · agents
assistant.helper
├─ file.a
└─ vector_store.docs
   ├─ file.a
   └─ 6 files
"""


@pytest.fixture
def inside(stage: Stage) -> Inside:
    stage.write(SPEC, FILES)
    return Inside(stage.folder, stage.environ)


def test_graph_is_offline(stage: Stage, inside: Inside) -> None:
    """It says what the spec says, in every form, without a word to any service."""
    stage.look_away()
    assert inside.run("graph", *PIN).stdout == TREE
    mermaid = inside.run("graph", "--format", "mermaid", *PIN).stdout
    assert mermaid.startswith('flowchart LR\n  n0["assistant.helper"]\n  n1["file.a"]\n  n2[["6 files"]]\n')
    assert inside.run("graph", "--format", "dot", *PIN).stdout.startswith("digraph asstops {")
    ET.fromstring(inside.run("graph", "--format", "svg", *PIN).stdout)
    data = json.loads(inside.run("graph", "--format", "json", *PIN).stdout)
    assert len(data["nodes"]) == 9
    assert {"from": "assistant.helper", "to": "vector_store.docs"} in data["edges"]
    assert stage.requests() == []


def test_a_plan_as_a_page(stage: Stage, inside: Inside) -> None:
    """What `plan` writes and what `show` makes of the saved plan is the same page but for the heading."""
    inside.run("apply", "-y", *PIN)
    spec = {**SPEC, "assistants": {"helper": {**SPEC["assistants"]["helper"], "instructions": "Be very brief.\n"}}}
    spec["assistants"]["second"] = {"model": "gpt-4o"}
    files = {path: text for path, text in FILES.items() if path != "kb/5.md"}
    stage.clear()
    stage.write(spec, files)
    page = inside.run("plan", "--format", "html", "-o", "saved.plan", *PIN).stdout
    assert "<title>1 to add, 2 to change, 1 to destroy &#183; pictures</title>" in page
    assert "Use &lt;b&gt;bold&lt;/b&gt; words." in page
    assert "<title>file.5.md, delete</title>" in page
    assert "canary" not in page
    shown = inside.run("show", "saved.plan", "--format", "html").stdout
    heading = re.compile(r"<span>(read \d+ objects? in|saved) [^<]*</span>")
    assert len(heading.findall(shown)) == 1
    assert heading.sub("", shown) == heading.sub("", page)
    tree = inside.run("graph", "saved.plan").stdout
    assert "~ assistant.helper\n" in tree
    assert "- file.5.md\n" in tree
    assert "+ assistant.second\n" in tree
    refused = inside.run("graph", "saved.plan", "--env", "prod", code=64).stderr
    assert "a saved plan has its own spec" in refused
    refused = inside.run("show", "assistant.helper", "--format", "html", *PIN, code=64).stderr
    assert "an object has no form html" in refused
