"""Findings of the checks: as people read them, and as data (docs/plan-format.md). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Protocol

from asstops.model import Target
from asstops.views.ink import Ink
from asstops.views.machine import FORMAT_VERSION, target_to_json
from asstops.views.text import count, safe, told

MIN_WIDTH = 40
WORD = 10
_ROLE = {"ok": "good", "warning": "warn", "problem": "error", "unverified": "change"}


class _Word(Protocol):
    @property
    def value(self) -> str: ...


class Shown(Protocol):
    """What is shown of a finding; see asstops.checks.findings."""

    @property
    def topic(self) -> _Word: ...
    @property
    def state(self) -> _Word: ...
    @property
    def message(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def fix(self) -> str: ...


def render_checks(found: Sequence[Shown], target: Target | None, *, width: int, color: bool) -> str:
    """Findings under the names of their topics, and how many of each there are; ends in a line break."""
    ink = Ink(max(width, MIN_WIDTH), color)
    blocks = [[_heading(target, ink)]] if target is not None else []
    for topic, group in groupby(found, key=lambda finding: finding.topic.value):
        blocks.append([ink.paint([("bold", topic)]), *(line for finding in group for line in _one(finding, ink))])
    blocks.append(_ending(found, ink))
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def checks_to_json(found: Sequence[Shown], target: Target | None) -> dict[str, Any]:
    """The findings as data; `target` is None where the spec could not be read."""
    return {
        "format_version": FORMAT_VERSION,
        "stack": target.stack if target is not None else None,
        "service": target.service if target is not None else None,
        "target": target_to_json(target) if target is not None else None,
        "findings": [
            {
                "topic": finding.topic.value,
                "state": finding.state.value,
                "message": finding.message,
                "address": finding.address or None,
                "fix": finding.fix or None,
            }
            for finding in found
        ],
        "summary": dict(_counts(found)),
    }


def _heading(target: Target, ink: Ink) -> str:
    where = target.account or target.endpoint
    if target.account and target.location:
        where += f" ({target.location})"
    rest = "".join(f" · {safe(part)}" for part in (target.service, where) if part)
    return "\n".join(ink.lines([("bold", f"stack {safe(target.stack)}"), ("dim", rest)], 2))


def _one(finding: Shown, ink: Ink) -> Iterator[str]:
    word, hang = finding.state.value, WORD + 4
    where = f"{safe(finding.address)}: " if finding.address else ""
    lead = f"  {word.ljust(WORD)}  "
    yield from ink.lines([(_ROLE[word], lead), ("bold", where), ("", told(finding.message))], hang)
    if finding.fix:
        yield from ink.lines([("dim", f"{' ' * hang}fix: "), ("", told(finding.fix))], hang + 5)


def _ending(found: Sequence[Shown], ink: Ink) -> list[str]:
    counts = _counts(found)
    parts = [count(counts["problem"], "problem"), count(counts["warning"], "warning")]
    parts.append(f"{counts['unverified']:,} not verified")
    parts.append(f"{counts['ok']:,} ok")
    role = "error" if counts["problem"] else "warn" if counts["warning"] else "bold"
    return ink.lines([(role, ", ".join(parts) + ".")], 2)


def _counts(found: Sequence[Shown]) -> Mapping[str, int]:
    counts = dict.fromkeys(("ok", "warning", "problem", "unverified"), 0)
    for finding in found:
        counts[finding.state.value] += 1
    return counts
