"""Accounts in ARM: contracts, what may change, soft delete, keys, subdomains, one write at a time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.conftest import GROUP, PROVIDER, Emu, error_of, wait

ACCOUNT = f"{GROUP}/accounts/contoso"
BODY: dict[str, Any] = {"location": "swedencentral", "kind": "OpenAI", "sku": {"name": "S0"}}
DELETED = f"{PROVIDER}/locations/swedencentral/resourceGroups/rg/deletedAccounts/contoso"


def delete(emu: Emu, path: str = ACCOUNT) -> None:
    assert emu.arm("DELETE", path).status_code == 202
    wait(lambda: emu.arm("GET", path).status_code, lambda status: status == 404)


def test_life(emu: Emu) -> None:
    made = emu.arm("PUT", ACCOUNT, {**BODY, "tags": {"a": "b"}})
    assert made.status_code == 201
    assert made.json()["properties"]["provisioningState"] == "Creating"
    assert "/operationStatuses/" in made.headers["azure-asyncoperation"]
    done = emu.settled(ACCOUNT)
    assert done["properties"]["provisioningState"] == "Succeeded"
    assert done["properties"]["endpoint"] == f"{emu.url}/contoso/"
    assert (done["id"], done["type"]) == (ACCOUNT, "Microsoft.CognitiveServices/accounts")
    status = emu.http.get(made.headers["azure-asyncoperation"], headers={"authorization": "Bearer x"})
    assert error_of(status, 401)["code"] == "InvalidAuthenticationToken"
    operation = made.headers["azure-asyncoperation"].removeprefix(emu.url).partition("?")[0]
    assert emu.arm("GET", operation).json()["status"] == "Succeeded"
    delete(emu)
    assert emu.arm("DELETE", ACCOUNT).status_code == 204


@pytest.mark.parametrize("field", ["location", "kind", "sku"])
def test_required(emu: Emu, field: str) -> None:
    error_of(emu.arm("PUT", ACCOUNT, {name: value for name, value in BODY.items() if name != field}), 400)


@pytest.mark.parametrize(
    "over",
    [
        {"unknown": 1},
        {"properties": {"unknown": 1}},
        {"properties": {"customSubdomainName": "x"}},
        {"sku": {"name": "S9"}},
        {"sku": {}},
        {"sku": {"name": "S0", "foo": 1}},
        {"kind": "Nothing"},
        {"location": "atlantis"},
        {"tags": {"a": 1}},
        {"tags": {f"t{n}": "" for n in range(51)}},
        {"tags": {"t" * 513: ""}},
        {"tags": {"t": "v" * 257}},
        {"tags": {"a<b": ""}},
        {"tags": {"A": "1", "a": "2"}},
        {"properties": {"customSubDomainName": "a"}},
        {"properties": {"customSubDomainName": "a_b"}},
        {"properties": {"customSubDomainName": "-ab"}},
        {"properties": {"publicNetworkAccess": "Maybe"}},
        {"properties": {"disableLocalAuth": "yes"}},
        {"properties": {"allowProjectManagement": True}},
        {"properties": {"restore": True}},
        {"identity": {"type": "Other"}},
    ],
)
def test_bad_bodies(emu: Emu, over: dict[str, Any]) -> None:
    error = error_of(emu.arm("PUT", ACCOUNT, {**BODY, **over}), 400)
    assert set(error) <= {"code", "message", "target"}
    assert not error["code"].islower()
    error_of(emu.arm("GET", ACCOUNT), 404)


def test_tags_at_their_limits(emu: Emu) -> None:
    tags = {"t" * 512: "v" * 256, **{f"t{n}": "" for n in range(49)}}
    assert emu.account(tags=tags)["tags"] == tags


@pytest.mark.parametrize(("name", "good"), [("ab", True), ("a" * 64, True), ("0.b_c-d", True), ("a", False),
                                            ("a" * 65, False), ("_ab", False), ("a b", False)])  # fmt: skip
def test_names(emu: Emu, name: str, good: bool) -> None:
    assert emu.arm("PUT", f"{GROUP}/accounts/{name}", BODY).status_code == (201 if good else 400)


def test_names_fold_case_and_are_echoed_as_created(emu: Emu) -> None:
    emu.account("Contoso")
    read = emu.arm("GET", f"{GROUP}/accounts/CONTOSO".replace("/rg/", "/RG/")).json()
    assert (read["name"], read["id"]) == ("Contoso", f"{GROUP}/accounts/Contoso")
    key = emu.arm("POST", f"{GROUP}/accounts/contoso/listKeys").json()["key1"]
    assert emu.data("GET", "/files", account="contoso", headers={"api-key": key}).status_code == 200


def test_what_cannot_change(emu: Emu) -> None:
    emu.account()
    for method in ("PUT", "PATCH"):
        base = BODY if method == "PUT" else {}
        for over in (
            {"kind": "AIServices"},
            {"location": "westus"},
            {"properties": {"customSubDomainName": "another"}},
        ):
            error_of(emu.arm(method, ACCOUNT, {**base, **over}), 400)
    same = {**BODY, "location": "Sweden Central", "properties": {"customSubDomainName": "contoso"}}
    assert emu.arm("PUT", ACCOUNT, same).status_code == 200


def test_put_replaces_and_patch_merges(emu: Emu) -> None:
    emu.account(tags={"a": "1", "b": "2"}, properties={"customSubDomainName": "contoso", "disableLocalAuth": False,
                                                       "publicNetworkAccess": "Disabled"})  # fmt: skip
    assert emu.arm("PATCH", ACCOUNT, {"properties": {"publicNetworkAccess": "Enabled"}}).status_code == 202
    patched = emu.settled(ACCOUNT)
    assert patched["tags"] == {"a": "1", "b": "2"}
    assert patched["properties"]["disableLocalAuth"] is False
    assert patched["properties"]["publicNetworkAccess"] == "Enabled"
    emu.arm("PATCH", ACCOUNT, {"tags": {"c": "3"}})
    assert emu.settled(ACCOUNT)["tags"] == {"c": "3"}
    assert emu.arm("PUT", ACCOUNT, BODY).status_code == 200
    put = emu.settled(ACCOUNT)
    assert put["tags"] == {}
    assert "disableLocalAuth" not in put["properties"]
    assert put["properties"]["customSubDomainName"] == "contoso"
    assert put["properties"]["dateCreated"] == patched["properties"]["dateCreated"]


def test_what_was_read_can_be_written_back(emu: Emu) -> None:
    read = emu.account(identity={"type": "SystemAssigned"}, tags={"a": "b"})
    assert emu.arm("PUT", ACCOUNT, read).status_code == 200
    again = emu.settled(ACCOUNT)
    for name in ("id", "name", "tags", "sku", "kind", "location", "identity", "properties"):
        assert again[name] == read[name]
    assert again["etag"] != read["etag"]


def test_one_write_at_a_time(emulator: Any) -> None:
    with emulator(arm_operation_s=30) as emu:
        emu.arm("PUT", ACCOUNT, BODY)
        deployment = {
            "sku": {"name": "GlobalStandard"},
            "properties": {"model": {"format": "OpenAI", "name": "gpt-4o"}},
        }
        for method, path, body in (
            ("PUT", ACCOUNT, BODY),
            ("PATCH", ACCOUNT, {"tags": {}}),
            ("DELETE", ACCOUNT, None),
            ("PUT", f"{ACCOUNT}/deployments/d", deployment),
        ):
            answer = emu.arm(method, path, body)
            assert error_of(answer, 409)["code"] == "RequestConflict"
            assert "retry-after" not in answer.headers
        other = f"{GROUP}/accounts/other"
        assert emu.arm("PUT", other, BODY).status_code == 201  # another account is free
        emu.admin("POST", "/clock", {"advance_s": 31})
        assert emu.arm("PUT", f"{ACCOUNT}/deployments/d", deployment).status_code == 201
        assert error_of(emu.arm("PATCH", ACCOUNT, {"tags": {}}), 409)["code"] == "RequestConflict"
        assert error_of(emu.arm("DELETE", f"{ACCOUNT}/deployments/d"), 409)["code"] == "RequestConflict"


def test_soft_delete_restore_purge(emu: Emu) -> None:
    emu.account(tags={"a": "b"})
    emu.deploy()
    key = emu.arm("POST", f"{ACCOUNT}/listKeys").json()["key1"]
    made = emu.data("POST", "/vector_stores", {"name": "s"}, account="contoso", headers={"api-key": key}).json()
    delete(emu)
    assert emu.data("GET", "/vector_stores", account="contoso", headers={"api-key": key}).status_code == 404
    listed = emu.arm("GET", f"{PROVIDER}/deletedAccounts").json()["value"]
    assert [(item["name"], item["id"], item["type"]) for item in listed] == [
        ("contoso", DELETED, "Microsoft.CognitiveServices/accounts")
    ]
    assert emu.arm("GET", DELETED).json()["properties"]["deletionDate"]
    assert error_of(emu.arm("PUT", ACCOUNT, BODY), 409)["code"] == "FlagMustBeSetForRestore"
    restored = emu.arm("PUT", ACCOUNT, {"location": "swedencentral", "properties": {"restore": True}})
    assert restored.status_code == 201
    body = emu.settled(ACCOUNT)
    assert (body["tags"], body["kind"]) == ({"a": "b"}, "OpenAI")
    assert "restore" not in body["properties"]
    assert emu.arm("GET", f"{ACCOUNT}/deployments").json()["value"] == []
    stores = emu.data("GET", "/vector_stores", account="contoso", headers={"api-key": key}).json()["data"]
    assert [store["id"] for store in stores] == [made["id"]]
    delete(emu)
    assert emu.arm("DELETE", DELETED).status_code == 202
    wait(lambda: emu.arm("GET", DELETED).status_code, lambda status: status == 404)
    assert emu.arm("DELETE", DELETED).status_code == 204
    emu.account()
    fresh = emu.data("GET", "/vector_stores", account="contoso", headers={"api-key": key}).json()["data"]
    assert fresh == []


def test_purged_by_itself_after_48_hours(emu: Emu) -> None:
    emu.account()
    delete(emu)
    emu.admin("POST", "/clock", {"advance_s": 47 * 3600})
    assert emu.arm("GET", DELETED).status_code == 200
    emu.admin("POST", "/clock", {"advance_s": 3601})
    error_of(emu.arm("GET", DELETED), 404)
    emu.account()


def test_subdomains_are_unique_and_stay_held(emu: Emu) -> None:
    body = {**BODY, "properties": {"customSubDomainName": "Contoso"}}
    check = {"subdomainName": "contoso", "type": "Microsoft.CognitiveServices/accounts"}
    emu.account()

    def free() -> bool:
        return bool(emu.arm("POST", f"{PROVIDER}/checkDomainAvailability", check).json()["isSubdomainAvailable"])

    other = f"{GROUP}/accounts/other"
    assert error_of(emu.arm("PUT", other, body), 409)["code"] == "CustomDomainInUse"
    assert not free()
    delete(emu)
    assert error_of(emu.arm("PUT", other, body), 409)["code"] == "CustomDomainInUse"
    assert not free()
    emu.arm("DELETE", DELETED)
    wait(lambda: emu.arm("GET", DELETED).status_code, lambda status: status == 404)
    assert free()
    assert emu.arm("PUT", other, body).status_code == 201


def test_projects_hold_an_account(emu: Emu) -> None:
    """Projects have no API here yet; one is put into the store, where their file will put it."""
    emu.account()
    state = emu.server.state
    assert state is not None
    row = state.store.one("SELECT row FROM account WHERE name = 'contoso'")[0]
    state.store.add(row, "project", "p", 0, {})
    assert error_of(emu.arm("DELETE", ACCOUNT), 409)["code"] == "CannotDeleteResource"
    state.store.drop(row, "project", "p")
    delete(emu)


def test_keys(emu: Emu) -> None:
    emu.account()
    keys = emu.arm("POST", f"{ACCOUNT}/listKeys").json()

    def works(key: str) -> bool:
        return emu.data("GET", "/files", account="contoso", headers={"api-key": key}).status_code == 200

    assert works(keys["key1"])
    assert works(keys["key2"])
    assert not works(emu.key)  # another account's
    new = emu.arm("POST", f"{ACCOUNT}/regenerateKey", {"keyName": "Key2"}).json()
    assert new["key1"] == keys["key1"]
    assert new["key2"] != keys["key2"]
    assert (works(keys["key1"]), works(keys["key2"]), works(new["key2"])) == (True, False, True)
    for body in ({}, {"keyName": "Key3"}, {"keyName": "Key1", "x": 1}):
        error_of(emu.arm("POST", f"{ACCOUNT}/regenerateKey", body), 400)


def test_local_auth_can_be_disabled(emu: Emu) -> None:
    emu.account(properties={"customSubDomainName": "contoso"})
    key = emu.arm("POST", f"{ACCOUNT}/listKeys").json()["key1"]
    emu.arm("PATCH", ACCOUNT, {"properties": {"disableLocalAuth": True}})
    emu.settled(ACCOUNT)
    error_of(emu.arm("POST", f"{ACCOUNT}/listKeys"), 400)
    error = error_of(emu.data("GET", "/files", account="contoso", headers={"api-key": key}), 403)
    assert error["code"] == "AuthenticationTypeDisabled"


def test_accounts_do_not_share_data(emu: Emu) -> None:
    emu.account("one")
    emu.account("two")
    keys = {n: emu.arm("POST", f"{GROUP}/accounts/{n}/listKeys").json()["key1"] for n in ("one", "two")}
    made = emu.data("POST", "/vector_stores", {}, account="one", headers={"api-key": keys["one"]}).json()["id"]
    path = f"/vector_stores/{made}"
    assert emu.data("GET", path, account="one", headers={"api-key": keys["one"]}).status_code == 200
    assert emu.data("GET", path, account="two", headers={"api-key": keys["two"]}).status_code == 404
    assert emu.data("GET", path).status_code == 404


def test_same_name_in_two_groups(emu: Emu) -> None:
    emu.account("same")
    other = f"{GROUP}/accounts/same".replace("/rg/", "/rg2/")
    assert emu.arm("PUT", other, BODY).status_code == 201
    assert emu.settled(other)["properties"]["endpoint"] != f"{emu.url}/same/"
    names = [item["id"].split("/")[4] for item in emu.arm("GET", f"{PROVIDER}/accounts").json()["value"]]
    assert names == ["emulator", "rg", "rg2"]
    assert len(emu.arm("GET", f"{GROUP}/accounts").json()["value"]) == 1


def test_an_account_is_not_served_while_it_is_made(emulator: Any) -> None:
    with emulator(arm_operation_s=30) as emu:
        emu.arm("PUT", ACCOUNT, BODY)
        key = emu.arm("POST", f"{ACCOUNT}/listKeys").json()["key1"]
        assert emu.data("GET", "/files", account="contoso", headers={"api-key": key}).status_code == 404
        emu.admin("POST", "/clock", {"advance_s": 31})
        assert emu.data("GET", "/files", account="contoso", headers={"api-key": key}).status_code == 200


def test_versions_subscriptions_and_unknown_paths(emu: Emu) -> None:
    assert error_of(emu.arm("GET", ACCOUNT, version=None), 400)["code"] == "MissingApiVersionParameter"
    assert error_of(emu.arm("GET", ACCOUNT, version="2020-01-01"), 400)["code"] == "NoRegisteredProviderFound"
    foreign = ACCOUNT.replace("00000000-", "10000000-")
    assert error_of(emu.arm("GET", foreign), 404)["code"] == "SubscriptionNotFound"
    assert error_of(emu.arm("GET", f"{ACCOUNT}/nothing"), 404)["code"] == "InvalidResourceType"
    assert error_of(emu.arm("POST", ACCOUNT, {}), 405)["code"] == "MethodNotAllowed"
    assert error_of(emu.arm("GET", ACCOUNT), 404)["code"] == "ResourceNotFound"


def test_a_failing_operation(emu: Emu) -> None:
    emu.admin("POST", "/faults", {"method": "PUT", "path": "accounts/contoso$", "operation": "fail"})
    made = emu.arm("PUT", ACCOUNT, BODY)
    assert emu.settled(ACCOUNT)["properties"]["provisioningState"] == "Failed"
    operation = made.headers["azure-asyncoperation"].removeprefix(emu.url).partition("?")[0]
    status = emu.arm("GET", operation).json()
    assert (status["status"], status["error"]["code"]) == ("Failed", "InternalServerError")
    assert emu.arm("PUT", ACCOUNT, BODY).status_code == 200  # and a second try mends it
    assert emu.settled(ACCOUNT)["properties"]["provisioningState"] == "Succeeded"


def test_lists_have_pages(emulator: Any) -> None:
    with emulator(arm_page_size=2, arm_operation_s=0) as emu:
        for n in range(4):
            emu.arm("PUT", f"{GROUP}/accounts/a{n}", BODY)
        seen, path = [], f"{PROVIDER}/accounts"
        answer = emu.arm("GET", path).json()
        while True:
            seen += [item["name"] for item in answer["value"]]
            if "nextLink" not in answer:
                break
            token = emu.token("https://management.azure.com")
            answer = emu.http.get(answer["nextLink"], headers={"authorization": f"Bearer {token}"}).json()
        assert seen == ["emulator", "a0", "a1", "a2", "a3"]
        for token in ("x", "-1", "\u00b2", "9" * 5000):
            error_of(emu.arm("GET", path, params={"$skipToken": token}), 400)
