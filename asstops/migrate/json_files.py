"""JSON that was exported -> plain values, and back: one document a file, or one a line. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from asstops.errors import Location, Problem
from asstops.kinds.fields import plain_value
from asstops.spec.json_reader import read_json
from asstops.spec.nodes import Node, Problems, Source, to_python

ENDINGS = (".json", ".jsonl", ".ndjson")
_LINES = (".jsonl", ".ndjson")


def read_values(text: str, source: Source, problems: Problems) -> Iterator[tuple[Any, str]]:
    """Every document of a file with where it stands; what cannot be read is a problem with its line and column."""
    text = text.removeprefix("\ufeff")
    if not text.strip():
        problems.add("the file is empty", source.at(), "export it again, or take it away")
        return
    if source.path.suffix.lower() not in _LINES:
        tried = Problems()
        node = read_json(text, source, tried)
        if node is not None and not tried:
            yield _value(node), source.shown
            return
        if not _is_lines(text):
            _pass_on(tried.all(), 0, problems)
            return
    for number, line in enumerate(re.split(r"\r\n|\n", text)):
        if line.strip():
            tried = Problems()
            node = read_json(line, source, tried)
            _pass_on(tried.all(), number, problems)
            if node is not None:
                yield _value(node), f"{source.shown}:{number + 1}"


def _is_lines(text: str) -> bool:
    """True where the first line is a whole object and more follow."""
    first, _, rest = text.lstrip().partition("\n")
    return bool(rest.strip()) and read_json(first, Source(Path("."), ""), Problems()) is not None


def _pass_on(found: tuple[Problem, ...], lines: int, problems: Problems) -> None:
    for problem in found:
        at = problem.location
        where = replace(at, line=at.line + lines) if isinstance(at, Location) and at.line else at
        problems.add(problem.message, where, problem.fix or "export it again, or mend it by hand")


def _value(node: Node) -> Any:
    return plain_value(to_python(node))
