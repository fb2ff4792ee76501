"""Fuzzing on the published API documents: no failure of the emulator's own, no answer outside its schema.

Every operation of every document is tried with requests that keep to it and with requests that break it; ids
are real ones most of the time, so that the requests get past the door. Examples are few and always the same:
what fails once fails again. Where a document contradicts what is known of the service or of the SDKs,
contract.mended says so, each place with its reason; what is not served is in NEVER.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from asstops.emulator import EmulatorServer, EmulatorSettings
from asstops.emulator.keys import ARM_AUDIENCE, PROJECT_AUDIENCE
from tests.emulator import contract
from tests.emulator.conftest import ARM_VERSION, GROUP, NEW, OLD, SUBSCRIPTION, V1, Emu

schemathesis = pytest.importorskip("schemathesis")
pytestmark = pytest.mark.skipif(not contract.available(), reason="the API documents are not beside the repository")

EXAMPLES = 8
NEVER: dict[tuple[str, str], str] = {}  # what succeeds with no request that keeps to the document, and why
NEEDED: dict[str, dict[str, Any]] = {  # what the derived document does not know to be required
    "PUT accounts": {"location": "swedencentral", "kind": "AIServices", "sku": {"name": "S0"}},
    "PUT deployments": {
        "sku": {"name": "GlobalStandard", "capacity": 2},
        "properties": {"model": {"format": "OpenAI", "name": "gpt-4o"}},
    },
    "PUT projects": {"location": "swedencentral", "identity": {"type": "SystemAssigned"}},
    "POST calculateModelCapacity": {
        "model": {"format": "OpenAI", "name": "gpt-4o"},
        "skuName": "GlobalStandard",
        "workloads": [{"requestPerMinute": 3, "requestParameters": {"avgPromptTokens": 900}}],
    },
}
PROMPT = {"kind": "prompt", "model": "gpt-4o"}
FUNCTION = {"type": "function", "function": {"name": "get_weather", "description": "", "parameters": {}}}


class World:
    """An emulator with one of everything, and the ids of it all."""

    def __init__(self, server: EmulatorServer) -> None:
        self.emu = Emu(server)
        self.bearer = {"authorization": f"Bearer {self.emu.token(ARM_AUDIENCE)}"}
        self.project_bearer = {"authorization": f"Bearer {self.emu.token(PROJECT_AUDIENCE)}"}
        self.paths: dict[str, list[str]] = {}
        self.special: dict[str, dict[str, list[str]]] = {}
        self.bodies: dict[str, list[Any]] = {}

    def renew(self) -> None:
        """Start afresh, so that what one operation deletes the next one finds."""
        emu = self.emu
        emu.admin("POST", "/reset")
        emu.admin("POST", "/faults", {"ingestion": "stuck", "filename": "slow", "count": 0})
        files = [emu.upload(name, b"Contoso sold 12 bicycles.")["id"] for name in ("a.md", "slow.md")]
        kept = emu.upload("b.jsonl", purpose="batch")["id"]
        stores = [emu.store(file_ids=files[:1])["id"] for _ in range(2)]
        batch = emu.data("POST", f"/vector_stores/{stores[0]}/file_batches", {"file_ids": files[1:]}).json()["id"]
        assistant = emu.assistant(tools=[FUNCTION, {"type": "code_interpreter"}])["id"]
        thread, message = self._thread()
        busy, _ = self._thread()
        run = emu.data("POST", f"/threads/{busy}/runs", {"assistant_id": assistant}).json()["id"]
        waiting = emu.data("GET", f"/threads/{busy}/runs/{run}").json()
        calls = waiting["required_action"]["submit_tool_outputs"]["tool_calls"]
        steps = [step["id"] for step in emu.data("GET", f"/threads/{busy}/runs/{run}/steps").json()["data"]]
        for name in ("contoso", "gone"):
            emu.account(name, kind="AIServices", tags={"a": "b"})
        emu.arm("DELETE", f"{GROUP}/accounts/gone")
        emu.deploy()
        projects = {"customSubDomainName": "foundry", "allowProjectManagement": True}
        emu.account("foundry", kind="AIServices", identity={"type": "SystemAssigned"}, properties=projects)
        emu.arm("PUT", f"{GROUP}/accounts/foundry/projects/one", NEEDED["PUT projects"])
        emu.settled(f"{GROUP}/accounts/foundry/projects/one")
        for _ in range(2):
            self.agents("POST", "/agents/clerk/versions", json={"definition": PROMPT})
        self.paths = {
            "file_id": [files[0]],
            "vector_store_id": stores[:1],
            "batch_id": [batch],
            "assistant_id": [assistant],
            "thread_id": [thread],
            "message_id": [message],
            "run_id": [run],
            "step_id": steps,
            "deployment-id": ["gpt-4o"],
            "model": ["gpt-4o-2024-11-20"],
            "subscriptionId": [SUBSCRIPTION],
            "resourceGroupName": ["rg"],
            "accountName": ["contoso"],
            "deploymentName": ["gpt", "new"],
            "projectName": ["one", "new"],
            "agent_name": ["clerk"],
            "agent_version": ["1"],
            "location": ["swedencentral"],
        }
        self.special = {  # where the usual id would not do
            "{run_id}": {"thread_id": [busy]},
            "deletedAccounts": {"accountName": ["gone"]},
            "/projects": {"accountName": ["foundry"]},
            " /files/{file_id}/content": {"file_id": [kept]},
        }
        self.bodies = {
            "file_id": [files[0]],
            "file_ids": [files[:1], files],
            "vector_store_ids": [stores[1:]],
            "assistant_id": [assistant],
            "model": ["gpt-4o", {"format": "OpenAI", "name": "gpt-4o"}],
            "messages": [[{"role": "user", "content": "Hello"}]],
            "definition": [PROMPT],
            "chunking_strategy": [{"type": "auto"}],
            "location": ["swedencentral"],
            "kind": ["AIServices"],
            "sku": [{"name": "S0"}, {"name": "GlobalStandard", "capacity": 2}],
            "identity": [{"type": "SystemAssigned"}],
            "keyName": ["Key1", "Key2"],
            "tool_outputs": [[{"tool_call_id": each["id"], "output": "sunny"} for each in calls]],
        }

    def agents(self, method: str, path: str, **kwargs: Any) -> httpx2.Response:
        """A request of the agents API in the project that is always there."""
        kwargs["headers"] = {**kwargs.get("headers", {}), **self.project_bearer}
        kwargs["params"] = {**kwargs.get("params", {}), "api-version": "v1"}
        return self.emu.http.request(method, f"/api/projects/emulator{path}", **kwargs)

    def _thread(self) -> tuple[str, str]:
        thread = self.emu.data("POST", "/threads", {}).json()["id"]
        ask = {"role": "user", "content": "Please call get_weather."}
        return thread, self.emu.data("POST", f"/threads/{thread}/messages", ask).json()["id"]

    def choices(self, path: str, name: str) -> list[str]:
        """Return the ids that fit a parameter of a path."""
        for part, pools in self.special.items():
            if part in f" {path}" and name in pools:
                return pools[name]
        return self.paths.get(name, ["none"])


@pytest.fixture(scope="module")
def shared_world() -> Iterator[World]:
    with EmulatorServer(settings=EmulatorSettings(arm_operation_s=0, ingestion_s=0, run_s=0)) as server:
        found = World(server)
        yield found
        found.emu.http.close()


@pytest.fixture
def world(shared_world: World) -> World:
    shared_world.renew()
    return shared_world


@cache
def operations(surface: str) -> dict[str, Any]:
    """Return the operations of a document by method and path."""
    if not contract.available():
        return {}
    document = json.loads(json.dumps(contract._document(surface)))
    document["openapi"] = "3.1.0"  # whose schemas are JSON Schema, which is what the helper makes
    schemas = document["components"]["schemas"]
    for path in document["paths"].values():
        for operation in path.values():
            contents = operation["requestBody"]["content"] if "requestBody" in operation else {}
            for content in contents.values():
                flat = contract._flat(content["schema"], schemas)
                content["schema"] = narrowed(contract._translate(flat, exact=True))
    document["components"]["schemas"] = {
        name: narrowed(schema) for name, schema in contract._components(surface, True)["schemas"].items()
    }
    found = schemathesis.openapi.from_dict(document).get_all_operations()
    return {f"{each.ok().method.upper()} {each.ok().path}": each.ok() for each in found}


def narrowed(schema: Any) -> Any:
    """Say what the documents say in prose only, so that a request that keeps to them has a chance."""
    if isinstance(schema, list):
        return [narrowed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: narrowed(value) for name, value in schema.items()}
    metadata = result.get("properties", {}).get("metadata")
    if isinstance(metadata, dict):
        limits = {"type": "object", "maxProperties": 16, "propertyNames": {"maxLength": 64},
                  "additionalProperties": {"type": "string", "maxLength": 512}}  # fmt: skip
        result["properties"]["metadata"] = {"anyOf": [limits, {"type": "null"}]} if "anyOf" in metadata else limits
    return result


def known(surface: str) -> list[str]:
    if not contract.available():
        return []
    paths = contract._document(surface)["paths"].items()
    methods = {"get", "post", "put", "patch", "delete"}
    return [f"{method.upper()} {path}" for path, found in paths for method in found if method in methods]


SURFACES = (OLD, NEW, V1, "arm", "agents")


@pytest.mark.parametrize(("surface", "label"), [(surface, label) for surface in SURFACES for label in known(surface)])
def test_operation(world: World, surface: str, label: str) -> None:
    """Requests that keep to the document succeed now and then; those that break it are not believed."""
    operation, modes = operations(surface)[label], schemathesis.GenerationMode
    succeeded: list[bool] = []
    refusals: set[str] = set()
    accepted: list[httpx2.Request] = []

    def keeping(data: st.DataObject) -> None:
        answer = send(world, surface, data.draw(operation.as_strategy(generation_mode=modes.POSITIVE)), data)
        check(surface, answer)
        succeeded.append(answer.is_success)
        if not answer.is_success:
            refusals.add(answer.text[:300])
        elif answer.request.headers.get("content-type") == "application/json":
            accepted.append(answer.request)

    def breaking(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=modes.NEGATIVE))
        answer = send(world, surface, case, data, real=False)
        check(surface, answer)
        sent = answer.request.read()
        if answer.is_success and sent and case.media_type == "application/json":
            body = json.loads(sent)
            if surface == "arm":  # which takes null for what is not given
                body = {name: value for name, value in body.items() if value is not None}
            contract.check_request(surface, case.method.upper(), case.operation.path, body)

    bounds = settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
                      suppress_health_check=list(HealthCheck))  # fmt: skip
    bounds(given(data=st.data())(keeping))()
    assert any(succeeded) != ((surface, label) in NEVER), f"{label} answered with success: {succeeded}: {refusals}"
    for request in accepted[-1:]:  # the same again, but for one field more
        again = {**json.loads(request.read()), "nmae": "x"}
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        answer = world.emu.http.request(request.method, request.url, content=json.dumps(again), headers=headers)
        assert answer.status_code == 400, answer.text
        assert "nmae" in answer.text
    if operation.body or [each for each in operation.query if each.name != "api-version"]:
        bounds(given(data=st.data())(breaking))()


def send(world: World, surface: str, case: Any, data: st.DataObject, *, real: bool = True) -> httpx2.Response:
    """Send a generated request, with real ids in most places where some are wanted."""
    path = case.operation.path
    for name, value in (case.path_parameters or {}).items():
        given_ = value if isinstance(value, str) and value.isprintable() and "/" not in value and value else "none"
        chosen = data.draw(st.sampled_from(world.choices(case.operation.path, name) * 20 + [given_]))
        path = path.replace("{" + name + "}", httpx2.QueryParams({"x": chosen}).__str__()[2:].replace("+", "%20"))
    query = {k: v for k, v in (case.query or {}).items() if k != "api-version"}
    pairs = {k: v if isinstance(v, list) else "" if v is None else str(v) for k, v in query.items()}
    kwargs: dict[str, Any] = {"params": pairs}
    unset = type(case.body).__name__ == "NotSet"
    if not unset and isinstance(case.body, (dict, list, str, int, float, bool, type(None))):
        body = with_ids(world, case.body, data) if real else case.body
        needed = NEEDED.get(path_kind(case)) if real else None
        if needed and data.draw(st.booleans()):
            body = {**{name: body[name] for name in ("identity", "sku") if name in body}, **needed}
        if case.media_type == "multipart/form-data":
            kwargs.update(form(body))
        else:
            kwargs["content"] = json.dumps(body)
            kwargs["headers"] = {"content-type": "application/json"}
    method = case.method.upper()
    if surface == "arm":
        kwargs["headers"] = {**kwargs.get("headers", {}), **world.bearer}
        kwargs["params"] = {**pairs, "api-version": ARM_VERSION}
        return world.emu.http.request(method, path, **kwargs)
    if surface == "agents":
        return world.agents(method, path, **kwargs)
    kwargs["headers"] = {**kwargs.get("headers", {}), "api-key": world.emu.key}
    return world.emu.data(method, path, surface=surface, **kwargs)


def path_kind(case: Any) -> str:
    """Return the method and the kind of object or what is asked, as in "PUT accounts"."""
    *_, kind, last = case.operation.path.split("/")
    return f"{case.method.upper()} {kind if last.startswith('{') else last}"


def form(body: Any) -> dict[str, Any]:
    fields = body if isinstance(body, dict) else {"x": str(body)}
    data = {k: v if isinstance(v, str) else json.dumps(v) for k, v in fields.items() if k != "file"}
    nested = fields.get("expires_after")
    if isinstance(nested, dict):
        del data["expires_after"]
        data.update({f"expires_after[{k}]": str(v) for k, v in nested.items()})
    return {"data": data, "files": {"file": ("f.md", b"some words")} if "file" in fields else {}}


def with_ids(world: World, value: Any, data: st.DataObject) -> Any:
    if isinstance(value, list):
        return [with_ids(world, item, data) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)  # JSON Schema takes 1.0 for an integer; services do not
    if not isinstance(value, dict):
        return value
    result = {}
    for name, inner in value.items():
        pool = [each for each in world.bodies.get(name, []) if isinstance(each, type(inner))]
        if pool and data.draw(st.integers(0, 9)):
            result[name] = data.draw(st.sampled_from(pool))
        else:
            result[name] = with_ids(world, inner, data)
    return result


def check(surface: str, answer: httpx2.Response) -> None:
    """Hold an answer to its document."""
    request = answer.request
    told = f"{request.method} {request.url} {request.read()[:600]!r} -> {answer.status_code} {answer.text[:600]}"
    assert answer.status_code < 500, told
    kind = answer.headers.get("content-type", "")
    if answer.status_code >= 400:
        error = answer.json()["error"]
        assert isinstance(error["message"], str), told
        assert error["message"], told
    elif kind.startswith("text/event-stream") or kind == "application/octet-stream":
        return
    logged = {"path": request.url.path, "query": dict(request.url.params), "method": request.method}
    found, path = contract.surface_of(logged)
    body = answer.json() if answer.content else None
    try:
        contract.check_answer(found, request.method, path, answer.status_code, body)
    except contract.Undocumented:
        assert answer.status_code >= 400, told
    except AssertionError as error:
        raise AssertionError(f"{error}\n{told}") from None
