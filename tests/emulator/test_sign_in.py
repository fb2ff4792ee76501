"""Sign-in: keys, tokens, audiences, expiry, roles. No request gets through without."""

from __future__ import annotations

import time
from typing import Any

import pytest

from asstops.emulator.keys import ARM_AUDIENCE, DATA_AUDIENCE, IDENTITY_HEADER, PROJECT_AUDIENCE, read_token
from tests.emulator.conftest import GROUP, NEW, OLD, PROVIDER, V1, Emu, error_of

IDENTITY = "/_emulator/identity/token"


@pytest.mark.parametrize("surface", [OLD, NEW, V1])
@pytest.mark.parametrize(
    "headers", [{}, {"api-key": ""}, {"api-key": "wrong"}, {"authorization": "Basic x"}, {"authorization": "Bearer"}]
)
def test_data_plane_wants_a_key_or_token(emu: Emu, surface: str, headers: dict[str, str]) -> None:
    error = error_of(emu.data("GET", "/files", surface=surface, headers=headers), 401)
    assert error["code"] == "401"
    assert "Access denied" in error["message"]


def test_data_plane_takes_a_token(emu: Emu, data_token: str) -> None:
    good = {"authorization": f"Bearer {data_token}"}
    assert emu.data("GET", "/files", headers=good).status_code == 200
    head, payload, signature = data_token.split(".")
    for token in (
        emu.token(ARM_AUDIENCE),
        emu.token(PROJECT_AUDIENCE),
        "x",
        f"{head}.{payload}.{signature[:-2]}xx",
        f"{head}.{payload}A.{signature}",
        f"{head}.{payload}.",
    ):
        error_of(emu.data("GET", "/files", headers={"authorization": f"Bearer {token}"}), 401)


def test_v1_takes_the_key_as_a_bearer_too(emu: Emu) -> None:
    for value in (f"Bearer {emu.key}", emu.key):
        assert emu.data("GET", "/files", surface=V1, headers={"authorization": value}).status_code == 200
        error_of(emu.data("GET", "/files", surface=NEW, headers={"authorization": value}), 401)
    error_of(emu.data("GET", "/files", surface=V1, headers={"authorization": "Bearer wrong"}), 401)


def test_tokens_expire(emulator: Any) -> None:
    with emulator(token_lifetime_s=60) as emu:
        headers = {"authorization": f"Bearer {emu.token(DATA_AUDIENCE)}"}
        arm = {"authorization": f"Bearer {emu.token(ARM_AUDIENCE)}"}
        path, params = f"{PROVIDER}/accounts", {"api-version": "2025-09-01"}
        assert emu.data("GET", "/files", headers=headers).status_code == 200
        assert emu.http.get(path, params=params, headers=arm).status_code == 200
        emu.admin("POST", "/clock", {"advance_s": 61})
        error_of(emu.data("GET", "/files", headers=headers), 401)
        assert error_of(emu.http.get(path, params=params, headers=arm), 401)["code"] == "ExpiredAuthenticationToken"
        assert emu.data("GET", "/files", headers={"authorization": f"Bearer {emu.token(DATA_AUDIENCE)}"}).is_success


def test_tokens_need_a_subdomain(emu: Emu, data_token: str) -> None:
    emu.account(properties={})
    headers = {"authorization": f"Bearer {data_token}"}
    assert "custom subdomain" in error_of(emu.data("GET", "/files", account="contoso", headers=headers), 400)["message"]


def test_arm_wants_its_own_token(emu: Emu) -> None:
    path, params = f"{GROUP}/accounts", {"api-version": "2025-09-01"}
    for headers, code in (
        ({}, "AuthenticationFailed"),
        ({"api-key": emu.key}, "AuthenticationFailed"),
        ({"authorization": "Bearer x"}, "InvalidAuthenticationToken"),
        ({"authorization": f"Bearer {emu.token(DATA_AUDIENCE)}"}, "InvalidAuthenticationTokenAudience"),
    ):
        answer = emu.http.get(path, params=params, headers=headers)
        assert error_of(answer, 401)["code"] == code
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_identity_endpoint(emu: Emu) -> None:
    good = {"resource": "https://management.azure.com/", "api-version": "2019-08-01"}
    header = {"X-IDENTITY-HEADER": IDENTITY_HEADER}
    body = emu.http.get(IDENTITY, params=good, headers=header).json()
    assert body["token_type"] == "Bearer"
    assert read_token(body["access_token"])["aud"] == ARM_AUDIENCE
    lifetime = int(body["expires_on"]) - time.time()
    assert 86_000 < lifetime <= 86_400
    emu.admin("POST", "/clock", {"advance_s": 500_000})  # which a client's own clock does not know
    later = emu.http.get(IDENTITY, params=good, headers=header).json()
    assert abs(int(later["expires_on"]) - int(body["expires_on"])) < 100
    assert read_token(later["access_token"])["exp"] > read_token(body["access_token"])["exp"] + 400_000
    assert emu.http.get(IDENTITY, params=good).status_code == 401
    assert emu.http.get(IDENTITY, params={**good, "api-version": "2018-02-01"}, headers=header).status_code == 400
    assert emu.http.get(IDENTITY, params={**good, "resource": "https://x"}, headers=header).status_code == 400


def test_roles_can_be_taken_away(emu: Emu, data_token: str) -> None:
    token = {"authorization": f"Bearer {data_token}"}
    emu.admin("POST", "/roles", {"data_write": False, "arm_write": False, "arm_keys": False})
    assert emu.data("GET", "/files", headers=token).status_code == 200
    assert error_of(emu.data("POST", "/vector_stores", {}, headers=token), 403)["code"] == "PermissionDenied"
    assert emu.data("POST", "/vector_stores", {}).status_code == 200  # a key may do everything
    assert emu.arm("GET", f"{PROVIDER}/accounts").status_code == 200
    assert error_of(emu.arm("PUT", f"{GROUP}/accounts/contoso", {}), 403)["code"] == "AuthorizationFailed"
    default = f"{GROUP}/accounts/emulator/listKeys".replace("/rg/", "/emulator/")
    assert error_of(emu.arm("POST", default), 403)["code"] == "AuthorizationFailed"
    emu.admin("POST", "/roles", {"data_read": False, "arm_read": False})
    error_of(emu.data("GET", "/files", headers=token), 403)
    error_of(emu.arm("GET", f"{PROVIDER}/accounts"), 403)
    emu.admin("DELETE", "/roles")
    assert emu.data("POST", "/vector_stores", {}, headers=token).status_code == 200
    assert emu.http.post("/_emulator/roles", json={"nothing": True}).status_code == 400


@pytest.mark.parametrize("params", [{}, {"api-version": ""}, {"api-version": "2023-01-01"}, {"api-version": "v1"}])
def test_dated_paths_want_a_known_version(emu: Emu, params: dict[str, str]) -> None:
    answer = emu.http.get("/openai/assistants", params=params, headers={"api-key": emu.key})
    assert answer.status_code == 404
    assert answer.json() == {"error": {"code": "404", "message": "Resource not found"}}


def test_versions_of_v1(emu: Emu) -> None:
    for params, status in (({}, 200), ({"api-version": "v1"}, 200), ({"api-version": "preview"}, 200),
                           ({"api-version": NEW}, 404)):  # fmt: skip
        answer = emu.http.get("/openai/v1/files", params=params, headers={"api-key": emu.key})
        assert answer.status_code == status


@pytest.mark.parametrize("path", ["//openai/files", "/openai/files", "///openai/files"])
def test_doubled_slash(emu: Emu, path: str) -> None:
    answer = emu.http.request("GET", f"{emu.url}{path}?api-version={NEW}", headers={"api-key": emu.key})
    assert answer.status_code == 200


def test_unknown_accounts_and_paths(emu: Emu) -> None:
    assert emu.data("GET", "/files", account="nobody").json()["error"]["code"] == "404"
    for path in ("/nothing", "/deployments/gpt-4o/assistants", "/assistants/a/b/c"):
        assert error_of(emu.data("GET", path), 404)["message"] == "Resource not found"
    assert emu.http.get("/nothing").status_code == 404


def test_every_answer_has_request_ids(emu: Emu) -> None:
    data = emu.data("GET", "/files", headers={"api-key": emu.key, "x-ms-client-request-id": "mine"})
    refused = emu.data("GET", "/files", headers={})
    arm = emu.arm("GET", f"{PROVIDER}/accounts")
    for answer in (data, refused):
        assert answer.headers["apim-request-id"] == answer.headers["x-ms-request-id"]
    assert data.headers["apim-request-id"] != refused.headers["apim-request-id"]
    assert data.headers["x-ms-client-request-id"] == "mine"
    assert arm.headers["x-ms-request-id"]
    assert arm.headers["x-ms-correlation-request-id"]
