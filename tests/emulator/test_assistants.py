"""Assistants: every limit with a value at it and one past it, unknown fields, references, what modify does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.conftest import NEW, OLD, V1, Emu, error_of


def function(name: str = "f", **over: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": "", "parameters": {}, **over}}


def functions(number: int) -> list[dict[str, Any]]:
    return [function(f"f{n}") for n in range(number)]


def pairs(number: int, key: int = 1, value: int = 1) -> dict[str, str]:
    return {f"{n:0{key}d}": "v" * value for n in range(number)}


LIMITS = {  # name: the field, a value at the limit, one past it
    "name": ("name", "n" * 256, "n" * 257),
    "description": ("description", "d" * 512, "d" * 513),
    "instructions": ("instructions", "i" * 256_000, "i" * 256_001),
    "tools": ("tools", functions(128), functions(129)),
    "temperature high": ("temperature", 2, 2.01),
    "temperature low": ("temperature", 0, -0.01),
    "top_p high": ("top_p", 1, 1.01),
    "top_p low": ("top_p", 0, -0.01),
    "metadata pairs": ("metadata", pairs(16), pairs(17)),
    "metadata key": ("metadata", pairs(1, key=64), pairs(1, key=65)),
    "metadata value": ("metadata", pairs(1, value=512), pairs(1, value=513)),
    "function name": ("tools", [function("f" * 64)], [function("f" * 65)]),
    "function name letters": ("tools", [function("A-z_0")], [function("a b")]),
    "function name empty": ("tools", [function("a")], [function("")]),
}


@pytest.mark.parametrize("modify", [False, True], ids=["create", "modify"])
@pytest.mark.parametrize("surface", [OLD, NEW])
@pytest.mark.parametrize("case", LIMITS)
def test_limit(emu: Emu, case: str, surface: str, modify: bool) -> None:
    field, good, bad = LIMITS[case]
    path = f"/assistants/{emu.assistant()['id']}" if modify else "/assistants"
    base = {} if modify else {"model": "gpt-4o"}
    answer = emu.data("POST", path, {**base, field: good}, surface=surface)
    assert answer.status_code == 200, answer.text
    assert answer.json()[field] == good
    error = error_of(emu.data("POST", path, {**base, field: bad}, surface=surface), 400)
    assert error["type"] == "invalid_request_error"
    assert error["param"].startswith(field)
    assert set(error) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("most", [1, 50])
def test_max_num_results(emu: Emu, most: int) -> None:
    tools = [{"type": "file_search", "file_search": {"max_num_results": most}}]
    assert emu.assistant(tools=tools)["tools"] == tools
    beyond = [{"type": "file_search", "file_search": {"max_num_results": 0 if most == 1 else 51}}]
    error_of(emu.data("POST", "/assistants", {"model": "gpt-4o", "tools": beyond}), 400)
    unknown = error_of(emu.data("POST", "/assistants", {"model": "gpt-4o", "tools": tools}, surface=OLD), 400)
    assert unknown["code"] == "unknown_parameter"


def test_code_interpreter_takes_twenty_files(emu: Emu) -> None:
    files = [emu.upload(f"{n}.csv")["id"] for n in range(21)]

    def body(number: int) -> dict[str, Any]:
        return {"model": "gpt-4o", "tool_resources": {"code_interpreter": {"file_ids": files[:number]}}}

    assert emu.data("POST", "/assistants", body(20)).status_code == 200
    assert error_of(emu.data("POST", "/assistants", body(21)), 400)["code"] == "array_above_max_length"


def test_file_search_takes_one_store(emu: Emu) -> None:
    stores = [emu.store()["id"] for _ in range(2)]
    for resources in (
        {"vector_store_ids": stores},
        {"vector_stores": [{}, {}]},
        {"vector_store_ids": stores[:1], "vector_stores": [{}]},
        {},
    ):
        error_of(
            emu.data("POST", "/assistants", {"model": "gpt-4o", "tool_resources": {"file_search": resources}}), 400
        )
    made = emu.assistant(tool_resources={"file_search": {"vector_store_ids": stores[:1]}})
    assert made["tool_resources"] == {"file_search": {"vector_store_ids": stores[:1]}}


def test_helper_makes_a_store(emu: Emu) -> None:
    file = emu.upload()["id"]
    made = emu.assistant(
        tool_resources={"file_search": {"vector_stores": [{"file_ids": [file], "metadata": {"a": "b"}}]}}
    )
    (store,) = made["tool_resources"]["file_search"]["vector_store_ids"]
    read = emu.data("GET", f"/vector_stores/{store}").json()
    assert (read["metadata"], read["file_counts"]["total"]) == ({"a": "b"}, 1)
    path = f"/assistants/{made['id']}"
    error = error_of(emu.data("POST", path, {"tool_resources": {"file_search": {"vector_stores": [{}]}}}), 400)
    assert error["code"] == "unknown_parameter"


BAD_BODIES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown field": ({"nmae": "x"}, "unknown_parameter"),
    "reasoning_effort": ({"reasoning_effort": "low"}, "unknown_parameter"),
    "name of the wrong type": ({"name": 1}, "invalid_type"),
    "metadata not strings": ({"metadata": {"a": 1}}, "invalid_type"),
    "metadata no object": ({"metadata": []}, "invalid_type"),
    "tools null": ({"tools": None}, "invalid_type"),
    "tool without type": ({"tools": [{}]}, "missing_required_parameter"),
    "unknown tool": ({"tools": [{"type": "retrieval"}]}, "invalid_value"),
    "code_interpreter twice": ({"tools": [{"type": "code_interpreter"}] * 2}, "invalid_value"),
    "function twice": ({"tools": [function(), function()]}, "invalid_value"),
    "function field": ({"tools": [function(foo=1)]}, "unknown_parameter"),
    "function without description": (
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]},
        "missing_required_parameter",
    ),
    "function without parameters": (
        {"tools": [{"type": "function", "function": {"name": "f", "description": ""}}]},
        "missing_required_parameter",
    ),
    "ranking_options": (
        {"tools": [{"type": "file_search", "file_search": {"ranking_options": {}}}]},
        "unknown_parameter",
    ),
    "temperature a boolean": ({"temperature": True}, "invalid_type"),
    "temperature a string": ({"temperature": "1"}, "invalid_type"),
    "unknown resource": ({"tool_resources": {"browser": {}}}, "unknown_parameter"),
    "response_format none": ({"response_format": "none"}, "invalid_value"),
    "response_format unknown": ({"response_format": {"type": "xml"}}, "invalid_value"),
    "json_schema without name": (
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
        "missing_required_parameter",
    ),
}


@pytest.mark.parametrize("modify", [False, True], ids=["create", "modify"])
@pytest.mark.parametrize("case", BAD_BODIES)
def test_bad_body(emu: Emu, case: str, modify: bool) -> None:
    body, code = BAD_BODIES[case]
    path = f"/assistants/{emu.assistant()['id']}" if modify else "/assistants"
    before = emu.admin("GET", "/dump")
    error = error_of(emu.data("POST", path, {**({} if modify else {"model": "gpt-4o"}), **body}), 400)
    assert error["code"] == code
    assert emu.admin("GET", "/dump") == before


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"x"', b'{"model": NaN}'])
def test_body_must_be_a_json_object(emu: Emu, raw: bytes) -> None:
    error_of(emu.data("POST", "/assistants", content=raw), 400)


def test_model_is_an_existing_deployment(emu: Emu) -> None:
    error = error_of(emu.data("POST", "/assistants", {"model": "gpt-4.1"}), 400)
    assert (error["param"], error["code"]) == ("model", "model_not_found")
    error = error_of(emu.data("POST", "/assistants", {}), 400)
    assert error["code"] == "missing_required_parameter"
    made = emu.assistant()
    error_of(emu.data("POST", f"/assistants/{made['id']}", {"model": "gpt-4.1"}), 400)


def test_references_must_exist(emu: Emu) -> None:
    for resources in (
        {"code_interpreter": {"file_ids": ["assistant-none"]}},
        {"file_search": {"vector_store_ids": ["vs_none"]}},
    ):
        error_of(emu.data("POST", "/assistants", {"model": "gpt-4o", "tool_resources": resources}), 400)


def test_deleted_store_leaves_a_dangling_id(emu: Emu) -> None:
    store = emu.store()["id"]
    resources = {"file_search": {"vector_store_ids": [store]}}
    made = emu.assistant(tool_resources=resources)
    assert emu.data("DELETE", f"/vector_stores/{store}").status_code == 200
    assert emu.data("GET", f"/assistants/{made['id']}").json()["tool_resources"] == resources
    assert emu.data("POST", f"/assistants/{made['id']}", {"name": "still works"}).status_code == 200
    error_of(emu.data("POST", f"/assistants/{made['id']}", {"tool_resources": resources}), 400)


def test_modify_changes_only_what_is_given_and_null_clears(emu: Emu) -> None:
    file = emu.upload()["id"]
    resources = {"code_interpreter": {"file_ids": [file]}}
    made = emu.assistant(name="n", description="d", instructions="i", temperature=1.5, metadata={"a": "b"},
                         tools=[{"type": "code_interpreter"}], tool_resources=resources)  # fmt: skip
    path = f"/assistants/{made['id']}"
    assert emu.data("POST", path, {}).json() == made
    cleared = {"name": None, "description": None, "instructions": None, "temperature": None, "metadata": None}
    assert emu.data("POST", path, cleared).json() == {**made, **cleared, "metadata": {}}
    emptied = {"tools": [], "tool_resources": {"code_interpreter": {"file_ids": []}}}
    assert emu.data("POST", path, emptied).json()["tool_resources"] == emptied["tool_resources"]
    for name in ("model", "tools", "tool_resources"):
        assert error_of(emu.data("POST", path, {name: None}), 400)["code"] == "invalid_type"


def test_metadata_is_replaced_whole(emu: Emu) -> None:
    path = f"/assistants/{emu.assistant(metadata={'a': '1', 'b': '2'})['id']}"
    assert emu.data("POST", path, {"metadata": {"b": "3"}}).json()["metadata"] == {"b": "3"}


@pytest.mark.parametrize("word", ["auto", "none"])
def test_response_format_of_the_older_version(emu: Emu, word: str) -> None:
    body = {"model": "gpt-4o", "response_format": word}
    assert emu.data("POST", "/assistants", body, surface=OLD).json()["response_format"] == word
    schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}
    error_of(emu.data("POST", "/assistants", {**body, "response_format": schema}, surface=OLD), 400)
    error_of(emu.data("POST", "/assistants", {**body, "response_format": None}, surface=OLD), 400)
    assert emu.assistant(response_format=schema)["response_format"] == schema


def test_unknown_assistant_and_retired_surface(emu: Emu) -> None:
    for method in ("GET", "POST", "DELETE"):
        error_of(emu.data(method, "/assistants/asst_none", {} if method == "POST" else None), 404)
    error = error_of(emu.data("GET", "/assistants", surface=V1), 404)
    assert error == {"code": "404", "message": "Resource not found"}


def test_ids_look_real(emu: Emu) -> None:
    made = emu.assistant()["id"]
    assert made.startswith("asst_")
    assert len(made) == len("asst_") + 24
    assert made[5:].isalnum()
