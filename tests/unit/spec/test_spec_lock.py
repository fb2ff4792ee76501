"""`lock:` of a spec."""

from __future__ import annotations

import pytest

from asstops.spec.stack import BlobLock
from tests.unit.spec.conftest import SpecFolder

BLOB = "lock: {azure_blob: {account_url: %s, container: %s}}\n"
URL = "https://contoso.blob.core.windows.net"


def test_a_lease_in_azure_storage(spec: SpecFolder) -> None:
    """Variables may stand in it; the last slash of an address says nothing."""
    assert spec.load(BLOB % (f"{URL}/", "asstops-locks")).lock == BlobLock(URL, "asstops-locks")
    text = "vars: {account: contoso}\n" + BLOB % ('"https://${account}.blob.core.windows.net"', "locks")
    assert spec.load(text).lock == BlobLock(URL, "locks")
    local = "http://127.0.0.1:10000/devstoreaccount1"
    assert spec.load(BLOB % (local, "locks")).lock == BlobLock(local, "locks")


@pytest.mark.parametrize("text", ["", "lock:\n", "lock: {}\n", "lock: {azure_blob: }\n"])
def test_the_local_lock_is_the_default(spec: SpecFolder, text: str) -> None:
    assert spec.load(text).lock is None


def test_an_overlay_can_take_it_away(spec: SpecFolder) -> None:
    spec.write({"asstops.dev.yaml": "lock: null\n"})
    assert spec.load(BLOB % (URL, "locks"), env="dev").lock is None


@pytest.mark.parametrize(
    ("url", "container", "problem"),
    [
        ("contoso", "locks", "account_url is no URL"),
        ("ftp://contoso.example", "locks", "account_url is no URL"),
        ("https://[::1", "locks", "account_url is no URL"),
        ("https://contoso.example:port", "locks", "account_url is no URL"),
        ("http://contoso.blob.core.windows.net", "locks", "account_url is plain http"),
        (f"{URL}/container", "locks", "account_url has a path"),
        (URL, "Locks", "container is no name of a container"),
        (URL, "lo", "container is no name of a container"),
        (URL, "lo--cks", "container is no name of a container"),
        (URL, "l" * 64, "container is no name of a container"),
    ],
)
def test_what_cannot_be_used_is_refused(spec: SpecFolder, url: str, container: str, problem: str) -> None:
    [found] = spec.problems(BLOB % (f'"{url}"', container))
    assert problem in found


@pytest.mark.parametrize("url", [f"{URL}/?sv=1&sig=canary", "https://me:canary@contoso.blob.core.windows.net"])
def test_a_signed_address_is_refused(spec: SpecFolder, url: str) -> None:
    """It is a credential; it is not shown."""
    [found] = spec.problems(BLOB % (f'"{url}"', "locks"))
    assert "credentials never stand in a spec" in found
    assert "AZURE_STORAGE_SAS_TOKEN" in found
    assert "canary" not in found


def test_keys_are_checked(spec: SpecFolder) -> None:
    found = spec.problems("lock: {azure_blob: {account_url: x, container: locks, key: y}, s3: z}\n")
    assert any("unknown key 's3'" in problem for problem in found)
    assert any("'key' looks like a credential" in problem for problem in found)
    missing = spec.problems("lock: {azure_blob: {container: locks}}\n")
    assert len(missing) == 1
    assert "azure_blob.account_url is missing" in missing[0]


def test_no_sensitive_variable_names_the_lock(spec: SpecFolder) -> None:
    """The lock is shown to whoever waits for it."""
    text = "vars: {where: {default: locks, sensitive: true}}\n" + BLOB % (URL, '"${where}"')
    assert any("a sensitive variable is used in it" in problem for problem in spec.problems(text))
