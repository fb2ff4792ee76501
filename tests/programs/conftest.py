"""An emulator in this process, and programs of their own that find it through their environment alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asstops.emulator import EmulatorServer, EmulatorSettings

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SLOW_S = 90
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "XDG_STATE_HOME")


class Place:
    """One emulator and a folder. `environ` is all that a program gets to know."""

    def __init__(self, server: EmulatorServer, folder: Path) -> None:
        self.server, self.folder = server, folder
        kept = {name: value for name, value in os.environ.items() if name in _KEPT}
        self.environ = {**kept, **server.environment, "NO_PROXY": "127.0.0.1", "PYTHONWARNINGS": "ignore"}

    def without_key(self) -> dict[str, str]:
        return {name: value for name, value in self.environ.items() if name != "AZURE_OPENAI_API_KEY"}

    def run(
        self, *command: str, env: dict[str, str] | None = None, stdin: str = "", code: int = 0, cwd: Path | None = None
    ) -> str:
        """Run a program to its end and return what it wrote to stdout."""
        done = subprocess.run(
            command,
            cwd=cwd or self.folder,
            env=env or self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=SLOW_S,
            check=False,
        )
        told = f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == code, told
        self.stderr = done.stderr
        return done.stdout

    def python(self, name: str, *arguments: str, **options: Any) -> str:
        return self.run(sys.executable, str(EXAMPLES / "python" / name), *arguments, **options)

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.server.url}/_emulator{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def live(self, kind: str) -> list[Any]:
        found = self.admin("GET", "/dump")[kind]
        return list(found)

    def paths(self) -> list[str]:
        return [entry["path"] for entry in self.admin("GET", "/requests")["requests"]]


@pytest.fixture(scope="session")
def programs_server() -> Iterator[EmulatorServer]:
    with EmulatorServer(settings=EmulatorSettings(ingestion_s=0.02, arm_operation_s=0.05)) as server:
        yield server


@pytest.fixture
def place(programs_server: EmulatorServer, tmp_path: Path) -> Place:
    found = Place(programs_server, tmp_path)
    found.admin("POST", "/reset")
    return found


@pytest.fixture(scope="session")
def node_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The npm packages of the examples, installed once for all runs of pytest by this user."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed: the JavaScript examples are not run")
    # One temporary folder up from the run's own (two with xdist) is kept for the next runs.
    base = tmp_path_factory.getbasetemp().parent
    cache = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "node-packages"
    cache.mkdir(exist_ok=True)
    wanted = (EXAMPLES / "javascript" / "package.json").read_text(encoding="utf-8")
    done = cache / "installed.json"
    with _Alone(cache / "lock"):
        if not done.exists() or done.read_text(encoding="utf-8") != wanted:
            shutil.rmtree(cache / "node_modules", ignore_errors=True)
            (cache / "package.json").write_text(wanted, encoding="utf-8")
            try:
                ended = subprocess.run(
                    ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"],
                    cwd=cache, capture_output=True, text=True, timeout=180, check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                pytest.skip("npm install took more than 180 s: the JavaScript examples are not run")
            if ended.returncode:
                pytest.skip(f"npm install failed, so the JavaScript examples are not run: {ended.stderr[-500:]}")
            done.write_text(wanted, encoding="utf-8")
    return cache / "node_modules"


class _Alone:
    """Lets one process at a time into the block."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        end = time.monotonic() + 240
        while True:
            try:
                self._path.mkdir()
                return
            except FileExistsError:
                if time.monotonic() > end:  # left behind by a run that was killed
                    return
                time.sleep(0.2)

    def __exit__(self, *_: object) -> None:
        if self._path.exists():
            self._path.rmdir()


@pytest.fixture
def javascript(place: Place, node_packages: Path) -> Place:
    """A place with the JavaScript examples and their packages in it."""
    for file in (EXAMPLES / "javascript").iterdir():
        if file.is_file():
            shutil.copy(file, place.folder)
    (place.folder / "node_modules").symlink_to(node_packages)
    return place
