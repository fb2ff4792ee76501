"""Errors, warnings and reports for people."""

from __future__ import annotations

from hypothesis import given, settings
from plans import reports, text

from asstops.errors import AsstopsError, Location, Problem, SpecInvalid, UnsafePlan
from asstops.model import Address, Event, Report, StepState, Verb
from asstops.views.problems import render_error, render_problems
from asstops.views.report import render_report
from asstops.views.text import cells, safe

LIMIT = Problem(
    "vector_store.handbook: expires_after_days is 400, the service allows 1 to 365",
    Location("specs/handbook.yaml", 12, 25),
    "use a value from 1 to 365, or remove the line to keep the store until it is deleted",
)


def test_an_error_says_what_where_and_how() -> None:
    """The form of the style page."""
    error = AsstopsError(LIMIT.message, at=str(LIMIT.location), fix=LIMIT.fix)
    assert render_error(error, color=False, width=100) == (
        "Error: vector_store.handbook: expires_after_days is 400, the service allows 1 to 365\n"
        "  at: specs/handbook.yaml:12:25\n"
        "  fix: use a value from 1 to 365, or remove the line to keep the store until it is deleted\n"
    )


def test_several_problems_are_shown_and_counted() -> None:
    """All problems at once, then how many."""
    error = SpecInvalid([LIMIT, Problem("no such thing", Location("a.yaml"))])
    assert render_error(error, color=False, width=60) == (
        "Error: no such thing\n"
        "  at: a.yaml\n"
        "\n"
        "Error: vector_store.handbook: expires_after_days is 400, the\n"
        "  service allows 1 to 365\n"
        "  at: specs/handbook.yaml:12:25\n"
        "  fix: use a value from 1 to 365, or remove the line to keep\n"
        "       the store until it is deleted\n"
        "\n"
        "2 errors found.\n"
    )


def test_objections_say_that_nothing_was_written() -> None:
    """A refused plan shows each objection with its place."""
    shown = render_error(UnsafePlan([Problem("assistant.a is protected", None, "unprotect it")]), color=False, width=80)
    assert shown == (
        "Error: assistant.a is protected\n  fix: unprotect it\n\nRefused: 1 objection; nothing was written.\n"
    )


def test_warnings() -> None:
    """The same form under another word; none, no output."""
    assert render_problems([Problem("old")], color=False, width=80, warning=True) == "Warning: old\n"
    assert render_problems([], color=False, width=80) == ""
    shown = render_problems([Problem("a"), Problem("b")], color=True, width=80, warning=True)
    assert "\x1b[33mWarning: \x1b[0m" in shown
    assert "2 warnings found." in shown


def test_many_problems_are_counted() -> None:
    """Past fifty the rest is a number."""
    shown = render_problems([Problem(str(n)) for n in range(60)], color=False, width=80)
    assert shown.count("Error: ") == 50
    assert "… and 10 more" in shown
    assert shown.endswith("60 errors found.\n")


@settings(deadline=None)
@given(text, text, text)
def test_errors_are_neutralised(message: str, at: str, fix: str) -> None:
    """What a service says cannot act on the terminal."""
    for line in (
        render_error(AsstopsError(message, at=at, fix=fix), color=False, width=80).removesuffix("\n").split("\n")
    ):
        assert line == safe(line)


def step(key: str, verb: Verb, state: StepState, message: str = "", fix: str = "", kind: str = "assistant") -> Event:
    return Event(Address(kind, key), verb, state, message, fix, 1.25)


def test_report_of_a_success() -> None:
    """Few steps are named, and the summary is one line."""
    done = (step("a", Verb.CREATE, StepState.DONE), step("b", Verb.UPDATE, StepState.DONE, "1 file was refused"))
    assert render_report(Report(done, wrote=True), color=False, width=80) == (
        "+ assistant.a  created (1.2s)\n"
        "~ assistant.b  updated (1.2s)  1 file was refused\n"
        "\n"
        "Applied: 2 done, 0 failed, 0 not attempted.\n"
    )


def test_report_of_a_failure() -> None:
    """Failures come whole, with the way out; what was not attempted is listed."""
    report = Report(
        tuple(step(f"{n:03}", Verb.CREATE, StepState.DONE, kind="file") for n in range(200)),
        (step("a", Verb.UPDATE, StepState.FAILED, "429: too many requests\nwait", "run it again"),),
        (step("b", Verb.DELETE, StepState.SKIPPED, "assistant.a failed"),),
        wrote=True,
    )
    assert render_report(report, color=False, width=80) == (
        "+ created: 200 files\n"
        "\n"
        "Error: assistant.a could not be updated: 429: too many requests\n"
        "  wait\n"
        "  fix: run it again\n"
        "\n"
        "Not attempted:\n"
        "  - assistant.b  assistant.a failed\n"
        "\n"
        "Applied: 200 done, 1 failed, 1 not attempted.\n"
        "What is done stays. Run the command again to carry on from here.\n"
    )


def test_report_says_when_nothing_was_written() -> None:
    """A failure before the first write leaves nothing behind, and says so."""
    report = Report(failed=(step("a", Verb.CREATE, StepState.FAILED, "no"),))
    shown = render_report(report, color=False, width=80)
    assert shown.endswith("Not applied: 0 done, 1 failed, 0 not attempted.\nNothing was written.\n")
    shown = render_report(Report(interrupted=True), color=False, width=80)
    assert shown == "Interrupted: 0 done, 0 failed, 0 not attempted.\nNothing was written.\n"


@settings(deadline=None)
@given(reports)
def test_reports_are_neutralised_and_fit(report: Report) -> None:
    """Whatever the service said."""
    for line in render_report(report, color=False, width=70).removesuffix("\n").split("\n"):
        assert line == safe(line)
        assert cells(line) <= 70
