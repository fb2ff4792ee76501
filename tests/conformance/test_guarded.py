"""Plans and applies that once lost, doubled or forgot something: each case stays mended."""

from __future__ import annotations

from typing import Any

import pytest

from asstops.errors import UnsafePlan
from asstops.executor import apply
from asstops.model import Action
from asstops.workflow import prepare
from tests.support.stage import Stage, shown

SPEC: dict[str, Any] = {
    "stack": "guarded",
    "service": "assistants",
    "files": {"a": {"path": "a.md"}},
    "vector_stores": {"docs": {"files": ["a"]}},
    "assistants": {"bot": {"model": "gpt-4o", "tools": [{"file_search": {"vector_store": "docs"}}]}},
}


def test_a_lost_upload_of_new_content_is_made_again_and_its_twin_told_of(stage: Stage) -> None:
    """An update of a file is an upload, too."""
    stage.apply(SPEC, {"a.md": "one"})
    stage.write(SPEC, {"a.md": "two"})
    stage.admin("POST", "/faults", {"method": "POST", "path": "/files$", "cut": "after"})
    assert not stage.apply().failed
    notices = [notice.message for notice in stage.plan().notices]
    assert len(stage.dump()["files"]) == 2
    assert any("may be left" in message for message in notices)


@pytest.mark.parametrize("then", ["changed", "gone"])
def test_what_was_approved_is_what_is_uploaded(stage: Stage, then: str) -> None:
    """A file that changes between plan and upload fails its step, and is no mistake of ours."""
    stage.write(SPEC, {"a.md": "one"})
    stack = stage.load()
    with stage.opened(stack) as session:
        prepared = prepare(stack, session)
        if then == "changed":
            (stage.folder / "a.md").write_text("other", encoding="utf-8")
        else:
            (stage.folder / "a.md").unlink()
        report = apply(prepared.plan, session, prepared.snapshot, lambda _: None)
    assert [str(event.address) for event in report.failed] == ["file.a"]
    assert "plan again" in report.failed[0].fix
    assert stage.dump()["files"] == []


def test_a_targeted_plan_takes_nothing_from_what_is_outside_it(stage: Stage) -> None:
    """The store would be left empty behind its assistant's back."""
    stage.apply(SPEC, {"a.md": "one"})
    stage.write(SPEC, {"a.md": "two"})
    with pytest.raises(UnsafePlan, match=r"vector_store\.docs still uses the file\.a"):
        stage.plan(targets=("file.a",))


def test_what_the_spec_names_by_id_is_not_deleted(stage: Stage) -> None:
    """Also when it was ours before."""
    stage.apply(SPEC, {"a.md": "one"})
    (file,) = stage.dump()["files"]
    stage.write({**SPEC, "files": {"a": {"id": file["id"]}}}, {})
    assert [c for c in stage.plan().changes if c.action is Action.DELETE] == []


def test_a_store_whose_mark_was_cleared_is_not_made_twice(stage: Stage) -> None:
    """Our own assistant still refers to it, so it is no stranger."""
    stage.apply(SPEC, {"a.md": "one"})
    (docs,) = [item for item in stage.dump()["vector_stores"] if item["name"] == "docs"]
    stage.data("POST", f"/vector_stores/{docs['id']}", {"metadata": {}})
    with pytest.raises(UnsafePlan, match="metadata may have been cleared"):
        stage.plan()


def test_a_record_deleted_by_hand_is_told_of(stage: Stage) -> None:
    """The files in the store are then nobody's, and stay behind."""
    stage.apply(SPEC, {"a.md": "one"})
    (page,) = [item for item in stage.dump()["vector_stores"] if item["name"].startswith("asstops:")]
    stage.data("DELETE", f"/vector_stores/{page['id']}")
    plan = stage.plan()
    (file,) = stage.dump()["files"]
    assert any(f"{file['id']} (a.md)" in notice.message for notice in plan.notices)
    assert plan.summary().drifted_fields == 0
    stage.write({**SPEC, "files": {"a": {"path": "b.md"}}}, {"b.md": "one"})
    (notice,) = stage.plan().notices
    assert "the stack has no record of files" in notice.message


def test_a_first_function_is_a_pending_change(stage: Stage) -> None:
    """An empty list in the service is no drift."""
    plain = {**SPEC, "assistants": {"bot": {"model": "gpt-4o"}}}
    stage.apply(plain, {"a.md": "one"})
    tools = {"weather": {"description": "Weather."}}
    more = {**plain, "tools": tools, "assistants": {"bot": {"model": "gpt-4o", "tools": [{"function": "weather"}]}}}
    stage.write(more, {})
    assert stage.plan().summary().drifted_fields == 0


def test_an_account_that_is_not_managed_says_nothing_of_its_tags(stage: Stage) -> None:
    """Keys that the spec does not name are not compared, whoever applied them."""
    account = {"name": "guarded-acc", "resource_group": "rg", "location": "swedencentral", "tags": {"team": "a"}}
    stage.apply({"stack": "owner", "service": "assistants", "resource": account}, {})
    user = {"name": "guarded-acc", "resource_group": "rg", "managed": False}
    stage.write({"stack": "user", "service": "assistants", "resource": user}, {})
    plan = stage.plan()
    assert (plan.is_empty, plan.notices, shown(plan)) == (True, (), {})


def test_a_replaced_deployment_does_not_wait_for_the_record(stage: Stage) -> None:
    """All files leave while a deployment is replaced: neither waits for the other for good."""
    account = {"name": "guarded-two", "resource_group": "rg", "location": "swedencentral"}

    def deployed(name: str, version: str) -> dict[str, Any]:
        model = {"name": name, "version": version}
        return {"gpt": {"model": model, "sku": {"name": "GlobalStandard", "capacity": 1}}}

    before = {
        **SPEC,
        "resource": account,
        "deployments": deployed("gpt-4o", "2024-11-20"),
        "vector_stores": {},
        "assistants": {"y": {"model": "gpt", "tools": [{"code_interpreter": {"files": ["a"]}}]}},
    }
    stage.apply(before, {"a.md": "one"})
    after = {
        **before,
        "files": {},
        "deployments": deployed("gpt-4o-mini", "2024-07-18"),
        "assistants": {"y": {"model": "gpt"}},
    }
    report = stage.apply(after, {})
    assert (report.failed, report.skipped) == ((), ())
    stage.assert_settled()
