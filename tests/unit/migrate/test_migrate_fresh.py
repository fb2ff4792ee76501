"""From objects of the service to a spec: field by field, and whatever comes in, the spec loads."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asstops.errors import SpecInvalid, UsageError
from asstops.migrate.exported import Exported
from asstops.migrate.fresh import SPEC, Migration, from_exported
from asstops.migrate.report import Outcome, Output
from asstops.spec import Stack, load

Json = dict[str, Any]
STORE = {"object": "vector_store", "id": "vs_1", "name": "Docs", "file_counts": {"total": 1}}
FILE = {"object": "file", "id": "file-1", "filename": "a.md", "bytes": 7}
ATTACHED = {"object": "vector_store.file", "id": "file-1", "vector_store_id": "vs_1"}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}

# The same examples in every run: what a run finds is then its own doing.
QUICK = settings(
    deadline=None, max_examples=120, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)


def migrated(*items: Any, **options: Any) -> Migration:
    found = Exported()
    found.take(list(items), "x.json")
    return from_exported(found, **{"stack": "moved", "source": "x.json", **options})


def assistant(**fields: Any) -> Json:
    return {"object": "assistant", "id": "asst_00000001", "model": "gpt-4o", "name": "One", **fields}


def spec_of(made: Migration) -> Json:
    return dict(yaml.safe_load(made.outputs[0].text))


def entry_of(made: Migration, key: str = "one") -> Json:
    return dict(spec_of(made)["assistants"][key])


def told(made: Migration, outcome: Outcome) -> dict[tuple[str, str], str]:
    return {(entry.address, entry.field): entry.told for entry in made.report.of(outcome)}


def loaded(made: Migration) -> Stack:
    """The spec as asstops reads it, with something in the place of every file that is to be put there."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        texts = {output.path: output.text for output in made.outputs}
        texts |= {item.path: "x" for item in made.report.missing}
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(text.encode())
        try:
            return load(base=folder)
        except SpecInvalid as error:
            told = [problem.message for problem in error.problems]
            raise AssertionError(f"{told}\n{made.outputs[0].text}") from error


def test_every_field() -> None:
    """What both services have is kept; prompts and schemas get files of their own."""
    made = migrated(
        assistant(
            name="Sales RAG",
            description="Answers.",
            instructions="Be brief.\n",
            temperature=0.2,
            top_p=1.0,
            tools=[
                {"type": "file_search", "file_search": {"max_num_results": 5}},
                {"type": "code_interpreter"},
                {"type": "function", "function": {"name": "get_it", "description": "Gets.", "parameters": SCHEMA}},
            ],
            tool_resources={
                "file_search": {"vector_store_ids": ["vs_1"]},
                "code_interpreter": {"file_ids": ["file-1"]},
            },
            metadata={"owner": "me", "asstops": "1 old assistant.x 1 n - -|"},
        ),
        STORE,
        FILE,
        {**ATTACHED, "chunking_strategy": {"static": {"max_chunk_size_tokens": 400, "chunk_overlap_tokens": 100}}},
    )
    assert entry_of(made, "sales-rag") == {
        "name": "Sales RAG",
        "model": "gpt-4o",
        "description": "Answers.",
        "instructions": {"file": "prompts/sales-rag.md"},
        "tools": [
            {"file_search": {"vector_store": "docs", "max_num_results": 5}},
            {"code_interpreter": {"files": ["a"]}},
            {"function": "get-it"},
        ],
        "temperature": 0.2,
        "metadata": {"owner": "me"},
    }
    spec = spec_of(made)
    assert spec["files"] == {"a": {"path": "files/a.md"}}
    assert spec["vector_stores"] == {
        "docs": {
            "name": "Docs",
            "files": ["a"],
            "chunking": {"max_chunk_size_tokens": 400, "chunk_overlap_tokens": 100},
        }
    }
    assert spec["tools"] == {
        "get-it": {"name": "get_it", "description": "Gets.", "parameters": {"file": "tools/get-it.json"}}
    }
    texts = {output.path: output.text for output in made.outputs}
    assert texts["prompts/sales-rag.md"] == "Be brief.\n\n"
    assert json.loads(texts["tools/get-it.json"]) == SCHEMA
    assert told(made, Outcome.LOST) == {}
    assert {field for address, field in told(made, Outcome.KEPT) if address == "assistant.sales-rag"} == {
        "model", "description", "instructions", "temperature", "top_p", "metadata", "code_interpreter",
        "file_search.vector_store", "file_search.max_num_results", "tools.function get-it",
    }  # fmt: skip
    assert [(item.path, item.size_bytes) for item in made.report.missing] == [("files/a.md", 7)]
    stack = loaded(made)
    assert (stack.service, stack.name) == ("agents", "moved")
    (agent,) = (resource for address, resource in stack.resources.items() if address.kind == "assistant")
    assert agent.body["instructions"] == "Be brief.\n"


SECRET = "sk-proj-abcdefghijklmnopqrstuvwx1234567890ABCDEFG"
ANONYMOUS = {"type": "anonymous"}
LOST = Outcome.LOST
CHANGED = Outcome.CHANGED
CASES: list[tuple[Json, Outcome, str, str]] = [
    ({"description": "x" * 600}, LOST, "description", "600 characters and is cut to the 512"),
    ({"instructions": "x" * 256_001}, LOST, "instructions", "cut to the 256,000"),
    ({"instructions": f"use {SECRET} ok"}, LOST, "instructions", "real key or token"),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"title": SECRET}}}},
        LOST, "response_format", "real key or token",
    ),
    (
        {"tools": [{"type": "openapi", "openapi": {"name": "a", "spec": {"x": SECRET}, "auth": ANONYMOUS}}]},
        LOST, "tools[0]", "real key or token",
    ),
    ({"instructions": 5}, LOST, "instructions", "no text"),
    ({"instructions": "a\r\nb"}, CHANGED, "instructions", "LF"),
    ({"instructions": "half \ud800 pair"}, CHANGED, "instructions", "half a surrogate pair"),
    ({"name": "x" * 300}, LOST, "name", "cut to the 256"),
    ({"temperature": 3}, LOST, "temperature", "0 to 2"),
    ({"temperature": True}, LOST, "temperature", "no number"),
    ({"top_p": "high"}, LOST, "top_p", "no number"),
    ({"reasoning_effort": "low"}, CHANGED, "reasoning_effort", "reasoning.effort"),
    ({"reasoning_effort": "hard"}, LOST, "reasoning_effort", "no agent takes"),
    ({"response_format": {"type": "xml"}}, LOST, "response_format", "none that is known"),
    ({"response_format": {"type": "json_schema", "json_schema": {"name": "a b"}}}, LOST, "response_format", "none"),
    ({"tools": {}}, LOST, "tools", "no list"),
    ({"tools": [5]}, LOST, "tools[0]", "says not which"),
    ({"tools": [{"type": "browser"}]}, LOST, "tools[0]", "no tool 'browser'"),
    ({"tools": [{"type": "file_search"}]}, LOST, "file_search", "no vector store"),
    ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, LOST, "tools[0]", "no name that a service takes"),
    ({"tools": [{"type": "mcp", "server_label": "x"}]}, LOST, "tools[0]", "no server_url"),
    ({"tools": [{"type": "openapi", "openapi": {}}]}, LOST, "tools[0]", "no OpenAPI document"),
    ({"tool_resources": {"code_interpreter": {"file_ids": ["f"]}}}, LOST, "tool_resources.code_interpreter", "not"),
    ({"metadata": {"asstops.x": "y"}}, LOST, "metadata.asstops.x", "reserved"),
    ({"metadata": {"token": "y"}}, LOST, "metadata.token", "credential"),
    ({"metadata": {"<<": "y"}}, LOST, "metadata.<<", "merge"),
    ({"metadata": {"k" * 65: "y"}}, LOST, "metadata." + "k" * 64, "65 characters"),
    ({"metadata": {"k": "v" * 513}}, LOST, "metadata.k", "512"),
    ({"metadata": {"k": 5}}, CHANGED, "metadata.k", "text now"),
    ({"metadata": {"display_name": "x"}}, LOST, "metadata.display_name", "taken"),
    ({"metadata": "text"}, LOST, "metadata", "no map"),
    ({"metadata": {f"k{n}": "v" for n in range(15)}}, LOST, "metadata.k14", "at most 14"),
    ({"surprise": {"a": 1}}, LOST, "surprise", "no"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "outcome", "field", "why"), CASES, ids=lambda value: str(value)[:40])
def test_what_cannot_come_along_is_told(fields: Json, outcome: Outcome, field: str, why: str) -> None:
    made = migrated(assistant(**fields))
    (address,) = {entry.address for entry in made.report.entries if entry.address.startswith("assistant.")}
    found = told(made, outcome)
    assert why in found[address, field]
    assert loaded(made).service == "agents"
    assert SECRET not in "".join(output.text for output in made.outputs) + repr(made.report)


def test_an_assistant_without_a_model() -> None:
    """All else of it comes along; the spec wants a model before it is valid, and with one it is."""
    made = migrated(assistant(model=None, instructions="Be brief.", temperature=0.5))
    assert entry_of(made) == {"name": "One", "instructions": {"file": "prompts/one.md"}, "temperature": 0.5}
    assert "names no model" in told(made, LOST)["assistant.one", "model"]
    with pytest.raises(AssertionError, match="model is missing"):
        loaded(made)


def test_defaults_need_no_line() -> None:
    made = migrated(assistant(temperature=1.0, top_p=1))
    assert entry_of(made) == {"name": "One", "model": "gpt-4o"}
    kept = told(made, Outcome.KEPT)
    for field in ("temperature", "top_p"):
        assert kept["assistant.one", field] == "left out: it is the default"


def marked(stack: str, **fields: Any) -> Json:
    return assistant(metadata={"asstops": f"1 {stack} assistant.x 1 n - -|"}, **fields)


@pytest.mark.parametrize(
    ("owners", "name"),
    [
        ((), "migrated"),
        (("shop",), "shop-agents"),
        (("shop/prod", "shop"), "shop-agents"),
        (("shop", "other"), "migrated"),
        (("shop", "migrated", "migrated-agents"), "migrated-agents-2"),
    ],
)
def test_the_name_of_the_new_stack(owners: tuple[str, ...], name: str) -> None:
    """None that owns what was read: both may be applied at one project's endpoint."""
    found = Exported()
    found.take([assistant(id="asst_0"), *(marked(owner, id=f"asst_{owner}") for owner in owners)], "x.json")
    made = from_exported(found, source="x.json")
    assert (spec_of(made)["stack"], made.report.stack) == (name, name)
    assert from_exported(found, stack="new", source="x.json").report.stack == "new"
    for owner in owners:
        with pytest.raises(UsageError, match="is the name of the old stack"):
            from_exported(found, stack=owner.partition("/")[0], source="x.json")


@pytest.mark.parametrize(
    ("prompt", "read"),
    [
        ("a\r\nb\r\n", "a\nb\n"),
        ("\ufeffa", "a"),
        ("a\n\n", "a\n\n"),
        ("a", "a"),
        ("a\rb", "a\rb"),
        ("\x00\u2028", "\x00\u2028"),
    ],
)
def test_prompts_arrive_to_the_letter(prompt: str, read: str) -> None:
    """But for Windows line ends and a byte order mark, which no file of a spec keeps."""
    made = migrated(assistant(instructions=prompt))
    (agent,) = (item for address, item in loaded(made).resources.items() if address.kind == "assistant")
    assert agent.body["instructions"] == read
    assert (("assistant.one", "instructions") in told(made, CHANGED)) == (prompt != read)


def test_names() -> None:
    """Keys are valid and differ by more than case; a name that is its key needs no other place."""
    items = [
        assistant(id=f"asst_{n:08d}", name=name) for n, name in enumerate(["Ann", "ann", "ANN ", None, "☃", "ann-2"])
    ]
    made = migrated(*items)
    assert list(spec_of(made)["assistants"]) == [
        "ann",
        "ann-2",
        "ann-3",
        "assistant-00000003",
        "assistant-00000004",
        "ann-2-2",
    ]
    assert ("assistant.ann-2", "name") in told(made, CHANGED)
    assert "name" in entry_of(made, "ann-2")
    alone = migrated(assistant(name="ann"))
    assert "name" not in entry_of(alone, "ann")
    assert ("assistant.ann", "name") in told(alone, Outcome.KEPT)


def test_functions_are_defined_once() -> None:
    """The same definition once; another of the same name under a key of its own, with the name it had."""

    def tools(*definitions: Json) -> list[Json]:
        return [{"type": "function", "function": definition} for definition in definitions]

    same = {"name": "get", "description": "Gets.", "parameters": SCHEMA}
    made = migrated(
        assistant(tools=tools(same)),
        assistant(id="asst_2", name="Two", tools=tools(dict(reversed(same.items())))),
        assistant(id="asst_3", name="Three", tools=tools({**same, "strict": False}, same)),
    )
    spec = spec_of(made)
    assert [list(item["tools"][0].values()) for item in spec["assistants"].values()] == [["get"], ["get"], ["get-2"]]
    assert spec["tools"]["get-2"]["name"] == "get"
    assert "name" not in spec["tools"]["get"]
    assert "get" in told(made, CHANGED)["tools.get-2", "name"]
    assert "one name is one function" in told(made, LOST)["assistant.three", "tools[1]"]
    assert loaded(made).service == "agents"


@pytest.mark.parametrize(
    ("function", "outcome", "field"),
    [
        ({"description": None}, CHANGED, "description"),
        ({"description": "x" * 1025}, LOST, "description"),
        ({"parameters": {"type": "array"}}, LOST, "parameters"),
        ({"parameters": "text"}, LOST, "parameters"),
        ({"strict": True}, CHANGED, "strict"),
        ({"strict": "yes"}, LOST, "strict"),
        ({"other": 1}, LOST, "other"),
    ],
)
def test_odd_functions(function: Json, outcome: Outcome, field: str) -> None:
    """A schema that is no strict one is kept without strict; one that is none is left out."""
    definition = {"name": "f", "description": "Does.", "parameters": SCHEMA, **function}
    made = migrated(assistant(tools=[{"type": "function", "function": definition}]))
    assert ("tools.f", field) in told(made, outcome)
    assert loaded(made).service == "agents"


def test_an_assistant_of_version_1() -> None:
    """Its one list of files was searched and computed with."""
    made = migrated(assistant(tools=[{"type": "retrieval"}, {"type": "code_interpreter"}], file_ids=["file-1"]), FILE)
    assert entry_of(made)["tools"] == [
        {"file_search": {"vector_store": "one"}},
        {"code_interpreter": {"files": ["a"]}},
    ]
    assert spec_of(made)["vector_stores"] == {"one": {"files": ["a"]}}
    assert told(made, LOST) == {}


@pytest.mark.parametrize(
    ("more", "field", "why"),
    [
        ([{**STORE, "file_counts": {"total": 3}}], "files", "3 files"),
        ([STORE, {**ATTACHED, "id": "file-9"}], "files", "file-9"),
        ([STORE, FILE, {**ATTACHED, "chunking_strategy": {"type": "other"}}], "chunking", "does not tell"),
        ([STORE, FILE, {**ATTACHED, "chunking_strategy": {"static": {}}}], "chunking", "limits"),
        ([STORE, FILE, {**ATTACHED, "attributes": {"a": 1}}], "files", "attributes"),
        ([{**STORE, "expires_after": {"days": 400}}], "expires_after_days", "1 to 365"),
        ([{**STORE, "name": "x" * 300}], "name", "cut to 256"),
        ([{**STORE, "surprise": 1}], "surprise", "no such field"),
    ],
)  # fmt: skip
def test_what_a_store_loses(more: list[Json], field: str, why: str) -> None:
    made = migrated(assistant(), *more)
    (address,) = {entry.address for entry in made.report.entries if entry.address.startswith("vector_store.")}
    assert why in told(made, LOST)[address, field]
    assert loaded(made).service == "agents"


def test_the_record_of_asstops_stays_behind() -> None:
    record = {**STORE, "name": "asstops:shop", "metadata": {"asstops": "x"}}
    search = {"tools": [{"type": "file_search"}], "tool_resources": {"file_search": {"vector_store_ids": ["vs_1"]}}}
    for item in (assistant(), assistant(**search)):
        assert "vector_stores" not in spec_of(migrated(item, record))


def test_files_of_one_name_keep_it() -> None:
    """Citations show it, so each gets a folder; what no file system holds is renamed and told of."""
    names = ["a.md", "A.md", "../.env", "con.txt"]
    files = [{**FILE, "id": f"file-{n}", "filename": name} for n, name in enumerate(names)]
    code = {"code_interpreter": {"file_ids": [item["id"] for item in files]}}
    made = migrated(assistant(tools=[{"type": "code_interpreter"}], tool_resources=code), *files)
    paths = [entry["path"] for entry in spec_of(made)["files"].values()]
    assert paths == ["files/a.md", "files/2/A.md", "files/_.env", "files/_con.txt"]
    assert "'../.env'" in told(made, CHANGED)["file.env", "content"]
    assert "was named" not in told(made, CHANGED)["file.a-2", "content"]
    assert loaded(made).service == "agents"


def test_chosen_assistants_bring_what_they_use() -> None:
    other = {**STORE, "id": "vs_2", "name": "Other"}
    search = {"tools": [{"type": "file_search"}], "tool_resources": {"file_search": {"vector_store_ids": ["vs_1"]}}}
    items = (assistant(**search), assistant(id="asst_2", name="Two"), STORE, other, FILE, ATTACHED)
    spec = spec_of(migrated(*items, chosen=["asst_00000001"]))
    assert (list(spec["assistants"]), list(spec["vector_stores"])) == (["one"], ["docs"])
    assert list(spec_of(migrated(*items))["vector_stores"]) == ["docs", "other"]


def test_what_is_used_by_nothing_is_told() -> None:
    made = migrated(assistant(), FILE)
    assert "used by no assistant" in told(made, LOST)["(file-1)", ""]


def test_the_report_knows_whether_all_came_along() -> None:
    assert migrated(assistant()).report.is_whole
    assert not migrated(assistant(temperature=9)).report.is_whole


# Whatever comes in ----------------------------------------------------------------------------------------

TEXT = st.text(max_size=12) | st.sampled_from(
    [
        "${x}",
        "$${",
        "no",
        "~",
        "a: b\n- c",
        "\ud800",
        "sk-abcdefghijklmnopqrstuv0123456789",
        "../../etc/passwd",
        "con",
        "\x00\x1b[2J",
    ]
)
ANY = st.recursive(
    TEXT | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
IDS = st.sampled_from(["vs_1", "vs_2", "file-1", "file-2", "gone"])


def loose(**fields: Any) -> st.SearchStrategy[Json]:
    """A map with these fields, any of them left out or replaced by anything."""
    return st.fixed_dictionaries({}, optional={name: value | ANY for name, value in fields.items()})


FUNCTIONS = loose(
    name=st.sampled_from(["f", "g_h", "nul", "x" * 64]),
    description=TEXT,
    parameters=st.just(SCHEMA),
    strict=st.booleans(),
)
TOOLS = st.one_of(
    st.builds(lambda function: {"type": "function", "function": function}, FUNCTIONS),
    st.builds(
        lambda options: {"type": "file_search", "file_search": options},
        loose(max_num_results=st.integers(0, 60), ranking_options=ANY),
    ),
    st.sampled_from([{"type": kind} for kind in ("code_interpreter", "file_search", "retrieval", "browser")]),
    st.builds(
        lambda more: {"type": "mcp", **more},
        loose(server_label=TEXT, server_url=TEXT, allowed_tools=st.lists(TEXT, max_size=2)),
    ),
    st.builds(
        lambda more: {"type": "openapi", "openapi": more},
        loose(name=TEXT, spec=st.just({"openapi": "3.1.0"}), auth=st.just({"type": "anonymous"}), description=TEXT),
    ),
    ANY,
)
RESOURCES = loose(
    code_interpreter=loose(file_ids=st.lists(IDS, max_size=3)),
    file_search=loose(vector_store_ids=st.lists(IDS, max_size=2)),
)
FORMATS = loose(
    type=st.sampled_from(["text", "json_schema", "json_object"]),
    json_schema=loose(name=TEXT, schema=st.just(SCHEMA) | ANY, strict=ANY),
)
ASSISTANTS = loose(
    name=TEXT,
    description=TEXT,
    instructions=TEXT,
    model=st.just("gpt-4o"),
    tools=st.lists(TOOLS, max_size=4),
    tool_resources=RESOURCES,
    file_ids=st.lists(IDS, max_size=2),
    metadata=st.dictionaries(TEXT, TEXT, max_size=4),
    temperature=st.floats(0, 2),
    top_p=st.floats(0, 1),
    response_format=FORMATS,
    reasoning_effort=TEXT,
)
STORES = loose(
    name=TEXT,
    metadata=st.dictionaries(TEXT, TEXT, max_size=3),
    expires_after=loose(days=st.integers()),
    status=TEXT,
    file_counts=ANY,
)
ATTACHMENTS = loose(
    chunking_strategy=loose(
        type=TEXT, static=loose(max_chunk_size_tokens=st.integers(), chunk_overlap_tokens=st.integers())
    )
)
FILES = loose(filename=TEXT, bytes=st.integers())


def plain(value: Any) -> Any:
    """As JSON brings it."""
    return json.loads(json.dumps(value))


@QUICK
@given(st.lists(ASSISTANTS, max_size=3), STORES, ATTACHMENTS, FILES)
def test_whatever_comes_in_the_spec_loads(items: list[Json], store: Json, attached: Json, file: Json) -> None:
    """And every assistant is in it, once those without a model have one."""
    objects: list[Mapping[str, Any]] = [
        {**item, "object": "assistant", "id": f"asst_{number}"} for number, item in enumerate(items)
    ]
    objects += [{**store, "object": "vector_store", "id": "vs_1"}, {**file, "object": "file", "id": "file-1"}]
    objects += [{**attached, "object": "vector_store.file", "id": "file-1", "vector_store_id": "vs_1"}]
    made = migrated(*plain(objects))
    spec = spec_of(made)
    for entry in spec.get("assistants", {}).values():
        entry.setdefault("model", "gpt-4o")
    first = Output(SPEC, yaml.safe_dump(spec, allow_unicode=True))
    stack = loaded(replace(made, outputs=(first, *made.outputs[1:])))
    assert sum(1 for address in stack.resources if address.kind == "assistant") == len(items)
