"""The account and the project that everything lives in: made in order, and what goes with them when they go."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest

from asstops.errors import UnsafePlan
from asstops.providers.settings import SettingsInvalid
from asstops.services.agents import project
from tests.support.stage import Stage, labels, shown

Json = dict[str, Any]
SPEC: Json = {
    "stack": "homes",
    "origin": "here",
    "resource": {
        "name": "acc",
        "resource_group": "rg",
        "location": "swedencentral",
        "project": {"name": "sales", "display_name": "Sales", "tags": {"team": "x"}},
    },
    "deployments": {
        "gpt": {
            "model": {"name": "gpt-4o", "version": "2024-11-20"},
            "sku": {"name": "GlobalStandard", "capacity": 1},
        }
    },
    "files": {"a": {"path": "a.md"}},
    "vector_stores": {"docs": {"files": ["a"]}},
    "assistants": {"helper": {"model": "gpt", "tools": [{"file_search": {"vector_store": "docs"}}]}},
}
FILES = {"a.md": "one\n"}


def order(stage: Stage, *wanted: str) -> list[str]:
    """Of the writes since `look_away` the first of each of these, in the order they were sent."""
    sent = [f"{e['method']} {e['path'].rpartition('/accounts/')[2] or e['path']}" for e in stage.writes()]
    return sorted(wanted, key=lambda text: next(i for i, line in enumerate(sent) if text in line))


def test_made_and_taken_away_in_order(stage: Stage) -> None:
    stage.write(SPEC, FILES)
    stage.look_away()
    stage.apply()
    # The first store is the record of files, which is there before the files are.
    made = ("PUT acc", "PUT acc/projects/sales", "/openai/v1/vector_stores", "/openai/v1/files", "/agents/helper")
    assert order(stage, *reversed(made)) == list(made)
    stage.assert_settled()
    stage.look_away()
    stage.destroy()
    deletes = [label for label in labels(stage.writes()) if label.startswith("DELETE")]
    assert next(i for i, label in enumerate(deletes) if "/agents/helper" in label) < next(
        i for i, label in enumerate(deletes) if label.endswith("/projects/sales")
    )
    assert deletes[-1].endswith(("/accounts/acc", "/deletedAccounts/acc"))
    dump = stage.dump()
    assert (dump["accounts"], dump["projects"], dump["agents"]) == ([], [], [])


def test_an_existing_project_is_used_and_left(stage: Stage) -> None:
    """`managed: false`: neither account nor project is written, and both must be there."""
    stage.write({**SPEC, "assistants": {}, "vector_stores": {}, "files": {}}, FILES)
    stage.apply()
    theirs: Json = {
        **SPEC,
        "stack": "guest",
        "deployments": {"gpt": {"managed": False}},
        "resource": {
            "name": "acc",
            "resource_group": "rg",
            "managed": False,
            "project": {"name": "sales", "managed": False},
        },
    }
    stage.write(theirs, FILES)
    stage.look_away()
    stage.apply()
    assert [entry for entry in stage.writes() if "/providers/" in entry["path"]] == []
    stage.assert_settled()
    assert set(shown(stage.plan(destroy=True))) == {"assistant.helper", "file.a", "vector_store.docs"}


def test_a_project_is_updated_in_place(stage: Stage) -> None:
    stage.write(SPEC, FILES)
    stage.apply()
    changed = {**SPEC["resource"], "project": {"name": "sales", "description": "What we sell.", "tags": {"team": "y"}}}
    stage.write({**SPEC, "resource": changed}, {})
    plan = stage.plan()
    assert shown(plan) == {"project.sales": ("update", ("description", "display_name", "tags.team"))}
    stage.apply()
    (project,) = stage.dump()["projects"]
    assert project["properties"].get("description") == "What we sell."
    assert not project["properties"].get("displayName")
    stage.assert_settled()


def test_a_plan_says_what_else_goes_with_a_project(stage: Stage) -> None:
    stage.write(SPEC, FILES)
    stage.apply()
    guest: Json = {"stack": "guest", "origin": "there", "assistants": {"lodger": {"model": "gpt"}}}
    guest["resource"] = {
        "name": "acc",
        "resource_group": "rg",
        "managed": False,
        "project": {"name": "sales", "managed": False},
    }
    stage.write(guest, {})
    stage.apply()
    stage.write(SPEC, {})
    told = {notice.message for notice in stage.plan(destroy=True).notices}
    assert "what others made in it goes with it: assistant lodger" in told
    assert "a deleted project cannot be brought back, nor what is in it" in told
    assert not any("goes with it" in notice.message for notice in stage.plan().notices)


def test_an_account_of_assistants_is_brought_to_projects(stage: Stage) -> None:
    """An account of the right kind gets project management and an identity; what others set stays."""
    account = {name: value for name, value in SPEC["resource"].items() if name != "project"}
    stage.write(
        {"stack": "homes", "origin": "here", "service": "assistants", "resource": {**account, "kind": "AIServices"}}
    )
    stage.apply()
    (live,) = stage.dump()["accounts"]
    stage.arm("PATCH", "acc", {"tags": {**live["tags"], "theirs": "1"}})
    stage.write(SPEC, FILES)
    assert shown(stage.plan())["resource.acc"] == ("update", ("identity", "project_management"))
    stage.apply()
    stage.assert_settled()
    (live,) = stage.dump()["accounts"]
    assert live["tags"]["theirs"] == "1"


def test_a_copied_mark_makes_nothing_ours(stage: Stage) -> None:
    """Tags are copied along when somebody makes a deployment after ours; theirs is not the stack's to delete."""
    stage.write(SPEC, FILES)
    stage.apply()
    (ours,) = stage.dump()["deployments"]
    body = {"sku": ours["sku"], "properties": {"model": ours["properties"]["model"]}, "tags": ours["tags"]}
    stage.arm("PUT", "acc/deployments/theirs", body)
    stage.assert_settled()


def test_a_project_is_not_renamed(stage: Stage) -> None:
    """The old one would be deleted with all that is in it, which the plan does not even see."""
    stage.write(SPEC, FILES)
    stage.apply()
    stage.write({**SPEC, "resource": {**SPEC["resource"], "project": {"name": "sales2"}}})
    for destroy in (False, True):
        with pytest.raises(UnsafePlan, match="the stack has the project sales already"):
            stage.plan(destroy=destroy)


def test_what_others_have_in_it_keeps_an_account(stage: Stage) -> None:
    """Also what lies in the account beside its projects, where a stack of assistants may have left it."""
    stage.write(SPEC, FILES)
    stage.apply()
    stage.upload("theirs.md", b"theirs", account="acc")
    with pytest.raises(UnsafePlan, match=r"account acc also holds 1 objects .*file theirs\.md"):
        stage.destroy(allow_deletes=None)
    assert stage.dump()["agents"] != []
    stage.destroy(allow_deletes=1)


def test_what_others_have_in_it_keeps_a_project(stage: Stage) -> None:
    stage.write(SPEC, FILES)
    stage.apply()
    home = "/acc/api/projects/sales"
    stage.project("POST", "/agents/lodger/versions", {"definition": {"kind": "prompt", "model": "gpt"}}, home=home)
    owner: Json = {**SPEC, "resource": {**SPEC["resource"], "managed": False}}
    stage.write(owner)
    with pytest.raises(UnsafePlan, match=r"project sales also holds 1 objects .*assistant lodger"):
        stage.destroy(allow_deletes=None)


def test_a_project_without_an_endpoint_is_no_empty_one(stage: Stage) -> None:
    stage.write(SPEC, FILES)
    stage.apply()
    with patch.object(project, "ENDPOINT", "Some other API"), pytest.raises(SettingsInvalid, match="no endpoint"):
        stage.plan(destroy=True)


def test_another_project_is_not_taken_instead(stage: Stage) -> None:
    """Not even one that is there already: the first one would go with what is in it."""
    stage.write(SPEC, FILES)
    stage.apply()
    stage.arm("PUT", "acc/projects/common", {"location": "swedencentral", "identity": {"type": "SystemAssigned"}})
    stage.write({**SPEC, "resource": {**SPEC["resource"], "project": {"name": "common", "managed": False}}})
    with pytest.raises(UnsafePlan, match="the stack has the project sales already"):
        stage.plan()


def test_an_account_stays_while_a_project_does(stage: Stage) -> None:
    """Whichever service's spec would take it away."""
    stage.write(SPEC, FILES)
    stage.apply()
    stage.write({**SPEC, "resource": {**SPEC["resource"], "project": {"name": "sales", "managed": False}}})
    with pytest.raises(UnsafePlan, match=r"also holds 1 objects .*project sales"):
        stage.destroy(allow_deletes=None)
    account = {name: value for name, value in SPEC["resource"].items() if name != "project"}
    old = {"stack": "homes", "origin": "here", "service": "assistants", "resource": {**account, "kind": "AIServices"}}
    stage.write(old)
    with pytest.raises(UnsafePlan, match=r"also holds 1 objects .*project sales"):
        stage.destroy(allow_deletes=None)
