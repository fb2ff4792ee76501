"""`asstops export`: a spec of what others made, which a plan finds nothing to do for once it has adopted them."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import jsonschema
import pytest
import yaml

from asstops import schemas
from tests.support.inside import Inside
from tests.support.made_by_others import OPENAPI, populate
from tests.support.stage import Stage, causes, emulator, shown, staged_in

Json = dict[str, Any]
SCHEMA_OF_REPORT = jsonschema.Draft202012Validator(schemas.load("export"))
SCHEMA: Json = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
FUNCTION: Json = {"name": "weather", "description": "Weather in ${city}.", "parameters": SCHEMA, "strict": True}
ACCOUNT: Json = {
    "location": "swedencentral",
    "kind": "AIServices",
    "sku": {"name": "S0"},
    "identity": {"type": "SystemAssigned"},
    "properties": {"customSubDomainName": "acc-sub", "allowProjectManagement": True},
    "tags": {"theirs": "1"},
}
HOME = "/acc/api/projects/sales"
WHERE: Json = {
    "stack": "where",
    "resource": {
        "name": "acc",
        "resource_group": "rg",
        "managed": False,
        "project": {"name": "sales", "managed": False},
    },
}


@pytest.fixture
def inside(stage: Stage) -> Inside:
    return Inside(stage.folder, stage.environ)


def exported(inside: Inside, *arguments: str, service: str = "agents", **options: Any) -> Json:
    given = [] if "-f" in arguments else ["--service", service, "--stack", "mine"]
    told = dict(json.loads(inside.run("export", *given, *arguments, "--format", "json", **options).stdout))
    SCHEMA_OF_REPORT.validate(told)
    return told


def adopt(inside: Inside, told: Json) -> None:
    """The commands that the report ends with, but for the last, which is the plan."""
    *steps, plan = told["steps"]
    assert plan.endswith("plan")
    for step in steps:
        inside.run(*_words(step)[1:], "-y")


def _words(step: str) -> list[str]:
    import shlex

    return shlex.split(step)


def spec_of(stage: Stage, path: str = "asstops.yaml") -> Json:
    return dict(yaml.safe_load((stage.folder / path).read_text("utf-8")))


def planned(told: Json) -> dict[str, tuple[str, tuple[str, ...]]]:
    """What the report says of the plan after adoption, in the form of `shown`."""
    changes = told["next_plan"]["changes"]
    return {item["address"]: (item["action"], tuple(diff["path"] for diff in item["diffs"])) for item in changes}


def lost(told: Json) -> set[tuple[str, str | None]]:
    return {(item["address"], item["field"]) for item in told["entries"] if item["outcome"] == "lost"}


def agent(stage: Stage, name: str, definition: Json | None = None, *, home: str = "", **more: Any) -> None:
    made = {"kind": "prompt", "model": "gpt-4o", "instructions": f"You are {name}.", **(definition or {})}
    where = {"home": home} if home else {}
    stage.project("POST", f"/agents/{name}/versions", {"definition": made, **more}, **where)


def test_everything_an_agent_can_have(stage: Stage, inside: Inside) -> None:
    """Each field comes into the spec, prompts and schemas in files; adopted, nothing is left to plan."""
    file = stage.upload_to_project("monthly.json", b"{}")["id"]
    chunking = {"type": "static", "static": {"max_chunk_size_tokens": 400, "chunk_overlap_tokens": 100}}
    expiry = {"anchor": "last_active_at", "days": 7}
    body = {"name": "docs", "file_ids": [file], "chunking_strategy": chunking, "expires_after": expiry}
    store = stage.project("POST", "/openai/v1/vector_stores", {**body, "metadata": {"team": "x"}})["id"]
    prompt = "You are ${helper}.\n\n  Be kind.\n\n"
    auth = {"type": "project_connection", "security_scheme": {"project_connection_id": "conn"}}
    tools: list[Json] = [
        {"type": "function", **FUNCTION},
        {"type": "code_interpreter", "container": {"type": "auto", "file_ids": [file], "memory_limit": "4g"}},
        {"type": "file_search", "vector_store_ids": [store], "max_num_results": 5},
        {"type": "mcp", "server_label": "docs", "server_url": "https://example.org/mcp", "require_approval": "never"},
        {"type": "openapi", "openapi": {"name": "api", "spec": OPENAPI, "auth": auth, "default_params": ["x"]}},
        {"type": "web_search", "search_context_size": "low", "filters": {"allowed_domains": ["example.org"]}},
    ]
    form = {"type": "json_schema", "name": "answer", "schema": SCHEMA, "strict": True}
    agent(
        stage,
        "helper",
        {"instructions": prompt, "temperature": 0.2, "tools": tools, "text": {"format": form}},
        metadata={"display_name": "The helper: #1", "owner": "me"},
        description="Helps.",
    )
    agent(stage, "Helper", {"tools": [{"type": "function", **FUNCTION}], "reasoning": {"effort": "low"}})

    told = exported(inside)
    assert (lost(told), told["problems"], told["refused"], planned(told)) == (set(), [], [], {})
    spec = spec_of(stage)
    assert spec["files"] == {"monthly": {"id": file}}
    assert spec["vector_stores"]["docs"] == {
        "files": ["monthly"],
        "chunking": {"max_chunk_size_tokens": 400, "chunk_overlap_tokens": 100},
        "expires_after_days": 7,
        "metadata": {"team": "x"},
    }
    assert spec["tools"]["weather"]["parameters"] == {"file": "tools/weather.json"}
    helper = spec["assistants"]["helper"]
    assert (helper["name"], helper["metadata"], helper["temperature"]) == ("The helper: #1", {"owner": "me"}, 0.2)
    assert [next(iter(tool)) for tool in helper["tools"]] == [
        "code_interpreter",
        "file_search",
        "function",
        "mcp",
        "openapi",
        "web_search",
    ]
    assert spec["assistants"]["Helper"]["reasoning"] == {"effort": "low"}
    files = {path.relative_to(stage.folder).as_posix(): path.read_bytes() for path in stage.folder.rglob("*.*")}
    assert files["prompts/helper-2.md"] == prompt.encode() + b"\n"  # it would be one file where case does not count
    assert files["prompts/Helper.md"] == b"You are Helper.\n"
    assert json.loads(files["tools/weather.json"]) == SCHEMA
    assert {"openapi/helper-2-api.json", "schemas/helper-2.json"} < files.keys()
    assert "# monthly.json, 2 B" in (stage.folder / "asstops.yaml").read_text("utf-8")

    adopt(inside, told)
    assert "No changes." in inside.run("plan", "--detailed-exitcode").stdout
    stage.assert_settled()
    latest = {item["name"]: item["versions"][-1]["definition"] for item in stage.dump()["agents"]}
    assert latest["helper"]["instructions"] == prompt


def test_assistants_of_one_name(stage: Stage, inside: Inside) -> None:
    """Names may repeat there: those are adopted by their ids, and a command says so."""
    ids = [
        stage.data("POST", "/assistants", {"model": "gpt-4o", "name": name, "instructions": text})["id"]
        for name, text in (("helper", "one"), ("helper", "two"), ("Other: one", "CRLF\r\nstays"))
    ]
    stage.data("POST", "/vector_stores", {})
    told = exported(inside, service="assistants")
    by = {item["address"]: (item["id"], item["adopt_by"]) for item in told["objects"]}
    assert {by["assistant.helper"], by["assistant.helper-2"]} == {(ids[0], "id"), (ids[1], "id")}
    assert by["assistant.other-one"] == (ids[2], "name")
    assert [step.partition(" assistant.")[0] for step in told["steps"]] == [
        "asstops adopt --match name",
        "asstops plan",
    ]
    assert spec_of(stage)["assistants"]["other-one"]["instructions"] == "CRLF\r\nstays"
    # Only what has no name cannot stay as it is: a spec always says one.
    (unnamed,) = [address for address in by if address.startswith("vector_store.")]
    assert planned(told) == {unnamed: ("update", ("name",))}
    adopt(inside, told)
    assert shown(stage.plan()) == planned(told)
    stage.apply()
    stage.assert_settled()
    assert {item["instructions"] for item in stage.dump()["assistants"]} == {"one", "two", "CRLF\r\nstays"}


def test_an_empty_account(stage: Stage, inside: Inside) -> None:
    told = inside.run("export").stdout
    assert told.startswith("stack emulator · agents · ")  # named like the project
    assert "Nothing to export: no spec is written." in told
    assert "adopt" not in told
    data = json.loads(inside.run("export", "--format", "json", "-o", "new").stdout)
    SCHEMA_OF_REPORT.validate(data)
    assert (data["objects"], data["files"], data["steps"], data["next_plan"]) == ([], [], [], None)
    assert not list(stage.folder.glob("**/asstops.yaml"))


@pytest.mark.parametrize("service", ["agents", "assistants"])
def test_whatever_is_live(service: str) -> None:
    """Drawn at random: the plan after adoption is the one that the report foretold, and each change was told."""
    seeds = range(7)
    with emulator() as server, staged_in(server) as stage:
        inside = Inside(stage.folder, stage.environ)
        found = 0
        for seed in seeds:
            stage.reset()
            stage.clear()
            populate(stage, Random(seed), service)
            told = exported(inside, service=service)
            assert (seed, told["problems"], told["refused"]) == (seed, [], [])
            if not told["objects"]:
                continue
            adopt(inside, told)
            plan = stage.plan()
            assert (seed, shown(plan), plan.notices) == (seed, planned(told), ())
            excused = {item["address"] for item in told["entries"] if item["outcome"] != "kept"}
            odd_tools = any(address.startswith("tools.") for address in excused)
            assert odd_tools or set(shown(plan)) <= excused, seed
            found += len(told["objects"])
        assert found > 20


def test_two_hundred_objects(stage: Stage, inside: Inside) -> None:
    for number in range(150):
        agent(stage, f"agent-{number}", {"tools": [{"type": "function", **FUNCTION}]})
    for number in range(50):
        stage.project("POST", "/openai/v1/vector_stores", {"name": f"store {number}"})
    shown_to_people = inside.run("export", "--dry-run").stdout
    assert not (stage.folder / "asstops.yaml").exists()
    assert "150 assistants" in shown_to_people
    told = exported(inside)
    assert len(told["objects"]) == 200
    assert list(spec_of(stage)["tools"]) == ["weather"]  # the same tool stands there once
    assert told["steps"] == ["asstops adopt --match name", "asstops plan"]
    adopt(inside, told)
    stage.assert_settled()


def test_what_stacks_have_is_left_to_them(stage: Stage, inside: Inside) -> None:
    """Neither their objects nor their records; by its ID one comes along, and what only they own is referred to."""
    stage.apply(
        {
            "stack": "theirs",
            "origin": "here",
            "files": {"a": {"path": "a.md"}},
            "vector_stores": {"docs": {"files": ["a"]}},
            "assistants": {"taken": {"model": "gpt-4o", "tools": [{"file_search": {"vector_store": "docs"}}]}},
        },
        {"a.md": "one\n"},
    )
    store = stage.observed("vector_store").remote_id if stage.plan().is_empty else ""
    (stage.folder / "asstops.yaml").unlink()
    agent(stage, "free", {"tools": [{"type": "file_search", "vector_store_ids": [store]}]})
    told = exported(inside)
    assert [item["address"] for item in told["objects"]] == ["assistant.free", "vector_store.docs"]
    assert spec_of(stage)["vector_stores"] == {"docs": {"id": store}}
    first, second = told["notices"]
    assert "2 objects belong to the stack theirs and are left out: assistant.taken, " in first
    assert second == "vector_store.docs belongs to the stack theirs, so the spec only refers to it"
    adopt(inside, told)
    stage.assert_settled()

    asked = exported(inside, "taken", "-o", "more", "--stack", "third")
    assert {item["address"] for item in asked["objects"]} == {"assistant.taken", "vector_store.docs"}
    assert "belongs to the stack 'theirs'" in asked["refused"][0]["message"]
    assert asked["refused"][0]["file"] == "more/asstops.yaml"
    refused = inside.run("export", "--stack", "theirs", "-o", "more", code=64).stderr
    assert "a stack theirs is there already" in refused


def test_what_no_spec_can_say_is_told(stage: Stage, inside: Inside) -> None:
    """Tools that the spec does not have go with the next apply, other settings stay: the report says which."""
    stores = [stage.project("POST", "/openai/v1/vector_stores", {"name": f"s{n}"})["id"] for n in range(2)]
    key = "sk-proj-" + "a1B2" * 12
    agent(
        stage,
        "odd",
        {
            "instructions": f"Use {key}",
            "rai_config": {"rai_policy_name": "theirs"},
            "tools": [
                {"type": "file_search", "vector_store_ids": stores},
                {"type": "bing_grounding", "bing_grounding": {"search_configurations": []}},
            ],
        },
    )
    told = exported(inside)
    assert {
        ("assistant.odd", "instructions"),
        ("assistant.odd", "rai_config"),
        ("assistant.odd", "tools"),
        ("assistant.odd", "file_search.vector_store"),
    } == lost(told)
    assert planned(told) == {"assistant.odd": ("update", ("file_search.vector_store", "other_tools"))}
    assert all(key not in path.read_text("utf-8") for path in stage.folder.rglob("*.*"))
    people = inside.run("export", "--force", "--strict", code=1).stdout
    assert "Once these are adopted, the next apply would change:\n  ~ assistant.odd  file_search" in people
    assert "The spec cannot say 4 things." in people
    adopt(inside, told)
    assert shown(stage.plan()) == planned(told)


@pytest.mark.parametrize("own", [False, True])
def test_account_project_and_deployments(stage: Stage, inside: Inside, own: bool) -> None:
    """A spec with resource: leads there; the account and the project are referred to, unless --account takes them."""
    stage.arm("PUT", "acc", ACCOUNT)
    stage.arm("PUT", "acc/projects/sales", {"location": "swedencentral", "identity": {"type": "SystemAssigned"}})
    model = {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}
    properties = {"model": model, "versionUpgradeOption": "NoAutoUpgrade"}
    deployment = {"sku": {"name": "GlobalStandard", "capacity": 5}, "properties": properties, "tags": {"a": "${b}"}}
    stage.arm("PUT", "acc/deployments/gpt.v2", deployment)
    agent(stage, "helper", {"model": "gpt.v2"}, home=HOME)
    stage.write(WHERE, name="where.yaml")
    told = exported(inside, "-f", "where.yaml", *(["--account"] if own else []))
    spec = spec_of(stage)
    assert spec["stack"] == "sales"
    assert spec["deployments"] == {
        "gpt.v2": {
            "model": {"name": "gpt-4o", "version": "2024-11-20"},
            "sku": {"name": "GlobalStandard", "capacity": 5},
            "version_upgrade": "NoAutoUpgrade",
            "tags": {"a": "$${b}"},
        }
    }
    if own:
        assert spec["resource"]["custom_subdomain"] == "acc-sub"
        assert spec["resource"]["project"]["name"] == "sales"
        assert "managed" not in spec["resource"] | spec["resource"]["project"]
    else:
        assert spec["resource"] == WHERE["resource"]
    assert planned(told) == {}
    adopt(inside, told)
    stage.assert_settled()
    assert ("asstops" in stage.dump()["accounts"][0]["tags"]) is own
    if not own:  # a model that is no deployment must not make the spec invalid
        stage.arm("PUT", "acc/deployments/gone", deployment)
        agent(stage, "stray", {"model": "gone"}, home=HOME)
        stage.arm("DELETE", "acc/deployments/gone")
        told = exported(inside, "-f", "where.yaml", "stray", "-o", "stray")
        assert "deployments" not in spec_of(stage, "stray/asstops.yaml")
        assert ("(deployments)", None) in lost(told)


def test_nothing_is_overwritten_unasked(stage: Stage, inside: Inside) -> None:
    agent(stage, "helper")
    inside.run("export", "-o", "out")
    (stage.folder / "out" / "asstops.yaml").unlink()
    (stage.folder / "out" / "prompts" / "helper.md").write_text("mine\n", encoding="utf-8")
    assert "exists already" in inside.run("export", "-o", "out", code=64).stderr
    assert (stage.folder / "out" / "prompts" / "helper.md").read_text("utf-8") == "mine\n"
    assert not (stage.folder / "out" / "asstops.yaml").exists()
    told = inside.run("export", "-o", "out", "--force").stdout
    assert "asstops -f out adopt --match name" in told
    assert (stage.folder / "out" / "prompts" / "helper.md").read_text("utf-8") == "You are helper.\n"


def test_a_file_is_owned_with_its_content(stage: Stage, inside: Inside) -> None:
    """As the comment in the spec says: the content in place, path: for id:, adopted with --trust-content."""
    file = stage.upload_to_project("a.md", b"one\n")["id"]
    store = stage.project("POST", "/openai/v1/vector_stores", {"name": "docs", "file_ids": [file]})["id"]
    adopt(inside, exported(inside, store))
    spec = stage.folder / "asstops.yaml"
    spec.write_text(spec.read_text("utf-8").replace(f"{{id: {file}}}", "{path: a.md}"), encoding="utf-8")
    (stage.folder / "a.md").write_text("one\n", encoding="utf-8")
    inside.run("adopt", "file.a", file, "--trust-content", "-y")
    stage.assert_settled()
    assert [item["id"] for item in stage.dump()["files"]] == [file]


def test_a_file_that_was_referred_to_by_id_did_not_drift(stage: Stage, inside: Inside) -> None:
    """It is the spec that says something else now, and the plan says so before the file is adopted.

    Where a file of the stack was deleted and another of its name put in its place, that is drift.
    """
    names = ("a.md", "b.md", "c.md")
    ids = [stage.upload_to_project(name, b"one\n")["id"] for name in names]
    store = stage.project("POST", "/openai/v1/vector_stores", {"name": "docs", "file_ids": ids})["id"]
    adopt(inside, exported(inside))

    def own(*numbers: int) -> None:
        spec = spec_of(stage)
        for number in numbers:
            key = next(key for key, entry in spec["files"].items() if entry.get("id") == ids[number])
            spec["files"][key] = {"path": names[number]}
        stage.write(spec, dict.fromkeys(names, "one\n"))

    own(0)
    (alike,) = [notice for notice in stage.plan().notices if "no record says" in notice.message]
    assert alike.fix.startswith(f"'asstops adopt file.a {ids[0]} --trust-content' takes it over")
    assert causes(stage.plan())["vector_store.docs"] == {"files": "pending"}
    inside.run("adopt", "file.a", ids[0], "--trust-content", "-y")
    assert stage.plan().is_empty
    own(1, 2)
    several = stage.plan()
    assert several.summary().drifted_fields == 0
    assert any("2 files in the stack's stores have names" in notice.message for notice in several.notices)
    assert not any("no record of files" in notice.message for notice in several.notices)
    inside.run("adopt", "--match", "name", "--trust-content", "-y")
    assert stage.plan().is_empty

    stage.project("DELETE", f"/openai/v1/files/{ids[0]}")
    for name in (names[0], "theirs.md"):
        other = stage.upload_to_project(name, b"two\n")["id"]
        stage.project("POST", f"/openai/v1/vector_stores/{store}/files", {"file_id": other})
    changed = stage.plan()
    assert causes(changed)["vector_store.docs"] == {"files": "drift"}
    assert not any("no record of files" in notice.message for notice in changed.notices)  # there is one


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("nobody",), 1, "there is no object nobody"),
        (("vector_store.helper",), 1, "there is no vector store helper"),
        (("double",), 64, "name one of them: vector_store.vs_"),
        (("--account",), 64, "--account is for an account that a spec names"),
        (("--stack", "No"), 64, "--stack is no valid name"),
        (("-o", "new.yaml"), 64, "name a folder"),
        (("--service", "assistants"), 64, "add --stack NAME"),
    ],
)
def test_wrong_use(stage: Stage, inside: Inside, arguments: tuple[str, ...], code: int, told: str) -> None:
    agent(stage, "helper")
    for _ in range(2):
        stage.project("POST", "/openai/v1/vector_stores", {"name": "double"})
    assert told in inside.run("export", *arguments, code=code).stderr
    assert list(stage.folder.glob("*.yaml")) == []


def test_an_account_that_is_not_there(stage: Stage, inside: Inside) -> None:
    stage.write(WHERE, name="where.yaml")
    assert "is not there yet" in inside.run("-f", "where.yaml", "export", code=1).stderr
    stage.write({"stack": "where"}, name="where.yaml")
    told = inside.run("-f", "where.yaml", "export", "--account", code=64).stderr
    assert "the spec of -f names no account" in told
    assert not (stage.folder / "asstops.yaml").exists()
