"""Errors and warnings for people: what happened, where, and how to mend it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asstops.errors import AsstopsError, Problem, SpecInvalid, StalePlan, UnsafePlan
from asstops.views.ink import Ink, Span
from asstops.views.text import count, safe, told

MIN_WIDTH = 40
MAX_SHOWN = 50
MAX_LINES = 20


def render_error(error: AsstopsError, *, color: bool, width: int) -> str:
    """An error in the form `Error: …`, `  at: …`, `  fix: …`; one that holds several problems shows them all."""
    if isinstance(error, SpecInvalid) and error.problems:
        return render_problems(error.problems, color=color, width=width)
    if isinstance(error, UnsafePlan) and error.objections:
        counted = f"Refused: {count(len(error.objections), 'objection')}; nothing was written."
        return render_problems(error.objections, color=color, width=width, ending=counted)
    if isinstance(error, StalePlan) and error.moved:
        moved = [*error.moved[:-1], Problem(error.moved[-1].message, error.moved[-1].location, error.fix)]
        counted = f"The plan is stale: {count(len(moved), 'difference')}; nothing was written."
        return render_problems(moved, color=color, width=width, ending=counted)
    ink = Ink(max(width, MIN_WIDTH), color)
    return "\n".join(_one("Error", error.message, error.at, error.fix, ink)) + "\n"


def render_problems(
    problems: Sequence[Problem], *, color: bool, width: int, warning: bool = False, ending: str = ""
) -> str:
    """One problem after another and, for more than one, how many there are (or `ending`). Empty without problems."""
    ink = Ink(max(width, MIN_WIDTH), color)
    word = "Warning" if warning else "Error"
    blocks = [
        "\n".join(_one(word, p.message, str(p.location) if p.location else "", p.fix, ink))
        for p in problems[:MAX_SHOWN]
    ]
    if len(problems) > MAX_SHOWN:
        blocks.append(f"… and {len(problems) - MAX_SHOWN:,} more")
    if len(problems) > 1 or ending:
        counted = ending or f"{count(len(problems), word.lower())} found."
        blocks.append("\n".join(ink.lines([("bold", safe(counted))], 0)))
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _one(word: str, message: str, at: str, fix: str, ink: Ink) -> Iterator[str]:
    first, *rest = message.split("\n")
    yield from _hanging([("warn" if word == "Warning" else "error", f"{word}: "), ("", told(first))], ink, 2)
    for line in rest[:MAX_LINES]:
        yield from _hanging([("", f"  {told(line)}")], ink, 2)
    if len(rest) > MAX_LINES:
        yield ink.paint([("dim", f"  … and {len(rest) - MAX_LINES:,} more lines")])
    if at:
        # A place is never wrapped: terminals and editors open it by a click.
        yield ink.paint([("dim", "  at: "), ("", told(at))])
    if fix:
        yield from _hanging([("dim", "  fix: "), ("", told(fix))], ink, 7)


def _hanging(line: Sequence[Span], ink: Ink, hang: int) -> list[str]:
    return ink.lines(line, hang)
