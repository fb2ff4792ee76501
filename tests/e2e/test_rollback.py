"""`asstops rollback`: an earlier version of an agent is made current again, and the spec can be brought in line."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from asstops import schemas
from asstops.mark import from_metadata
from asstops.model import Mark
from tests.support.inside import Inside
from tests.support.program import Program
from tests.support.running import Gate, Running, until
from tests.support.stage import Stage, causes

Json = dict[str, Any]
Watched = Callable[..., Running]
PROMPT = "prompts/sales.md"


def spec(*, stack: str = "demo", origin: str = "here", more: Json | None = None, **agent: Any) -> Json:
    entry = {"model": "gpt-4o", "instructions": {"file": PROMPT}, **agent}
    return {"stack": stack, "origin": origin, "assistants": {"sales": entry}, **(more or {})}


STORE: Json = {"files": {"a": {"path": "a.md"}}, "vector_stores": {"kb": {"files": ["a"]}}}
TOOLS = [{"code_interpreter": {"files": ["a"]}}, {"file_search": {"vector_store": "kb"}}]
BRIEF, LONG = "You answer.\nBriefly.", "You answer.\nAt length."


@pytest.fixture
def asstops(stage: Stage) -> Inside:
    return Inside(stage.folder, stage.environ)


def two_versions(stage: Stage) -> None:
    """The first is brief and cold and has an owner; the second, which the spec says, is neither."""
    stage.apply(spec(temperature=0.2, description="One", metadata={"owner": "ann"}), {PROMPT: BRIEF})
    stage.apply(spec(temperature=0.7, metadata={"team": "a"}), {PROMPT: LONG})
    stage.look_away()


def versions(stage: Stage) -> list[Json]:
    """Every version of the agent that there is, the oldest first."""
    (agent,) = stage.dump()["agents"]
    return list(agent["versions"])


def mark(version: Json) -> Mark:
    found = from_metadata(version["metadata"])
    assert found is not None
    return found


def said(version: Json) -> tuple[Any, ...]:
    """What a version says, beside its mark."""
    metadata = {key: value for key, value in version["metadata"].items() if key != "asstops"}
    return version["definition"], version.get("description"), metadata


def rolled(asstops: Program, *arguments: str, code: int = 0) -> Json:
    """A rollback as JSON, which keeps to its schema."""
    document: Json = asstops.json("rollback", "sales", *arguments, "--format", "json", code=code)
    jsonschema.validate(document, schemas.load("rollback"))
    return document


def in_portal(stage: Stage, change: Callable[[Json], None], *, marked: bool = False) -> None:
    """Somebody edits the newest version by hand; some tools carry its metadata over, mark and all."""
    newest = versions(stage)[-1]
    definition = {**newest["definition"]}
    change(definition)
    body: Json = {"definition": definition, "metadata": newest["metadata"] if marked else {}}
    stage.project("POST", "/agents/sales/versions", body)


def heat(definition: Json) -> None:
    definition["temperature"] = 0.9


def test_the_version_before_becomes_current_again(stage: Stage, asstops: Inside) -> None:
    """By one new version that says the same; what the spec says since is pending, and can be brought in line."""
    two_versions(stage)
    done = rolled(asstops, "-y")
    first, _, third = versions(stage)
    assert said(third) == said(first)
    assert mark(third).fields == mark(first).fields
    assert mark(third).generation == 3
    assert [(e["method"], e["path"].rpartition("/agents/")[2]) for e in stage.writes()] == [("POST", "sales/versions")]
    assert (done["outcome"], done["made"], done["wrote"]) == ("done", "3", True)
    assert (done["current"]["number"], done["version"]["number"], done["version"]["made_by"]) == ("2", "1", "asstops")
    assert {d["path"]: (d["before"], d["after"]) for d in done["diffs"]} == {
        "description": (None, "One"),
        "instructions": (LONG, BRIEF),
        "metadata.owner": (None, "ann"),
        "metadata.team": ("a", None),
        "temperature": (0.7, 0.2),
    }
    assert (done["spec"]["file"], done["spec"]["line"]) == ("asstops.yaml", 4)
    assert {d["path"]: (d["spec"], d["live"]) for d in done["spec"]["diffs"]} == {
        "description": (None, "One"),
        "instructions": (LONG, BRIEF),
        "metadata.owner": (None, "ann"),
        "metadata.team": ("a", None),
        "temperature": (0.7, 0.2),
    }
    (text,) = [d for d in done["spec"]["diffs"] if d["path"] == "instructions"]
    assert (text["origin"], f"git log -p -- {PROMPT}" in text["fix"]) == (PROMPT, True)
    found = causes(stage.plan())["assistant.sales"]
    assert set(found.values()) == {"pending"}
    assert set(found) == {d["path"] for d in done["spec"]["diffs"]}
    stage.write(spec(temperature=0.2, description="One", metadata={"owner": "ann"}), {PROMPT: BRIEF})
    stage.assert_settled()


def test_what_people_see(stage: Stage, asstops: Inside) -> None:
    """A dry run shows the change line by line and what to do in the spec, and writes nothing."""
    two_versions(stage)
    shown = asstops.run("rollback", "assistant.sales", "--dry-run").stdout
    for text in (
        "back to version 1 of 20",
        "UTC, made by asstops; version 2 is current",
        "- 2   At length.\n      + 2   Briefly.",
        "temperature     0.7 -> 0.2",
        "The spec stays as it is; it will then say something else in description, instructions",
        "The spec says something else (asstops.yaml:4:3). To keep this version, change there:",
        f"'git log -p -- {PROMPT}' shows what it was before",
        "Else the next apply brings back what the spec says.",
    ):
        assert text in shown, shown
    assert rolled(asstops, "--dry-run")["outcome"] == "planned"
    assert stage.writes() == []
    stage.write(spec(temperature=0.2, description="One", metadata={"owner": "ann"}), {PROMPT: BRIEF})
    done = asstops.run("rollback", "sales", "-y").stdout
    assert "assistant.sales is at version 3, which says what version 1 said." in done
    assert "The spec says the same: there is nothing to bring in line." in done


def test_what_others_made_is_drift_again(stage: Stage, asstops: Inside) -> None:
    """Everything they wrote comes back, also what no spec can say, and the next plan says that it was they."""

    def edit(definition: Json) -> None:
        definition |= {"temperature": 0.9, "tool_choice": "none", "instructions": definition["instructions"] + " "}

    stage.apply(spec(temperature=0.2), {PROMPT: BRIEF})
    in_portal(stage, edit)
    stage.apply()
    done = rolled(asstops, "-y", "--to", "2")
    _, second, _, fourth = versions(stage)
    assert said(fourth) == said(second)
    assert fourth["definition"]["tool_choice"] == "none"
    assert done["version"]["made_by"] == "others"
    assert causes(stage.plan())["assistant.sales"] == {"instructions": "drift", "temperature": "drift"}
    (text,) = [d for d in done["spec"]["diffs"] if d["path"] == "instructions"]
    assert "git" not in text["fix"]


def test_a_value_that_was_secret_stays_secret(stage: Stage, asstops: Inside) -> None:
    """Also one that no variable holds any more."""
    secret = spec(metadata={"pin": "${pin}"}, more={"vars": {"pin": {"sensitive": True}}})
    stage.apply(secret, {PROMPT: BRIEF}, variables={"pin": "the-old-one"})
    stage.apply(variables={"pin": "the-new-one"})
    for arguments in (("--dry-run",), ("-y",), ("-y", "--format", "json")):
        asstops.run("rollback", "sales", *arguments, ASSTOPS_VAR_pin="the-new-one")
        assert "(sensitive value)" in asstops.all_output[-2]
    assert "the-" not in "".join(asstops.all_output)


def test_what_only_the_service_can_say_is_told(stage: Stage, asstops: Inside) -> None:
    """A setting of a tool that the spec has no word for is a reason to go back, and is shown."""
    stage.apply(spec(tools=[{"file_search": {"vector_store": "kb"}}], more=STORE), {PROMPT: BRIEF, "a.md": "A"})
    filters = {"type": "eq", "key": "a", "value": "b"}
    in_portal(stage, lambda definition: definition["tools"][0].update(filters=filters), marked=True)
    in_portal(stage, lambda definition: definition.update(tool_choice="none"), marked=True)
    done = rolled(asstops, "--dry-run")
    assert [(d["path"], d["before"], d["after"]) for d in done["diffs"]] == [("tool_choice", "none", None)]
    done = rolled(asstops, "--dry-run", "--to", "1")
    assert {d["path"] for d in done["diffs"]} == {"tool_choice"}
    rolled(asstops, "-y", "--to", "2")
    done = rolled(asstops, "-y", "--to", "1")
    (diff,) = done["diffs"]
    assert diff["path"] == "definition"
    assert diff["before"]["tools"][0]["filters"] == filters
    assert said(versions(stage)[-1]) == said(versions(stage)[0])
    assert done["spec"]["diffs"] == []


@pytest.mark.parametrize("number", ["latest", "3", "1", "001"])
def test_nothing_is_to_be_done(stage: Stage, asstops: Inside, number: str) -> None:
    """The version is current, or says what the current one says; that is no failure."""
    two_versions(stage)
    asstops.run("rollback", "sales", "-y")
    stage.look_away()
    done = rolled(asstops, "--to", number)
    assert (done["outcome"], done["made"], done["spec"]["diffs"]) == ("nothing", None, [])
    assert "Nothing to do: assistant.sales is at version 3" in asstops.run("rollback", "sales", "--to", number).stdout
    assert stage.writes() == []


def test_the_newest_that_says_something_else_is_meant(stage: Stage, asstops: Inside) -> None:
    """Not one that differs in its mark alone; without any there is nothing to go back to."""
    stage.apply(spec(temperature=0.2), {PROMPT: BRIEF})
    told = asstops.run("rollback", "sales", "-y", code=1).stderr
    assert "no earlier version that says anything else than version 1" in told
    stage.apply(spec(temperature=0.7))
    stage.apply(spec(temperature=0.7, protect=True))
    done = rolled(asstops, "-y")
    assert (done["current"]["number"], done["version"]["number"]) == ("3", "1")
    assert mark(versions(stage)[-1]).protect, "what protects it now still does"


def test_a_version_that_is_not_there(stage: Stage, asstops: Inside) -> None:
    """The ones that are there are listed, with whose they are and what they say differently."""
    two_versions(stage)
    in_portal(stage, heat)
    stage.look_away()
    told = " ".join(asstops.run("rollback", "sales", "-y", "--to", "9", code=64).stderr.split())
    for text in (
        "assistant.sales has no version 9; there are 3:",
        "made by others: current",
        "made by asstops: metadata.team, temperature differ",
        "made by asstops: description, instructions, metadata.owner, temperature differ",
    ):
        assert text in told, told
    told = asstops.run("rollback", "sales", "--to", "-1", code=64).stderr
    assert "'-1' is not the number of a version" in told
    assert stage.writes() == []


def test_only_what_is_ours(stage: Stage, asstops: Inside) -> None:
    """Nobody else's agent, nor one of another origin, nor one that is not in the spec or not there."""
    stage.write(spec(), {PROMPT: BRIEF})
    assert "does not exist yet" in asstops.run("rollback", "sales", "-y", code=1).stderr
    assert "did you mean sales?" in asstops.run("rollback", "sale", "-y", code=64).stderr
    two_versions(stage)
    stage.write(spec(stack="other"))
    assert "belongs to the stack 'demo'" in asstops.run("rollback", "sales", "-y", code=6).stderr
    stage.write(spec(origin="elsewhere"))
    told = " ".join(asstops.run("rollback", "sales", "-y", code=6).stderr.split())
    assert "take it over with 'asstops apply --accept-origin'" in told
    stage.project("DELETE", "/agents/sales")
    stage.project("POST", "/agents/sales/versions", {"definition": {"kind": "prompt", "model": "gpt-4o"}})
    stage.look_away()
    assert "carries no mark of asstops" in asstops.run("rollback", "sales", "-y", code=6).stderr
    assert stage.writes() == []


def test_where_no_versions_are_kept(stage: Stage, asstops: Inside) -> None:
    """The reason and the way out are said before anything is sent."""
    stage.write({**spec(), "service": "assistants"}, {PROMPT: BRIEF})
    stage.look_away()
    told = asstops.run("rollback", "sales", "-y", code=64).stderr
    assert "service assistants keeps no earlier versions" in told
    assert "put the earlier values back into the spec" in told
    assert stage.requests() == []


def test_what_the_version_needs_is_gone(stage: Stage, asstops: Inside) -> None:
    """It is named, by its address where that can be known; nothing is written."""
    stage.apply(spec(tools=TOOLS, more=STORE, temperature=0.2), {PROMPT: BRIEF, "a.md": "A"})
    (old,) = (file["id"] for file in stage.dump()["files"])
    stage.apply(spec(tools=TOOLS, more=STORE), {"a.md": "B"})
    stage.look_away()
    told = " ".join(asstops.run("rollback", "sales", "-y", "--to", "1", code=1).stderr.split())
    assert f"file {old} (it was file.a), which it refers to, is gone" in told
    assert "keep_versions" in told
    stage.apply(spec(), {})
    stage.look_away()
    told = " ".join(asstops.run("rollback", "sales", "-y", "--to", "1", code=1).stderr.split())
    assert f"file {old}, vector store vs_" in told
    assert "are gone" in told
    assert stage.writes() == []


def test_what_the_version_needs_is_there(stage: Stage, asstops: Inside) -> None:
    """A file that a listing does not show yet is there all the same; and no more versions stay than are to be kept."""
    stage.apply(spec(tools=TOOLS, more=STORE, keep_versions=2), {PROMPT: BRIEF, "a.md": "A"})
    stage.apply(spec(tools=TOOLS, more=STORE, keep_versions=2, temperature=0.7))
    stage.admin("POST", "/faults", {"method": "GET", "path": "/files$", "list_lag_s": 60, "count": 0})
    stage.look_away()
    done = rolled(asstops, "-y")
    assert (done["outcome"], [version["version"] for version in versions(stage)]) == ("done", ["2", "3"])
    assert [e["method"] for e in stage.writes()] == ["POST", "DELETE"]
    stage.admin("DELETE", "/faults")
    assert causes(stage.plan()) == {"assistant.sales": {"temperature": "pending"}}


def test_what_the_version_refers_to_is_older(stage: Stage, asstops: Inside) -> None:
    """Old copies that kept versions use are referred to again; the spec names the same, with other content."""
    chunked = {**STORE, "vector_stores": {"kb": {"files": ["a"], "chunking": {"max_chunk_size_tokens": 800}}}}
    stage.apply(spec(tools=TOOLS, more=STORE, keep_versions=9), {PROMPT: BRIEF, "a.md": "A"})
    stage.apply(spec(tools=TOOLS, more=chunked, keep_versions=9), {"a.md": "B"})
    done = rolled(asstops, "-y")
    assert said(versions(stage)[-1]) == said(versions(stage)[0])
    (store,) = (d for d in done["diffs"] if d["path"] == "file_search.vector_store")
    old = versions(stage)[0]["definition"]["tools"][1]["vector_store_ids"][0]
    assert (store["before"], store["after"]) == ("vector_store.kb", old)
    assert {d["path"]: (d["spec"] == d["live"], d["fix"].split()[4]) for d in done["spec"]["diffs"]} == {
        "code_interpreter.files": (True, "a.md'"),
        "file_search.vector_store": (True, "asstops.yaml'"),
    }
    found = causes(stage.plan())["assistant.sales"]
    assert found == dict.fromkeys(("code_interpreter.files", "file_search.vector_store"), "dependency")
    asstops.run("rollback", "sales", "-y")
    stage.assert_settled()


def test_people_are_asked(stage: Stage, asstops: Inside, program: Program, watched: Watched) -> None:
    """Only a typed yes goes on, and without anybody to type it nothing does."""
    two_versions(stage)
    assert "--auto-approve" in asstops.run("rollback", "sales", code=64).stderr

    def asked(answer: str, code: int) -> Running:
        found = watched(
            program.command("rollback", "sales"), cwd=stage.folder, environ=program.environment(), terminal=True
        )
        found.says("Only 'yes' goes on")
        found.answer(answer)
        assert found.end() == code, found.text
        return found

    assert "Cancelled: nothing was changed." in asked("y\n", 1).text
    assert len(versions(stage)) == 2
    asked("yes\n", 0)
    assert len(versions(stage)) == 3


@pytest.mark.parametrize("marked", [False, True], ids=["without its mark", "with its mark"])
def test_another_version_was_made_meanwhile(
    stage: Stage, asstops: Inside, monkeypatch: pytest.MonkeyPatch, marked: bool
) -> None:
    """Also one that looks the same to a spec stops it, since it would be hidden unseen."""

    def approve() -> bool:
        in_portal(stage, lambda definition: definition.update(tool_choice="none"), marked=marked)
        return True

    two_versions(stage)
    monkeypatch.setattr("asstops.cli.rollback._approved", approve)
    done = rolled(asstops, code=4)
    assert (done["outcome"], done["stale"], done["wrote"], done["made"]) == ("failed", True, False, None)
    assert len(versions(stage)) == 3


@pytest.mark.parametrize("to", ["1", "3"], ids=["of asstops", "of others"])
def test_a_lost_answer(stage: Stage, asstops: Inside, monkeypatch: pytest.MonkeyPatch, to: str) -> None:
    """A version that was made is found by its mark and not made twice; one that was not is not taken for made."""
    monkeypatch.setattr("asstops.services.agents.assistant.LOOKUP_PAUSE_S", 0.001)
    two_versions(stage)
    in_portal(stage, heat)
    stage.apply()
    stage.admin("POST", "/faults", {"method": "POST", "path": "/versions$", "cut": "before"})
    lost = rolled(asstops, "-y", "--to", to, code=3)
    assert (lost["outcome"], lost["made"]) == ("partly", None)
    assert "whether the version was made is unknown" in lost["error"]
    assert len(versions(stage)) == 4
    stage.admin("POST", "/faults", {"method": "POST", "path": "/versions$", "cut": "after"})
    done = rolled(asstops, "-y", "--to", to)
    assert (done["outcome"], done["made"]) == ("done", "5")
    assert len(versions(stage)) == 5


def test_without_the_role(stage: Stage, asstops: Inside) -> None:
    """Nothing was written, and the service's reason is told."""
    two_versions(stage)
    stage.admin("POST", "/faults", {"method": "POST", "path": "/versions$", "status": 403})
    refused = asstops.run("rollback", "sales", "-y", code=1)
    assert "not allowed to" in refused.stdout
    assert "Nothing was written." in refused.stdout
    assert len(versions(stage)) == 2


def test_it_holds_the_lock_and_finishes_what_it_began(
    stage: Stage, asstops: Inside, program: Program, watched: Watched, gate: Gate
) -> None:
    """Nobody else applies meanwhile, a look is free, and Ctrl-C waits for the request that is on its way."""
    two_versions(stage)
    stage.admin("POST", "/faults", {"method": "POST", "path": "/versions$", "delay_s": 1})
    first = watched(
        program.command("rollback", "sales", "-y", "--format", "json"), cwd=stage.folder, environ=program.environment()
    )
    until(lambda: [entry for entry in stage.requests() if "fault" in entry] or first.must_run())
    assert "running 'asstops rollback'" in asstops.run("rollback", "sales", "-y", code=5).stderr
    asstops.run("rollback", "sales", "--dry-run")
    first.process.send_signal(signal.SIGINT)
    first.says("Stopping: requests under way are finished")
    gate.open()
    assert first.end() == 130, first.text
    assert '"outcome": "done"' in first.text
    assert said(versions(stage)[-1]) == said(versions(stage)[0])
