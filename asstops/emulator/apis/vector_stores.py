"""Vector stores: create, read, modify, list, delete, on every surface.

Owns the store object, its contract and its expiry. The files in a store are vector_store_files.py's.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from asstops.emulator import checks, data, ids, ingest
from asstops.emulator.checks import Check, Invalid, array, choice, number, record, string
from asstops.emulator.data import OLD, V1
from asstops.emulator.projects import shown_owner
from asstops.emulator.state import State
from asstops.emulator.store import load
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route

_DAY_S = 86_400
_STATIC = record(
    {"max_chunk_size_tokens": number(100, 4096, whole=True), "chunk_overlap_tokens": number(0, whole=True)},
    required=("max_chunk_size_tokens", "chunk_overlap_tokens"),
)
_AUTO_STRATEGY = record({"type": string()}, required=("type",))
_STATIC_STRATEGY = record({"type": string(), "static": _STATIC}, required=("type", "static"))


def CHUNKING(value: Any, path: str) -> None:  # noqa: N802 - used like the other contracts
    """A chunking strategy: auto, or static with an overlap of at most half a chunk."""
    checks.any_object(value, path)
    if "type" not in value:
        raise Invalid(f"{path}.type", "missing_required_parameter", f"Missing required parameter: '{path}.type'.")
    choice(("auto", "static"))(value["type"], f"{path}.type")
    (_AUTO_STRATEGY if value["type"] == "auto" else _STATIC_STRATEGY)(value, path)
    if value["type"] == "static":
        size, overlap = value["static"]["max_chunk_size_tokens"], value["static"]["chunk_overlap_tokens"]
        if overlap * 2 > size:
            raise Invalid(
                f"{path}.static.chunk_overlap_tokens",
                "invalid_value",
                f"Invalid '{path}.static.chunk_overlap_tokens': {overlap} is more than half of "
                f"max_chunk_size_tokens ({size}).",
            )


@cache
def _contract(surface: str, modify: bool) -> Check:
    expiry = record(
        {"anchor": choice(("last_active_at",)), "days": number(1, 365, whole=True)}, required=("anchor", "days")
    )
    fields: dict[str, Check] = {
        "name": string(nullable=modify),
        "expires_after": _nullable(expiry) if modify and surface != OLD else expiry,
        "metadata": data.METADATA_V1 if surface == V1 else data.METADATA,
    }
    if not modify:
        fields["file_ids"] = array(string(), longest=500)
        if surface != OLD:
            fields["chunking_strategy"] = CHUNKING
    return record(fields)


def _nullable(check: Check) -> Check:
    def checked(value: Any, path: str) -> None:
        if value is not None:
            check(value, path)

    return checked


def create(call: Call) -> Reply:
    body = data.body_of(call, _contract(call.surface, False))
    return Reply(shown(call, [make(call, body)])[0])


def make(call: Call, body: Json) -> Json:
    """Make a store from a checked description and attach its files."""
    files = body.get("file_ids") or []
    if "chunking_strategy" in body and not files:
        raise Invalid(
            "chunking_strategy",
            "invalid_value",
            "Invalid 'chunking_strategy': it is only allowed together with a non-empty 'file_ids'.",
        )
    data.known_files(call, files, "file_ids")
    state, now = call.state, call.state.now()
    stored: Json = {
        "id": ids.fresh("vs_"),
        "created_at": data.seconds(now),
        "name": body.get("name"),
        "expires_after": body.get("expires_after"),
        "last_active_at": now,
        "metadata": body.get("metadata") or {},
    }
    state.store.add(call.account, "vector_store", stored["id"], now, stored)
    attach(call, stored, files, body.get("chunking_strategy"), None)
    return stored


def attach(call: Call, store: Json, files: list[str], chunking: Json | None, attributes: Json | None) -> None:
    """Attach files to a store, refusing one file too many."""
    try:
        ingest.attach(call.state, call.account, store["id"], files, chunking=chunking, attributes=attributes)
    except ingest.StoreFull:
        raise Refusal(
            400,
            f"The vector store '{store['id']}' would have more than {ingest.MOST_FILES} files.",
            code="vector_store_file_limit_exceeded",
        ) from None


def touch(call: Call, store: Json) -> None:
    """Refuse an expired store, else note that it was used."""
    if _is_expired(store, call.state):
        raise Refusal(400, f"The vector store '{store['id']}' has expired.", code="vector_store_expired")
    store["last_active_at"] = call.state.now()
    call.state.store.put(call.account, "vector_store", store["id"], store)


def modify(call: Call) -> Reply:
    store = found(call)
    body = data.body_of(call, _contract(call.surface, True))
    for name in ("name", "expires_after"):
        if name in body:
            store[name] = body[name]
    if "metadata" in body:
        store["metadata"] = data.merged_metadata(call, store["metadata"], body["metadata"])
    call.state.store.put(call.account, "vector_store", store["id"], store)
    return Reply(shown(call, [store])[0])


def get(call: Call) -> Reply:
    return Reply(shown(call, [found(call)])[0])


def list_(call: Call) -> Reply:
    rows, more = data.list_of(call, "vector_store")
    return Reply(data.envelope(call, shown(call, [load(row) for row in rows]), more))


def delete(call: Call) -> Reply:
    """Delete a store. Assistants keep its id, which then leads nowhere; the files stay."""
    ident, store = found(call)["id"], call.state.store
    batches = [row[0] for row in store.all(
        "SELECT id FROM object WHERE account = ? AND kind = 'batch' AND json_extract(body, '$.vector_store_id') = ?",
        call.account, ident)]  # fmt: skip
    for batch in batches:
        store.run("DELETE FROM batch_file WHERE batch = ?", batch)
        store.drop(call.account, "batch", batch)
    store.run("DELETE FROM store_file WHERE store = ?", ident)
    store.drop(call.account, "vector_store", ident)
    return Reply({"id": ident, "object": "vector_store.deleted", "deleted": True})


def found(call: Call) -> Json:
    """Return the store that the path names, as stored."""
    ident = call.params["vector_store_id"]
    body = call.state.store.get(call.account, "vector_store", ident)
    if body is None:
        raise data.no_such("vector store", ident)
    return body


def shown(call: Call, stores: list[Json]) -> list[Json]:
    """Return stores in the form of answers."""
    state = call.state
    numbers = ingest.counts(state, [store["id"] for store in stores])
    unnamed = "" if state.on("unnamed_store") == "empty" else None
    result = []
    for store in stores:
        file_counts, usage = numbers[store["id"]]
        status = "in_progress" if file_counts["in_progress"] else "completed"
        answer = {
            "id": store["id"],
            "object": "vector_store",
            "created_at": store["created_at"],
            "name": unnamed if store["name"] is None else store["name"],
            "usage_bytes": usage,
            "file_counts": file_counts,
            "status": "expired" if _is_expired(store, state) else status,
            "expires_after": store["expires_after"],
            "expires_at": _expires_at(store),
            "last_active_at": data.seconds(store["last_active_at"]),
            "metadata": store["metadata"],
        }
        result.append(data.without_absent(call, answer, ("expires_after",)))
    return result


def _expires_at(store: Json) -> int | None:
    after = store["expires_after"]
    return data.seconds(store["last_active_at"]) + after["days"] * _DAY_S if after else None


def _is_expired(store: Json, state: State) -> bool:
    moment = _expires_at(store)
    return moment is not None and moment <= state.now()


def dump(state: State) -> list[Json]:
    rows = state.store.all(
        "SELECT owner.account, owner.project, object.body FROM object JOIN owner ON owner.row = object.account "
        "WHERE kind = 'vector_store' AND deleted_at IS NULL ORDER BY seq"
    )
    result = []
    for account, project, text in rows:
        body = load(text)
        files = state.store.all("SELECT file, status FROM store_file WHERE store = ? ORDER BY seq", body["id"])
        result.append(
            {
                **shown_owner(account, project),
                **body,
                "files": [{"id": file, "status": status} for file, status in files],
            }
        )
    return result


UPKEEP = [ingest.ingest]
DUMP = {"vector_stores": dump}
ROUTES = [
    Route("data", "POST", "/vector_stores", create, action="vector_stores/write"),
    Route("data", "GET", "/vector_stores", list_, action="vector_stores/read"),
    Route("data", "GET", "/vector_stores/{vector_store_id}", get, action="vector_stores/read"),
    Route("data", "POST", "/vector_stores/{vector_store_id}", modify, action="vector_stores/write"),
    Route("data", "DELETE", "/vector_stores/{vector_store_id}", delete, action="vector_stores/delete"),
]
