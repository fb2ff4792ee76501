"""PyYAML comes without libyaml in places; a spec reads the same there, only slower."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from asstops.spec import yaml_reader
from asstops.spec.nodes import ListNode, MapNode, Node, Problems, ScalarNode, Source

SOUND = """\
# a comment
stack: shop   # another
vars: {n: 1, quoted: "1", single: '0613', negative: -0.5, nothing: ~, yes: true}
assistants:
  base: &base
    model: gpt-4o
    version: 2024-11-20
    instructions: |
      One line,
        and one further in.

    folded: >-
      Two lines
      that are one.
  other:
    <<: *base
    tools: [code_interpreter, {file_search: {vector_store: a}}, *base]
    plain text: that runs
      on
---
stack: second
"""
BROKEN = ("a: b: c\n", "a: [1, 2\n", "a:\n\t- b\n", "a: *nothing\n", "a: 1\na: 2\n", 'a: "\\q"\n', "a: !tag 1\n")


def told(node: Node) -> Any:
    """A tree as plain values, each with its place."""
    at = (node.line, node.column)
    if isinstance(node, MapNode):
        return at, {key: (told(node.keys[key]), told(item)) for key, item in node.entries.items()}
    if isinstance(node, ListNode):
        return at, [told(item) for item in node.items]
    assert isinstance(node, ScalarNode)
    return at, node.value


def read(text: str) -> tuple[list[Any], list[Any]]:
    problems = Problems()
    documents = yaml_reader.read_documents(text.encode(), Source(Path("a.yaml"), "a.yaml"), problems)
    return [told(document) for document in documents], [problem.location for problem in problems.all()]


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="there is nothing to compare with")
def test_the_same_tree_and_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values, what is quoted, anchors, merges, lines and columns."""
    fast = read(SOUND)
    assert len(fast[0]) == 2
    monkeypatch.setattr(yaml_reader, "_Loader", yaml.SafeLoader)
    assert read(SOUND) == fast


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_broken_is_told_all_the_same(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words of the two parsers differ; that there is a problem, and in which file, does not."""
    monkeypatch.setattr(yaml_reader, "_Loader", yaml.SafeLoader)
    _, places = read(text)
    assert [place.file for place in places] == ["a.yaml"]
    assert places[0].line >= 1
