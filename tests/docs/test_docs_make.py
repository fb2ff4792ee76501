"""The Makefile and the lock file do what the README says of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, read


def _make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make as from a shell of its own, whatever make these tests were started by."""
    environ = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=600
    )


def _visible() -> set[str]:
    """What stands in the clone, without the hidden files that tools write while tests run."""
    return {path.name for path in ROOT.iterdir() if not path.name.startswith(".") or path.name == ".asstops"}


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_demo_applies_and_ends_with_an_empty_plan() -> None:
    """The promise of the README's first command; it leaves nothing behind in the clone."""
    if _make("--question", ".venv/.asstops-setup").returncode:
        pytest.skip("the environment was not set up by make, and a test must not set one up")
    before = _visible()
    done = _make("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Applied: 6 done, 0 failed, 0 not attempted." in done.stdout
    assert "\nNo changes.\n" in done.stdout.rpartition("$ asstops")[2]
    assert _visible() == before


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_says_so_when_python_is_too_old(tmp_path: Path) -> None:
    """A clear sentence instead of a traceback from pip."""
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    old.chmod(0o755)
    done = _make(f"PYTHON={old}", f"VENV={tmp_path}/venv", "demo")
    assert done.returncode != 0
    assert "asstops needs Python 3.10 or newer" in done.stderr


@pytest.mark.parametrize("page", PAGES)
def test_every_make_command_in_the_pages_exists(page: str) -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z]+)\b", read(page), re.MULTILINE))
    assert named <= set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))


def test_lock_file_pins_everything_and_names_no_host() -> None:
    """Every line is a version and perhaps a marker: nothing of the machine it was made on."""
    lines = [line for line in read("requirements.lock").splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9][\w.]*( ; [^:/]+)?", line)] == []


def test_lock_file_has_all_that_the_project_asks_for() -> None:
    """A dependency added without `make lock` fails here."""
    project = read("pyproject.toml")
    asked = re.findall(r'"([A-Za-z][\w-]*)>=', project.partition("[project.scripts]")[0])
    pinned = set(re.findall(r"^([a-z0-9-]+)==", read("requirements.lock"), re.MULTILINE))
    assert {name.lower().replace("_", "-") for name in asked} - pinned == set()
