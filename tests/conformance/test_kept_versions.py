"""`keep_versions`: older versions of an agent stay, and with them the files and stores that they use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest

from asstops.errors import UnsafePlan
from asstops.providers.agents_api import AgentsApi
from asstops.views.human import render_plan
from tests.support.stage import Stage, causes, shown

Json = dict[str, Any]
FILES = {"data/a.md": "one\n", "kb/b.md": "two\n"}


def spec(instructions: str = "Be brief.", keep: int | None = 2, *, search: bool = True) -> Json:
    tools: list[Json] = [{"code_interpreter": {"files": ["a"]}}]
    made: Json = {
        "stack": "kept",
        "origin": "here",
        "files": {"a": {"path": "data/a.md"}},
        "assistants": {"helper": {"model": "gpt-4o", "instructions": instructions, "tools": tools}},
    }
    if keep:
        made["assistants"]["helper"]["keep_versions"] = keep
    if search:
        tools.append({"file_search": {"vector_store": "docs"}})
        made["files"]["b"] = {"path": "kb/b.md"}
        made["vector_stores"] = {"docs": {"files": ["b"]}}
    return made


def versions(stage: Stage) -> list[Json]:
    """Every version of the agent, the oldest first."""
    (agent,) = stage.dump()["agents"]
    return list(agent["versions"])


def files_of(version: Json) -> list[str]:
    (tool,) = [tool for tool in version["definition"]["tools"] if tool["type"] == "code_interpreter"]
    return list(tool["container"]["file_ids"])


def live_files(stage: Stage) -> set[str]:
    return {file["id"] for file in stage.dump()["files"]}


def test_a_file_stays_as_long_as_a_version_uses_it(stage: Stage) -> None:
    stage.write(spec(search=False), FILES)
    stage.apply()
    for content in ("second", "third", "fourth"):
        stage.write(spec(search=False), {"data/a.md": content})
        stage.apply()
        kept = versions(stage)
        assert len(kept) == 2
        assert live_files(stage) == {file for version in kept for file in files_of(version)}
        assert len(live_files(stage)) == 2
        stage.assert_settled()


def test_a_protected_file_is_no_riddle_once_it_is_old(stage: Stage) -> None:
    """Its older copies stay for older versions and go with them; what is protected is the key's own content."""
    document = spec(search=False)
    document["files"]["a"]["protect"] = True
    for content in ("one", "two", "three", "four"):
        stage.write(document, {"data/a.md": content})
        stage.apply()
        stage.assert_settled()
    assert len(live_files(stage)) == 2


def test_a_listing_of_versions_that_lags_behind(stage: Stage) -> None:
    """What the newest version uses is no older version's, and what an older one uses stays."""
    stage.write(spec(keep=3, search=False), FILES)
    stage.apply()
    stage.write(spec(keep=3, search=False), {"data/a.md": "second"})
    stage.apply()
    first, _ = versions(stage)
    listing = AgentsApi.list_versions

    def lagging(self: AgentsApi, name: str) -> Iterator[Json]:
        return iter([version for version in listing(self, name) if version["version"] != "2"])

    with patch.object(AgentsApi, "list_versions", lagging):
        assert shown(stage.plan()) == {}
    assert set(files_of(first)) <= live_files(stage)


def test_an_old_version_made_current_by_hand_is_drift(stage: Stage) -> None:
    """A portal copies metadata too. The mark that counts is that of the newest version which asstops made."""
    stage.write(spec("Be brief.", search=False), FILES)
    stage.apply()
    document = spec("Be polite.", search=False)
    document["assistants"]["helper"]["protect"] = True
    stage.write(document)
    stage.apply()
    first, _ = versions(stage)
    copied = {"definition": first["definition"], "metadata": first["metadata"]}
    stage.project("POST", "/agents/helper/versions", copied)
    plan = stage.plan()
    assert causes(plan) == {"assistant.helper": {"instructions": "drift"}}
    stage.write({**document, "assistants": {}})
    with pytest.raises(UnsafePlan, match="protected"):
        stage.plan()


def test_a_store_stays_with_its_files_and_goes_with_the_version(stage: Stage) -> None:
    stage.write(spec(), FILES)
    stage.apply()
    stage.write(spec(search=False), {})
    plan = stage.plan()
    assert set(shown(plan)) == {"assistant.helper"}
    assert {notice.address for notice in plan.notices} >= {"vector_store.docs"}
    stage.apply()
    assert len(live_files(stage)) == 2
    stage.assert_settled()

    stage.write(spec("Be polite.", search=False), {})
    stage.apply()
    assert len(live_files(stage)) == 1
    assert [store["name"] for store in stage.dump()["vector_stores"]] == ["asstops:kept"]
    stage.assert_settled()


def test_a_replaced_store_that_stays_is_not_counted_as_destroyed(stage: Stage) -> None:
    """What is made anew takes its place; the old one goes on being used by the version before."""
    stage.write(spec(), FILES)
    stage.apply()
    changed = spec()
    changed["vector_stores"]["docs"]["chunking"] = {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 100}
    stage.write(changed, FILES)
    plan = stage.plan()
    (store,) = [change for change in plan.changes if change.address.kind == "vector_store"]
    assert (store.action.value, plan.summary().add, plan.summary().destroy) == ("replace", 1, 0)
    assert "the old one stays" in store.reason
    stage.apply()
    assert len([found for found in stage.dump()["vector_stores"] if found["name"] == "docs"]) == 2


def test_fewer_versions_need_no_new_one(stage: Stage) -> None:
    for text in ("one", "two", "three"):
        stage.write(spec(text, keep=5, search=False), FILES)
        stage.apply()
    assert [version["version"] for version in versions(stage)] == ["1", "2", "3"]
    stage.write(spec("three", keep=1, search=False), {})
    plan = stage.plan()
    assert shown(plan) == {"assistant.helper": ("update", ())}
    assert plan.changes[0].prunes == ("1", "2")
    assert "2 older versions   1, 2" in render_plan(plan, width=80, color=False)
    stage.look_away()
    stage.apply()
    assert [entry["method"] for entry in stage.writes()] == ["DELETE", "DELETE"]
    assert [version["version"] for version in versions(stage)] == ["3"]
    stage.assert_settled()


def test_without_a_number_versions_stay_and_hold_nothing(stage: Stage) -> None:
    stage.write(spec(keep=None, search=False), FILES)
    stage.apply()
    stage.write(spec(keep=None, search=False), {"data/a.md": "second"})
    stage.apply()
    first, second = versions(stage)
    assert live_files(stage) == set(files_of(second))
    assert not set(files_of(first)) & live_files(stage)
    stage.assert_settled()


def test_taking_the_number_out_lets_go(stage: Stage) -> None:
    stage.write(spec(search=False), FILES)
    stage.apply()
    stage.write(spec(search=False), {"data/a.md": "second"})
    stage.apply()
    assert len(live_files(stage)) == 2
    stage.write(spec(keep=None, search=False), {})
    stage.apply()
    assert len(live_files(stage)) == 1
    assert len(versions(stage)) == 2
    stage.assert_settled()


def test_destroy_takes_everything(stage: Stage) -> None:
    stage.write(spec(), FILES)
    stage.apply()
    stage.write(spec(search=False), {"data/a.md": "second"})
    stage.apply()
    stage.destroy()
    dump = stage.dump()
    assert (dump["agents"], dump["files"], dump["vector_stores"]) == ([], [], [])
