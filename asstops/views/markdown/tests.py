"""Smoke tests as Markdown: what failed first, and what was rolled back for it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from asstops.expectations import Outcome, Verdict
from asstops.views.markdown.documents import COMMENT_LIMIT
from asstops.views.markdown.fitting import Part, Section, fit
from asstops.views.markdown.text import code, prose
from asstops.views.smoke import GoneBack, counted
from asstops.views.text import count, seconds


def render_tests(stack: str, outcomes: Sequence[Outcome], *, rest: str, limit: int = COMMENT_LIMIT) -> str:
    """How smoke tests ended, secrets masked already."""
    sections = []
    for verdict, word, opened in (
        (Verdict.FAILED, "failed", True),
        (Verdict.NOT_RUN, "not run", False),
        (Verdict.PASSED, "passed", False),
    ):
        found = [outcome for outcome in outcomes if outcome.verdict is verdict]
        if found:
            parts = tuple(Part(_line(outcome)) for outcome in found)
            title = f"<b>{count(len(found), 'test')} {word}</b>"
            sections.append(Section(title, parts, opened=opened, names=("list of tests", "lists of tests")))
    return fit([f"### {code(stack)} · {counted(outcomes)}"], sections, [], limit=limit, rest=rest)


def render_rollbacks(gone: Sequence[GoneBack]) -> str:
    """What became of the assistants whose tests failed."""
    return "".join(f"- {_went(item)}\n" for item in gone)


def _line(outcome: Outcome) -> str:
    asked = f"- {code(outcome.test.name)} of {code(str(outcome.test.assistant))}"
    if outcome.verdict is Verdict.NOT_RUN:
        return asked
    why = [f"expected {prose(miss.expected)}, came {prose(miss.came)}" for miss in outcome.misses]
    why += [prose(outcome.message)] if outcome.message else []
    return f"{asked} ({seconds(outcome.elapsed_s)}){': ' if why else ''}{'; '.join(why)}"


def _went(item: GoneBack) -> str:
    name, version = code(str(item.address)), code(item.version) if item.version else ""
    if item.outcome == "rolled_back":
        return f"**Rolled back:** {name} says what version {version} said; the spec is ahead of it."
    return f"**Not rolled back:** {name}: {prose(item.message)}"
