"""What the caller may do, and the registration of the provider: paths of other providers of ARM."""

from __future__ import annotations

import pytest

from tests.emulator.conftest import GROUP, PROVIDER, SUBSCRIPTION, Emu, error_of

PERMISSIONS = "/providers/Microsoft.Authorization/permissions"
RG = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
AUTHORIZATION, RESOURCES = "2022-04-01", "2021-04-01"


@pytest.mark.parametrize(
    ("roles", "held"),
    [
        ({}, (["*"], [], ["Microsoft.CognitiveServices/*"], [])),
        ({"arm_write": False}, (["*/read"], None, ["Microsoft.CognitiveServices/*"], [])),
        ({"arm_keys": False}, (["*"], ["listKeys", "regenerateKey"], ["Microsoft.CognitiveServices/*"], [])),
        ({"data_write": False}, (["*"], [], ["Microsoft.CognitiveServices/*/read"], [])),
        ({"data_read": False}, (["*"], [], ["Microsoft.CognitiveServices/*"], ["Microsoft.CognitiveServices/*/read"])),
        ({"data_read": False, "data_write": False}, (["*"], [], [], [])),
    ],
)
def test_permissions_follow_the_roles(emu: Emu, roles: dict[str, bool], held: tuple[list[str], ...]) -> None:
    emu.admin("POST", "/roles", roles)
    (entry,) = emu.arm("GET", RG + PERMISSIONS, version=AUTHORIZATION).json()["value"]
    assert set(entry) == {"actions", "notActions", "dataActions", "notDataActions"}
    actions, without, data, data_without = held
    assert [each for each in entry["actions"] if not each.endswith("/action")] == actions
    if without is not None:
        assert [each.split("/")[-2] for each in entry["notActions"]] == without
    assert (entry["dataActions"], entry["notDataActions"]) == (data, data_without)


def test_scopes(emu: Emu) -> None:
    """A group always has some; an account and a project must be there. Who may not read may not read this."""
    account = f"{GROUP}/accounts/contoso"
    assert error_of(emu.arm("GET", account + PERMISSIONS, version=AUTHORIZATION), 404)["code"] == "ResourceNotFound"
    emu.account(kind="AIServices", properties={"customSubDomainName": "contoso"})
    assert emu.arm("GET", account + PERMISSIONS, version=AUTHORIZATION).status_code == 200
    project = f"{account}/projects/none{PERMISSIONS}"
    assert error_of(emu.arm("GET", project, version=AUTHORIZATION), 404)["code"] == "ResourceNotFound"
    default = f"{GROUP}/accounts/emulator/projects/emulator{PERMISSIONS}".replace("/rg/", "/emulator/")
    assert emu.arm("GET", default, version=AUTHORIZATION).status_code == 200
    emu.admin("POST", "/roles", {"arm_read": False})
    assert error_of(emu.arm("GET", account + PERMISSIONS, version=AUTHORIZATION), 403)["code"] == "AuthorizationFailed"


def test_registration(emu: Emu) -> None:
    answer = emu.arm("GET", PROVIDER, version=RESOURCES).json()
    assert (answer["namespace"], answer["registrationState"]) == ("Microsoft.CognitiveServices", "Registered")
    other = PROVIDER.replace("CognitiveServices", "Nothing")
    assert error_of(emu.arm("GET", other, version=RESOURCES), 404)["code"] == "InvalidResourceNamespace"


@pytest.mark.parametrize(
    ("path", "version", "namespace"),
    [
        (RG + PERMISSIONS, AUTHORIZATION, "Microsoft.Authorization"),
        (PROVIDER, RESOURCES, "Microsoft.Resources"),
        (f"{PROVIDER}/accounts", "2025-09-01", "Microsoft.CognitiveServices"),
    ],
)
def test_versions(emu: Emu, path: str, version: str, namespace: str) -> None:
    """Each provider takes its own api-version and names itself where it gets another."""
    assert emu.arm("GET", path, version=version).status_code == 200
    error = error_of(emu.arm("GET", path, version="2020-01-01"), 400)
    assert error["code"] == "NoRegisteredProviderFound"
    assert f"'{namespace}'" in error["message"]
    assert f"'{version}'" in error["message"]
    assert error_of(emu.arm("GET", path, version=None), 400)["code"] == "MissingApiVersionParameter"
    assert emu.http.get(path, params={"api-version": version}).status_code == 401
