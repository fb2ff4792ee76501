"""What asstops must leave alone: other people's objects, their metadata and tags on ours, what is not managed."""

from __future__ import annotations

from typing import Any

import pytest

from asstops.errors import UnsafePlan
from tests.conformance.cases import ARM, DATA, FILES, put
from tests.support.live import live_form
from tests.support.stage import Json, Stage, shown


def _others(stage: Stage, count: int, name: str) -> None:
    """Assistants and stores of somebody else."""
    for number in range(count):
        stage.data("POST", "/assistants", {"model": "gpt-4o", "name": f"{name} {number}"})
        stage.data("POST", "/vector_stores", {"name": f"{name} {number}", "metadata": {"n": str(number)}})


def test_lists_are_read_past_one_page(stage: Stage) -> None:
    """More than a page of other people's objects and more than a page of ours, in a bounded number of requests."""
    many = {
        "stack": "many",
        "service": "assistants",
        "vector_stores": {f"s{n}": {} for n in range(105)},
        "assistants": {f"a{n}": {"model": "gpt-4o"} for n in range(105)},
    }
    _others(stage, 55, "before")
    stage.apply(many)
    _others(stage, 55, "after")
    theirs = [item for item in _named(stage) if not item["name"].startswith(("a", "s")) or item["name"][1:2] == "f"]
    assert len(theirs) == 220
    stage.look_away()
    stage.assert_settled()
    assert len(stage.requests()) <= 3 + 3 + 1 + 1  # three pages of each, the files, and a token

    stage.destroy()
    assert _named(stage) == theirs


def _named(stage: Stage) -> list[Json]:
    dump = stage.dump()
    return [*dump["assistants"], *dump["vector_stores"]]


def test_pairs_of_others_stay(stage: Stage) -> None:
    """Metadata and tags that the spec does not name are neither compared nor removed, whatever is updated."""
    spec = {**ARM, "vector_stores": {"docs": {"metadata": {"ours": "1"}}}}
    spec = put(spec, ("assistants", "helper", "metadata"), {"ours": "1"})
    stage.apply(spec, FILES)
    account, dump = "conf-account", stage.dump()
    helper, docs = dump["assistants"][0], dump["vector_stores"][0]
    for path, item in ((f"/assistants/{helper['id']}", helper), (f"/vector_stores/{docs['id']}", docs)):
        stage.data("POST", path, {"metadata": {**item["metadata"], "theirs": "x"}}, account=account)
    stage.arm("PATCH", account, {"tags": {**dump["accounts"][0]["tags"], "theirs": "x"}})
    stage.arm("PATCH", f"{account}/deployments/gpt", {"tags": {**dump["deployments"][0]["tags"], "theirs": "x"}})
    stage.assert_settled()

    spec = put(spec, ("assistants", "helper", "metadata"), {"ours": "2"})
    spec = put(spec, ("vector_stores", "docs", "metadata"), {"ours": "2"})
    spec = put(spec, ("resource", "tags"), {"ours": "2"})
    spec = put(spec, ("deployments", "gpt", "tags"), {"ours": "2"})
    stage.apply(put(spec, ("deployments", "gpt", "version_upgrade"), "NoAutoUpgrade"))
    stage.assert_settled()
    dump = stage.dump()
    found = [
        dump["assistants"][0]["metadata"],
        dump["vector_stores"][0]["metadata"],
        dump["accounts"][0]["tags"],
        dump["deployments"][0]["tags"],
    ]
    assert [(pairs["theirs"], pairs["ours"]) for pairs in found] == [("x", "2")] * 4


def test_files_that_others_attached_are_detached_at_most(stage: Stage) -> None:
    stage.apply(DATA, FILES)
    theirs = stage.upload("theirs.md", b"Theirs.")
    docs = next(store for store in stage.dump()["vector_stores"] if store["name"] == "docs")
    stage.data("POST", f"/vector_stores/{docs['id']}/files", {"file_id": theirs["id"]})

    assert shown(stage.plan()) == {"vector_store.docs": ("update", ("files",))}
    stage.apply()
    stage.assert_settled()
    stage.destroy()
    assert [file["id"] for file in stage.dump()["files"]] == [theirs["id"]]


def test_what_is_not_managed_is_never_written(stage: Stage) -> None:
    """`managed: false` and `id:` are read, referred to, and otherwise left as they are, on destroy too."""
    stage.apply({**ARM, "stack": "theirs"}, FILES)
    account = "conf-account"
    file = stage.upload("theirs.md", b"Theirs.", account=account)
    store = stage.data("POST", "/vector_stores", {"name": "theirs"}, account=account)
    before = stage.dump()
    spec: dict[str, Any] = {
        "stack": "ours",
        "service": "assistants",
        "resource": {"name": account, "resource_group": "rg", "managed": False},
        "deployments": {"gpt": {"managed": False}},
        "files": {"theirs": {"id": file["id"]}},
        "vector_stores": {"theirs": {"id": store["id"]}},
        "assistants": {
            "mine": {
                "model": "gpt",
                "tools": [{"code_interpreter": {"files": ["theirs"]}}, {"file_search": {"vector_store": "theirs"}}],
            }
        },
    }
    stage.look_away()
    stage.apply(spec)
    assert [entry["method"] for entry in stage.writes()] == ["POST"]
    stage.assert_settled()
    stage.look_away()
    stage.destroy()
    assert [entry["method"] for entry in stage.writes()] == ["DELETE"]
    assert stage.dump() == before


def test_what_is_not_managed_must_exist(stage: Stage) -> None:
    spec = {"stack": "ours", "service": "assistants", "vector_stores": {"theirs": {"id": "vs_none"}},
            "assistants": {"mine": {"model": "m", "tools": [{"file_search": {"vector_store": "theirs"}}]}}}  # fmt: skip
    stage.write(spec)
    with pytest.raises(UnsafePlan, match="vs_none"):
        stage.plan()


def test_names_that_are_taken_are_refused(stage: Stage) -> None:
    """An account or deployment of somebody else under the same name: nothing is written."""
    stage.apply({**ARM, "stack": "theirs"}, FILES)
    stage.look_away()
    stage.write(ARM)
    with pytest.raises(UnsafePlan) as refused:
        stage.plan()
    assert sorted(problem.message.partition(" ")[0] for problem in refused.value.objections) == [
        "deployment.gpt",
        "resource.conf-account",
    ]
    assert stage.writes() == []


def test_two_stacks_in_one_account_never_touch_each_other(stage: Stage) -> None:
    """The same spec twice under two names, and the environments of one."""
    stage.apply(DATA, FILES)
    first = live_form(stage.dump())
    stage.apply({**DATA, "stack": "second"})
    stage.write({"vars": {"who": "another"}}, name="asstops.prod.yaml")
    stage.write(DATA)
    stage.apply(env="prod")
    assert len(stage.dump()["assistants"]) == 3
    stage.assert_settled()

    stage.destroy(env="prod")
    stage.write({**DATA, "stack": "second"})
    stage.destroy()
    assert live_form(stage.dump()) == first


def test_files_of_one_name_are_told_apart_on_destroy(stage: Stage) -> None:
    """The record knows which is which by content, so a targeted destroy takes the one that was meant."""
    spec = {**DATA, "files": {"z": {"path": "data/a.md"}, "y": {"path": "other/a.md"}}, "assistants": {}}
    spec["vector_stores"] = {"first": {"files": ["z"]}, "second": {"files": ["y"]}}
    stage.apply(spec, FILES)
    sizes = {"z": len(FILES["data/a.md"]), "y": len(FILES["other/a.md"])}
    assert sorted(file["bytes"] for file in stage.dump()["files"]) == sorted(sizes.values())

    for key, left in (("z", ["y"]), ("y", ["z"])):
        stage.apply(spec)
        stage.destroy(targets=[f"file.{key}"])
        assert [file["bytes"] for file in stage.dump()["files"]] == [sizes[name] for name in left]


def test_an_account_is_not_left_behind_under_its_old_name(stage: Stage) -> None:
    """Renaming it in the spec would begin a second one and forget the first with all it holds."""
    stage.apply(ARM, FILES)
    stage.write(put(ARM, ("resource", "name"), "conf-renamed"), FILES)
    with pytest.raises(UnsafePlan, match="has the account conf-account already"):
        stage.plan()


def test_other_accounts_in_the_group_are_no_obstacle(stage: Stage) -> None:
    """Only an account with this stack's own mark is the one that was renamed."""
    stage.apply(ARM, FILES)
    stage.write({**put(ARM, ("resource", "name"), "conf-second"), "stack": "another"}, FILES)
    assert stage.plan().summary().add > 0
