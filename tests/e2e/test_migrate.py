"""`asstops migrate` on the emulator: what comes over applies cleanly as agents, and what was there stays as it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from asstops.cli import migrate_sources
from tests.support.inside import Inside
from tests.support.program import REPOSITORY
from tests.support.stage import Stage

CORPUS = REPOSITORY / "tests" / "unit" / "migrate" / "corpus"
SPECS = REPOSITORY / "tests" / "unit" / "migrate" / "specs"
SHIPPED = sorted(path.relative_to(SPECS) for path in [*SPECS.glob("*.yaml"), *SPECS.glob("*/asstops.yaml")])
OLD = ("id", "object", "created_at")
Json = dict[str, Any]


@pytest.fixture
def asstops(stage: Stage) -> Inside:
    return Inside(stage.folder, stage.environ)


def report(text: str) -> Json:
    return dict(json.loads(text))


def entries(told: Json, outcome: str) -> set[tuple[str, str | None]]:
    return {(entry["address"], entry["field"]) for entry in told["entries"] if entry["outcome"] == outcome}


def put_in_place(folder: Path, told: Json) -> None:
    """What the report asks for."""
    for item in told["missing"]:
        path = folder / item["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * (item["size_bytes"] or 1))


def assistants_of(path: Path) -> list[Json]:
    value = json.loads(path.read_text("utf-8"))
    return list(value["data"]) if isinstance(value, dict) else list(value)


def live_agents(stage: Stage) -> dict[str, Json]:
    """The one version of each agent, by the agent's name."""
    found: dict[str, Json] = {}
    for agent in stage.dump()["agents"]:
        (found[agent["name"]],) = agent["versions"]
    return found


def settled(asstops: Inside, *given: str) -> None:
    """Applied, and nothing left to do."""
    asstops.run(*given, "validate")
    asstops.run(*given, "apply", "-y")
    assert "No changes." in asstops.run(*given, "plan", "--detailed-exitcode").stdout


def test_an_export_applies_as_agents(stage: Stage, asstops: Inside) -> None:
    """The whole corpus; each prompt arrives to the letter, each tool of both services is there."""
    told = report(asstops.run("migrate", "--from", str(CORPUS), "-o", "new", "--format", "json").stdout)
    assert told["problems"] == []
    put_in_place(stage.folder / "new", told)
    settled(asstops, "-f", "new")
    live = live_agents(stage)
    assert len(live) == 31
    original = assistants_of(CORPUS / "array.json") + assistants_of(CORPUS / "assistants-page-1.json")
    names = [item["name"] for item in original]
    by_name = {item["name"]: item for item in original if item["name"] and names.count(item["name"]) == 1}
    checked = 0
    for name, latest in live.items():
        item = by_name.get(latest["metadata"].get("display_name", name))
        if item is None:
            continue
        checked += 1
        made = latest["definition"]
        assert made["model"] == item["model"]
        assert (made.get("instructions") or "") == (item["instructions"] or "")
        assert made.get("temperature", 1.0) == (1.0 if item["temperature"] is None else item["temperature"])
        functions = {tool["function"]["name"] for tool in item["tools"] if tool["type"] == "function"}
        assert {tool["name"] for tool in made.get("tools", ()) if tool["type"] == "function"} == functions
    assert checked >= 16
    hidden = live["placeholders"]
    assert hidden["definition"]["instructions"] == "Say ${name}, not $${name}."
    assert hidden["metadata"]["template"] == "${x:-y}"
    assert hidden["description"] == "costs ${price} and $${more}"


class Old:
    """The corpus on the Assistants API: files and stores first, ids replaced by those that the service gave."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.ids: dict[str, str] = {}
        for item in json.loads((CORPUS / "files.json").read_text("utf-8"))["data"]:
            if item["filename"].isascii() and len(item["filename"]) < 200:
                self.ids[item["id"]] = stage.upload(item["filename"], b"x" * item["bytes"])["id"]
        attached = json.loads((CORPUS / "store-files.json").read_text("utf-8"))["data"]
        for item in json.loads((CORPUS / "stores.json").read_text("utf-8"))["data"]:
            mine = [file for file in attached if file["vector_store_id"] == item["id"]]
            body: Json = {"name": item["name"], "metadata": item["metadata"]}
            if item["expires_after"]:
                body["expires_after"] = item["expires_after"]
            made = self.ids[item["id"]] = stage.data("POST", "/vector_stores", body)["id"]
            for file in mine:
                strategy = file.get("chunking_strategy")
                more = {"chunking_strategy": strategy} if strategy and strategy["type"] == "static" else {}
                stage.data("POST", f"/vector_stores/{made}/files", {"file_id": self.ids[file["id"]], **more})

    def make(self, item: Mapping[str, Any]) -> str:
        """One assistant, without what no service of version 2 ever took."""
        body = {name: value for name, value in item.items() if name not in (*OLD, "reasoning_effort")}
        body = {name: value for name, value in body.items() if value is not None}
        resources: Json = {}
        for kind, field in (("file_search", "vector_store_ids"), ("code_interpreter", "file_ids")):
            ids = [self.ids[old] for old in item["tool_resources"].get(kind, {}).get(field, ()) if old in self.ids]
            if ids:
                resources[kind] = {field: ids}
        body["tool_resources"] = resources
        body["tools"] = [_as_azure_takes_it(tool) for tool in item["tools"]]
        return str(self._stage.data("POST", "/assistants", body)["id"])


def _as_azure_takes_it(tool: Json) -> Json:
    """Azure has no ranking options, and wants of a function what OpenAI leaves open."""
    if tool["type"] == "function":
        empty = {"type": "object", "properties": {}}
        return {"type": "function", "function": {"description": "None.", "parameters": empty, **tool["function"]}}
    if "file_search" not in tool:
        return tool
    kept = {name: value for name, value in tool["file_search"].items() if name != "ranking_options"}
    return {**tool, "file_search": kept}


def test_live_assistants_apply_as_agents(stage: Stage, asstops: Inside) -> None:
    """The old objects are as before: reading them sends no writing request."""
    old = Old(stage)
    items = assistants_of(CORPUS / "array.json") + assistants_of(CORPUS / "assistants-page-1.json")
    for item in items:
        old.make(item)
    before = stage.dump()
    stage.look_away()
    told = report(asstops.run("migrate", "--live", "-o", "new", "--stack", "moved", "--format", "json").stdout)
    assert stage.writes() == []
    assert stage.dump() == before
    assert told["problems"] == []
    put_in_place(stage.folder / "new", told)
    settled(asstops, "-f", "new")
    assert len(live_agents(stage)) == len(items)
    assert ("vector_store.sales", "chunking") in entries(told, "lost") | entries(told, "kept")
    assert ("assistant.search-without-a-store", "file_search") in entries(told, "lost")
    assert stage.dump()["assistants"] == before["assistants"]


def test_one_live_assistant_brings_what_it_uses(stage: Stage, asstops: Inside) -> None:
    old = Old(stage)
    items = {item["name"]: item for item in assistants_of(CORPUS / "array.json")}
    ident = old.make(items["Shared files"])
    old.make(items["Ranking"])
    stage.look_away()
    told = report(asstops.run("migrate", "--live", "--assistant", ident, "--format", "json").stdout)
    assert {address for address, _ in entries(told, "kept")} == {"assistant.shared-files", "vector_store.sales"}
    assert len(told["missing"]) == 3
    listed = [entry["path"] for entry in stage.requests() if entry["path"].endswith("/files")]
    assert len([path for path in listed if "/vector_stores/" in path]) == 1, "other stores are not looked into"
    ended = asstops.run("migrate", "--live", "--assistant", "asst_none", "-o", "other", code=1)
    assert "there is no assistant asst_none" in ended.stderr
    assert not (stage.folder / "other").exists()


@pytest.mark.parametrize("spec", SHIPPED, ids=str)
def test_a_spec_comes_over(stage: Stage, asstops: Inside, spec: Path) -> None:
    """The old stack lives on beside the new one, and goes without it."""
    shutil.copytree(SPECS, stage.folder, dirs_exist_ok=True)
    source = str(spec.parent) if spec.name == "asstops.yaml" else str(spec)
    asstops.run("-f", source, "apply", "-y")
    told = report(asstops.run("-f", source, "migrate", "--strict", "--format", "json").stdout)
    assert told["summary"]["lost"] == 0
    assert told["problems"] == []
    new = f"{source}-agents" if spec.name == "asstops.yaml" else source.replace(".yaml", "-agents.yaml")
    settled(asstops, "-f", new)
    assert "No changes." in asstops.run("-f", source, "plan", "--detailed-exitcode").stdout
    asstops.run("-f", source, "destroy", "-y", "--purge")
    assert "No changes." in asstops.run("-f", new, "plan", "--detailed-exitcode").stdout


def test_in_place_with_an_overlay(stage: Stage, asstops: Inside) -> None:
    """Every overlay is edited, whichever environment is asked for; nothing but what must change does."""
    shutil.copytree(SPECS / "everything", stage.folder, dirs_exist_ok=True)
    overlay = stage.folder / "asstops.prod.yaml"
    overlay.write_text(
        overlay.read_text("utf-8").replace("resource:\n", "resource:\n  kind: OpenAI   # old\n"), "utf-8"
    )
    before = {path: path.read_text("utf-8") for path in stage.folder.glob("*.yaml")}
    asstops.run("-f", ".", "migrate", "--in-place", "--resource", "desk-ai", "--project", "desk")
    changed = {path.name for path, text in before.items() if path.read_text("utf-8") != text}
    assert changed == {"asstops.yaml", "asstops.prod.yaml"}
    assert overlay.read_text("utf-8") == before[overlay].replace("kind: OpenAI", "kind: AIServices")
    text = (stage.folder / "asstops.yaml").read_text("utf-8")
    assert "  name: desk-ai\n" in text
    assert "  project: {name: desk}\n" in text
    settled(asstops, "-f", ".", "--env", "prod")


@pytest.mark.parametrize("answer", ["retired_404", "retired_410"])
def test_a_retired_api(staged: Callable[..., Stage], answer: str) -> None:
    """Says what happened, and that an export or the spec is the way."""
    stage = staged(behaviour={"assistants_api": answer})
    asstops = Inside(stage.folder, stage.environ)
    ended = asstops.run("migrate", "--live", code=1)
    assert "retired it on 2026-08-26" in ended.stderr
    assert "asstops migrate --from FOLDER" in ended.stderr
    assert not (stage.folder / "agents").exists()


def test_assistants_of_foundry_classic(stage: Stage) -> None:
    """They live in a project already, and come over into the same one."""
    project = stage.environ["FOUNDRY_PROJECT_ENDPOINT"]
    environ = {name: value for name, value in stage.environ.items() if not name.startswith("AZURE_OPENAI")}
    asstops = Inside(stage.folder, environ)
    clerk = {"model": "gpt-4o", "instructions": "Sell.", "tools": [{"code_interpreter": {"files": ["a"]}}]}
    spec = {"stack": "shop", "service": "assistants", "files": {"a": {"path": "a.md"}}, "assistants": {"clerk": clerk}}
    stage.write(spec, {"a.md": "Alpha."})
    asstops.run("apply", "-y")
    told = report(asstops.run("migrate", "--live", "--format", "json").stdout)
    assert told["source"] == project
    assert [(item["path"], item["size_bytes"]) for item in told["missing"]] == [("files/a.md", 6)]
    put_in_place(stage.folder / "agents", told)
    settled(asstops, "-f", "agents")
    assert live_agents(stage)["clerk"]["definition"]["instructions"] == "Sell."


@pytest.mark.parametrize("place", [("-o", "new.yaml"), ("--in-place",)], ids=["beside", "in-place"])
def test_the_old_stack_of_a_project_goes_without_the_new_one(stage: Stage, place: tuple[str, ...]) -> None:
    """Foundry classic and agents are at one endpoint: what the one made must not be taken for the other's."""
    environ = {name: value for name, value in stage.environ.items() if not name.startswith("AZURE_OPENAI")}
    asstops = Inside(stage.folder, environ)
    spec = {
        "stack": "shop",
        "service": "assistants",
        "files": {"a": {"path": "a.md"}},
        "vector_stores": {"v": {"files": ["a"]}},
        "assistants": {"clerk": {"model": "gpt-4o", "tools": [{"file_search": {"vector_store": "v"}}]}},
    }
    stage.write(spec, {"a.md": "Lamps cost 12 euros."}, "new.yaml")
    (stage.folder / "new.yaml").rename(stage.folder / "old.yaml")
    asstops.run("-f", "old.yaml", "apply", "-y")
    source = "old.yaml"
    if place == ("--in-place",):
        source = shutil.copy(stage.folder / "old.yaml", stage.folder / "new.yaml").name
    told = report(asstops.run("-f", source, "migrate", *place, "--format", "json").stdout)
    assert (told["stack"], told["problems"]) == ("shop-agents", [])
    assert ("stack", "stack") in entries(told, "changed")
    settled(asstops, "-f", "new.yaml")
    asstops.run("-f", "old.yaml", "destroy", "-y")
    assert [item["name"] for item in stage.dump()["assistants"]] == []
    assert "Lamps cost 12 euros." in asstops.run("-f", "new.yaml", "ask", "clerk", "What do lamps cost?").stdout
    assert "No changes." in asstops.run("-f", "new.yaml", "plan", "--detailed-exitcode").stdout


def test_a_secret_of_the_spec_is_not_written(stage: Stage, asstops: Inside) -> None:
    """What a sensitive variable put into metadata is masked in the new spec, and told of."""
    spec = {
        "stack": "shop",
        "service": "assistants",
        "vars": {"pin": {"sensitive": True}},
        "assistants": {"clerk": {"model": "gpt-4o", "metadata": {"pin": "is ${pin}!"}}},
    }
    stage.write(spec)
    given = ("-f", "asstops.yaml", "--var", "pin=canary-0815-bloom")
    asstops.run(*given, "apply", "-y")
    told = report(asstops.run(*given, "migrate", "--live", "--format", "json").stdout)
    assert any("is masked" in (entry["message"] or "") for entry in told["entries"])
    written = "".join(path.read_text("utf-8") for path in (stage.folder / "agents").rglob("*") if path.is_file())
    assert "clerk" in written
    assert "canary" not in written + "".join(asstops.all_output)


# The command line ------------------------------------------------------------------------------------------

SPEC = "stack: shop\nservice: assistants\n\nassistants:\n  clerk: {model: gpt-4o, tools: [file_search]}\n"


def files_in(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()
    }


def test_in_another_folder(stage: Stage, asstops: Inside) -> None:
    """Paths are taken from there, and shown from there."""
    stage.write(SPEC, {"sub/keep": "x"}, "sub/shop.yaml")
    told = report(asstops.run("--chdir", "sub", "-f", "shop.yaml", "migrate", "--format", "json").stdout)
    assert [item["path"] for item in told["files"]] == ["shop-agents.yaml"]
    assert told["problems"] == []
    assert {entry["file"] for entry in told["entries"]} == {None, "shop.yaml"}
    asstops.run("--chdir", "sub", "-f", "shop.yaml", "migrate", "--in-place")
    assert set(files_in(stage.folder)) == {"sub/keep", "sub/shop.yaml", "sub/shop-agents.yaml"}


def test_a_dry_run_writes_nothing(stage: Stage, asstops: Inside) -> None:
    """It shows the difference to a spec, and the whole of what is new."""
    stage.write(SPEC)
    before = files_in(stage.folder)
    shown = asstops.run("migrate", "--dry-run", "--in-place").stdout
    assert "-stack: shop\n-service: assistants\n+stack: shop-agents\n+service: agents\n" in shown
    asstops.run("migrate", "--dry-run")
    shown = asstops.run("migrate", "--from", str(CORPUS / "single"), "--dry-run").stdout
    assert "--- agents/prompts/alone-in-its-file.md\nBe brief.\n" in shown
    told = report(asstops.run("migrate", "--from", str(CORPUS), "--dry-run", "--format", "json").stdout)
    assert (told["dry_run"], told["problems"]) == (True, [])
    assert told["files"][0]["text"].startswith("# Made by asstops migrate")
    assert files_in(stage.folder) == before


@pytest.mark.parametrize("place", [(), ("--in-place",), ("--out", "new"), ("--output", "new.yaml")], ids=" ".join)
def test_a_dry_run_tells_what_the_new_spec_lacks(stage: Stage, asstops: Inside, place: tuple[str, ...]) -> None:
    """The same as without: with the files that the spec names, and under the names that the new ones will have."""
    pairs = {f"k{number}": "v" for number in range(15)}
    clerk = {"name": "Clerk", "model": "gpt-4o", "instructions": {"file": "p/a.md", "vars": True}, "metadata": pairs}
    stage.write(
        {"stack": "shop", "service": "assistants", "assistants": {"clerk": clerk}}, {"p/a.md": "${NONE}"}, "s.yaml"
    )
    given = ("-f", "s.yaml", "migrate", *place, "--format", "json")
    before = files_in(stage.folder)
    dry = report(asstops.run(*given, "--dry-run").stdout)["problems"]
    assert files_in(stage.folder) == before
    assert dry == report(asstops.run(*given).stdout)["problems"]
    assert any("15 entries" in problem["message"] for problem in dry)
    assert any("NONE is not declared" in problem["message"] for problem in dry)


def test_a_dry_run_of_a_folder(stage: Stage, asstops: Inside) -> None:
    """What is copied counts, and so does an overlay of the environment that is asked for."""
    shutil.copytree(SPECS / "everything", stage.folder, dirs_exist_ok=True)
    given = ("-f", ".", "--env", "prod", "migrate", "--dry-run", "--format", "json")
    for place in (("--in-place",), ("-o", "new"), ()):
        told = report(asstops.run(*given, *place).stdout)
        assert told["problems"] == []
        assert any("--env prod" in step for step in told["steps"])


def test_strict_says_by_its_code_that_something_is_lost(stage: Stage, asstops: Inside) -> None:
    stage.write(SPEC)
    ended = asstops.run("migrate", "--strict", code=1)
    assert "Migrated: 1 field kept, 3 changed, 1 lost." in ended.stdout
    asstops.run("migrate", "--force")
    stage.write(SPEC.replace("file_search", "code_interpreter"))
    asstops.run("migrate", "--force", "--strict")


def test_nothing_is_overwritten_unasked(stage: Stage, asstops: Inside) -> None:
    stage.write(SPEC, {"asstops-agents.yaml": "mine", "agents/prompts/alone-in-its-file.md": "mine, too"})
    before = files_in(stage.folder)
    for arguments in ((), ("--from", str(CORPUS / "single"))):
        ended = asstops.run("migrate", *arguments, code=64)
        assert "exists already, and nothing was written" in ended.stderr
        assert files_in(stage.folder) == before
    asstops.run("migrate", "--force")
    assert "service: agents" in (stage.folder / "asstops-agents.yaml").read_text("utf-8")


def test_no_link_leads_out(stage: Stage, asstops: Inside, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A repository may hold a folder that is a link; with --force a link in the place of a file is replaced by it."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "kept.md").write_text("theirs")
    (stage.folder / "agents").mkdir()
    (stage.folder / "agents" / "prompts").symlink_to(outside)
    ended = asstops.run("migrate", "--from", str(CORPUS / "single"), code=1)
    assert "a link out of" in ended.stderr
    (stage.folder / "agents" / "prompts").unlink()
    (stage.folder / "agents" / "asstops.yaml").symlink_to(outside / "kept.md")
    asstops.run("migrate", "--from", str(CORPUS / "single"), "--force")
    assert files_in(outside) == {"kept.md": "theirs"}


def test_a_spec_that_is_for_agents_is_left_alone(stage: Stage, asstops: Inside) -> None:
    stage.write("stack: shop\n\nassistants:\n  clerk: {model: gpt-4o}\n")
    before = files_in(stage.folder)
    ended = asstops.run("migrate", "--in-place", "--strict")
    assert (ended.stdout, "Nothing to migrate" in ended.stderr) == ("", True)
    assert files_in(stage.folder) == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--live", "--from", "x"), "two sources"),
        (("--live", "--in-place"), "--in-place is for a spec"),
        (("--in-place", "-o", "x"), "two places"),
        (("--assistant", "x"), "goes with --live or --from"),
        (("--stack", "shop"), "shop is the name of the old stack"),
        (("--live", "--project", "x"), "are for a spec"),
        (("--live", "--stack", "No Name"), "no valid name"),
        (("--from", "nowhere"), "no file or folder nowhere"),
        (("-o", "elsewhere/x.yaml"), "would not stand beside the spec"),
        (("-f", "nowhere.yaml"), "there is no file nowhere.yaml"),
    ],
)
def test_wrong_use(stage: Stage, asstops: Inside, arguments: tuple[str, ...], told: str) -> None:
    stage.write(SPEC)
    ended = asstops.run("migrate", *arguments, code=64)
    assert told in ended.stderr


def test_broken_sources_are_told_with_their_place(stage: Stage, asstops: Inside) -> None:
    """Nothing is written, and links are not followed out of what was named."""
    stage.write(
        "stack: [\n", {"e/a.json": "{}", "e/b.json": '{"id": 1,\n"x" 2}', "empty/x.txt": "", "bin/x.json": b"\xff"}
    )
    before = files_in(stage.folder / "e")
    assert "asstops.yaml:2:1" in asstops.run("migrate", code=1).stderr
    assert "e/b.json:2:5: " not in asstops.run("migrate", "--from", "e", code=1).stdout
    assert "e/b.json:2:5" in asstops.all_output[-1]
    assert "not UTF-8" in asstops.run("migrate", "--from", "bin", code=1).stderr
    assert "has no JSON file" in asstops.run("migrate", "--from", "empty", code=1).stderr
    (stage.folder / "e" / "b.json").unlink()
    ended = asstops.run("migrate", "--from", "e", code=1)
    assert "holds no assistant: e/a.json does not say what it is" in ended.stderr
    assert not (stage.folder / "agents").exists()
    assert set(files_in(stage.folder / "e")) == set(before) - {"b.json"}


def test_assistants_are_chosen_by_id_or_name(stage: Stage, asstops: Inside) -> None:
    """A name that two have is none; what there is is listed."""
    one, two, three = ({"id": f"asst_{n}", "model": "m", "name": name} for n, name in enumerate(("f1", "f2", "f2")))
    (stage.folder / "x").mkdir()
    (stage.folder / "x" / "all.json").write_text(json.dumps([one, two, three]), "utf-8")
    given = ("--chdir", "x", "migrate", "--from", ".", "--dry-run")
    shown = asstops.run(*given, "--assistant", "f1", "--assistant", "asst_0").stdout
    assert "# Made by asstops migrate from x\n" in shown
    assert ("f1" in shown, "f2" in shown) == (True, False)
    ended = asstops.run(*given, "--assistant", "f2", code=1)
    assert "2 assistants are named f2" in ended.stderr
    assert "asst_1, asst_2" in ended.stderr
    ended = asstops.run(*given, "--assistant", "f3", code=1)
    assert "there is no assistant f3" in ended.stderr
    assert "asst_0 (f1), asst_1 (f2), asst_2 (f2)" in ended.stderr


def test_a_huge_folder_is_not_read(stage: Stage, asstops: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one with too many files nor one with too much in them."""
    stage.write(SPEC, {f"many/{n}.json": "{}" for n in range(4)})
    monkeypatch.setattr(migrate_sources, "MAX_FILES", 3)
    assert "more than 3 JSON files" in asstops.run("migrate", "--from", "many", code=1).stderr
    monkeypatch.setattr(migrate_sources, "MAX_FILES", 4)
    monkeypatch.setattr(migrate_sources, "MAX_TOTAL_BYTES", 7)
    assert "more than 7 bytes of JSON" in asstops.run("migrate", "--from", "many", code=1).stderr


def test_a_folder_of_its_own_gets_what_the_spec_names(stage: Stage, asstops: Inside) -> None:
    """Files, prompts and what a glob matches; nothing that the spec does not name."""
    shutil.copytree(SPECS, stage.folder, dirs_exist_ok=True)
    (stage.folder / "data" / "unused.txt").write_text("x")
    asstops.run("-f", "sales.yaml", "migrate", "-o", "new")
    assert set(files_in(stage.folder / "new")) == {"sales.yaml", "data/monthly_sales.json"}
    asstops.run("-f", "everything", "migrate")
    copied = set(files_in(stage.folder / "everything-agents"))
    assert copied == set(files_in(stage.folder / "everything"))
