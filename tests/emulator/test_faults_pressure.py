"""Large stores, counted in the database's steps rather than in seconds, and the options of `asstops emulator`."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.emulator.conftest import Emu

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def steps(emu: Emu) -> Iterator[list[int]]:
    """Count the steps of SQLite's virtual machine, in hundreds."""
    assert emu.server.state is not None
    counted, db = [0], emu.server.state.store.db

    def count() -> None:
        counted[0] += 1

    db.set_progress_handler(count, 100)
    yield counted
    db.set_progress_handler(None, 0)


def filled(emu: Emu, size: int) -> tuple[str, str]:
    """Make a store of many files, all of one batch, without the uploads."""
    assert emu.server.state is not None
    store, db = emu.store()["id"], emu.server.state.store
    file = emu.upload()["id"]
    batch = emu.data("POST", f"/vector_stores/{store}/file_batches", {"file_ids": [file]}).json()["id"]
    account = db.one("SELECT row FROM account WHERE path = ''")[0]
    rest = (0, 0, "completed", "completed", 1, '{"chunking_strategy":null}')
    db.many(
        "INSERT INTO store_file (account, store, file, created, due, outcome, status, usage, body) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(account, store, f"assistant-{store}-{n}", *rest) for n in range(size)],
    )
    db.many("INSERT INTO batch_file VALUES (?, ?)", [(batch, f"assistant-{store}-{n}") for n in range(size)])
    return store, batch


def pages(emu: Emu, path: str, most: int, **params: Any) -> int:
    found, after = 0, ""
    for _ in range(most):
        page = emu.data("GET", path, params={"limit": 100, **params, **({"after": after} if after else {})}).json()
        found, after = found + len(page["data"]), page["last_id"]
        if not page["has_more"]:
            break
    return found


@pytest.mark.parametrize(
    ("of", "params"), [("store", {}), ("store", {"order": "asc"}), ("store", {"filter": "completed"}), ("batch", {})]
)
def test_a_large_store_lists_in_linear_work(emu: Emu, of: str, params: dict[str, str]) -> None:
    """A page of a store of ten thousand files costs what a page of a store of a thousand does."""
    cost = {}
    for size in (1_000, 10_000):
        store, batch = filled(emu, size)
        path = f"/vector_stores/{store}" + ("/files" if of == "store" else f"/file_batches/{batch}/files")
        emu.data("GET", path)
        with steps(emu) as counted:
            assert pages(emu, path, size // 100 + 1, **params) == size + 1
        cost[size] = counted[0] / size
    assert cost[10_000] < 1.5 * cost[1_000] + 0.01, cost


def started(*options: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "asstops", "emulator", "--port", "0", *options],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=cwd, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_options(tmp_path: Path) -> None:
    """A server of its own, with faults, replies, a lag, short tokens and another subscription."""
    subscription = "12345678-0000-0000-0000-000000000000"
    (tmp_path / "faults.yaml").write_text("- {path: /assistants$, status: 503}\n")
    (tmp_path / "replies.yaml").write_text("- {reply: From the file.}\n")
    options = ("--faults", "faults.yaml", "--replies", "replies.yaml", "--list-lag", "60", "--token-lifetime", "30")
    with started(*options, "--subscription", subscription, "--host", "localhost", cwd=tmp_path) as process:
        try:
            assert process.stderr is not None
            url = re.search(r"http://\S+", process.stderr.readline())
            assert url
            assert f"--subscription {subscription}" in process.stderr.readline()
            with httpx2.Client(base_url=url[0]) as http:
                told = subprocess.run(
                    [sys.executable, "-m", "asstops", "emulator", "env", "--public-url", url[0],
                     "--subscription", subscription],
                    capture_output=True, text=True, check=True, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)},
                ).stdout  # fmt: skip
                variables = dict(line.removeprefix("export ").split("=", 1) for line in told.splitlines())
                assert variables["AZURE_SUBSCRIPTION_ID"] == subscription
                http.headers["api-key"] = variables["AZURE_OPENAI_API_KEY"]
                version = {"api-version": "2025-03-01-preview"}
                assert http.get("/openai/assistants", params=version).status_code == 503
                made = http.post("/openai/vector_stores", params=version, json={})
                assert made.status_code == 200
                assert http.get("/openai/vector_stores", params=version).json()["data"] == []
                token = http.get(
                    "/_emulator/identity/token",
                    params={"resource": "https://ai.azure.com", "api-version": "2019-08-01"},
                    headers={"X-IDENTITY-HEADER": variables["IDENTITY_HEADER"]},
                ).json()
                left = int(token["expires_on"]) - http.get("/_emulator/clock").json()["now"]
                assert 0 < left <= 30
                assert http.get("/_emulator/replies").json()["replies"][0]["reply"] == "From the file."
        finally:
            process.terminate()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--host", "0.0.0.0"), "not a loopback address"),
        (("--faults", "wrong.yaml"), "Unknown parameter: 'staus'"),
        (("--behaviour", "nothing=x"), "unknown behaviour 'nothing'"),
    ],
)
def test_wrong_options(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    (tmp_path / "wrong.yaml").write_text("- {staus: 500}\n")
    with started(*options, cwd=tmp_path) as process:
        _, told = process.communicate(timeout=20)
    assert process.returncode == 1, told
    assert said in told
    assert "Traceback" not in told
    if "--host" in options:
        assert "--allow-remote" in told


def test_allow_remote(tmp_path: Path) -> None:
    with started("--host", "0.0.0.0", "--allow-remote", cwd=tmp_path) as process:
        assert process.stderr is not None
        port = process.stderr.readline().strip().rpartition(":")[2]
        try:
            assert httpx2.get(f"http://127.0.0.1:{port}/_emulator/health").status_code == 200
        finally:
            process.terminate()
