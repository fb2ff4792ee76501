"""`moved:` of a spec: what is read, and every mistake at its place."""

# ruff: noqa: E501  messages are compared whole, as users see them

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asstops.errors import SpecInvalid
from asstops.model import Address
from asstops.spec import load

STORES = "vector_stores: {new: {}, other: {}, theirs: {id: vs_1}}\n"
AGENTS = "stack: s\nservice: agents\nassistants: {new: {model: m}}\n"


def moves(stack: Any) -> dict[str, str]:
    return {str(old): str(new) for old, new in stack.moves.items()}


def test_moves_are_read(spec: Any) -> None:
    """In the order and form of the spec, chains as they stand; an address splits at its first dot."""
    text = (
        STORES
        + "assistants: {a: {model: m, tools: [{code_interpreter: {files: [{glob: 'kb/*'}]}}]}}\n"
        + """\
moved:
  - {from: vector_store.old, to: vector_store.mid}
  - from: vector_store.mid
    to: vector_store.new
  - {from: file.docs/a.md, to: file.kb/a.md}
  - {from: assistant.old, to: assistant.a}
"""
    )
    assert moves(spec.load(text, {"kb/a.md": "x"})) == {
        "vector_store.old": "vector_store.mid",
        "vector_store.mid": "vector_store.new",
        "file.docs/a.md": "file.kb/a.md",
        "assistant.old": "assistant.a",
    }


@pytest.mark.parametrize("text", ["", "moved:\n", "moved: []\n"])
def test_nothing_moved(spec: Any, text: str) -> None:
    assert moves(spec.load(STORES + text)) == {}


def test_variables_work_in_them(spec: Any) -> None:
    text = "vars: {was: old}\n" + STORES + "moved: [{from: 'vector_store.${was}', to: vector_store.new}]\n"
    assert moves(spec.load(text)) == {"vector_store.old": "vector_store.new"}


def test_lists_of_documents_and_files_are_strung_together(spec: Any) -> None:
    """An overlay replaces the list, as any other."""
    spec.write(
        {
            "a.yaml": "stack: s\nservice: assistants\n"
            + STORES
            + "moved: [{from: vector_store.a, to: vector_store.new}]\n---\nmoved:\n",
            "b.yaml": "moved: [{from: vector_store.b, to: vector_store.other}]\n",
            "a.x.yaml": "moved: [{from: vector_store.c, to: vector_store.new}]\n",
        }
    )
    both = {"vector_store.a": "vector_store.new", "vector_store.b": "vector_store.other"}
    assert moves(load([Path("a.yaml"), Path("b.yaml")], base=spec.root)) == both
    assert moves(load([Path("a.yaml")], env="x", base=spec.root)) == {"vector_store.c": "vector_store.new"}


def test_a_list_beside_something_else_is_defined_twice(spec: Any) -> None:
    spec.write({"a.yaml": "stack: s\n" + STORES + "moved: []\n", "b.yaml": "moved: {}\n"})
    with pytest.raises(SpecInvalid) as caught:
        load([Path("a.yaml"), Path("b.yaml")], base=spec.root)
    assert [str(p.location) for p in caught.value.problems] == ["b.yaml:1:1"]


CASES = {
    "a map": (
        "moved: {from: a}\n",
        ["4:1 moved is a map, a list is wanted | write - {from: KIND.OLD, to: KIND.NEW} lines"],
    ),
    "an entry that is no map": (
        "moved: [x]\n",
        ["4:9 moved[0]: the entry is 'x', a map is wanted | write KEY: VALUE lines below it; known keys: from, to"],
    ),
    "a missing side": (
        "moved: [{from: vector_store.old}]\n",
        ["4:9 moved[0]: to is missing | add it, for example to: assistant.new"],
    ),
    "no address": (
        "moved: [{from: old, to: vector_store.new}]\n",
        ["4:16 moved[0]: from is 'old', an address is wanted | write assistant.KEY"],
    ),
    "no such kind": (
        "moved: [{from: vector_stores.old, to: vector_store.new}]\n",
        [
            "4:16 moved[0]: from is 'vector_stores.old', and there is no kind 'vector_stores' | did you mean vector_store?"
        ],
    ),
    "different kinds": (
        "moved: [{from: file.old, to: vector_store.new}]\n",
        [
            "4:30 moved[0]: file.old and vector_store.new are of different kinds | only a key can change; what is of another kind is made anew"
        ],
    ),
    "from is still there": (
        "moved: [{from: vector_store.other, to: vector_store.new}]\n",
        ["4:16 moved: vector_store.other is still in the spec | take out its entry, or the move"],
    ),
    "to is nowhere": (
        "moved: [{from: vector_store.old, to: vector_store.nwe}]\n",
        ["4:38 moved: vector_store.nwe is neither in the spec nor moved on | did you mean vector_store.new?"],
    ),
    "to is not managed": (
        "moved: [{from: vector_store.old, to: vector_store.theirs}]\n",
        [
            "4:38 moved: vector_store.theirs is not managed by this spec (managed: false or id:) | take the move out, or let asstops manage it"
        ],
    ),
    "one from twice": (
        "moved:\n- {from: vector_store.a, to: vector_store.new}\n- {from: vector_store.a, to: vector_store.other}\n",
        ["6:10 moved: vector_store.a is moved twice, first at asstops.yaml:5:10 | keep one of the two"],
    ),
    "one to twice": (
        "moved:\n- {from: vector_store.a, to: vector_store.new}\n- {from: vector_store.b, to: vector_store.new}\n",
        ["6:30 moved: two moves lead to vector_store.new, the first at asstops.yaml:5:30 | keep one of the two"],
    ),
    "a circle": (
        "moved:\n- {from: vector_store.b, to: vector_store.a}\n- {from: vector_store.a, to: vector_store.b}\n",
        ["6:10 moved: moves form a circle: vector_store.a -> vector_store.b -> vector_store.a | take one of them out"],
    ),
    "itself": (
        "moved: [{from: vector_store.new, to: vector_store.new}]\n",
        ["4:16 moved: moves form a circle: vector_store.new -> vector_store.new | take one of them out"],
    ),
    "a file that nothing uses": (
        "files: {f: {path: asstops.yaml}}\nmoved: [{from: file.old, to: file.f}]\n",
        ["5:30 moved: file.f is used by nothing, so it is not uploaded | use it, or take the move out"],
    ),
    "a deployment": (
        "moved: [{from: deployment.a, to: deployment.b}]\n",
        [
            "4:16 moved[0]: deployment.a cannot move: with service: assistants its name is its identity | add the new deployment beside the old one, point model: to it, apply, then remove the old one"
        ],
    ),
    "a sensitive variable": (
        "vars: {s: {sensitive: true, default: hush}}\nmoved: [{from: 'vector_store.${s}', to: vector_store.new}]\n",
        ["5:16 moved[0]: a sensitive variable is used in from, which is an identity | use one that is not sensitive"],
    ),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_problem(spec: Any, text: str, expected: list[str]) -> None:
    """Exactly these problems are found, and no others follow from them."""
    assert spec.problems(STORES + text) == expected


def test_an_agent_cannot_move(spec: Any) -> None:
    """Its key is its name in the service; files and stores move there as well."""
    told = "cannot move: with service: agents its name is its identity | an agent's key is its name in the service; a new key is a new agent. To show another name to people, keep the key and set name:"
    text = "moved: [{from: assistant.old, to: assistant.new}]\n"
    assert spec.problems(text, head=AGENTS) == [f"4:16 moved[0]: assistant.old {told}"]
    store = "vector_stores: {new: {}}\nmoved: [{from: vector_store.old, to: vector_store.new}]\n"
    assert moves(spec.load(store, head=AGENTS)) == {"vector_store.old": "vector_store.new"}


def test_an_entry_with_a_mistake_is_there_all_the_same(spec: Any) -> None:
    """Its own problem is enough."""
    text = "vector_stores: {new: {expires_after_days: 0}}\nmoved: [{from: vector_store.old, to: vector_store.new}]\n"
    (problem,) = spec.problems(text)
    assert "expires_after_days" in problem


def test_a_glob_may_name_it(spec: Any) -> None:
    text = "vector_stores: {v: {files: [{glob: '*.md'}]}}\nmoved: [{from: file.b.md, to: file.a.md}]\n"
    assert spec.load(text, {"a.md": "x"}).moves == {Address("file", "b.md"): Address("file", "a.md")}
