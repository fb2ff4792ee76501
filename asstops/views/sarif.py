"""Problems of a spec as SARIF 2.1.0, which code scanning and editors read. Pure.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html. GitHub wants a place for every result, and reads the
plain text of messages: the way to mend a problem is part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from asstops.errors import Location, Problem
from asstops.views.text import told

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
RULES: Final = {
    "credential": ("A credential stands in the spec", "Credentials belong into the environment, never into a spec."),
    "defined-twice": ("A key is defined twice", "One key has one meaning; keep one of the two."),
    "file": (
        "A file or path cannot be used",
        "Files must be there, readable, inside the repository and within limits.",
    ),
    "json-schema": ("A JSON Schema is not valid", "Parameters and response formats are JSON Schemas."),
    "missing-key": ("A key is missing", "The entry cannot do without this key."),
    "reference": ("A reference leads nowhere", "What an entry names must be declared in the spec."),
    "spec": ("The spec contradicts itself", "What the spec says cannot be made so."),
    "syntax": ("The file cannot be read", "The file must be valid YAML or JSON in UTF-8."),
    "unknown-key": ("A key is not known", "Unknown keys are mistakes; nothing is ignored silently."),
    "variable": (
        "A variable cannot be used",
        "Variables are declared under vars: and given by --var, a file or ASSTOPS_VAR_NAME.",
    ),
    "wrong-value": ("A value is not allowed", "The value has another type, or is past a limit of the service."),
}
"""Every rule: its name, and what it is about."""


def sarif(problems: Sequence[Problem], *, version: str, spec: str, warning: bool = False) -> dict[str, Any]:
    """A log with one run. `spec` is the file that problems without a place of their own are shown at.

    Files are named as the problems name them: relative to the folder of the run, or absolute.
    """
    used = sorted({problem.rule for problem in problems})
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "asstops", "version": version, "rules": [_rule(rule) for rule in used]}},
                "columnKind": "unicodeCodePoints",
                "results": [_result(problem, used.index(problem.rule), spec, warning) for problem in problems],
            }
        ],
    }


def _rule(name: str) -> dict[str, Any]:
    short, full = RULES[name]
    return {"id": name, "shortDescription": {"text": short}, "fullDescription": {"text": full}}


def _result(problem: Problem, index: int, spec: str, warning: bool) -> dict[str, Any]:
    where = problem.location if problem.location and problem.location.file else Location(spec)
    text = "\n".join(told(line) for line in problem.message.split("\n"))
    text += f"\nfix: {told(problem.fix)}" if problem.fix else ""
    return {
        "ruleId": problem.rule,
        "ruleIndex": index,
        "level": "warning" if warning else "error",
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _artifact(where.file),
                    "region": {"startLine": max(where.line, 1), "startColumn": max(where.column, 1)},
                }
            }
        ],
    }


def _artifact(file: str) -> dict[str, str]:
    """A file by its URI: one that is relative stands in the root of the checkout, whatever that is called there."""
    path = quote(file.replace("\\", "/"), safe="/")
    if path.startswith("/"):
        return {"uri": f"file://{path}"}
    return {"uri": path, "uriBaseId": "%SRCROOT%"}
