"""Plan files: what is written is read back as it was shown, whatever texts stand in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asstops.model import (
    UNKNOWN,
    Action,
    Address,
    Cause,
    Change,
    FieldDiff,
    FileSource,
    ItemDiff,
    Notice,
    Observed,
    Plan,
    RecordAction,
    Resource,
    Target,
)
from asstops.pins import LivePin, Pins
from asstops.planfile import Invocation, SavedPlan, VariableValue, from_bytes, moved_since, to_text
from asstops.views.human import render_plan
from asstops.views.machine import dumps, plan_to_json

TEXTS = st.text(st.characters(), max_size=8)  # half surrogate pairs too
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, width=32), TEXTS)
VALUES = st.recursive(
    st.one_of(SCALARS, st.just(UNKNOWN)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=5,
)
BODIES = st.dictionaries(TEXTS, VALUES, max_size=3)
PINS = Pins({"assistant.a": {"model": "x"}}, (LivePin("assistant.a", "assistant", "asst_1", {"name": "y"}),))


@st.composite
def changes(draw: st.DrawFn) -> Change:
    action = draw(st.sampled_from([Action.CREATE, Action.UPDATE, Action.REPLACE, Action.DELETE]))
    address = Address("file", "k" + draw(st.text("abc", max_size=3)))
    source = FileSource(draw(st.just(Path("d/a.md"))), "d/a.md", draw(TEXTS), 3, "0" * 64)
    wanted = Resource(address, {}, source=draw(st.sampled_from([None, source])), origins={"instructions": draw(TEXTS)})
    diff = FieldDiff(
        draw(TEXTS),
        draw(VALUES),
        draw(VALUES),
        draw(st.sampled_from(Cause)),
        (ItemDiff(action, draw(TEXTS), "d"),),
        "o",
        "n",
    )
    return Change(
        address,
        action,
        None if action is Action.CREATE else draw(BODIES),
        None if action is Action.DELETE else draw(BODIES),
        diffs=(diff,),
        reason=draw(TEXTS),
        wanted=None if action is Action.DELETE else wanted,
        live=None if action is Action.CREATE else Observed("file", "file-1", draw(TEXTS), {}),
        moves=draw(st.booleans()),
        retires=(Observed("file", "file-0", "", {}),) if draw(st.booleans()) else (),
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    found = {change.address: change for change in draw(st.lists(changes(), max_size=3))}
    return Plan(
        Target("demo", "assistants", "contoso", "swedencentral", "https://contoso.example"),
        tuple(found[address] for address in sorted(found)),
        unchanged=draw(st.integers(0, 9)),
        notices=(Notice(draw(TEXTS), "assistant.a", draw(TEXTS)),),
        record=draw(st.sampled_from(RecordAction)),
        targets=tuple(found)[:1],
        complete=draw(st.booleans()),
    )


def saved(plan: Plan, **over: Any) -> SavedPlan:
    return SavedPlan(plan, PINS, Invocation(**over), "1.2.3", "2026-01-02T03:04:05Z")


def again(found: SavedPlan) -> SavedPlan:
    return from_bytes(to_text(found).encode(), version="1.2.3")


@settings(max_examples=60, deadline=None)
@given(plans())
def test_what_is_read_back_is_what_was_shown(plan: Plan) -> None:
    """The same text for people, the same JSON, the same file once more, and no difference to the plan itself."""
    found = again(saved(plan))
    assert moved_since(found, plan, PINS) == []
    assert to_text(again(found)) == to_text(found)
    assert render_plan(found.plan, width=80, color=False) == render_plan(again(found).plan, width=80, color=False)
    if to_text(saved(plan)).isascii() and "\\ud" not in to_text(saved(plan)) and "\\ufffd" not in to_text(saved(plan)):
        assert render_plan(found.plan, width=80, color=False) == render_plan(plan, width=80, color=False)
        assert dumps(plan_to_json(found.plan)) == dumps(plan_to_json(plan))


def test_the_options_travel() -> None:
    variables = {"owner": VariableValue(text="007", quoted=True)}
    given_ = {"files": ("a.yaml", "b"), "env": "prod", "variables": variables, "allow_outside": True, "local": True}
    assert again(saved(Plan(Target("d", "assistants"), ()), **given_)).invocation == Invocation(**given_)


@pytest.mark.parametrize("path", ["instructions", "metadata.owner"])
def test_sensitive_values_are_masked(path: str) -> None:
    """In bodies and in diffs, whole fields and entries of maps."""
    secret = "s3cr3t-value"
    body = {"instructions": secret, "metadata": {"owner": secret}}
    address = Address("assistant", "a")
    resource = Resource(address, {}, sensitive=frozenset({"instructions", "metadata.owner"}))
    diff = FieldDiff(path, secret, secret + "2", sensitive=True)
    change = Change(address, Action.UPDATE, body, body, (diff,), wanted=resource)
    text = to_text(saved(Plan(Target("d", "assistants"), (change,))))
    assert secret not in text
    assert (
        moved_since(from_bytes(text.encode(), version="1.2.3"), Plan(Target("d", "assistants"), (change,)), PINS) == []
    )


def test_each_part_of_a_plan_counts() -> None:
    """A plan that differs in any way that matters is not the saved one."""
    address = Address("assistant", "a")
    diff = FieldDiff("temperature", 0.1, 0.2)
    change = Change(
        address, Action.UPDATE, {"temperature": 0.1}, {"temperature": 0.2}, (diff,), wanted=Resource(address, {})
    )
    plan = Plan(Target("d", "assistants"), (change,))
    found = again(saved(plan))
    for other in (
        replace(plan, changes=()),
        replace(plan, changes=(replace(change, diffs=(replace(diff, after=0.3),)),)),
        replace(plan, changes=(replace(change, after={"temperature": 0.3}),)),
        replace(plan, changes=(replace(change, moves=True),)),
        replace(plan, changes=(replace(change, retires=(Observed("assistant", "asst_2", "", {}),)),)),
        replace(plan, changes=(change, replace(change, address=Address("assistant", "b")))),
        replace(plan, record=RecordAction.DELETE),
        replace(plan, complete=False),
    ):
        assert moved_since(found, other, PINS), other
    assert moved_since(found, plan, Pins({"assistant.a": {"model": "other"}}, PINS.live))
    assert "is gone" in moved_since(found, plan, Pins(PINS.spec, ()))[0].message
    there = frozenset({("assistant", "asst_1")})
    assert "carried out already" in moved_since(found, plan, Pins(PINS.spec, (), there))[0].message
    assert moved_since(found, replace(plan, unchanged=7, notices=(Notice("new"),)), PINS) == []
