"""Vector stores: limits, ingestion, batches, attributes, expiry."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.conftest import NEW, OLD, V1, Emu, error_of, wait


def static(size: Any, overlap: Any) -> dict[str, Any]:
    return {"type": "static", "static": {"max_chunk_size_tokens": size, "chunk_overlap_tokens": overlap}}


def settled(emu: Emu, store: str) -> dict[str, Any]:
    return dict(
        wait(lambda: emu.data("GET", f"/vector_stores/{store}").json(), lambda body: body["status"] != "in_progress")
    )


@pytest.mark.parametrize("surface", [OLD, NEW, V1])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"description": "x"}, "unknown_parameter"),
        ({"name": 1}, "invalid_type"),
        ({"name": None}, "invalid_type"),
        ({"file_ids": "x"}, "invalid_type"),
        ({"file_ids": [f"f{n}" for n in range(501)]}, "array_above_max_length"),
        ({"expires_after": {"days": 1}}, "missing_required_parameter"),
        ({"expires_after": {"anchor": "created_at", "days": 1}}, "invalid_value"),
        ({"expires_after": {"anchor": "last_active_at", "days": 0}}, "integer_below_min_value"),
        ({"expires_after": {"anchor": "last_active_at", "days": 366}}, "integer_above_max_value"),
        ({"expires_after": {"anchor": "last_active_at", "days": 1.5}}, "invalid_type"),
        ({"metadata": {str(n): "v" for n in range(17)}}, "object_above_max_properties"),
        ({"metadata": {"k": 1}}, "invalid_type"),
    ],
)
def test_bad_create(emu: Emu, surface: str, body: dict[str, Any], code: str) -> None:
    assert error_of(emu.data("POST", "/vector_stores", body, surface=surface), 400)["code"] == code


def test_five_hundred_files_at_creation_is_the_most(emu: Emu) -> None:
    file = emu.upload()["id"]
    error = error_of(emu.data("POST", "/vector_stores", {"file_ids": ["none"] * 500}), 400)
    assert "none" in error["message"]  # it got as far as looking for the file
    assert emu.store(file_ids=[file])["file_counts"]["total"] == 1


@pytest.mark.parametrize("surface", [OLD, NEW, V1])
def test_modify_takes_three_fields(emu: Emu, surface: str) -> None:
    path = f"/vector_stores/{emu.store(name='s', metadata={'a': 'b'})['id']}"
    file = emu.upload()["id"]
    for field, value in (("file_ids", [file]), ("chunking_strategy", {"type": "auto"}), ("status", "completed")):
        error = error_of(emu.data("POST", path, {field: value}, surface=surface), 400)
        assert error["code"] == "unknown_parameter"
    after = {"anchor": "last_active_at", "days": 365}
    body = emu.data("POST", path, {"name": "t", "expires_after": after, "metadata": {"c": "d"}}, surface=surface).json()
    assert (body["name"], body["expires_after"], body["metadata"]) == ("t", after, {"c": "d"})
    assert body["expires_at"] == body["last_active_at"] + 365 * 86_400
    if surface == OLD:
        error_of(emu.data("POST", path, {"expires_after": None}, surface=surface), 400)
    else:
        cleared = emu.data("POST", path, {"expires_after": None, "name": None}, surface=surface).json()
        assert (cleared["name"], cleared["expires_at"]) == ("", None)
        assert "expires_after" not in cleared


@pytest.mark.parametrize(
    ("size", "overlap", "good"),
    [
        (100, 50, True),
        (4096, 2048, True),
        (800, 0, True),
        (99, 0, False),
        (4097, 0, False),
        (100, 51, False),
        (800, -1, False),
        (800, None, False),
    ],
)
def test_chunking(emu: Emu, size: int, overlap: Any, good: bool) -> None:
    file = emu.upload()["id"]
    store = emu.store()["id"]
    for path, body in (
        ("/vector_stores", {"file_ids": [file]}),
        (f"/vector_stores/{store}/files", {"file_id": file}),
        (f"/vector_stores/{store}/file_batches", {"file_ids": [file]}),
    ):
        for surface in (NEW, V1):
            answer = emu.data("POST", path, {**body, "chunking_strategy": static(size, overlap)}, surface=surface)
            assert answer.status_code == (200 if good else 400), answer.text
        old = error_of(emu.data("POST", path, {**body, "chunking_strategy": static(size, overlap)}, surface=OLD), 400)
        assert old["code"] == "unknown_parameter"


def test_chunking_needs_files(emu: Emu) -> None:
    for body in ({"chunking_strategy": {"type": "auto"}}, {"chunking_strategy": {"type": "auto"}, "file_ids": []}):
        assert error_of(emu.data("POST", "/vector_stores", body), 400)["param"] == "chunking_strategy"
    bad = {"chunking_strategy": {"type": "auto", "static": {}}, "file_ids": [emu.upload()["id"]]}
    assert error_of(emu.data("POST", "/vector_stores", bad), 400)["code"] == "unknown_parameter"


def test_answers_tell_the_chunking(emu: Emu) -> None:
    files = [emu.upload(f"{n}.md")["id"] for n in range(2)]
    store = emu.store(file_ids=files[:1], chunking_strategy=static(200, 100))["id"]
    emu.data("POST", f"/vector_stores/{store}/files", {"file_id": files[1]})
    first, second = (emu.data("GET", f"/vector_stores/{store}/files/{file}").json() for file in files)
    assert first["chunking_strategy"] == static(200, 100)
    assert second["chunking_strategy"] == static(800, 400)


def test_ingestion_takes_time_and_keeps_count(emulator: Any) -> None:
    with emulator(ingestion_s=10) as emu:
        files = [emu.upload("a.md", b"12345")["id"], emu.upload("b.txt", b"123")["id"], emu.upload("c.exe")["id"]]
        store = emu.store(file_ids=files)
        assert (store["status"], store["usage_bytes"]) == ("in_progress", 0)
        assert store["file_counts"] == {"in_progress": 3, "completed": 0, "failed": 0, "cancelled": 0, "total": 3}
        emu.admin("POST", "/clock", {"advance_s": 9})
        assert emu.data("GET", f"/vector_stores/{store['id']}").json()["status"] == "in_progress"
        emu.admin("POST", "/clock", {"advance_s": 1})
        done = emu.data("GET", f"/vector_stores/{store['id']}").json()
        assert (done["status"], done["usage_bytes"]) == ("completed", 8)
        assert done["file_counts"] == {"in_progress": 0, "completed": 2, "failed": 1, "cancelled": 0, "total": 3}
        failed = emu.data("GET", f"/vector_stores/{store['id']}/files", params={"filter": "failed"}).json()["data"]
        assert [item["id"] for item in failed] == files[2:]
        assert failed[0]["last_error"]["code"] == "unsupported_file"


@pytest.mark.parametrize(("name", "status"), [("a.md", "completed"), ("A.PDF", "completed"), ("data.csv", "failed"),
                                              ("noextension", "failed"), ("x.tar.gz", "failed")])  # fmt: skip
def test_supported_extensions(emu: Emu, name: str, status: str) -> None:
    store = emu.store(file_ids=[emu.upload(name)["id"]])["id"]
    settled(emu, store)
    assert emu.data("GET", f"/vector_stores/{store}/files").json()["data"][0]["status"] == status


def test_attaching_twice_is_once(emu: Emu) -> None:
    store, file = emu.store()["id"], emu.upload()["id"]
    path = f"/vector_stores/{store}/files"
    first = emu.data("POST", path, {"file_id": file}).json()
    settled(emu, store)
    second = emu.data("POST", path, {"file_id": file}).json()
    assert second == {**first, "status": "completed", "usage_bytes": 5}
    assert settled(emu, store)["file_counts"]["total"] == 1


def test_detaching_leaves_the_file(emu: Emu) -> None:
    file = emu.upload()["id"]
    store = emu.store(file_ids=[file])["id"]
    path = f"/vector_stores/{store}/files/{file}"
    assert emu.data("DELETE", path).json() == {"id": file, "object": "vector_store.file.deleted", "deleted": True}
    error_of(emu.data("DELETE", path), 404)
    error_of(emu.data("GET", path), 404)
    assert emu.data("GET", f"/files/{file}").status_code == 200
    assert settled(emu, store)["file_counts"]["total"] == 0


def test_ten_thousand_files_is_the_most(emu: Emu) -> None:
    """The store is filled behind the API's back; what is tested is the file past the limit."""
    file, store = emu.upload()["id"], emu.store()["id"]
    state = emu.server.state
    assert state is not None
    state.store.many(
        "INSERT INTO store_file (account, store, file, created, due, outcome, status, body) "
        "VALUES (1, ?, ?, 0, 0, 'completed', 'completed', '{}')",
        [(store, f"assistant-{n}") for n in range(9_999)],
    )
    path = f"/vector_stores/{store}/files"
    assert emu.data("POST", path, {"file_id": file}).status_code == 200
    assert settled(emu, store)["file_counts"]["total"] == 10_000
    other = emu.upload("b.md")["id"]
    assert error_of(emu.data("POST", path, {"file_id": other}), 400)["code"] == "vector_store_file_limit_exceeded"
    assert emu.data("POST", path, {"file_id": file}).status_code == 200  # it is there already


def test_batches(emu: Emu) -> None:
    store = emu.store()["id"]
    files = [emu.upload(f"{n}.md")["id"] for n in range(3)]
    base = f"/vector_stores/{store}/file_batches"
    for body in ({}, {"file_ids": []}, {"file_ids": ["x"] * 501}, {"file_ids": files, "files": []},
                 {"file_ids": ["none"]}):  # fmt: skip
        error_of(emu.data("POST", base, body), 400)
    assert "none" in error_of(emu.data("POST", base, {"file_ids": ["none"] * 500}), 400)["message"]
    batch = emu.data("POST", base, {"file_ids": [*files, files[0]]}).json()
    path = f"{base}/{batch['id']}"
    done = wait(lambda: emu.data("GET", path).json(), lambda body: body["status"] != "in_progress")
    assert (done["status"], done["file_counts"]["completed"], done["file_counts"]["total"]) == ("completed", 3, 3)
    error_of(emu.data("POST", f"{path}/cancel"), 400)
    other = emu.store()["id"]
    error_of(emu.data("GET", f"/vector_stores/{other}/file_batches/{batch['id']}"), 404)
    failed = emu.data("POST", base, {"file_ids": [emu.upload("x.exe")["id"]]}).json()
    assert (
        wait(lambda: emu.data("GET", f"{base}/{failed['id']}").json()["status"], lambda s: s != "in_progress")
        == "failed"
    )


def test_cancelling_a_batch(emulator: Any) -> None:
    with emulator(ingestion_s=100) as emu:
        files = [emu.upload(f"{n}.md")["id"] for n in range(3)]
        store = emu.store(file_ids=files[:1])["id"]
        base = f"/vector_stores/{store}/file_batches"
        batch = emu.data("POST", base, {"file_ids": files[1:]}).json()["id"]
        for _ in range(2):
            cancelled = emu.data("POST", f"{base}/{batch}/cancel").json()
            assert cancelled["status"] == "cancelled"
            assert cancelled["file_counts"]["cancelled"] == 2
        emu.admin("POST", "/clock", {"advance_s": 101})
        counts = emu.data("GET", f"/vector_stores/{store}").json()["file_counts"]
        assert counts == {"in_progress": 0, "completed": 1, "failed": 0, "cancelled": 2, "total": 3}


def test_cancelling_leaves_what_is_done(emulator: Any) -> None:
    with emulator(ingestion_s=100) as emu:
        done, fresh = emu.upload("a.md")["id"], emu.upload("b.md")["id"]
        store = emu.store(file_ids=[done])["id"]
        emu.admin("POST", "/clock", {"advance_s": 101})
        base = f"/vector_stores/{store}/file_batches"
        batch = emu.data("POST", base, {"file_ids": [done, fresh]}).json()
        assert batch["status"] == "in_progress"
        counts = emu.data("POST", f"{base}/{batch['id']}/cancel").json()["file_counts"]
        assert (counts["completed"], counts["cancelled"]) == (1, 1)


def test_attributes(emu: Emu) -> None:
    """v1 takes and shows them, the 2025 preview can only set them, the 2024 preview has none."""
    store, file = emu.store()["id"], emu.upload()["id"]
    path = f"/vector_stores/{store}/files"
    full = {**{f"k{n:02d}": "v" for n in range(13)}, "k" * 64: "v" * 512, "n": 1.5, "b": True}
    made = emu.data("POST", path, {"file_id": file, "attributes": full}, surface=V1).json()
    assert made["attributes"] == full
    one = f"{path}/{file}"
    for bad in ({**full, "more": "x"}, {"k" * 65: "v"}, {"k": "v" * 513}, {"k": None}, {"k": []}, "x"):
        error_of(emu.data("POST", one, {"attributes": bad}, surface=V1), 400)
    for surface in (OLD, NEW):
        error_of(emu.data("POST", path, {"file_id": file, "attributes": {}}, surface=surface), 400)
        assert "attributes" not in emu.data("GET", one, surface=surface).json()
    error_of(emu.data("POST", one, {"attributes": {"a": "b"}}, surface=OLD), 404)
    assert "attributes" not in emu.data("POST", one, {"attributes": {"a": "b"}}, surface=NEW).json()
    assert emu.data("GET", one, surface=V1).json()["attributes"] == {"a": "b"}
    assert emu.data("POST", one, {"attributes": None}, surface=V1).json()["attributes"] == {}
    error_of(emu.data("POST", one, {}, surface=V1), 400)
    other = emu.upload("b.md")["id"]
    body = {"file_ids": [other], "attributes": {"a": "b"}}
    emu.data("POST", f"/vector_stores/{store}/file_batches", body, surface=V1)
    assert emu.data("GET", f"{path}/{other}", surface=V1).json()["attributes"] == {"a": "b"}


def test_expiry(emu: Emu) -> None:
    file = emu.upload()["id"]
    store = emu.store(file_ids=[file], expires_after={"anchor": "last_active_at", "days": 1})["id"]
    path = f"/vector_stores/{store}"
    emu.admin("POST", "/clock", {"advance_s": 80_000})
    assert emu.data("GET", path).json()["status"] == "completed"
    emu.data("POST", f"{path}/files", {"file_id": emu.upload("b.md")["id"]})  # which is activity
    emu.admin("POST", "/clock", {"advance_s": 80_000})
    assert emu.data("GET", path).json()["status"] == "completed"
    emu.admin("POST", "/clock", {"advance_s": 6_401})
    expired = emu.data("GET", path).json()
    assert (expired["status"], expired["file_counts"]["total"]) == ("expired", 2)
    error_of(emu.data("POST", f"{path}/files", {"file_id": file}), 400)
    error_of(emu.data("POST", f"{path}/search", {"query": "x"}), 400)


def test_search_and_content(emu: Emu) -> None:
    files = [emu.upload("a.md", b"apples and pears")["id"], emu.upload("b.md", b"pears only")["id"]]
    store = emu.store(file_ids=files)["id"]
    path = f"/vector_stores/{store}"
    settled(emu, store)
    emu.data("POST", f"{path}/files/{files[0]}", {"attributes": {"lang": "en", "n": 3}})
    found = emu.data("POST", f"{path}/search", {"query": "apples pears"}).json()
    assert [(item["file_id"], item["score"]) for item in found["data"]] == [(files[0], 1.0), (files[1], 0.5)]
    for kind, value, hits in (("eq", 3, 1), ("gt", 3, 0), ("gte", 3, 1), ("ne", 3, 1), ("lt", "x", 0)):
        body = {"query": "pears", "filters": {"type": kind, "key": "n", "value": value}}
        assert len(emu.data("POST", f"{path}/search", body).json()["data"]) == hits, kind
    limited = emu.data("POST", f"{path}/search", {"query": "pears", "max_num_results": 1}).json()
    assert (len(limited["data"]), limited["has_more"]) == (1, True)
    for bad in (
        {},
        {"query": 1},
        {"query": "x", "max_num_results": 51},
        {"query": "x", "foo": 1},
        {"query": "x", "ranking_options": {"score_threshold": 1.1}},
        {"query": "x", "filters": {}},
        {"query": "x", "filters": {"type": {}}},
        {"query": "x", "filters": {"type": "and", "filters": [{"type": []}]}},
    ):
        error_of(emu.data("POST", f"{path}/search", bad), 400)
    content = emu.data("GET", f"{path}/files/{files[0]}/content").json()
    assert content["data"] == [{"type": "text", "text": "apples and pears"}]
    for surface in (OLD, V1):
        error_of(emu.data("POST", f"{path}/search", {"query": "x"}, surface=surface), 404)


def test_unknown_stores_and_files(emu: Emu) -> None:
    store = emu.store()["id"]
    for method, path, body in (
        ("GET", "/vector_stores/vs_none", None),
        ("POST", "/vector_stores/vs_none", {}),
        ("DELETE", "/vector_stores/vs_none", None),
        ("GET", "/vector_stores/vs_none/files", None),
        ("POST", "/vector_stores/vs_none/files", {"file_id": "x"}),
        ("GET", f"/vector_stores/{store}/files/none", None),
        ("GET", f"/vector_stores/{store}/file_batches/none", None),
    ):
        error_of(emu.data(method, path, body), 404)
    error_of(emu.data("POST", f"/vector_stores/{store}/files", {"file_id": "none"}), 400)


def test_deleting_a_store_takes_its_parts(emu: Emu) -> None:
    file = emu.upload()["id"]
    store = emu.store(file_ids=[file])["id"]
    emu.data("POST", f"/vector_stores/{store}/file_batches", {"file_ids": [file]})
    emu.data("DELETE", f"/vector_stores/{store}")
    state = emu.server.state
    assert state is not None
    for table in ("store_file", "batch_file"):
        assert state.store.one(f"SELECT count(*) FROM {table}")[0] == 0
    assert emu.admin("GET", "/dump")["vector_stores"] == []
