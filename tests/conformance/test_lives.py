"""What happens to a live object over time: replaced, deleted twice, deleted by others, brought back, protected."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from asstops.errors import Conflict, UnsafePlan
from asstops.model import Observed
from asstops.services import by_name
from tests.conformance.cases import ARM, DATA, FILES, MISSING, put
from tests.support.live import is_bare, live_form
from tests.support.stage import Json, Stage, labels, shown

KINDS = by_name("assistants").kinds

PROTECTED = {
    "resource.conf-account": (ARM, ("resource", "protect")),
    "deployment.gpt": (ARM, ("deployments", "gpt", "protect")),
    "file.a": (DATA, ("files", "a", "protect")),
    "vector_store.docs": (DATA, ("vector_stores", "docs", "protect")),
    "assistant.helper": (DATA, ("assistants", "helper", "protect")),
}


def test_every_kind_can_be_protected() -> None:
    assert {address.partition(".")[0] for address in PROTECTED} == set(KINDS)


def test_a_replaced_store_is_there_before_the_old_one_goes(stage: Stage) -> None:
    """New store, then the assistant is moved to it, then the old store is deleted."""
    stage.apply(DATA, FILES)
    old = stage.dump()
    ids = {store["name"]: store["id"] for store in old["vector_stores"]}
    helper = old["assistants"][0]["id"]
    stage.look_away()

    stage.apply(
        put(DATA, ("vector_stores", "docs", "chunking"), {"max_chunk_size_tokens": 400, "chunk_overlap_tokens": 0})
    )

    sent = [text for text in labels(stage.writes()) if "file_batches" not in text]
    new = {store["name"]: store["id"] for store in stage.dump()["vector_stores"]}["docs"]
    assert sent == [
        "POST /vector_stores",
        f"POST /vector_stores/{new}",
        f"POST /assistants/{helper}",
        f"DELETE /vector_stores/{ids['docs']}",
    ]
    stage.assert_settled()
    assert stage.observed("vector_store", "docs").mark.generation == 1  # type: ignore[union-attr]
    assert stage.observed("assistant").mark.generation == 0  # type: ignore[union-attr]


def test_a_replaced_deployment_goes_first(stage: Stage) -> None:
    """Its name can exist only once, and the plan says that it is missing meanwhile."""
    stage.apply(ARM, FILES)
    stage.look_away()
    stage.write(put(ARM, ("deployments", "gpt", "model"), {"name": "gpt-4o-mini"}))

    assert [notice.address for notice in stage.plan().notices if notice.address] == ["deployment.gpt"]
    stage.apply()

    assert [entry["method"] for entry in stage.writes()] == ["DELETE", "PUT"]
    stage.assert_settled()


def test_a_file_of_another_name_is_another_file(stage: Stage) -> None:
    """The service knows files by their name alone: under a new one the old file goes and the users move."""
    stage.apply(DATA, FILES)
    stage.apply(put(DATA, ("files", "a", "path"), "kb/one.md"))
    stage.assert_settled()
    assert sorted(file["filename"] for file in stage.dump()["files"]) == ["b.md", "one.md"]


def test_new_content_is_there_before_the_old_goes(stage: Stage) -> None:
    """Uploaded, attached, given to the assistant, and only then is the old file deleted."""
    stage.apply(DATA, FILES)
    old = {file["filename"]: file["id"] for file in stage.dump()["files"]}["a.md"]
    stage.look_away()

    stage.apply(DATA, {"data/a.md": "Alpha, rewritten.\n"})

    sent = labels(stage.writes())
    gone = sent.index(f"DELETE /files/{old}")
    assert sent.index("POST /files") < gone
    assert max(i for i, text in enumerate(sent) if text.startswith("POST /assistants")) < gone
    stage.assert_settled()
    assert len(stage.dump()["files"]) == 2


@pytest.mark.parametrize("spec", [DATA, ARM], ids=["data", "arm"])
def test_destroyed_leaves_nothing_and_twice_is_no_error(stage: Stage, spec: Json) -> None:
    stage.apply(spec, FILES)
    stage.destroy()
    assert is_bare(stage.dump())
    stage.look_away()
    stage.destroy()
    assert stage.writes() == []


@pytest.mark.parametrize("spec", [DATA, ARM], ids=["data", "arm"])
def test_deleting_what_is_gone_is_no_error(stage: Stage, spec: Json) -> None:
    """Each kind's delete, called twice for each of its objects."""
    stage.apply(spec, FILES)
    stage.plan()
    assert stage.last is not None
    found = {kind: _ours(stage, kind) for kind in stage.last.snapshot.objects}
    assert {kind for kind, objects in found.items() if objects} == {
        name
        for name in KINDS
        if (KINDS[name].plane == "arm") == (spec is ARM) or name == "assistant"
    }
    with stage.opened(stage.load(), purge=True) as session:
        session.set_endpoint({"properties": {"endpoint": session.endpoint or stage.account_url("conf-account")}})
        for kind in ("assistant", "vector_store", "file", "deployment", "resource"):
            for live in found.get(kind, ()):
                KINDS[kind].delete(session, live)
                KINDS[kind].delete(session, live)


def _ours(stage: Stage, kind: str) -> list[Observed]:
    assert stage.last is not None
    return [live for live in stage.last.snapshot.objects[kind] if live.mark is not None]


@pytest.mark.parametrize(
    ("what", "address"),
    [("assistants", "assistant.helper"), ("vector_stores", "vector_store.docs"), ("files", "file.a")],
)
def test_what_others_deleted_is_made_again(stage: Stage, what: str, address: str) -> None:
    """And nothing is left over from before."""
    stage.apply(DATA, FILES)
    before = live_form(stage.dump())
    names = {"assistant.helper": "helper", "vector_store.docs": "docs", "file.a": "a.md"}
    for item in stage.dump()[what]:
        if item.get("name", item.get("filename")) == names[address]:
            stage.data("DELETE", f"/{what}/{item['id']}")

    assert shown(stage.plan())[address] == ("create", ())
    stage.apply()
    stage.assert_settled()
    assert live_form(stage.dump()) == before


def test_a_deployment_that_others_deleted_is_made_again(stage: Stage) -> None:
    stage.apply(ARM, FILES)
    before = live_form(stage.dump())
    stage.arm("DELETE", "conf-account/deployments/gpt")

    assert shown(stage.plan()) == {"deployment.gpt": ("create", ())}
    stage.apply()
    stage.assert_settled()
    assert live_form(stage.dump()) == before


@pytest.mark.parametrize("address", PROTECTED)
def test_protection_is_switched_in_place(stage: Stage, address: str) -> None:
    """On and off by an update without a diff; while it is on, destroy is refused, and so is leaving the spec."""
    spec, at = PROTECTED[address]
    stage.apply(spec, FILES)
    before = live_form(stage.dump())
    stage.write(put(spec, at, True))
    assert shown(stage.plan()) == {address: ("update", ())}
    stage.apply()
    stage.assert_settled()
    assert live_form(stage.dump()) != before

    with pytest.raises(UnsafePlan, match=address):
        stage.plan(destroy=True)
    if address == "assistant.helper":
        stage.write({**spec, "assistants": {}})
        with pytest.raises(UnsafePlan, match=address):
            stage.plan()

    stage.write(put(spec, at, False))
    assert shown(stage.plan()) == {address: ("update", ())}
    stage.apply()
    stage.assert_settled()
    assert live_form(stage.dump()) == before


def test_a_protected_store_is_not_replaced(stage: Stage) -> None:
    spec = put(DATA, ("vector_stores", "docs", "protect"), True)
    stage.apply(spec, FILES)
    stage.write(
        put(spec, ("vector_stores", "docs", "chunking"), {"max_chunk_size_tokens": 400, "chunk_overlap_tokens": 0})
    )
    with pytest.raises(UnsafePlan, match=r"vector_store\.docs is protected"):
        stage.plan()


@pytest.mark.parametrize(
    ("field", "value"), [("location", "eastus"), ("kind", "AIServices"), ("custom_subdomain", "another-name")]
)
def test_an_account_is_never_replaced(stage: Stage, field: str, value: str) -> None:
    """Everything in it would go: the plan is refused, and nothing was written."""
    stage.apply(ARM, FILES)
    stage.look_away()
    stage.write(put(ARM, ("resource", field), value))
    with pytest.raises(UnsafePlan, match=f"resource.conf-account: {field} cannot be changed in place"):
        stage.plan()
    assert stage.writes() == []


def test_the_account_is_the_one_that_is_named(staged: Callable[..., Stage]) -> None:
    """Name, group and subscription say which account is meant; another one is another account."""
    subscription = "11111111-1111-1111-1111-111111111111"
    stage = staged(subscription_id=subscription)
    stage.environ["AZURE_SUBSCRIPTION_ID"] = "00000000-0000-0000-0000-000000000000"
    spec = put(ARM, ("resource", "subscription_id"), subscription)
    spec = put(spec, ("resource", "resource_group"), "rg-other")
    spec = put(spec, ("resource", "name"), "other-account")
    stage.write(spec, FILES)
    stage.plan()
    paths = [entry["path"] for entry in stage.requests() if "/accounts/" in entry["path"]]
    assert paths[0] == (
        f"/subscriptions/{subscription}/resourceGroups/rg-other/providers/Microsoft.CognitiveServices"
        "/accounts/other-account"
    )


def test_a_soft_deleted_account_comes_back(stage: Stage) -> None:
    """Refused with the way out, until the spec says restore; then it is there again with its mark."""
    stage.apply(ARM, FILES)
    stage.destroy(purge=False)
    assert [account["name"] for account in stage.dump()["deleted_accounts"]] == ["conf-account"]

    with pytest.raises(Conflict, match="conf-account was deleted") as refused:
        stage.plan()
    assert "restore: true" in refused.value.fix

    spec = put(ARM, ("resource", "restore"), True)
    stage.write(spec)
    assert shown(stage.plan()) == {"resource.conf-account": ("create", ())}
    stage.apply()
    stage.apply()  # what it held can only be planned once it is back
    stage.assert_settled()
    stage.write(put(spec, ("resource", "restore"), MISSING))
    stage.assert_settled()
    assert stage.dump()["deleted_accounts"] == []
