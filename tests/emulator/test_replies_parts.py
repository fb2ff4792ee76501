"""What answers are made of: instances of schemas, arithmetic, passages. No server."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from asstops.emulator import arithmetic, passages
from asstops.emulator.answers import Question, respond
from asstops.emulator.instances import instance
from asstops.emulator.passages import Document
from asstops.emulator.scripted import Replies

SCHEMAS: list[tuple[dict[str, Any], Any]] = [
    ({"type": "object"}, {}),
    ({"type": "object", "properties": {"a": {"type": "string"}}}, {}),
    ({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}, {"a": "a"}),
    ({"type": "object", "required": ["a"]}, {"a": "a"}),
    ({"enum": ["x", "y"]}, "x"),
    ({"const": 5}, 5),
    ({"type": "string", "default": "d"}, "d"),
    ({"type": "string", "minLength": 6}, "textxx"),
    ({"type": "string", "maxLength": 2}, "te"),
    ({"type": "string", "format": "date"}, "2026-01-01"),
    ({"type": "integer"}, 0),
    ({"type": "integer", "minimum": 3}, 3),
    ({"type": "integer", "exclusiveMinimum": 3}, 4),
    ({"type": "integer", "maximum": -3}, -3),
    ({"type": "integer", "minimum": 7, "multipleOf": 5}, 10),
    ({"type": "number", "minimum": 0.25, "maximum": 0.75}, 0.5),
    ({"type": "boolean"}, True),
    ({"type": "null"}, None),
    ({"type": ["null", "string"]}, "text"),
    ({"type": "array", "items": {"type": "integer"}}, []),
    ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [0, 0]),
    ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, 0),
    ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, "text"),
    ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "integer", "minimum": 2}}}, 2),
    (
        {
            "allOf": [
                {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
                {"properties": {"b": {"enum": ["z"]}}, "required": ["b"]},
            ]
        },
        {"a": 0, "b": "z"},
    ),
]


@pytest.mark.parametrize(("schema", "expected"), SCHEMAS)
def test_instances_are_small_and_valid(schema: dict[str, Any], expected: Any) -> None:
    made = instance(schema)
    assert made == expected
    Draft202012Validator(schema).validate(made)


def test_a_schema_that_refers_to_itself_ends() -> None:
    schema = {
        "type": "object",
        "properties": {"next": {"$ref": "#"}, "n": {"type": "integer"}},
        "required": ["next", "n"],
    }
    assert instance(schema)["n"] == 0


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["string", "object", "array", "#/x", "integer"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["type", "properties", "required", "items", "anyOf", "allOf", "$ref", "enum", "minimum", "minItems",
             "format", "maxLength", "minLength", "maximum", "multipleOf", "exclusiveMinimum", "default", "x"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=10,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["type", "properties", "required", "items", "anyOf", "allOf", "$ref"]), _ANY))
def test_no_schema_is_too_odd(schema: dict[str, Any]) -> None:
    instance(schema)


@pytest.mark.parametrize(
    ("text", "expression", "result"),
    [
        ("What is 2+2?", "2+2", "4"),
        ("calculate (1 + 2) * 3, please", "(1 + 2) * 3", "9"),
        ("How much is 7 / 2.", "7 / 2", "3.5"),
        ("compute 2^10", "2**10", "1024"),
        ("what is -3 * -4", "-3 * -4", "12"),
        ("What is (2 + 3) (or so)?", "(2 + 3)", "5"),
        ("evaluate 1/0", "1/0", "ZeroDivisionError: division by zero"),
        ("evaluate 9**9**9", "9**9**9", "OverflowError: the power is out of range"),
        ("evaluate 1e5", None, ""),
        ("I was born on 1999-01-02", None, ""),
        ("What is love?", None, ""),
        ("What is 42?", None, ""),
        ("calculate __import__('os')", None, ""),
        ("calculate " + "1+" * 5000 + "1", None, ""),
    ],
)
def test_arithmetic(text: str, expression: str | None, result: str) -> None:
    found = arithmetic.find(text)
    assert found == expression
    if found is not None:
        assert arithmetic.evaluate(found) == result


@given(st.text(alphabet="0123456789+-*/%^(). ", max_size=60))
def test_arithmetic_never_fails(text: str) -> None:
    found = arithmetic.find(f"calculate {text}")
    if found is not None:
        arithmetic.evaluate(found)


def test_passages() -> None:
    files = [Document("1", "a.md", "Nothing here.\nReturns take 30 days."), Document("2", "b.md", "A return.\n\n")]
    found = passages.search(files, "How many days does a return take?", 10)
    assert [(p.document.file_id, p.text, p.score) for p in found] == [
        ("1", "Returns take 30 days.", 0.75),
        ("2", "A return.", 0.25),
    ]
    assert len(passages.search(files, "return", 1)) == 1
    assert passages.search(files, "bananas", 10) == []
    assert passages.search(files, "", 10) == []


def test_the_same_question_gets_the_same_answer() -> None:
    tools = [{"type": "code_interpreter"}, {"type": "function", "function": {"name": "f", "parameters": {}}}]
    question = Question("A", "gpt-4o", "What is 1+1?", tools=tools)
    assert respond(question, Replies()) == respond(question, Replies())
    assert respond(question, Replies()).text.startswith("[asstops emulator] A was asked: What is 1+1?")
