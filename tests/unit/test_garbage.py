"""Looking for garbage: seldom in a command, as usual in a server, and not at the end."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from asstops.cli import garbage, main

USUAL = gc.get_threshold()


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Other tests run in this process, too."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_a_command_looks_for_it_seldom() -> None:
    """Once for all that the SDKs' imports make, or not at all; and what is there at the end is left to the system."""
    code = "import atexit, gc\n"
    code += "atexit.register(lambda: print(gc.get_threshold()[0], gc.get_freeze_count() > 1000))\n"
    code += "from asstops.cli.main import run\nrun(['--version'])\n"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    seldom, frozen = ended.stdout.splitlines()[-1].split()
    assert int(seldom) >= 300_000
    assert frozen == "True"


def test_a_server_looks_for_it_as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs for days, and must not grow."""
    seen: list[tuple[int, int, int]] = []

    def serve(**_: Any) -> None:
        seen.append(gc.get_threshold())

    monkeypatch.setattr("asstops.emulator.serve", serve)
    garbage.collect_seldom()
    main.main(["emulator", "--port", "0"], prog_name="asstops", standalone_mode=False)
    assert seen == [USUAL]
