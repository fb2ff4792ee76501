"""`asstops adopt`: objects that others made become the stack's, and nothing of them changes but the mark."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from asstops import schemas
from tests.support.inside import Inside
from tests.support.stage import Stage, causes, shown

Json = dict[str, Any]
AGENT: Json = {
    "kind": "prompt",
    "model": "gpt-4o",
    "instructions": "Be brief.",
    "temperature": 0.7,
    "rai_config": {"rai_policy_name": "theirs"},
}
AGENTS: Json = {
    "stack": "taker",
    "origin": "here",
    "assistants": {"helper": {"model": "gpt-4o", "instructions": "Be brief.", "temperature": 0.2}},
}
ASSISTANTS: Json = {
    "stack": "taker",
    "origin": "here",
    "service": "assistants",
    "files": {"a": {"path": "a.md"}, "b": {"path": "b.md"}},
    "vector_stores": {"docs": {"files": ["a", "b"], "metadata": {"team": "x"}}},
    "assistants": {"helper": {"model": "gpt-4o", "instructions": "Be kind.", "metadata": {"owner": "us"}}},
}
NONE: Json = {"stack": "second", "origin": "here", "service": "assistants"}
FILES = {"a.md": "one\n", "b.md": "two, longer\n"}


@pytest.fixture
def inside(stage: Stage) -> Inside:
    return Inside(stage.folder, stage.environ)


def made_by_hand(stage: Stage) -> dict[str, str]:
    """What somebody has in a portal: two files in a store, and an assistant that searches it."""
    files = [stage.upload(name, content.encode())["id"] for name, content in FILES.items()]
    store = stage.data("POST", "/vector_stores", {"name": "docs", "file_ids": files, "metadata": {"theirs": "1"}})
    assistant = stage.data(
        "POST",
        "/assistants",
        {"model": "gpt-4o", "name": "helper", "instructions": "Be kind.", "metadata": {"theirs": "1"}},
    )
    return {"a": files[0], "b": files[1], "docs": store["id"], "helper": assistant["id"]}


def test_an_agent_is_taken_over_by_its_name(stage: Stage, inside: Inside) -> None:
    stage.project("POST", "/agents/helper/versions", {"definition": AGENT, "metadata": {"theirs": "1"}})
    stage.write(AGENTS)
    refused = inside.run("plan", code=6).stderr
    assert "asstops adopt assistant.helper" in refused
    told = inside.run("adopt", "assistant.helper", "--dry-run").stdout
    assert "temperature  0.7 -> 0.2" in told
    assert "An agent gets a new version, the same but for the mark." in told
    assert len(stage.dump()["agents"][0]["versions"]) == 1

    inside.run("adopt", "assistant.helper", "-y")
    first, second = stage.dump()["agents"][0]["versions"]
    assert second["definition"] == first["definition"] == AGENT
    assert {key: value for key, value in second["metadata"].items() if key != "asstops"} == {"theirs": "1"}
    assert shown(stage.plan()) == {"assistant.helper": ("update", ("temperature",))}
    assert causes(stage.plan()) == {"assistant.helper": {"temperature": "pending"}}
    stage.apply()
    stage.assert_settled()
    assert stage.dump()["agents"][0]["versions"][-1]["definition"]["rai_config"] == {"rai_policy_name": "theirs"}


def test_a_whole_stack_by_name(stage: Stage, inside: Inside) -> None:
    """With --trust-content nothing is uploaded again: files are matched by name and size."""
    ids = made_by_hand(stage)
    stage.write(ASSISTANTS, FILES)
    inside.run("adopt", "--match", "name", "--trust-content", "-y")
    assert shown(stage.plan()) == {
        "assistant.helper": ("update", ("metadata.owner",)),
        "vector_store.docs": ("update", ("metadata.team",)),
    }
    stage.apply()
    stage.assert_settled()
    dump = stage.dump()
    assert {file["id"] for file in dump["files"]} == {ids["a"], ids["b"]}
    (assistant,) = dump["assistants"]
    assert assistant["metadata"]["theirs"] == "1"
    stage.destroy()
    assert stage.dump()["files"] == []


def test_files_come_with_their_store(stage: Stage, inside: Inside) -> None:
    ids = made_by_hand(stage)
    stage.write(ASSISTANTS, FILES)
    inside.run("adopt", "vector_store.docs", ids["docs"], "--trust-content", "-y")
    assert set(shown(stage.plan())) == {"assistant.helper", "vector_store.docs"}
    stage.apply()
    assert {file["id"] for file in stage.dump()["files"]} == {ids["a"], ids["b"]}


def test_untrusted_content_is_uploaded_anew(stage: Stage, inside: Inside) -> None:
    ids = made_by_hand(stage)
    stage.write(ASSISTANTS, FILES)
    inside.run("adopt", "file.a", ids["a"], "-y")
    inside.run("adopt", "vector_store.docs", ids["docs"], "-y")
    stage.apply()
    stage.assert_settled()
    files = {file["id"] for file in stage.dump()["files"]}
    assert ids["a"] not in files  # ours, and of unknown content: replaced
    assert ids["b"] in files  # never adopted, so it is somebody else's


def test_account_project_and_deployment(stage: Stage, inside: Inside) -> None:
    account = {
        "location": "swedencentral",
        "kind": "AIServices",
        "sku": {"name": "S0"},
        "identity": {"type": "SystemAssigned"},
        "properties": {"customSubDomainName": "acc", "allowProjectManagement": True},
        "tags": {"theirs": "1"},
    }
    model = {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}
    stage.arm("PUT", "acc", account)
    stage.arm("PUT", "acc/projects/sales", {"location": "swedencentral", "identity": {"type": "SystemAssigned"}})
    stage.arm(
        "PUT",
        "acc/deployments/gpt",
        {"sku": {"name": "GlobalStandard", "capacity": 5}, "properties": {"model": model}},
    )
    stage.write(
        {
            "stack": "taker",
            "origin": "here",
            "resource": {
                "name": "acc",
                "resource_group": "rg",
                "location": "swedencentral",
                "project": {"name": "sales", "display_name": "Sales"},
            },
            "deployments": {
                "gpt": {
                    "model": {"name": "gpt-4o", "version": "2024-11-20"},
                    "sku": {"name": "GlobalStandard", "capacity": 5},
                }
            },
        }
    )
    inside.run("adopt", "--match", "name", "-y")
    assert shown(stage.plan()) == {"project.sales": ("update", ("display_name",))}
    stage.apply()
    stage.assert_settled()
    (live,) = stage.dump()["accounts"]
    assert live["tags"]["theirs"] == "1"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("assistant.none", "asst_1"), 6, "is not in the spec\n  at: asstops.yaml:1:1\n  fix: write its entry first"),
        (("assistant.helpr", "asst_1"), 6, "fix: did you mean assistant.helper? If not, write its entry first"),
        (("assistant.helper", "asst_none"), 6, "there is no assistant asst_none"),
        (("assistant.helper",), 64, "the id of assistant.helper is missing"),
        (("nothing.helper",), 64, "there is no kind 'nothing'"),
        ((), 64, "adopt what?"),
        (("assistant.helper", "a_1", "assistant.helper", "a_2"), 64, "assistant.helper stands twice"),
        (("file.a", "x_1", "file.b", "x_1"), 64, "x_1 stands twice"),
    ],
)
def test_what_cannot_be_adopted(stage: Stage, inside: Inside, arguments: tuple[str, ...], code: int, told: str) -> None:
    stage.write(ASSISTANTS, FILES)
    assert told in inside.run("adopt", *arguments, "-y", code=code).stderr
    assert stage.writes() == []


def test_what_is_somebodys_is_not_taken(stage: Stage, inside: Inside) -> None:
    """Not from another stack, not twice, not without a word where nobody can be asked."""
    stage.write({**ASSISTANTS, "stack": "theirs"}, FILES)
    stage.apply()
    theirs = stage.dump()["assistants"][0]["id"]
    stage.write(ASSISTANTS, FILES)
    assert "belongs to the stack 'theirs'" in inside.run("adopt", "assistant.helper", theirs, "-y", code=6).stderr
    ours = stage.data("POST", "/assistants", {"model": "gpt-4o", "name": "helper"})["id"]
    assert "no terminal" in inside.run("adopt", "assistant.helper", ours, code=64).stderr
    inside.run("adopt", "assistant.helper", ours, "-y")
    assert "is the stack's already" in inside.run("adopt", "assistant.helper", ours, "-y", code=6).stderr
    another = stage.data("POST", "/assistants", {"model": "gpt-4o", "name": "helper"})["id"]
    assert f"is {ours} already" in inside.run("adopt", "assistant.helper", another, "-y", code=6).stderr


def test_two_of_one_name_are_not_guessed_at(stage: Stage, inside: Inside) -> None:
    made_by_hand(stage)
    stage.data("POST", "/assistants", {"model": "gpt-4o", "name": "helper"})
    stage.write(ASSISTANTS, FILES)
    data = inside.json("adopt", "--match", "name", "--dry-run", "--format", "json")
    assert {item["address"] for item in data["adoptions"]} == {"file.a", "file.b", "vector_store.docs"}
    assert data["unclear"][0].startswith("assistant.helper: several have its name: asst_")
    assert all(item["outcome"] == "planned" for item in data["adoptions"])


def test_what_is_not_clear_may_be_named_beside_the_rest(stage: Stage, inside: Inside) -> None:
    """One command for all: what is asked for by id is neither matched again nor given to another entry."""
    ids = made_by_hand(stage)
    other = stage.data("POST", "/assistants", {"model": "gpt-4o", "name": "helper", "instructions": "Be kind."})["id"]
    stage.write(ASSISTANTS, FILES)
    asked = ("adopt", "--match", "name", "vector_store.docs", ids["docs"], "assistant.helper", other, "--trust-content")
    data = inside.json(*asked, "-y", "--format", "json")
    assert data["unclear"] == []
    jsonschema.validate(data, schemas.load("adopt"))
    assert {item["address"]: item["id"] for item in data["adoptions"]} == {
        "assistant.helper": other,
        "file.a": ids["a"],
        "file.b": ids["b"],
        "vector_store.docs": ids["docs"],
    }
    assert all(item["outcome"] == "adopted" for item in data["adoptions"])
    # Two entries for one object: neither gets it by its name.
    (stage.folder / "asstops.yaml").unlink()
    store = stage.data("POST", "/vector_stores", {"name": "double"})["id"]
    stage.write({**NONE, "vector_stores": {"one": {}, "two": {"name": "double"}}})
    asked = ("adopt", "--match", "name", "vector_store.one", store, "--dry-run", "--format", "json")
    data = inside.json(*asked)
    assert [item["address"] for item in data["adoptions"]] == ["vector_store.one"]
    assert data["unclear"] == [f"{store} has the name of several: vector_store.one, vector_store.two"]


def test_a_file_of_another_size_is_not_trusted(stage: Stage, inside: Inside) -> None:
    wrong = stage.upload("a.md", b"something else, longer")["id"]
    stage.write(ASSISTANTS, FILES)
    told = inside.run("adopt", "file.a", wrong, "--trust-content", "-y", code=6).stderr
    assert "with 22 bytes" in told


def test_objects_are_adopted_one_by_one(stage: Stage, inside: Inside) -> None:
    """That another one of the spec is not adopted yet is told, and stops nothing."""
    for name in ("one", "two"):
        stage.project("POST", f"/agents/{name}/versions", {"definition": AGENT})
    entry = {"model": "gpt-4o", "instructions": "Be kind.", "keep_versions": 1}
    stage.write({"stack": "taker", "origin": "here", "assistants": {"one": entry, "two": entry}})
    told = inside.run("adopt", "assistant.one", "-y").stdout
    assert 'instructions  "Be brief." -> "Be kind."' in told
    assert "the next plan will say: assistant.two exists already" in told
    assert {agent["name"]: len(agent["versions"]) for agent in stage.dump()["agents"]} == {"one": 2, "two": 1}
    inside.run("adopt", "assistant.two", "-y")
    stage.apply()
    stage.assert_settled()


def test_an_agent_with_no_room_for_a_mark(stage: Stage, inside: Inside) -> None:
    pairs = {f"k{number}": "v" for number in range(16)}
    stage.project("POST", "/agents/helper/versions", {"definition": AGENT, "metadata": pairs})
    stage.write(AGENTS)
    told = inside.run("adopt", "assistant.helper", "-y", code=1).stderr
    assert "needs one of the 16" in told
