"""The JSON contract: schema, masking, determinism, and the page that documents it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import samples
from hypothesis import given, settings
from plans import SECRET, plans, reports

from asstops import schemas
from asstops.errors import Location, Problem
from asstops.model import UNKNOWN, Action, Address, Event, FieldDiff, ItemDiff, Plan, Ref, Report, StepState, Verb
from asstops.views.machine import dumps, plan_to_json, problems_to_json, report_to_json

PAGE = Path(__file__).parents[3] / "docs" / "plan-format.md"
VALIDATORS = {name: jsonschema.Draft202012Validator(schemas.load(name)) for name in schemas.NAMES}


@pytest.mark.parametrize("name", schemas.NAMES)
def test_schemas_are_schemas(name: str) -> None:
    """They are valid, closed, and describe every field."""
    schema = schemas.load(name)
    jsonschema.Draft202012Validator.check_schema(schema)

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") == "object" and "properties" in node:
                assert node["additionalProperties"] is False
                assert node["required"] == list(node["properties"])
                assert all(p.get("description") or "$ref" in p for p in node["properties"].values())
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(schema)


@pytest.mark.parametrize("name", samples.ALL)
def test_samples_follow_the_schema(name: str) -> None:
    """What is printed is what is promised."""
    VALIDATORS["plan"].validate(json.loads(dumps(plan_to_json(samples.ALL[name]()))))


@settings(max_examples=60, deadline=None)
@given(plans)
def test_every_plan_follows_the_schema(plan: Plan) -> None:
    """Whatever is in it, a plan is JSON that its schema accepts, twice the same, and without a secret."""
    text = dumps(plan_to_json(plan))
    assert text == dumps(plan_to_json(plan))
    VALIDATORS["plan"].validate(json.loads(text))
    assert SECRET not in text
    assert text.isascii()


@settings(max_examples=60, deadline=None)
@given(plans, reports)
def test_every_report_follows_the_schema(plan: Plan, report: Report) -> None:
    """Each step is there once, and the summary counts them."""
    value = json.loads(dumps(report_to_json(report, plan)))
    VALIDATORS["report"].validate(value)
    assert len(value["steps"]) == sum(value["summary"].values())


def test_the_schema_refuses_what_is_wrong() -> None:
    """It is no schema that accepts everything."""
    good = plan_to_json(samples.typical())
    for spoil in (
        lambda plan: plan.update(extra=1),
        lambda plan: plan["changes"][0].update(action="noop"),
        lambda plan: plan["changes"][0].update(before=None),
        lambda plan: plan["changes"][0]["diffs"][0].pop("after_unknown"),
        lambda plan: plan["changes"][0].update(address="nodot"),
        lambda plan: plan.update(format_version="2.0"),
    ):
        bad = json.loads(dumps(good))
        spoil(bad)
        assert not VALIDATORS["plan"].is_valid(bad)


def test_references_and_unknown_values() -> None:
    """A reference is its address, an unknown value is null and said to be unknown."""
    change = samples.update(
        "assistant",
        "a",
        FieldDiff("one", Ref(Address("file", "x.md")), UNKNOWN),
        FieldDiff("many", None, ["file.a", UNKNOWN]),
        FieldDiff("known", 1, 2),
    )
    (value,) = plan_to_json(Plan(samples.TARGET, (change,)))["changes"]
    found = {diff["path"]: (diff["before"], diff["after"], diff["after_unknown"]) for diff in value["diffs"]}
    assert found == {
        "one": ("file.x.md", None, True),
        "many": (None, ["file.a", None], True),
        "known": (1, 2, False),
    }
    assert value["after"] == {"name": "a", "one": None, "many": ["file.a", None], "known": 2}


def test_sensitive_fields_are_masked_everywhere() -> None:
    """In the diff, in the bodies, and in the entries of a list."""
    diff = FieldDiff("files", [SECRET], [SECRET], items=(ItemDiff(Action.CREATE, SECRET),), sensitive=True)
    value = plan_to_json(Plan(samples.TARGET, (samples.update("vector_store", "a", diff),)))
    assert SECRET not in dumps(value)
    assert value["changes"][0]["diffs"][0]["after"] == "(sensitive value)"
    assert value["changes"][0]["diffs"][0]["items"] == []
    assert value["changes"][0]["after"]["files"] == "(sensitive value)"


def test_outcomes() -> None:
    """The one word that a pipeline looks at."""
    event = Event(Address("file", "a"), Verb.CREATE, StepState.DONE)
    found = [
        report_to_json(report, samples.typical())["outcome"]
        for report in (
            Report(),
            Report(done=(event,), wrote=True),
            Report(done=(event,), failed=(event,), wrote=True),
            Report(failed=(event,), wrote=True),
            Report(skipped=(event,)),
            Report(done=(event,), wrote=True, interrupted=True),
        )
    ]
    assert found == ["done", "done", "partly", "partly", "failed", "interrupted"]


def test_problems() -> None:
    """A place that is not known is null, never 0."""
    problems = [
        Problem("bad", Location("a.yaml", 3, 5), "mend", "syntax"),
        Problem("worse", Location("b.yaml")),
        Problem("worst"),
    ]
    assert [list(p.values()) for p in problems_to_json(problems)["problems"]] == [
        ["error", "syntax", "bad", "a.yaml", 3, 5, "mend"],
        ["error", "spec", "worse", "b.yaml", None, None, None],
        ["error", "spec", "worst", None, None, None, None],
    ]
    assert [p["severity"] for p in problems_to_json(problems, warning=True)["problems"]] == ["warning"] * 3


def test_json_holds_no_command_to_a_pipeline() -> None:
    """Azure Pipelines finds one anywhere in a line of a log, GitHub the older form; the data stay the same."""
    data = {"a": "x##vso[task.setvariable]1", "b": "##[error]", "c": "## Heading ##VSO[x", "d\\##[": "#"}
    text = dumps(data)
    assert "##vso[" not in text.lower()
    assert "##[" not in text
    assert "## Heading" in text
    assert json.loads(text) == data


def _documented() -> dict[str, str]:
    plan = samples.documented()
    report = Report(
        done=(Event(Address("deployment", "gpt-4o-mini"), Verb.CREATE, StepState.DONE, elapsed_s=31.4),),
        failed=(
            Event(
                Address("assistant", "sales-rag"),
                Verb.UPDATE,
                StepState.FAILED,
                "the service answered 429: rate limit exceeded",
                "run the command again in a minute, or lower --parallelism",
                2.05,
            ),
        ),
        wrote=True,
    )
    return {"plan": dumps(plan_to_json(plan)), "report": dumps(report_to_json(report, plan))}


@pytest.mark.parametrize("name", ["plan", "report"])
def test_the_page_shows_what_is_printed(name: str, update_golden: bool) -> None:
    """The examples in the documentation are real output; --update-golden rewrites them."""
    page = PAGE.read_text(encoding="utf-8")
    block = re.compile(rf"(<!-- example: {name} -->\n```json\n)(.*?)(```\n)", re.DOTALL)
    if update_golden:
        page = block.sub(lambda match: match[1] + _documented()[name] + match[3], page)
        PAGE.write_text(page, encoding="utf-8", newline="\n")
    found = block.search(page)
    assert found is not None
    assert found[2] == _documented()[name]


def test_the_page_names_every_field() -> None:
    """No field of the schemas is missing from the page."""
    page = PAGE.read_text(encoding="utf-8")
    names: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            names.update(node.get("properties", {}) if "required" in node else ())
            for value in node.values():
                walk(value)

    for name in schemas.NAMES:
        walk(schemas.load(name))
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []
