"""What the service stored against what was sent: the same, the same in another form, or something else."""

from __future__ import annotations

from typing import Any

import pytest

from asstops.forms import is_form_of
from asstops.mark import path_digest, value_digest
from asstops.readback import differing, not_reset, stored_forms
from asstops.rules import KindRules

RULES = KindRules(
    maps=frozenset({"metadata"}),
    unordered=frozenset({"tools"}),
    unreadable=frozenset({"chunking"}),
    defaults={"temperature": 1.0, "description": None},
    empty={"description": ("",), "temperature": (None,)},
)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"name": "a"}, {"name": "a", "more": 1}),
        ({"tools": ["a", "b"]}, {"tools": ["b", "a"]}),
        ({"temperature": 1}, {"temperature": 1.0}),
        ({"description": None}, {}),
        ({"description": ""}, {"description": None}),
        ({"metadata": {"a": "1"}}, {"metadata": {"a": "1", "theirs": "2"}}),
        ({"chunking": {"max": 1}}, {}),  # the service never shows it
    ],
)
def test_what_is_the_same(sent: dict[str, Any], stored: dict[str, Any]) -> None:
    assert differing(RULES, sent, stored, frozenset()) == {}


@pytest.mark.parametrize(
    ("sent", "stored", "path"),
    [
        ({"name": "a"}, {"name": "b"}, "name"),
        ({"name": "a"}, {}, "name"),
        ({"tools": ["a", "b"]}, {"tools": ["a"]}, "tools"),
        ({"temperature": 0.2}, {"temperature": 0.3}, "temperature"),
        ({"metadata": {"a": "1"}}, {"metadata": {}}, "metadata.a"),
    ],
)
def test_what_differs_is_named(sent: dict[str, Any], stored: dict[str, Any], path: str) -> None:
    assert set(differing(RULES, sent, stored, frozenset())) == {path}


def test_loose_fields_are_skipped() -> None:
    assert differing(RULES, {"name": "a"}, {"name": "b"}, frozenset({"name"})) == {}


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (None, "filled in"),
        ("text ", "text"),
        (0.1, 0.10000000149),
        (1, 1.0),
        ({"a": 1}, {"a": 1, "strict": False}),
        ({"a": None}, {}),
        (["a", "b"], ["b", "a"]),
        ([{"a": 1}, {"a": 2}], [{"a": 2, "x": 0}, {"a": 1}]),
        (True, True),
    ],
)
def test_another_form_of_the_same(sent: Any, stored: Any) -> None:
    assert is_form_of(sent, stored)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("a", "b"),
        ("a", None),
        (0.1, 0.2),
        (1, True),
        (True, 1),
        (False, None),
        (1, "1"),
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {}),
        (["a"], ["a", "b"]),
        (["a", "a"], ["a", "b"]),
        (["a"], "a"),
    ],
)
def test_something_else(sent: Any, stored: Any) -> None:
    assert not is_form_of(sent, stored)


def test_case_is_content_but_where_a_kind_says_otherwise() -> None:
    """Instructions in capitals are other instructions; a region in capitals is the same region."""
    assert not is_form_of("Sweden", "sweden")
    assert is_form_of("Sweden", "sweden", caseless=True)
    assert not is_form_of("Sweden", "Norway", caseless=True)


def test_the_stored_form_is_noted_by_digest() -> None:
    """The mark has no room for values, and must not hold any."""
    assert stored_forms({"name": ("A", "a")}) == {path_digest("name"): value_digest("a")}


@pytest.mark.parametrize(
    ("before", "stored", "kept"),
    [
        ({"temperature": 0.2}, {"temperature": 0.2}, {"temperature": 0.2}),
        ({"temperature": 0.2}, {"temperature": None}, {}),  # which means the default
        ({"temperature": 0.2}, {"temperature": 1}, {}),
        ({"temperature": 1.0}, {"temperature": 1.0}, {}),
        ({"temperature": 0.2}, {"temperature": 0.5}, {}),  # somebody else's doing, and the next plan's business
        ({"description": "a"}, {"description": "a"}, {"description": "a"}),
        ({"description": "a"}, {"description": ""}, {}),
        ({"metadata": {"a": "1"}}, {"metadata": {"a": "1"}}, {"metadata.a": "1"}),
        ({"metadata": {"a": "1"}}, {"metadata": {}}, {}),
        ({"metadata": {"a": "1"}}, {"metadata": {"a": ""}}, {}),
        ({"chunking": {"max": 1}}, {"chunking": {"max": 1}}, {}),  # cannot be read
    ],
)
def test_what_was_taken_out_and_stays(before: dict[str, Any], stored: dict[str, Any], kept: dict[str, Any]) -> None:
    changed = frozenset({"temperature", "description", "metadata.a", "chunking", "name"})
    assert not_reset(RULES, {"name": "a"}, {"name": "a", **before}, {"name": "a", **stored}, changed) == kept
