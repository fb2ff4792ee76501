"""Lists of the data plane: limits, order, cursors, on every kind that has pages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.conftest import GROUP, NEW, OLD, PROVIDER, V1, Emu, error_of


@pytest.fixture(params=["assistants", "vector_stores", "store_files", "batch_files"])
def listed(request: pytest.FixtureRequest, emu: Emu) -> tuple[str, list[str]]:
    """A path whose list has five objects, and their ids, oldest first."""
    if request.param == "assistants":
        return "/assistants", [emu.assistant()["id"] for _ in range(5)]
    if request.param == "vector_stores":
        return "/vector_stores", [emu.store()["id"] for _ in range(5)]
    store, files = emu.store()["id"], [emu.upload(f"{n}.md")["id"] for n in range(5)]
    batch = emu.data("POST", f"/vector_stores/{store}/file_batches", {"file_ids": files}).json()["id"]
    if request.param == "store_files":
        return f"/vector_stores/{store}/files", files
    return f"/vector_stores/{store}/file_batches/{batch}/files", files


def ids(emu: Emu, path: str, surface: str = NEW, **params: Any) -> tuple[list[str], bool]:
    answer = emu.data("GET", path, params=params, surface=surface)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    found = [item["id"] for item in body["data"]]
    assert body["object"] == "list"
    assert (body["first_id"], body["last_id"]) == ((found[0], found[-1]) if found else ("", ""))
    return found, body["has_more"]


def test_pages(emu: Emu, listed: tuple[str, list[str]]) -> None:
    path, made = listed
    newest = made[::-1]
    assert ids(emu, path) == (newest, False)
    assert ids(emu, path, order="desc") == (newest, False)
    assert ids(emu, path, order="asc") == (made, False)
    assert ids(emu, path, limit=2) == (newest[:2], True)
    assert ids(emu, path, limit=2, after=newest[1]) == (newest[2:4], True)
    assert ids(emu, path, limit=2, after=newest[3]) == (newest[4:], False)
    assert ids(emu, path, after=newest[4]) == ([], False)
    assert ids(emu, path, limit=2, before=newest[4]) == (newest[2:4], True)
    assert ids(emu, path, limit=2, before=newest[1]) == (newest[:1], False)
    assert ids(emu, path, order="asc", limit=3, after=made[1]) == (made[2:], False)
    assert ids(emu, path, limit=100) == (newest, False)
    assert ids(emu, path, limit=5) == (newest, False)
    assert ids(emu, path, after=newest[0], before=newest[3]) == (newest[1:3], False)


@pytest.mark.parametrize("surface", [OLD, NEW])
def test_bad_parameters(emu: Emu, listed: tuple[str, list[str]], surface: str) -> None:
    path, _ = listed
    for params in ({"limit": 0}, {"limit": 101}, {"limit": "x"}, {"order": "up"}, {"after": "no"}, {"before": "no"}):
        error = error_of(emu.data("GET", path, params=params, surface=surface), 400)
        assert error["param"] == next(iter(params))


def test_default_limit_is_twenty(emu: Emu) -> None:
    for _ in range(21):
        emu.store()
    found, more = ids(emu, "/vector_stores")
    assert (len(found), more) == (20, True)


def test_empty_list(emu: Emu) -> None:
    for path in ("/assistants", "/vector_stores", "/files"):
        assert ids(emu, path) == ([], False)


def test_files_know_purpose_only(emu: Emu) -> None:
    """Azure documents neither limit nor cursors for files: everything comes at once."""
    made = [emu.upload(f"{n}.md", purpose="assistants")["id"] for n in range(3)]
    batch = emu.upload("b.jsonl", purpose="batch")["id"]
    for surface in (OLD, NEW, V1):
        assert ids(emu, "/files", surface, limit=1, after=made[2]) == ([*made, batch], False)
        assert ids(emu, "/files", surface, purpose="batch") == ([batch], False)
        assert ids(emu, "/files", surface, purpose="evals") == ([], False)


def test_lists_lag(emulator: Any) -> None:
    """With list_lag_s a new object can be read at once, but is listed later."""
    with emulator(list_lag_s=3600) as emu:
        made, store, file = emu.assistant()["id"], emu.store()["id"], emu.upload()["id"]
        assert emu.data("GET", f"/assistants/{made}").status_code == 200
        for path in ("/assistants", "/vector_stores", "/files"):
            assert ids(emu, path) == ([], False)
        emu.admin("POST", "/clock", {"advance_s": 3601})
        for path, ident in (("/assistants", made), ("/vector_stores", store), ("/files", file)):
            assert ids(emu, path) == ([ident], False)


LAG = 1000


def later(emu: Emu, seconds: int) -> None:
    emu.admin("POST", "/clock", {"advance_s": seconds})


@pytest.mark.parametrize("kind", ["assistants", "vector_stores", "files"])
def test_what_is_deleted_stays_in_a_lagging_list(emulator: Any, kind: str) -> None:
    """For the length of the lag, in its place, and good as a cursor; by its id it is gone at once."""
    with emulator(list_lag_s=LAG) as emu:
        make = {"assistants": emu.assistant, "vector_stores": emu.store, "files": emu.upload}[kind]
        made = [make()["id"] for _ in range(3)]
        later(emu, LAG + 1)
        shown = made if kind == "files" else made[::-1]  # files come oldest first, and have no pages
        assert emu.data("DELETE", f"/{kind}/{made[1]}").status_code == 200
        assert emu.data("GET", f"/{kind}/{made[1]}").status_code == 404
        assert ids(emu, f"/{kind}") == (shown, False)
        if kind != "files":
            assert ids(emu, f"/{kind}", after=made[1]) == ([made[0]], False)
            assert ids(emu, f"/{kind}", before=made[1]) == ([made[2]], False)
            assert ids(emu, f"/{kind}", limit=2) == (shown[:2], True)
        later(emu, LAG - 30)
        assert ids(emu, f"/{kind}") == (shown, False)
        later(emu, 31)
        assert ids(emu, f"/{kind}") == ([ident for ident in shown if ident != made[1]], False)
        if kind != "files":
            error_of(emu.data("GET", f"/{kind}", params={"after": made[1]}), 400)


def test_files_of_a_store_lag_too(emulator: Any) -> None:
    with emulator(list_lag_s=LAG) as emu:
        files = [emu.upload(f"{n}.md")["id"] for n in range(3)]
        store = emu.store(file_ids=files[:1])["id"]
        batch = emu.data("POST", f"/vector_stores/{store}/file_batches", {"file_ids": files[1:]}).json()["id"]
        of_store, of_batch = f"/vector_stores/{store}/files", f"/vector_stores/{store}/file_batches/{batch}/files"
        assert (ids(emu, of_store), ids(emu, of_batch)) == (([], False), ([], False))
        later(emu, LAG + 1)
        emu.data("DELETE", f"{of_store}/{files[0]}")  # is detached
        emu.data("DELETE", f"/files/{files[2]}")  # and this one deleted everywhere
        assert emu.data("GET", f"/vector_stores/{store}").json()["file_counts"]["total"] == 1
        for filtered in ({}, {"filter": "completed"}):
            assert ids(emu, of_store, **filtered) == (files[::-1], False)
        assert ids(emu, of_store, after=files[2], limit=1) == ([files[1]], True)
        assert ids(emu, of_batch) == ([files[2], files[1]], False)
        emu.data("POST", of_store, {"file_id": files[0]})  # once more, as a new entry
        assert ids(emu, of_store, order="asc") == (files, False)
        later(emu, LAG + 1)
        assert ids(emu, of_store, order="asc") == ([files[1], files[0]], False)
        assert ids(emu, of_batch) == ([files[1]], False)


def test_messages_lag_too(emulator: Any) -> None:
    with emulator(list_lag_s=LAG, behaviour={"message_delete": "served"}) as emu:
        said = [{"role": "user", "content": text} for text in ("one", "two")]
        path = f"/threads/{emu.data('POST', '/threads', {'messages': said}).json()['id']}/messages"
        assert ids(emu, path) == ([], False)
        later(emu, LAG + 1)
        two, one = ids(emu, path)[0]
        assert emu.data("DELETE", f"{path}/{one}").status_code == 200
        assert ids(emu, path) == ([two, one], False)
        later(emu, LAG + 1)
        assert ids(emu, path) == ([two], False)


def test_a_fault_makes_one_list_stale(emu: Emu) -> None:
    """Without any lag in the settings: what was deleted is remembered for as long as a fault may look back."""
    old = emu.store()["id"]
    later(emu, 100)
    emu.data("DELETE", f"/vector_stores/{old}")
    emu.admin("POST", "/faults", {"method": "GET", "path": "/vector_stores$", "list_lag_s": 60, "count": 2})
    assert [ids(emu, "/vector_stores")[0] for _ in range(3)] == [[old], [old], []]
    later(emu, 59)
    emu.admin("POST", "/faults", {"path": "/vector_stores$", "list_lag_s": 60})
    assert ids(emu, "/vector_stores") == ([old], False)
    later(emu, 3600)
    emu.admin("POST", "/faults", {"path": "/vector_stores$", "list_lag_s": 3660})
    assert ids(emu, "/vector_stores") == ([], False)  # longer ago than is kept


def test_lists_of_arm_lag(emulator: Any) -> None:
    """They have a lag of their own; what is not a list is up to date."""
    in_group, everywhere, deleted = f"{GROUP}/accounts", f"{PROVIDER}/accounts", f"{PROVIDER}/deletedAccounts"
    deployments = f"{GROUP}/accounts/contoso/deployments"
    with emulator(arm_list_lag_s=LAG, arm_operation_s=0) as emu:

        def names(path: str) -> list[str]:
            return [item["name"] for item in emu.arm("GET", path).json()["value"]]

        later(emu, LAG + 1)
        emu.account()
        emu.deploy("one")
        assert (names(in_group), names(everywhere), names(deployments)) == ([], ["emulator"], [])
        assert emu.arm("GET", f"{deployments}/one").status_code == 200
        later(emu, LAG + 1)
        assert (names(in_group), names(everywhere)) == (["contoso"], ["emulator", "contoso"])
        emu.deploy("two")
        assert names(deployments) == ["one"]
        emu.arm("DELETE", f"{deployments}/one")
        assert emu.arm("GET", f"{deployments}/one").status_code == 404
        assert names(deployments) == ["one"]
        later(emu, LAG + 1)
        assert names(deployments) == ["two"]
        emu.arm("DELETE", f"{GROUP}/accounts/contoso")
        assert emu.arm("GET", f"{GROUP}/accounts/contoso").status_code == 404
        assert (names(in_group), names(everywhere), names(deleted)) == (["contoso"], ["emulator", "contoso"], [])
        later(emu, LAG + 1)
        assert (names(in_group), names(everywhere), names(deleted)) == ([], ["emulator"], ["contoso"])
        emu.arm("PUT", f"{GROUP}/accounts/contoso", {"location": "swedencentral", "properties": {"restore": True}})
        assert emu.arm("GET", f"{GROUP}/accounts/contoso").status_code == 200
        assert (names(in_group), names(deleted)) == ([], [])
        later(emu, LAG + 1)
        assert names(in_group) == ["contoso"]
        emu.assistant()
        assert len(ids(emu, "/assistants")[0]) == 1  # the data plane is not behind


def test_a_fault_makes_a_list_of_arm_stale(emu: Emu) -> None:
    emu.account()
    later(emu, 10)
    emu.deploy()
    path = f"{GROUP}/accounts/contoso/deployments"
    emu.admin("POST", "/faults", {"path": "/deployments$", "list_lag_s": 5})
    assert [len(emu.arm("GET", path).json()["value"]) for _ in range(2)] == [0, 1]
