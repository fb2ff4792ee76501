"""The same promises under every behaviour that the service may have, where that is not known for certain."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from asstops.emulator.settings import BEHAVIOURS
from asstops.errors import Retired
from tests.conformance.agent_cases import AGENTS
from tests.conformance.agent_drifts import FULL_AGENTS, FULL_FOUNDRY, new_version
from tests.conformance.cases import DATA, FILES, MISSING, TOWN, put
from tests.conformance.drifts import FULL, FULL_ARM
from tests.support.live import is_bare
from tests.support.stage import Json, Stage, causes, shown

SPECS = {"assistants": FULL, "account": FULL_ARM, "agents": FULL_AGENTS, "foundry": FULL_FOUNDRY}
TOUCHED: dict[str, tuple[str, ...]] = {
    # Which specs see anything of a switch. What both services do alike for files and stores is held to it once here,
    # and on the other with the odd services below.
    "metadata_modify": ("assistants",),
    "tool_resources_modify": ("assistants",),
    "defaults_filled": ("assistants",),
    "tools_order": ("assistants", "agents"),
    "file_search_defaults": ("assistants",),
    "tool_resources_defaults": ("assistants",),
    "absent_fields": ("assistants",),
    "unnamed_store": ("assistants",),
    "empty_list_ids": ("assistants", "agents"),
    "files_has_more": ("assistants",),
    "filename_quotes": ("assistants",),
    "same_filename": ("assistants",),
    "chunking_answer": ("assistants",),
    "arm_polling": ("account", "foundry"),
    "arm_patch_answer": ("account", "foundry"),
    "deployment_defaults": ("account",),
    "project_identity": ("foundry",),
    "identical_agent_version": ("agents",),
    "agent_defaults": ("agents",),
    "agent_references": ("agents",),
    "agents_last_id": ("agents",),
    "last_agent_version": ("agents",),
}
# Switches that have nothing to do with what is stored or listed, or that make asstops refuse.
ELSEWHERE = {
    "modify_instructions_limit": "an update of a long prompt, below",
    "tools_modify": "below, since a service that merges tools cannot take one away",
    "function_strict": "below, since `refuse` is an error",
    "assistants_content": "asstops never downloads a file",
    "assistants_api": "a message, see the command line's tests",
    "permission_denied_status": "a message, see the command line's tests",
    "conflict_retry_after": "see the tests of faults",
    "rate_limit_headers": "of refusals, see the tests of the limiter",
    "agent_names": "see test_versions",
    **dict.fromkeys(
        ("message_content_parts", "message_delete", "run_tool_choice_required", "run_step_object",
         "stream_filter_results", "agent_overrides", "citation_marks"),
        "of conversations, which nothing here has",
    ),
}  # fmt: skip
SWITCHES = [
    pytest.param(spec, name, value, id=f"{spec}-{name}-{value}")
    for name, specs in TOUCHED.items()
    for spec in specs
    for value in BEHAVIOURS[name][1:]  # the first is the default, which every other test runs under
    if value != "same_definition"  # below, since metadata alone cannot be changed then
]


def test_no_switch_is_forgotten() -> None:
    assert TOUCHED.keys() | ELSEWHERE.keys() == BEHAVIOURS.keys()


def _changed(spec: Json) -> Json:
    """The spec with something else in every place that a switch may touch, and something left out."""
    if "resource" in spec:
        spec = put(spec, ("resource", "tags"), {"other": "y"})
        if "project" in spec["resource"]:
            spec = put(spec, ("resource", "project"), {"name": "conf-project", "description": "Two."})
        spec = put(spec, ("deployments", "gpt", "sku", "capacity"), 20)
        spec = put(spec, ("deployments", "gpt", "version_upgrade"), "OnceCurrentVersionExpired")
        return put(spec, ("deployments", "gpt", "tags"), {"other": "y"})
    tools = spec["assistants"]["helper"]["tools"]
    spec = put(spec, ("assistants", "helper", "metadata"), {"other": "y"})
    spec = put(spec, ("assistants", "helper", "tools"),
               [{"function": "stock"}, {"function": "weather"}, "code_interpreter", *tools[3:4]])  # fmt: skip
    spec = put(spec, ("assistants", "helper", "temperature"), 0.9)
    spec = put(spec, ("vector_stores", "docs", "metadata"), {"other": "y"})
    return put(spec, ("vector_stores", "docs", "files"), ["b"])


def _lives(stage: Stage, spec: Json) -> None:
    """Made, changed, stripped and taken away; after each step nothing is left to do, and one change is one version."""
    bare = {key: item for key, item in spec["assistants"]["helper"].items() if key == "model"}
    for number, step in enumerate((spec, _changed(spec), put(spec, ("assistants", "helper"), bare)), start=1):
        stage.apply(step, FILES)
        stage.assert_settled()
        if spec is FULL_AGENTS:
            assert [len(agent["versions"]) for agent in stage.dump()["agents"]] == [number]
    stage.destroy()
    assert is_bare(stage.dump())


@pytest.mark.parametrize(("spec", "name", "value"), SWITCHES)
def test_whatever_the_service_does_a_second_plan_is_empty(
    staged: Callable[..., Stage], spec: str, name: str, value: str
) -> None:
    _lives(staged(behaviour={name: value}), SPECS[spec])


ODD = {
    "metadata_modify": "merge", "tools_order": "reordered", "absent_fields": "null", "unnamed_store": "null",
    "empty_list_ids": "null", "files_has_more": "true", "chunking_answer": "other",
}  # fmt: skip
ODD_ARM = {"arm_polling": "location", "arm_patch_answer": "200", "deployment_defaults": "left_out"}


@pytest.mark.parametrize(
    ("spec", "behaviour"),
    [
        ("assistants", {**ODD, "file_search_defaults": "filled", "tool_resources_defaults": "filled",
                        "defaults_filled": "filled"}),
        ("assistants", {"tool_resources_modify": "replace", "files_has_more": "left_out", "function_strict": "drop",
                        "filename_quotes": "decoded"}),
        ("account", ODD_ARM),
        ("agents", {**ODD, "agent_defaults": "filled", "identical_agent_version": "same",
                    "agents_last_id": "always"}),
        ("agents", {"agent_defaults": "null", "files_has_more": "left_out", "agent_references": "unchecked",
                    "last_agent_version": "refused", "filename_quotes": "decoded"}),
        ("foundry", {**ODD_ARM, "project_identity": "optional"}),
    ],
    ids=["assistants-1", "assistants-2", "account", "agents-1", "agents-2", "foundry"],
)  # fmt: skip
def test_odd_services_are_odd_in_more_than_one_way(
    staged: Callable[..., Stage], spec: str, behaviour: dict[str, str]
) -> None:
    _lives(staged(behaviour=behaviour), SPECS[spec])


def test_a_pair_that_left_the_spec_is_emptied_where_the_service_merges(staged: Callable[..., Stage]) -> None:
    """A merging service keeps what a request leaves out; an empty pair is as good as none."""
    stage = staged(behaviour={"metadata_modify": "merge"})
    stage.apply(put(FULL, ("assistants", "helper", "metadata"), {"gone": "1", "kept": "2"}), FILES)
    stage.apply(put(FULL, ("assistants", "helper", "metadata"), {"kept": "2"}))
    stage.assert_settled()
    (helper,) = stage.dump()["assistants"]
    assert {key: value for key, value in helper["metadata"].items() if key != "asstops" and value} == {"kept": "2"}


def test_a_tool_that_the_service_keeps_is_reported(staged: Callable[..., Stage]) -> None:
    """Where tools are merged one can be added, but none taken away: that is said, and nothing is hidden."""
    stage = staged(behaviour={"tools_modify": "merge"})
    at = ("assistants", "helper", "tools")
    stage.apply(put(DATA, at, [{"function": "weather"}]), FILES)
    stage.apply(put(DATA, at, [{"function": "weather"}, "code_interpreter"]))
    stage.assert_settled()

    report = stage.apply(put(DATA, at, [{"function": "weather"}]), succeed=False)
    assert [str(event.address) for event in report.failed] == ["assistant.helper"]
    assert "code_interpreter was sent as False and the service keeps True" in report.failed[0].message
    assert shown(stage.plan()) == {"assistant.helper": ("update", ("code_interpreter",))}


@pytest.mark.parametrize("value", ["echo", "drop"])
def test_strict_functions(staged: Callable[..., Stage], value: str) -> None:
    """A service that forgets `strict` is no reason to fail, nor to plan the same change for ever."""
    stage = staged(behaviour={"function_strict": value})
    spec = put(DATA, ("tools", "weather", "strict"), True)
    stage.apply(spec, FILES)
    stage.assert_settled()
    stage.apply(put(spec, ("tools", "weather", "parameters"), TOWN))
    stage.assert_settled()
    stage.apply(DATA)
    stage.assert_settled()


def test_long_instructions_are_said_to_be_too_long_by_the_service(staged: Callable[..., Stage]) -> None:
    """Where modify takes less than create, the report says so, and the next plan still shows the change."""
    stage = staged(behaviour={"modify_instructions_limit": "32768"})
    stage.apply(put(DATA, ("assistants", "helper", "instructions"), "Long. " * 10_000), FILES)
    stage.assert_settled()
    longer = put(DATA, ("assistants", "helper", "instructions"), "Longer. " * 10_000)
    report = stage.apply(longer, succeed=False)
    assert [str(event.address) for event in report.failed] == ["assistant.helper"]
    assert shown(stage.plan()) == {"assistant.helper": ("update", ("instructions",))}


def test_retired_services_are_recognised(staged: Callable[..., Stage]) -> None:
    for value in ("retired_404", "retired_410"):
        stage = staged(value, behaviour={"assistants_api": value})
        stage.write(DATA, FILES)
        with pytest.raises(Retired, match="2026-08-26"):
            stage.plan()


# Agents -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["filled", "null"])
def test_what_others_made_is_compared_in_the_form_of_the_service(staged: Callable[..., Stage], value: str) -> None:
    """A version of somebody else is put back whatever its form; after that nothing is left to do."""
    stage = staged(behaviour={"agent_defaults": value})
    stage.apply(FULL_AGENTS, FILES)
    new_version(stage, "helper", {"instructions": "Theirs."}, copied=False)
    assert causes(stage.plan()) == {"assistant.helper": {"instructions": "drift"}}
    stage.apply()
    stage.assert_settled()


@pytest.mark.parametrize("value", ["filled", "null"])
def test_what_the_service_fills_in_is_not_sent_back(staged: Callable[..., Stage], value: str) -> None:
    """Neither its defaults, which a reasoning model may refuse, nor its nulls; those in a user's own document stay."""
    stage = staged(behaviour={"agent_defaults": value})
    described = {"type": "object", "properties": {"city": {"type": "string", "default": None}}}
    spec = put(AGENTS, ("tools", "weather", "parameters"), described)
    stage.apply(spec, FILES)
    stage.apply(put(spec, ("assistants", "helper", "instructions"), "Be brief."))
    stage.assert_settled()
    (agent,) = stage.dump()["agents"]
    first, second = (version["definition"] for version in agent["versions"])
    assert second.pop("instructions") == "Be brief."
    assert not {"temperature", "top_p"} & second.keys()
    if value == "null":
        assert second == first
    tools = {tool["type"]: tool for tool in second["tools"]}
    assert tools["function"]["parameters"] == described
    assert "functions" not in tools["openapi"]["openapi"]


def test_a_setting_that_was_the_default_may_leave_the_spec(staged: Callable[..., Stage]) -> None:
    """A service that fills in its defaults shows the same as before: that is no setting that it has kept."""
    stage = staged(behaviour={"agent_defaults": "filled"})
    spec = put(FULL_AGENTS, ("assistants", "helper", "tools", 0, "code_interpreter", "memory_limit"), "1g")
    spec = put(spec, ("assistants", "helper", "tools", 1, "file_search", "max_num_results"), 20)
    spec = put(spec, ("assistants", "helper", "tools", 5, "web_search", "search_context_size"), "medium")
    stage.apply(spec, FILES)
    spec = put(spec, ("assistants", "helper", "tools", 0, "code_interpreter", "memory_limit"), MISSING)
    spec = put(spec, ("assistants", "helper", "tools", 1, "file_search", "max_num_results"), MISSING)
    stage.apply(put(spec, ("assistants", "helper", "tools", 5, "web_search", "search_context_size"), MISSING))
    stage.assert_settled()


def test_a_service_that_looks_at_the_definition_alone(staged: Callable[..., Stage]) -> None:
    """There metadata cannot be changed by itself: that is said, nothing is lost, and it goes with the next change."""
    stage = staged(behaviour={"identical_agent_version": "same_definition"})
    stage.apply(FULL_AGENTS, FILES)
    other = put(FULL_AGENTS, ("assistants", "helper", "metadata"), {"owner": "y"})
    report = stage.apply(other, succeed=False)
    assert [str(event.address) for event in report.failed] == ["assistant.helper"]
    assert "made no new one" in report.failed[0].message
    assert shown(stage.plan()) == {"assistant.helper": ("update", ("metadata.owner",))}
    stage.apply(put(other, ("assistants", "helper", "temperature"), 0.9))
    stage.assert_settled()
