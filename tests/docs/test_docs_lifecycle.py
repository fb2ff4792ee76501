"""What an edit beside a spec does: the folder of documents, its production overlay, and an uploaded file.

The real command line, against the emulator as a server; tests/e2e takes every single-file spec the same way.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from asstops.emulator import EmulatorServer, EmulatorSettings
from tests.docs.pages import ROOT

# What somebody changes later: file, old text, new text.
EDITS = {
    "everything": ("specs/everything/kb/welcome.md", "Saturday 9:00", "Saturday 10:00"),
    "sales.yaml": ("specs/data/monthly_sales.json", '"orders": 412', '"orders": 413'),
}


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer(settings=EmulatorSettings(ingestion_s=0.05, arm_operation_s=0.05)) as running:
        yield running


def _live(server: EmulatorServer) -> Any:
    with urlopen(f"{server.url}/_emulator/dump") as answer:
        return json.load(answer)


@pytest.mark.parametrize(("name", "env"), [*((name, "") for name in EDITS), ("everything", "prod")])
def test_an_edited_file_is_applied_and_nothing_is_left(
    name: str, env: str, tmp_path: Path, server: EmulatorServer
) -> None:
    """validate, plan, apply, plan, an edit, plan, apply, plan, destroy; the emulator is as empty as before."""
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    environ = {**os.environ, **server.environment}

    def asstops(*arguments: str) -> int:
        command = [sys.executable, "-m", "asstops", "-f", f"specs/{name}", *(["--env", env] if env else []), *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, 2), f"{arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.returncode

    before = _live(server)
    assert asstops("validate") == 0
    assert asstops("plan", "--detailed-exitcode") == 2
    assert _live(server) == before, "a plan wrote something"
    assert asstops("apply", "--auto-approve") == 0
    made = _live(server)
    assert made != before
    assert asstops("plan", "--detailed-exitcode") == 0
    file, old, new = EDITS[name]
    text = (tmp_path / file).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (tmp_path / file).write_text(text.replace(old, new), encoding="utf-8")
    assert asstops("plan", "--detailed-exitcode") == 2
    assert asstops("apply", "--auto-approve") == 0
    assert _live(server) != made
    assert asstops("plan", "--detailed-exitcode") == 0
    assert asstops("destroy", "--purge", "--auto-approve") == 0
    assert _live(server) == before
