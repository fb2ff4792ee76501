"""What only a service with versions has: the old ones, and those that other people make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from asstops.errors import UnsafePlan
from tests.conformance.agent_cases import AGENTS
from tests.conformance.agent_drifts import FULL_AGENTS, new_version
from tests.conformance.cases import FILES, put
from tests.support.stage import Json, Stage, causes, shown

PROMPT: Json = {"kind": "prompt", "model": "gpt-4o"}
PLAIN: Json = {"stack": "plain", "service": "agents", "assistants": {"clerk": {"model": "gpt-4o"}}}


def _numbers(stage: Stage) -> dict[str, list[str]]:
    return {agent["name"]: [v["version"] for v in agent["versions"]] for agent in stage.dump()["agents"]}


def _said(text: str, **more: Any) -> Json:
    return {**PLAIN, "assistants": {"clerk": {"model": "gpt-4o", "instructions": text, **more}}}


def test_old_versions_go(stage: Stage) -> None:
    """Those beyond `keep_versions`, by an update that makes no version; from then on with each one that is made."""
    for text in ("one", "two", "three", "four"):
        stage.apply(_said(text))
    stage.write(_said("four", keep_versions=3))
    assert {address: action for address, (action, _) in shown(stage.plan()).items()} == {"assistant.clerk": "update"}
    stage.apply()
    stage.assert_settled()
    assert _numbers(stage) == {"clerk": ["2", "3", "4"]}

    stage.apply(_said("five", keep_versions=2))
    stage.assert_settled()
    assert _numbers(stage) == {"clerk": ["4", "5"]}
    stage.apply(_said("six"))  # it has left the spec: nothing goes any more
    stage.assert_settled()
    assert _numbers(stage) == {"clerk": ["4", "5", "6"]}


@pytest.mark.parametrize("copied", [True, False], ids=["copied", "unmarked"])
def test_what_somebody_edited_is_still_ours_when_it_leaves_the_spec(stage: Stage, copied: bool) -> None:
    other = {"other": {"model": "gpt-4o"}}
    stage.apply({**PLAIN, "assistants": {**PLAIN["assistants"], **other}})
    new_version(stage, "clerk", {"instructions": "Theirs."}, copied=copied)
    stage.write({**PLAIN, "assistants": other})
    assert shown(stage.plan()) == {"assistant.clerk": ("delete", ())}
    stage.apply()
    assert _numbers(stage) == {"other": ["1"]}


@pytest.mark.parametrize("copied", [True, False], ids=["copied", "unmarked"])
def test_many_agents_of_others_are_not_looked_into(stage: Stage, monkeypatch: pytest.MonkeyPatch, copied: bool) -> None:
    """That would take a request for each. An edit that took the mark along still tells whose the agent is."""
    monkeypatch.setattr("asstops.services.agents.assistant.MAX_STRAYS", 2)
    for name in ("theirs", "theirs", "others", "others"):
        stage.project("POST", f"/agents/{name}/versions", {"definition": PROMPT})
    other = {"other": {"model": "gpt-4o"}}
    stage.apply({**PLAIN, "assistants": {**PLAIN["assistants"], **other}})
    new_version(stage, "clerk", {"instructions": "Theirs."}, copied=copied)
    assert not stage.plan().notices  # the spec names it, and two are few

    stage.write({**PLAIN, "assistants": other})
    stage.look_away()
    plan = stage.plan()
    looked_into = {entry["path"].rpartition("/agents/")[2] for entry in stage.requests()} - {""}
    looked_into = {path.removesuffix("/versions") for path in looked_into if path.endswith("/versions")}
    if copied:
        assert shown(plan) == {"assistant.clerk": ("delete", ())}
        assert not any("were not read" in notice.message for notice in plan.notices)
        assert looked_into == {"theirs", "others", "clerk"}
    else:
        assert [notice.message.partition(" have ")[0] for notice in plan.notices] == [
            "3 agents that the spec does not name (clerk, others, theirs, …)"
        ]
        assert (shown(plan), looked_into) == ({}, set())


def test_one_of_many_that_uses_what_is_ours_is_looked_into(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its store would be deleted under it, and it would stay."""
    monkeypatch.setattr("asstops.services.agents.assistant.MAX_STRAYS", 2)
    for name in ("theirs", "theirs", "others", "others"):
        stage.project("POST", f"/agents/{name}/versions", {"definition": PROMPT})
    searching: Json = {"model": "gpt-4o", "tools": [{"file_search": {"vector_store": "kb"}}]}
    stage.apply(
        {**PLAIN, "vector_stores": {"kb": {}}, "assistants": {"clerk": searching, "other": {"model": "gpt-4o"}}}
    )
    new_version(stage, "clerk", {"instructions": "Theirs."}, copied=False)
    stage.write({**PLAIN, "assistants": {"other": {"model": "gpt-4o"}}})
    plan = stage.plan()
    assert shown(plan) == {"assistant.clerk": ("delete", ()), "vector_store.kb": ("delete", ())}
    stage.apply()
    assert sorted(_numbers(stage)) == ["other", "others", "theirs"]


def test_an_edit_that_changes_nothing_is_no_drift(stage: Stage) -> None:
    """A new version that says the same, as a portal makes by a mere save, is left as it is."""
    stage.apply(FULL_AGENTS, FILES)
    for copied in (True, False):
        new_version(stage, "helper", {}, copied=copied)
        stage.assert_settled()
    assert _numbers(stage) == {"helper": ["1", "2", "3"]}


def test_what_others_added_stays(stage: Stage) -> None:
    """Metadata and fields that the spec does not name go over to the next version."""
    stage.apply(AGENTS, FILES)
    theirs = {"tool_choice": "auto", "rai_config": {"rai_policy_name": "Theirs"}, "top_p": 0.5}
    new_version(stage, "helper", {**theirs, "metadata": {"theirs": "x"}, "description": "Theirs."}, copied=True)
    stage.assert_settled()
    stage.apply(put(AGENTS, ("assistants", "helper", "instructions"), "Be brief."))
    stage.assert_settled()
    (agent,) = stage.dump()["agents"]
    latest = agent["versions"][-1]
    assert {name: latest["definition"][name] for name in theirs} == theirs
    assert (latest["version"], latest["metadata"]["theirs"], latest["description"]) == ("3", "x", "Theirs.")


def test_an_agent_of_others_under_a_wanted_name_is_refused(stage: Stage) -> None:
    stage.project("POST", "/agents/clerk/versions", {"definition": PROMPT})
    stage.write(PLAIN)
    stage.look_away()
    with pytest.raises(UnsafePlan, match=r"assistant\.clerk exists already and carries no mark of asstops"):
        stage.plan()
    stage.project("POST", "/agents/clerk/versions", {"definition": {**PROMPT, "instructions": "Later."}})
    with pytest.raises(UnsafePlan, match=r"assistant\.clerk exists already"):
        stage.plan()


def test_agents_of_other_kinds_are_left_alone(stage: Stage) -> None:
    """They are nobody's but their owners', under a wanted name too; one that was ours becomes a prompt agent again."""
    hosted = {"kind": "hosted", "cpu": "1", "memory": "2Gi", "environment_variables": {"A": "b"}}
    stage.apply(PLAIN)
    for name in ("clerk", "theirs"):
        stage.project("POST", f"/agents/{name}/versions", {"definition": hosted})
    assert causes(stage.plan()) == {"assistant.clerk": {"model": "drift"}}
    stage.apply()
    stage.assert_settled()
    assert stage.dump()["agents"][0]["versions"][-1]["definition"] == {"kind": "prompt", "model": "gpt-4o"}

    stage.write({**PLAIN, "assistants": {"theirs": {"model": "gpt-4o"}}})
    with pytest.raises(UnsafePlan, match=r"assistant\.theirs exists already: it is an agent of kind hosted"):
        stage.plan()


@pytest.mark.parametrize("value", ["exact", "caseless"])
def test_a_name_that_differs_in_case_alone_is_refused(staged: Callable[..., Stage], value: str) -> None:
    """Whether a service takes it for the same name or not, nothing of the other's is touched."""
    stage = staged(behaviour={"agent_names": value})
    stage.project("POST", "/agents/Clerk/versions", {"definition": PROMPT})
    stage.write(PLAIN)
    with pytest.raises(UnsafePlan, match=r"assistant\.clerk exists already"):
        stage.plan()
    assert _numbers(stage) == {"Clerk": ["1"]}


def test_listings_that_lag(staged: Callable[..., Stage]) -> None:
    """An apply ends once its versions show, so that the next one makes nothing twice."""
    stage = staged(list_lag_s=0.3)
    for number, text in enumerate(("one", "two"), start=1):
        stage.apply(_said(text))
        stage.assert_settled()
        assert _numbers(stage) == {"clerk": [str(n + 1) for n in range(number)]}
    stage.destroy()
    assert _numbers(stage) == {}


def test_an_agent_of_another_stack_is_refused(stage: Stage) -> None:
    """The two environments of one spec in one project are two stacks."""
    stage.apply(PLAIN)
    before = stage.dump()
    stage.write({**PLAIN, "stack": "other"})
    with pytest.raises(UnsafePlan, match=r"assistant\.clerk belongs to the stack 'plain'"):
        stage.plan()
    stage.write({}, name="asstops.prod.yaml")
    stage.write(PLAIN)
    with pytest.raises(UnsafePlan, match=r"assistant\.clerk belongs to the stack 'plain'"):
        stage.plan(env="prod")
    assert stage.dump() == before


def test_stacks_in_one_project_never_touch_each_other(stage: Stage) -> None:
    stage.apply(PLAIN)
    first = stage.dump()["agents"]
    other = {**PLAIN, "stack": "other", "assistants": {"seller": {"model": "gpt-4o"}}}
    stage.apply(other)
    stage.assert_settled()
    stage.destroy()
    assert stage.dump()["agents"] == first


def test_a_copied_agent_is_not_ours(stage: Stage) -> None:
    """Somebody who copies an agent under another name copies its mark too; the name tells the two apart."""
    stage.apply(PLAIN)
    (agent,) = stage.dump()["agents"]
    copy = {name: agent["versions"][0][name] for name in ("definition", "metadata")}
    for _ in range(2):
        stage.project("POST", "/agents/copy/versions", copy)
        stage.assert_settled()
    stage.destroy()
    assert _numbers(stage) == {"copy": ["1", "2"]}


def test_a_version_with_the_mark_of_another_agent_is_drift(stage: Stage) -> None:
    """Such a mark means nothing where it is, and the one before it still says whose the agent is."""
    stage.apply({**PLAIN, "assistants": {**PLAIN["assistants"], "other": {"model": "gpt-4o"}}})
    marks = {agent["name"]: agent["versions"][0]["metadata"] for agent in stage.dump()["agents"]}
    body = {"definition": {**PROMPT, "model": "gpt-4o-mini"}, "metadata": marks["other"]}
    stage.project("POST", "/agents/clerk/versions", body)
    assert causes(stage.plan()) == {"assistant.clerk": {"model": "drift"}}
    stage.apply()
    stage.assert_settled()


def test_lists_of_agents_are_read_past_one_page(stage: Stage) -> None:
    """Others' before and after ours, more than a page of each, in a bounded number of requests."""
    many = {**PLAIN, "assistants": {f"a{n}": {"model": "gpt-4o"} for n in range(105)}}

    def others(count: int, name: str) -> None:
        for number in range(count):
            stage.project("POST", f"/agents/{name}-{number}/versions", {"definition": PROMPT})

    others(55, "before")
    stage.apply(many)
    others(55, "zafter")
    theirs = [name for name in _numbers(stage) if "-" in name]
    assert len(theirs) == 110
    stage.look_away()
    stage.assert_settled()
    assert len(stage.requests()) <= 3 + 1 + 1 + 1  # three pages of agents, the files, the stores, and a token
    stage.destroy()
    assert list(_numbers(stage)) == theirs


def test_drift_is_told_of_a_version_that_another_client_made(stage: Stage) -> None:
    """Also where the spec changed elsewhere: what they changed is drift, what the spec changed is pending."""
    stage.apply(FULL_AGENTS, FILES)
    new_version(stage, "helper", {"instructions": "Theirs."}, copied=False)
    stage.write(put(FULL_AGENTS, ("assistants", "helper", "temperature"), 0.9))
    assert causes(stage.plan()) == {"assistant.helper": {"instructions": "drift", "temperature": "pending"}}
