"""Starting, stopping, the database file, the foreground server, the cheap import."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from asstops.emulator import EmulatorError, EmulatorServer, EmulatorSettings, environment
from tests.emulator.conftest import GROUP, NEW, Emu, wait

ROOT = Path(__file__).resolve().parents[2]


def test_data_survives_a_restart(emulator: Any, tmp_path: Path) -> None:
    db = tmp_path / "deep" / "local.db"
    with emulator(db) as emu:
        file = emu.upload("a.md", b"content")["id"]
        store, assistant = emu.store(file_ids=[file])["id"], emu.assistant(name="n")["id"]
        emu.account(tags={"a": "b"})
        key = emu.arm("POST", f"{GROUP}/accounts/contoso/listKeys").json()["key1"]
        before = emu.admin("GET", "/dump")
    with emulator(db) as emu:
        after = emu.admin("GET", "/dump")
        assert {**after, "vector_stores": []} == {**before, "vector_stores": []}
        assert emu.data("GET", f"/assistants/{assistant}").json()["name"] == "n"
        wait(lambda: emu.data("GET", f"/vector_stores/{store}").json()["status"], lambda s: s == "completed")
        assert emu.data("GET", "/files", account="contoso", headers={"api-key": key}).status_code == 200
        assert emu.arm("GET", f"{GROUP}/accounts/contoso").json()["properties"]["endpoint"] == f"{emu.url}/contoso/"


def test_an_operation_ends_after_a_restart(emulator: Any, tmp_path: Path) -> None:
    body = {"location": "westus", "kind": "OpenAI", "sku": {"name": "S0"}}
    with emulator(tmp_path / "x.db", arm_operation_s=0.3) as emu:
        emu.arm("PUT", f"{GROUP}/accounts/contoso", body)
    with emulator(tmp_path / "x.db") as emu:
        assert emu.settled(f"{GROUP}/accounts/contoso")["properties"]["provisioningState"] == "Succeeded"


def test_nothing_secret_is_written(emulator: Any, tmp_path: Path) -> None:
    with emulator(tmp_path / "x.db") as emu:
        emu.account()
        keys = emu.arm("POST", f"{GROUP}/accounts/contoso/listKeys").json()
        token = emu.token("https://cognitiveservices.azure.com")
        emu.data("GET", "/files", headers={"authorization": f"Bearer {token}"})
        secrets = [emu.key, *keys.values(), token, token.rpartition(".")[2]]
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"contoso" in written
    for secret in secrets:
        assert secret.encode() not in written


def test_one_emulator_a_file(emulator: Any, tmp_path: Path) -> None:
    with emulator(tmp_path / "x.db"), pytest.raises(EmulatorError, match="in use by another emulator"):
        EmulatorServer(db=tmp_path / "x.db").start()
    code = (
        "import os, sys; from pathlib import Path; from asstops.emulator import EmulatorServer\n"
        "with EmulatorServer(db=Path(sys.argv[1])): os.write(1, b'open\\n'); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "x.db")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=ROOT,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(EmulatorError, match="in use by another emulator"):
            EmulatorServer(db=tmp_path / "x.db").start()
        other.communicate("")
    with emulator(tmp_path / "x.db"):
        pass


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database, but long enough to be read as the header of one" * 20)
    with pytest.raises(EmulatorError, match="not an emulator database"):
        EmulatorServer(db=tmp_path / "text.db").start()
    with sqlite3.connect(tmp_path / "future.db") as db:
        db.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)")
        db.execute("INSERT INTO meta VALUES ('format', '99')")
    db.close()
    with pytest.raises(EmulatorError, match="has format 99"):
        EmulatorServer(db=tmp_path / "future.db").start()


def test_a_taken_port_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(EmulatorError, match="cannot listen on"):
        EmulatorServer(port=taken.getsockname()[1]).start()


@pytest.mark.parametrize("kind", ["json", "multipart"])
def test_a_request_that_is_cut_short_does_nothing(emu: Emu, caplog: pytest.LogCaptureFixture, kind: str) -> None:
    """A client that dies while it sends: nothing is carried out on half a body, and nothing is an error."""
    caplog.set_level("DEBUG", "asstops.emulator")
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n\r\nhalf'
    path, media, body = {
        "json": ("/openai/threads", "application/json", b"{"),
        "multipart": ("/openai/files", "multipart/form-data; boundary=x", form),
    }[kind]
    head = (
        f"POST {path}?api-version={NEW} HTTP/1.1\r\nHost: x\r\napi-key: {emu.key}\r\nContent-Type: {media}\r\n"
        "Content-Length: 5000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", int(emu.url.rpartition(":")[2])), timeout=10) as sender:
        sender.sendall(head.encode() + body)
        emu.admin("GET", "/health")
    wait(lambda: caplog.messages, lambda said: f"POST {path} was not sent to its end" in said, 30)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
    dump = emu.admin("GET", "/dump")
    assert (dump["threads"], dump["files"]) == ([], [])


def test_only_loopback() -> None:
    for host in ("0.0.0.0", "192.0.2.1", "example.com"):
        with pytest.raises(EmulatorError, match="not a loopback address"):
            EmulatorServer(host=host)
    with EmulatorServer(host="localhost"):
        pass
    with EmulatorServer(host="0.0.0.0", settings=EmulatorSettings(allow_remote=True)):
        pass


def test_starts_and_stops_quickly() -> None:
    start = time.process_time()  # which a busy machine does not change much
    with EmulatorServer() as server:
        assert time.process_time() - start < 2  # it takes a few hundredths
        httpx2.get(f"{server.url}/_emulator/health")
        start = time.process_time()
    assert time.process_time() - start < 2
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{server.url}/_emulator/health")


def test_environment_is_what_the_server_says(emu: Emu) -> None:
    assert emu.server.environment == environment(emu.url)
    assert set(environment("http://127.0.0.1:1")) == {
        "AZURE_RESOURCE_MANAGER_ENDPOINT", "AZURE_SUBSCRIPTION_ID", "AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY",
        "OPENAI_API_VERSION", "FOUNDRY_PROJECT_ENDPOINT", "IDENTITY_ENDPOINT", "IDENTITY_HEADER",
    }  # fmt: skip


def test_another_subscription(emulator: Any) -> None:
    other = "12345678-0000-0000-0000-000000000000"
    with emulator(subscription_id=other) as emu:
        assert emu.arm("GET", f"{GROUP}/accounts").status_code == 404
        path = f"/subscriptions/{other}/providers/Microsoft.CognitiveServices/accounts"
        assert emu.arm("GET", path).json()["value"][0]["id"].startswith(f"/subscriptions/{other}/")
        assert emu.server.environment["AZURE_SUBSCRIPTION_ID"] == other
        headers = {"api-key": emu.server.environment["AZURE_OPENAI_API_KEY"]}
        assert emu.data("GET", "/files", headers=headers).status_code == 200


def test_public_url(emulator: Any) -> None:
    with emulator(public_url="http://localhost:8080/") as emu:
        assert emu.account()["properties"]["endpoint"] == "http://localhost:8080/contoso/"


def test_latency(emulator: Any) -> None:
    with emulator(latency_s=0.1) as emu:
        start = time.monotonic()
        emu.data("GET", "/files")
        assert time.monotonic() - start >= 0.1


@pytest.mark.skipif(os.name != "posix", reason="signals are sent the POSIX way")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_foreground_server_ends_cleanly(sent: signal.Signals, tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from asstops.emulator import serve\n"
        "serve(port=0, db=Path(sys.argv[1]), ready=lambda server: os.write(1, (server.url + '\\n').encode()))\n"
        "os.write(1, b'bye')"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "x.db")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=ROOT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx2.get(f"{url}/_emulator/health").status_code == 200
        process.send_signal(sent)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err) == (0, "bye", "")


def test_import_is_cheap() -> None:
    code = (
        "import sys, json; from asstops.emulator import environment, EmulatorSettings; environment('http://x')\n"
        "names = [name for name in ('starlette', 'uvicorn', 'sqlite3', 'asyncio') if name in sys.modules]\n"
        "sys.stdout.write(json.dumps(names))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert json.loads(out) == []
