"""Two applies of one stack on one machine: one works, the other is told who does."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.program import Program
from tests.support.running import Gate, Running, until
from tests.support.stage import Stage

SPEC: dict[str, Any] = {
    "stack": "small",
    "service": "assistants",
    "vector_stores": {"kb": {}},
    "assistants": {"bot": {"model": "gpt-4o", "tools": [{"file_search": {"vector_store": "kb"}}]}},
}
Start = Callable[..., Running]


@pytest.fixture
def start(stage: Stage, program: Program, watched: Start) -> Start:
    """The real command line, to be watched: `start("apply", "-y")`, elsewhere with `cwd=`."""
    stage.write(SPEC)

    def started(*arguments: str, cwd: Path | None = None, terminal: bool = False) -> Running:
        environ = {**program.environment(), "COLUMNS": "400"}
        return watched(program.command(*arguments), cwd=cwd or program.folder, environ=environ, terminal=terminal)

    return started


def held(stage: Stage, running: Running) -> None:
    """Wait until a request of the apply is on its way, and held there."""
    until(lambda: [entry for entry in stage.requests() if "fault" in entry] or running.must_run())


def test_two_applies_of_one_stack(stage: Stage, program: Program, start: Start, gate: Gate, tmp_path: Path) -> None:
    """The second, from another clone, exits 5 and names the first; one that waits finds nothing left to do."""
    stage.admin("POST", "/faults", {"method": "POST", "path": "/vector_stores$", "delay_s": 1})
    first = start("apply", "-y")
    held(stage, first)
    clone = tmp_path / "clone"
    shutil.copytree(stage.folder, clone)
    for command in ("apply", "destroy"):
        second = start(command, "-y", cwd=clone)
        assert second.end() == 5, second.text
        assert "the stack small is locked by" in second.text
        assert f"(process {first.pid}), running 'asstops apply' since 20" in second.text
        assert "fix: wait for it with --lock-timeout SECONDS; 'asstops unlock'" in second.text
        assert "Plan:" not in second.text, "nothing is read before the lock is held"
    plan = start("plan", "--detailed-exitcode")
    assert plan.end() == 2, "a plan writes nothing and waits for nobody"
    shown = start("unlock", "-y")
    assert shown.end() == 5, shown.text
    assert f"end it (process {first.pid})" in shown.text
    third = start("apply", "-y", "--lock-timeout", "80")
    third.says("Waiting up to 80 s: the stack small is locked by")
    gate.open()
    assert (first.end(), third.end()) == (0, 0), first.text + third.text
    assert "No changes." in third.text
    assert len(stage.dump()["assistants"]) == 1
    free = program.run("unlock")
    assert free.stdout == "Nothing to do: the stack small is not locked.\n"


@pytest.mark.parametrize(("service", "path"), [("assistants", "/assistants$"), ("agents", "/agents/bot/versions$")])
def test_a_killed_apply_frees_its_lock(stage: Stage, start: Start, gate: Gate, service: str, path: str) -> None:
    """The system frees it with the process, whose name nobody is shown any more."""
    stage.write({**SPEC, "service": service})
    stage.admin("POST", "/faults", {"method": "POST", "path": path, "delay_s": 1})
    first = start("apply", "-y")
    held(stage, first)
    first.process.send_signal(signal.SIGKILL)
    first.end()
    free = start("unlock")
    assert free.end() == 0, free.text
    gate.open()
    after = start("apply", "-y")
    assert after.end() == 0, after.text
    assert len(stage.dump()[service]) == 1


def test_two_commands_with_local(start: Start) -> None:
    """They cannot share the emulator's data; whoever has it is named, also by commands that only read."""
    first = start("--local", "apply", terminal=True)
    first.says("Only 'yes' goes on")  # the question is asked under the lock: what was shown is what runs
    for arguments in (("apply", "-y"), ("plan",), ("unlock",)):
        second = start("--local", *arguments)
        assert second.end() == 5, second.text
        assert "the data of --local in .asstops is locked by" in second.text
        assert f"(process {first.pid}), running 'asstops apply' since" in second.text
    waiting = start("--local", "apply", "-y", "--lock-timeout", "80")
    waiting.says("Waiting up to 80 s: the data of --local in .asstops is locked by")
    first.answer("yes\n")
    assert (first.end(), waiting.end()) == (0, 0), first.text + waiting.text
    assert "No changes." in waiting.text
