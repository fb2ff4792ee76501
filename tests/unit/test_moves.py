"""Keys that have changed: what an address was called before, and what a plan makes of it. No service."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from asstops import record as r
from asstops.errors import UnsafePlan
from asstops.history import held
from asstops.model import (
    Action,
    Address,
    Cause,
    Change,
    Observed,
    Past,
    Plan,
    RecordAction,
    Ref,
    Resource,
    Target,
)
from asstops.moves import circles, formers, goal, histories, renamed, settled
from asstops.ownership import Ownership, Snapshot
from asstops.pins import Pins
from asstops.planfile import Invocation, SavedPlan, from_bytes, to_text
from asstops.planner import Request, identify, make_plan
from asstops.services import by_name
from asstops.views.human import render_change, render_plan
from asstops.views.machine import plan_to_json
from asstops.views.wording import moved_line
from tests.support.imagined import (
    RULES,
    STACK,
    bot,
    live,
    live_file,
    recorded,
    said,
    snapshot,
    store,
    store_at,
    wanted_file,
)

AGENT_RULES = {name: kind.rules for name, kind in by_name("agents").kinds.items()}
TARGET = Target(stack=STACK, service="assistants")


A, B, C, D = (store_at(key) for key in "abcd")


# Names


def test_chains_are_followed_to_their_end() -> None:
    assert [goal({A: B, B: C}, address) for address in (A, B, C, D)] == [C, C, C, D]


def test_histories_name_the_latest_first() -> None:
    assert histories({A: B, B: C}) == {C: (B, A)}
    assert histories({A: B, C: D}) == {B: (A,), D: (C,)}


def test_circles_are_found_once_and_nothing_else() -> None:
    assert list(circles({A: B, B: C, C: B})) == [(B, C)]
    assert list(circles({A: A, B: C, C: B})) == [(A,), (B, C)]
    assert list(circles({A: B, B: C})) == []


@pytest.mark.parametrize(
    ("owned", "goes", "stays"),
    [
        ({A}, {A: C}, {}),
        ({B}, {B: C}, {}),
        ({A, B}, {B: C}, {A: C}),
        ({A, C}, {}, {A: C}),
        ({A, B, C}, {}, {A: C, B: C}),
        ({C, D}, {}, {}),
    ],
)
def test_what_is_live_moves_unless_something_is_there(
    owned: set[Address], goes: dict[Address, Address], stays: dict[Address, Address]
) -> None:
    """The latest name counts, and what is at the new one already counts most."""
    assert settled({A: B, B: C}, owned) == (goes, stays)


def test_what_marks_may_have_said_is_listed_once() -> None:
    assert formers({A: B}, {B: A}) == ({B: A},)
    assert formers({A: B}, {}) == ({B: A},)
    assert formers({A: B, B: C}, {C: B}) == ({C: B}, {C: A})
    assert formers({A: B, C: D}, {D: C}) == ({D: C}, {B: A, D: C})
    assert formers({}, {}) == ()


def test_references_are_renamed_and_nothing_else() -> None:
    assert renamed([Ref(B), Ref(C)], {B: A}) == [Ref(A), Ref(C)]
    assert renamed({"x": "vector_store.b"}, {B: A}) == {"x": "vector_store.b"}


# The record


def claimed(
    files: list[Observed], record: r.Record, wanted: list[Resource], **moves: str
) -> dict[str, tuple[str, bool]]:
    """Remote id -> (key in the mark, whether the content is what the spec wants at the new key)."""
    found = r.claim(
        files,
        record,
        {resource.address: resource for resource in wanted},
        STACK,
        moves={Address("file", old): Address("file", new) for old, new in moves.items()},
    )
    contents = {resource.body["content"] for resource in wanted}
    return {o.remote_id: (o.mark.key if o.mark else "", o.body["content"] in contents) for o in found.ours}


def test_a_moved_file_keeps_its_key_and_has_the_content_of_the_new_one() -> None:
    """So it is known where it comes from, and that nothing need be uploaded."""
    record = recorded(("f1", said("a", "n.md", "1")))
    assert claimed([live_file("f1", "n.md")], record, [wanted_file("b", "n.md", "1")], a="b") == {"f1": ("a", True)}
    assert claimed([live_file("f1", "n.md")], record, [wanted_file("c", "n.md", "1")], a="b", b="c") == {
        "f1": ("a", True)
    }


def test_without_a_move_it_is_older_content() -> None:
    record = recorded(("f1", said("a", "n.md", "1")))
    assert claimed([live_file("f1", "n.md")], record, [wanted_file("b", "n.md", "1")]) == {"f1": ("b", False)}


def test_a_moved_file_of_another_name_is_known_and_must_be_uploaded() -> None:
    """A service cannot rename a file; one of another size is none of its."""
    record = recorded(("f1", said("a", "old.md", "1")))
    wanted = [wanted_file("b", "new.md", "1")]
    assert claimed([live_file("f1", "old.md")], record, wanted, a="b") == {"f1": ("a", False)}
    assert claimed([live_file("f1", "old.md", size=4)], record, wanted, a="b") == {"f1": ("old.md", False)}


def test_a_namesake_that_left_the_spec_is_not_taken_for_what_moved() -> None:
    record = recorded(("f1", said("a", "n.md", "1")), ("f2", said("gone", "n.md", "2")))
    files = [live_file("f1", "n.md"), live_file("f2", "n.md")]
    assert claimed(files, record, [wanted_file("b", "n.md", "1")], a="b") == {"f1": ("a", True), "f2": ("n.md", False)}


def test_protection_moves_along() -> None:
    """It stands in the entry, not in the key."""
    record = recorded(("f1", said("a", "n.md", "1", protect=True)))
    wanted = wanted_file("b", "n.md", "1")
    claims = r.claim(
        [live_file("f1", "n.md")],
        record,
        {wanted.address: wanted},
        STACK,
        moves={Address("file", "a"): Address("file", "b")},
    )
    assert [(o.mark.protect, o.body["content"]) for o in claims.ours if o.mark] == [(True, wanted.body["content"])]


def test_a_copy_that_was_replaced_before_the_move_is_still_known_for_that() -> None:
    """An apply was cut off before it was deleted; then the key changed."""
    record = recorded(("f0", r.superseded("a")), ("f1", said("a", "n.md", "1")))
    files = [live_file("f0", "n.md"), live_file("f1", "n.md")]
    assert claimed(files, record, [wanted_file("b", "n.md", "1")], a="b") == {"f0": ("b", False), "f1": ("a", True)}


# Plans


def plan(wanted: list[Resource], seen: Snapshot, **request: Any) -> Plan:
    return make_plan(Request(TARGET, **request), {item.address: item for item in wanted}, seen, RULES)


def told(found: Plan) -> dict[str, tuple[Action, str, tuple[str, ...]]]:
    return {
        str(c.address): (c.action, str(c.moved_from or ""), tuple(diff.path for diff in c.diffs)) for c in found.changes
    }


def only(found: Plan) -> Change:
    (change,) = found.changes
    return change


OLD = [live(store("old"), "vs_1"), live(bot(ref="old"), "asst_1", ids={store_at("old"): "vs_1"})]
MOVED = {"vector_store.old": "vector_store.new"}


def test_a_moved_object_is_written_once_and_so_is_what_names_it() -> None:
    """Only marks change: identity of the object stays, and nothing refers to another id."""
    found = plan([store(), bot()], snapshot(OLD, moves=MOVED))
    assert told(found) == {
        "assistant.bot": (Action.UPDATE, "", ()),
        "vector_store.new": (Action.UPDATE, "vector_store.old", ()),
    }
    mark = found.changes[1].mark
    assert mark is not None
    assert (mark.key, mark.nonce, mark.generation) == ("new", "nonce-vs_1", 0)
    assert found.known == {store_at("new"): "vs_1", Address("assistant", "bot"): "asst_1"}
    assert "only its key" in found.changes[1].reason
    assert (found.changes[0].before or {})["file_search.vector_store"] == "vector_store.new"


def test_without_the_move_it_is_deleted_and_made_anew() -> None:
    found = plan([store(), bot()], snapshot(OLD))
    assert {address: entry[0] for address, entry in told(found).items()} == {
        "assistant.bot": Action.UPDATE,
        "vector_store.new": Action.CREATE,
        "vector_store.old": Action.DELETE,
    }


@pytest.mark.parametrize("moves", [MOVED, {}])
def test_once_applied_the_move_does_nothing(moves: dict[str, str]) -> None:
    """It may stay in the spec or go."""
    now = [live(store(), "vs_1"), live(bot(), "asst_1", ids={store_at("new"): "vs_1"})]
    assert plan([store(), bot()], snapshot(now, moves=moves)).is_empty


def test_where_nothing_was_live_the_move_does_nothing() -> None:
    assert told(plan([store()], snapshot([], moves=MOVED))) == {"vector_store.new": (Action.CREATE, "", ())}


def test_cut_off_between_the_two_marks() -> None:
    """The store has its new key, the assistant's mark still names the old one: only that is written."""
    half = [live(store(), "vs_1"), OLD[1]]
    assert told(plan([store(), bot()], snapshot(half, moves=MOVED))) == {"assistant.bot": (Action.UPDATE, "", ())}


def test_what_really_differs_shows_beside_the_move() -> None:
    found = plan([store(name="other"), bot()], snapshot(OLD, moves=MOVED))
    assert told(found)["vector_store.new"] == (Action.UPDATE, "vector_store.old", ("name",))


def test_a_replacement_of_what_moved_keeps_to_its_generations() -> None:
    """Create-only fields still mean a new object, and the old one goes with it, whatever its mark says."""
    found = plan([store(chunking={"max_chunk_size_tokens": 100}), bot()], snapshot(OLD, moves=MOVED))
    change = found.changes[1]
    assert (change.action, str(change.moved_from), change.mark and change.mark.generation) == (
        Action.REPLACE,
        "vector_store.old",
        1,
    )


def test_what_is_at_the_new_address_already_stands() -> None:
    """The old one has left the spec, and a notice says why it did not move."""
    both = [*OLD, live(store(), "vs_2")]
    found = plan([store(), bot()], snapshot(both, moves=MOVED))
    assert told(found)["vector_store.old"][0] is Action.DELETE
    assert told(found)["assistant.bot"] == (Action.UPDATE, "", ("file_search.vector_store",))
    assert found.changes[0].diffs[0].cause is Cause.PENDING
    assert [(n.address, "vector_store.new" in n.message) for n in found.notices if "moved" in n.message] == [
        ("vector_store.old", True)
    ]
    assert [n for n in plan([], snapshot(both, moves=MOVED), destroy=True).notices if "moved" in n.message] == []


def test_drift_in_a_reference_is_not_hidden_by_the_move() -> None:
    """The spec said the same before, with the old key; so what others changed is drift alone."""
    other = live(store("other"), "vs_9")
    drifted = replace(OLD[1], body={**OLD[1].body, "file_search.vector_store": "vs_9"})
    found = plan([store(), store("other"), bot()], snapshot([OLD[0], other, drifted], moves=MOVED))
    (diff,) = only(replace(found, changes=found.changes[:1])).diffs
    assert (diff.path, diff.cause) == ("file_search.vector_store", Cause.DRIFT)


def test_drift_shows_as_such_after_the_marks_were_written_in_part() -> None:
    """The store's mark has the new key already, so that the old name is known from the spec alone."""
    other = live(store("other"), "vs_9")
    drifted = replace(OLD[1], body={**OLD[1].body, "file_search.vector_store": "vs_9"})
    found = plan([store(), store("other"), bot()], snapshot([live(store(), "vs_1"), other, drifted], moves=MOVED))
    (diff,) = only(found).diffs
    assert (diff.path, diff.cause) == ("file_search.vector_store", Cause.DRIFT)


def test_protection_holds_under_the_new_key() -> None:
    """What was moved is not deleted; and taken out of the spec as well, it is not either."""
    guarded = [live(bot("old", protect=True), "asst_1", ids={store_at("new"): "vs_1"}), live(store(), "vs_1")]
    moves = {"assistant.old": "assistant.bot"}
    assert told(plan([store(), bot(protect=True)], snapshot(guarded, moves=moves))) == {
        "assistant.bot": (Action.UPDATE, "assistant.old", ())
    }
    with pytest.raises(UnsafePlan, match=r"assistant\.bot is protected"):
        plan([store(), bot(protect=True)], snapshot(guarded, moves=moves), destroy=True)


@pytest.mark.parametrize("target", ["vector_store.old", "vector_store.new"])
def test_either_address_is_a_target(target: str) -> None:
    found = plan([store(), bot()], snapshot(OLD, moves=MOVED), targets=(Address.parse(target),))
    assert told(found) == {"vector_store.new": (Action.UPDATE, "vector_store.old", ())}


def test_a_target_that_stays_at_its_old_address_means_that() -> None:
    both = [live(store("old"), "vs_1"), live(store(), "vs_2")]
    found = plan([store()], snapshot(both, moves=MOVED), targets=(store_at("old"),))
    assert told(found) == {"vector_store.old": (Action.DELETE, "", ())}


def test_destroy_takes_what_moved_by_its_new_address() -> None:
    found = plan([store(), bot()], snapshot(OLD, moves=MOVED), destroy=True)
    assert [(str(c.address), c.action) for c in found.changes] == [
        ("assistant.bot", Action.DELETE),
        ("vector_store.new", Action.DELETE),
    ]


def test_what_moved_is_found_for_programs_before_it_is_applied() -> None:
    """`output`, `ask` and `rollback` go by this."""
    wanted = {item.address: item for item in (store(), bot())}
    assert identify(Request(TARGET), wanted, snapshot(OLD, moves=MOVED), RULES)[store_at("new")] == "vs_1"


def test_a_moved_file_is_entered_anew_without_an_upload() -> None:
    wanted = wanted_file("b", "n.md", "1")
    record = recorded(("f1", said("a", "n.md", "1")))
    moves = {Address("file", "a"): wanted.address}
    claims = r.claim([live_file("f1", "n.md")], record, {wanted.address: wanted}, STACK, moves=moves)
    change = only(found := plan([wanted], snapshot(list(claims.ours), record, moves={"file.a": "file.b"})))
    assert (change.action, change.moves, change.diffs, str(change.moved_from)) == (
        Action.UPDATE,
        False,
        (),
        "file.a",
    )
    assert found.record is RecordAction.UPDATE


def test_an_agent_gets_no_version_for_what_moved() -> None:
    """What it refers to is compared by id, whatever its mark says of names."""
    agent = bot(name=None)
    seen = snapshot([OLD[0], replace(OLD[1], remote_id="bot", body={**OLD[1].body, "name": None})], moves=MOVED)
    wanted = {item.address: item for item in (store(), agent)}
    found = make_plan(Request(replace(TARGET, service="agents")), wanted, seen, AGENT_RULES)
    assert told(found) == {"vector_store.new": (Action.UPDATE, "vector_store.old", ())}


def test_a_store_that_moved_is_not_kept_for_older_versions_alone() -> None:
    """What has left it goes, as from any store of the spec."""
    full = store("old", files=[Ref(Address("file", "f"))])
    seen = snapshot(
        [
            live(full, "vs_1", ids={Address("file", "f"): "f1"}),
            replace(
                live(bot(ref="old", keep_versions=2), "bot", ids={store_at("old"): "vs_1"}),
                history=tuple(Past(number, frozenset({("vector_store", "vs_1")})) for number in "21"),
            ),
        ],
        moves=MOVED,
    )
    wanted = {item.address: item for item in (store(), bot(keep_versions=2))}
    owners = Ownership(STACK, wanted, seen, AGENT_RULES)
    assert held(wanted, owners, (), AGENT_RULES) == {("vector_store", "vs_1"): Address("assistant", "bot")}


# How it looks


def test_where_it_comes_from_is_shown() -> None:
    """In the title, and for people alone: programs have a field for it."""
    found = plan([store(name="other"), bot()], snapshot(OLD, moves=MOVED))
    text = render_plan(found, width=100, color=False)
    assert '~ vector_store.new   "docs"   moved from vector_store.old\n    name  docs -> other\n' in text
    assert [change["moved_from"] for change in plan_to_json(found)["changes"]] == [None, "vector_store.old"]
    narrow = render_plan(found, width=60, color=False)
    assert all(len(line) <= 60 for line in narrow.splitlines())


def test_an_old_key_cannot_act_on_a_terminal() -> None:
    """It may be the path of a file, and so be anything."""
    change = plan([store(), bot()], snapshot(OLD, moves=MOVED)).changes[1]
    hostile = replace(change, moved_from=Address("file", "a\x1b[31m\n.md"))
    text = render_change(hostile, width=100, color=False)
    assert "\x1b" not in text
    assert len(text.splitlines()) == 2
    assert moved_line(change) == "moved from vector_store.old"


def test_a_moved_file_says_whether_it_is_uploaded() -> None:
    """One of another name is; for the others only the record changes."""
    wanted = wanted_file("b", "n.md", "1")
    for name, said_of_it in (("n.md", "only its key changes"), ("old.md", "new name")):
        record = recorded(("f1", said("a", name, "1")))
        moves = {Address("file", "a"): wanted.address}
        claims = r.claim([live_file("f1", name)], record, {wanted.address: wanted}, STACK, moves=moves)
        found = plan([wanted], snapshot(claims.ours, record, moves={"file.a": "file.b"}))
        (line,) = [line for line in render_plan(found, width=200, color=False).splitlines() if "file.b" in line]
        assert "moved from file.a" in line
        assert said_of_it in line


def test_a_saved_plan_keeps_it() -> None:
    found = plan([store(), bot()], snapshot(OLD, moves=MOVED))
    saved = SavedPlan(found, Pins({}, ()), Invocation(), "1", "2026-11-21T00:00:00Z")
    again = from_bytes(to_text(saved).encode(), version="1").plan
    assert [change.moved_from for change in again.changes] == [None, store_at("old")]
