"""The same promises under every behaviour that the service may have, where that is not known for certain."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from asstops.emulator.settings import BEHAVIOURS
from asstops.errors import Retired
from tests.conformance.cases import DATA, FILES, TOWN, put
from tests.conformance.test_drift import FULL, FULL_ARM
from tests.support.live import is_bare
from tests.support.stage import Json, Stage, shown

# Switches that have nothing to do with what is stored or listed, or that make asstops refuse.
ELSEWHERE = {
    "modify_instructions_limit": "an update of a long prompt, below",
    "tools_modify": "below, since a service that merges tools cannot take one away",
    "function_strict": "below, since `refuse` is an error",
    "assistants_content": "asstops never downloads a file",
    "assistants_api": "a message, see the command line's tests",
    "permission_denied_status": "a message, see the command line's tests",
    "conflict_retry_after": "see the tests of faults",
}
SWITCHES = [
    (name, value) for name, values in BEHAVIOURS.items() if name not in ELSEWHERE for value in values[1:]
]  # the first is the default, which every other test runs under


def _changed(spec: Json) -> Json:
    """The spec with something else in every place that a switch may touch, and something left out."""
    if spec is FULL_ARM:
        spec = put(spec, ("resource", "tags"), {"other": "y"})
        spec = put(spec, ("deployments", "gpt", "sku", "capacity"), 20)
        spec = put(spec, ("deployments", "gpt", "version_upgrade"), "OnceCurrentVersionExpired")
        return put(spec, ("deployments", "gpt", "tags"), {"other": "y"})
    spec = put(spec, ("assistants", "helper", "metadata"), {"other": "y"})
    spec = put(
        spec, ("assistants", "helper", "tools"), [{"function": "stock"}, {"function": "weather"}, "code_interpreter"]
    )
    spec = put(spec, ("assistants", "helper", "temperature"), 0.9)
    spec = put(spec, ("vector_stores", "docs", "metadata"), {"other": "y"})
    return put(spec, ("vector_stores", "docs", "files"), ["b"])


@pytest.mark.parametrize("spec", [FULL, FULL_ARM], ids=["data", "arm"])
@pytest.mark.parametrize(("name", "value"), SWITCHES, ids=lambda text: text)
def test_whatever_the_service_does_a_second_plan_is_empty(
    staged: Callable[..., Stage], name: str, value: str, spec: Json
) -> None:
    stage = staged(behaviour={name: value})
    stage.apply(spec, FILES)
    stage.assert_settled()

    stage.apply(_changed(spec))
    stage.assert_settled()
    bare = {key: item for key, item in spec["assistants"]["helper"].items() if key == "model"}
    stage.apply(put(spec, ("assistants", "helper"), bare))
    stage.assert_settled()
    stage.destroy()
    assert is_bare(stage.dump())


@pytest.mark.parametrize("behaviour", [
    {"metadata_modify": "merge", "tools_order": "reordered", "file_search_defaults": "filled",
     "tool_resources_defaults": "filled", "defaults_filled": "filled", "absent_fields": "null", "unnamed_store": "null",
     "empty_list_ids": "null", "files_has_more": "true", "chunking_answer": "other", "arm_polling": "location",
     "arm_patch_answer": "200", "deployment_defaults": "left_out"},
    {"tool_resources_modify": "replace", "files_has_more": "left_out", "arm_polling": "body",
     "filename_quotes": "decoded",
     "function_strict": "drop"},
])  # fmt: skip
@pytest.mark.parametrize("spec", [FULL, FULL_ARM], ids=["data", "arm"])
def test_odd_services_are_odd_in_more_than_one_way(
    staged: Callable[..., Stage], behaviour: dict[str, str], spec: Json
) -> None:
    stage = staged(behaviour=behaviour)
    stage.apply(spec, FILES)
    stage.assert_settled()
    stage.apply(_changed(spec))
    stage.assert_settled()
    stage.destroy()
    assert is_bare(stage.dump())


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
