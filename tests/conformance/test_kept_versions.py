"""`keep_versions`: older versions of an agent stay, and with them the files and stores that they use."""

from __future__ import annotations

from typing import Any

from tests.support.stage import Stage, shown

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


def test_what_comes_back_is_not_uploaded_again(stage: Stage) -> None:
    """The old content is still there for the older version, so going back to it needs no upload."""
    stage.write(spec(search=False), FILES)
    stage.apply()
    first = live_files(stage)
    stage.write(spec(search=False), {"data/a.md": "second"})
    stage.apply()
    stage.write(spec(search=False), FILES)
    stage.look_away()
    stage.apply()
    assert [entry for entry in stage.writes() if entry["path"].endswith("/files")] == []
    assert set(files_of(versions(stage)[-1])) == first
    stage.assert_settled()


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


def test_fewer_versions_need_no_new_one(stage: Stage) -> None:
    for text in ("one", "two", "three"):
        stage.write(spec(text, keep=5, search=False), FILES)
        stage.apply()
    assert [version["version"] for version in versions(stage)] == ["1", "2", "3"]
    stage.write(spec("three", keep=1, search=False), {})
    plan = stage.plan()
    assert shown(plan) == {"assistant.helper": ("update", ("keep_versions",))}
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
