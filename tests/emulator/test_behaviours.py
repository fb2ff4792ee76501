"""The switches for what is not known of the service: each value of each changes what it says."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from asstops.emulator import BEHAVIOURS, EmulatorError, EmulatorSettings
from tests.emulator.conftest import GROUP, NEW, OLD, V1, Emu

FUNCTION = {"type": "function", "function": {"name": "f", "description": "", "parameters": {}}}
SEARCH = {"type": "file_search", "file_search": {"max_num_results": 3}}


def modified(emu: Emu, first: dict[str, Any], second: dict[str, Any]) -> Any:
    path = f"/assistants/{emu.assistant(**first)['id']}"
    answer = emu.data("POST", path, second)
    return answer.json() if answer.status_code == 200 else answer.status_code


def metadata_modify(emu: Emu) -> Any:
    return modified(emu, {"metadata": {"a": "1"}}, {"metadata": {"b": "2"}})["metadata"]


def tools_modify(emu: Emu) -> Any:
    made = modified(emu, {"tools": [{"type": "code_interpreter"}, FUNCTION]}, {"tools": [FUNCTION]})
    return [tool["type"] for tool in made["tools"]]


def tool_resources_modify(emu: Emu) -> Any:
    file, store = emu.upload()["id"], emu.store()["id"]
    code, search = {"code_interpreter": {"file_ids": [file]}}, {"file_search": {"vector_store_ids": [store]}}
    made = modified(emu, {"tool_resources": code}, {"tool_resources": search})
    return sorted(made["tool_resources"])


def function_strict(emu: Emu) -> Any:
    tool = {"type": "function", "function": {**FUNCTION["function"], "strict": True}}  # type: ignore[dict-item]
    answer = emu.data("POST", "/assistants", {"model": "gpt-4o", "tools": [tool]})
    return answer.json()["tools"][0]["function"].get("strict") if answer.status_code == 200 else answer.status_code


def modify_instructions_limit(emu: Emu) -> Any:
    made = modified(emu, {"instructions": "x" * 256_000}, {"instructions": "y" * 32_769})
    return made if isinstance(made, int) else 200


def defaults_filled(emu: Emu) -> Any:
    made = emu.assistant()
    return [made[name] for name in ("temperature", "top_p", "response_format")]


def tools_order(emu: Emu) -> Any:
    return [tool["type"] for tool in emu.assistant(tools=[FUNCTION, SEARCH, {"type": "code_interpreter"}])["tools"]]


def file_search_defaults(emu: Emu) -> Any:
    read = emu.assistant(tools=[SEARCH, FUNCTION])["tools"][0]
    assert emu.data("POST", "/assistants", {"model": "gpt-4o", "tools": [read]}).status_code == 200
    return sorted(read["file_search"])


def tool_resources_defaults(emu: Emu) -> Any:
    return emu.assistant(tools=[{"type": "code_interpreter"}])["tool_resources"]


def absent_fields(emu: Emu) -> Any:
    return ["expires_after" in emu.store(), "expires_at" in emu.upload()]


def unnamed_store(emu: Emu) -> Any:
    return emu.store()["name"]


def empty_list_ids(emu: Emu) -> Any:
    return emu.data("GET", "/assistants").json()["last_id"]


def files_has_more(emu: Emu) -> Any:
    return emu.data("GET", "/files").json().get("has_more", "absent")


def filename_quotes(emu: Emu) -> Any:
    return emu.openai().files.create(file=('a"b.md', b"x"), purpose="assistants").filename


def same_filename(emu: Emu) -> Any:
    emu.upload("a.md")
    sent = {"files": {"file": ("a.md", b"other")}, "data": {"purpose": "assistants"}}
    return emu.data("POST", "/files", **sent).status_code


def assistants_content(emu: Emu) -> Any:
    return emu.data("GET", f"/files/{emu.upload()['id']}/content").status_code


def assistants_api(emu: Emu) -> Any:
    assert emu.data("GET", "/vector_stores").status_code == 200
    return emu.data("GET", "/assistants").status_code


def chunking_answer(emu: Emu) -> Any:
    file = emu.upload()["id"]
    path = f"/vector_stores/{emu.store(file_ids=[file])['id']}/files/{file}"
    return [emu.data("GET", path, surface=surface).json()["chunking_strategy"]["type"] for surface in (NEW, V1)]


def arm_polling(emu: Emu) -> Any:
    answer = emu.arm(
        "PUT", f"{GROUP}/accounts/contoso", {"location": "westus", "kind": "OpenAI", "sku": {"name": "S0"}}
    )
    return sorted(set(answer.headers) & {"azure-asyncoperation", "location"})


def arm_patch_answer(emu: Emu) -> Any:
    emu.account()
    return emu.arm("PATCH", f"{GROUP}/accounts/contoso", {"tags": {}}).status_code


def deployment_defaults(emu: Emu) -> Any:
    emu.account()
    return "raiPolicyName" in emu.deploy()["properties"]


def permission_denied_status(emu: Emu) -> Any:
    emu.admin("POST", "/roles", {"data_read": False})
    token = emu.token("https://cognitiveservices.azure.com")
    return emu.data("GET", "/files", headers={"authorization": f"Bearer {token}"}).status_code


def conflict_retry_after(emu: Emu) -> Any:
    emu.account()
    emu.admin("POST", "/faults", {"method": "PATCH", "operation": "stuck"})
    emu.arm("PATCH", f"{GROUP}/accounts/contoso", {"tags": {}})
    return emu.arm("PATCH", f"{GROUP}/accounts/contoso", {"tags": {}}).headers.get("retry-after")


def message_content_parts(emu: Emu) -> Any:
    thread = emu.data("POST", "/threads", {}).json()["id"]
    said = {"role": "user", "content": [{"type": "text", "text": "x"}]}
    return emu.data("POST", f"/threads/{thread}/messages", said).status_code


EXPECTED: dict[str, tuple[Any, list[Any]]] = {  # name: probe, what it finds for each allowed value in order
    "metadata_modify": (metadata_modify, [{"b": "2"}, {"a": "1", "b": "2"}]),
    "tools_modify": (tools_modify, [["function"], ["code_interpreter", "function"]]),
    "tool_resources_modify": (tool_resources_modify, [["code_interpreter", "file_search"], ["file_search"]]),
    "function_strict": (function_strict, [True, None, 400]),
    "modify_instructions_limit": (modify_instructions_limit, [200, 400]),
    "defaults_filled": (defaults_filled, [[None, None, None], [1.0, 1.0, "auto"]]),
    "tools_order": (
        tools_order,
        [["function", "file_search", "code_interpreter"], ["code_interpreter", "file_search", "function"]],
    ),
    "file_search_defaults": (file_search_defaults, [["max_num_results"], ["max_num_results", "ranking_options"]]),
    "tool_resources_defaults": (tool_resources_defaults, [{}, {"code_interpreter": {"file_ids": []}}]),
    "absent_fields": (absent_fields, [[False, False], [True, True]]),
    "unnamed_store": (unnamed_store, ["", None]),
    "empty_list_ids": (empty_list_ids, ["", None]),
    "files_has_more": (files_has_more, [False, "absent", True]),
    "filename_quotes": (filename_quotes, ["a%22b.md", 'a"b.md']),
    "same_filename": (same_filename, [200, 400]),
    "assistants_content": (assistants_content, [400, 200]),
    "assistants_api": (assistants_api, [200, 404, 410]),
    "chunking_answer": (chunking_answer, [["static", "static"], ["auto", "other"]]),
    "arm_polling": (arm_polling, [["azure-asyncoperation"], ["location"], []]),
    "arm_patch_answer": (arm_patch_answer, [202, 200]),
    "deployment_defaults": (deployment_defaults, [True, False]),
    "permission_denied_status": (permission_denied_status, [403, 401]),
    "conflict_retry_after": (conflict_retry_after, [None, "1"]),
    "message_content_parts": (message_content_parts, [200, 400]),
}


def test_every_switch_is_tested() -> None:
    """Each value of each, here or in a test (or the table of one) that names the switch and all its values."""
    assert set(EXPECTED) <= set(BEHAVIOURS)
    assert {name: len(found) for name, (_, found) in EXPECTED.items()} == {n: len(BEHAVIOURS[n]) for n in EXPECTED}
    elsewhere = [words for path in Path(__file__).parent.glob("test_*.py") for words in _words_of_statements(path)]
    untested = [name for name in BEHAVIOURS if not any({name, *BEHAVIOURS[name]} <= words for words in elsewhere)]
    assert sorted(set(untested) - set(EXPECTED)) == []


def _words_of_statements(path: Path) -> list[set[str]]:
    """Return the texts in each top-level statement of a module: a test with its marks, or a table."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    return [{n.value for n in ast.walk(each) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
            for each in module.body]  # fmt: skip


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
@pytest.mark.parametrize(("name", "index"), [(name, n) for name in EXPECTED for n in range(len(BEHAVIOURS[name]))])
def test_switch(emulator: Any, name: str, index: int) -> None:
    probe, found = EXPECTED[name]
    with emulator(behaviour={name: BEHAVIOURS[name][index]}) as emu:
        assert probe(emu) == found[index]


def test_bad_switches_are_refused() -> None:
    with pytest.raises(EmulatorError, match="unknown behaviour 'nothing'"):
        EmulatorSettings(behaviour={"nothing": "x"})
    with pytest.raises(EmulatorError, match="allowed are replace, merge"):
        EmulatorSettings(behaviour={"metadata_modify": "x"})
    with pytest.raises(EmulatorError, match="must not be negative"):
        EmulatorSettings(ingestion_s=-1)


def test_older_version_leaves_file_search_options_out(emu: Emu) -> None:
    made = emu.assistant(tools=[SEARCH])["id"]
    assert emu.data("GET", f"/assistants/{made}", surface=OLD).json()["tools"] == [{"type": "file_search"}]
