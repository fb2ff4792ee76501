"""Every answer of the emulator has the form, and only the fields, that the published documents give it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator import contract
from tests.emulator.conftest import GROUP, NEW, OLD, PROVIDER, V1, Emu, wait

pytestmark = pytest.mark.skipif(not contract.available(), reason="the API documents are not beside the repository")


def ask(emu: Emu, surface: str, method: str, path: str, body: Any = None, **kwargs: Any) -> Any:
    """Send a documented request, check it and its answer, and return the answer's body."""
    if body is not None:
        contract.check_request(surface, method, path, body)
    answer = emu.data(method, path, body, surface=surface, **kwargs)
    assert answer.status_code == 200, answer.text
    contract.check_answer(surface, method, path, 200, answer.json())
    assert answer.headers["apim-request-id"]
    return answer.json()


@pytest.mark.parametrize("surface", [OLD, NEW])
def test_assistants(emu: Emu, surface: str) -> None:
    file, store = emu.upload()["id"], emu.store()["id"]
    tools = [
        {"type": "code_interpreter"},
        {"type": "file_search"},
        {"type": "function", "function": {"name": "f", "description": "", "parameters": {"type": "object"}}},
    ]
    full = {
        "model": "gpt-4o",
        "name": "n",
        "description": "d",
        "instructions": "i",
        "tools": tools,
        "tool_resources": {
            "code_interpreter": {"file_ids": [file]},
            "file_search": {"vector_store_ids": [store]},
        },
        "metadata": {"a": "b"},
        "temperature": 0.5,
        "top_p": 1,
        "response_format": {"type": "json_object"},
    }
    made = ask(emu, surface, "POST", "/assistants", full)
    assert {name: made[name] for name in full} == full
    bare = ask(emu, surface, "POST", "/assistants", {"model": "gpt-4o"})
    assert bare["tools"] == []
    assert bare["metadata"] == {}
    assert (bare["name"], bare["instructions"], bare["temperature"]) == (None, None, None)
    one = f"/assistants/{made['id']}"
    assert ask(emu, surface, "GET", one) == made
    assert ask(emu, surface, "POST", one, {"name": "other"}) == {**made, "name": "other"}
    listed = ask(emu, surface, "GET", "/assistants")
    assert [item["id"] for item in listed["data"]] == [bare["id"], made["id"]]
    assert ask(emu, surface, "DELETE", one) == {"id": made["id"], "object": "assistant.deleted", "deleted": True}


@pytest.mark.parametrize("surface", [OLD, NEW, V1])
def test_vector_stores(emu: Emu, surface: str) -> None:
    files = [emu.upload(f"{n}.md")["id"] for n in range(3)]
    unsupported = emu.upload("data.bin")["id"]
    ask(emu, surface, "POST", "/vector_stores", {})
    body: dict[str, Any] = {"name": "s", "file_ids": files[:1], "metadata": {"a": "b"}}
    body["expires_after"] = {"anchor": "last_active_at", "days": 7}
    if surface != OLD:
        body["chunking_strategy"] = {
            "type": "static",
            "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50},
        }
    made = ask(emu, surface, "POST", "/vector_stores", body)
    one = f"/vector_stores/{made['id']}"
    ask(emu, surface, "POST", one, {"name": "t"})
    ask(emu, surface, "GET", "/vector_stores")
    attach: dict[str, Any] = {"file_id": files[1]}
    if surface == V1:
        attach["attributes"] = {"a": "b", "n": 1, "yes": True}
    ask(emu, surface, "POST", f"{one}/files", attach)
    ask(emu, surface, "POST", f"{one}/files", {"file_id": unsupported})
    batch = ask(emu, surface, "POST", f"{one}/file_batches", {"file_ids": [files[2]]})
    ask(emu, surface, "GET", f"{one}/file_batches/{batch['id']}")
    wait(lambda: emu.data("GET", one).json(), lambda store: store["status"] == "completed")
    counts = ask(emu, surface, "GET", one)["file_counts"]
    assert counts == {"in_progress": 0, "completed": 3, "failed": 1, "cancelled": 0, "total": 4}
    failed = ask(emu, surface, "GET", f"{one}/files/{unsupported}")
    assert failed["last_error"]["code"] == ("unhandled_mime_type" if surface == OLD else "unsupported_file")
    assert len(ask(emu, surface, "GET", f"{one}/files")["data"]) == 4
    ask(emu, surface, "GET", f"{one}/file_batches/{batch['id']}/files")
    if surface != OLD:
        ask(emu, surface, "POST", f"{one}/files/{files[0]}", {"attributes": {"x": "y"}})
    if surface == NEW:
        ask(emu, surface, "GET", f"{one}/files/{files[0]}/content")
        ask(emu, surface, "POST", f"{one}/search", {"query": "hello"})
    ask(emu, surface, "DELETE", f"{one}/files/{files[0]}")
    ask(emu, surface, "DELETE", one)


def test_cancelled_batch(emulator: Any) -> None:
    with emulator(ingestion_s=30) as emu:
        for surface in (OLD, NEW, V1):
            store, file = emu.store()["id"], emu.upload()["id"]
            base = f"/vector_stores/{store}/file_batches"
            batch = ask(emu, surface, "POST", base, {"file_ids": [file]})
            assert batch["status"] == "in_progress"
            cancelled = ask(emu, surface, "POST", f"{base}/{batch['id']}/cancel")
            assert cancelled["status"] == "cancelled"
            assert cancelled["file_counts"]["cancelled"] == 1


def test_files_of_v1(emu: Emu) -> None:
    """Only v1 documents files; the dated surfaces answer the same."""
    made = emu.upload(surface=V1)
    contract.check_answer(V1, "POST", "/files", 200, made)
    one = f"/files/{made['id']}"
    assert ask(emu, V1, "GET", one) == made == emu.data("GET", one, surface=OLD).json()
    listed = ask(emu, V1, "GET", "/files")
    assert listed == emu.data("GET", "/files", surface=NEW).json()
    ask(emu, V1, "DELETE", one)
    ask(emu, V1, "GET", "/files")


def test_models_of_v1(emu: Emu) -> None:
    ask(emu, V1, "GET", "/models")
    ask(emu, V1, "GET", "/models/gpt-4o-2024-11-20")


def test_errors_of_v1(emu: Emu) -> None:
    for method, path, body in (
        ("GET", "/files/assistant-none", None),
        ("POST", "/vector_stores", {"nmae": "x"}),
        ("GET", "/models/none", None),
    ):
        answer = emu.data(method, path, body, surface=V1)
        assert answer.status_code >= 400
        contract.check_answer(V1, method, path, answer.status_code, answer.json())
    answer = emu.data("GET", "/files", surface=V1, headers={"api-key": "wrong"})
    assert answer.status_code == 401
    contract.check_answer(V1, "GET", "/files", 401, answer.json())


def arm(emu: Emu, method: str, path: str, body: Any = None, **kwargs: Any) -> Any:
    if body is not None:
        contract.check_request("arm", method, path, body)
    answer = emu.arm(method, path, body, **kwargs)
    assert answer.status_code < 300, answer.text
    parsed = answer.json() if answer.content else None
    contract.check_answer("arm", method, path, answer.status_code, parsed)
    operation = contract._operation("arm", method, path)
    assert operation is not None
    assert answer.status_code in operation["x-python-sdk-accepts-status"]
    return parsed


def test_arm(emu: Emu) -> None:
    account, deployment = f"{GROUP}/accounts/contoso", f"{GROUP}/accounts/contoso/deployments/gpt"
    body = {
        "location": "Sweden Central",
        "kind": "AIServices",
        "sku": {"name": "S0"},
        "identity": {"type": "SystemAssigned"},
        "tags": {"a": "b"},
        "properties": {"customSubDomainName": "contoso", "allowProjectManagement": True},
    }
    model = {"format": "OpenAI", "name": "gpt-4o"}
    wanted = {"sku": {"name": "GlobalStandard", "capacity": 5}, "properties": {"model": model}}
    capacities = {"modelFormat": "OpenAI", "modelName": "gpt-4o", "modelVersion": "2024-11-20"}
    arm(emu, "PUT", account, body)
    emu.settled(account)
    arm(emu, "GET", account)
    arm(emu, "PUT", account, body)
    emu.settled(account)
    arm(emu, "PATCH", account, {"tags": {"c": "d"}})
    emu.settled(account)
    arm(emu, "PUT", deployment, wanted)
    emu.settled(deployment)
    arm(emu, "PUT", deployment, wanted)
    emu.settled(deployment)
    arm(emu, "PATCH", deployment, {"tags": {"c": "d"}})
    emu.settled(deployment)
    for path in (
        deployment,
        f"{deployment}/skus",
        f"{account}/deployments",
        f"{account}/models",
        f"{account}/usages",
        f"{account}/skus",
        f"{GROUP}/accounts",
        f"{PROVIDER}/accounts",
        f"{PROVIDER}/skus",
        f"{PROVIDER}/deletedAccounts",
        f"{PROVIDER}/locations/swedencentral/models",
        f"{PROVIDER}/locations/swedencentral/usages",
    ):
        assert arm(emu, "GET", path)
    arm(emu, "GET", f"{PROVIDER}/modelCapacities", params=capacities)
    arm(emu, "GET", f"{PROVIDER}/locations/swedencentral/modelCapacities", params=capacities)
    arm(emu, "POST", f"{account}/listKeys")
    arm(emu, "POST", f"{account}/regenerateKey", {"keyName": "Key1"})
    kind = "Microsoft.CognitiveServices/accounts"
    arm(emu, "POST", f"{PROVIDER}/checkDomainAvailability", {"subdomainName": "free", "type": kind})
    skus = {"skus": ["S0", "X9"], "kind": "OpenAI", "type": kind}
    # The document wrongly takes "reason" and "message" to be strings always; the published example has null.
    answer = emu.arm("POST", f"{PROVIDER}/locations/swedencentral/checkSkuAvailability", skus)
    assert [item["skuAvailable"] for item in answer.json()["value"]] == [True, False]
    arm(emu, "DELETE", deployment)
    wait(lambda: emu.arm("GET", deployment).status_code, lambda status: status == 404)
    arm(emu, "DELETE", account)
    wait(lambda: emu.arm("GET", account).status_code, lambda status: status == 404)
    deleted = f"{PROVIDER}/locations/swedencentral/resourceGroups/rg/deletedAccounts/contoso"
    assert arm(emu, "GET", deleted)["id"] == deleted
    arm(emu, "DELETE", deleted)
    wait(lambda: emu.arm("GET", deleted).status_code, lambda status: status == 404)


def test_arm_errors(emu: Emu) -> None:
    path = f"{GROUP}/accounts/none"
    answer = emu.arm("GET", path)
    assert answer.status_code == 404
    contract.check_answer("arm", "GET", path, 404, answer.json())


def test_contract_helper_notices() -> None:
    """The helper itself can fail: a wrong type, an unknown field, a missing field, a null where none may be."""
    good = {"model": "m"}
    contract.check_request(NEW, "POST", "/assistants", good)
    for bad in ({}, {"model": 1}, {"model": "m", "nmae": "x"}, {"model": "m", "tools": None}):
        with pytest.raises(AssertionError, match="breaks the document"):
            contract.check_request(NEW, "POST", "/assistants", bad)
    contract.check_request(NEW, "POST", "/assistants", {"model": "m", "name": None})
    deleted = {"id": "x", "object": "assistant.deleted", "deleted": True}
    contract.check_answer(NEW, "DELETE", "/assistants/x", 200, deleted)
    with pytest.raises(AssertionError, match="breaks the document"):
        contract.check_answer(NEW, "DELETE", "/assistants/x", 200, {**deleted, "extra": 1})
    with pytest.raises(contract.Undocumented):
        contract.check_request(V1, "POST", "/assistants", good)


FILE = {"id": "f", "object": "file", "bytes": 1, "created_at": 1, "filename": "a", "purpose": "assistants",
        "status": "processed"}  # fmt: skip
TOOL = {"type": "function", "function": {"name": "f", "description": "", "parameters": {}, "strict": True}}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}}


@pytest.mark.parametrize("surface", [OLD, NEW])
def test_contract_helper_knows_what_the_dated_documents_leave_out(emu: Emu, surface: str) -> None:
    """Error bodies, /files, `strict` that is echoed, images by their address: each with its form, not waved through."""
    contract.check_answer(surface, "GET", "/assistants/x", 404, {"error": {"code": None, "message": "m"}})
    contract.check_answer(surface, "GET", "/files/f", 200, FILE)
    assistant = emu.data("POST", "/assistants", {"model": "gpt-4o", "tools": [TOOL]}, surface=surface).json()
    assert assistant["tools"] == [TOOL]
    contract.check_answer(surface, "GET", "/assistants/x", 200, assistant)
    message = emu.data("POST", "/threads", {"messages": [{"role": "user", "content": [IMAGE]}]}, surface=surface).json()
    (shown,) = emu.data("GET", f"/threads/{message['id']}/messages", surface=surface).json()["data"]
    assert shown["content"] == [IMAGE]
    contract.check_answer(surface, "GET", "/threads/t/messages/m", 200, shown)
    tool = {**TOOL, "function": {**TOOL["function"], "strict": "yes"}}  # type: ignore[dict-item]
    image = {"type": "image_url", "image_url": {"address": "x"}}
    for path, status, wrong in (
        ("/assistants/x", 404, {"error": {"code": None}}),
        ("/assistants/x", 404, {"error": {"code": 404, "message": "m"}}),
        ("/assistants/x", 404, {"error": {"code": "c", "message": "m", "target": "t"}}),
        ("/files/f", 200, {**FILE, "checksum": "x"}),
        ("/files/f", 200, {**FILE, "status": "lost"}),
        ("/assistants/x", 200, {**assistant, "tools": [tool]}),
        ("/threads/t/messages/m", 200, {**shown, "content": [image]}),
    ):
        with pytest.raises(AssertionError, match="breaks the document"):
            contract.check_answer(surface, "GET", path, status, wrong)
    with pytest.raises(AssertionError, match="strict"):  # but asking for it is not documented
        contract.check_request(surface, "POST", "/assistants", {"model": "m", "tools": [TOOL]})
