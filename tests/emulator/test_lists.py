"""Lists of the data plane: limits, order, cursors, on every kind that has pages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.conftest import NEW, OLD, V1, Emu, error_of


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
