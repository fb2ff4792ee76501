"""Locks by themselves: who holds one, waiting for it, where it lies, and keeping a lease."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from asstops.cli.carry_out import exit_code
from asstops.cli.locking import StackLock, lock_of
from asstops.cli.options import Globals
from asstops.errors import AsstopsError, Interrupted, Locked, PartlyApplied, Unavailable
from asstops.locks import Holder, LocalLock, azure_blob, azure_blob_lock, local_lock, waiting
from asstops.locks.azure_blob import AzureBlobLock
from asstops.locks.keeper import Keeper, Times
from asstops.locks.storage import ANSWER_S, LeasedBlob, LeaseGone, LeaseTaken
from asstops.model import Address, Event, Report, StepState, Verb
from asstops.providers.limiter import Limiter
from asstops.providers.settings import Settings
from asstops.spec import load
from tests.support.running import until

ANNA = Holder("anna", "build-7", 4711, "2026-11-21 12:00:00 UTC", "asstops apply")
WORDS = {"what": "the stack s", "fix": "wait"}


def nothing(_text: str) -> None:
    pass


# Who holds it


def test_a_holder_survives_json() -> None:
    assert Holder.from_json(ANNA.to_json()) == ANNA
    assert str(ANNA) == "anna@build-7 (process 4711), running 'asstops apply' since 2026-11-21 12:00:00 UTC"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        b"\xff",
        ANNA.to_json().replace("4711", "true"),
        ANNA.to_json().replace('"anna"', "1"),
    ],
)
def test_what_is_no_holder_is_nobody(text: str | bytes) -> None:
    """The note is written by others, and half of it may be there."""
    assert Holder.from_json(text) is None


def test_a_holder_is_cut_to_a_line() -> None:
    found = Holder.from_json(ANNA.to_json().replace("anna", "a" * 5000))
    assert found is not None
    assert len(str(found)) < 300


def test_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may run as a number that no file of users knows."""

    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert Holder.here("asstops apply").user == "unknown"


# Waiting


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(waiting, "time", found)
    return found


def wait_for(attempt: Callable[[], bool], holder: Callable[[], Holder | None], timeout_s: float) -> list[str]:
    told: list[str] = []
    waiting.wait_for(attempt, holder, timeout_s=timeout_s, pause_s=2.0, waiting=told.append, **WORDS)
    return told


def test_without_a_timeout_nobody_waits(clock: Clock) -> None:
    with pytest.raises(Locked) as caught:
        wait_for(lambda: False, lambda: ANNA, 0)
    assert caught.value.message == f"the stack s is locked by {ANNA}"
    assert caught.value.exit_code == 5
    assert clock.now == 100.0


def test_waiting_ends_with_the_timeout(clock: Clock) -> None:
    """Not a pause later, and each holder is told once."""
    attempts = []
    with pytest.raises(Locked, match=r"\(waited 5 s\)"):
        wait_for(lambda: bool(attempts.append(clock.now)), lambda: ANNA, 5)
    assert attempts == [100, 102, 104, 105]


def test_each_holder_is_told_once(clock: Clock) -> None:
    ben = Holder("ben", "build-8", 1, "2026-11-21 12:01:00 UTC", "asstops destroy")
    told = wait_for(lambda: clock.now > 110, lambda: ANNA if clock.now < 105 else ben, 60)
    assert told == [f"Waiting up to 60 s: the stack s is locked by {holder}" for holder in (ANNA, ben)]


def test_a_holder_gets_a_moment_to_say_who_it_is(clock: Clock) -> None:
    """Without it, whoever comes right after could not be told who was first."""
    with pytest.raises(Locked, match="anna"):
        wait_for(lambda: False, lambda: ANNA if clock.now > 100.3 else None, 0)
    clock.now = 100.0
    with pytest.raises(Locked, match="a process that has not said who it is"):
        wait_for(lambda: False, lambda: None, 0)
    assert clock.now < 102


# On one machine


def named(stack: str, *place: str) -> str:
    return local_lock(stack, place, fallback=Path("nowhere"), **WORDS).path.name


def test_each_stack_of_each_service_has_a_lock_of_its_own() -> None:
    """Azure's names know no case, and an address is the same with and without its last slash."""
    names = [
        named("s", "https://a.example"),
        named("s/prod", "https://a.example"),
        named("s", "https://b.example"),
        named("s", "https://arm", "sub", "group", "account"),
        named("s", "https://arm", "sub", "group", "other"),
    ]
    assert len(set(names)) == len(names)
    assert named("s", "https://A.example/") == names[0]
    assert named("s", "https://arm", "SUB", "Group", "account") == names[3]


def test_which_lock_a_spec_asks_for(tmp_path: Path) -> None:
    """One for each account, or endpoint; that of the emulator's data with --local, whatever the spec says."""

    def lock(text: str, settings: Settings = Settings(), **options: Any) -> Any:  # noqa: B008 - frozen
        (tmp_path / "asstops.yaml").write_text(f"stack: s\nservice: assistants\n{text}", encoding="utf-8")
        stack = load(base=tmp_path, environ={"AZURE_SUBSCRIPTION_ID": "sub"})
        return lock_of(stack, settings, {}, lambda: pytest.fail("not asked"), Globals(chdir=tmp_path, **options))

    account = "resource: {name: %s, resource_group: %s, location: x}\n"
    found = [
        lock(account % ("one", "group")),
        lock(account % ("two", "group")),
        lock(account % ("one", "other")),
        lock(account % ("one", "group"), Settings(arm_endpoint="https://arm.example")),
        lock("", Settings(endpoint="https://one.example")),
        lock("", Settings(endpoint="https://two.example")),
    ]
    assert len({each.path for each in found}) == len(found)
    assert lock(account % ("one", "group")).path == found[0].path
    blob = "lock: {azure_blob: {account_url: https://x.blob.core.windows.net, container: locks}}\n"
    assert lock(blob)._blob.where == "https://x.blob.core.windows.net/locks/asstops/s.lock"
    assert lock(blob, local=True).path == tmp_path / ".asstops" / "local.lock"


@contextmanager
def holding(lock: LocalLock) -> Iterator[None]:
    """Held by another thread, as by another process."""
    taken, free = threading.Event(), threading.Event()

    def hold() -> None:
        with lock.held(Holder.here("asstops apply"), timeout_s=0, waiting=nothing, on_lost=nothing):
            taken.set()
            free.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    assert taken.wait(60)
    try:
        yield
    finally:
        free.set()
        thread.join()


def test_a_file_that_is_locked(tmp_path: Path) -> None:
    first, second = (LocalLock(tmp_path / "x.lock", **WORDS) for _ in range(2))
    assert second.look() == (False, None)
    assert second.break_lock() == 0
    with holding(first):
        held, holder = second.look()
        assert held
        assert holder == Holder.from_json((tmp_path / "x.json").read_text())
        with (
            pytest.raises(Locked, match=r"is locked by .*running 'asstops apply'"),
            second.held(ANNA, timeout_s=0, waiting=nothing, on_lost=nothing),
        ):
            pytest.fail("two at once")
        with pytest.raises(Locked, match="is alive") as caught:
            second.break_lock()
        assert holder is not None
        assert f"end it (process {holder.pid})" in caught.value.fix
    assert second.look() == (False, None)
    assert not (tmp_path / "x.json").exists()


def test_the_note_of_a_process_that_died_names_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "GRACE_S", 0)
    lock = LocalLock(tmp_path / "x.lock", **WORDS)
    with holding(LocalLock(tmp_path / "x.lock", **WORDS)):
        (tmp_path / "x.json").write_text(Holder("old", "here", 2**22 + 1, "", "").to_json())
        assert lock.look() == (True, None)
        with (
            pytest.raises(Locked, match="not said who it is"),
            lock.held(ANNA, timeout_s=0, waiting=nothing, on_lost=nothing),
        ):
            pytest.fail("two at once")


def test_a_state_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the lock lies beside the spec; where that cannot be either, it says so."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    beside = tmp_path / ".asstops" / "locks"
    lock = local_lock("s", ("https://a.example",), fallback=beside, **WORDS)
    assert lock.path.parent == beside
    assert (beside / ".gitignore").read_text() == "*\n"
    with pytest.raises(AsstopsError, match="can be written neither in"):
        local_lock("s", ("https://a.example",), fallback=tmp_path / "file" / "x", **WORDS)


# A lease


class Lease:
    """Renewals as a test wants them; each takes ten seconds on its clock, which stops at `end`."""

    def __init__(self, fails: Callable[[], Exception | None], end: float = 1e9) -> None:
        self._end = end
        self.now, self.renewed, self.lost = 0.0, 0, list[tuple[float, str]]()
        self._fails = fails

    def renew(self) -> None:
        self.now = min(self.now + 10, self._end)
        self.renewed += 1
        if (error := self._fails()) is not None:
            raise error

    def keeper(self) -> Keeper:
        times = Times(lease=60, renew=0.001, retry=0.001, margin=15)
        return Keeper(self.renew, self._note, times=times, began=0.0, clock=lambda: self.now)

    def _note(self, why: str) -> None:
        self.lost.append((self.now, why))


def test_a_lease_that_is_renewed_is_kept() -> None:
    lease = Lease(lambda: None)
    keeper = lease.keeper()
    until(lambda: lease.renewed > 20)
    assert keeper.stop() is True
    assert lease.lost == []
    renewed = lease.renewed
    assert keeper.stop() is False
    assert lease.renewed == renewed, "nothing is renewed after the end"


@pytest.mark.parametrize("error", [Unavailable("no answer in time"), OSError("odd")])
def test_a_lease_that_cannot_be_renewed_is_lost_before_it_runs_out(error: Exception) -> None:
    """Once, and early enough for running work to end: what the margin is for."""
    lease = Lease(lambda: error, end=50)
    keeper = lease.keeper()
    until(lambda: lease.lost)
    assert keeper.stop() is False
    [(when, why)] = lease.lost
    assert when == 50
    assert "could not be renewed in time: " in why
    assert "no answer in time" in why or "unexpected OSError" in why


def test_a_renewal_that_fails_now_and_then_does_no_harm() -> None:
    lease = Lease(lambda: Unavailable("busy") if lease.renewed % 3 else None)
    keeper = lease.keeper()
    until(lambda: lease.renewed > 20)
    assert keeper.stop() is True
    assert lease.lost == []


def test_a_lease_that_is_gone_is_lost_at_once() -> None:
    lease = Lease(lambda: LeaseGone("LeaseIdMismatchWithLeaseOperation"))
    keeper = lease.keeper()
    until(lambda: lease.lost)
    assert keeper.stop() is False
    assert lease.renewed == 1
    assert [(when, "was broken" in why) for when, why in lease.lost] == [(10.0, True)]


def test_a_renewal_that_hangs_does_not_hide_the_loss() -> None:
    """The time is watched by another thread than the one that waits for an answer."""
    answer, lost = threading.Event(), list[str]()
    times = Times(lease=60, renew=0.001, margin=59.9)
    import time

    keeper = Keeper(lambda: bool(answer.wait(60)) and None, lost.append, times=times, began=time.monotonic())
    until(lambda: lost)
    assert not answer.is_set()
    answer.set()
    assert keeper.stop() is False


def test_the_times_leave_no_gap() -> None:
    """A holder has stopped before others can have its lease, also when it hears nothing of its being broken."""
    times = Times()
    assert times.breaking >= times.lease
    assert times.renew + 2 * ANSWER_S + times.retry < times.lease - times.margin


class Blob:
    """A leased blob without a service: what it was asked, in order."""

    def __init__(self, answers: list[Exception | None]) -> None:
        self.asked: list[str] = []
        self.answers = answers
        self.gone = False

    def lease(self, lease_id: str, duration_s: int) -> None:
        self._ask(f"lease {duration_s}")

    def renew(self) -> None:
        self._ask("renew")
        if self.gone:
            raise LeaseGone("LeaseNotPresentWithLeaseOperation")

    def write(self, text: str) -> None:
        self._ask("write it" if text else "write nothing")

    def read(self) -> str:
        return ANNA.to_json()

    def release(self) -> None:
        self._ask("release")

    def close(self) -> None:
        self._ask("close")

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.answers and (error := self.answers.pop(0)) is not None:
            raise error


def leased(blob: Blob, lost: list[str], timeout_s: float = 0) -> Any:
    lock = AzureBlobLock(blob, **WORDS)  # type: ignore[arg-type]
    return lock.held(ANNA, timeout_s=timeout_s, waiting=nothing, on_lost=lost.append)


def test_the_blob_says_who_has_it_and_then_nothing() -> None:
    """It is emptied before others can have it, so that nobody is taken for the one before."""
    blob, lost = Blob([]), list[str]()
    with leased(blob, lost):
        assert blob.asked == ["lease 60", "write it"]
    assert blob.asked == ["lease 60", "write it", "write nothing", "release", "close"]
    assert lost == []


def test_a_note_that_cannot_be_written_costs_nothing() -> None:
    blob, lost = Blob([None, Unavailable("busy"), Unavailable("busy"), Unavailable("busy")]), list[str]()
    with leased(blob, lost):
        pass
    assert blob.asked == ["lease 60", "write it", "write nothing", "release", "close"]


def test_a_lease_that_was_lost_is_not_released(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is somebody else's by then."""
    monkeypatch.setattr(azure_blob, "TIMES", Times(renew=0.001))
    blob, lost = Blob([]), list[str]()
    blob.gone = True
    with leased(blob, lost):
        until(lambda: lost)
    assert sorted(blob.asked) == ["close", "lease 60", "renew", "write it"]


def test_a_storage_account_that_does_not_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azure_blob, "ATTEMPT_PAUSE_S", 0)
    blob = Blob([Unavailable("busy"), Unavailable("busy"), LeaseTaken("")])
    with pytest.raises(Locked, match="anna"), leased(blob, []):
        pytest.fail("somebody else has it")
    assert blob.asked == ["lease 60"] * 3 + ["close"]
    with pytest.raises(Unavailable), leased(Blob([Unavailable("busy")] * 3), []):
        pytest.fail("nobody knows whether we have it")


# Azure Storage


def blob_at(url: str, credential: Callable[[], Any] = lambda: None, **environ: str) -> LeasedBlob:
    return LeasedBlob(url, "locks", "asstops/s.lock", environ=environ, credential=credential)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.storage.blob", None)
    place = ("s", "https://x.blob.core.windows.net", "locks")
    lock = azure_blob_lock(*place, environ={}, credential=lambda: pytest.fail("not asked"), **WORDS)
    hold = lock.held(ANNA, timeout_s=0, waiting=nothing, on_lost=nothing)
    for attempt in (hold.__enter__, lock.look, lock.break_lock):
        with pytest.raises(AsstopsError, match="needs the package azure-storage-blob") as caught:
            attempt()
        assert caught.value.fix == "pip install 'asstops[azure-lock]'"


def test_entra_id_signs_in_where_the_environment_holds_nothing_else() -> None:
    class Token:
        def get_token(self, *scopes: str, **_: Any) -> Any: ...

    token, url = Token(), "https://x.blob.core.windows.net"
    pytest.importorskip("azure.storage.blob")
    assert blob_at(url, lambda: token)._opened().credential is token
    signed = blob_at(url, AZURE_STORAGE_SAS_TOKEN="?sv=1&sig=s", AZURE_STORAGE_KEY="a2V5")._opened()
    assert signed.credential.signature == "sv=1&sig=s"


def test_no_token_is_sent_over_plain_http() -> None:
    pytest.importorskip("azure.storage.blob")
    with pytest.raises(AsstopsError, match="over plain http no token is sent"):
        blob_at("http://127.0.0.1:10000/devstoreaccount1").read()


def test_no_signature_is_shown_when_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's own words hold the address with its signature; neither they nor their traceback are passed on."""
    pytest.importorskip("azure.storage.blob")
    monkeypatch.setattr(azure_blob, "ATTEMPT_PAUSE_S", 0)
    blob = blob_at("http://127.0.0.1:1/devstoreaccount1", AZURE_STORAGE_SAS_TOKEN="?sv=1&sig=a%2Bcanary%3D")
    with pytest.raises(Unavailable, match="cannot reach") as caught:
        blob.read()
    assert "canary" not in caught.value.message + caught.value.fix
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


# A command and its lock


@pytest.mark.parametrize(
    ("lost", "wrote", "signalled", "code"),
    [("", True, 0, 3), ("", False, 0, 1), ("gone", True, 0, 3), ("gone", False, 0, 5), ("gone", True, 15, 143)],
)
def test_how_an_apply_that_stopped_ends(lost: str, wrote: bool, signalled: int, code: int) -> None:
    """5 promises that nothing was written; a signal comes before all."""
    stopped = Report(skipped=(Event(Address("file", "a"), Verb.CREATE, StepState.SKIPPED),), wrote=wrote)
    lock = StackLock(Globals(), "apply", 0)
    lock.lost = lost
    assert exit_code(stopped, signalled, lock) == code


def test_a_lock_lost_while_reading_ends_with_5() -> None:
    """The requests that the loss stops end as interrupted; what happened is that the lock was lost."""
    lock = StackLock(Globals(), "apply", 0)
    lock._on_lost("broken")
    with pytest.raises(Locked, match="the lock was lost: broken"), lock:
        raise Interrupted("stopped before the next request")


def test_a_lost_lock_lets_nothing_out_any_more() -> None:
    """A signal lets the record be written before the end; without the lock not even that may be."""
    limiter = Limiter()
    limiter.stop()
    with limiter.closing():
        limiter.check()
    limiter.stop(for_good=True)
    with pytest.raises(Interrupted), limiter.closing():
        limiter.check()


def test_a_lock_that_others_got_halfway_ends_with_3() -> None:
    """Once something was written, nobody may be told that nothing was."""
    lock = StackLock(Globals(), "apply", 0)
    lock.wrote = True
    with pytest.raises(PartlyApplied, match="held by anna"), lock:
        raise Locked("held by anna")
    assert lock.exit_code(wrote=True) is None, "the lock was not lost"
