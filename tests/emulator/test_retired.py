"""`asstops emulator --retired assistants`: the command line's word for a service that has ended."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from asstops.emulator import environment

ROOT = Path(__file__).resolve().parents[2]
PATHS = ("/assistants", "/assistants/asst_1", "/threads/thread_1", "/threads/thread_1/messages",
         "/threads/thread_1/runs/run_1/steps")  # fmt: skip


@contextmanager
def started(*options: str) -> Iterator[str]:
    """Run the command until the block ends; gives its address."""
    command = [sys.executable, "-m", "asstops", "emulator", "--port", "0", *options]
    environ = {**os.environ, "NO_COLOR": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environ) as process:
        assert process.stderr is not None
        try:
            said = process.stderr.readline()
            found = re.search(r"http://\S+", said)
            assert found, said + process.stderr.read()
            yield found[0]
        finally:
            process.terminate()
            process.communicate(timeout=30)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (["--retired", "assistants"], 404),
        (["--retired", "assistants", "--behaviour", "assistants_api=retired_410"], 410),
    ],
)
def test_the_assistants_paths_answer_as_retired(options: list[str], status: int) -> None:
    with started(*options) as url, httpx2.Client(base_url=f"{url}/openai", timeout=30) as http:
        http.headers["api-key"] = environment(url)["AZURE_OPENAI_API_KEY"]
        http.params = {"api-version": "2025-03-01-preview"}
        for path in PATHS:
            answer = http.get(path)
            assert answer.status_code == status, path
            if status == 404:
                assert answer.json() == {"error": {"code": "404", "message": "Resource not found"}}
        assert http.post("/assistants", json={"model": "gpt-4o"}).status_code == status
        for path in ("/files", "/vector_stores"):
            assert http.get(path).status_code == 200
            assert http.get(f"/v1{path}", params={"api-version": "v1"}).status_code == 200


def test_only_assistants_can_be_retired() -> None:
    command = [sys.executable, "-m", "asstops", "emulator", "--retired", "everything"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert done.returncode == 64
    assert "assistants" in done.stderr
