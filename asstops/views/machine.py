"""Plans, reports and problems as JSON: a documented, versioned contract (docs/plan-format.md). Pure.

Within one major `format_version` fields are only ever added. The schemas in `asstops.schemas` say what stands where.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from asstops.errors import Problem
from asstops.model import Body, Change, Event, FieldDiff, Notice, Plan, Report, Target
from asstops.views.values import SENSITIVE, has_unknown, masked, plain

FORMAT_VERSION: Final = "1.0"
_PIPELINE_COMMAND = re.compile(r"##(?=\[|vso\[)", re.IGNORECASE)


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """The plan as data. The same plan gives the same data, byte for byte once dumped."""
    counts = plan.summary()
    return {
        "format_version": FORMAT_VERSION,
        "stack": plan.target.stack,
        "service": plan.target.service,
        "target": target_to_json(plan.target),
        "destroy": plan.destroy,
        "complete": plan.complete,
        "targets": [str(target) for target in plan.targets],
        "changes": [_change(change) for change in plan.changes],
        "record": plan.record.value,
        "on_drift": plan.on_drift.value,
        "kept": [
            {"address": str(kept.address), "diffs": [diff_to_json(diff) for diff in kept.diffs]} for kept in plan.kept
        ],
        "unchanged": plan.unchanged,
        "summary": {
            "add": counts.add,
            "change": counts.change,
            "destroy": counts.destroy,
            "drifted_fields": counts.drifted_fields,
            "unchanged": counts.unchanged,
        },
        "notices": [_notice(notice) for notice in plan.notices],
    }


def report_to_json(report: Report, plan: Plan) -> dict[str, Any]:
    """How an apply of `plan` ended, step by step, in the order the steps ended."""
    if report.interrupted:
        outcome = "interrupted"
    elif not report.failed and not report.skipped:
        outcome = "done"
    else:
        outcome = "partly" if report.wrote else "failed"
    steps = [*report.done, *report.failed, *report.skipped]
    return {
        "format_version": FORMAT_VERSION,
        "stack": plan.target.stack,
        "service": plan.target.service,
        "target": target_to_json(plan.target),
        "destroy": plan.destroy,
        "outcome": outcome,
        "wrote": report.wrote,
        "stale": report.stale,
        "steps": [_event(event) for event in steps],
        "summary": {
            "done": len(report.done),
            "failed": len(report.failed),
            "not_attempted": len(report.skipped),
        },
        "tests": None,
        "rollbacks": [],
    }


def problems_to_json(problems: Iterable[Problem], *, warning: bool = False) -> dict[str, Any]:
    """Everything that is wrong with a spec, or, with `warning`, worth a warning, in the order given."""
    return {
        "format_version": FORMAT_VERSION,
        "problems": [
            {
                "severity": "warning" if warning else "error",
                "rule": problem.rule,
                "message": problem.message,
                "file": problem.location.file if problem.location else None,
                "line": (problem.location.line or None) if problem.location else None,
                "column": (problem.location.column or None) if problem.location and problem.location.line else None,
                "fix": problem.fix or None,
            }
            for problem in problems
        ],
    }


def dumps(value: Mapping[str, Any]) -> str:
    """JSON text, ending in a line break; ASCII only, so that nothing in it can act on a terminal."""
    text = json.dumps(value, indent=2, allow_nan=False) + "\n"
    # In a log, `##vso[` and `##[` are commands to a pipeline, wherever in a line; as escapes they are only text.
    return _PIPELINE_COMMAND.sub(r"#\\u0023", text)


def target_to_json(target: Target) -> dict[str, Any]:
    """Where a stack lives."""
    return {
        "account": target.account or None,
        "location": target.location or None,
        "endpoint": target.endpoint or None,
    }


def _change(change: Change) -> dict[str, Any]:
    hidden = frozenset(diff.path for diff in change.diffs if diff.sensitive)
    if change.wanted is not None:
        hidden |= change.wanted.sensitive
    return {
        "address": str(change.address),
        "kind": change.address.kind,
        "key": change.address.key,
        "action": change.action.value,
        "before": _body(change.before, hidden),
        "after": _body(change.after, hidden),
        "diffs": [diff_to_json(diff, hidden) for diff in change.diffs],
        "reason": change.reason or None,
        "remote_id": change.live.remote_id if change.live is not None else None,
        "prunes": list(change.prunes),
        "moved_from": str(change.moved_from) if change.moved_from is not None else None,
    }


def _body(body: Body | None, hidden: frozenset[str]) -> Any:
    return None if body is None else plain(masked(body, hidden))


def diff_to_json(diff: FieldDiff, hidden: frozenset[str] = frozenset()) -> dict[str, Any]:
    """One field that differs; `hidden` are the paths of sensitive values."""
    sensitive = diff.sensitive or diff.path in hidden
    inner = frozenset(path.removeprefix(f"{diff.path}.") for path in hidden if path.startswith(f"{diff.path}."))
    before, after = masked(diff.before, inner), masked(diff.after, inner)
    return {
        "path": diff.path,
        "before": SENSITIVE if sensitive and before is not None else plain(before),
        "after": SENSITIVE if sensitive and after is not None else plain(after),
        "after_unknown": has_unknown(diff.after),
        "sensitive": sensitive,
        "cause": diff.cause.value,
        "items": [
            {"action": item.action.value, "label": item.label, "detail": item.detail or None}
            for item in (() if sensitive else diff.items)
        ],
        "origin": diff.origin or None,
        "note": diff.note or None,
    }


def _notice(notice: Notice) -> dict[str, Any]:
    return {"message": notice.message, "address": notice.address or None, "fix": notice.fix or None}


def _event(event: Event) -> dict[str, Any]:
    return {
        "address": str(event.address),
        "verb": event.verb.value,
        "state": event.state.value,
        "message": event.message or None,
        "fix": event.fix or None,
        "elapsed_s": round(event.elapsed_s, 3),
    }
