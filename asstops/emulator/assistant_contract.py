"""What a body that creates or modifies an assistant may hold.

Owns the fields and limits of each dated api-version. What a body refers to is checked elsewhere.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from asstops.emulator import checks, data, ingest
from asstops.emulator.apis import vector_stores
from asstops.emulator.checks import Check, Invalid, array, choice, number, record, string
from asstops.emulator.data import OLD
from asstops.emulator.wire import Call

FUNCTION_NAME = r"[A-Za-z0-9_-]{1,64}"


def contract(call: Call, *, modify: bool) -> Check:
    on = call.state.on
    return _built(
        call.surface,
        modify,
        int(on("modify_instructions_limit")) if modify else 256_000,
        on("function_strict"),
        on("file_search_defaults"),
    )


@cache
def _built(surface: str, modify: bool, longest_instructions: int, strict: str, search_defaults: str) -> Check:
    code = record({"file_ids": array(string(), longest=20)})
    searched: dict[str, Check] = {"vector_store_ids": array(string(), longest=1)}
    if not modify:
        store: dict[str, Check] = {
            "file_ids": array(string(), longest=ingest.MOST_FILES),
            "metadata": data.METADATA,
        }
        if surface != OLD:
            store["chunking_strategy"] = vector_stores.CHUNKING
        searched["vector_stores"] = array(record(store), longest=1)
    search = record(searched)

    def search_once(value: Any, path: str) -> None:
        search(value, path)
        if not modify and len(set(value) & {"vector_store_ids", "vector_stores"}) != 1:
            raise Invalid(
                path,
                "invalid_value",
                f"Invalid '{path}': exactly one of 'vector_store_ids' and 'vector_stores' must be given.",
            )

    fields: dict[str, Check] = {
        "model": string(),
        "name": string(longest=256, nullable=True),
        "description": string(longest=512, nullable=True),
        "instructions": string(longest=longest_instructions, nullable=True),
        "tools": tool_list(surface, strict, search_defaults),
        "tool_resources": record({"code_interpreter": code, "file_search": search_once}, nullable=not modify),
        "metadata": data.METADATA,
        "temperature": number(0, 2, nullable=True),
        "top_p": number(0, 1, nullable=True),
        "response_format": response_format(surface),
    }
    return record(fields, required=() if modify else ("model",))


def tool_list(surface: str, strict: str, search_defaults: str) -> Check:
    function: dict[str, Check] = {
        "name": string(pattern=FUNCTION_NAME),
        "description": string(),
        "parameters": checks.any_object,
    }
    if strict != "refuse":
        function["strict"] = checks.boolean(nullable=True)
    search: dict[str, Check] = {"type": string()}
    if surface != OLD:
        inner: dict[str, Check] = {"max_num_results": number(1, 50, whole=True)}
        if search_defaults == "filled":  # a service that fills it in also takes it back
            inner["ranking_options"] = record({"ranker": string(), "score_threshold": number(0, 1)})
        search["file_search"] = record(inner)
    kinds = {
        "code_interpreter": record({"type": string()}),
        "file_search": record(search),
        "function": record(
            {"type": string(), "function": record(function, required=("name", "parameters", "description"))},
            required=("function",),
        ),
    }

    def tool(value: Any, path: str) -> None:
        checks.any_object(value, path)
        if "type" not in value:
            raise Invalid(f"{path}.type", "missing_required_parameter", f"Missing required parameter: '{path}.type'.")
        choice(kinds)(value["type"], f"{path}.type")
        kinds[value["type"]](value, path)

    every = array(tool, longest=128)

    def tools(value: Any, path: str) -> None:
        every(value, path)
        seen = set()
        for index, entry in enumerate(value):
            name = entry["function"]["name"] if entry["type"] == "function" else entry["type"]
            if (entry["type"], name) in seen:
                raise Invalid(f"{path}[{index}]", "invalid_value", f"Duplicate tool in '{path}': '{name}'.")
            seen.add((entry["type"], name))

    return tools


def response_format(surface: str) -> Check:
    words = ("none", "auto") if surface == OLD else ("auto",)
    forms = {"text": record({"type": string()}), "json_object": record({"type": string()})}
    if surface != OLD:
        schema = record(
            {
                "name": string(pattern=FUNCTION_NAME),
                "description": string(),
                "schema": checks.any_object,
                "strict": checks.boolean(nullable=True),
            },
            required=("name", "schema"),
        )
        forms["json_schema"] = record({"type": string(), "json_schema": schema}, required=("json_schema",))

    def check(value: Any, path: str) -> None:
        if value is None and surface != OLD:
            return
        if isinstance(value, str):
            choice(words)(value, path)
            return
        checks.any_object(value, path)
        kind = value.get("type", "text" if surface == OLD else None)
        choice(forms)(kind, f"{path}.type")
        forms[kind](value, path)

    return check
