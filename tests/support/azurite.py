"""Azure Storage on this machine: Azurite from npm, installed once for all runs of pytest by this user."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from tests.support.running import until

# The account and the key that Azurite and its predecessors have always had; Microsoft publishes them.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
PACKAGE = {"private": True, "dependencies": {"azurite": "3.35.0"}}
INSTALL_S = 180


@dataclass(frozen=True)
class Azurite:
    """Where it is, and the variable that signs in to it."""

    account_url: str
    environ: dict[str, str]

    def make_container(self, name: str) -> None:
        from azure.storage.blob import ContainerClient

        with ContainerClient(self.account_url, name, credential=KEY) as client:
            client.create_container()


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """A storage account that is empty at first."""
    program = _installed(tmp_path_factory.getbasetemp().parent)
    log = tmp_path_factory.mktemp("azurite") / "log.txt"
    # Without the check it would refuse the API version of a client that is newer than itself.
    command = ["--blobPort", "0", "--skipApiVersionCheck", "--inMemoryPersistence", "--disableTelemetry", "--silent"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["node", str(program), *command], cwd=log.parent, stdout=output, stderr=output, stdin=subprocess.DEVNULL
        )
    try:

        def listening() -> re.Match[str] | None:
            assert process.poll() is None, f"Azurite ended: {log.read_text()}"
            return re.search(r"successfully listens on (http://127\.0\.0\.1:\d+)", log.read_text())

        address = until(listening, log.read_text)[1]
        yield Azurite(f"{address}/{ACCOUNT}", {"AZURE_STORAGE_KEY": KEY})
    finally:
        process.kill()
        process.wait()


def _installed(base: Path) -> Path:
    """The program. One temporary folder up from the run's own (two with xdist) is kept for the next runs."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed: locks in Azure Storage are not tested")
    cache = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "azurite-package"
    cache.mkdir(exist_ok=True)
    wanted, done = json.dumps(PACKAGE), cache / "installed.json"
    with FileLock(cache / "lock", timeout=2 * INSTALL_S):
        if not done.exists() or done.read_text(encoding="utf-8") != wanted:
            shutil.rmtree(cache / "node_modules", ignore_errors=True)
            (cache / "package.json").write_text(wanted, encoding="utf-8")
            try:
                ended = subprocess.run(
                    ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"],
                    cwd=cache, capture_output=True, text=True, timeout=INSTALL_S, check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                pytest.skip(f"npm install took more than {INSTALL_S} s: locks in Azure Storage are not tested")
            if ended.returncode:
                pytest.skip(f"npm install failed, so locks in Azure Storage are not tested: {ended.stderr[-500:]}")
            done.write_text(wanted, encoding="utf-8")
    return cache / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
