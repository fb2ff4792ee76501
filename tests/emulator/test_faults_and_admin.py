"""Scripted faults, the request log, dump, reset, clock, health."""

from __future__ import annotations

import time
from typing import Any

import httpx2
import pytest

from tests.emulator.conftest import GROUP, NEW, Emu, error_of, wait


def fault(emu: Emu, **description: Any) -> int:
    return int(emu.admin("POST", "/faults", description)["faults"][0]["id"])


def create(emu: Emu) -> httpx2.Response:
    return emu.data("POST", "/vector_stores", {"name": "s"})


def stores(emu: Emu) -> int:
    return len(emu.admin("GET", "/dump")["vector_stores"])


def test_status_headers_and_body(emu: Emu) -> None:
    fault(emu, method="POST", path="/vector_stores$", status=429, headers={"Retry-After": "7"},
          body={"error": {"code": "429", "message": "slow down"}})  # fmt: skip
    assert emu.data("GET", "/vector_stores").status_code == 200
    answer = create(emu)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json()["error"]["message"] == "slow down"
    assert stores(emu) == 0
    assert create(emu).status_code == 200


def test_nth_and_count(emu: Emu) -> None:
    fault(emu, path="/vector_stores$", method="POST", status=500, nth=2, count=2)
    assert [create(emu).status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    fault(emu, status=503, count=0)
    assert [emu.data("GET", "/files").status_code for _ in range(3)] == [503, 503, 503]
    emu.admin("DELETE", "/faults")
    assert emu.data("GET", "/files").status_code == 200


def test_status_after_commit(emu: Emu) -> None:
    fault(emu, method="POST", status=500, commit=True)
    assert create(emu).status_code == 500
    assert stores(emu) == 1


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_cut(emu: Emu, when: str, made: int) -> None:
    fault(emu, method="POST", cut=when)
    with pytest.raises(httpx2.TransportError):
        create(emu)
    assert stores(emu) == made
    assert create(emu).status_code == 200
    assert [entry.get("cut") for entry in emu.admin("GET", "/requests")["requests"]] == [when, None]


def test_cut_of_an_upload(emu: Emu) -> None:
    fault(emu, method="POST", path="/files$", cut="after")
    with pytest.raises(httpx2.TransportError):
        emu.upload()
    assert len(emu.admin("GET", "/dump")["files"]) == 1


def test_garbage_and_truncation(emu: Emu) -> None:
    fault(emu, method="GET", path="/files$", garbage=True)
    answer = emu.data("GET", "/files")
    assert answer.status_code == 200
    assert answer.text.startswith("<html>")
    fault(emu, method="GET", path="/files$", truncate=True)
    with pytest.raises(httpx2.RemoteProtocolError):
        emu.data("GET", "/files")
    assert emu.data("GET", "/files").json()["data"] == []


def test_delay(emu: Emu) -> None:
    fault(emu, path="/files$", delay_s=0.3)
    start = time.monotonic()
    emu.data("GET", "/files")
    assert time.monotonic() - start >= 0.3
    assert emu.admin("GET", "/faults")["faults"][0]["struck"] == 1
    emu.data("GET", "/files")
    assert emu.admin("GET", "/faults")["faults"][0]["struck"] == 1


@pytest.mark.parametrize(
    ("kind", "code", "status"), [("fail", "server_error", "failed"), ("stuck", None, "in_progress")]
)
def test_ingestion(emu: Emu, kind: str, code: str | None, status: str) -> None:
    fault(emu, ingestion=kind, filename=r"^bad", count=0)
    good, bad = emu.upload("good.md")["id"], emu.upload("bad.md")["id"]
    store = emu.store(file_ids=[good, bad])["id"]
    path = f"/vector_stores/{store}/files"
    wait(lambda: emu.data("GET", f"{path}/{good}").json()["status"], lambda found: found == "completed")
    emu.admin("POST", "/clock", {"advance_s": 86_400})
    read = emu.data("GET", f"{path}/{bad}").json()
    assert (read["status"], (read["last_error"] or {}).get("code")) == (status, code)
    emu.admin("DELETE", "/faults")
    if kind == "fail":  # attaching it again tries again
        emu.data("POST", path, {"file_id": bad})
        wait(lambda: emu.data("GET", f"{path}/{bad}").json()["status"], lambda found: found == "completed")


def test_operation_stuck(emu: Emu) -> None:
    fault(emu, method="PUT", path="/accounts/contoso$", operation="stuck")
    body = {"location": "swedencentral", "kind": "OpenAI", "sku": {"name": "S0"}}
    emu.arm("PUT", f"{GROUP}/accounts/contoso", body)
    emu.admin("POST", "/clock", {"advance_s": 3600})
    assert emu.arm("GET", f"{GROUP}/accounts/contoso").json()["properties"]["provisioningState"] == "Creating"


def test_faults_are_checked_listed_and_removed(emu: Emu) -> None:
    for bad in ({"staus": 500}, {"status": "500"}, {"path": "("}, {"cut": "never"}, {"nth": 0}):
        assert emu.http.post("/_emulator/faults", json=bad).status_code == 400
    made = emu.admin("POST", "/faults", {"faults": [{"status": 500}, {"status": 501}]})["faults"]
    emu.admin("DELETE", f"/faults/{made[0]['id']}")
    assert [item["status"] for item in emu.admin("GET", "/faults")["faults"]] == [501]
    for unknown in ("99", "x", "%C2%B2", "9" * 5000):
        assert emu.http.delete(f"/_emulator/faults/{unknown}").status_code == 404


def test_request_log(emu: Emu) -> None:
    emu.data("POST", "/vector_stores", {"name": "s"})
    emu.upload("a.md", b"12345")
    emu.data("GET", "/assistants/asst_x")
    emu.arm("GET", f"{GROUP}/accounts")
    log = emu.admin("GET", "/requests")["requests"]
    assert [(e["n"], e["method"], e["path"], e["status"], e["account"]) for e in log] == [
        (1, "POST", "/openai/vector_stores", 200, "emulator"),
        (2, "POST", "/openai/files", 200, "emulator"),
        (3, "GET", "/openai/assistants/asst_x", 404, "emulator"),
        (4, "GET", f"{GROUP}/accounts", 200, ""),
    ]
    assert log[0]["body"] == {"name": "s"}
    assert log[0]["query"] == {"api-version": NEW}
    assert log[1]["multipart"] == {"purpose": "assistants", "file": {"filename": "a.md", "size": 5}}
    text = str(log).lower()
    assert emu.key not in text
    assert "bearer" not in text
    assert "api-key" not in text
    emu.admin("DELETE", "/requests")
    assert emu.admin("GET", "/requests") == {"requests": []}


def test_dump_counts_the_default_account_only_when_changed(emu: Emu) -> None:
    kinds = {"accounts", "assistants", "deleted_accounts", "deployments", "files", "vector_stores"}
    empty = emu.admin("GET", "/dump")
    assert kinds <= set(empty)
    assert not any(empty.values())
    file = emu.upload()["id"]
    store = emu.store(file_ids=[file])["id"]
    made = emu.assistant()["id"]
    dump = emu.admin("GET", "/dump")
    assert [item["id"] for item in dump["files"]] == [file]
    assert [(item["id"], [f["id"] for f in item["files"]]) for item in dump["vector_stores"]] == [(store, [file])]
    assert [(item["id"], item["account"]) for item in dump["assistants"]] == [(made, "emulator")]
    emu.account()
    emu.deploy()
    default = f"{GROUP}/accounts/emulator".replace("/rg/", "/emulator/")
    emu.arm("PATCH", default, {"tags": {"a": "b"}})
    dump = emu.admin("GET", "/dump")
    assert [item["name"] for item in dump["accounts"]] == ["emulator", "contoso"]
    assert [(item["account"], item["name"]) for item in dump["deployments"]] == [("contoso", "gpt")]
    emu.admin("POST", "/reset")
    assert emu.admin("GET", "/dump") == empty
    assert emu.assistant()["model"] == "gpt-4o"


def test_refused_requests_change_nothing(emu: Emu) -> None:
    """A store that the helper made is undone when the assistant is refused after it."""
    stores_ = [{"file_ids": []}]
    resources = {"file_search": {"vector_stores": stores_}, "code_interpreter": {"file_ids": ["none"]}}
    error_of(emu.data("POST", "/assistants", {"model": "gpt-4o", "tool_resources": resources}), 400)
    assert stores(emu) == 0


def test_health_and_unknown_admin_paths(emu: Emu) -> None:
    assert emu.admin("GET", "/health")["status"] == "ok"
    assert emu.http.get("/_emulator/nothing").status_code == 404
    assert emu.http.delete("/_emulator/health").status_code == 405
    for bad in ({}, {"advance_s": -1}, {"advance_s": 1, "x": 2}):
        assert emu.http.post("/_emulator/clock", json=bad).status_code == 400
    before = emu.admin("GET", "/clock")["now"]
    assert emu.admin("POST", "/clock", {"advance_s": 100})["now"] >= before + 100
