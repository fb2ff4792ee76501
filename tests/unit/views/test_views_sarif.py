"""SARIF 2.1.0: the parts of the standard that are used here, as its document and GitHub's say."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import asstops
from asstops.errors import Location, Problem
from asstops.views.sarif import RULES, sarif

PROBLEMS = [
    Problem("unknown key 'modle'", Location("specs/my spec.yaml", 3, 5), "did you mean model?", "unknown-key"),
    Problem("bad\x1b[2J", Location("/else where/ä.yaml", 1, 1)),
    Problem("no place", rule="syntax"),
    Problem("of the whole file", Location("specs/b.yaml"), rule="unknown-key"),
]


def log(**options: Any) -> dict[str, Any]:
    return sarif(PROBLEMS, version="1.2.3", spec="asstops.yaml", **options)


def test_has_the_shape_of_a_log() -> None:
    """One run of one tool; each result names a rule of the tool, by id and by index, and a place."""
    found = log()
    assert found["version"] == "2.1.0"
    [run] = found["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("asstops", "1.2.3")
    assert [rule["id"] for rule in driver["rules"]] == ["spec", "syntax", "unknown-key"]
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] == "error"
        [place] = result["locations"]
        region = place["physicalLocation"]["region"]
        assert min(region["startLine"], region["startColumn"]) >= 1
    assert {result["level"] for result in log(warning=True)["runs"][0]["results"]} == {"warning"}


def test_places_are_relative_to_the_checkout() -> None:
    """A URI, so that a space is no space; what has no place is shown at the spec."""
    places = [result["locations"][0]["physicalLocation"] for result in log()["runs"][0]["results"]]
    assert [place["artifactLocation"] for place in places] == [
        {"uri": "specs/my%20spec.yaml", "uriBaseId": "%SRCROOT%"},
        {"uri": "file:///else%20where/%C3%A4.yaml"},
        {"uri": "asstops.yaml", "uriBaseId": "%SRCROOT%"},
        {"uri": "specs/b.yaml", "uriBaseId": "%SRCROOT%"},
    ]
    assert places[0]["region"] == {"startLine": 3, "startColumn": 5}
    assert places[3]["region"] == {"startLine": 1, "startColumn": 1}


def test_messages_say_how_to_mend_it() -> None:
    texts = [result["message"]["text"] for result in log()["runs"][0]["results"]]
    assert texts[0] == "unknown key 'modle'\nfix: did you mean model?"
    assert texts[1] == "bad\\x1b[2J"


def test_every_rule_is_explained() -> None:
    """Each that the reader of specs names, and no other."""
    named = {"spec"}
    for path in (Path(asstops.__file__).parent / "spec").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "of":
                named |= {c.value for c in ast.walk(node) if isinstance(c, ast.Constant) and isinstance(c.value, str)}
    named |= {"reference", "wrong-value"}  # what an entry's context says, by way of a parameter
    assert named - {"missing", "extra_forbidden"} == set(RULES)
    page = (Path(__file__).parents[3] / "docs" / "review.md").read_text(encoding="utf-8")
    assert [rule for rule in RULES if f"| `{rule}` | " not in page] == []
