"""What pipelines read in a log: annotations, and text that must not be taken for a command of theirs. Pure.

GitHub Actions takes a line that begins with `::` (after spaces) for a command, and, the older form, `##[` anywhere in a
line; Azure Pipelines takes `##vso[` anywhere in a line. Both read stdout and stderr.
https://docs.github.com/actions/reference/workflow-commands-for-github-actions, with the runner's source for the escapes
https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands, with the agent's
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final

from asstops.errors import Location, Problem
from asstops.views.text import safe, told

MOST: Final = 10
"""Both show ten errors and ten warnings of a step, and no more."""
_COMMAND = re.compile(r"(?:\A|(?<=[\n\r]))([^\S\n\r]*:):|(##)\[|(##vs)o", re.IGNORECASE)
_GITHUB = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_GITHUB_PROPERTY = {**_GITHUB, ":": "%3A", ",": "%2C"}
_AZURE = {"%": "%AZP25", ";": "%3B", "\r": "%0D", "\n": "%0A", "]": "%5D"}


class Vendor(Enum):
    """Whose pipeline this process runs in."""

    GITHUB = "github"
    AZURE = "azure"


def vendor(environ: Mapping[str, str]) -> Vendor | None:
    """The pipeline that the environment tells of."""
    if environ.get("GITHUB_ACTIONS", "").lower() == "true":
        return Vendor.GITHUB
    return Vendor.AZURE if environ.get("TF_BUILD", "").lower() == "true" else None


def annotation(to: Vendor, problem: Problem, *, warning: bool = False) -> str:
    """One line, without its end, that shows a problem beside the file it is in, named from the checkout's root."""
    where = problem.location or Location("")
    text = "\n".join(told(line) for line in problem.message.split("\n")[:20])
    text += f"\nfix: {told(problem.fix)}" if problem.fix else ""
    word = "warning" if warning else "error"
    if to is Vendor.AZURE:
        found = {"type": word, "sourcepath": where.file, "linenumber": where.line, "columnnumber": where.column}
        given = "".join(f"{key}={_escaped(str(value), _AZURE)};" for key, value in found.items() if value)
        return f"##vso[task.logissue {given}]{_escaped(text, _AZURE)}"
    found = {"file": where.file, "line": where.line, "col": where.column, "title": "asstops"}
    given = ",".join(f"{key}={_escaped(str(value), _GITHUB_PROPERTY)}" for key, value in found.items() if value)
    return f"::{word} {given}::{_escaped(text, _GITHUB)}"


def azure_variable(name: str, value: str) -> str:
    """One line that sets a variable which later jobs can read."""
    return f"##vso[task.setvariable variable={_escaped(name, _AZURE)};isOutput=true]{_escaped(value, _AZURE)}"


def _escaped(text: str, table: Mapping[str, str]) -> str:
    text = "\n".join(safe(line) for line in text.split("\n"))
    return "".join(table.get(character, character) for character in text)


class Disarmed:
    """A stream of text, piece by piece, in which nothing is a command to a pipeline any more.

    One character of what would be a command is written as an escape: `:\\x3aadd-mask::`. All other text stays as it is.
    """

    def __init__(self) -> None:
        self._before = ""

    @property
    def at_line_start(self) -> bool:
        return not self._before

    def feed(self, text: str) -> str:
        """The next piece, disarmed; a command is found also where it was cut in two."""
        before = self._before
        whole = _COMMAND.sub(_escape_last, before + text)
        line = re.split(r"[\n\r]", whole)[-1]
        # Of the line so far: whether it is still empty but for spaces, and what a command may have begun with.
        opening = line if line.lstrip() in ("", ":") else f"x{line[-4:]}"
        self._before = opening if len(opening) < 1_000 else "x"
        return whole[len(before) :]


def _escape_last(match: re.Match[str]) -> str:
    kept = next(group for group in match.groups() if group is not None)
    return f"{kept}\\x{ord(match.group()[-1]):02x}"
