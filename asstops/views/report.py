"""How an apply ended, for people: failures whole, the rest counted. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from asstops.model import Event, Report, Verb
from asstops.views.ink import Ink, Span
from asstops.views.text import count, safe, seconds, told

MAX_DONE = 12
MAX_SKIPPED = 20
MIN_WIDTH = 40
_PAST = {Verb.CREATE: "created", Verb.UPDATE: "updated", Verb.DELETE: "deleted"}
_ROLES = {Verb.CREATE: "add", Verb.UPDATE: "change", Verb.DELETE: "remove"}
_SYMBOLS = {Verb.CREATE: "+", Verb.UPDATE: "~", Verb.DELETE: "-"}


def render_report(report: Report, *, color: bool, width: int, listed: bool = True) -> str:
    """Done, failed and not attempted, then the summary; ends in a line break.

    `listed` False leaves out what is done, where a person has just watched it.
    """
    ink = Ink(max(width, MIN_WIDTH), color)
    blocks = [
        list(_done(report, ink)) if listed else [],
        [line for event in report.failed for line in _failed(event, ink)],
        list(_skipped(report, ink)),
        list(_ending(report, ink)),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def past(verb: Verb) -> str:
    """`created`, `updated`, `deleted`."""
    return _PAST[verb]


def report_line(report: Report) -> str:
    """`Applied: 5 done, 0 failed, 0 not attempted.`"""
    word = "Interrupted" if report.interrupted else "Applied" if report.done or not report.failed else "Not applied"
    return f"{word}: {len(report.done):,} done, {len(report.failed):,} failed, {len(report.skipped):,} not attempted."


def _done(report: Report, ink: Ink) -> Iterator[str]:
    """Each by name while they are few, else how many of which kind."""
    if len(report.done) <= MAX_DONE:
        for event in report.done:
            text = f"{safe(str(event.address))}  {past(event.verb)} ({seconds(event.elapsed_s)})"
            message = f"  {told(event.message)}" if event.message else ""
            yield from ink.lines([(_ROLES[event.verb], f"{_SYMBOLS[event.verb]} "), ("", text), ("dim", message)], 4)
        return
    for verb in Verb:
        kinds = sorted({event.address.kind for event in report.done if event.verb is verb})
        numbers = [
            count(sum(1 for e in report.done if e.verb is verb and e.address.kind == kind), kind.replace("_", " "))
            for kind in kinds
        ]
        if numbers:
            yield from ink.lines([(_ROLES[verb], f"{_SYMBOLS[verb]} "), ("", f"{past(verb)}: {', '.join(numbers)}")], 4)
    for event in report.done:
        if event.message:
            yield from ink.lines([("dim", f"  {safe(str(event.address))}: {told(event.message)}")], 4)


def _failed(event: Event, ink: Ink) -> Iterator[str]:
    lead: list[Span] = [("error", "Error: "), ("bold", safe(str(event.address)))]
    first, *rest = (event.message or "no reason was given").split("\n")
    yield from ink.lines([*lead, ("", f" could not be {past(event.verb)}: {told(first)}")], 2)
    for line in rest:
        yield from ink.lines([("", f"  {told(line)}")], 4)
    if event.fix:
        yield from ink.lines([("dim", "  fix: "), ("", told(event.fix))], 7)


def _skipped(report: Report, ink: Ink) -> Iterator[str]:
    if report.skipped:
        yield ink.paint([("bold", "Not attempted:")])
    for event in report.skipped[:MAX_SKIPPED]:
        why = f"  {told(event.message)}" if event.message else ""
        line: list[Span] = [("", f"  {_SYMBOLS[event.verb]} {safe(str(event.address))}"), ("dim", why)]
        yield from ink.lines(line, 6)
    if len(report.skipped) > MAX_SKIPPED:
        yield ink.paint([("dim", f"  … and {len(report.skipped) - MAX_SKIPPED:,} more")])


def _ending(report: Report, ink: Ink) -> Iterator[str]:
    whole = not report.failed and not report.skipped and not report.interrupted
    yield from ink.lines([("good" if whole else "error", report_line(report))], 2)
    if not whole:
        if report.wrote and not report.done:
            text = "Something may have been written all the same. Run the command again to see, and to carry on."
            yield from ink.lines([("", text)], 2)
        elif report.wrote:
            yield from ink.lines([("", "What is done stays. Run the command again to carry on from here.")], 2)
        else:
            yield from ink.lines([("", "Nothing was written.")], 2)
