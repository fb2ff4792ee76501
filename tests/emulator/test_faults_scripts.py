"""Faults from a file, and what they can do besides breaking an answer: lists that lag, old tokens, chance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from asstops.emulator import EmulatorError, EmulatorServer, EmulatorSettings
from asstops.emulator.keys import DATA_AUDIENCE
from tests.emulator.conftest import GROUP, Emu, error_of, wait

YAML = """
faults:
  - {method: POST, path: /vector_stores$, status: 429, headers: {Retry-After: 7}}
  - {path: /files$, status: 503, count: 2}
"""


def statuses(emu: Emu, path: str = "/files", times: int = 4) -> list[int]:
    return [emu.data("GET", path).status_code for _ in range(times)]


@pytest.mark.parametrize("form", ["yaml", "json", "list"])
def test_file(emulator: Any, tmp_path: Path, form: str) -> None:
    described = [
        {"method": "POST", "path": "/vector_stores$", "status": 429, "headers": {"Retry-After": 7}},
        {"path": "/files$", "status": 503, "count": 2},
    ]
    path = tmp_path / ("faults.yaml" if form == "yaml" else "faults.json")
    path.write_text(YAML if form == "yaml" else json.dumps(described if form == "list" else {"faults": described}))
    with emulator(faults=path) as emu:
        answer = emu.data("POST", "/vector_stores", {})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
        assert statuses(emu) == [503, 503, 200, 200]
        emu.admin("POST", "/reset")  # the faults of the file are there again, none of them spent
        assert statuses(emu) == [503, 503, 200, 200]
        emu.admin("DELETE", "/faults")
        assert emu.admin("GET", "/faults") == {"faults": []}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("f.yaml", "- {status: 99}", "below minimum"),
        ("f.yaml", "- {staus: 500}", "Unknown parameter: 'staus'"),
        ("f.yaml", "faults: 3", "expected an array"),
        ("f.yaml", "{", "cannot be read"),
        ("f.json", "[", "cannot be read"),
        ("f.yaml", "- {path: /files}", "does nothing"),
    ],
)
def test_wrong_files_are_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(EmulatorError, match=message):
        EmulatorServer(settings=EmulatorSettings(faults=tmp_path / name)).start()
    with pytest.raises(EmulatorError, match="cannot read the faults"):
        EmulatorServer(settings=EmulatorSettings(faults=tmp_path / "none.yaml")).start()


def test_empty_file(emulator: Any, tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("# nothing yet\n")
    with emulator(faults=tmp_path / "f.yaml") as emu:
        assert statuses(emu, times=1) == [200]


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"garbage": False},
        {"headers": {"a": "b"}},
        {"commit": True, "cut": "after"},
        {"seed": 1, "status": 500},
        {"filename": "x", "status": 500},
        {"error_code": "x", "status": 500},
        {"status": 199},
        {"status": 600},
        {"probability": 1.1, "status": 500},
        {"list_lag_s": -1},
        {"token": "wrong"},
        {"status": 500, "headers": {"bad name": "x"}},
        {"status": 500, "headers": {"a": "x\r\ny: z"}},
        {"status": 500, "headers": {"Content-Length": "3"}},
    ],
)
def test_what_makes_no_sense_is_refused(emu: Emu, bad: dict[str, Any]) -> None:
    error_of(emu.http.post("/_emulator/faults", json=bad), 400)
    error_of(emu.http.post("/_emulator/faults", json={"faults": [{"status": 500}, bad]}), 400)
    assert emu.admin("GET", "/faults") == {"faults": []}


def test_chance_is_repeatable(emu: Emu) -> None:
    """The same seed strikes the same requests; another seed others; nth and count hold as well."""

    def struck(**more: Any) -> list[bool]:
        emu.admin("DELETE", "/faults")
        emu.admin("POST", "/faults", {"path": "/files$", "status": 500, "count": 0, "probability": 0.5, **more})
        return [status == 500 for status in statuses(emu, times=40)]

    first = struck(seed=1)
    assert 10 < sum(first) < 30
    assert struck(seed=1) == first
    assert struck(seed=2) != first
    assert sum(struck(seed=1, count=3)) == 3
    assert not any(struck(seed=1, nth=21)[:20])
    assert not any(struck(probability=0))
    assert all(struck(probability=1))


def test_stale_listing(emu: Emu) -> None:
    old = emu.store()["id"]
    emu.admin("POST", "/clock", {"advance_s": 100})
    new = emu.store()["id"]

    def listed() -> list[str]:
        return [item["id"] for item in emu.data("GET", "/vector_stores").json()["data"]]

    emu.admin("POST", "/faults", {"method": "GET", "path": "/vector_stores$", "list_lag_s": 60, "count": 2})
    assert [listed(), listed(), listed()] == [[old], [old], [new, old]]
    assert emu.data("GET", f"/vector_stores/{new}").status_code == 200
    emu.admin("POST", "/faults", {"list_lag_s": 3600})
    assert listed() == []


def test_a_fault_can_lift_the_lag(emulator: Any) -> None:
    with emulator(list_lag_s=3600) as emu:
        made = emu.upload()["id"]
        assert emu.data("GET", "/files").json()["data"] == []
        emu.admin("POST", "/faults", {"list_lag_s": 0})
        assert [item["id"] for item in emu.data("GET", "/files").json()["data"]] == [made]


def test_token_expired(emu: Emu, data_token: str) -> None:
    """Strikes and counts callers with a token only, on both planes."""
    emu.admin("POST", "/faults", {"token": "expired", "count": 2})
    assert statuses(emu, times=1) == [200]
    bearer = {"authorization": f"Bearer {data_token}"}
    assert error_of(emu.data("GET", "/files", headers=bearer), 401)["code"] == "Unauthorized"
    assert error_of(emu.arm("GET", f"{GROUP}/accounts"), 401)["code"] == "ExpiredAuthenticationToken"
    assert emu.data("GET", "/files", headers=bearer).status_code == 200
    assert emu.arm("GET", f"{GROUP}/accounts").status_code == 200


def test_tokens_have_a_lifetime(emulator: Any) -> None:
    with emulator(token_lifetime_s=60) as emu:
        bearer = {"authorization": f"Bearer {emu.token(DATA_AUDIENCE)}"}
        emu.admin("POST", "/clock", {"advance_s": 50})
        assert emu.data("GET", "/files", headers=bearer).status_code == 200
        emu.admin("POST", "/clock", {"advance_s": 10})
        assert emu.data("GET", "/files", headers=bearer).status_code == 401


@pytest.mark.parametrize(
    ("more", "code", "status"),
    [({}, "InternalServerError", 500), ({"error_code": "InsufficientQuota"}, "InsufficientQuota", 400)],
)
@pytest.mark.parametrize("polling", ["async_operation", "location"])
def test_failed_operation(emulator: Any, polling: str, more: dict[str, Any], code: str, status: int) -> None:
    """Whichever way it is polled, it says what went wrong."""
    with emulator(behaviour={"arm_polling": polling}) as emu:
        emu.admin("POST", "/faults", {"method": "PUT", "operation": "fail", **more})
        body = {"location": "swedencentral", "kind": "OpenAI", "sku": {"name": "S0"}}
        begun = emu.arm("PUT", f"{GROUP}/accounts/contoso", body)
        emu.settled(f"{GROUP}/accounts/contoso")
        if polling == "location":
            link = begun.headers["location"]
            assert error_of(emu.arm("GET", link.partition("?")[0]), status)["code"] == code
        else:
            link = begun.headers["azure-asyncoperation"].partition("?")[0]
            found = wait(lambda: emu.arm("GET", link).json(), lambda operation: operation["status"] != "InProgress")
            assert (found["status"], found["error"]["code"]) == ("Failed", code)
            assert found["error"]["message"]


def test_answers_without_a_body(emu: Emu) -> None:
    emu.admin("POST", "/faults", {"faults": [{"status": 204}, {"status": 304}, {"status": 500, "body": "oops"}]})
    assert [(emu.data("GET", "/files").status_code, emu.data("GET", "/files").content)] == [(204, b"")]
    answer = emu.data("GET", "/files")
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (500, "oops", "text/plain")
    emu.admin("POST", "/faults", {"status": 502, "body": "<p>", "headers": {"Content-Type": "text/html"}})
    assert emu.data("GET", "/files").headers.get_list("content-type") == ["text/html"]


def test_a_deployments_limits_follow_its_capacity(emu: Emu) -> None:
    emu.account()
    emu.deploy()
    path = f"{GROUP}/accounts/contoso/deployments/gpt"
    emu.arm("PATCH", path, {"sku": {"name": "GlobalStandard", "capacity": 7}})
    found = emu.settled(path)["properties"]
    assert (found["currentCapacity"], [limit["count"] for limit in found["rateLimits"]]) == (7, [7, 7000])
