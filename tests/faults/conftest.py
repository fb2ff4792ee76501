"""A folder with a spec, an emulator to break, and the real command line, as a process or in this one."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from asstops.emulator import EmulatorServer, EmulatorSettings
from tests.support.arena import arena, nursery, slow_arena  # noqa: F401
from tests.support.azurite import azurite  # noqa: F401
from tests.support.running import gate, watched  # noqa: F401
from tests.support.stage import asks

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
RESOURCE: dict[str, Any] = {
    "name": "contoso",
    "resource_group": "rg",
    "subscription_id": SUBSCRIPTION,
    "location": "swedencentral",
    "kind": "OpenAI",
    "sku": "S0",
}
DEPLOYMENT: dict[str, Any] = {
    "model": {"name": "gpt-4o", "version": "2024-11-20"},
    "sku": {"name": "GlobalStandard", "capacity": 1},
}
QUICK = {"arm_operation_s": 0.02, "ingestion_s": 0.02}
DEAD = "http://127.0.0.1:1"  # nobody listens on port 1
_KEPT = ("PATH", "PYTHONPATH", "HOME", "XDG_STATE_HOME", "TMPDIR", "LANG")
_KEPT += ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Both streams in one line, so that where lines wrap does not matter."""
        return " ".join((self.out + " " + self.err).split())


class World:
    """A spec's folder and the emulator that plays Azure for it."""

    def __init__(self, server: EmulatorServer, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.environment: dict[str, str] = dict(server.environment)
        self.http = httpx2.Client(base_url=server.url, timeout=60, trust_env=False, verify=False)

    # The spec

    def spec(self, **sections: Any) -> None:
        """Write asstops.yaml: a stack with an account, and the sections given."""
        document = {"stack": "demo", "service": "assistants", "resource": RESOURCE, **sections}
        document = {key: value for key, value in document.items() if value is not None}
        self.write("asstops.yaml", yaml.safe_dump(document, allow_unicode=True, sort_keys=False))

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def sales(self, files: int = 1, **over: Any) -> None:
        """A small stack of every kind."""
        for number in range(files):
            self.write(f"kb/f{number:02d}.md", f"text {number}\n")
        self.spec(
            **{
                "deployments": {"gpt-4o": DEPLOYMENT},
                "vector_stores": {"kb": {"files": [{"glob": "kb/*.md"}]}},
                "assistants": {
                    "bot": {"model": "gpt-4o", "instructions": "hi", "tools": [{"file_search": {"vector_store": "kb"}}]}
                },
                **over,
            }
        )

    # The command line

    def environ(self, over: Mapping[str, str | None]) -> dict[str, str]:
        base = {name: os.environ[name] for name in _KEPT if name in os.environ}
        merged: dict[str, str | None] = {**base, "COLUMNS": "100", **self.environment, **over}
        return {name: value for name, value in merged.items() if value is not None}

    def start(self, *args: str, **over: str | None) -> subprocess.Popen[str]:
        """Start the real command line; an environment variable that is None is left out."""
        return subprocess.Popen(
            [sys.executable, "-m", "asstops", *args],
            cwd=self.folder,
            env=self.environ(over),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *args: str, **over: str | None) -> Ended:
        """Run the real command line to its end."""
        with self.start(*args, **over) as process:
            out, err = process.communicate(timeout=60)
        return Ended(process.returncode, out, err)

    # The emulator

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"/_emulator{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def fault(self, **description: Any) -> None:
        self.admin("POST", "/faults", description)

    def clear(self) -> None:
        """Forget the requests so far, and every fault."""
        self.admin("DELETE", "/faults")
        self.admin("DELETE", "/requests")

    def requests(self, method: str = "", path: str = "") -> list[dict[str, Any]]:
        """The requests so far of a method and with this text in their path."""
        found: list[dict[str, Any]] = self.admin("GET", "/requests")["requests"]
        return [entry for entry in found if method in ("", entry["method"]) and path in entry["path"]]

    def writes(self) -> list[dict[str, Any]]:
        return [entry for entry in self.requests() if entry["method"] != "GET" and not asks(entry)]

    def dump(self) -> dict[str, Any]:
        found: dict[str, Any] = self.admin("GET", "/dump")
        return found

    def names(self, table: str) -> list[str]:
        """Names of what is live, in order."""
        return sorted(item.get("name") or item.get("filename") or item["id"] for item in self.dump()[table])


@pytest.fixture(scope="session")
def _server() -> Iterator[EmulatorServer]:
    with EmulatorServer(settings=EmulatorSettings(**QUICK)) as server:  # type: ignore[arg-type]
        yield server


@pytest.fixture
def world(_server: EmulatorServer, tmp_path: Path) -> Iterator[World]:
    """An empty emulator and an empty folder."""
    found = World(_server, tmp_path)
    found.admin("POST", "/reset")
    yield found
    found.http.close()


@pytest.fixture
def special(tmp_path: Path) -> Callable[..., Any]:
    """A context manager: a world whose emulator has settings of its own."""

    @contextmanager
    def opened(**settings: Any) -> Iterator[World]:
        with EmulatorServer(settings=EmulatorSettings(**{**QUICK, **settings})) as server:
            found = World(server, tmp_path)
            try:
                yield found
            finally:
                found.http.close()

    return opened


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run the command line in this process, which is quicker, with waits between attempts cut short."""
    import asstops.executor
    from asstops.cli import main
    from asstops.providers import limiter
    from asstops.services.agents import assistant as agent

    warnings.filterwarnings("ignore", "deprecated", DeprecationWarning)  # openai's word on beta.assistants
    monkeypatch.setattr(limiter, "_backoff", lambda _attempt, _most=8.0: 0.01)
    monkeypatch.setattr(asstops.executor, "LOOKUP_PAUSE_S", 0.01)
    monkeypatch.setattr(agent, "LOOKUP_PAUSE_S", 0.01)

    def run(world: World, *args: str, **over: str | None) -> Ended:
        with monkeypatch.context() as patch:
            for name, value in {**world.environment, **over}.items():
                patch.delenv(name, raising=False) if value is None else patch.setenv(name, value)
            patch.setenv("COLUMNS", "100")
            patch.chdir(world.folder)
            capsys.readouterr()
            code = int(main._guarded(lambda: main.main(args, prog_name="asstops", standalone_mode=False)))
            captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    run.pause = lambda seconds: monkeypatch.setattr(asstops.executor, "LOOKUP_PAUSE_S", seconds)  # type: ignore[attr-defined]
    return run
