"""What happens to a live object over time: replaced, deleted twice, deleted by others, brought back, protected."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from asstops.errors import Conflict, UnsafePlan
from asstops.model import Observed
from asstops.services import by_name
from tests.conformance.agent_cases import AGENTS, FOUNDRY
from tests.conformance.cases import ARM, DATA, FILES, MISSING, At, put
from tests.support.live import differing, is_bare, live_form, newest
from tests.support.stage import Json, Stage, labels, shown

BOTH = pytest.mark.parametrize("data", [DATA, AGENTS], ids=["assistants", "agents"])
EACH = pytest.mark.parametrize(
    "spec", [DATA, ARM, AGENTS, FOUNDRY], ids=["assistants-data", "assistants-arm", "agents-data", "agents-arm"]
)
_HELPER: At = ("assistants", "helper", "protect")
PROTECTED: dict[str, list[tuple[str, Json, At]]] = {
    "assistants": [
        ("resource.conf-account", ARM, ("resource", "protect")),
        ("deployment.gpt", ARM, ("deployments", "gpt", "protect")),
        ("file.a", DATA, ("files", "a", "protect")),
        ("vector_store.docs", DATA, ("vector_stores", "docs", "protect")),
        ("assistant.helper", DATA, _HELPER),
    ],
    "agents": [
        ("resource.conf-account", FOUNDRY, ("resource", "protect")),
        ("project.conf-project", FOUNDRY, ("resource", "project", "protect")),
        ("assistant.helper", AGENTS, _HELPER),
    ],
}


def test_every_kind_can_be_protected() -> None:
    """A kind that both services have in common is held to it once."""
    held = {
        type(by_name(service).kinds[address.partition(".")[0]])
        for service, found in PROTECTED.items()
        for address, _, _ in found
    }
    assert held == {type(kind) for service in PROTECTED for kind in by_name(service).kinds.values()}


def _sent(stage: Stage) -> list[str]:
    """What was written in the data plane, as it reads on either service."""
    texts = (text.replace("/v1/", "/").replace("/api/projects/emulator", "") for text in labels(stage.writes()))
    return [text for text in texts if "file_batches" not in text]


@BOTH
def test_a_replaced_store_is_there_before_the_old_one_goes(stage: Stage, data: Json) -> None:
    """New store, then the assistant is moved to it, then the old store is deleted."""
    stage.apply(data, FILES)
    old = stage.dump()
    ids = {store["name"]: store["id"] for store in old["vector_stores"]}
    helper = "/agents/helper/versions" if old["agents"] else f"/assistants/{old['assistants'][0]['id']}"
    stage.look_away()

    stage.apply(
        put(data, ("vector_stores", "docs", "chunking"), {"max_chunk_size_tokens": 400, "chunk_overlap_tokens": 0})
    )

    new = {store["name"]: store["id"] for store in stage.dump()["vector_stores"]}["docs"]
    assert _sent(stage) == [
        "POST /vector_stores",
        f"POST /vector_stores/{new}",
        f"POST {helper}",
        f"DELETE /vector_stores/{ids['docs']}",
    ]
    stage.assert_settled()
    assert stage.observed("vector_store", "docs").mark.generation == 1  # type: ignore[union-attr]
    # The mark of an agent says which version it was written for.
    assert stage.observed("assistant").mark.generation == (2 if old["agents"] else 0)  # type: ignore[union-attr]


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


@BOTH
def test_new_content_is_there_before_the_old_goes(stage: Stage, data: Json) -> None:
    """Uploaded, attached, given to the assistant, and only then is the old file deleted."""
    stage.apply(data, FILES)
    old = {file["filename"]: file["id"] for file in stage.dump()["files"]}["a.md"]
    stage.look_away()

    stage.apply(data, {"data/a.md": "Alpha, rewritten.\n"})

    sent = _sent(stage)
    gone = sent.index(f"DELETE /files/{old}")
    assert sent.index("POST /files") < gone
    assert max(i for i, text in enumerate(sent) if text.startswith(("POST /assistants", "POST /agents"))) < gone
    stage.assert_settled()
    assert len(stage.dump()["files"]) == 2


@EACH
def test_destroyed_leaves_nothing_and_twice_is_no_error(stage: Stage, spec: Json) -> None:
    stage.apply(spec, FILES)
    stage.destroy()
    assert is_bare(stage.dump())
    stage.look_away()
    stage.destroy()
    assert stage.writes() == []


@EACH
def test_deleting_what_is_gone_is_no_error(stage: Stage, spec: Json) -> None:
    """Each kind's delete, called twice for each of its objects."""
    stage.apply(spec, FILES)
    stage.plan()
    assert stage.last is not None
    kinds = by_name(spec["service"]).kinds
    found = {kind: _ours(stage, kind) for kind in stage.last.snapshot.objects}
    plane = "arm" if "resource" in spec else "data"
    assert {kind for kind, objects in found.items() if objects} == {
        name for name, kind in kinds.items() if kind.plane == plane or name == "assistant"
    }
    with stage.opened(stage.load(), purge=True) as session:
        session.set_endpoint(stage.last.plan.target.endpoint, "the last plan")
        for kind in ("assistant", "vector_store", "file", "project", "deployment", "resource"):
            for live in found.get(kind, ()):
                kinds[kind].delete(session, live)
                kinds[kind].delete(session, live)
    left = stage.dump()
    assert [name for name in ("agents", "assistants", "files", "projects", "accounts") if left[name]] == []


def _ours(stage: Stage, kind: str) -> list[Observed]:
    assert stage.last is not None
    return [live for live in stage.last.snapshot.objects[kind] if live.mark is not None]


@pytest.mark.parametrize(
    ("spec", "what", "address"),
    [
        (DATA, "assistants", "assistant.helper"),
        (DATA, "vector_stores", "vector_store.docs"),
        (DATA, "files", "file.a"),
        (AGENTS, "agents", "assistant.helper"),
        (AGENTS, "files", "file.a"),
    ],
    ids=["assistants-assistant", "assistants-store", "assistants-file", "agents-agent", "agents-file"],
)
def test_what_others_deleted_is_made_again(stage: Stage, spec: Json, what: str, address: str) -> None:
    """And nothing is left over from before."""
    stage.apply(spec, FILES)
    before = newest(live_form(stage.dump()))
    names = {"assistant.helper": "helper", "vector_store.docs": "docs", "file.a": "a.md"}
    for item in stage.dump()[what]:
        if item.get("name", item.get("filename")) != names[address]:
            continue
        if what == "agents":
            stage.project("DELETE", f"/agents/{item['name']}")
        elif spec is AGENTS:
            stage.project("DELETE", f"/openai/v1/{what}/{item['id']}")
        else:
            stage.data("DELETE", f"/{what}/{item['id']}")

    assert shown(stage.plan())[address] == ("create", ())
    stage.apply()
    stage.assert_settled()
    assert differing(newest(live_form(stage.dump())), before) == {}


def test_a_project_that_others_deleted_is_made_again(stage: Stage) -> None:
    """With everything that was in it."""
    spec = {**AGENTS, "resource": FOUNDRY["resource"], "deployments": FOUNDRY["deployments"]}
    spec = put(spec, ("assistants", "helper", "model"), "gpt")
    stage.apply(spec, FILES)
    before = live_form(stage.dump())
    stage.arm("DELETE", "conf-account/projects/conf-project")
    assert {action for action, _ in shown(stage.plan()).values()} == {"create"}
    stage.apply()
    stage.assert_settled()
    assert differing(live_form(stage.dump()), before) == {}


def test_a_deployment_that_others_deleted_is_made_again(stage: Stage) -> None:
    stage.apply(ARM, FILES)
    before = live_form(stage.dump())
    stage.arm("DELETE", "conf-account/deployments/gpt")

    assert shown(stage.plan()) == {"deployment.gpt": ("create", ())}
    stage.apply()
    stage.assert_settled()
    assert live_form(stage.dump()) == before


@pytest.mark.parametrize(
    ("address", "spec", "at"),
    [pytest.param(*case, id=f"{service}-{case[0]}") for service, found in PROTECTED.items() for case in found],
)
def test_protection_is_switched_in_place(stage: Stage, address: str, spec: Json, at: At) -> None:
    """On and off by an update without a diff; while it is on, destroy is refused, and so is leaving the spec."""
    stage.apply(spec, FILES)
    before = newest(live_form(stage.dump()))
    stage.write(put(spec, at, True))
    assert shown(stage.plan()) == {address: ("update", ())}
    stage.apply()
    stage.assert_settled()
    assert newest(live_form(stage.dump())) != before

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
    assert newest(live_form(stage.dump())) == before


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


def test_a_project_is_not_left_behind_under_its_old_name(stage: Stage) -> None:
    """Another name would begin a second one and delete the first with all it holds: that is refused."""
    stage.apply(FOUNDRY, FILES)
    stage.look_away()
    stage.write(put(FOUNDRY, ("resource", "project", "name"), "other-project"))
    with pytest.raises(UnsafePlan, match="has the project conf-project already"):
        stage.plan()
    assert stage.writes() == []


@pytest.mark.parametrize("arm", [ARM, FOUNDRY], ids=["assistants", "agents"])
def test_a_soft_deleted_account_comes_back(stage: Stage, arm: Json) -> None:
    """Refused with the way out, until the spec says restore; then it is there again with its mark."""
    stage.apply(arm, FILES)
    stage.destroy(purge=False)
    assert [account["name"] for account in stage.dump()["deleted_accounts"]] == ["conf-account"]

    with pytest.raises(Conflict, match="conf-account was deleted") as refused:
        stage.plan()
    assert "restore: true" in refused.value.fix

    spec = put(arm, ("resource", "restore"), True)
    stage.write(spec)
    assert shown(stage.plan()) == {"resource.conf-account": ("create", ())}
    stage.apply()
    stage.apply()  # what it held can only be planned once it is back
    stage.assert_settled()
    stage.write(put(spec, ("resource", "restore"), MISSING))
    stage.assert_settled()
    assert stage.dump()["deleted_accounts"] == []
