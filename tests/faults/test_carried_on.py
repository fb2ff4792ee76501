"""What an apply leaves behind when the service or the clock is against it, and how the next one takes it up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from asstops.providers.limiter import Limiter
from asstops.providers.openai_api import OpenAIApi

from .conftest import DEPLOYMENT, RESOURCE, Ended, World
from .test_saved_plans import token

Here = Callable[..., Ended]
FILES: list[Any] = [{"glob": "kb/*.md"}]
MODEL: dict[str, Any] = {"gpt-4o": DEPLOYMENT}
PROTECTED: dict[str, Any] = {"a": {"path": "a/x.md", "protect": True}}


def applied(ended: Ended) -> None:
    assert ended.code == 0, ended


def steady(world: World, here: Here) -> None:
    ended = here(world, "plan", "--detailed-exitcode")
    assert (ended.code, "No changes." in ended.out) == (0, True), ended


def test_an_update_of_many_files_is_carried_on(world: World, here: Here) -> None:
    """The old copies are just that: no mass deletion, no drift, no second upload, and they go in the end."""
    world.sales(12)
    applied(here(world, "apply", "-y"))
    for number in range(12):
        world.write(f"kb/f{number:02d}.md", f"new text {number}\n")
    world.fault(method="POST", path="/file_batches$", status=400)
    assert here(world, "apply", "-y").code == 3
    assert len(world.dump()["files"]) == 24
    world.clear()
    plan = here(world, "plan")
    assert "no longer in the spec" not in plan.text, plan
    assert "drift" not in plan.text, plan
    assert "0 to add" in plan.text, plan
    applied(here(world, "apply", "-y"))
    assert world.requests("POST", "/openai/files") == []
    assert len(world.dump()["files"]) == 12
    steady(world, here)


def test_a_namesake_does_not_undo_protection(world: World, here: Here) -> None:
    """The protected file left the spec, and another one of its name came: that is no new content of the old one."""
    world.write("a/x.md", "precious\n")
    world.write("b/x.md", "other\n")
    tools = {"bot": {"model": "gpt-4o", "tools": [{"code_interpreter": {"files": ["a"]}}]}}
    world.spec(deployments=MODEL, files=PROTECTED, assistants=tools)
    applied(here(world, "apply", "-y"))
    tools["bot"]["tools"] = [{"code_interpreter": {"files": ["b"]}}]
    world.spec(deployments=MODEL, files={"b": {"path": "b/x.md"}}, assistants=tools)
    world.clear()
    ended = here(world, "apply", "-y")
    assert (ended.code, world.writes()) == (6, []), ended
    assert "x.md is protected" in ended.text


def test_a_protected_file_still_takes_new_content(world: World, here: Here) -> None:
    world.write("a/x.md", "precious\n")
    tools = {"bot": {"model": "gpt-4o", "tools": [{"code_interpreter": {"files": ["a"]}}]}}
    world.spec(deployments=MODEL, files=PROTECTED, assistants=tools)
    applied(here(world, "apply", "-y"))
    world.write("a/x.md", "more precious\n")
    applied(here(world, "apply", "-y"))
    assert len(world.dump()["files"]) == 1
    steady(world, here)


@pytest.mark.parametrize("answer", [{}, {"id": None}, {"id": ""}])
def test_an_upload_answered_without_an_id(world: World, here: Here, answer: dict[str, Any]) -> None:
    """It is as lost as one without an answer: sent again, and its possible twin told of."""
    world.sales(1)
    world.fault(method="POST", path="/files$", status=200, body=answer, commit=True)
    applied(here(world, "apply", "-y"))
    assert len(world.dump()["files"]) == 2
    assert "asstops gc" in here(world, "plan").text
    applied(here(world, "gc", "-y"))
    assert len(world.dump()["files"]) == 1
    steady(world, here)


def test_a_file_edited_between_the_look_and_the_sending(
    world: World, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pause may have come in between. It is looked at again on its way out, and the service never has all of it."""
    world.sales(1)
    upload = OpenAIApi.upload_file

    def edited(self: OpenAIApi, *args: Any) -> Any:
        world.write("kb/f00.md", "other 0\n")
        return upload(self, *args)

    monkeypatch.setattr(OpenAIApi, "upload_file", edited)
    ended = here(world, "apply", "-y")
    assert ended.code == 3, ended
    assert "kb/f00.md changed after the plan was made" in ended.text
    assert world.dump()["files"] == []
    assert [entry for entry in world.requests("POST") if entry["path"].endswith("/files")] == []


def test_a_second_apply_while_listings_lag(special: Callable[..., Any], here: Here) -> None:
    """The first one ends only once listings show what it made, so the second finds it."""
    with special(list_lag_s=0.6) as world:
        here.pause(0.1)  # type: ignore[attr-defined]
        world.sales(2)
        applied(here(world, "apply", "-y"))
        ended = here(world, "apply", "-y")
        applied(ended)
        assert "No changes." in ended.out
        assert world.names("assistants") == ["bot"]
        assert len(world.dump()["files"]) == 2


def test_files_that_show_up_late_keep_the_record(world: World, here: Here) -> None:
    """A destroy that was planned without them must not take away what alone knows whose they are."""
    world.sales(2, resource=RESOURCE)
    applied(here(world, "apply", "-y"))
    world.sales(0, vector_stores=None, assistants=None, deployments=None)
    here.pause(0.1)  # type: ignore[attr-defined]
    world.fault(method="GET", path="/openai/files$", list_lag_s=3600, count=1)
    ended = here(world, "apply", "-y", "--allow-deletes", "100")
    assert ended.code == 3, ended
    assert "showed 2 files of the stack late" in ended.text
    assert len([store for store in world.names("vector_stores") if store.startswith("asstops:")]) == 1
    applied(here(world, "apply", "-y", "--allow-deletes", "100"))
    assert (world.dump()["files"], world.names("vector_stores")) == ([], [])


def test_another_stacks_file_is_no_twin(world: World, here: Here) -> None:
    """It has the name and size of ours and came at the same time, but its stack's record says whose it is."""
    world.sales(1)
    world.fault(method="POST", path="/files$", cut="after")
    applied(here(world, "apply", "-y"))
    spec = (world.folder / "asstops.yaml").read_text()
    other = spec.replace("stack: demo", "stack: other").replace("name: contoso", "name: contoso\n  managed: false", 1)
    world.write("asstops.yaml", other.split("deployments:")[0] + "vector_stores:" + other.split("vector_stores:")[1])
    applied(here(world, "apply", "-y"))
    world.write("asstops.yaml", spec)
    found = here(world, "gc", "--dry-run")
    assert "1 file may be left" in found.text, found
    applied(here(world, "gc", "-y"))
    assert len(world.dump()["files"]) == 2
    steady(world, here)


def test_another_stacks_deleted_account_is_not_brought_back(world: World, here: Here) -> None:
    world.spec()
    applied(here(world, "apply", "-y"))
    applied(here(world, "destroy", "-y"))
    world.write(
        "asstops.yaml",
        (world.folder / "asstops.yaml")
        .read_text()
        .replace("stack: demo", "stack: other")
        .replace("sku: S0", "sku: S0\n  restore: true"),
    )
    world.clear()
    ended = here(world, "apply", "-y")
    assert (ended.code, world.writes()) == (6, []), ended
    assert "the deleted account contoso belongs to the stack 'demo'" in ended.text


def test_a_purge_that_azure_does_not_know_of_yet(world: World, here: Here) -> None:
    """A 404 is no proof that the account is purged; it is looked at again."""
    world.spec()
    applied(here(world, "apply", "-y"))
    missing = {"error": {"code": "ResourceNotFound", "message": "not there yet"}}
    world.fault(method="DELETE", path="deletedAccounts", status=404, body=missing)
    applied(here(world, "destroy", "-y", "--purge"))
    assert world.dump()["deleted_accounts"] == []


def test_a_failed_ingestion_between_plan_and_write(
    special: Callable[..., Any], here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of files is what it was, but one of them was refused meanwhile: it is taken in again."""
    with special(ingestion_s=1.0) as world:
        world.sales(2)
        world.fault(ingestion="fail", filename="f01.md", error_code="unsupported_file", count=1)
        assert here(world, "apply", "-y", "--ingest-timeout", "0.1").code == 3

        def answered(*_: Any) -> bool:
            deadline = time.monotonic() + 30
            while counts(world)["in_progress"]:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert counts(world)["failed"] == 1
            return True

        monkeypatch.setattr("asstops.cli.carry_out._approved", answered)
        applied(here(world, "apply"))
        assert (counts(world)["failed"], counts(world)["completed"]) == (0, 2)
        steady(world, here)


def counts(world: World) -> dict[str, int]:
    """How many files of the store are in which state."""
    store = next(item["id"] for item in world.dump()["vector_stores"] if item["name"] == "kb")
    answer = world.http.get(
        f"/contoso/openai/vector_stores/{store}",
        params={"api-version": "2025-03-01-preview"},
        headers=token(world, "https://cognitiveservices.azure.com/"),
    )
    found: dict[str, int] = answer.json()["file_counts"]
    return found


def test_what_is_stuck_is_named(world: World, here: Here) -> None:
    """A time-out says which files it waited for, and which had been refused."""
    world.sales(3)
    world.fault(ingestion="stuck", filename="f01.md")
    world.fault(ingestion="fail", filename="f02.md", error_code="unsupported_file")
    ended = here(world, "apply", "-y", "--ingest-timeout", "0.5")
    assert ended.code == 3, ended
    assert "still being taken in: file.kb/f01.md" in ended.text
    assert "refused: file.kb/f02.md" in ended.text


def test_a_signal_while_the_record_is_closed() -> None:
    """What is being written down is written; nothing else goes out afterwards."""
    limiter = Limiter()
    with limiter.closing():
        limiter.stop()
        limiter.check()
    with pytest.raises(Exception, match="stopped"):
        limiter.check()


def test_a_stop_does_not_sit_out_a_long_pause() -> None:
    """The service asked for a minute; whoever pressed Ctrl-C waits some seconds at most."""
    now = [0.0]
    limiter = Limiter(clock=lambda: now[0])
    limiter.pause(60)
    limiter.stop()
    with limiter.closing():
        assert limiter._until <= 8
    assert limiter._stopped


def test_objects_of_another_origin_are_one_objection(world: World, here: Here) -> None:
    world.sales(9, origin="here")
    applied(here(world, "apply", "-y"))
    world.sales(9, origin="there")
    ended = here(world, "plan")
    assert ended.code == 6, ended
    assert ended.text.count("from another repository or path") == 1
    assert "more were made by a spec of the same stack name" in ended.text
    applied(here(world, "apply", "-y", "--accept-origin"))
