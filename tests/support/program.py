"""The real program as a subprocess, the way a shell or a pipeline runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
SLOW_S = 60


@dataclass
class Program:
    """asstops in a folder, with an environment that points at an emulator. `all_output` collects what it ever wrote."""

    folder: Path
    environ: Mapping[str, str]
    all_output: list[str] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """A shell's: what Python needs, and the way to the emulator."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "XDG_STATE_HOME")
        }
        return {**kept, "PYTHONPATH": str(REPOSITORY), "NO_PROXY": "127.0.0.1", "COLUMNS": "100", **self.environ}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "asstops", *arguments]

    def run(self, *arguments: str, code: int | None = 0, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run to the end; the exit code must be `code`, any when that is None."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env={**self.environment(), **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=SLOW_S,
            check=False,
        )
        self.all_output += [done.stdout, done.stderr]
        told = f"asstops {' '.join(arguments)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert code is None or done.returncode == code, told
        assert "Traceback" not in done.stderr, told
        assert not re.search(r"\.py:\d+: \w*Warning: ", done.stderr), told
        return done

    def json(self, *arguments: str, code: int | None = 0) -> Any:
        """Run and read stdout as JSON; stdout holds nothing else."""
        return json.loads(self.run(*arguments, code=code).stdout)

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Run in the background, both outputs in one pipe."""
        given = {
            "stdout": subprocess.PIPE,
            "stderr": subprocess.STDOUT,
            "stdin": subprocess.DEVNULL,
            "text": True,
            **options,
        }
        return subprocess.Popen(self.command(*arguments), cwd=self.folder, env=self.environment(), **given)
