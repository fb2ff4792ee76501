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


def test_calculate_capacity(emu: Emu) -> None:
    """Thousands of tokens a minute, in the units of capacity and quota, rounded up."""
    path = f"{PROVIDER}/calculateModelCapacity"

    def calculate(*workloads: dict[str, Any], **over: Any) -> Any:
        model = {"format": "OpenAI", "name": "gpt-4o"}
        return emu.arm("POST", path, {"model": model, "skuName": "Standard", "workloads": list(workloads), **over})

    def work(requests: int, **sizes: int) -> dict[str, Any]:
        return {"requestPerMinute": requests, "requestParameters": sizes}

    assert calculate(work(10, avgPromptTokens=300, avgGeneratedTokens=100), work(1, avgPromptTokens=1)).json() == {
        "model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"},
        "skuName": "Standard",
        "estimatedCapacity": {"value": 5, "deployableValue": 5},
    }
    assert calculate().json()["estimatedCapacity"] == {"value": 0, "deployableValue": 1}
    assert calculate(work(10, avgPromptTokens=100)).json()["estimatedCapacity"]["value"] == 1
    for over, code in (
        ({"skuName": "ProvisionedManaged"}, "InvalidResourceProperties"),
        ({"model": {"format": "OpenAI", "name": "none"}}, "DeploymentModelNotSupported"),
        ({"model": {"name": "gpt-4o"}}, "InvalidResourceProperties"),
        ({"workloads": [{"requestPerMinute": -1}]}, "InvalidResourceProperties"),
        ({"workloads": [{"tokens": 1}]}, "InvalidRequestContent"),
    ):
        assert error_of(calculate(**over), 400)["code"] == code


OPTIONS = ("OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired", "NoAutoUpgrade")


def _versions(emu: Emu) -> list[str]:
    read = [emu.arm("GET", f"{GROUP}/accounts/contoso/deployments/{option}").json() for option in OPTIONS]
    return [deployment["properties"]["model"]["version"] for deployment in read]


def test_models_move_on(emu: Emu) -> None:
    """A new default version, and a version that is retired, move the deployments that follow, and no others."""
    emu.account()
    model = {"format": "OpenAI", "name": "gpt-4o", "version": "2024-08-06"}
    for option in OPTIONS:
        emu.deploy(option, properties={"model": model, "versionUpgradeOption": option})
    assert emu.admin("POST", "/models", {"name": "gpt-4o", "default": "2024-08-06"})["versions"] == [
        {"version": "2024-05-13", "default": False, "status": "Deprecated"},
        {"version": "2024-08-06", "default": True, "status": "GenerallyAvailable"},
        {"version": "2024-11-20", "default": False, "status": "GenerallyAvailable"},
    ]
    assert _versions(emu) == ["2024-08-06"] * 3
    omitted = {"model": {"format": "OpenAI", "name": "gpt-4o"}}
    assert emu.deploy("omitted", properties=omitted)["properties"]["model"]["version"] == "2024-08-06"
    emu.admin("POST", "/models", {"name": "gpt-4o", "default": "2024-11-20"})
    assert _versions(emu) == ["2024-11-20", "2024-08-06", "2024-08-06"]
    emu.admin("POST", "/models", {"name": "gpt-4o", "retired": "2024-08-06"})
    assert _versions(emu) == ["2024-11-20", "2024-11-20", "2024-08-06"]
    body = {"sku": {"name": "GlobalStandard", "capacity": 1}, "properties": {"model": model}}
    refused = emu.arm("PUT", f"{GROUP}/accounts/contoso/deployments/late", body)
    assert error_of(refused, 400)["code"] == "ServiceModelDeprecated"
    listed = emu.arm("GET", f"{PROVIDER}/locations/swedencentral/models").json()["value"]
    states = {m["model"]["version"]: m["model"]["lifecycleStatus"] for m in listed if m["model"]["name"] == "gpt-4o"}
    assert states["2024-08-06"] == "Deprecated"
    emu.admin("POST", "/reset")
    assert emu.admin("GET", "/models")["models"][0]["versions"][1]["status"] == "GenerallyAvailable"


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({"default": "1"}, "'name'"),
        ({"name": "none", "default": "1"}, "known are gpt-4o, "),
        ({"name": "gpt-4o"}, "needs 'default' or 'retired'"),
        ({"name": "gpt-4o", "default": "x"}, "it has 2024-05-13, 2024-08-06, 2024-11-20"),
        ({"name": "gpt-4o", "default": "2024-05-13"}, "name another default"),
        ({"name": "gpt-4o", "retired": "2024-11-20"}, "name another default"),
        ({"name": "gpt-4o", "newest": "x"}, "Unknown parameter"),
    ],
)
def test_what_cannot_happen_to_models(emu: Emu, body: dict[str, Any], part: str) -> None:
    before = emu.admin("GET", "/models")
    assert part in error_of(emu.http.post("/_emulator/models", json=body), 400)["message"]
    assert emu.admin("GET", "/models") == before
