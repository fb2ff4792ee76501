"""Smoke tests as values: what is asked, what is expected of the answer, and whether it came. Pure.

A test is no resource: no plan shows it and no mark remembers it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from asstops.errors import Location
from asstops.model import Address

BUILT_IN = ("code_interpreter", "file_search")
"""Tools that are expected under their own names. No key of a function looks like them: keys have no underscores."""


@dataclass(frozen=True, slots=True)
class Expect:
    """What an answer must be like; all of it must hold. Texts are looked for as they stand, capitals included.

    `matches` are regular expressions of Python's `re`, found anywhere in the answer. `calls` are functions, from the
    key in the spec to the name that the model calls, and `tools` the service's own. `cites` are keys of files.
    """

    contains: tuple[str, ...] = ()
    not_contains: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()
    calls: Mapping[str, str] = field(default_factory=dict)
    tools: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()

    @property
    def only_functions(self) -> bool:
        """True where the answer itself does not matter: it may end once the functions were called."""
        return bool(self.calls) and not (self.contains or self.not_contains or self.matches or self.tools or self.cites)


@dataclass(frozen=True, slots=True)
class SmokeTest:
    """One entry of `tests:`. `answers` is what functions return, by the name that the model calls them by.

    `within_s` is how long an answer may take; `retries` how often it is asked again after one that is not as expected.
    """

    name: str
    assistant: Address
    ask: str
    expect: Expect
    within_s: float = 60.0
    answers: Mapping[str, str] = field(default_factory=dict)
    retries: int = 0
    location: Location | None = None


@dataclass(frozen=True, slots=True)
class Came:
    """What came: the text, the names of functions that were called, tools that were used, ids of files cited.

    `unanswered` are the functions among them that had no answer, so that the assistant was stopped there. `cited` are
    the ids of files with their names. `reason` says why there is no whole answer, "" when there is one; `fix` what to
    do about it.
    """

    text: str = ""
    called: tuple[str, ...] = ()
    tools: frozenset[str] = frozenset()
    cited: Mapping[str, str] = field(default_factory=dict)
    unanswered: tuple[str, ...] = ()
    reason: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Miss:
    """One expectation that did not hold: what was expected, and what came instead."""

    expected: str
    came: str


class Verdict(Enum):
    """How a test ended. What was interrupted is not run."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not_run"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one test ended. `message` says why there was no answer to judge, and `fix` what to do about it.

    `elapsed_s` counts all tries, waiting for the service's limits included. `left` is the conversation that could not
    be deleted afterwards, "" as a rule and "?" where its id is not known.
    """

    test: SmokeTest
    verdict: Verdict
    elapsed_s: float = 0.0
    tries: int = 1
    came: Came = field(default_factory=Came)
    misses: tuple[Miss, ...] = ()
    message: str = ""
    fix: str = ""
    left: str = ""


Matches = Callable[[str, str], "bool | None"]


def _matches(pattern: str, text: str) -> bool:
    return re.search(pattern, text) is not None


def misses(test: SmokeTest, came: Came, files: Mapping[str, str], matches: Matches = _matches) -> tuple[Miss, ...]:
    """Every expectation that does not hold. `files` are the remote ids of the spec's files, by key.

    `matches` says whether a pattern is found in a text, None where that takes too long.
    """
    return tuple(_misses(test.expect, came, files, matches))


def ends_early(test: SmokeTest, came: Came) -> bool:
    """True where no whole answer is needed: only calls are expected, and one without an answer ended it."""
    return bool(came.unanswered) and test.expect.only_functions


def _misses(expect: Expect, came: Came, files: Mapping[str, str], matches: Matches) -> Iterator[Miss]:
    said = came.text or "no text"
    for text in expect.contains:
        if text not in came.text:
            yield Miss(f'text with "{text}"', said)
    for text in expect.not_contains:
        if text in came.text:
            yield Miss(f'text without "{text}"', said)
    for pattern in expect.matches:
        found = matches(pattern, came.text)
        if not found:
            yield Miss(f"text that matches {pattern}", said if found is False else "comparing took too long")
    for key, name in expect.calls.items():
        if name not in came.called:
            yield Miss(f"a call of the function {key if key == name else f'{key} ({name})'}", _called(came))
    for tool in expect.tools:
        if tool not in came.tools:
            yield Miss(f"use of {tool}", _used(came))
    for key in expect.cites:
        if files.get(key) not in came.cited:
            yield Miss(f"a citation of file.{key}", _cited(came.cited))


def _called(came: Came) -> str:
    if not came.called:
        return "no function was called"
    told = f"called were {', '.join(dict.fromkeys(came.called))}"
    if came.unanswered:
        told += f"; {', '.join(came.unanswered)} has no entry under answers:, so the assistant was stopped there"
    return told


def _used(came: Came) -> str:
    used: Sequence[str] = [*sorted(came.tools), *dict.fromkeys(came.called)]
    return f"used were {', '.join(used)}" if used else "no tool was used"


def _cited(cited: Mapping[str, str]) -> str:
    names = sorted({name or remote_id for remote_id, name in cited.items()})
    return f"cited were {', '.join(names)}" if names else "nothing was cited"
