"""The command line in this process: a tenth of the time of a new one, for tests with many commands."""

from __future__ import annotations

import io
import os
import subprocess
import warnings
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from unittest.mock import patch

from asstops.cli import main
from tests.support.program import Program


@dataclass
class Inside(Program):
    """Runs as `Program` does, but without a process of its own; one at a time."""

    def run(
        self, *arguments: str, code: int | None = 0, stdin: str = "", **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run to the end; the exit code must be `code`, any when that is None. `stdin` is what it can read."""
        out, err = _stream(), _stream()
        before = os.getcwd()
        os.chdir(self.folder)
        try:
            with (
                patch.dict(os.environ, {**self.environment(), **environ}, clear=True),
                patch("sys.argv", ["asstops", *arguments]),
                patch("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")),
                redirect_stdout(out),
                redirect_stderr(err),
                warnings.catch_warnings(),
            ):
                warnings.simplefilter("ignore")  # openai's word on its own beta.assistants
                ended = int(main._guarded(lambda: main.main(arguments, prog_name="asstops", standalone_mode=False)))
        finally:
            os.chdir(before)
        done = subprocess.CompletedProcess(arguments, ended, _text(out), _text(err))
        self.all_output += [done.stdout, done.stderr]
        told = f"asstops {' '.join(arguments)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert code is None or done.returncode == code, told
        assert "--debug" in arguments or "Traceback" not in done.stderr, told
        return done


def _stream() -> io.TextIOWrapper:
    """What a pipe is to a program: UTF-8, and no terminal."""
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode("utf-8")
