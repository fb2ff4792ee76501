"""Drift is told as it happened: from what was applied, as far as anybody knows it, to what is live."""

from __future__ import annotations

from asstops.drift import AS_APPLIED, drift, without_words
from asstops.model import Action, Address, Cause, Change, FieldDiff, ItemDiff, Plan, Target
from asstops.views.human import render_drift

STORE = Address("vector_store", "kb")


def only(*diffs: FieldDiff, action: Action = Action.UPDATE) -> Change:
    change = Change(STORE, action, {"name": "live"}, {"name": "spec"}, diffs, reason="why", moves=True)
    (found,) = drift(Plan(Target("s", "agents"), (change,))).changes
    return found


def test_what_the_spec_still_says_was_applied() -> None:
    found = only(FieldDiff("name", "live", "spec", Cause.DRIFT), FieldDiff("other", 1, 2, Cause.PENDING))
    assert [(diff.path, diff.before, diff.after) for diff in found.diffs] == [("name", "spec", "live")]
    assert (found.before, found.after, found.reason) == ({"name": "spec"}, {"name": "live"}, "")


def test_what_the_spec_changes_too_is_known_by_digest_alone() -> None:
    (diff,) = only(FieldDiff("name", "live", "spec", Cause.BOTH)).diffs
    assert (diff.before, diff.after) == (AS_APPLIED, "live")
    plan = drift(Plan(Target("s", "agents"), (Change(STORE, Action.UPDATE, {}, {}, (diff,)),)))
    assert [diff.before for change in without_words(plan).changes for diff in change.diffs] == [None]


def test_entries_go_the_other_way_and_nothing_is_replaced() -> None:
    items = (ItemDiff(Action.CREATE, "file.a"), ItemDiff(Action.DELETE, "theirs"), ItemDiff(Action.UPDATE, "file.b"))
    found = only(FieldDiff("files", [], [], Cause.DRIFT, items), action=Action.REPLACE)
    assert found.action is Action.UPDATE
    assert [item.action for item in found.diffs[0].items] == [Action.DELETE, Action.CREATE, Action.UPDATE]


def test_what_comes_next_is_told_truly() -> None:
    """Where the spec has gone on as well, nothing is put back."""
    for cause, told in ((Cause.DRIFT, "puts it back"), (Cause.BOTH, "writes what the spec says now.")):
        change = Change(STORE, Action.UPDATE, {}, {}, (FieldDiff("name", "live", "spec", cause),))
        shown = render_drift(drift(Plan(Target("s", "agents"), (change,))), width=100, color=False)
        assert told in shown
