"""`tests:` of a spec: what it comes to, and every mistake at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from asstops.errors import Location
from asstops.expectations import Expect, SmokeTest
from asstops.model import Address
from asstops.spec import load
from tests.unit.spec.conftest import HEAD, SpecFolder

PARTS = """\
files:
  hours: {path: hours.md}
  spare: {path: spare.md}
vector_stores:
  docs: {files: [hours, {glob: "kb/*.md"}]}
tools:
  weather: {name: get_weather, description: Weather.}
  stock: {description: Stock.}
assistants:
  desk: {model: m, tools: [{function: weather}, {file_search: {vector_store: docs}}]}
"""
FILES = {"hours.md": "Nine.", "kb/a.md": "A.", "spare.md": "S.", "ask.txt": "From a file?"}
FIRST = PARTS.count("\n") + 4  # the line below `tests:`


def test_an_entry_is_read_whole(spec: SpecFolder) -> None:
    text = """\
tests:
  all:
    assistant: desk
    ask: {file: ask.txt}
    within: 5
    retries: 1
    answers: {weather: {sun: true, at: 2026-11-21}}
    expect:
      contains: [a, "7"]
      not_contains: b
      matches: '^c.*d$'
      calls: [weather, file_search]
      cites: [hours, kb/a.md]
  least: {assistant: desk, ask: Hello?, answers: {weather: sunny}, expect: {contains: 7}}
"""
    assert spec.load(PARTS + text, FILES).tests == (
        SmokeTest(
            "all",
            Address("assistant", "desk"),
            "From a file?",
            Expect(
                contains=("a", "7"),
                not_contains=("b",),
                matches=("^c.*d$",),
                calls={"weather": "get_weather"},
                tools=("file_search",),
                cites=("hours", "kb/a.md"),
            ),
            within_s=5.0,
            answers={"get_weather": '{"sun": true, "at": "2026-11-21"}'},
            retries=1,
            location=Location("asstops.yaml", FIRST, 3),
        ),
        SmokeTest(
            "least",
            Address("assistant", "desk"),
            "Hello?",
            Expect(contains=("7",)),
            answers={"get_weather": "sunny"},
            location=Location("asstops.yaml", FIRST + 12, 3),
        ),
    )


def test_a_test_is_no_resource(spec: SpecFolder) -> None:
    test = "tests: {a: {assistant: desk, ask: q, expect: {contains: a}}}\n"
    assert spec.load(PARTS + test, FILES).resources == spec.load(PARTS, FILES).resources


def test_an_environment_lays_its_own_over_it(spec: SpecFolder) -> None:
    """Maps merge, null removes, as everywhere."""
    entry = "{assistant: desk, ask: q, expect: {contains: a}}"
    test = f"tests:\n  a: {entry}\n  b: {entry}\n"
    over = {"asstops.prod.yaml": "tests:\n  a: {within: 9, expect: {calls: weather}}\n  b: null\n"}
    (found,) = spec.load(PARTS + test, {**FILES, **over}, env="prod").tests
    assert (found.name, found.within_s, found.expect.contains) == ("a", 9.0, ("a",))
    assert found.expect.calls == {"weather": "get_weather"}


def test_several_files_add_up(spec: SpecFolder) -> None:
    test = "tests: {KEY: {assistant: desk, ask: q, expect: {contains: a}}}\n"
    spec.write({**FILES, "asstops.yaml": HEAD + PARTS + test.replace("KEY", "a"), "b.yaml": test.replace("KEY", "b")})
    found = load([Path("asstops.yaml"), Path("b.yaml")], base=spec.root)
    assert [entry.name for entry in found.tests] == ["a", "b"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            "{assistant: §desks, ask: q, expect: {contains: a}}",
            "there is no assistant 'desks' under assistants: | did you mean desk?",
        ),
        (
            "{assistant: desk, §ask: '', expect: {contains: a}}",
            "ask is empty | write the question",
        ),
        (
            "{assistant: desk, ask: q, §expect: {}}",
            "expect holds nothing that could fail | add one of contains, not_contains, matches, calls, cites",
        ),
        (
            "{assistant: desk, ask: q, expect: {contains: [§'']}}",
            "expect.contains holds an empty text | take it out",
        ),
        (
            "{assistant: desk, ask: q, expect: {matches: [a, §'(b']}}",
            (
                "'(b' is no regular expression: missing ), unterminated subpattern at position 0 | "
                "write it in single quotes, with a \\ before ( ) [ ] . * + ? that stand for themselves"
            ),
        ),
        (
            "{assistant: desk, ask: q, expect: {§calls: wether}}",
            "there is no function 'wether' under tools: | did you mean weather?",
        ),
        (
            "{assistant: desk, ask: q, expect: {§calls: stock}}",
            "assistant.desk does not have the function stock | add - function: stock to its tools:, or take this out",
        ),
        (
            "{assistant: desk, ask: q, expect: {§calls: code_interpreter}}",
            "assistant.desk does not have code_interpreter | add - code_interpreter to its tools:, or take this out",
        ),
        (
            "{assistant: desk, ask: q, answers: {rain: §1}, expect: {contains: a}}",
            "there is no function 'rain' under tools: | known: stock, weather",
        ),
        (
            "{assistant: desk, ask: q, expect: {§cites: hour}}",
            "there is no file 'hour' | did you mean hours?",
        ),
        (
            "{assistant: desk, ask: q, expect: {§cites: spare}}",
            "file.spare is used by nothing, so nothing can cite it | give it to an assistant",
        ),
        (
            "{assistant: desk, ask: q, within: §0.5, expect: {contains: a}}",
            "within is 0.5, 1 to 600 are allowed | use a value in that range",
        ),
        (
            "{assistant: desk, ask: q, §expects: 1}",
            "unknown key 'expects' | did you mean expect? Known: assistant, ask, expect, within, answers, retries",
        ),
    ],
)
def test_mistakes_are_named_at_their_place(spec: SpecFolder, entry: str, expected: str) -> None:
    """The place is where the entry has a §."""
    column = len("  t: ") + entry.index("§") + 1
    text = f"{PARTS}tests:\n  t: {entry.replace('§', '')}\n"
    assert spec.problems(text, FILES) == [f"{FIRST}:{column} tests.t: {expected}"]


def test_a_sensitive_variable_is_refused(spec: SpecFolder) -> None:
    """A question reaches a model, and an expectation is shown."""
    head = "stack: s\nservice: assistants\nvars: {pin: {sensitive: true, default: x1234}}\n"
    test = "tests: {a: {assistant: desk, ask: '${pin}?', expect: {contains: '${pin}'}}}\n"
    found = spec.problems(PARTS + test, FILES, head=head)
    assert [problem.partition(" ")[2].partition(" |")[0] for problem in found] == [
        "tests.a: a sensitive variable is used in ask, which may reach a model",
        "tests.a: a sensitive variable is used in expect.contains, which may reach a model",
    ]


def test_only_the_broken_section_is_talked_of(spec: SpecFolder) -> None:
    """Where nothing is known of the assistants, nothing is said of what refers to them."""
    text = "assistants: [a]\ntests: {a: {assistant: desk, ask: q, expect: {contains: a}}}\n"
    assert [problem[:4] for problem in spec.problems(text)] == ["3:1 "]
