"""What is known of the service, in numbers: each limit with a value at it, and one past it that is refused.

Limits that have a test of their own elsewhere are not repeated; facts.py says which fact is tested where.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.conftest import GROUP, NEW, OLD, PROVIDER, V1, Emu, error_of
from tests.emulator.facts import FACTS

DATED, EVERY = (OLD, NEW), (OLD, NEW, V1)
HERE = Path(__file__).parent
NAMED = {test for facts in FACTS.values() for tests in facts.values() for test in tests}


def pairs(number: int) -> dict[str, str]:
    return {str(n): "v" for n in range(number)}


def thread(emu: Emu) -> str:
    return f"/threads/{emu.data('POST', '/threads', {'messages': [{'role': 'user', 'content': 'x'}]}).json()['id']}"


def message(emu: Emu) -> str:
    path = f"{thread(emu)}/messages"
    return f"{path}/{emu.data('GET', path).json()['data'][0]['id']}"


def run(emu: Emu) -> str:
    body = {"assistant_id": emu.assistant()["id"], "thread": {}}
    made = emu.data("POST", "/threads/runs", body).json()
    return f"/threads/{made['thread_id']}/runs/{made['id']}"


def store(emu: Emu) -> str:
    return f"/vector_stores/{emu.store(file_ids=[emu.upload()['id']])['id']}"


# What can be written to: its surfaces, and its path with what a body must hold besides.
Place = tuple[tuple[str, ...], Callable[[Emu], tuple[str, dict[str, Any]]]]
PLACES: dict[str, Place] = {
    "new store": (EVERY, lambda emu: ("/vector_stores", {})),
    "store": (EVERY, lambda emu: (store(emu), {})),
    "new thread": (DATED, lambda emu: ("/threads", {})),
    "thread": (DATED, lambda emu: (thread(emu), {})),
    "new message": (DATED, lambda emu: (f"{thread(emu)}/messages", {"role": "user", "content": "x"})),
    "message": (DATED, lambda emu: (message(emu), {})),
    "new run": (DATED, lambda emu: (f"{thread(emu)}/runs", {"assistant_id": emu.assistant()["id"]})),
    "new thread and run": (DATED, lambda emu: ("/threads/runs", {"assistant_id": emu.assistant()["id"]})),
    "run": (DATED, lambda emu: (run(emu), {})),
    "search": ((NEW,), lambda emu: (f"{store(emu)}/search", {"query": "x"})),
}
HAVE_METADATA = [name for name in PLACES if name != "search"]
ANCHOR = {"anchor": "last_active_at"}

LIMITS: list[tuple[str, str, list[Any], list[Any]]] = [  # place, field, values at the limits, values past them
    *((place, "metadata", [pairs(16), {}], [pairs(17)]) for place in HAVE_METADATA),
    *((place, "metadata", [{"k" * 64: "v"}], [{"k" * 65: "v"}]) for place in HAVE_METADATA),
    *((place, "metadata", [{"k": "v" * 512}, {"k": ""}], [{"k": "v" * 513}]) for place in HAVE_METADATA),
    *(
        (place, "expires_after", [{**ANCHOR, "days": 1}, {**ANCHOR, "days": 365}],
         [{**ANCHOR, "days": 0}, {**ANCHOR, "days": 366}, {"anchor": "created_at", "days": 1}])
        for place in ("new store", "store")
    ),
    ("new message", "content", ["x" * 256_000], ["x" * 256_001, ""]),
    *(
        (place, field, good, bad)
        for place in ("new run", "new thread and run")
        for field, good, bad in (
            ("instructions", ["i" * 256_000], ["i" * 256_001]),
            ("temperature", [0, 2], [-0.01, 2.01]),
            ("top_p", [0, 1], [-0.01, 1.01]),
            ("max_prompt_tokens", [256], [255]),
            ("max_completion_tokens", [256], [255]),
            ("truncation_strategy", [{"type": "last_messages", "last_messages": 1}],
             [{"type": "last_messages", "last_messages": 0}]),
        )
    ),
    ("search", "max_num_results", [1, 50], [0, 51]),
    ("search", "ranking_options", [{"score_threshold": 0}, {"score_threshold": 1}],
     [{"score_threshold": -0.1}, {"score_threshold": 1.1}]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "field", "good", "bad"), LIMITS, ids=[f"{n}-{each[1]} of {each[0]}" for n, each in enumerate(LIMITS)]
)
def test_limit(emu: Emu, place: str, field: str, good: list[Any], bad: list[Any]) -> None:
    surfaces, where = PLACES[place]
    for surface in surfaces:
        for value in bad:
            path, base = where(emu)
            error = error_of(emu.data("POST", path, {**base, field: value}, surface=surface), 400)
            assert error["param"].startswith(field)
            assert error["code"]
        for value in good:
            path, base = where(emu)
            answer = emu.data("POST", path, {**base, field: value}, surface=surface)
            assert answer.status_code == 200, answer.text


MINI = {"messages": [{"role": "user", "content": "x"}]}
TOOLS = [{"type": "function", "function": {"name": f"f{n}", "parameters": {}}} for n in range(129)]
CHAT: list[tuple[str, tuple[str, ...], list[Any], list[Any], dict[str, Any]]] = [
    ("temperature", EVERY, [0, 2], [-0.01, 2.01], {}),
    ("top_p", EVERY, [0, 1], [-0.01, 1.01], {}),
    ("n", EVERY, [1, 128], [0, 129], {}),
    ("stop", EVERY, [list("abcd")], [list("abcde"), []], {}),
    ("max_tokens", EVERY, [1], [0], {}),
    ("presence_penalty", EVERY, [-2, 2], [-2.01, 2.01], {}),
    ("frequency_penalty", EVERY, [-2, 2], [-2.01, 2.01], {}),
    ("logit_bias", EVERY, [{"1": -100}, {"1": 100}], [{"1": -101}, {"1": 101}], {}),
    ("top_logprobs", (OLD,), [0, 5], [-1, 6], {"logprobs": True}),
    ("top_logprobs", (NEW, V1), [0, 20], [-1, 21], {"logprobs": True}),
    ("tools", EVERY, [TOOLS[:128]], [TOOLS], {}),
    ("metadata", (NEW, V1), [pairs(16), {"k" * 64: "v"}], [pairs(17), {"k" * 65: "v"}], {}),
    ("max_completion_tokens", (NEW, V1), [1], [0], {}),
]


@pytest.mark.parametrize(("field", "surfaces", "good", "bad", "base"), CHAT, ids=[f"{c[0]}-{c[1][0]}" for c in CHAT])
def test_limit_of_chat(
    emu: Emu, field: str, surfaces: tuple[str, ...], good: list[Any], bad: list[Any], base: dict[str, Any]
) -> None:
    for surface in surfaces:
        path = "/chat/completions" if surface == V1 else "/deployments/gpt-4o/chat/completions"
        for value in bad:
            answer = emu.data("POST", path, {"model": "gpt-4o", **MINI, **base, field: value}, surface=surface)
            assert error_of(answer, 400)["param"].startswith(field)
        for value in good:
            answer = emu.data("POST", path, {"model": "gpt-4o", **MINI, **base, field: value}, surface=surface)
            assert answer.status_code == 200, answer.text


def made_files(emu: Emu, number: int) -> list[str]:
    """Put files into the emulator behind its API's back, which is quicker than hundreds of uploads."""
    idents, state = [f"assistant-{n:022d}" for n in range(number)], emu.server.state
    assert state is not None
    account = state.store.one("SELECT row FROM account WHERE path = ''")[0]
    body = {"object": "file", "purpose": "assistants", "filename": "a.md", "bytes": 1, "created_at": 1,
            "expires_at": None, "status": "processed", "status_details": None}  # fmt: skip
    for ident in idents:
        state.store.add(account, "file", ident, 0, {**body, "id": ident})
    return idents


@pytest.mark.parametrize("surface", EVERY)
def test_five_hundred_files_at_once(emu: Emu, surface: str) -> None:
    """To a new store, and in a batch."""
    files = made_files(emu, 501)
    for path in ("/vector_stores", f"/vector_stores/{emu.store()['id']}/file_batches"):
        error = error_of(emu.data("POST", path, {"file_ids": files}, surface=surface), 400)
        assert (error["code"], error["param"]) == ("array_above_max_length", "file_ids")
        answer = emu.data("POST", path, {"file_ids": files[:500]}, surface=surface)
        assert answer.status_code == 200, answer.text
        assert answer.json()["file_counts"]["total"] == 500


def test_twenty_files_for_code_interpreter(emu: Emu) -> None:
    """Of an assistant, when it is modified too, and of a thread; on both dated surfaces."""
    files = made_files(emu, 21)
    for surface in DATED:
        for path, base in (
            ("/assistants", {"model": "gpt-4o"}),
            (f"/assistants/{emu.assistant()['id']}", {}),
            ("/threads", {}),
            (thread(emu), {}),
        ):
            for number, status in ((21, 400), (20, 200)):
                body = {**base, "tool_resources": {"code_interpreter": {"file_ids": files[:number]}}}
                assert emu.data("POST", path, body, surface=surface).status_code == status


def test_one_store_for_file_search(emu: Emu) -> None:
    """Given by its id, or made on the way, in a modify by its id alone."""
    stores = [emu.store()["id"] for _ in range(2)]
    for path, base, new in (
        ("/assistants", {"model": "gpt-4o"}, True),
        (f"/assistants/{emu.assistant()['id']}", {}, False),
        ("/threads", {}, True),
        (thread(emu), {}, False),
    ):
        for search, status in (
            ({"vector_store_ids": stores}, 400),
            ({"vector_store_ids": stores[:1]}, 200),
            ({"vector_stores": [{}, {}]}, 400),
            ({"vector_stores": [{}]}, 200 if new else 400),
            ({"vector_stores": [{}], "vector_store_ids": stores[:1]}, 400),
        ):
            body = {**base, "tool_resources": {"file_search": search}}
            assert emu.data("POST", path, body).status_code == status, (path, search)


@pytest.mark.parametrize("surface", DATED)
def test_the_shorter_limit_of_a_modify(emulator: Any, surface: str) -> None:
    """The document of a modify says 32,768 where that of a create says 256,000."""
    with emulator(behaviour={"modify_instructions_limit": "32768"}) as emu:
        made = emu.data("POST", "/assistants", {"model": "gpt-4o", "instructions": "i" * 256_000}, surface=surface)
        path = f"/assistants/{made.json()['id']}"
        assert emu.data("POST", path, {"instructions": "i" * 32_768}, surface=surface).status_code == 200
        error = error_of(emu.data("POST", path, {"instructions": "i" * 32_769}, surface=surface), 400)
        assert (error["param"], error["code"]) == ("instructions", "string_above_max_length")


def lists(emu: Emu) -> dict[str, tuple[str, ...]]:
    """Return every list that has pages, and its surfaces."""
    file = emu.upload()["id"]
    kept = f"/vector_stores/{emu.store(file_ids=[file])['id']}"
    batch = emu.data("POST", f"{kept}/file_batches", {"file_ids": [file]}).json()["id"]
    talk = run(emu)
    return {
        "/assistants": DATED,
        "/vector_stores": EVERY,
        f"{kept}/files": EVERY,
        f"{kept}/file_batches/{batch}/files": EVERY,
        f"{talk.rpartition('/runs/')[0]}/messages": DATED,
        talk.rpartition("/")[0]: DATED,
        f"{talk}/steps": DATED,
    }


def test_a_list_has_pages_of_one_to_a_hundred(emu: Emu) -> None:
    for path, surfaces in lists(emu).items():
        for surface in surfaces:
            for limit, status in ((1, 200), (100, 200), (0, 400), (101, 400)):
                answer = emu.data("GET", path, params={"limit": limit}, surface=surface)
                assert answer.status_code == status, f"{path} {limit} {answer.text}"
                if status == 400:
                    assert error_of(answer, 400)["param"] == "limit"
                else:
                    assert set(answer.json()) == {"object", "data", "first_id", "last_id", "has_more"}
            for order, status in (("asc", 200), ("desc", 200), ("up", 400)):
                assert emu.data("GET", path, params={"order": order}, surface=surface).status_code == status


@pytest.mark.parametrize("path", ["/assistants", "/vector_stores", "/threads"])
def test_a_modify_is_a_post(emu: Emu, path: str) -> None:
    made = emu.data("POST", path, {"model": "gpt-4o"} if path == "/assistants" else {}).json()["id"]
    for method, status in (("PATCH", 404), ("PUT", 404), ("POST", 200)):
        assert emu.data(method, f"{path}/{made}", {"metadata": {"a": "b"}}).status_code == status


@pytest.mark.parametrize("surface", EVERY)
def test_purposes(emu: Emu, surface: str) -> None:
    """Those of Azure's document; newer pages name more, which this version refuses."""

    def sent(purpose: str) -> int:
        form: dict[str, Any] = {"files": {"file": ("a.jsonl", b"{}")}, "data": {"purpose": purpose}}
        return emu.data("POST", "/files", surface=surface, **form).status_code

    assert {purpose: sent(purpose) for purpose in ("assistants", "batch", "fine-tune", "evals")} == {
        "assistants": 200, "batch": 200, "fine-tune": 200, "evals": 200,
    }  # fmt: skip
    assert [sent(purpose) for purpose in ("vision", "user_data", "assistants_output")] == [400, 400, 400]


@pytest.mark.parametrize("surface", EVERY)
def test_a_file_has_neither_checksum_nor_metadata(emu: Emu, surface: str) -> None:
    fields = {"id", "object", "bytes", "created_at", "filename", "purpose", "status"}
    assert set(emu.upload(surface=surface)) == fields
    assert [set(each) for each in emu.data("GET", "/files", surface=surface).json()["data"]] == [fields]


@pytest.mark.parametrize("surface", EVERY)
def test_what_only_others_have(emu: Emu, surface: str) -> None:
    """OpenAI's uploads and per-file settings of a batch, and a deployment in the path of an assistant."""
    for path in ("/uploads", "/deployments/gpt-4o/assistants"):
        answer = emu.data("POST", path, {}, surface=surface)
        assert answer.status_code == 404
        assert answer.json() == {"error": {"code": "404", "message": "Resource not found"}}
    base = f"/vector_stores/{emu.store()['id']}/file_batches"
    body = {"files": [{"file_id": emu.upload()["id"]}]}
    assert error_of(emu.data("POST", base, body, surface=surface), 400)["code"] == "missing_required_parameter"


@pytest.mark.parametrize("behaviour", ["served", "retired_404", "retired_410"])
def test_files_and_stores_outlive_the_assistants(emulator: Any, behaviour: str) -> None:
    with emulator(behaviour={"assistants_api": behaviour}) as emu:
        store = emu.store(file_ids=[emu.upload(surface=V1)["id"]])["id"]
        for path in ("/files", "/vector_stores", f"/vector_stores/{store}/files"):
            assert len(emu.data("GET", path, surface=V1).json()["data"]) == 1
        answer = emu.data("GET", "/assistants")
        assert answer.status_code == (200 if behaviour == "served" else int(behaviour[-3:]))
        if behaviour == "retired_404":
            assert answer.json() == {"error": {"code": "404", "message": "Resource not found"}}
        elif behaviour == "retired_410":
            assert error_of(answer, 410)["code"] == "410"
        assert emu.data("GET", "/assistants", surface=V1).status_code == 404


@pytest.mark.parametrize(("size", "status"), [(450, 201), (451, 400), (1, 201), (0, 400)])
def test_quota_at_its_limit(emu: Emu, size: int, status: int) -> None:
    emu.account()
    body = {
        "sku": {"name": "Standard", "capacity": size},
        "properties": {"model": {"format": "OpenAI", "name": "gpt-4o"}},
    }
    answer = emu.arm("PUT", f"{GROUP}/accounts/contoso/deployments/d", body)
    assert answer.status_code == status
    if size > 1 and status == 400:
        error = error_of(answer, 400)
        assert error["code"] == "InsufficientQuota"
        assert "the quota limit is 450" in error["message"]


@pytest.mark.parametrize(("name", "status"), [("d", 201), ("d" * 64, 201), ("d" * 65, 400), ("-d", 400)])
def test_name_of_a_deployment(emu: Emu, name: str, status: int) -> None:
    emu.account()
    body = {
        "sku": {"name": "Standard", "capacity": 1},
        "properties": {"model": {"format": "OpenAI", "name": "gpt-4o"}},
    }
    assert emu.arm("PUT", f"{GROUP}/accounts/contoso/deployments/{name}", body).status_code == status


def test_soft_deleted_for_exactly_48_hours(emulator: Any) -> None:
    now = 1_800_000_000.0
    with emulator(clock=lambda: now, arm_operation_s=0) as emu:
        emu.arm("PUT", f"{GROUP}/accounts/contoso", {"location": "westus", "kind": "OpenAI", "sku": {"name": "S0"}})
        emu.admin("POST", "/clock", {"advance_s": 1})
        emu.arm("DELETE", f"{GROUP}/accounts/contoso")
        emu.admin("POST", "/clock", {"advance_s": 0})
        deleted = f"{PROVIDER}/locations/westus/resourceGroups/rg/deletedAccounts/contoso"
        for advance, status in ((48 * 3600 - 1, 200), (1, 404)):
            emu.admin("POST", "/clock", {"advance_s": advance})
            assert emu.arm("GET", deleted).status_code == status


def test_shapes_of_arm(emu: Emu) -> None:
    """Accounts have a weak etag and a location, deployments neither; both an sku at the top."""
    account = emu.account()
    assert account["etag"].startswith('W/"')
    assert (account["location"], account["sku"]) == ("swedencentral", {"name": "S0"})
    deployment = emu.deploy()
    assert not {"etag", "location"} & set(deployment)
    assert deployment["sku"] == {"name": "GlobalStandard", "capacity": 10}
    patched = emu.arm("PATCH", f"{GROUP}/accounts/contoso/deployments/gpt", {"tags": {"a": "b"}})
    assert (patched.status_code, patched.content) == (202, b"")
    assert "azure-asyncoperation" in patched.headers
    emu.settled(f"{GROUP}/accounts/contoso/deployments/gpt")
    keys = emu.arm("POST", f"{GROUP}/accounts/contoso/regenerateKey", {"keyName": "Key2"}).json()
    assert set(keys) == {"key1", "key2"}
    for name, status in (("Key3", 400), ("Key1", 200)):
        answer = emu.arm("POST", f"{GROUP}/accounts/contoso/regenerateKey", {"keyName": name})
        assert answer.status_code == status


def test_throttling_is_read_only_on_a_deployment(emu: Emu) -> None:
    """And settable on the account."""
    assert emu.account(
        properties={"customSubDomainName": "contoso", "dynamicThrottlingEnabled": True}
    )["properties"]["dynamicThrottlingEnabled"] is True  # fmt: skip
    model = {"format": "OpenAI", "name": "gpt-4o"}
    made = emu.deploy(properties={"model": model, "dynamicThrottlingEnabled": True, "provisioningState": "Failed"})
    assert "dynamicThrottlingEnabled" not in made["properties"]
    assert made["properties"]["provisioningState"] == "Succeeded"


# The table -----------------------------------------------------------------------------------------------


def names_in(folder: Path) -> set[str]:
    return {
        f"{path.stem}::{node.name}"
        for path in folder.glob("test_*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_the_table_names_tests_that_exist() -> None:
    found = names_in(HERE) | names_in(HERE.parent / "programs")
    assert sorted(NAMED - found) == []
    assert [words for facts in FACTS.values() for words, tests in facts.items() if not tests] == []


def test_every_test_of_this_file_is_in_the_table() -> None:
    here = {name for name in names_in(HERE) if name.startswith("test_facts::")}
    own = {"test_the_table_names_tests_that_exist", "test_every_test_of_this_file_is_in_the_table"}
    assert sorted(here - NAMED - {f"test_facts::{name}" for name in own}) == []
