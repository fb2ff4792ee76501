"""How smoke tests ended, for people and as JSON (docs/plan-format.md). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from asstops.expectations import Outcome, Verdict
from asstops.model import Address
from asstops.views.ink import Ink, Span
from asstops.views.machine import FORMAT_VERSION
from asstops.views.text import count, safe, seconds, told

MIN_WIDTH = 40
MAX_SHOWN = 400  # characters of an answer; JSON and JUnit have all of it
_WORDS = {Verdict.PASSED: ("good", "pass"), Verdict.FAILED: ("error", "FAIL"), Verdict.NOT_RUN: ("warn", "    ")}


def render_outcome(outcome: Outcome, *, width: int, color: bool) -> str:
    """One test: a line, and below it what was expected and what came where that differs. Ends in a line break."""
    ink = Ink(max(width, MIN_WIDTH), color)
    return "\n".join(_outcome(outcome, ink)) + "\n"


def render_heading(stack: str, service: str, endpoint: str, *, width: int, color: bool) -> str:
    """Which stack is tested, and where. Ends in a line break."""
    ink = Ink(max(width, MIN_WIDTH), color)
    return "\n".join(ink.flow([f"stack {safe(stack)}", safe(service), safe(endpoint)], 0, 2)) + "\n"


def render_counts(outcomes: Sequence[Outcome], *, width: int, color: bool) -> str:
    """How many passed, failed and were not run. Ends in a line break."""
    ink = Ink(max(width, MIN_WIDTH), color)
    good = all(outcome.verdict is Verdict.PASSED for outcome in outcomes)
    return "\n".join(ink.lines([("good" if good else "error", counted(outcomes))], 2)) + "\n"


def counted(outcomes: Sequence[Outcome]) -> str:
    """How many passed, failed and were not run, in words."""
    numbers = counts(outcomes)
    told_of = [f"{numbers['passed']:,} passed", f"{numbers['failed']:,} failed"]
    told_of += [f"{numbers['not_run']:,} not run"] if numbers["not_run"] else []
    return f"{count(len(outcomes), 'smoke test')}: {', '.join(told_of)}."


def counts(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """How many ended how: `passed`, `failed`, `not_run`."""
    return {verdict.value: sum(o.verdict is verdict for o in outcomes) for verdict in Verdict}


def to_json(stack: str, service: str, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What `asstops test --format json` prints."""
    return {
        "format_version": FORMAT_VERSION,
        "stack": stack,
        "service": service,
        "tests": outcomes_to_json(outcomes),
        "summary": counts(outcomes),
    }


def outcomes_to_json(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Each test, in the order of the spec."""
    return [_to_json(outcome) for outcome in outcomes]


def _to_json(outcome: Outcome) -> dict[str, Any]:
    test, came = outcome.test, outcome.came
    return {
        "name": test.name,
        "assistant": str(test.assistant),
        "outcome": outcome.verdict.value,
        "elapsed_s": round(outcome.elapsed_s, 3),
        "tries": outcome.tries,
        "ask": test.ask,
        "answer": came.text or None,
        "called": list(came.called),
        "tools": sorted(came.tools),
        "cited": sorted({name or remote_id for remote_id, name in came.cited.items()}),
        "failures": [{"expected": miss.expected, "came": miss.came} for miss in outcome.misses],
        "message": outcome.message or None,
        "fix": outcome.fix or None,
        "left": outcome.left or None,
        "file": test.location.file if test.location else None,
        "line": (test.location.line or None) if test.location else None,
    }


def _outcome(outcome: Outcome, ink: Ink) -> Iterator[str]:
    role, word = _WORDS[outcome.verdict]
    line: list[Span] = [(role, word), ("", f"  {safe(outcome.test.name)}")]
    if outcome.verdict is Verdict.NOT_RUN:
        line.append(("dim", "  not run"))
    else:
        line.append(("dim", f"  {safe(str(outcome.test.assistant))}  ({seconds(outcome.elapsed_s)})"))
        line += [("dim", f"  asked {outcome.tries} times")] if outcome.tries > 1 else []
    yield from ink.lines(line, 6)
    if outcome.verdict is Verdict.FAILED:
        yield from _why(outcome, ink)
    if outcome.left:
        what = "a conversation" if outcome.left == "?" else f"the conversation {safe(outcome.left)}"
        yield from ink.lines([("warn", f"      {what} could not be deleted")], 6)


def _why(outcome: Outcome, ink: Ink) -> Iterator[str]:
    yield from _pair("asked", outcome.test.ask, ink)
    if outcome.message:
        yield from _pair("failed", outcome.message, ink, role="error")
        if outcome.came.text:
            yield from _pair("so far", outcome.came.text, ink)
        if outcome.fix:
            yield from _pair("fix", outcome.fix, ink)
    before = ""
    for miss in outcome.misses:
        yield from _pair("expected", miss.expected, ink)
        yield from _pair("came", miss.came if miss.came != before else "the same", ink, role="error")
        before = miss.came


def _pair(label: str, text: str, ink: Ink, role: str = "") -> Iterator[str]:
    """A label and what it stands for, hanging below itself; line breaks of answers become spaces."""
    one_line = " ".join(text.split("\n"))
    yield from ink.lines([("dim", f"      {label:<9} "), (role, told(one_line, MAX_SHOWN))], 16)


@dataclass(frozen=True, slots=True)
class GoneBack:
    """What became of an assistant whose tests failed after an apply.

    `outcome` is `rolled_back`, `kept` (it stays as it was applied) or `failed`; `version` the number of the one before.
    """

    address: Address
    outcome: str
    version: str = ""
    message: str = ""
    fix: str = ""


def render_rollbacks(gone: Sequence[GoneBack], *, width: int, color: bool) -> str:
    """What was rolled back after failed tests, what was not and why. Ends in a line break."""
    ink = Ink(max(width, MIN_WIDTH), color)
    lines: list[str] = []
    for item in gone:
        name = safe(str(item.address))
        if item.outcome == "rolled_back":
            lines += ink.lines([("good", "Rolled back: "), ("", f"{name} says what version {item.version} said.")], 2)
        elif item.outcome == "kept":
            lines += ink.lines([("warn", "Not rolled back: "), ("", f"{name}: {told(item.message)}.")], 2)
        else:
            text = f"{name} could not go back to version {item.version}: {told(item.message)}"
            lines += ink.lines([("error", "Not rolled back: "), ("", text)], 2)
            lines += ink.lines([("dim", "  fix: "), ("", told(item.fix))], 7) if item.fix else []
    if any(item.outcome == "rolled_back" for item in gone):
        text = "The spec is ahead of what is live now: the next plan shows it, and the next apply brings it back."
        lines += ink.lines([("", text)], 2)
    return "\n".join(lines) + "\n"


def render_way_back(commands: Sequence[tuple[Address, str]], *, wrote: bool, width: int, color: bool) -> str:
    """How to undo an apply whose tests failed. `commands` has the assistants that it changed, with "" for a command
    where there is none; `wrote` is False where it changed nothing at all. Ends in a line break.
    """
    ink = Ink(max(width, MIN_WIDTH), color)
    if not wrote:
        return "\n".join(ink.lines([("", "This apply changed nothing: what is live was like that before.")], 2)) + "\n"
    lines = ink.lines([("", "What was applied stays. To go back, revert the change of the spec and apply again.")], 2)
    if not commands:
        lines += ink.lines([("", "This apply changed no assistant.")], 2)
    if typed := [command for _, command in commands if command]:
        lines += ink.lines([("", "For the time until then, the assistants as they were before:")], 2)
        lines += [f"  {safe(command)}" for command in typed]  # never wrapped: it is there to be copied
    return "\n".join(lines) + "\n"


def rollbacks_to_json(gone: Sequence[GoneBack]) -> list[dict[str, Any]]:
    """Each assistant of a failed test, by address."""
    return [
        {
            "address": str(item.address),
            "outcome": item.outcome,
            "version": item.version or None,
            "message": item.message or None,
            "fix": item.fix or None,
        }
        for item in gone
    ]
