"""Saved plans: what was shown is what runs, elsewhere and later, or nothing does."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import DEPLOYMENT, RESOURCE, Ended, World

Here = Callable[..., Ended]
EVERYTHING: dict[str, Any] = {
    "assistants": {
        "bot": {
            "model": "gpt-4o",
            "instructions": "hi",
            "metadata": {"owner": "sales"},
            "tools": [{"file_search": {"vector_store": "kb"}}],
        },
        "old": {"model": "gpt-4o"},
    }
}


def applied(ended: Ended) -> None:
    assert ended.code == 0, ended


def saved(world: World, here: Here, *args: str) -> Path:
    """Save a plan of what the folder holds now."""
    ended = here(world, "plan", "-o", "plan.json", *args)
    assert ended.code == 0, ended
    return world.folder / "plan.json"


def refused(world: World, here: Here, code: int, *words: str, args: tuple[str, ...] = ("apply", "plan.json")) -> Ended:
    """Nothing is written, the exit code is as said, and so is the message."""
    world.admin("DELETE", "/requests")
    ended = here(world, *args)
    assert ended.code == code, ended
    assert world.writes() == []
    for word in words:
        assert word in ended.text, ended
    return ended


def test_a_saved_plan_is_carried_out_from_another_checkout(world: World, here: Here, tmp_path: Path) -> None:
    """Shown as it was planned, applied without a question elsewhere, and stale afterwards."""
    world.sales(3, **EVERYTHING)
    planned = here(world, "plan", "-o", "plan.json")
    shown = here(world, "show", "plan.json")
    body = planned.out.partition("\n\n")[2]
    assert "assistant.bot" in body
    assert shown.out.partition("\n\n")[2] == body
    as_json = here(world, "plan", "--format", "json")
    assert json.loads(here(world, "show", "--format", "json", "plan.json").out) == json.loads(as_json.out)

    other = tmp_path / "elsewhere" / "checkout"
    shutil.copytree(world.folder, other, ignore=shutil.ignore_patterns("elsewhere", ".asstops"))
    world.folder = other
    world.admin("DELETE", "/requests")
    applied(here(world, "apply", "plan.json"))
    assert world.names("assistants") == ["bot", "old"]
    assert "No changes." in here(world, "plan").out
    refused(world, here, 4, "assistant.bot: it exists already", "The plan is stale")


def test_a_plan_of_updates_deletes_and_replacements(world: World, here: Here) -> None:
    world.sales(3, **EVERYTHING)
    applied(here(world, "apply", "-y"))
    world.write("kb/f01.md", "other content\n")
    world.sales(
        0,
        vector_stores={
            "kb": {
                "files": [{"glob": "kb/*.md"}],
                "chunking": {"max_chunk_size_tokens": 400, "chunk_overlap_tokens": 9},
            }
        },
        assistants={"bot": {**EVERYTHING["assistants"]["bot"], "instructions": "bye", "temperature": 0.5}},
    )
    planned = here(world, "plan", "-o", "plan.json")
    assert planned.out.partition("\n\n")[2] == here(world, "show", "plan.json").out.partition("\n\n")[2]
    assert "known after apply" in planned.text or "new object" in planned.text, planned
    applied(here(world, "apply", "plan.json"))
    assert "No changes." in here(world, "plan").out
    assert world.names("assistants") == ["bot"]


def test_a_saved_destroy_plan(world: World, here: Here) -> None:
    world.sales(2, **EVERYTHING)
    applied(here(world, "apply", "-y"))
    saved(world, here, "--destroy")
    assert "destroy stack demo" in here(world, "show", "plan.json").text
    applied(here(world, "apply", "plan.json"))
    assert world.names("assistants") == []
    assert world.dump()["files"] == []


def test_an_empty_plan_is_saved_and_applied(world: World, here: Here) -> None:
    world.sales()
    applied(here(world, "apply", "-y"))
    saved(world, here)
    assert "No changes." in here(world, "apply", "plan.json").out


def test_targets_are_part_of_the_plan(world: World, here: Here) -> None:
    world.sales(2, **EVERYTHING)
    saved(world, here, "--target", "assistant.old")
    applied(here(world, "apply", "plan.json"))
    assert world.names("assistants") == ["old"]
    assert here(world, "apply", "plan.json", "--target", "assistant.bot").code == 64


def edit(world: World, table: str, called: str, **body: Any) -> None:
    """Change a live object behind asstops's back, as a portal does; without a body it is deleted."""
    remote_id = next(item["id"] for item in world.dump()[table] if item.get("name") == called)
    answer = world.http.request(
        "POST" if body else "DELETE",
        f"/contoso/openai/{table}/{remote_id}",
        params={"api-version": "2025-03-01-preview"},
        headers=token(world, "https://cognitiveservices.azure.com/"),
        json=body or None,
    )
    assert answer.status_code == 200, answer.text


def token(world: World, audience: str) -> dict[str, str]:
    answer = world.http.get(
        world.environment["IDENTITY_ENDPOINT"],
        params={"resource": audience, "api-version": "2019-08-01"},
        headers={"X-IDENTITY-HEADER": world.environment["IDENTITY_HEADER"]},
    )
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


MOVES: dict[str, tuple[Callable[[World], Any], tuple[str, ...]]] = {
    "a file of the spec": (lambda w: w.write("kb/f01.md", "moved"), ("file.kb/f01.md", "other content")),
    "a new file": (lambda w: w.write("kb/f99.md", "new"), ("file.kb/f99.md: came into the spec",)),
    "a file that went": (lambda w: os.remove(w.folder / "kb/f02.md"), ("file.kb/f02.md: left the spec",)),
    "the spec": (
        lambda w: w.write("asstops.yaml", (w.folder / "asstops.yaml").read_text().replace("new text", "newer text")),
        ("assistant.bot: instructions changed in the spec",),
    ),
    "protection": (
        lambda w: w.write("asstops.yaml", (w.folder / "asstops.yaml").read_text() + "    protect: true\n"),
        ("assistant.second: settings changed in the spec",),
    ),
    "an object that the plan changes": (
        lambda w: edit(w, "assistants", "bot", temperature=0.9),
        ("assistant.bot: temperature changed in the service",),
    ),
    "its metadata": (
        lambda w: edit(w, "assistants", "bot", metadata={**metadata_of(w, "assistants", "bot"), "theirs": "1"}),
        ("assistant.bot: metadata.theirs changed in the service",),
    ),
    "an object that it depends on": (
        lambda w: edit(w, "vector_stores", "kb", expires_after={"anchor": "last_active_at", "days": 3}),
        ("vector_store.kb: expires_after_days changed in the service",),
    ),
    "an object that has gone": (lambda w: edit(w, "assistants", "bot"), ("assistant.bot", "is gone")),
    "an object that the plan left alone": (
        lambda w: edit(w, "assistants", "old", name="renamed"),
        ("assistant.old: the plan would now update it as well",),
    ),
}


def metadata_of(world: World, table: str, name: str) -> dict[str, str]:
    found: dict[str, str] = next(item["metadata"] for item in world.dump()[table] if item.get("name") == name)
    return found


@pytest.mark.parametrize("what", MOVES)
def test_what_moved_is_named_and_nothing_is_written(world: World, here: Here, what: str) -> None:
    world.sales(3, **EVERYTHING)
    applied(here(world, "apply", "-y"))
    bot, old = EVERYTHING["assistants"]["bot"], EVERYTHING["assistants"]["old"]
    world.sales(3, assistants={"bot": {**bot, "instructions": "new text"}, "old": old, "second": {"model": "gpt-4o"}})
    saved(world, here)
    move, words = MOVES[what]
    move(world)
    refused(world, here, 4, "nothing was written", *words)


def test_a_plan_is_for_one_stack_endpoint_account_and_origin(
    world: World, here: Here, special: Callable[..., Any]
) -> None:
    world.sales(1)
    saved(world, here)
    spec = (world.folder / "asstops.yaml").read_text()
    world.write("asstops.yaml", spec.replace("stack: demo", "stack: other"))
    refused(world, here, 1, "made for the stack demo, here it is other")
    world.write("asstops.yaml", spec.replace("name: contoso", "name: fabrikam", 1))
    refused(world, here, 1, "made for the account contoso, here it is fabrikam")
    world.write("asstops.yaml", f"origin: elsewhere\n{spec}")
    refused(world, here, 1, "another repository or path")
    world.spec(resource=None, assistants={"one": {"model": "gpt-4o"}})
    applied(here(world, "plan", "-o", "plan.json"))
    with special() as other:
        refused(other, here, 1, "made for the endpoint")


def test_variables_travel_with_the_plan(world: World, here: Here) -> None:
    """Also a quoted number of a file of variables, and one that the environment gave."""
    world.spec(
        vars={"owner": None, "code": "none", "team": "sales"},
        resource={**RESOURCE, "tags": {"owner": "${owner}", "code": "${code}", "team": "${team}"}},
    )
    world.write("prod.yaml", 'code: "007"\n')
    ended = here(world, "plan", "-o", "plan.json", "--var-file", "prod.yaml", ASSTOPS_VAR_OWNER="1e3")
    assert ended.code == 0, ended
    os.remove(world.folder / "prod.yaml")
    assert here(world, "apply", "plan.json", "--var", "owner=x").code == 64
    assert here(world, "apply", "plan.json", "-f", "asstops.yaml").code == 64
    applied(here(world, "apply", "plan.json", ASSTOPS_VAR_OWNER="other"))
    tags = world.dump()["accounts"][0]["tags"]
    assert {name: tags[name] for name in ("owner", "code", "team")} == {"owner": "1e3", "code": "007", "team": "sales"}


def test_a_sensitive_value_is_not_in_the_file_and_must_be_the_same(world: World, here: Here) -> None:
    secret = "c4nary-of-the-plan-file"
    world.spec(
        vars={"owner": {"sensitive": True}},
        resource={**RESOURCE, "tags": {"owner": "${owner}"}},
    )
    assert here(world, "plan", "-o", "plan.json", ASSTOPS_VAR_OWNER=secret).code == 0
    assert secret not in (world.folder / "plan.json").read_text()
    refused(world, here, 1, "variable owner has no value")
    ended = here(world, "apply", "plan.json", "--var", "owner=something-else")
    assert ended.code == 4, ended
    assert "tags changed in the spec" in ended.text
    assert "something-else" not in ended.text
    applied(here(world, "apply", "plan.json", ASSTOPS_VAR_OWNER=secret))
    assert world.dump()["accounts"][0]["tags"]["owner"] == secret


def test_a_variable_that_holds_a_secret_is_refused(world: World, here: Here) -> None:
    world.spec(vars={"owner": None}, resource={**RESOURCE, "tags": {"owner": "${owner}"}})
    key = world.environment["AZURE_OPENAI_API_KEY"]
    ended = here(world, "plan", "-o", "plan.json", ASSTOPS_VAR_OWNER=key)
    assert ended.code == 64, ended
    assert "holds a secret" in ended.text
    assert not (world.folder / "plan.json").exists()


def doctored(path: Path, change: Callable[[dict[str, Any]], Any], *, sealed: bool = True) -> None:
    """Change a plan file, its checksum too, as somebody who wants to be believed would."""
    from asstops.planfile import _checksum

    content = json.loads(path.read_text())
    del content["sha256"]
    change(content)
    path.write_text(json.dumps({**content, "sha256": _checksum(content) if sealed else "0" * 64}))


DOCTORED: dict[str, tuple[Callable[[dict[str, Any]], Any], int, str]] = {
    "an unknown key": (lambda c: c["plan"].update(extra=1), 1, "damaged: plan.extra"),
    "a wrong type": (lambda c: c["plan"].update(unchanged="3"), 1, "damaged: plan.unchanged"),
    "a missing key": (lambda c: c["pins"].pop("live"), 1, "damaged: pins.live"),
    "an unknown action": (
        lambda c: c["plan"]["changes"][0].update(action="steal"),
        1,
        "damaged: plan.changes.0.action",
    ),
    "a create of what is there": (lambda c: c["plan"]["changes"][0].update(after=None), 1, "damaged"),
    "an address that is none": (lambda c: c["plan"]["changes"][0].update(address="x"), 1, "not an address"),
    "another version": (lambda c: c.update(asstops_version="0.0.1"), 1, "made by asstops 0.0.1"),
    "a later format": (lambda c: c.update(format_version=2), 1, "its format is 2, this asstops reads 1"),
    "an escape sequence for a version": (lambda c: c.update(asstops_version="\x1b[2J"), 1, "\\x1b[2J"),
    "a spec outside the repository": (
        lambda c: c["invocation"].update(files=["../../../../../../../../etc/passwd"]),
        1,
        "outside the repository",
    ),
    "an absolute spec": (lambda c: c["invocation"].update(files=["/etc/passwd"]), 1, "outside the repository"),
    "a drive": (lambda c: c["invocation"].update(files=["C:\\x.yaml"]), 1, "outside the repository"),
    "a variable that nobody declared": (
        lambda c: c["invocation"]["variables"].update(x={"text": "1", "quoted": False}),
        1,
        "the saved plan sets 'x'",
    ),
    "less than there is to do": (
        lambda c: c["plan"]["changes"].pop(0),
        4,
        "assistant.bot: the plan would now create it",
    ),
    "another text than the spec's": (
        lambda c: c["plan"]["changes"][0]["after"].update(instructions="nice"),
        4,
        "assistant.bot: the plan would now create it in another way",
    ),
    "no pins": (lambda c: c["pins"].update(spec={}, live=[]), 4, "came into the spec"),
    "a destroy": (lambda c: c["plan"].update(destroy=True, changes=[]), 4, "the plan is stale"),
}


@pytest.mark.parametrize("what", DOCTORED)
def test_a_plan_file_is_not_trusted(world: World, here: Here, what: str) -> None:
    """A file that was changed by hand, checksum and all, is refused; it never makes asstops do something else."""
    world.sales(1)
    change, code, words = DOCTORED[what]
    doctored(saved(world, here), change)
    world.admin("DELETE", "/requests")
    ended = here(world, "apply", "plan.json")
    assert (ended.code, world.writes()) == (code, []), ended
    assert words.lower() in ended.text.lower(), ended
    assert "\x1b" not in ended.text


BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"\x7fELF\x00\x01",
    "another JSON": b"[1, 2]",
    "deep nesting": b"[" * 100_000,
    "deep nesting in a plan": b'{"format": "asstops-plan", "format_version": 1, "x": ' + b"[" * 100_000,
    "not a number": b'{"format": "asstops-plan", "format_version": NaN}',
}


@pytest.mark.parametrize("command", ["apply", "show"])
@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file(world: World, here: Here, command: str, what: str) -> None:
    world.sales(1)
    (world.folder / "plan.json").write_bytes(BROKEN[what])
    refused(world, here, 1, "plan.json: it ", "make a new one", args=(command, "plan.json"))


def test_a_cut_or_flipped_file_is_refused_wherever_it_was_hit(world: World, here: Here) -> None:
    """Every cut, and a flipped bit at many places."""
    from asstops import __version__
    from asstops.errors import PlanFileInvalid
    from asstops.planfile import from_bytes

    world.sales(1)
    data = saved(world, here).read_bytes()
    assert from_bytes(data, version=__version__).plan.changes
    whole = len(data.rstrip())
    for length in range(0, whole, 37):
        with pytest.raises(PlanFileInvalid):
            from_bytes(data[:length], version=__version__)
    for place in range(0, whole, 41):
        changed = bytearray(data)
        changed[place] ^= 2
        if json_or_none(bytes(changed)) == json.loads(data):
            continue  # only white space was hit
        with pytest.raises(PlanFileInvalid):
            from_bytes(bytes(changed), version=__version__)


def json_or_none(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None


def test_a_folder_that_cannot_be_written_to(world: World, here: Here) -> None:
    world.sales(1)
    ended = here(world, "plan", "-o", "nowhere/plan.json")
    assert ended.code == 1, ended
    assert "cannot be written to nowhere/plan.json" in ended.text
    assert list(world.folder.glob(".plan*")) == []


def test_an_apply_that_races_a_plan_file_keeps_the_first_promise(world: World, here: Here) -> None:
    """A deployment whose capacity was changed in the portal after the plan was saved."""
    world.sales(1)
    applied(here(world, "apply", "-y"))
    world.sales(1, deployments={"gpt-4o": {**DEPLOYMENT, "sku": {"name": "GlobalStandard", "capacity": 5}}})
    saved(world, here)
    assert world.dump()["deployments"][0]["sku"]["capacity"] == 1
    arm_patch(world, "deployments/gpt-4o", {"sku": {"name": "GlobalStandard", "capacity": 9}})
    refused(world, here, 4, "deployment.gpt-4o: sku.capacity changed in the service")


def test_an_account_that_comes_back(world: World, here: Here) -> None:
    """A saved plan brings the account back and ends there: what it holds could not be planned before."""
    world.sales(1)
    applied(here(world, "apply", "-y"))
    applied(here(world, "destroy", "-y"))
    world.sales(1, resource={**RESOURCE, "restore": True})
    saved(world, here)
    ended = here(world, "apply", "plan.json")
    applied(ended)
    assert "Plan again to see what the rest needs." in ended.text
    assert world.dump()["deleted_accounts"] == []
    assert here(world, "plan", "--detailed-exitcode").code == 2
    applied(here(world, "apply", "-y"))
    assert "No changes." in here(world, "plan").out


def test_an_account_that_comes_back_is_one_report(world: World, here: Here) -> None:
    """Two rounds of work, one JSON document."""
    world.sales(1)
    applied(here(world, "apply", "-y"))
    applied(here(world, "destroy", "-y"))
    world.sales(1, resource={**RESOURCE, "restore": True})
    ended = here(world, "apply", "-y", "--format", "json")
    applied(ended)
    steps = [step["address"] for step in json.loads(ended.out)["steps"]]
    assert steps[0] == "resource.contoso"
    assert "deployment.gpt-4o" in steps


def arm_patch(world: World, path: str, body: dict[str, Any]) -> None:
    account = (
        f"/subscriptions/{RESOURCE['subscription_id']}/resourceGroups/rg/providers/"
        f"Microsoft.CognitiveServices/accounts/contoso/{path}"
    )
    answer = world.http.patch(
        account,
        params={"api-version": "2025-09-01"},
        headers=token(world, "https://management.azure.com/"),
        json=body,
    )
    assert answer.status_code in (200, 202), answer.text
