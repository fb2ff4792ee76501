"""Plans for people: the expected output in full, and what holds for every plan."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import samples
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import SECRET, plans

from asstops.model import Action, Address, Cause, Change, FieldDiff, Plan, Resource
from asstops.views.human import render_plan
from asstops.views.machine import dumps, plan_to_json
from asstops.views.text import cells, safe
from asstops.views.wording import summary_line

GOLDEN = Path(__file__).parents[2] / "golden" / "views"
READ = "read 14 objects in 0.6 s"
SGR = re.compile(r"\x1b\[[0-9;]*m")
CASES = [(name, 80, color) for name in samples.ALL for color in (False, True)] + [
    (name, width, False) for name in ("typical", "created", "replaced", "functions") for width in (60, 120)
]


@pytest.mark.parametrize(("name", "width", "color"), CASES)
def test_looks_as_expected(name: str, width: int, color: bool, update_golden: bool) -> None:
    """The sample plans look exactly as recorded; --update-golden records them anew."""
    actual = render_plan(samples.ALL[name](), width=width, color=color, read=READ).replace("\x1b", "<ESC>")
    path = GOLDEN / f"{name}-{width}{'-color' if color else ''}.txt"
    if update_golden:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(actual, encoding="utf-8", newline="\n")
    assert path.read_text(encoding="utf-8") == actual


@settings(max_examples=60, deadline=None)
@given(plans, st.integers(60, 140))
def test_stays_inside_the_terminal(plan: Plan, width: int) -> None:
    """No line is wider than the terminal, and nothing in it can act on one."""
    shown = render_plan(plan, width=width, color=False, read=READ)
    assert shown.endswith("\n")
    for line in shown.removesuffix("\n").split("\n"):
        assert cells(line) <= width
        assert line == safe(line)


@settings(max_examples=60, deadline=None)
@given(plans)
def test_colour_adds_only_colour(plan: Plan) -> None:
    """With colour on, the only escapes are colours, and each is taken back on its line."""
    for line in render_plan(plan, width=80, color=True).removesuffix("\n").split("\n"):
        codes = SGR.findall(line)
        assert SGR.sub("", line) == safe(SGR.sub("", line))
        assert codes[1::2] == ["\x1b[0m"] * (len(codes) // 2)
        assert len(codes) % 2 == 0


@settings(max_examples=60, deadline=None)
@given(plans)
def test_never_shows_a_sensitive_value(plan: Plan) -> None:
    """Sensitive values are masked wherever a plan could show them."""
    assert SECRET not in render_plan(plan, width=10_000, color=False)


@pytest.mark.parametrize("path", ["name", "instructions", "metadata", "metadata.token", "files"])
@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE, Action.DELETE])
def test_masks_each_kind_of_field(path: str, action: Action) -> None:
    """Also where a field has a place of its own: the title, the first line, the entries of a list or a map."""
    values = {"name": SECRET, "instructions": f"{SECRET}\nx", "metadata": {"token": SECRET}, "files": [SECRET]}
    top = path.partition(".")[0]
    body = {"model": "gpt-4o", top: values[top]}
    address = Address("assistant", "a")
    change = Change(
        address,
        action,
        None if action is Action.CREATE else body,
        None if action is Action.DELETE else body,
        diffs=(FieldDiff(path, SECRET, SECRET, sensitive=True),) if action is Action.UPDATE else (),
        wanted=Resource(address, body, sensitive=frozenset({path})),
    )
    plan = Plan(samples.TARGET, (change,))
    assert SECRET not in render_plan(plan, width=200, color=False)
    assert SECRET not in dumps(plan_to_json(plan))


def test_an_empty_plan_says_exactly_no_changes() -> None:
    """The line that scripts and people look for stands alone."""
    assert "No changes." in render_plan(samples.unchanged(), width=80, color=False).split("\n")
    assert summary_line(samples.unchanged()) == "No changes."


def test_counts_one_and_many() -> None:
    """The summary counts replacements twice and drifted fields once each."""
    assert summary_line(samples.replaced()) == "Plan: 2 to add, 1 to change, 2 to destroy."
    drifted = samples.update("assistant", "a", FieldDiff("temperature", 1, 2, Cause.DRIFT))
    expected = "Plan: 0 to add, 1 to change, 0 to destroy. 1 field has drifted and will be put back."
    assert summary_line(Plan(samples.TARGET, (drifted,))) == expected


def test_zero_is_a_value() -> None:
    """A temperature of 0 is set, unlike one that is absent."""
    assert "temperature 0 " in render_plan(samples.created(), width=80, color=False)


def test_says_how_many_files_are_left_out() -> None:
    """Twenty files are named, 21 too, and past that the rest is counted."""

    def plan(number: int) -> str:
        found = tuple(samples.file_change(Action.CREATE, f"kb/{n:03}.md") for n in range(number))
        return render_plan(Plan(samples.TARGET, found), width=80, color=False)

    assert "more file" not in plan(21)
    assert "+ … and 2 more files" in plan(22)
    assert "kb/019.md" in plan(22)
    assert "kb/020.md" not in plan(22)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (0.2, 0.1, "0.2 -> 0.1"),
        (1, 1.5, "1 -> 1.5"),
        (None, "", '(not set) -> ""'),
        ("x", "true", 'x -> "true"'),
        (True, False, "true -> false"),
        ("2024-11-20", "2025-04-14", "2024-11-20 -> 2025-04-14"),
        ("a b", "a\xa0b", r'"a b" -> "a\xa0b"'),
        ("x", "a -> b", 'x -> "a -> b"'),
        ([1], [1, 2], "[1] -> [1, 2]"),
        (None, {"a": None}, "(not set) -> {a: null}"),
    ],
)
def test_short_values(before: object, after: object, expected: str) -> None:
    """A short change is one arrow, and text that could be taken for another value is quoted."""
    change = samples.update("assistant", "a", FieldDiff("f", before, after))
    assert f"    f  {expected}\n" in render_plan(Plan(samples.TARGET, (change,)), width=80, color=False)


def test_huge_values_are_cut_with_a_note() -> None:
    """One line of 100,000 characters does not fill the screen, and the reader is told."""
    change = samples.update("assistant", "a", FieldDiff("instructions", "x" * 100_000, "y" * 100_000))
    shown = render_plan(Plan(samples.TARGET, (change,)), width=80, color=False)
    assert "… (98,000 more characters)" in " ".join(shown.split())
    assert len(shown) < 6_000
    lines = "\n".join(f"{n} was a line" for n in range(5_000))
    change = samples.update("assistant", "a", FieldDiff("instructions", lines, lines.replace("was", "is")))
    shown = render_plan(Plan(samples.TARGET, (change,)), width=80, color=False)
    assert "… and 9,800 more lines (--format json shows all)" in shown
