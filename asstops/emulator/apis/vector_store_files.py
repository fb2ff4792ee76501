"""The files of a vector store: attach, list, read, detach, attributes.

Owns the vector-store-file object and the list of such files, which batches share. Attributes are in answers
on v1 alone; the 2025 preview has only a route that updates them, the 2024 preview nothing.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from asstops.emulator import checks, data, ingest
from asstops.emulator.apis import vector_stores
from asstops.emulator.checks import Check, choice, mapping, record, string
from asstops.emulator.data import NEW, OLD, V1
from asstops.emulator.store import dump
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route

_STRING = string(longest=512)
_AUTO = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
_MESSAGES = {
    "unsupported_file": "The file type is not supported.",
    "invalid_file": "The file could not be parsed because it is invalid.",
    "server_error": "An internal error occurred.",
}
_OLD_CODES = {
    "unsupported_file": "unhandled_mime_type",
    "invalid_file": "parsing_error",
    "server_error": "internal_error",
}


def _attribute(value: Any, path: str) -> None:
    if isinstance(value, (bool, int, float)):
        return
    if not isinstance(value, str):
        raise checks.wrong_type(path, "a string, number or boolean", value)
    _STRING(value, path)


ATTRIBUTES: Check = mapping(_attribute, most=16, key_longest=64, nullable=True)


@cache
def _contract(surface: str) -> Check:
    fields: dict[str, Check] = {"file_id": string()}
    if surface != OLD:
        fields["chunking_strategy"] = vector_stores.CHUNKING
    if surface == V1:
        fields["attributes"] = ATTRIBUTES
    return record(fields, required=("file_id",))


def create(call: Call) -> Reply:
    store = vector_stores.found(call)
    body = data.body_of(call, _contract(call.surface))
    data.known_files(call, [body["file_id"]], "file_id")
    vector_stores.touch(call, store)
    vector_stores.attach(call, store, [body["file_id"]], body.get("chunking_strategy"), body.get("attributes"))
    return Reply(_shown(call, store["id"], _file(call, store["id"], body["file_id"])))


def get(call: Call) -> Reply:
    store = vector_stores.found(call)["id"]
    return Reply(_shown(call, store, _file(call, store, call.params["file_id"])))


def set_attributes(call: Call) -> Reply:
    store = vector_stores.found(call)["id"]
    file = _file(call, store, call.params["file_id"])
    body = data.body_of(call, record({"attributes": ATTRIBUTES}, required=("attributes",)))
    file["attributes"] = body["attributes"] or {}
    stored = {"chunking_strategy": file["chunking_strategy"], "attributes": file["attributes"]}
    call.state.store.run(
        "UPDATE store_file SET body = ? WHERE store = ? AND file = ?",
        dump(stored), store, file["file"],
    )  # fmt: skip
    return Reply(_shown(call, store, file))


def delete(call: Call) -> Reply:
    """Take a file out of a store; the file itself stays."""
    store = vector_stores.found(call)
    file = _file(call, store["id"], call.params["file_id"])["file"]
    call.state.store.run("DELETE FROM store_file WHERE store = ? AND file = ?", store["id"], file)
    return Reply({"id": file, "object": "vector_store.file.deleted", "deleted": True})


def list_(call: Call) -> Reply:
    store = vector_stores.found(call)["id"]
    return listed(call, store)


def listed(call: Call, store: str, where: str = "", *args: Any) -> Reply:
    """Return a page of the files of a store, narrowed by `where`."""
    status = call.one("filter")
    if status is not None:
        choice(ingest.STATUSES)(status, "filter")
        where, args = f"{where} AND status = ?", (*args, status)
    scope = ("store = ?", store)
    rows, more = data.page_of(call, "store_file", ingest.COLUMNS, scope, where, *args, key="file")
    files = [_shown(call, store, ingest.as_file(row)) for row in rows]
    return Reply(data.envelope(call, files, more))


def _file(call: Call, store: str, ident: str) -> Json:
    file = ingest.one(call.state, store, ident)
    if file is None:
        raise Refusal(404, f"No file found with id '{ident}' in vector store '{store}'.")
    return file


def _shown(call: Call, store: str, file: Json) -> Json:
    error = None
    if file["status"] == "failed":
        code = file["outcome"] if file["outcome"] in _MESSAGES else "server_error"
        error = {"code": _OLD_CODES[code] if call.surface == OLD else code, "message": _MESSAGES[code]}
    answer: Json = {
        "id": file["file"],
        "object": "vector_store.file",
        "usage_bytes": file["usage"],
        "created_at": data.seconds(file["created"]),
        "vector_store_id": store,
        "status": file["status"],
        "last_error": error,
    }
    if call.surface != OLD:
        answer["chunking_strategy"] = _strategy(call, file["chunking_strategy"])
    if call.surface == V1:
        answer["attributes"] = file["attributes"]
    return answer


def _strategy(call: Call, sent: Json | None) -> Json:
    if call.state.on("chunking_answer") == "other":
        # The dated document has no "other" in answers; "auto" is its way not to say.
        return {"type": "other" if call.surface == V1 else "auto"}
    return sent if sent and sent["type"] == "static" else _AUTO


ROUTES = [
    Route("data", "POST", "/vector_stores/{vector_store_id}/files", create),
    Route("data", "GET", "/vector_stores/{vector_store_id}/files", list_),
    Route("data", "GET", "/vector_stores/{vector_store_id}/files/{file_id}", get),
    Route("data", "DELETE", "/vector_stores/{vector_store_id}/files/{file_id}", delete),
    Route("data", "POST", "/vector_stores/{vector_store_id}/files/{file_id}", set_attributes, frozenset({NEW, V1})),
]
