"""Requests a minute: how many are let through, what the refusal says, and what counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from asstops.emulator import EmulatorError, EmulatorSettings
from tests.emulator.conftest import GROUP, NEW, V1, Emu, error_of

START = 1_750_000_000.0  # the beginning of a second, of ten and of a minute is not the same


class Clock:
    """The emulator's clock, which only the test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def limited(emulator: Any) -> Any:
    """Return a context manager for an emulator with a limit and a clock of its own."""

    @contextmanager
    def opened(per_minute: int, behaviour: dict[str, str] | None = None) -> Iterator[tuple[Emu, Clock]]:
        clock = Clock()
        with emulator(requests_per_minute=per_minute, clock=clock, behaviour=behaviour or {}, arm_operation_s=0) as emu:
            yield emu, clock

    return opened


def statuses(emu: Emu, number: int, path: str = "/files", **kwargs: Any) -> list[int]:
    return [emu.data("GET", path, **kwargs).status_code for _ in range(number)]


@pytest.mark.parametrize(
    ("per_minute", "period_s", "most"),
    [(180, 1, 3), (60, 1, 1), (30, 10, 5), (6, 10, 1), (90, 10, 15), (5, 60, 5), (61, 60, 61)],
)
def test_both_sides_of_the_limit(limited: Any, per_minute: int, period_s: int, most: int) -> None:
    """A period lets whole requests through; the first moment of the next one does so again."""
    with limited(per_minute) as (emu, clock):
        clock.now = START // 60 * 60 + 60  # where every period begins
        assert statuses(emu, most + 1) == [200] * most + [429]
        clock.now += period_s - 0.25
        assert statuses(emu, 1) == [429]
        clock.now += 0.25
        assert statuses(emu, most + 1) == [200] * most + [429]


def test_no_limit_unless_it_is_asked_for(emu: Emu) -> None:
    answer = emu.data("GET", "/files")
    assert not [name for name in answer.headers if "ratelimit" in name or "retry" in name]


def test_what_an_answer_says(limited: Any) -> None:
    with limited(120) as (emu, clock):
        clock.now += 0.5
        left = [emu.data("GET", "/files").headers["x-ratelimit-remaining-requests"] for _ in range(2)]
        assert left == ["1", "0"]
        refused = emu.data("GET", "/files")
        assert error_of(refused, 429)["code"] == "429"
        assert "Please retry after 1 second." in refused.json()["error"]["message"]
        told = {name: refused.headers[name] for name in ("retry-after", "retry-after-ms")}
        assert told == {"retry-after": "1", "retry-after-ms": "500"}
        assert refused.headers["x-ratelimit-limit-requests"] == "120"
        assert refused.headers["x-ratelimit-remaining-requests"] == "0"


@pytest.mark.parametrize(
    ("said", "found"), [("both", ["4", "3250"]), ("seconds", ["4", None]), ("left_out", [None, None])]
)
def test_how_it_says_when_to_come_again(limited: Any, said: str, found: list[str | None]) -> None:
    with limited(6, {"rate_limit_headers": said}) as (emu, clock):
        clock.now = START // 10 * 10 + 6.75
        assert statuses(emu, 2) == [200, 429]
        refused = emu.data("GET", "/files")
        assert [refused.headers.get(name) for name in ("retry-after", "retry-after-ms")] == found


def test_a_refused_request_changes_nothing_and_is_logged(limited: Any) -> None:
    with limited(60) as (emu, clock):
        assert emu.data("POST", "/vector_stores", {}).status_code == 200
        assert emu.data("POST", "/vector_stores", {"name": "refused"}).status_code == 429
        clock.now += 1
        assert [store["name"] for store in emu.data("GET", "/vector_stores").json()["data"]] == [""]
        log = emu.admin("GET", "/requests")["requests"]
        assert [(entry["method"], entry["status"]) for entry in log] == [("POST", 200), ("POST", 429), ("GET", 200)]


def test_each_account_and_each_project_counts_for_itself(limited: Any) -> None:
    """Whichever version is spoken; ARM and the emulator's own paths are not limited."""
    with limited(60) as (emu, clock):
        emu.account("other")
        key = emu.arm("POST", f"{GROUP}/accounts/other/listKeys").json()["key1"]
        clock.now += 1
        assert statuses(emu, 1, surface=NEW) + statuses(emu, 1, surface=V1) == [200, 429]
        assert statuses(emu, 2, account="other", headers={"api-key": key}) == [200, 429]
        headers = {"authorization": f"Bearer {emu.token('https://ai.azure.com')}"}
        project = "/api/projects/emulator"
        agents = emu.http.get(f"{project}/agents", params={"api-version": "v1"}, headers=headers)
        files = emu.http.get(f"{project}/openai/v1/files", headers=headers)
        assert (agents.status_code, files.status_code) == (200, 429)
        assert [emu.arm("GET", f"{GROUP}/accounts").status_code for _ in range(3)] == [200] * 3


def test_what_does_not_count(limited: Any) -> None:
    """Requests that a fault answers, and those of nobody."""
    with limited(60) as (emu, _):
        emu.admin("POST", "/faults", {"path": "/files$", "status": 503})
        assert statuses(emu, 1) == [503]
        assert statuses(emu, 1, headers={"api-key": "wrong"}) == [401]
        assert statuses(emu, 2) == [200, 429]


def test_reset_forgets_and_emptying_the_log_does_not(limited: Any) -> None:
    with limited(60) as (emu, clock):
        assert statuses(emu, 2) == [200, 429]
        emu.admin("DELETE", "/requests")
        assert statuses(emu, 1) == [429]
        emu.admin("POST", "/clock", {"advance_s": 1})
        assert statuses(emu, 2) == [200, 429]
        emu.admin("POST", "/reset")
        clock.now += 1  # the clock has been put back
        assert statuses(emu, 2) == [200, 429]
        emu.admin("POST", "/reset")
        assert statuses(emu, 2) == [200, 429]


def test_a_negative_limit_is_refused() -> None:
    with pytest.raises(EmulatorError, match="requests_per_minute is -1, must not be negative"):
        EmulatorSettings(requests_per_minute=-1)
