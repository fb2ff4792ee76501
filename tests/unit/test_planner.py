"""The planner's decisions, one rule a test. Uses the rules of the real kinds, and no service."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from asstops.diff import field_digests
from asstops.errors import Location, UnsafePlan, UsageError
from asstops.mark import path_digest, value_digest
from asstops.model import Action, Address, Cause, Change, Mark, Observed, Plan, RecordAction, Ref, Resource, Target
from asstops.ownership import Snapshot
from asstops.planner import Request, identify, make_plan
from asstops.record import Note, Page, Record
from asstops.services import by_name

STACK = "shop"
RULES = {name: kind.rules for name, kind in by_name("assistants").kinds.items()}
TARGET = Target(stack=STACK, service="assistants")

STORE = Address("vector_store", "docs")
BOT = Address("assistant", "bot")


def bot(**changes: Any) -> Resource:
    body: dict[str, Any] = {
        "name": "bot",
        "model": "gpt-4o",
        "temperature": 0.2,
        "metadata": {"owner": "sales"},
        "code_interpreter": False,
        "code_interpreter.files": [],
        "file_search": True,
        "file_search.vector_store": Ref(STORE),
        "functions": [],
    }
    options = {name: changes.pop(name) for name in ("protect",) if name in changes}
    return Resource(BOT, {k: v for k, v in (body | changes).items() if v != "absent"}, **options)


def store(**changes: Any) -> Resource:
    body: dict[str, Any] = {"name": "docs", "files": [], "metadata": {}}
    return Resource(STORE, body | changes)


def live(resource: Resource, remote_id: str, generation: int = 0, **changes: Any) -> Observed:
    """What `resource` looks like after it was applied, with `changes` made outside since."""
    rules = RULES[resource.address.kind]
    mark = Mark(STACK, resource.address.key, generation, "nonce", fields=field_digests(rules, resource.body))
    body = {
        path: "vs_1" if path == "file_search.vector_store" and value else value for path, value in resource.body.items()
    }
    uses = frozenset({("vector_store", "vs_1")}) if body.get("file_search.vector_store") else frozenset()
    return Observed(resource.address.kind, remote_id, "x", {**body, **changes}, mark=mark, uses=uses)


def plan(wanted: list[Resource], objects: list[Observed], record: Record | None = None, **request: Any) -> Plan:
    by_kind: dict[str, list[Observed]] = {name: [] for name in RULES}
    for item in objects:
        by_kind[item.kind].append(item)
    snapshot = Snapshot(by_kind, record or Record(), **{k: request.pop(k) for k in ("restoring",) if k in request})
    return make_plan(Request(TARGET, **request), {r.address: r for r in wanted}, snapshot, RULES)


def only(found: Plan) -> Change:
    assert len(found.changes) == 1, found.changes
    return found.changes[0]


def diffs(change: Change) -> dict[str, tuple[Any, Any, Cause]]:
    return {diff.path: (diff.before, diff.after, diff.cause) for diff in change.diffs}


APPLIED = [live(store(), "vs_1"), live(bot(), "asst_1")]


def test_what_is_missing_is_created() -> None:
    """Nothing live: everything is made, and ids are not known yet."""
    found = plan([store(), bot()], [])
    assert [(str(c.address), c.action) for c in found.changes] == [
        ("assistant.bot", Action.CREATE),
        ("vector_store.docs", Action.CREATE),
    ]
    assert found.known == {}


def test_what_agrees_is_left_alone() -> None:
    """Applied and untouched: an empty plan that knows every id."""
    found = plan([store(), bot()], APPLIED)
    assert (found.changes, found.unchanged, found.is_empty) == ((), 2, True)
    assert found.known == {BOT: "asst_1", STORE: "vs_1"}


def test_a_changed_spec_is_pending() -> None:
    """Live is what was applied; the spec says something new."""
    change = only(plan([store(), bot(temperature=0.1)], APPLIED))
    assert (change.action, diffs(change)) == (Action.UPDATE, {"temperature": (0.2, 0.1, Cause.PENDING)})


def test_a_change_from_outside_is_drift() -> None:
    """The spec is what was applied; live is something else."""
    change = only(plan([store(), bot()], [APPLIED[0], live(bot(), "asst_1", temperature=0.7)]))
    assert diffs(change) == {"temperature": (0.7, 0.2, Cause.DRIFT)}


def test_both_at_once_are_told_apart() -> None:
    """Spec and live went different ways since the last apply."""
    change = only(plan([store(), bot(temperature=0.1)], [APPLIED[0], live(bot(), "asst_1", temperature=0.7)]))
    assert diffs(change) == {"temperature": (0.7, 0.1, Cause.BOTH)}


def test_spec_and_live_that_moved_together_only_refresh_the_mark() -> None:
    """Somebody made the change by hand first; without the refresh later drift would be taken for pending."""
    change = only(plan([store(), bot(temperature=0.1)], [APPLIED[0], live(bot(), "asst_1", temperature=0.1)]))
    assert (change.action, change.diffs) == (Action.UPDATE, ())
    assert "only the mark" in change.reason


def test_a_field_that_left_the_spec_goes_back_to_the_default() -> None:
    """It was ours, so it is not left behind."""
    change = only(plan([store(), bot(temperature="absent")], APPLIED))
    assert diffs(change) == {"temperature": (0.2, 1.0, Cause.PENDING)}


def test_a_field_that_the_spec_never_had_is_not_compared() -> None:
    """Others may set it."""
    objects = [APPLIED[0], live(bot(), "asst_1", top_p=0.3, description="by hand")]
    assert plan([store(), bot()], objects).is_empty


def test_null_and_empty_and_default_are_one() -> None:
    """The service may answer null where the default was asked for."""
    wanted = bot(temperature=1.0, description="", response_format="auto")
    answered = live(wanted, "asst_1", temperature=None, description=None, response_format=None)
    assert plan([store(), wanted], [APPLIED[0], answered]).is_empty


def test_metadata_is_owned_key_by_key() -> None:
    """Other people's keys are neither compared nor removed; ours that left the spec are."""
    foreign = live(bot(), "asst_1", metadata={"owner": "sales", "cost": "7"})
    assert plan([store(), bot()], [APPLIED[0], foreign]).is_empty
    change = only(plan([store(), bot(metadata={})], [APPLIED[0], foreign]))
    assert diffs(change) == {"metadata.owner": ("sales", None, Cause.PENDING)}


def test_a_key_that_left_the_spec_and_was_changed_outside_is_left_to_them() -> None:
    """What is no longer as we set it is not provably ours."""
    found = plan([store(), bot(metadata={})], [APPLIED[0], live(bot(), "asst_1", metadata={"owner": "them"})])
    assert only(found).diffs == ()
    assert any("metadata.owner left the spec" in notice.message for notice in found.notices)


def test_a_form_noted_in_the_mark_is_no_drift() -> None:
    """The service keeps the value in a form of its own, as the last read-back found."""
    stored = live(bot(), "asst_1", temperature=0.200001)
    assert stored.mark is not None
    noted = replace(stored.mark, stored={path_digest("temperature"): value_digest(0.200001)})
    assert plan([store(), bot()], [APPLIED[0], replace(stored, mark=noted)]).is_empty
    assert not plan([store(), bot()], [APPLIED[0], stored]).is_empty


def test_a_create_only_field_replaces_and_moves_what_refers_to_it() -> None:
    """New before old, generation up, and the assistant follows."""
    found = plan([store(chunking={"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}), bot()], APPLIED)
    user, replaced = found.changes
    assert (replaced.action, replaced.mark and replaced.mark.generation, replaced.delete_first) == (
        Action.REPLACE,
        1,
        False,
    )
    assert diffs(user) == {"file_search.vector_store": (str(STORE), str(STORE), Cause.DEPENDENCY)}
    assert STORE not in found.known


def test_an_expired_store_is_made_anew() -> None:
    """The service cannot bring it back."""
    change = next(
        c for c in plan([store(), bot()], [replace(APPLIED[0], usable=False), APPLIED[1]]).changes if c.address == STORE
    )
    assert (change.action, "expired" in change.reason) == (Action.REPLACE, True)


def test_a_deployment_is_deleted_first_and_the_plan_says_so() -> None:
    """Its name can exist only once."""
    address = Address("deployment", "gpt")
    body = {"model.name": "gpt-4o", "model.format": "OpenAI", "sku.name": "S", "sku.capacity": 1, "tags": {}}
    before = live(Resource(address, body), "gpt")
    found = plan([Resource(address, {**body, "model.name": "o3-mini"})], [before])
    assert (only(found).action, only(found).delete_first) == (Action.REPLACE, True)
    assert any("deleted first" in notice.message for notice in found.notices)


def test_a_model_version_that_azure_moved_is_no_drift_unless_pinned() -> None:
    """Auto-upgrade is the service's business; the spec's own change is not."""
    address = Address("deployment", "gpt")
    body = {"model.name": "gpt-4o", "model.version": "1", "tags": {}}
    loose = Resource(address, body, loose=frozenset({"model.version"}))
    upgraded = live(loose, "gpt", **{"model.version": "2"})
    assert plan([loose], [upgraded]).is_empty
    assert diffs(only(plan([replace(loose, loose=frozenset())], [upgraded])))["model.version"][2] is Cause.DRIFT
    newer = replace(loose, body={**body, "model.version": "3"})
    assert diffs(only(plan([newer], [upgraded])))["model.version"][:2] == ("2", "3")


def test_an_account_is_never_replaced() -> None:
    """That would delete everything in it."""
    address = Address("resource", "acc")
    body = {"location": "eu", "kind": "OpenAI", "sku": "S0", "custom_subdomain": "acc", "tags": {}}
    with pytest.raises(UnsafePlan, match="would delete everything"):
        plan([Resource(address, {**body, "location": "us"})], [live(Resource(address, body), "acc")])


def test_what_left_the_spec_is_deleted_and_what_is_not_ours_is_not() -> None:
    """Only marked objects of this very stack go."""
    other = replace(APPLIED[1], remote_id="asst_2", mark=Mark("another", "bot"))
    unmarked = replace(APPLIED[1], remote_id="asst_3", mark=None)
    found = plan([store()], [*APPLIED, other, unmarked])
    assert (only(found).action, only(found).live and only(found).live.remote_id) == (Action.DELETE, "asst_1")


@pytest.mark.parametrize(("mark", "words"), [(None, "no mark"), (Mark("another", "acc"), "belongs to the stack")])
def test_a_taken_name_stops_the_plan(mark: Mark | None, words: str) -> None:
    """Names that exist once are never taken over silently."""
    address = Address("resource", "acc")
    taken = Observed("resource", "acc", "acc", {"tags": {}}, mark=mark)
    with pytest.raises(UnsafePlan, match=words):
        plan([Resource(address, {"tags": {}})], [taken])


def test_objections_come_in_the_order_of_the_spec() -> None:
    places = {"b": Location("asstops.yaml", 2), "c": Location("asstops.yaml", 3), "a": Location("asstops.yaml", 10)}
    taken = [Observed("deployment", key, key, {"tags": {}}) for key in places]
    wanted = [Resource(Address("deployment", key), {"tags": {}}, location=places[key]) for key in sorted(places)]
    with pytest.raises(UnsafePlan) as stopped:
        plan(wanted, taken)
    assert [problem.location for problem in stopped.value.objections] == list(places.values())


def test_a_namesake_is_only_worth_a_warning() -> None:
    """Display names may repeat."""
    found = plan([store()], [Observed("vector_store", "vs_9", "docs", {})])
    assert (only(found).action, len(found.notices)) == (Action.CREATE, 1)


def test_objects_of_another_origin_stop_the_plan_until_accepted() -> None:
    """A copied stack name must not take over somebody's stack."""
    theirs = [replace(o, mark=replace(o.mark, origin="theirs")) for o in APPLIED if o.mark is not None]
    with pytest.raises(UnsafePlan, match="another repository"):
        plan([store(), bot()], theirs, origin="ours00")
    accepted = plan([store(), bot()], theirs, origin="ours00", accept_origin=True)
    assert [c.mark and c.mark.origin for c in accepted.changes] == ["ours00", "ours00"]
    assert plan([store(), bot()], theirs, origin="").is_empty


@pytest.mark.parametrize("destroy", [False, True])
def test_a_protected_object_is_not_deleted(destroy: bool) -> None:
    """Not by destroy, nor after it left the spec: the mark remembers."""
    guarded = replace(APPLIED[1], mark=replace(APPLIED[1].mark or Mark("", ""), protect=True))
    with pytest.raises(UnsafePlan, match="protected"):
        plan([store()], [APPLIED[0], guarded], destroy=destroy)


def test_switching_protect_is_a_change_of_the_mark() -> None:
    """Else an apply with protect: false would lift nothing."""
    change = only(plan([store(), bot(protect=True)], APPLIED))
    assert (change.diffs, change.mark and change.mark.protect) == ((), True)


def test_the_unfinished_new_copy_of_an_interrupted_replacement_is_taken_up_again() -> None:
    """Else each try would leave one more copy."""
    new = store(chunking={"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0})
    unfinished = live(new, "vs_2", generation=1)
    mark = replace(
        unfinished.mark or Mark("", ""),
        fields={k: v for k, v in (unfinished.mark or Mark("", "")).fields.items() if k != path_digest("files")},
    )
    found = plan([new, bot()], [*APPLIED, replace(unfinished, mark=mark)])
    change = next(c for c in found.changes if c.address == STORE)
    assert (change.action, change.live and change.live.remote_id) == (Action.UPDATE, "vs_2")
    assert [o.remote_id for o in change.retires] == ["vs_1"]
    assert found.known[STORE] == "vs_2"


def test_an_unfinished_copy_that_nobody_wants_any_more_goes() -> None:
    """The spec went back to what the complete one is."""
    new = store(chunking={"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0})
    unfinished = replace(live(new, "vs_2", generation=1), mark=Mark(STACK, "docs", 1))
    change = only(plan([store(), bot()], [*APPLIED, unfinished]))
    assert (change.live and change.live.remote_id, [o.remote_id for o in change.retires]) == ("vs_1", ["vs_2"])


def test_the_next_generation_is_above_every_copy() -> None:
    """Else two copies could end up with one generation."""
    changed = store(chunking={"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0})
    other = {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 0}
    unfinished = live(store(chunking=other), "vs_2", generation=4)
    change = next(c for c in plan([changed], [live(store(), "vs_1"), unfinished]).changes if c.address == STORE)
    assert (change.action, change.mark and change.mark.generation) == (Action.REPLACE, 5)


def test_a_finished_replacement_leaves_the_old_copy_to_be_removed() -> None:
    """Killed between moving the users and dropping the old one."""
    change = only(plan([store(), bot(**{"file_search.vector_store": None})], [
        live(store(), "vs_1"), live(store(), "vs_2", generation=1),
        live(bot(**{"file_search.vector_store": None}), "a"),
    ]))  # fmt: skip
    assert (change.live and change.live.remote_id, [o.remote_id for o in change.retires]) == ("vs_2", ["vs_1"])


def test_two_copies_of_one_generation_stop_the_plan() -> None:
    """One was made by hand; deleting the wrong one would lose it."""
    with pytest.raises(UnsafePlan, match=r"vs_1 and vs_2"):
        plan([store()], [live(store(), "vs_1"), live(store(), "vs_2")])


def test_what_is_not_managed_is_read_and_never_written() -> None:
    """It must exist; where it differs the plan says so and leaves it."""
    address = Address("deployment", "gpt")
    theirs = Observed("deployment", "gpt", "gpt", {"model.name": "gpt-4o", "tags": {}})
    wanted = Resource(address, {"model.name": "o3-mini"}, owned=False)
    found = plan([wanted], [theirs])
    assert (found.is_empty, len(found.notices), found.known) == (True, 1, {address: "gpt"})
    with pytest.raises(UnsafePlan, match="does not exist"):
        plan([wanted], [])


def test_what_was_managed_once_is_not_destroyed_after_it_is_not() -> None:
    """`managed: false` is stronger than an old mark."""
    address = Address("resource", "acc")
    marked = live(Resource(address, {"tags": {}}), "acc")
    assert plan([Resource(address, {}, owned=False)], [marked], destroy=True).is_empty


def test_destroy_is_a_plan_of_deletes() -> None:
    """Through the same code, and only what is ours."""
    found = plan([store(), bot()], APPLIED, destroy=True)
    assert [(str(c.address), c.action) for c in found.changes] == [
        ("assistant.bot", Action.DELETE),
        ("vector_store.docs", Action.DELETE),
    ]


def test_a_target_takes_what_it_needs_along() -> None:
    """And nothing else; the plan says that it is not the whole."""
    extra = Resource(Address("assistant", "other"), {**bot().body, "file_search.vector_store": None})
    found = plan([store(), bot(), extra], [], targets=(BOT,))
    assert ([str(c.address) for c in found.changes], found.complete) == (["assistant.bot", "vector_store.docs"], False)
    with pytest.raises(UsageError, match="no such address"):
        plan([store()], [], targets=(BOT,))


def test_a_targeted_destroy_takes_what_needs_it_along() -> None:
    """Nothing may be left that refers to what is gone."""
    found = plan([store(), bot()], APPLIED, destroy=True, targets=(STORE,))
    assert [str(c.address) for c in found.changes] == ["assistant.bot", "vector_store.docs"]


def test_while_an_account_comes_back_nothing_else_is_planned() -> None:
    """What it held is not known before it is there."""
    account = Resource(Address("resource", "acc"), {"tags": {}})
    assert [str(c.address) for c in plan([account, store(), bot()], [], restoring=account.address).changes] == [
        "resource.acc"
    ]


FILE = Address("file", "f")


def file(content: str = "AAAAAA") -> Resource:
    return Resource(FILE, {"content": content})


def live_file(content: str, remote_id: str = "f_1") -> Observed:
    return Observed("file", remote_id, "f", {"content": content}, mark=Mark(STACK, "f"))


PAGES = Record((Page(0, "vs_0", Mark(STACK, "#0"), {}),))


def test_new_content_is_an_update_that_moves() -> None:
    """The old upload goes once nothing uses it."""
    found = plan([file("BBBBBA")], [live_file("AAAAAA")], PAGES)
    assert (only(found).action, only(found).moves, found.record) == (Action.UPDATE, True, RecordAction.UPDATE)


def test_of_two_uploads_of_one_key_the_current_one_stays() -> None:
    """Killed between upload and delete; both are ours, so no objection."""
    change = only(plan([file("BBBBBA")], [live_file("AAAAAA"), live_file("BBBBBA", "f_2")], PAGES))
    assert (change.live and change.live.remote_id, [o.remote_id for o in change.retires]) == ("f_2", ["f_1"])


def test_the_record_lives_exactly_as_long_as_files_of_ours_do() -> None:
    """Made with the first, removed with the last, touched only when files change."""
    assert plan([file()], []).record is RecordAction.CREATE
    assert plan([file()], [live_file("AAAAAA")], PAGES).record is RecordAction.NONE
    assert plan([], [live_file("AAAAAA")], PAGES).record is RecordAction.DELETE
    assert plan([], [], PAGES).record is RecordAction.DELETE
    assert plan([], []).record is RecordAction.NONE


def test_a_note_left_by_a_crash_is_cleared() -> None:
    """Unless files that it may have left are still there."""
    noted = Record((Page(0, "vs_0", Mark(STACK, "#0"), {}, Note(1, 1)),))
    assert plan([file()], [live_file("AAAAAA")], noted).record is RecordAction.UPDATE
    snapshot = Snapshot({"file": [live_file("AAAAAA")]}, noted, suspects=("f_9",))
    assert make_plan(Request(TARGET), {FILE: file()}, snapshot, RULES).record is RecordAction.NONE


def test_what_only_the_journal_knows_is_written_down() -> None:
    """The plan must not say that nothing is to be done."""
    snapshot = Snapshot({"file": [live_file("AAAAAA")]}, PAGES, recovered={"f_1": "AAAAAA"})
    found = make_plan(Request(TARGET), {FILE: file()}, snapshot, RULES)
    assert (found.changes, found.record, found.is_empty) == ((), RecordAction.UPDATE, False)


def test_the_record_outlives_files_while_it_tells_of_leftovers() -> None:
    """It alone knows that an apply was cut off; a destroy has said so in its plan."""
    noted = Record((Page(0, "vs_0", Mark(STACK, "#0"), {}, Note(1, 1)),))
    snapshot = Snapshot({"file": [live_file("AAAAAA")]}, noted, suspects=("f_9",))
    assert make_plan(Request(TARGET), {}, snapshot, RULES).record is RecordAction.NONE
    destroying = make_plan(Request(TARGET, destroy=True), {}, snapshot, RULES)
    assert destroying.record is RecordAction.DELETE
    assert [n.fix for n in destroying.notices if "record goes" in n.message] == ["run 'asstops gc' first"]


def test_identify_finds_ids_whatever_state_they_are_in() -> None:
    """Applications need the ids also while a change is pending."""
    snapshot = Snapshot({"assistant": [APPLIED[1]], "vector_store": [APPLIED[0]]})
    wanted = {r.address: r for r in (store(), bot(temperature=0.9), file())}
    assert identify(Request(TARGET), wanted, snapshot, RULES) == {BOT: "asst_1", STORE: "vs_1"}


def test_the_same_input_gives_the_same_plan() -> None:
    """Whatever the order in which things were read."""
    left = plan([store(), bot(temperature=0.1)], APPLIED)
    assert plan([bot(temperature=0.1), store()], APPLIED[::-1]) == left


def test_copies_made_by_hand_are_not_deleted_with_the_entry() -> None:
    """They stop the plan also after the entry has left the spec, and on destroy."""
    copies = [live(store(), "vs_1"), live(store(), "vs_2")]
    with pytest.raises(UnsafePlan, match=r"vs_1 and vs_2"):
        plan([], copies)
    with pytest.raises(UnsafePlan, match=r"vs_1 and vs_2"):
        plan([store()], copies, destroy=True)
