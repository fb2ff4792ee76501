"""Programs that are measured, each a process of its own: time by the clock and by the processor, and memory."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True, slots=True)
class Child:
    """How a process went. `wall_s` and `cpu_s` in seconds, `peak_mb` its largest resident memory in MB (10**6)."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    code: int
    out: str
    err: str


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout_s: float | None = None,
    ends_with: int = 0,
) -> Child:
    """Run a program to its end, or end it after `timeout_s`.

    Raises SystemExit when it ends by itself with another code than `ends_with`.
    """
    told, telling = os.pipe()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, open(told, "rb") as report:
        launcher = subprocess.Popen(
            [
                *(sys.executable, "-S", "-E", str(LAUNCHER), str(telling), str(timeout_s or 0)),
                *(str(part) for part in argv),
            ],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=dict(env or os.environ),
            cwd=cwd,
            pass_fds=[telling],
        )
        os.close(telling)
        seen = report.read()
        launcher.wait()
        out.seek(0)
        err.seek(0)
        said, warned = (stream.read().decode("utf-8", "replace") for stream in (out, err))
    if not seen:
        raise SystemExit(f"{argv[0]} could not be started:\n{warned[-4000:]}")
    child = Child(**json.loads(seen), out=said, err=warned)
    if child.code != ends_with and not (timeout_s is not None and child.code == -signal.SIGKILL):
        shown = " ".join(str(part) for part in argv)
        raise SystemExit(f"{shown} ended with {child.code}:\n{child.out[-2000:]}\n{child.err[-4000:]}")
    return child


def in_turns(times: int, *programs: tuple[Sequence[str | Path], Mapping[str, str] | None, Path | None]) -> list[float]:
    """Seconds by the clock of each program, the median of `times` runs taken in turns, after one that warms up."""
    seen: list[list[float]] = [[] for _ in programs]
    for attempt in range(times + 1):
        for argv_env_cwd, found in zip(programs, seen, strict=True):
            argv, env, cwd = argv_env_cwd
            child = run(argv, env=env, cwd=cwd)
            if attempt:
                found.append(child.wall_s)
    return [statistics.median(found) for found in seen]


def python(*arguments: str | Path) -> list[str | Path]:
    """The command that runs this Python."""
    return [sys.executable, *arguments]


def asstops(*arguments: str | Path) -> list[str | Path]:
    """The command as users start it: the script beside this Python."""
    script = Path(sys.executable).with_name("asstops")
    return [script, *arguments] if script.exists() else python("-m", "asstops", *arguments)
