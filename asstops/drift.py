"""Of a plan only what somebody changed outside asstops. Pure."""

from __future__ import annotations

from dataclasses import replace

from asstops.model import Action, Cause, Change, FieldDiff, Notice, Plan, RecordAction

_SHOWN = 5
AS_APPLIED = "(as last applied)"


def drift(plan: Plan) -> Plan:
    """The plan with its drifted fields alone, told as it happened: `before` is what was applied, `after` what is live.

    What was applied is what the spec says, where that is the same still; else only its digest is known. Without a state
    file nobody can tell whether what is missing was deleted or never made, so a notice names it.
    """
    changes = tuple(
        replace(
            change,
            action=Action.UPDATE,
            before=change.after,
            after=change.before,
            diffs=diffs,
            reason="",
            retires=(),
            prunes=(),
        )
        for change in plan.changes
        if change.action in (Action.UPDATE, Action.REPLACE) and (diffs := _drifted(change))
    )
    missing = [str(change.address) for change in plan.changes if change.action is Action.CREATE]
    notices = plan.notices
    if missing:
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        text = f"not there: {', '.join(missing[:_SHOWN])}{more}; nothing tells whether deleted or never made"
        notices = (*notices, Notice(text, fix="'asstops plan' shows what apply would make"))
    return replace(plan, changes=changes, record=RecordAction.NONE, notices=notices)


def without_words(plan: Plan) -> Plan:
    """The same for programs: None where the value that was applied is not known."""

    def bare(diff: FieldDiff) -> FieldDiff:
        return replace(diff, before=None) if diff.cause is Cause.BOTH else diff

    changes = (replace(change, diffs=tuple(map(bare, change.diffs))) for change in plan.changes)
    return replace(plan, changes=tuple(changes))


def missing(plan: Plan) -> bool:
    """Whether something is not there that may have been deleted: others of the stack are there."""
    return any(change.action is Action.CREATE for change in plan.changes) and (
        plan.unchanged > 0 or any(change.live is not None for change in plan.changes)
    )


def _drifted(change: Change) -> tuple[FieldDiff, ...]:
    return tuple(_happened(diff) for diff in change.diffs if diff.cause in (Cause.DRIFT, Cause.BOTH))


def _happened(diff: FieldDiff) -> FieldDiff:
    """The field from what was applied to what is live; a plan shows what apply would do, which is the other way."""
    other_way = {Action.CREATE: Action.DELETE, Action.DELETE: Action.CREATE}
    items = tuple(replace(item, action=other_way.get(item.action, item.action)) for item in diff.items)
    before = diff.after if diff.cause is Cause.DRIFT else AS_APPLIED
    return replace(diff, before=before, after=diff.before, items=items if diff.cause is Cause.DRIFT else ())
