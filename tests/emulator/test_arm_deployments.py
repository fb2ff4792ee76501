"""Deployments in ARM: catalogue, quota, what may change, the account they need."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.conftest import GROUP, PROVIDER, Emu, error_of, wait

ACCOUNT = f"{GROUP}/accounts/contoso"
PATH = f"{ACCOUNT}/deployments/gpt"


def body(name: str = "gpt-4o", version: str | None = "2024-11-20", sku: str = "GlobalStandard", capacity: Any = 10,
         **properties: Any) -> dict[str, Any]:  # fmt: skip
    model = {"format": "OpenAI", "name": name, **({"version": version} if version else {})}
    return {"sku": {"name": sku, "capacity": capacity}, "properties": {"model": model, **properties}}


def test_life(emu: Emu) -> None:
    emu.account()
    made = emu.arm("PUT", PATH, body())
    assert (made.status_code, made.json()["properties"]["provisioningState"]) == (201, "Creating")
    done = emu.settled(PATH)
    assert done["properties"]["model"] == {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}
    assert done["properties"]["versionUpgradeOption"] == "OnceNewDefaultVersionAvailable"
    assert done["sku"] == {"name": "GlobalStandard", "capacity": 10}
    assert "tags" not in done
    assert emu.arm("GET", f"{ACCOUNT}/deployments").json()["value"] == [done]
    again = emu.arm("PUT", PATH, body())
    assert (again.status_code, again.json()["properties"]["provisioningState"]) == (200, "Accepted")
    emu.settled(PATH)
    gone = emu.arm("DELETE", PATH)
    assert (gone.status_code, gone.content) == (202, b"")
    assert gone.headers["azure-asyncoperation"]
    wait(lambda: emu.arm("GET", PATH).status_code, lambda status: status == 404)
    assert emu.arm("DELETE", PATH).status_code == 204


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (body("gpt-9"), "DeploymentModelNotSupported"),
        (body(version="1999-01-01"), "DeploymentModelNotSupported"),
        (body(version="2024-05-13"), "ServiceModelDeprecated"),
        (body(sku="ProvisionedManaged"), "InvalidResourceProperties"),
        (body("gpt-4.1", "2025-04-14", "Standard"), "InvalidResourceProperties"),
        (body(capacity=0), "InvalidResourceProperties"),
        (body(capacity=451), "InsufficientQuota"),
        (body(capacity="10"), "InvalidRequestContent"),
        (body(versionUpgradeOption="Never"), "InvalidResourceProperties"),
        (body(nothing=1), "InvalidRequestContent"),
        ({**body(), "location": "swedencentral"}, "InvalidRequestContent"),
        ({"properties": body()["properties"]}, None),
        ({"sku": {"name": "Standard"}}, None),
        ({**body(), "tags": {f"t{n}": "" for n in range(51)}}, "InvalidTags"),
    ],
)
def test_bad_bodies(emu: Emu, wanted: dict[str, Any], code: str | None) -> None:
    emu.account()
    error = error_of(emu.arm("PUT", PATH, wanted), 400)
    assert code is None or error["code"] == code
    error_of(emu.arm("GET", PATH), 404)


def test_quota_counts_the_whole_location(emu: Emu) -> None:
    emu.account()
    emu.account("other")
    emu.account("far", location="westus")
    assert emu.arm("PUT", PATH, body(capacity=440)).status_code == 201  # 450 less the default account's 10
    usages = emu.arm("GET", f"{PROVIDER}/locations/swedencentral/usages").json()["value"]
    found = next(item for item in usages if item["name"]["value"] == "OpenAI.GlobalStandard.gpt-4o")
    assert (found["currentValue"], found["limit"]) == (450, 450)
    emu.settled(PATH)
    elsewhere = PATH.replace("contoso", "other")
    assert error_of(emu.arm("PUT", elsewhere, body(capacity=1)), 400)["code"] == "InsufficientQuota"
    assert emu.arm("PUT", elsewhere, body(capacity=1, sku="Standard")).status_code == 201  # a quota of its own
    assert emu.arm("PUT", PATH.replace("contoso", "far"), body(capacity=450)).status_code == 201
    assert error_of(emu.arm("PATCH", PATH, {"sku": {"name": "GlobalStandard", "capacity": 441}}), 400)
    assert emu.arm("PUT", PATH, body(capacity=440)).status_code == 200  # its own share does not count twice


def test_a_deleted_account_holds_its_quota_until_purged(emu: Emu) -> None:
    emu.account()
    emu.account("other")
    emu.deploy(sku={"name": "GlobalStandard", "capacity": 440})
    emu.arm("DELETE", ACCOUNT)
    wait(lambda: emu.arm("GET", ACCOUNT).status_code, lambda status: status == 404)
    elsewhere = PATH.replace("contoso", "other")
    assert error_of(emu.arm("PUT", elsewhere, body()), 400)["code"] == "InsufficientQuota"
    deleted = f"{PROVIDER}/locations/swedencentral/resourceGroups/rg/deletedAccounts/contoso"
    emu.arm("DELETE", deleted)
    wait(lambda: emu.arm("GET", deleted).status_code, lambda status: status == 404)
    assert emu.arm("PUT", elsewhere, body()).status_code == 201


def test_quota_can_be_set(emulator: Any) -> None:
    with emulator(quota={"OpenAI.GlobalStandard.gpt-4o": 15}) as emu:
        emu.account()
        assert emu.arm("PUT", PATH, body(capacity=6)).status_code == 400
        assert emu.arm("PUT", PATH, body(capacity=5)).status_code == 201


def test_omitted_version_and_capacity_get_defaults(emu: Emu) -> None:
    emu.account()
    wanted = body(version=None)
    del wanted["sku"]["capacity"]
    emu.arm("PUT", PATH, wanted)
    done = emu.settled(PATH)
    assert done["properties"]["model"]["version"] == "2024-11-20"
    assert done["sku"]["capacity"] == 1


def test_what_may_change(emu: Emu) -> None:
    emu.account()
    emu.deploy(tags={"a": "b"})
    error_of(emu.arm("PUT", PATH, body("gpt-4o-mini", "2024-07-18")), 400)
    changed = body(version="2024-08-06", capacity=20, versionUpgradeOption="NoAutoUpgrade", raiPolicyName="Mine")
    assert emu.arm("PUT", PATH, changed).status_code == 200
    done = emu.settled(PATH)
    assert done["properties"]["model"]["version"] == "2024-08-06"
    assert (done["properties"]["versionUpgradeOption"], done["properties"]["raiPolicyName"]) == (
        "NoAutoUpgrade",
        "Mine",
    )
    assert done["sku"]["capacity"] == 20
    assert "tags" not in done  # PUT replaces


def test_patch_knows_tags_and_sku(emu: Emu) -> None:
    emu.account()
    emu.deploy(tags={"a": "b"})
    for wanted in ({"properties": {}}, {"sku": {"capacity": 1}}, {"tags": {"a": 1}}, {"etag": "x"}):
        error_of(emu.arm("PATCH", PATH, wanted), 400)
    answer = emu.arm("PATCH", PATH, {"sku": {"name": "GlobalStandard", "capacity": 30}})
    assert (answer.status_code, answer.content) == (202, b"")
    done = emu.settled(PATH)
    assert (done["sku"]["capacity"], done["tags"]) == (30, {"a": "b"})
    emu.arm("PATCH", PATH, {"tags": {"c": "d"}})
    assert emu.settled(PATH)["tags"] == {"c": "d"}
    error_of(emu.arm("PATCH", f"{PATH}x", {"tags": {}}), 404)


def test_it_needs_an_account_that_is_ready(emulator: Any) -> None:
    with emulator() as emu:
        assert error_of(emu.arm("PUT", PATH, body()), 404)["code"] == "ParentResourceNotFound"
        emu.admin("POST", "/faults", {"method": "PUT", "path": "accounts/contoso$", "operation": "fail"})
        emu.arm("PUT", ACCOUNT, {"location": "swedencentral", "kind": "OpenAI", "sku": {"name": "S0"}})
        emu.settled(ACCOUNT)
        error_of(emu.arm("PUT", PATH, body()), 409)


def test_names_fold_case(emu: Emu) -> None:
    emu.account()
    emu.deploy("My.GPT_4")
    read = emu.arm("GET", f"{ACCOUNT}/deployments/my.gpt_4").json()
    assert read["name"] == "My.GPT_4"
    assert emu.arm("PUT", f"{ACCOUNT}/deployments/MY.GPT_4", body()).status_code == 200
    for name in ("a" * 65, "_x", "a b"):
        error_of(emu.arm("PUT", f"{ACCOUNT}/deployments/{name}", body()), 400)


def test_assistants_need_a_finished_deployment(emulator: Any) -> None:
    with emulator(arm_operation_s=30) as emu:
        emu.arm("PUT", ACCOUNT, {"location": "swedencentral", "kind": "OpenAI", "sku": {"name": "S0"}})
        emu.admin("POST", "/clock", {"advance_s": 31})
        emu.arm("PUT", PATH, body())
        key = emu.arm("POST", f"{ACCOUNT}/listKeys").json()["key1"]

        def create() -> int:
            answer = emu.data("POST", "/assistants", {"model": "gpt"}, account="contoso", headers={"api-key": key})
            return answer.status_code

        assert create() == 400
        emu.admin("POST", "/clock", {"advance_s": 31})
        assert create() == 200
        emu.arm("PATCH", PATH, {"tags": {"a": "b"}})
        assert create() == 200  # being updated, it still serves


def test_catalogue(emu: Emu) -> None:
    models = emu.arm("GET", f"{PROVIDER}/locations/swedencentral/models").json()["value"]
    assert {item["kind"] for item in models} == {"OpenAI", "AIServices"}
    gpt4o = [item["model"] for item in models if item["model"]["name"] == "gpt-4o" and item["kind"] == "OpenAI"]
    assert [model["version"] for model in gpt4o if model["isDefaultVersion"]] == ["2024-11-20"]
    assert all(model["deprecation"]["inference"] for model in gpt4o)
    assert {sku["usageName"] for sku in gpt4o[0]["skus"]} >= {"OpenAI.GlobalStandard.gpt-4o"}
    error_of(emu.arm("GET", f"{PROVIDER}/locations/atlantis/models"), 400)
    error_of(emu.arm("GET", f"{PROVIDER}/modelCapacities"), 400)
    params = {"modelFormat": "OpenAI", "modelName": "gpt-4o", "modelVersion": "2024-11-20"}
    path = f"{PROVIDER}/locations/swedencentral/modelCapacities"
    free = {
        item["name"]: item["properties"]["availableCapacity"]
        for item in emu.arm("GET", path, params=params).json()["value"]
    }
    assert free == {"GlobalStandard": 440, "DataZoneStandard": 450, "Standard": 450}
    nothing = emu.arm("GET", path, params={**params, "modelName": "none"}).json()
    assert nothing == {"value": []}
