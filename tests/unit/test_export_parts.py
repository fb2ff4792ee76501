"""The parts of `asstops export` that decide: names, what comes along, and what an entry says of a live object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from asstops.errors import NotFound, UsageError
from asstops.export.after import after
from asstops.export.choice import choose
from asstops.export.compose import compose
from asstops.export.live import Live
from asstops.export.report import Exported
from asstops.export.stack_name import stack_name
from asstops.migrate.report import Outcome
from asstops.model import Mark, Observed, Target
from asstops.services import by_name
from asstops.services.agents import _wire as agents_wire
from asstops.services.assistants import _wire as assistants_wire
from asstops.spec import load
from asstops.views.export import render_export
from tests.support.stage import shown

AGENTS = by_name("agents")
PROJECT = "https://acc.services.ai.azure.com/api/projects/sales"


def agent(name: str, metadata: dict[str, str] | None = None, **definition: Any) -> Observed:
    made = {"kind": "prompt", "model": "gpt-4o", **definition}
    latest = {"name": name, "version": "1", "definition": made, "metadata": metadata or {}}
    return agents_wire.observed({"name": name, "versions": {"latest": latest}}, frozenset())


def assistant(ident: str, **fields: Any) -> Observed:
    return assistants_wire.observed({"id": ident, "model": "gpt-4o", **fields}, frozenset())


def store(ident: str, name: str | None = "docs", *, files: Sequence[str] = (), stack: str = "") -> Observed:
    body = {"name": name, "files": list(files), "metadata": {}}
    mark = Mark(stack, "docs") if stack else None
    return Observed("vector_store", ident, name or ident, body, mark=mark, raw={"id": ident, "name": name})


def file(ident: str, name: str, size_bytes: int | None = 3) -> Observed:
    return Observed("file", ident, name, {"name": name, "size_bytes": size_bytes})


def deployment(name: str) -> Observed:
    return Observed("deployment", name, name, {"model.name": "gpt-4o", "sku.name": "Standard"})


def live(*objects: Observed) -> Live:
    kinds = ("assistant", "vector_store", "file", "deployment")
    return Live({kind: [item for item in objects if item.kind == kind] for kind in kinds})


def made(*objects: Observed, service: str = "agents", asked: Sequence[str] = ()) -> Exported:
    found = live(*objects)
    return compose(found, choose(found, asked), service=by_name(service), stack="s", source="here\n- x: y")


def lost(exported: Exported) -> dict[str, str]:
    return {f"{entry.address} {entry.field}": entry.told for entry in exported.entries if entry.outcome is Outcome.LOST}


def changed(exported: Exported) -> set[str]:
    return {f"{entry.address} {entry.field}" for entry in exported.entries if entry.outcome is Outcome.CHANGED}


def text_of(exported: Exported) -> str:
    return exported.outputs[0].text


@pytest.mark.parametrize(
    ("given", "places", "endpoint", "taken", "name"),
    [
        ("mine", ("Sales",), PROJECT, (), "mine"),
        ("", ("Sales_EU", "acc"), PROJECT, (), "sales-eu"),
        ("", (), PROJECT, (), "sales"),
        ("", (), "https://contoso-openai.openai.azure.com", (), "contoso-openai"),
        ("", (), "https://localhost.localdomain", (), "localhost"),
        ("", (), PROJECT, ("sales",), "sales-export"),
        ("", (), PROJECT, ("sales", "sales-export"), "sales-export-2"),
        ("", ("x" * 64,), "", ("x" * 48,), "x" * 41 + "-export"),
    ],
)
def test_the_stack_is_named_like_its_place(
    given: str, places: tuple[str, ...], endpoint: str, taken: tuple[str, ...], name: str
) -> None:
    """Unless a stack that is there has that name."""
    assert stack_name(given, places, endpoint, taken) == name


@pytest.mark.parametrize("endpoint", ["", "http://127.0.0.1:8642", "http://localhost:1"])
def test_a_bare_address_names_no_stack(endpoint: str) -> None:
    with pytest.raises(UsageError, match="gives the new stack a name"):
        stack_name("", (), endpoint, ())


def test_a_name_that_is_taken_is_refused() -> None:
    with pytest.raises(UsageError, match="a stack theirs is there already"):
        stack_name("theirs", (), PROJECT, {"theirs"})


def test_what_was_asked_for_brings_what_it_needs() -> None:
    """Stores of other stacks are referred to; nobody else's assistants come along."""
    search = [{"type": "file_search", "vector_store_ids": ["vs_1", "vs_2"]}]
    one, two = agent("one", tools=search), agent("two")
    found = live(one, two, store("vs_1"), store("vs_2", stack="theirs"), store("vs_3"), deployment("gpt-4o"))
    choice = choose(found, ["one"])
    assert [item.remote_id for item in (*choice.assistants, *choice.stores, *choice.deployments)] == [
        "one",
        "vs_1",
        "gpt-4o",
    ]
    assert choice.referred == {("vector_store", "vs_2")}
    assert choice.left == ()
    everything = choose(found)
    assert [item.remote_id for item in (*everything.assistants, *everything.stores)] == ["one", "two", "vs_1", "vs_3"]
    assert [item.remote_id for item in everything.left] == ["vs_2"]


def test_what_is_asked_for_by_name() -> None:
    """A kind in front of it tells two of one name apart."""
    found = live(agent("same"), deployment("same"), store("vs_1"), store("vs_2"))
    assert [item.kind for item in choose(found, ["deployment.same"]).deployments] == ["deployment"]
    with pytest.raises(UsageError, match="2 objects are named docs"):
        choose(found, ["docs"])
    with pytest.raises(NotFound, match="there is no object nobody"):
        choose(found, ["nobody"])
    with pytest.raises(NotFound, match="there is no file same"):
        choose(found, ["file.same"])


def test_what_acts_on_a_comment_stays_in_it() -> None:
    """Names of files and the source stand in comments, on one line."""
    exported = made(file("file-1", "a\nvars: {}\u2028b\x1b"), store("vs_1", files=["file-1"]), agent("one"))
    assert "# Made by asstops export from here?- x: y\n" in text_of(exported)
    assert "  avars-b: {id: file-1}  # a?vars: {}?b?, 3 B\n" in text_of(exported)


def test_a_key_in_a_file_name_stays_out_of_the_comment() -> None:
    secret = "sk-proj-" + "a1B2" * 12
    exported = made(file("file-1", secret), store("vs_1", files=["file-1"]))
    assert secret not in text_of(exported)
    assert "{id: file-1}  # 3 B\n" in text_of(exported)


def test_an_agent_is_named_by_its_key() -> None:
    """Its name for people is in the metadata, and only there where it is no name that a spec takes."""
    text = text_of(made(agent("one", {"display_name": "One: #1", "a": "b"}), agent("two", {"display_name": ""})))
    assert 'one: {name: "One: #1", model: gpt-4o, metadata: {a: b}}' in text
    assert 'two: {model: gpt-4o, metadata: {display_name: ""}}' in text


def test_half_of_a_setting_is_not_written() -> None:
    """It would change the other half; left out, all of it stays as it is."""
    exported = made(
        agent(
            "one",
            instructions="x" * 256_001,
            temperature=3,
            reasoning={"effort": "low", "generate_summary": "auto"},
            tools=[
                {
                    "type": "file_search",
                    "vector_store_ids": ["vs_1"],
                    "ranking_options": {"ranker": "auto", "hybrid_search": {}},
                }
            ],
        ),
        store("vs_1"),
    )
    fields = {"instructions", "temperature", "reasoning", "file_search.ranking_options"}
    assert lost(exported).keys() == {f"assistant.one {field}" for field in fields}
    assert all("stays as it is" in told for told in lost(exported).values())
    assert text_of(exported).endswith("  one:\n    model: gpt-4o\n    tools: [{file_search: {vector_store: docs}}]\n")


def test_what_the_next_apply_would_take_out_is_told() -> None:
    """The spec names all tools, so one that is left out goes."""
    exported = made(
        agent(
            "one",
            {f"k{number}": "v" for number in range(16)},
            tools=[
                {"type": "mcp", "server_label": "a", "server_url": "https://x.org", "headers": {"x": "y"}},
                {"type": "mcp", "server_label": "b", "server_url": "https://x.org", "authorization": "x"},
                {"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["file-gone"]}},
                {"type": "file_search", "vector_store_ids": ["vs_gone"]},
                {"type": "image_generation"},
            ],
        )
    )
    assert lost(exported).keys() == {
        "assistant.one metadata",
        "assistant.one metadata.k15",
        "assistant.one tools.mcp a",
        "assistant.one tools.mcp b: authorization",
        "assistant.one code_interpreter.files",
        "assistant.one file_search.vector_store",
        "assistant.one tools.file_search",
        "assistant.one tools",
    }
    assert "tools: [code_interpreter, {mcp: {server_label: b, server_url: " in text_of(exported)


def test_what_only_the_service_shows_is_told() -> None:
    """Settings inside of tools and texts, which neither the spec nor a plan knows."""
    tools: list[dict[str, Any]] = [
        {"type": "code_interpreter", "container": {"type": "auto", "network_policy": {"type": "disabled"}}},
        {"type": "file_search", "vector_store_ids": ["vs_1"], "filters": {"type": "eq"}, "max_num_results": 3},
        {"type": "web_search", "filters": {"allowed_domains": ["a"], "blocked": ["b"]}, "external": True},
    ]
    exported = made(agent("one", tools=tools, text={"verbosity": "low"}), store("vs_1"))
    assert lost(exported).keys() == {
        "assistant.one text.verbosity",
        "assistant.one code_interpreter.container.network_policy",
        "assistant.one file_search.filters",
        "assistant.one web_search.external",
        "assistant.one web_search.filters.blocked",
    }
    search = {"type": "file_search", "file_search": {"max_num_results": 3, "ranking_options": {"score_threshold": 0.5}}}
    old = assistant("asst_1", name="one", tools=[search, {"type": "retrieval"}], reasoning_effort="low")
    filled = {"type": "file_search", "file_search": {"ranking_options": {"ranker": "x", "score_threshold": 0.0}}}
    assert lost(made(assistant("asst_1", name="one", tools=[filled]), service="assistants")) == {}
    assert lost(made(old, service="assistants")).keys() == {
        "assistant.one file_search.ranking_options",
        "assistant.one tools.retrieval",
        "assistant.one reasoning_effort",
    }


def test_a_name_is_always_said_of_assistants() -> None:
    """One without a name gets its key; names that repeat get keys that do not."""
    exported = made(
        assistant("asst_1", name="A b"), assistant("asst_2", name="a-B"), assistant("asst_3xyz"), service="assistants"
    )
    assert [str(item.address) for item in exported.items] == [
        "assistant.a-b",
        "assistant.a-b-2",
        "assistant.assistant-sst-3xyz",
    ]
    assert changed(exported) == {"assistant.assistant-sst-3xyz name"}


def test_what_no_spec_can_name_is_left_out() -> None:
    workflow = replace(agent("flow"), problems={"kind": "it is an agent of kind workflow"})
    exported = made(workflow, agent("under_score"), agent("one"))
    assert lost(exported).keys() == {"(flow) ", "(under_score) "}
    assert [str(item.address) for item in exported.items] == ["assistant.one"]


def test_idle_files_are_told_of() -> None:
    (told,) = made(file("file-1", "a.md"), agent("one")).notices
    assert told == "1 file that nothing here uses is left out: a.md (file-1)"
    assert made(file("file-1", "a.md"), agent("one"), asked=["one"]).notices == ()
    assert "a: {id: file-1}" in text_of(made(file("file-1", "a.md"), asked=["file-1"]))


def test_the_outlook_is_a_plan(tmp_path: Path) -> None:
    """Every change that is left once all is adopted; and names that repeat are adopted by id."""
    objects = live(agent("one", temperature=0.5), store("vs_1"), store("vs_2"), store("vs_3", None))
    exported = compose(objects, choose(objects), service=AGENTS, stack="s", source="here")
    (tmp_path / "asstops.yaml").write_text(text_of(exported), encoding="utf-8")
    target = Target("s", "agents", "", "", "")
    found = after(exported, objects, load(base=tmp_path).resources, AGENTS.rules, target)
    assert [str(address) for address in found.by_name] == ["assistant.one"]
    assert {str(address): ident for address, ident in found.by_id.items()} == {
        "vector_store.docs": "vs_1",
        "vector_store.docs-2": "vs_2",
        "vector_store.store-vs-3": "vs_3",
    }
    assert (found.trust, found.refused, found.is_empty) == (False, (), False)
    assert found.plan is not None
    # The second store keeps its name, which is not its key.
    assert shown(found.plan) == {"vector_store.store-vs-3": ("update", ("name",))}


def test_a_namesake_is_not_adopted_in_its_place(tmp_path: Path) -> None:
    """What was exported is another stack's, and a store of nobody has its name: then nothing goes by name."""
    objects = live(agent("one"), store("vs_1", stack="theirs"), store("vs_2"))
    exported = compose(objects, choose(objects, ["one", "vs_1"]), service=AGENTS, stack="s", source="here")
    (tmp_path / "asstops.yaml").write_text(text_of(exported), encoding="utf-8")
    found = after(exported, objects, load(base=tmp_path).resources, AGENTS.rules, Target("s", "agents", "", "", ""))
    assert [problem.message for problem in found.refused] == ["vector_store.docs: vs_1 belongs to the stack 'theirs'"]
    assert found.by_name == ()
    assert {str(address): ident for address, ident in found.by_id.items()} == {"assistant.one": "one"}


def test_the_same_remark_about_many_stands_once() -> None:
    """Two hundred agents with one odd setting make one paragraph, with all that is said in it made harmless."""
    exported = made(*(agent(f"a{number}", rai_config={"x": "\x1b"}) for number in range(200)))
    for width in (60, 100):
        text = render_export(exported, _nothing(), ["a.yaml"], [], dry_run=False, color=False, width=width)
        assert text.count("rai_config") == 1
        assert "and 192 more" in text
        assert all(len(line) <= width for line in text.splitlines())
        assert "\x1b" not in text


def _nothing() -> Any:
    from asstops.export.report import After

    return After()
