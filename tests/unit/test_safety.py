"""Plans that delete more than anybody is likely to mean are refused, with the flag that allows it."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from asstops import safety
from asstops.errors import UnsafePlan
from asstops.model import Action, Address, Change, Mark, Observed, Plan, Resource, Target
from asstops.ownership import Snapshot


def live(count: int, kind: str = "assistant", stack: str | None = "demo") -> list[Observed]:
    return [
        Observed(
            kind=kind,
            remote_id=f"{kind}-{n}",
            name=f"n{n}",
            body={},
            uses=frozenset({("resource", "resource-0")}) if kind != "resource" else frozenset(),
            mark=None if stack is None else Mark(stack=stack, key=f"k{n}"),
        )
        for n in range(count)
    ]


def deletes(count: int, kind: str = "assistant") -> tuple[Change, ...]:
    return tuple(Change(Address(kind, f"k{n}"), Action.DELETE, before={}, after=None) for n in range(count))


def check(
    changes: Sequence[Change],
    objects: Sequence[Observed],
    *,
    wanted: int = 1,
    destroy: bool = False,
    allow: int | None = None,
) -> None:
    stack: Any = SimpleNamespace(
        identity="demo",
        location=None,
        account=None,
        resources={Address("assistant", f"w{n}"): Resource(Address("assistant", f"w{n}"), {}) for n in range(wanted)},
    )
    by_kind: dict[str, list[Observed]] = {}
    for found in objects:
        by_kind.setdefault(found.kind, []).append(found)
    plan = Plan(Target("demo", "assistants", "contoso", "", ""), tuple(changes), destroy=destroy)
    safety.check(plan, Snapshot(by_kind), stack, allow_deletes=allow)


@pytest.mark.parametrize(
    ("owned", "gone", "allow", "refused"),
    [
        (10, 3, None, False),  # 30 % exactly
        (10, 4, None, True),
        (9, 9, None, False),  # fewer than ten are not guarded
        (10, 4, 4, False),
        (10, 4, 3, True),
        (100, 31, None, True),
        (100, 30, 0, False),  # N allows more, never less
    ],
)
def test_the_threshold(owned: int, gone: int, allow: int | None, refused: bool) -> None:
    if not refused:
        check(deletes(gone), live(owned), allow=allow)
        return
    with pytest.raises(UnsafePlan, match=f"{gone} of {owned} objects") as caught:
        check(deletes(gone), live(owned), allow=allow)
    assert f"--allow-deletes {gone}" in caught.value.objections[0].fix


def test_other_peoples_objects_do_not_dilute_the_share() -> None:
    with pytest.raises(UnsafePlan):
        check(deletes(5), [*live(10), *live(90, stack="other"), *live(90, stack=None)])


def test_a_replacement_counts() -> None:
    changes = [Change(Address("assistant", f"k{n}"), Action.REPLACE, before={}, after={}) for n in range(4)]
    with pytest.raises(UnsafePlan):
        check(changes, live(10))


def test_an_empty_spec_is_refused_however_small() -> None:
    with pytest.raises(UnsafePlan, match="the spec is empty") as caught:
        check(deletes(1), live(1), wanted=0, allow=99)
    assert "asstops destroy" in caught.value.objections[0].fix


def test_destroy_means_it() -> None:
    check(deletes(50), live(50), wanted=0, destroy=True)


@pytest.mark.parametrize("destroy", [True, False])
def test_an_account_with_other_peoples_objects_stays(destroy: bool) -> None:
    """They would go with it; also on destroy."""
    objects = [*live(1, "resource"), *live(2, "assistant", stack=None), *live(1, "deployment", stack="other")]
    account = deletes(1, "resource")
    with pytest.raises(UnsafePlan, match="holds 3 objects that the stack does not own"):
        check(account, objects, destroy=destroy)
    with pytest.raises(UnsafePlan):
        check(account, objects, destroy=destroy, allow=2)
    check(account, objects, destroy=destroy, allow=3)


def test_other_peoples_objects_are_no_matter_while_the_account_stays() -> None:
    check(deletes(1), [*live(5), *live(9, stack=None)])
