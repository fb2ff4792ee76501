"""How smoke tests look: for people, as JSON, and as the XML of JUnit."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from asstops import schemas
from asstops.errors import Location
from asstops.expectations import Came, Expect, Miss, Outcome, SmokeTest, Verdict
from asstops.model import Address
from asstops.views.junit import to_junit
from asstops.views.machine import dumps
from asstops.views.smoke import (
    GoneBack,
    outcomes_to_json,
    render_counts,
    render_heading,
    render_outcome,
    render_rollbacks,
    render_way_back,
    rollbacks_to_json,
    to_json,
)
from asstops.views.text import cells

HOSTILE = "a\x1b[31m\x00\u202e]]>&<b>\ufffe\ud800\"'\r\n::error::x"
ONE = Address("assistant", "one")
TEST = SmokeTest("greets", ONE, "Hello?", Expect(contains=("Bye",)), location=Location("asstops.yaml", 9, 3))
PASSED = Outcome(
    TEST, Verdict.PASSED, elapsed_s=1.25, came=Came("Hello, Bye.", ("f",), frozenset({"x"}), {"1": "a.md"})
)
MISSED = Outcome(
    TEST,
    Verdict.FAILED,
    elapsed_s=0.5,
    tries=2,
    came=Came("Hello."),
    misses=(Miss('text with "Bye"', "Hello.\nAgain."), Miss("text that matches ^B", "Hello.\nAgain.")),
)
UNANSWERED = Outcome(TEST, Verdict.FAILED, message="it broke", fix="ask again", came=Came("Let me"), left="conv_1")
NOT_RUN = Outcome(TEST, Verdict.NOT_RUN, tries=1, left="?")
NASTY = Outcome(
    replace(TEST, name=HOSTILE, ask=HOSTILE),
    Verdict.FAILED,
    came=Came(HOSTILE, (HOSTILE,), cited={"f": HOSTILE}),
    misses=(Miss(HOSTILE, HOSTILE),),
    left=HOSTILE,
)
ALL = (PASSED, MISSED, UNANSWERED, NOT_RUN, NASTY)


def plain(outcome: Outcome, width: int = 100) -> list[str]:
    text = render_outcome(outcome, width=width, color=False)
    assert text.endswith("\n")
    return text.splitlines()


def test_what_passed_is_a_line() -> None:
    assert plain(PASSED) == ["pass  greets  assistant.one  (1.2s)"]


def test_what_failed_says_what_was_expected_and_what_came() -> None:
    assert plain(MISSED) == [
        "FAIL  greets  assistant.one  (0.5s)  asked 2 times",
        "      asked     Hello?",
        '      expected  text with "Bye"',
        "      came      Hello. Again.",
        "      expected  text that matches ^B",
        "      came      the same",
    ]


def test_what_got_no_answer_says_why() -> None:
    assert plain(UNANSWERED) == [
        "FAIL  greets  assistant.one  (0.0s)",
        "      asked     Hello?",
        "      failed    it broke",
        "      so far    Let me",
        "      fix       ask again",
        "      the conversation conv_1 could not be deleted",
    ]


def test_what_was_stopped_is_no_failure() -> None:
    assert plain(NOT_RUN) == ["      greets  not run", "      a conversation could not be deleted"]


def test_a_long_answer_is_cut() -> None:
    long = replace(MISSED, misses=(Miss("a", "word " * 500),))
    text = " ".join("\n".join(plain(long)).split())
    assert text.count("word") == 80
    assert "… (2,100 more characters)" in text


@pytest.mark.parametrize("width", [60, 100])
@pytest.mark.parametrize("outcome", ALL)
def test_lines_keep_to_the_width_and_to_themselves(outcome: Outcome, width: int) -> None:
    """Nothing that a test, a spec or a model says acts on a terminal."""
    lines = plain(outcome, width)
    assert [line for line in lines if cells(line) > width] == []
    assert [line for line in lines if not line.isprintable()] == []
    assert [line for line in lines if not line.startswith(("pass  ", "FAIL  ", "      "))] == []


def test_counts() -> None:
    def counted(*outcomes: Outcome) -> str:
        return render_counts(outcomes, width=100, color=False)

    assert counted(PASSED) == "1 smoke test: 1 passed, 0 failed.\n"
    assert counted(*ALL) == "5 smoke tests: 1 passed, 3 failed, 1 not run.\n"
    assert "\x1b[1;32m" in render_counts([PASSED], width=100, color=True)
    assert "\x1b[1;31m" in render_counts([PASSED, NOT_RUN], width=100, color=True)


def test_the_heading_says_where() -> None:
    assert render_heading("s/prod", "agents", "acc", width=100, color=False) == "stack s/prod · agents · acc\n"


def test_json_keeps_to_its_schema() -> None:
    document = json.loads(dumps(to_json("s", "agents", ALL)))
    jsonschema.validate(document, schemas.load("tests"))
    assert document["summary"] == {"passed": 1, "failed": 3, "not_run": 1}
    first: dict[str, Any] = document["tests"][0]
    assert first == {
        "name": "greets",
        "assistant": "assistant.one",
        "outcome": "passed",
        "elapsed_s": 1.25,
        "tries": 1,
        "ask": "Hello?",
        "answer": "Hello, Bye.",
        "called": ["f"],
        "tools": ["x"],
        "cited": ["a.md"],
        "failures": [],
        "message": None,
        "fix": None,
        "left": None,
        "file": "asstops.yaml",
        "line": 9,
    }
    assert document["tests"][1]["failures"][0] == {"expected": 'text with "Bye"', "came": "Hello.\nAgain."}
    assert document["tests"][2]["message"] == "it broke"


def test_the_report_describes_tests_as_their_own_page_does() -> None:
    report, tests = schemas.load("report"), schemas.load("tests")
    assert report["$defs"]["test"] == tests["$defs"]["test"]
    jsonschema.validate(outcomes_to_json(ALL), {**report["properties"]["tests"], "$defs": report["$defs"]})
    gone = [GoneBack(ONE, "rolled_back", "3"), GoneBack(ONE, "failed", "3", "why", "fix"), GoneBack(ONE, "kept")]
    jsonschema.validate(rollbacks_to_json(gone), {**report["properties"]["rollbacks"], "$defs": report["$defs"]})


def test_junit_says_what_failed() -> None:
    root = ElementTree.fromstring(to_junit("s/prod", [PASSED, MISSED, UNANSWERED, NOT_RUN]))
    assert root.tag == "testsuites"
    (suite,) = root
    totals = {"tests": "4", "failures": "2", "errors": "0", "time": "1.750"}
    assert root.attrib == {"name": "asstops", **totals}
    assert suite.attrib == {"name": "s/prod", **totals, "skipped": "1"}
    assert next(case.attrib for case in suite) == {
        "name": "greets",
        "classname": "s/prod.one",
        "time": "1.250",
    }
    assert [[child.tag for child in case] for case in suite] == [
        ["system-out"],
        ["failure", "system-out"],
        ["failure", "system-out"],
        ["skipped"],
    ]
    missed, unanswered = suite[1][0], suite[2][0]
    assert missed.attrib == {"type": "unexpected", "message": 'expected text with "Bye"'}
    assert missed.text is not None
    assert missed.text.splitlines()[:5] == [
        "asked: Hello?",
        "at: asstops.yaml:9:3",
        'expected: text with "Bye"',
        "came: Hello.",
        "Again.",
    ]
    assert unanswered.attrib == {"type": "unanswered", "message": "it broke"}
    assert unanswered.text == "asked: Hello?\nat: asstops.yaml:9:3\nit broke\nfix: ask again"
    assert suite[0][0].text == "Hello, Bye."


def test_junit_of_anything_is_xml() -> None:
    """What XML cannot hold shows as an escape; markup stays text."""
    text = to_junit(HOSTILE, [NASTY])
    (suite,) = ElementTree.fromstring(text.encode())
    shown = "a\\x1b[31m\\x00\\u202e]]>&<b>\\ufffe\\ud800\"'\n::error::x"
    assert suite[0][1].text == shown
    assert suite.attrib["name"] == suite[0].attrib["name"] == shown
    assert suite[0][0].attrib["message"] == f"expected {shown}".replace("\n", " ")
    assert ElementTree.fromstring(to_junit("s", []))[0].attrib["tests"] == "0"


def test_what_was_rolled_back_is_said() -> None:
    gone = [
        GoneBack(ONE, "rolled_back", "3"),
        GoneBack(Address("assistant", "new"), "kept", message="it is new"),
        GoneBack(Address("assistant", "two"), "failed", "4", "it\x1b broke", "mend it"),
    ]
    assert render_rollbacks(gone, width=100, color=False).splitlines() == [
        "Rolled back: assistant.one says what version 3 said.",
        "Not rolled back: assistant.new: it is new.",
        "Not rolled back: assistant.two could not go back to version 4: it\\x1b broke",
        "  fix: mend it",
        "The spec is ahead of what is live now: the next plan shows it, and the next apply brings it back.",
    ]
    assert "ahead" not in render_rollbacks(gone[1:], width=100, color=False)


def test_the_way_back_is_shown_as_commands() -> None:
    def shown(*commands: tuple[Address, str], wrote: bool = True) -> list[str]:
        return render_way_back(commands, wrote=wrote, width=60, color=False).splitlines()

    stays = ["What was applied stays. To go back, revert the change of the", "  spec and apply again."]
    command = "asstops rollback assistant.one --to 3 " + "x" * 60
    assert shown((ONE, command), (ONE, "")) == [
        *stays,
        "For the time until then, the assistants as they were before:",
        f"  {command}",  # whole: it is there to be copied
    ]
    assert shown((ONE, "")) == stays
    assert shown() == [*stays, "This apply changed no assistant."]
    assert shown(wrote=False) == ["This apply changed nothing: what is live was like that", "  before."]
