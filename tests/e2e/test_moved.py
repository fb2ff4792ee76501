"""`moved:` in the spec: keys change, and nothing is uploaded, made or deleted for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.inside import Inside
from tests.support.stage import Json, Stage, labels, shown

FILES = {"kb/a.md": "alpha\n", "kb/b.md": "beta\n", "data.json": "[1]\n"}
MOVED = [
    {"from": "file.sheet", "to": "file.figures"},
    {"from": "file.kb/a.md", "to": "file.docs/a.md"},
    {"from": "file.kb/b.md", "to": "file.docs/b.md"},
    {"from": "vector_store.old", "to": "vector_store.new"},
]
HELPER = {"from": "assistant.old", "to": "assistant.new"}


def spec(service: str, *, key: str, sheet: str, folder: str, moved: list[Json] | None = None, **more: Any) -> Json:
    helper = key if service == "assistants" else "helper"
    return {
        "stack": "mover",
        "origin": "here",
        "service": service,
        **({"moved": moved} if moved is not None else {}),
        "files": {sheet: {"path": "data.json"}},
        "vector_stores": {key: {"name": "docs", "files": [{"glob": f"{folder}/*.md"}], **more}},
        "assistants": {
            helper: {
                "name": "Helper",
                "model": "gpt-4o",
                "tools": [{"code_interpreter": {"files": [sheet]}}, {"file_search": {"vector_store": key}}],
                "protect": True,
            }
        },
    }


def before(service: str) -> Json:
    return spec(service, key="old", sheet="sheet", folder="kb")


def after(service: str, moved: bool = True, **more: Any) -> Json:
    moves = [dict(move) for move in (*MOVED, *([HELPER] if service == "assistants" else []))]
    return spec(service, key="new", sheet="figures", folder="docs", moved=moves if moved else None, **more)


def unprotected(wanted: Json) -> Json:
    for helper in wanted["assistants"].values():
        del helper["protect"]
    return wanted


def started(stage: Stage, service: str) -> dict[str, set[str]]:
    """The stack under its old keys, then the folder renamed; the ids of everything that is live."""
    stage.apply(before(service), FILES)
    (stage.folder / "kb").rename(stage.folder / "docs")
    stage.look_away()
    return ids(stage)


def ids(stage: Stage) -> dict[str, set[str]]:
    found = stage.dump()
    agents = {f"{agent['name']}:{len(agent['versions'])}" for agent in found["agents"]}
    return {
        "agents": agents,
        **{section: {item["id"] for item in found[section]} for section in ("files", "vector_stores", "assistants")},
    }


@pytest.mark.parametrize("service", ["agents", "assistants"])
def test_only_marks_are_written(stage: Stage, service: str) -> None:
    """No upload, nothing made or deleted, no version of an agent; and then nothing is left to do, with or without."""
    live = started(stage, service)
    stage.write(after(service))
    plan = stage.plan()
    assert {str(c.address): str(c.moved_from or "") for c in plan.changes} == {
        move["to"]: move["from"] for move in (*MOVED, *([HELPER] if service == "assistants" else []))
    }
    assert all((action, paths) == ("update", ()) for action, paths in shown(plan).values())

    stage.apply()

    assert ids(stage) == live
    writes = sorted(set(labels(stage.writes())))
    stores, assistants = sorted(live["vector_stores"]), sorted(live["assistants"])
    prefix = "/v1" if service == "agents" else ""
    assert writes == sorted(
        [
            *(f"POST {prefix}/vector_stores/{remote_id}" for remote_id in stores),  # the store, and the record
            *(f"POST /assistants/{remote_id}" for remote_id in assistants),
        ]
    )
    stage.assert_settled()
    stage.write(after(service, moved=False))
    stage.assert_settled()


def test_what_was_cut_off_goes_on(stage: Stage) -> None:
    """The store has its new key, the assistant's mark still names the old one."""
    live = started(stage, "assistants")
    stage.admin("POST", "/faults", {"method": "POST", "path": "/assistants/asst_", "status": 400})
    stage.write(after("assistants"))
    report = stage.apply(succeed=False)
    assert [str(event.address) for event in report.failed] == ["assistant.new"]
    plan = stage.plan()
    assert {str(c.address): (c.action.value, str(c.moved_from), c.diffs) for c in plan.changes} == {
        "assistant.new": ("update", "assistant.old", ())
    }
    stage.apply()
    assert ids(stage) == live
    stage.assert_settled()


def test_a_file_of_another_name_is_uploaded_once_under_it(stage: Stage) -> None:
    """The move stays a change of one object: the store and the assistant keep theirs."""
    stage.apply(before("assistants"), FILES)
    (stage.folder / "kb").rename(stage.folder / "docs")
    (stage.folder / "docs/b.md").rename(stage.folder / "docs/c.md")
    live = ids(stage)
    wanted = after("assistants")
    wanted["moved"][2]["to"] = "file.docs/c.md"
    stage.write(wanted)
    plan = stage.plan()
    change = next(c for c in plan.changes if str(c.address) == "file.docs/c.md")
    assert (change.action.value, str(change.moved_from), change.moves) == ("update", "file.kb/b.md", True)
    assert (plan.summary().add, plan.summary().destroy) == (0, 0)
    stage.apply()
    now = ids(stage)
    assert (len(now["files"] - live["files"]), len(live["files"] - now["files"])) == (1, 1)
    assert {**now, "files": 0} == {**live, "files": 0}
    assert sorted(file["filename"] for file in stage.dump()["files"]) == ["a.md", "c.md", "data.json"]
    stage.assert_settled()


def test_a_store_that_moved_and_is_made_anew_leaves_nothing_behind(stage: Stage) -> None:
    """Cut off before the new one had its files, too: then both addresses are live, and the plan goes on from there."""
    live = started(stage, "assistants")
    stage.admin("POST", "/faults", {"method": "POST", "path": "/file_batches", "status": 400})
    stage.write(after("assistants", chunking={"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 50}))
    assert {str(event.address) for event in stage.apply(succeed=False).failed} == {"vector_store.new"}
    plan = stage.plan()
    assert {address: action for address, (action, _) in shown(plan).items()} == {
        "assistant.new": "update",
        "vector_store.new": "update",
        "vector_store.old": "delete",
    }
    stage.apply()
    now = ids(stage)
    assert (now["files"], now["assistants"]) == (live["files"], live["assistants"])
    assert (len(now["vector_stores"] - live["vector_stores"]), len(now["vector_stores"])) == (1, 2)
    stage.assert_settled()


def test_commands_know_it_by_its_new_address(stage: Stage, inside: Inside) -> None:
    """Before the apply as well: reading commands, a plan of one address, a saved plan, and destroy."""
    live = started(stage, "assistants")
    stage.write(after("assistants"))
    listed = json.loads(inside.run("list", "--format", "json").stdout)["objects"]
    assert {(item["address"], item["state"]) for item in listed} == {(move["to"], "live") for move in (*MOVED, HELPER)}
    (assistant,) = live["assistants"]
    assert assistant in inside.run("show", "assistant.new").stdout
    assert assistant in inside.run("output").stdout
    assert "No drift." in inside.run("drift").stdout
    assert "is the stack's already" in inside.run("adopt", "assistant.new", assistant, code=6).stderr

    text = inside.run("plan", "--target", "vector_store.old").stdout
    assert "~ vector_store.new" in text
    assert "moved from vector_store.old" in text
    assert "assistant" not in text.partition("\n")[2].partition("This plan")[0]

    inside.run("plan", "-o", "saved.plan")
    assert "moved from assistant.old" in inside.run("show", "saved.plan").stdout
    inside.run("apply", "saved.plan")
    assert ids(stage) == live
    assert inside.run("apply", "saved.plan", code=4).returncode == 4

    refused = inside.run("destroy", "--auto-approve", code=6).stderr
    assert "assistant.new is protected" in refused


@pytest.mark.parametrize("service", ["agents", "assistants"])
def test_destroy_takes_what_has_yet_to_move(stage: Stage, service: str) -> None:
    """With the record, and nothing is left."""
    stage.apply(unprotected(before(service)), FILES)
    (stage.folder / "kb").rename(stage.folder / "docs")
    stage.write(unprotected(after(service)))
    stage.destroy()
    assert ids(stage) == {"agents": set(), "files": set(), "vector_stores": set(), "assistants": set()}
