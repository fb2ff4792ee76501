"""Programs that are measured, each a process of its own: time by the clock and by the processor, and memory."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


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
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=dict(env or os.environ),
            cwd=cwd,
        )
        watch = threading.Timer(timeout_s, process.kill) if timeout_s is not None else None
        if watch is not None:
            watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        if watch is not None:
            watch.cancel()
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        child = Child(
            wall,
            usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6,
            process.returncode,
            out.read().decode("utf-8", "replace"),
            err.read().decode("utf-8", "replace"),
        )
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
