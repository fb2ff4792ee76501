"""How an assistant looks on the wire of the Assistants API v2, both ways. Pure.

Source: the Azure OpenAI documents for 2024-05-01-preview and 2025-03-01-preview.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from asstops.kinds.base import Homes
from asstops.mark import from_metadata, is_ours
from asstops.model import Observed

TOOL_FIELDS = ("code_interpreter", "file_search", "functions")
_TEXTS = ("description", "instructions")
_PLAIN = ("model", "name", "temperature", "top_p", "response_format")


def fields(body: Mapping[str, Any], paths: set[str]) -> dict[str, Any]:
    """The request's plain fields for those of `paths` that `body` has. A cleared text is sent as "".

    An empty text reads the same as null everywhere, while a null might be taken for "leave it".
    """
    request = {path: body[path] for path in _PLAIN if path in paths and path in body}
    request |= {path: body[path] or "" for path in _TEXTS if path in paths and path in body}
    return request


def tools(body: Mapping[str, Any], live: Mapping[str, Any]) -> dict[str, Any]:
    """The whole list of tools and their resources; lists that `live` has and nobody wants are emptied."""
    listed: list[dict[str, Any]] = []
    resources: dict[str, Any] = {}
    if body["code_interpreter"]:
        listed.append({"type": "code_interpreter"})
    if body["file_search"]:
        search: dict[str, Any] = {"type": "file_search"}
        if body.get("file_search.max_num_results") is not None:
            search["file_search"] = {"max_num_results": body["file_search.max_num_results"]}
        listed.append(search)
    listed += [{"type": "function", "function": dict(definition)} for definition in body["functions"]]
    if body["code_interpreter.files"] or live.get("code_interpreter.files"):
        resources["code_interpreter"] = {"file_ids": list(body["code_interpreter.files"])}
    store = body["file_search.vector_store"]
    if store is not None or live.get("file_search.vector_store"):
        resources["file_search"] = {"vector_store_ids": [] if store is None else [store]}
    return {"tools": listed} | ({"tool_resources": resources} if resources else {})


def observed(item: Mapping[str, Any], homes: Homes) -> Observed:
    """A live assistant in the form in which wanted ones are compared."""
    metadata = item.get("metadata") or {}
    by_type: dict[str, list[Mapping[str, Any]]] = {}
    for tool in item.get("tools") or ():
        by_type.setdefault(tool.get("type", ""), []).append(tool)
    resources = item.get("tool_resources") or {}
    file_ids = (resources.get("code_interpreter") or {}).get("file_ids") or []
    store_ids = (resources.get("file_search") or {}).get("vector_store_ids") or []
    search = by_type.get("file_search", [{}])[0].get("file_search") or {}
    uses = {*homes, ("deployment", str(item.get("model")))}
    uses |= {("file", file) for file in file_ids} | {("vector_store", store) for store in store_ids}
    return Observed(
        kind="assistant",
        remote_id=item["id"],
        name=item.get("name") or item["id"],
        body={
            "name": item.get("name"),
            "model": item.get("model"),
            "description": item.get("description"),
            "instructions": item.get("instructions"),
            "temperature": item.get("temperature"),
            "top_p": item.get("top_p"),
            "response_format": item.get("response_format"),
            "metadata": {key: value for key, value in metadata.items() if not is_ours(key)},
            "code_interpreter": "code_interpreter" in by_type,
            "code_interpreter.files": list(file_ids),
            "file_search": "file_search" in by_type,
            "file_search.vector_store": store_ids[0] if store_ids else None,
            "file_search.max_num_results": search.get("max_num_results"),
            "functions": [_definition(tool.get("function") or {}) for tool in by_type.get("function", [])],
        },
        mark=from_metadata(metadata),
        created_at=item.get("created_at") or 0,
        uses=frozenset(uses),
        raw=item,
    )


_SHOWN = {
    "id", "object", "created_at", "name", "model", "description", "instructions", "temperature", "top_p",
    "response_format", "metadata", "tools", "tool_resources",
}  # fmt: skip
_TYPES = ("code_interpreter", "file_search", "function")


def unsaid(item: Mapping[str, Any]) -> Iterator[str]:
    """What an assistant has that no spec can say and the body does not show: `tools.bing_grounding`, say."""
    yield from sorted(name for name in item if name not in _SHOWN and item[name] not in (None, "", [], {}))
    for tool in item.get("tools") or ():
        kind = str(tool.get("type"))
        if kind not in _TYPES:
            yield f"tools.{kind}"
        elif kind == "file_search":
            options = tool.get("file_search") or {}
            ranking = options.get("ranking_options") or {}
            if ranking.get("score_threshold"):  # the service fills in the rest by itself
                yield "file_search.ranking_options"


def _definition(function: Mapping[str, Any]) -> dict[str, Any]:
    """A function as the spec would give it: `strict` only when it is on."""
    return {key: value for key, value in function.items() if key != "strict" or value}
