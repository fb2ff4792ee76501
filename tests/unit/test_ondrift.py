"""What is kept of what others changed, above all of references; and what a plan is refused over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from asstops import ondrift
from asstops.diff import compare, field_digests
from asstops.errors import UnsafePlan
from asstops.mark import KEPT, path_digest
from asstops.model import (
    Action,
    Address,
    Cause,
    Change,
    FieldDiff,
    ItemDiff,
    Kept,
    Mark,
    Observed,
    OnDrift,
    Plan,
    Ref,
    Resource,
    Target,
)
from asstops.ownership import Snapshot
from asstops.planner import Request, make_plan
from asstops.rules import KindRules
from asstops.services import by_name

STACK = "shop"
A, B, C = (Address("file", key) for key in "abc")
DOCS, OTHER, BOT = Address("vector_store", "docs"), Address("vector_store", "other"), Address("assistant", "bot")
AGENTS = {name: kind.rules for name, kind in by_name("agents").kinds.items()}
RULES = {name: kind.rules for name, kind in by_name("assistants").kinds.items()}


def file(address: Address, content: str = "old") -> Resource:
    return Resource(address, {"content": content})


def store(address: Address = DOCS, files: tuple[Address, ...] = (A, B), **changes: Any) -> Resource:
    return Resource(address, {"name": address.key, "files": [Ref(f) for f in files], "metadata": {}, **changes})


def bot(**changes: Any) -> Resource:
    body: dict[str, Any] = {
        "model": "gpt-4o",
        "metadata": {},
        "code_interpreter": False,
        "code_interpreter.files": [],
        "file_search": True,
        "file_search.vector_store": Ref(DOCS),
        "functions": [],
    }
    return Resource(BOT, {"name": "bot", **body, **changes})


def seen(resource: Resource, remote_id: str, rules: dict[str, KindRules] = RULES, **changes: Any) -> Observed:
    """What `resource` looks like after it was applied, with `changes` made outside since."""
    kind = resource.address.kind
    fields = field_digests(rules[kind], resource.body) if rules[kind].marked else {}
    mark = Mark(STACK, resource.address.key, 0, "nonce", fields=fields)
    options = {name: changes.pop(name) for name in ("usable", "problems") if name in changes}
    body = {path: _ids(value) for path, value in resource.body.items()} | changes
    uses = frozenset(
        (rules[kind].references[path], item)
        for path in rules[kind].references
        for item in (body[path] if isinstance(body[path], list) else [body[path]])
        if item is not None
    )
    return Observed(kind, remote_id, "x", body, mark=mark, uses=uses, **options)


def _ids(value: Any) -> Any:
    if isinstance(value, Ref):
        return f"{value.address.key}-1"
    return [_ids(item) for item in value] if isinstance(value, list) else value


def foreign(remote_id: str) -> Observed:
    return Observed("file", remote_id, remote_id, {})


FILES = [seen(file(address), f"{address.key}-1") for address in (A, B)]


def plan(wanted: list[Resource], live: list[Observed], rule: OnDrift = OnDrift.KEEP) -> Plan:
    by_kind: dict[str, list[Observed]] = {name: [] for name in RULES}
    for item in live:
        by_kind[item.kind].append(item)
    request = Request(Target(stack=STACK, service="assistants"), on_drift=rule)
    return make_plan(request, {r.address: r for r in wanted}, Snapshot(by_kind), RULES)


def change_of(found: Plan, address: Address) -> Change:
    (change,) = [change for change in found.changes if change.address == address]
    return change


def kept(found: Plan) -> dict[str, list[str]]:
    return {str(item.address): [diff.path for diff in item.diffs] for item in found.kept}


def sent(change: Change, path: str) -> Any:
    assert change.wanted is not None
    return change.wanted.body.get(path)


def test_a_detached_file_stays_out_while_another_gets_new_content() -> None:
    """The list that goes out follows the new upload, and has nothing else of the spec's."""
    found = plan([file(A, "new"), file(B), store()], [*FILES, seen(store(), "docs-1", files=["a-1"])])
    change = change_of(found, DOCS)
    assert sent(change, "files") == [Ref(A)]
    assert [(diff.path, diff.cause, diff.items) for diff in change.diffs] == [
        ("files", Cause.DEPENDENCY, (ItemDiff(Action.UPDATE, "file.a", "new content"),))
    ]
    assert kept(found) == {"vector_store.docs": ["files"]}
    assert change.mark is not None
    assert change.mark.fields == field_digests(RULES["vector_store"], store().body)


def test_a_file_that_others_attached_stays() -> None:
    """By its id where it is not the stack's; and nothing is written for that."""
    live = [*FILES, foreign("theirs"), seen(store(), "docs-1", files=["a-1", "b-1", "theirs"])]
    found = plan([file(A), file(B), store()], live)
    assert found.changes == ()
    assert kept(found) == {"vector_store.docs": ["files"]}
    change = change_of(plan([file(A), file(B), store(expires_after_days=9)], live), DOCS)
    assert [diff.path for diff in change.diffs] == ["expires_after_days"]
    assert sent(change, "files") == [Ref(A), Ref(B), "theirs"]


def test_a_kept_file_of_others_is_not_shown_as_removed() -> None:
    """The list is written for another reason, a new upload, and goes on having theirs."""
    live = [*FILES, foreign("theirs"), seen(store(), "docs-1", files=["b-1", "theirs"])]
    change = change_of(plan([file(A), file(B, "new"), store()], live), DOCS)
    assert sent(change, "files") == [Ref(B), "theirs"]
    assert [diff.items for diff in change.diffs] == [(ItemDiff(Action.UPDATE, "file.b", "new content"),)]


def test_a_kept_reference_to_what_the_spec_orders_later_is_known() -> None:
    """Others made the assistant, which has no need of the store in the spec, use one of the stack's."""
    wanted = bot(**{"file_search": False, "file_search.vector_store": None})
    live = seen(wanted, "bot-1", **{"file_search": True, "file_search.vector_store": "docs-1"})
    found = plan([wanted, store(DOCS, ())], [live, seen(store(DOCS, ()), "docs-1")])
    assert found.is_empty
    assert kept(found) == {"assistant.bot": ["file_search", "file_search.vector_store"]}


def test_what_is_gone_or_leaves_the_spec_goes_out_of_a_kept_list() -> None:
    """A file that nobody has any more, and one that this plan deletes."""
    live = [*FILES, seen(file(C), "c-1"), seen(store(), "docs-1", files=["a-1", "b-1", "c-1", "gone"])]
    found = plan([file(A), file(B), store()], live)
    change = change_of(found, DOCS)
    assert sent(change, "files") == [Ref(A), Ref(B)]
    assert found.kept == ()
    assert {diff.cause for diff in change.diffs} == {Cause.DEPENDENCY}


def test_what_is_missing_is_made_anew_and_put_in_its_place() -> None:
    """A deleted file is in no list any more; that is no wish to keep it out, while a detached one is."""
    found = plan([file(A), file(B), store()], [seen(store(), "docs-1", files=["theirs"]), FILES[0], foreign("theirs")])
    assert change_of(found, B).action is Action.CREATE
    assert sent(change_of(found, DOCS), "files") == ["theirs", Ref(B)]
    found = plan([store(DOCS, ()), bot()], [seen(bot(), "bot-1")])
    assert sent(change_of(found, BOT), "file_search.vector_store") == Ref(DOCS)
    assert found.kept == ()


def test_of_an_expired_store_no_files_are_kept() -> None:
    """It can only be made anew, with what the spec says is in it; its name is as others made it."""
    live = seen(store(), "docs-1", files=[], name="Theirs", usable=False)
    change = change_of(found := plan([file(A), file(B), store()], [*FILES, live]), DOCS)
    assert change.action is Action.REPLACE
    assert (sent(change, "files"), sent(change, "name")) == ([Ref(A), Ref(B)], "Theirs")
    assert kept(found) == {"vector_store.docs": ["name"]}
    ondrift.check(found)


def test_a_kept_field_that_cannot_be_changed_in_place_replaces_nothing() -> None:
    body = {"model.name": "gpt-4o", "model.format": "OpenAI", "sku.name": "S", "sku.capacity": 1, "tags": {}}
    wanted = Resource(Address("deployment", "gpt"), body)
    live = [seen(wanted, "gpt", **{"model.name": "gpt-4.1"})]
    assert change_of(plan([wanted], live, OnDrift.OVERWRITE), wanted.address).action is Action.REPLACE
    assert plan([wanted], live).is_empty


def test_a_tool_of_others_brings_its_settings_along() -> None:
    """The list of tools goes out whole, so what the spec leaves out of it must go out too."""
    wanted = bot(**{"file_search": False, "file_search.vector_store": None})
    theirs = {"file_search": True, "file_search.vector_store": "docs-1", "file_search.max_num_results": 7}
    edited = replace(wanted, body={**wanted.body, "functions": [{"name": "f"}]})
    live = [seen(wanted, "bot-1", **theirs), seen(store(DOCS, ()), "docs-1")]
    change = change_of(plan([edited, store(DOCS, ())], live), BOT)
    assert [diff.path for diff in change.diffs] == ["functions"]
    assert sent(change, "file_search.max_num_results") == 7


def test_what_changed_in_the_spec_as_well_is_refused() -> None:
    """Also where it left the spec; a field that only drifted is kept and not in the way."""
    applied = bot(temperature=0.2, top_p=0.5, instructions="Be brief.")
    live = seen(applied, "bot-1", temperature=0.7, top_p=0.9, instructions="Be loud.")
    wanted = bot(temperature=0.1, instructions="Be brief.")
    docs = [store(DOCS, ())], [seen(store(DOCS, ()), "docs-1")]
    found = plan([wanted, *docs[0]], [live, *docs[1]])
    assert {diff.path: diff.cause for diff in change_of(found, BOT).diffs} == {
        "temperature": Cause.BOTH,
        "top_p": Cause.BOTH,
    }
    with pytest.raises(UnsafePlan, match=r"assistant\.bot was changed in the spec and outside asstops: temp.*, top_p"):
        ondrift.check(found)
    ondrift.check(plan([wanted, *docs[0]], [live, *docs[1]], OnDrift.OVERWRITE))


def test_fail_minds_nothing_but_drift() -> None:
    live = [seen(bot(temperature=0.2), "bot-1"), seen(store(DOCS, ()), "docs-1", name="Theirs")]
    found = plan([bot(temperature=0.1), store(DOCS, ())], live, OnDrift.FAIL)
    assert {str(change.address) for change in found.changes} == {"assistant.bot", "vector_store.docs"}
    with pytest.raises(UnsafePlan) as caught:
        ondrift.check(found)
    assert [problem.message for problem in caught.value.objections] == [
        "vector_store.docs was changed outside asstops: name"
    ]
    ondrift.check(
        plan([bot(temperature=0.1), store(DOCS, ())], [live[0], seen(store(DOCS, ()), "docs-1")], OnDrift.FAIL)
    )


def test_of_an_agent_of_another_kind_nothing_can_be_kept() -> None:
    """A workflow has no instructions; what is not kept is refused rather than written over."""
    live = seen(bot(), "bot-1", model=None, problems={"kind": "it is an agent of kind workflow"})
    found = plan([bot(), store(DOCS, ())], [live, seen(store(DOCS, ()), "docs-1")])
    assert found.kept == ()
    with pytest.raises(UnsafePlan, match="cannot be kept: model"):
        ondrift.check(found)


@pytest.mark.parametrize(("noted", "cause"), [(False, None), (True, Cause.DRIFT)])
def test_a_version_that_holds_kept_drift_says_so(noted: bool, cause: Cause | None) -> None:
    """Nobody can change a version, so what differs in one of ours is a form of the service's, unless it was kept."""
    rules = AGENTS["assistant"]
    wanted = Resource(BOT, {"reasoning": {"effort": "low"}})
    key = path_digest("reasoning")
    mark = Mark(STACK, "bot", 2, "nonce", fields=field_digests(rules, wanted.body), stored={key: KEPT} if noted else {})
    body = {"reasoning": {"effort": "low", "summary": "auto"}}
    live = Observed("assistant", "bot", "bot", body, mark=mark, pristine=True)
    found = compare(rules, wanted, live, lambda address: str(address), lambda kind, remote_id: remote_id)
    assert [diff.cause for diff in found.diffs] == ([cause] if cause else [])
    assert found.stored == {}


def test_more_than_a_mark_can_hold_is_not_kept() -> None:
    """Only that of a version has to name what is kept."""
    diffs = tuple(FieldDiff(f"metadata.{number}", "x", "y", Cause.DRIFT) for number in range(30))
    mark = Mark("s" * 48 + "/" + "e" * 24, "k" * 63, 0, fields={f"{n:04}": "abcd" for n in range(30)})
    full = replace(mark, stored={path_digest(diff.path): KEPT for diff in diffs})
    assert ondrift.fits(mark, bot(), diffs) is None
    problem = ondrift.fits(full, bot(), diffs)
    assert problem is not None
    assert "30 fields would be kept" in problem.message


def test_a_notice_tells_no_secret_and_no_prompt() -> None:
    """Short values with what the spec says; of a list how many; of the rest the name."""
    diffs = (
        FieldDiff("tags.pin", "canary", "canary-too", Cause.DRIFT, sensitive=True),
        FieldDiff("instructions", "a long text " * 9, "b", Cause.DRIFT),
        FieldDiff("files", [], ["file.a"], Cause.DRIFT, items=(ItemDiff(Action.CREATE, "file.a"),)),
        FieldDiff("temperature", None, 0.2, Cause.DRIFT),
    )
    told = ondrift.notice(Kept(BOT, diffs))
    assert told.address == "assistant.bot"
    assert told.message == (
        "kept as changed outside asstops: tags.pin, instructions, files (1 taken out), "
        "temperature (not set, the spec says 0.2)"
    )
