"""The lock of a team, a lease in Azure Storage: kept by one apply, broken, lost and left behind."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest

from asstops.locks import azure_blob
from asstops.locks.keeper import Times
from tests.support.azurite import ACCOUNT, KEY, Azurite
from tests.support.running import Gate, Running, until

from .conftest import Ended, World

Here = Callable[..., Ended]
Start = Callable[..., Running]
# As the real one, but with other times: a lease of the least length there is, renewed all the time.
QUICK = Times(lease=15, renew=0.2, retry=0.2, margin=5, breaking=2)
PROGRAM = f"""
from asstops.cli.main import run
from asstops.locks import azure_blob
from asstops.locks.keeper import Times
azure_blob.TIMES = {QUICK}
azure_blob.PAUSE_S = 0.2
run()
"""


@pytest.fixture
def team(world: World, azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> str:
    """A spec of a store and an assistant whose lock is in an empty container; the container's name."""
    monkeypatch.setattr(azure_blob, "TIMES", QUICK)
    monkeypatch.setattr(azure_blob, "PAUSE_S", 0.2)
    container = f"locks-{uuid4().hex[:8]}"
    azurite.make_container(container)
    world.environment |= azurite.environ
    world.sales(lock={"azure_blob": {"account_url": azurite.account_url, "container": container}})
    return container


@pytest.fixture
def start(world: World, team: str, watched: Start) -> Start:
    """The real command line, to be watched."""

    def started(*arguments: str, terminal: bool = False) -> Running:
        environ = world.environ({"COLUMNS": "400"})
        return watched(
            [sys.executable, "-c", PROGRAM, *arguments], cwd=world.folder, environ=environ, terminal=terminal
        )

    return started


@pytest.fixture
def hold(world: World, gate: Gate) -> Callable[[str], None]:
    """Hold the next POST to a path: `hold("/assistants$")`."""
    return lambda path: world.fault(method="POST", path=path, delay_s=1)


def held(world: World, running: Running) -> None:
    """Wait until a request of the apply is on its way, and held there."""
    until(lambda: [entry for entry in world.requests() if "fault" in entry] or running.must_run())


def blob(azurite: Azurite, container: str) -> Any:
    from azure.storage.blob import BlobClient

    return BlobClient(azurite.account_url, container, "asstops/demo.lock", credential=KEY)


def test_two_applies_of_one_stack(
    world: World,
    here: Here,
    start: Start,
    hold: Callable[[str], None],
    gate: Gate,
    azurite: Azurite,
    team: str,
) -> None:
    """The second exits 5 and names the first, one that waits finds nothing left to do; the blob holds no secret."""
    hold("/assistants$")
    first = start("apply", "-y")
    held(world, first)
    second = here(world, "apply", "-y")
    assert second.code == 5, second
    assert "Error: the stack demo is locked by" in second.err
    assert f"(process {first.pid}), running 'asstops apply' since 20" in second.text
    with blob(azurite, team) as client:
        content = client.download_blob().readall().decode()
        properties = client.get_blob_properties()
    assert str(first.pid) in content
    secrets = [KEY, world.environment["AZURE_OPENAI_API_KEY"], world.environment["IDENTITY_HEADER"]]
    assert not [secret for secret in secrets if secret in content + str(dict(properties))]
    third = start("apply", "-y", "--lock-timeout", "80")
    third.says("Waiting up to 80 s: the stack demo is locked by")
    gate.open()
    assert (first.end(), third.end()) == (0, 0), first.text + third.text
    assert "No changes." in third.text
    free = here(world, "unlock")
    assert (free.code, free.out) == (0, "Nothing to do: the stack demo is not locked.\n"), free


def test_broken_while_an_apply_runs(
    world: World,
    here: Here,
    start: Start,
    hold: Callable[[str], None],
    gate: Gate,
) -> None:
    """What is under way is finished, and then nothing is written any more, the record included; exit 3."""
    hold("/files$")
    first = start("apply", "-y")
    held(world, first)
    refused = here(world, "unlock")
    assert refused.code == 64, "without a terminal nobody can be asked"
    broken = here(world, "unlock", "-y")
    assert broken.code == 0, broken
    assert f"(process {first.pid}), running 'asstops apply'" in broken.out
    assert "The lock is broken. Others can have it in " in broken.out
    first.says("The lock is lost: its lease was broken ('asstops unlock' does that)")
    sent = len(world.writes())
    gate.open()
    assert first.end() == 3, first.text
    assert [entry["path"] for entry in world.writes()[sent:]] == []
    assert "Not attempted:" in first.text
    assert "Interrupted: " in first.text
    world.clear()
    after = here(world, "apply", "-y", "--lock-timeout", "80")
    assert after.code == 0, after
    assert world.names("assistants") == ["bot"]


def test_broken_before_anything_is_written(world: World, here: Here, start: Start) -> None:
    """Whoever answers the question too late is told; exit 5, nothing written."""
    first = start("apply", terminal=True)
    first.says("Only 'yes' goes on")
    assert here(world, "unlock", "-y").code == 0
    first.says("The lock is lost")
    first.answer("yes\n")
    assert first.end() == 5, first.text
    assert "Error: the lock was lost: its lease was broken" in first.text
    assert world.writes() == []


def test_killed_and_left_behind(
    world: World,
    here: Here,
    start: Start,
    hold: Callable[[str], None],
    gate: Gate,
    azurite: Azurite,
    team: str,
) -> None:
    """Nobody renews the lease of a process that was killed: it runs out, and the next apply carries on."""
    hold("/assistants$")
    first = start("apply", "-y")
    held(world, first)
    first.kill()
    gate.open()
    with blob(azurite, team) as client:
        assert client.get_blob_properties().lease.status == "locked"
    second = here(world, "apply", "-y", "--lock-timeout", "80")
    assert second.code == 0, second
    assert world.names("assistants") == ["bot"]


def test_nothing_is_locked_before_the_first_apply(world: World, here: Here, azurite: Azurite, team: str) -> None:
    """Nor is there a blob yet; a signature opens the container as well as a key does."""
    from azure.storage.blob import ContainerSasPermissions, generate_container_sas

    rights = ContainerSasPermissions(read=True, create=True, write=True)
    until_when = datetime.now(timezone.utc) + timedelta(hours=1)
    signature = generate_container_sas(ACCOUNT, team, account_key=KEY, permission=rights, expiry=until_when)
    for command, told in (("unlock", "Nothing to do"), ("apply", "Applied: "), ("unlock", "Nothing to do")):
        ended = here(world, command, "-y", AZURE_STORAGE_SAS_TOKEN=f"?{signature}", AZURE_STORAGE_KEY=None)
        assert ended.code == 0, ended
        assert told in ended.out
    with blob(azurite, team) as client:
        assert client.get_blob_properties().lease.state == "available"


def test_ended_while_it_plans(world: World, here: Here, start: Start, gate: Gate) -> None:
    """SIGTERM gives the lease back, so that the next run of a pipeline need not wait for it to run out."""
    world.fault(method="GET", path="/accounts/contoso$", delay_s=1)
    first = start("apply", "-y")
    held(world, first)
    first.process.terminate()
    gate.open()
    assert first.end() == 143, first.text
    assert world.writes() == []
    assert here(world, "unlock").out == "Nothing to do: the stack demo is not locked.\n"


@pytest.mark.parametrize(
    ("change", "message", "fix"),
    [
        ({"container": "absent"}, "there is no container absent", "az storage container create --name absent"),
        ({"AZURE_STORAGE_KEY": "bm9uZQ=="}, "not allowed to (HTTP 403)", "check that AZURE_STORAGE_KEY is of this"),
        ({"AZURE_STORAGE_KEY": ""}, "over plain http no token is sent", "set AZURE_STORAGE_KEY or"),
        ({"AZURE_STORAGE_KEY": "no base64 at all!"}, "AZURE_STORAGE_KEY cannot sign requests", "copy it again"),
        (
            {"AZURE_STORAGE_SAS_TOKEN": "?sv=2021-01-01&sp=rcw&sig=a%2Bcanary%3D"},
            "not allowed to (HTTP 403)",
            "check that AZURE_STORAGE_SAS_TOKEN is of this",
        ),
    ],
)
def test_a_storage_account_that_cannot_be_used(
    world: World,
    here: Here,
    azurite: Azurite,
    team: str,
    change: dict[str, str],
    message: str,
    fix: str,
) -> None:
    """Says what is wrong and how to mend it, shows no secret, and no request goes to the service."""
    environ = {name: value for name, value in change.items() if name != "container"}
    container = change.get("container", team)
    world.sales(lock={"azure_blob": {"account_url": azurite.account_url, "container": container}})
    ended = here(world, "-v", "--debug", "apply", "-y", **environ)
    assert ended.code == 1, ended
    assert message in ended.text
    assert fix in ended.text
    assert not [secret for secret in (KEY, "canary", *environ.values()) if len(secret) > 3 and secret in ended.text]
    assert world.requests() == []
