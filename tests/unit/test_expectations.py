"""Whether an answer is as a smoke test expects, and what is said where it is not."""

from __future__ import annotations

from typing import Any

import pytest

from asstops.expectations import Came, Expect, Miss, SmokeTest, ends_early, misses
from asstops.model import Address

CAME = Came(
    text="It is 21 degrees [1].",
    called=("get_weather", "get_weather"),
    tools=frozenset({"file_search"}),
    cited={"file-1": "hours.md", "https://x.test": ""},
)
FILES = {"hours": "file-1", "menu": "file-2"}


def about(**expect: Any) -> SmokeTest:
    return SmokeTest("t", Address("assistant", "a"), "q", Expect(**expect))


@pytest.mark.parametrize(
    "expect",
    [
        {"contains": ("21", "It is")},
        {"not_contains": ("22", "it is")},
        {"matches": (r"\d+ degrees", "(?i)^IT")},
        {"calls": {"weather": "get_weather"}, "tools": ("file_search",)},
        {"cites": ("hours",)},
    ],
)
def test_what_holds_is_not_missed(expect: dict[str, Any]) -> None:
    assert misses(about(**expect), CAME, FILES) == ()


@pytest.mark.parametrize(
    ("expect", "missed"),
    [
        ({"contains": ("21", "it is")}, Miss('text with "it is"', CAME.text)),
        ({"not_contains": ("22", "21")}, Miss('text without "21"', CAME.text)),
        ({"matches": (r"^\d+",)}, Miss(r"text that matches ^\d+", CAME.text)),
        ({"calls": {"stock": "stock"}}, Miss("a call of the function stock", "called were get_weather")),
        ({"calls": {"s": "get_s"}}, Miss("a call of the function s (get_s)", "called were get_weather")),
        ({"tools": ("code_interpreter",)}, Miss("use of code_interpreter", "used were file_search, get_weather")),
        ({"cites": ("menu",)}, Miss("a citation of file.menu", "cited were hours.md, https://x.test")),
        ({"cites": ("gone",)}, Miss("a citation of file.gone", "cited were hours.md, https://x.test")),
    ],
)
def test_what_does_not_hold_is_said(expect: dict[str, Any], missed: Miss) -> None:
    assert misses(about(**expect), CAME, FILES) == (missed,)


def test_an_empty_answer_is_called_so() -> None:
    test = about(contains=("a",), calls={"f": "f"}, tools=("file_search",), cites=("hours",))
    assert [miss.came for miss in misses(test, Came(), FILES)] == [
        "no text",
        "no function was called",
        "no tool was used",
        "nothing was cited",
    ]


def test_a_file_that_is_not_live_is_not_cited() -> None:
    assert [miss.expected for miss in misses(about(cites=("hours",)), CAME, {})] == ["a citation of file.hours"]


def test_only_a_test_of_calls_may_end_with_a_call() -> None:
    """Then nobody needs the answer; with any other expectation there must be one."""
    stopped = Came(called=("f",), unanswered=("f",))
    assert ends_early(about(calls={"f": "f"}), stopped)
    assert not ends_early(about(calls={"f": "f"}), Came(called=("f",)))
    for more in (
        {"contains": ("a",)},
        {"not_contains": ("a",)},
        {"matches": ("a",)},
        {"tools": ("x",)},
        {"cites": ("a",)},
    ):
        assert not ends_early(about(calls={"f": "f"}, **more), stopped)


def test_a_call_that_ended_it_is_said_where_another_was_expected() -> None:
    stopped = Came(called=("f",), unanswered=("f",))
    (miss,) = misses(about(calls={"f": "f", "g": "g"}), stopped, {})
    assert miss.came == "called were f; f has no entry under answers:, so the assistant was stopped there"
