"""Faults that let a request through: one that stores something else than was sent, one that keeps the answer back."""

from __future__ import annotations

import threading
from typing import Any

import httpx2
import pytest

from asstops.emulator.faults import altered
from tests.emulator.conftest import Emu, wait


def test_alter_stores_something_else(emu: Emu) -> None:
    change = {"temperature": 0.5, "name": None, "metadata": {"b": "3"}}
    emu.admin("POST", "/faults", {"method": "POST", "path": "/assistants$", "alter": change})
    sent = {"temperature": 0.1, "name": "n", "description": "d", "metadata": {"a": "1", "b": "2"}}
    made = emu.assistant(**sent)
    live = emu.data("GET", f"/assistants/{made['id']}").json()
    assert live == made
    assert (live["temperature"], live["name"], live["description"]) == (0.5, None, "d")
    assert live["metadata"] == {"a": "1", "b": "3"}
    assert emu.admin("GET", "/requests")["requests"][0]["body"]["temperature"] == 0.1  # the log says what came
    assert emu.assistant(**sent)["temperature"] == 0.1  # once


def test_alter_is_held_to_the_services_rules(emu: Emu) -> None:
    emu.admin("POST", "/faults", {"path": "/assistants$", "alter": {"temperature": 9}})
    assert emu.data("POST", "/assistants", {"model": "gpt-4o"}).status_code == 400


@pytest.mark.parametrize("raw", [b"", b"no json", b"[1]", b"\xff"])
def test_alter_leaves_other_bodies_alone(raw: bytes) -> None:
    assert altered(raw, {"a": 1}) == raw


def test_hang_ends_when_the_client_gives_up(emu: Emu) -> None:
    """The request has run by then, and the log says that nobody heard of it."""
    emu.admin("POST", "/faults", {"method": "POST", "path": "/vector_stores$", "hang_s": 60})

    def impatient() -> None:
        with pytest.raises(httpx2.ReadTimeout):
            emu.data("POST", "/vector_stores", {"name": "s"}, timeout=httpx2.Timeout(30, read=0.2))

    client = threading.Thread(target=impatient)
    client.start()
    assert wait(lambda: emu.admin("GET", "/dump")["vector_stores"], bool, 60)[0]["name"] == "s"
    client.join(60)
    assert not client.is_alive()
    log: list[dict[str, Any]] = wait(lambda: emu.admin("GET", "/requests")["requests"], lambda e: "cut" in e[0], 60)
    assert (log[0]["cut"], log[0]["status"]) == ("after", None)


def test_hang_that_ends_in_time_is_answered(emu: Emu) -> None:
    emu.admin("POST", "/faults", {"method": "POST", "path": "/vector_stores$", "hang_s": 0.05})
    assert emu.store(name="s")["name"] == "s"
