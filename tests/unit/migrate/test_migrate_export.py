"""The forms in which an export may come, and how broken ones are told of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from asstops.migrate.exported import Exported
from asstops.migrate.json_files import read_values
from asstops.spec.nodes import Problems, Source

A = {"object": "assistant", "id": "asst_a", "model": "gpt-4o"}
B = {"object": "assistant", "id": "asst_b", "model": "gpt-4o"}
STORE = {"object": "vector_store", "id": "vs_1"}
ATTACHED = {"object": "vector_store.file", "id": "file-1", "vector_store_id": "vs_1"}
FILE = {"object": "file", "id": "file-1", "filename": "a.md"}


def taken(text: str, name: str = "x.json") -> tuple[Exported, list[str]]:
    found, problems = Exported(), Problems()
    for value, where in read_values(text, Source(Path(name), name), problems):
        found.take(value, where)
    return found, [f"{problem.location}: {problem.message}" for problem in problems.all()]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (json.dumps([A, B]), "x.json"),
        (json.dumps({"object": "list", "data": [A, B], "has_more": False}), "x.json"),
        (json.dumps({"assistants": [A, B]}), "x.json"),
        (f"{json.dumps(A)}\n{json.dumps(B)}\n", "x.jsonl"),
        (f"{json.dumps(A)}\r\n\r\n{json.dumps(B)}", "x.ndjson"),
        (f"{json.dumps(A)}\n{json.dumps(B)}\n", "x.json"),
        (f"\ufeff{json.dumps([A, B], indent=2)}", "x.json"),
        (json.dumps([{"data": [A]}, {"data": [{"id": "asst_b", "model": "m", "tools": []}]}]), "x.json"),
    ],
)
def test_forms(text: str, name: str) -> None:
    found, problems = taken(text, name)
    assert (list(found.assistants), problems, found.odd) == (["asst_a", "asst_b"], [], [])


def test_what_assistants_use_is_sorted_in() -> None:
    found, _ = taken(json.dumps({"files": [FILE], "vector_stores": [STORE], "vector_store_files": [ATTACHED]}))
    assert (list(found.files), list(found.stores)) == (["file-1"], ["vs_1"])
    assert list(found.store_files["vs_1"]) == ["file-1"]


def test_objects_that_do_not_say_what_they_are() -> None:
    """`object` is often lost in exports by hand."""
    found, _ = taken(json.dumps([{k: v for k, v in item.items() if k != "object"} for item in (STORE, ATTACHED, FILE)]))
    assert (list(found.files), list(found.stores), list(found.store_files)) == (["file-1"], ["vs_1"], ["vs_1"])


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        ('{"a": 1,\n "b": }', "x.json", "x.json:2:7: not valid JSON: a value is missing"),
        (f'{json.dumps(A)}\n{{"id": \n', "x.jsonl", "x.jsonl:2:8: not valid JSON: a value is missing"),
        ('{"a": 1, "a": 2}', "x.json", "x.json:1:10: key 'a' stands here and at x.json:1:2"),
        ("", "x.json", "x.json: the file is empty"),
        (" \n", "x.jsonl", "x.jsonl: the file is empty"),
        ("[" * 200, "x.json", "x.json:1:102: not valid JSON: objects and arrays stand more than 100 deep"),
    ],
)
def test_broken_json_is_told_with_its_place(text: str, name: str, told: str) -> None:
    _, problems = taken(text, name)
    assert problems == [told]


@pytest.mark.parametrize("value", [1, "text", None, {"object": "thread", "id": "t"}, {}, {"data": "no list"}])
def test_what_is_no_assistant_is_noted(value: Any) -> None:
    found, _ = taken(json.dumps(value))
    assert len(found.odd) == 1
    assert found.odd[0][0] == "x.json"


def test_twice_and_partial() -> None:
    found, _ = taken(json.dumps([A, A, {**A, "name": "newer"}, {"data": [], "has_more": True}]))
    assert found.twice == [("x.json, entry 3", "asst_a")]
    assert found.partial == ["x.json, entry 4"]
    assert found.assistants["asst_a"] == A


def test_secrets_are_taken_out() -> None:
    found, _ = taken(json.dumps([A, B]))
    found.mask(lambda item: {**item, "model": "(secret)"} if item["id"] == "asst_b" else dict(item))
    assert found.masked == ["asst_b"]
    assert found.assistants["asst_b"]["model"] == "(secret)"
