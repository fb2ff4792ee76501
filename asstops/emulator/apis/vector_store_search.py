"""Reading what is in a vector store: the content of a file, and search. On the 2025 preview only.

Owns both answers. Search counts the words of the query that a chunk has: enough to test a client, no more.
"""

from __future__ import annotations

import re
from typing import Any

from asstops.emulator import checks, data, ingest
from asstops.emulator.apis import vector_stores
from asstops.emulator.apis.files import content_of
from asstops.emulator.checks import array, boolean, choice, number, record, string
from asstops.emulator.data import NEW
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route

_ONLY = frozenset({NEW})
_CHARS_PER_TOKEN = 4
_TESTS = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}


def _scalar(value: Any, path: str) -> None:
    if not isinstance(value, (str, int, float, bool)):
        raise checks.wrong_type(path, "a string, number or boolean", value)


def _filter(value: Any, path: str) -> None:
    checks.any_object(value, path)
    if value.get("type") in ("and", "or"):
        record({"type": string(), "filters": array(_filter)}, required=("type", "filters"))(value, path)
        return
    fields = {"type": choice(_TESTS), "key": string(), "value": _scalar}
    record(fields, required=("type", "key", "value"))(value, path)


def _query(value: Any, path: str) -> None:
    (array(string(), shortest=1) if isinstance(value, list) else string())(value, path)


_SEARCH = record(
    {
        "query": _query,
        "rewrite_query": boolean(),
        "max_num_results": number(1, 50, whole=True),
        "filters": _filter,
        "ranking_options": record({"ranker": choice(("auto", "default-2024-11-15")), "score_threshold": number(0, 1)}),
    },
    required=("query",),
)


def content(call: Call) -> Reply:
    store, file = vector_stores.found(call)["id"], call.params["file_id"]
    found = ingest.one(call.state, store, file)
    if found is None:
        raise Refusal(404, f"No file found with id '{file}' in vector store '{store}'.")
    texts = _chunks(call, found) if found["status"] == "completed" else []
    page = [{"type": "text", "text": text} for text in texts]
    return Reply({"object": "vector_store.file_content.page", "data": page, "has_more": False, "next_page": None})


def search(call: Call) -> Reply:
    store = vector_stores.found(call)
    body = data.body_of(call, _SEARCH)
    vector_stores.touch(call, store)
    queries = body["query"] if isinstance(body["query"], list) else [body["query"]]
    words = {word for query in queries for word in re.findall(r"\w+", query.lower())}
    threshold = body.get("ranking_options", {}).get("score_threshold", 0)
    rows = call.state.store.all(ingest.SELECT + " WHERE store = ? AND status = 'completed' ORDER BY seq", store["id"])
    results = []
    for file in map(ingest.as_file, rows):
        if "filters" in body and not _passes(file["attributes"], body["filters"]):
            continue
        best, text = max(((_score(words, text), text) for text in _chunks(call, file)), default=(0.0, ""))
        if best > 0 and best >= threshold:
            results.append(_result(call, file, best, text))
    results.sort(key=lambda result: -result["score"])
    limit = body.get("max_num_results", 10)
    return Reply(
        {
            "object": "vector_store.search_results.page",
            "search_query": queries,
            "data": results[:limit],
            "has_more": len(results) > limit,
            "next_page": None,
        }
    )


def _result(call: Call, file: Json, score: float, text: str) -> Json:
    named = call.state.store.get(call.account, "file", file["file"])
    return {
        "file_id": file["file"],
        "filename": named["filename"] if named else "",
        "score": score,
        "attributes": file["attributes"],
        "content": [{"type": "text", "text": text}],
    }


def _chunks(call: Call, file: Json) -> list[str]:
    strategy = file["chunking_strategy"] or {}
    sizes = strategy.get("static") or {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}
    size = sizes["max_chunk_size_tokens"] * _CHARS_PER_TOKEN
    step = size - sizes["chunk_overlap_tokens"] * _CHARS_PER_TOKEN
    text = content_of(call.state, call.account, file["file"]).decode("utf-8", "replace")
    last = max(len(text) - size + step, 1)
    return [text[start : start + size] for start in range(0, last, step)]


def _score(words: set[str], text: str) -> float:
    found = words & set(re.findall(r"\w+", text.lower()))
    return round(len(found) / len(words), 4) if words else 0.0


def _passes(attributes: Json, wanted: Json) -> bool:
    if wanted["type"] in {"and", "or"}:
        results = [_passes(attributes, inner) for inner in wanted["filters"]]
        return all(results) if wanted["type"] == "and" else any(results)
    value, other = attributes.get(wanted["key"]), wanted["value"]
    if value is None:
        return bool(wanted["type"] == "ne")
    if isinstance(value, str) != isinstance(other, str):
        return bool(wanted["type"] == "ne")
    return bool(_TESTS[wanted["type"]](value, other))


ROUTES = [
    Route("data", "GET", "/vector_stores/{vector_store_id}/files/{file_id}/content", content, _ONLY),
    Route("data", "POST", "/vector_stores/{vector_store_id}/search", search, _ONLY, "vector_stores/read"),
]
