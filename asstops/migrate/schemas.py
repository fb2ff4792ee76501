"""JSON Schemas as files that a spec can name, and what is wrong with one. Pure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from asstops.migrate.naming import looks_secret, sound
from asstops.spec.json_reader import read_json
from asstops.spec.nodes import Problems, Source
from asstops.spec.schema_check import check_parameters, check_schema


def json_text(value: Any) -> str:
    """The value as the text of a JSON file."""
    return sound(json.dumps(value, indent=2, ensure_ascii=False, default=str)) + "\n"


def trouble(text: str, *, parameters: bool = False, strict: bool = False) -> str:
    """The first thing that is wrong with a schema, "" for nothing; `parameters` are a function's."""
    if looks_secret(text):
        return "something in it looks like a real key or token, and those never go into a repository"
    problems, source = Problems(), Source(Path("."), "")  # it was never in a file
    node = read_json(text, source, problems)
    if node is not None and parameters:
        check_parameters(node, "parameters", source.at(), problems, strict=strict)
    elif node is not None:
        check_schema(node, "schema", source.at(), problems)
    found = problems.all()
    return found[0].message if found else ""
