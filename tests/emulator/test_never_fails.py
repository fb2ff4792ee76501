"""Whatever is sent, the emulator answers with a service's refusal, never with its own failure."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asstops.emulator import EmulatorServer, EmulatorSettings
from tests.emulator.conftest import GROUP, NEW, OLD, PROVIDER, V1, Emu

WORDS = st.sampled_from(
    [
        "model", "name", "description", "instructions", "tools", "tool_resources", "metadata", "temperature", "type",
        "response_format", "function", "parameters", "file_search", "code_interpreter", "file_ids", "json_schema",
        "vector_store_ids", "vector_stores", "chunking_strategy", "static", "expires_after", "days", "anchor", "query",
        "filters", "attributes", "file_id", "sku", "kind", "location", "properties", "tags", "capacity", "format",
        "version", "customSubDomainName", "restore", "identity", "keyName", "subdomainName", "skus", "key", "value",
        "max_chunk_size_tokens", "chunk_overlap_tokens", "schema", "ranking_options", "networkAcls",
    ]
)  # fmt: skip
TEXTS = st.sampled_from(
    ["", "x", "gpt-4o", "auto", "static", "function", "file_search", "json_schema", "OpenAI", "S0", "swedencentral",
     "GlobalStandard", "last_active_at", "and", "eq", "Key1", "\u0000", "\U0001f600", "\ud83d"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 600) | st.just(10**30) | st.floats(-1, 3) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
BODIES = st.dictionaries(WORDS, VALUES, max_size=5)
ACCOUNT = f"{GROUP}/accounts/contoso"
GOOD: dict[str, dict[str, Any]] = {
    "assistants": {"model": "gpt-4o"},
    "account": {"location": "swedencentral", "kind": "OpenAI", "sku": {"name": "S0"}},
    "deployment": {
        "sku": {"name": "GlobalStandard", "capacity": 1},
        "properties": {"model": {"format": "OpenAI", "name": "gpt-4o"}},
    },
}


@pytest.fixture(scope="module")
def quick() -> Any:
    with EmulatorServer(settings=EmulatorSettings(arm_operation_s=0, ingestion_s=0)) as server:
        found = Emu(server)
        yield found
        found.http.close()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=BODIES, surface=st.sampled_from([OLD, NEW, V1]), merged=st.booleans())
def test_data_plane(quick: Emu, body: dict[str, Any], surface: str, merged: bool) -> None:
    store, assistant, file = quick.store()["id"], quick.assistant()["id"], quick.upload()["id"]
    stores = f"/vector_stores/{store}"
    for path, base in (
        ("/assistants", GOOD["assistants"]),
        (f"/assistants/{assistant}", {}),
        ("/vector_stores", {"file_ids": [file]}),
        (stores, {}),
        (f"{stores}/files", {"file_id": file}),
        (f"{stores}/file_batches", {"file_ids": [file]}),
        (f"{stores}/search", {"query": "x"}),
        (f"{stores}/files/{file}", {"attributes": {}}),
    ):
        answer = quick.data("POST", path, surface=surface, content=json.dumps({**base, **body} if merged else body))
        assert answer.status_code in {200, 400, 404}, f"{path} {body}: {answer.text}"
        if answer.status_code == 200 and path == "/assistants":
            assert quick.data("GET", f"/assistants/{answer.json()['id']}", surface=surface).json() == answer.json()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=BODIES, merged=st.booleans())
def test_arm(quick: Emu, body: dict[str, Any], merged: bool) -> None:
    for method, path, base in (
        ("PUT", ACCOUNT, GOOD["account"]),
        ("PATCH", ACCOUNT, {}),
        ("PUT", f"{ACCOUNT}/deployments/d", GOOD["deployment"]),
        ("PATCH", f"{ACCOUNT}/deployments/d", {}),
        ("POST", f"{ACCOUNT}/regenerateKey", {"keyName": "Key1"}),
        ("POST", f"{PROVIDER}/checkDomainAvailability", {"subdomainName": "x", "type": "y"}),
        ("POST", f"{PROVIDER}/locations/westus/checkSkuAvailability", {"skus": ["S0"], "kind": "OpenAI", "type": "y"}),
    ):
        answer = quick.arm(method, path, content=json.dumps({**base, **body} if merged else body))
        assert answer.status_code in {200, 201, 202, 400, 404, 409}, f"{path} {body}: {answer.text}"
