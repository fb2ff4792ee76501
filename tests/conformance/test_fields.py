"""Every field of every kind: created, changed, taken out of the spec; after each step a plan is empty."""

from __future__ import annotations

import pytest

from asstops.services import by_name
from asstops.spec.functions import ToolSpec
from tests.conformance import test_lives, test_ownership
from tests.conformance.cases import ARM, CASES, DATA, ELSEWHERE, FILES, MISSING, Case, fields_of
from tests.support.live import differing, live_form
from tests.support.stage import Json, Stage, shown

EVERY = pytest.mark.parametrize("case", CASES, ids=str)
REMOVABLE = pytest.mark.parametrize("case", [case for case in CASES if case.removed is not None], ids=str)


def test_no_field_is_forgotten() -> None:
    models = {name: kind.spec for name, kind in by_name("assistants").kinds.items()} | {"tool": ToolSpec}
    known = {str(case) for case in CASES} | set(ELSEWHERE)
    assert {f"{name}.{path}" for name, model in models.items() for path in fields_of(model)} == known
    tests = vars(test_lives) | vars(test_ownership)
    assert [name for name in ELSEWHERE.values() if name not in tests] == []


@pytest.mark.parametrize("spec", [DATA, ARM], ids=["data", "arm"])
def test_what_was_made_is_what_was_asked_for(stage: Stage, spec: Json) -> None:
    """Create, read, plan: nothing to do, and not one writing request."""
    stage.apply(spec, FILES)
    stage.assert_settled()


def _fresh(stage: Stage, spec: Json) -> Json:
    """What the spec alone makes of an empty service."""
    stage.reset()
    stage.apply(spec, FILES)
    return live_form(stage.dump())


@EVERY
def test_a_changed_field_is_the_only_change(stage: Stage, case: Case) -> None:
    stage.apply(case.document(case.before), FILES)
    stage.assert_settled()

    stage.write(case.document(case.after))
    assert shown(stage.plan()) == {case.address: (case.action, case.diffs), **case.others}
    if not case.carried_out:
        return
    stage.apply()
    stage.assert_settled()
    assert differing(live_form(stage.dump()), _fresh(stage, case.document(case.after))) == {}


@REMOVABLE
def test_a_field_that_left_the_spec_goes_back_to_the_default(stage: Stage, case: Case) -> None:
    without = case.document(MISSING)
    stage.apply(case.document(case.after), FILES)
    stage.write(without)

    action = case.action if case.removed else "update"
    changed = shown(stage.plan())
    assert changed.get(case.address, ("update", ())) == (action, case.removed)
    stage.apply()
    stage.assert_settled()
    assert differing(live_form(stage.dump()), _fresh(stage, without)) == {}
