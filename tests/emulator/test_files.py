"""Files: upload, what may be in the form, content, deletion and what it takes along."""

from __future__ import annotations

from typing import Any

import pytest

from asstops.emulator import multipart
from tests.emulator.conftest import NEW, OLD, V1, Emu, error_of, wait


def post(emu: Emu, surface: str = NEW, *, name: str = "a.md", content: bytes = b"x", **fields: str) -> Any:
    return emu.data("POST", "/files", surface=surface, files={"file": (name, content)}, data=fields)


@pytest.mark.parametrize("surface", [OLD, NEW, V1])
def test_upload(emu: Emu, surface: str) -> None:
    body = emu.upload("notes.md", b"12345", surface=surface)
    assert (body["filename"], body["bytes"], body["purpose"], body["object"]) == ("notes.md", 5, "assistants", "file")
    assert body["id"].startswith("assistant-")
    assert "expires_at" not in body
    assert emu.data("GET", f"/files/{body['id']}", surface=surface).json() == body


@pytest.mark.parametrize(
    "name", ["ü ñ 漢字.md", "two  spaces.md", 'quo"te.md', "semi;colon.md", "a'b.md", "%41.md", "kb/a.md"]
)
def test_names_are_kept_as_sent(emu: Emu, name: str) -> None:
    """The SDK's form encoding writes a quote as %22; the emulator keeps what came."""
    made = emu.openai().files.create(file=(name, b"x"), purpose="assistants")
    assert made.filename == name.replace('"', "%22")


def test_two_files_of_one_name(emu: Emu) -> None:
    first, second = emu.upload("same.md")["id"], emu.upload("same.md")["id"]
    assert first != second
    assert len(emu.data("GET", "/files").json()["data"]) == 2


@pytest.mark.parametrize("surface", [OLD, NEW, V1])
def test_bad_forms(emu: Emu, surface: str) -> None:
    for answer in (
        post(emu, surface),
        post(emu, surface, purpose="vision"),
        post(emu, surface, purpose=""),
        post(emu, surface, purpose="assistants", content=b""),
        post(emu, surface, purpose="assistants", name=""),
        post(emu, surface, purpose="assistants", metadata="x"),
        emu.data("POST", "/files", surface=surface, data={"purpose": "assistants"}, files={"other": ("a", b"x")}),
        emu.data("POST", "/files", surface=surface, files={"file": ("a.md", b"x")}),
        emu.data(
            "POST", "/files", surface=surface, content=b"garbage",
            headers={"api-key": emu.key, "content-type": "multipart/form-data; boundary=x"},
        ),
    ):  # fmt: skip
        error_of(answer, 400)
    error_of(emu.data("POST", "/files", {"purpose": "assistants"}, surface=surface), 415)
    assert emu.data("GET", "/files").json()["data"] == []


@pytest.mark.parametrize(("seconds", "good"), [("3600", True), ("2592000", True), ("3599", False), ("2592001", False),
                                               ("x", False), ("1e4", False)])  # fmt: skip
def test_expiry(emu: Emu, seconds: str, good: bool) -> None:
    fields = {"purpose": "batch", "expires_after[anchor]": "created_at", "expires_after[seconds]": seconds}
    for surface in (NEW, V1):
        answer = post(emu, surface, **fields)
        assert answer.status_code == (200 if good else 400), answer.text
        if good:
            assert answer.json()["expires_at"] == answer.json()["created_at"] + int(seconds)
    error_of(post(emu, OLD, **fields), 400)


def test_expiry_needs_both_parts(emu: Emu) -> None:
    error_of(post(emu, purpose="batch", **{"expires_after[anchor]": "created_at"}), 400)
    error_of(post(emu, purpose="batch", **{"expires_after[seconds]": "3600"}), 400)
    error_of(post(emu, purpose="batch", **{"expires_after[anchor]": "x", "expires_after[seconds]": "3600"}), 400)


def test_expired_files_go(emu: Emu) -> None:
    fields = {"purpose": "assistants", "expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    file = post(emu, **fields).json()["id"]
    store = emu.store(file_ids=[file])["id"]
    emu.admin("POST", "/clock", {"advance_s": 3599})
    assert emu.data("GET", f"/files/{file}").status_code == 200
    emu.admin("POST", "/clock", {"advance_s": 2})
    error_of(emu.data("GET", f"/files/{file}"), 404)
    assert emu.data("GET", f"/vector_stores/{store}").json()["file_counts"]["total"] == 0


def test_content(emu: Emu) -> None:
    blob = bytes(range(256)) * 9000  # more than one chunk
    file = emu.upload("b.jsonl", blob, purpose="batch")["id"]
    answer = emu.data("GET", f"/files/{file}/content")
    assert (answer.content, answer.headers["content-type"]) == (blob, "application/octet-stream")
    hidden = emu.upload()["id"]
    error = error_of(emu.data("GET", f"/files/{hidden}/content"), 400)
    assert error["message"] == "Not allowed to download files of purpose: assistants"
    error_of(emu.data("GET", "/files/none/content"), 404)


def test_too_large_a_file_is_refused(emu: Emu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "_LARGEST_BODY", 5_000)
    monkeypatch.setattr("asstops.emulator.apis.files.LARGEST_FILE", 3_000)
    assert post(emu, purpose="assistants", content=b"x" * 3_000).status_code == 200
    error_of(post(emu, purpose="assistants", content=b"x" * 3_001), 400)
    error_of(post(emu, purpose="assistants", content=b"x" * 6_000), 413)
    assert multipart.LARGEST_FILE == 512 * 1024 * 1024


def test_deletion_ripples(emu: Emu) -> None:
    """A deleted file leaves every vector store and every code_interpreter list."""
    gone, kept = emu.upload("a.md")["id"], emu.upload("b.md")["id"]
    stores = [emu.store(file_ids=[gone, kept])["id"] for _ in range(2)]
    resources = {"code_interpreter": {"file_ids": [gone, kept]}}
    assistants = [emu.assistant(tool_resources=resources)["id"] for _ in range(2)]
    assert emu.data("DELETE", f"/files/{gone}").json() == {"id": gone, "object": "file", "deleted": True}
    for store in stores:
        counts = wait(lambda: emu.data("GET", f"/vector_stores/{store}").json()["file_counts"],  # noqa: B023
                      lambda found: not found["in_progress"])  # fmt: skip
        assert counts["total"] == 1
        error_of(emu.data("GET", f"/vector_stores/{store}/files/{gone}"), 404)
    for ident in assistants:
        read = emu.data("GET", f"/assistants/{ident}").json()
        assert read["tool_resources"] == {"code_interpreter": {"file_ids": [kept]}}
    error_of(emu.data("DELETE", f"/files/{gone}"), 404)
    error_of(emu.data("GET", f"/files/{gone}"), 404)


def test_deletion_ripples_to_what_a_modify_added(emu: Emu) -> None:
    file, assistant = emu.upload()["id"], emu.assistant()["id"]
    emu.data("POST", f"/assistants/{assistant}", {"tool_resources": {"code_interpreter": {"file_ids": [file]}}})
    emu.data("DELETE", f"/files/{file}")
    read = emu.data("GET", f"/assistants/{assistant}").json()
    assert read["tool_resources"] == {"code_interpreter": {"file_ids": []}}


def test_deletion_after_the_reference_has_gone(emu: Emu) -> None:
    """An assistant that no longer lists the file, or is deleted, is left alone."""
    file = emu.upload()["id"]
    resources = {"code_interpreter": {"file_ids": [file]}}
    first, second = (emu.assistant(tool_resources=resources)["id"] for _ in range(2))
    emptied = {"tool_resources": {"code_interpreter": {"file_ids": []}}}
    emu.data("POST", f"/assistants/{first}", emptied)
    emu.data("DELETE", f"/assistants/{second}")
    before = emu.data("GET", f"/assistants/{first}").json()
    assert emu.data("DELETE", f"/files/{file}").status_code == 200
    assert emu.data("GET", f"/assistants/{first}").json() == before
