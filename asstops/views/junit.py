"""How smoke tests ended, as the XML that pipelines show test results from. Pure.

There is no one schema of it. Jenkins' is the strictest, refusing attributes that it does not know, and every
reader takes what keeps to it: https://github.com/jenkinsci/xunit-plugin (junit-10.xsd).
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from asstops.expectations import Outcome, Verdict
from asstops.views.smoke import counts
from asstops.views.text import safe_lines


def to_junit(stack: str, outcomes: Sequence[Outcome]) -> str:
    """One suite for the stack, a case for each test, in the order given. What XML cannot hold shows as `\\x1b`."""
    numbers = counts(outcomes)
    seconds = f"{sum(outcome.elapsed_s for outcome in outcomes):.3f}"
    totals = {
        "tests": str(len(outcomes)),
        "failures": str(numbers["failed"]),
        "errors": "0",
        "time": seconds,
    }
    root = Element("testsuites", {"name": "asstops", **totals})
    suite = SubElement(root, "testsuite", {"name": safe_lines(stack), **totals, "skipped": str(numbers["not_run"])})
    for outcome in outcomes:
        _case(suite, stack, outcome)
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _case(suite: Element, stack: str, outcome: Outcome) -> None:
    test = outcome.test
    about = {"name": test.name, "classname": f"{stack}.{test.assistant.key}", "time": f"{outcome.elapsed_s:.3f}"}
    case = SubElement(suite, "testcase", {name: safe_lines(value) for name, value in about.items()})
    if outcome.verdict is Verdict.NOT_RUN:
        SubElement(case, "skipped", {"message": "not run: the tests were stopped"})
    elif outcome.verdict is Verdict.FAILED:
        failure = SubElement(case, "failure", {"type": "unanswered" if outcome.message else "unexpected"})
        lines = [f"at: {test.location}" if test.location is not None else "", outcome.message]
        lines += [f"fix: {outcome.fix}"] if outcome.fix else []
        lines += [line for miss in outcome.misses for line in (f"expected: {miss.expected}", f"came: {miss.came}")]
        first = outcome.message or f"expected {outcome.misses[0].expected}"
        failure.set("message", safe_lines(first).replace("\n", " "))
        failure.text = safe_lines("\n".join(line for line in (f"asked: {test.ask}", *lines) if line))
    if outcome.came.text:
        SubElement(case, "system-out").text = safe_lines(outcome.came.text)
