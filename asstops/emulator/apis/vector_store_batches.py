"""Batches of files on their way into a vector store: create, read, cancel, list.

Owns the batch object. Its status follows from its files; what is stored is which files they are.
"""

from __future__ import annotations

from functools import cache

from asstops.emulator import data, ids, ingest
from asstops.emulator.apis import vector_store_files, vector_stores
from asstops.emulator.checks import Check, array, record, string
from asstops.emulator.data import OLD, V1
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route

_BATCHES = "/vector_stores/{vector_store_id}/file_batches"


@cache
def _contract(surface: str) -> Check:
    fields: dict[str, Check] = {"file_ids": array(string(), longest=500, shortest=1)}
    if surface != OLD:
        fields["chunking_strategy"] = vector_stores.CHUNKING
    if surface == V1:
        fields["attributes"] = vector_store_files.ATTRIBUTES
    return record(fields, required=("file_ids",))


def create(call: Call) -> Reply:
    store = vector_stores.found(call)
    body = data.body_of(call, _contract(call.surface))
    data.known_files(call, body["file_ids"], "file_ids")
    vector_stores.touch(call, store)
    vector_stores.attach(call, store, body["file_ids"], body.get("chunking_strategy"), body.get("attributes"))
    state, now = call.state, call.state.now()
    batch: Json = {
        "id": ids.fresh("vsfb_"),
        "created_at": data.seconds(now),
        "vector_store_id": store["id"],
        "cancelled": False,
    }
    state.store.add(call.account, "batch", batch["id"], now, batch)
    state.store.many(
        "INSERT OR IGNORE INTO batch_file (batch, file) VALUES (?, ?)", [(batch["id"], f) for f in body["file_ids"]]
    )
    return Reply(_shown(call, batch))


def get(call: Call) -> Reply:
    return Reply(_shown(call, _found(call)))


def cancel(call: Call) -> Reply:
    """Cancel what is still in progress; what is done stays in the store."""
    batch = _found(call)
    shown = _shown(call, batch)
    if shown["status"] not in {"in_progress", "cancelled"}:
        raise Refusal(400, f"The batch '{batch['id']}' is {shown['status']} and cannot be cancelled.")
    call.state.store.run(
        "UPDATE store_file SET status = 'cancelled' WHERE store = ? AND status = 'in_progress' "
        "AND file IN (SELECT file FROM batch_file WHERE batch = ?)",
        batch["vector_store_id"], batch["id"],
    )  # fmt: skip
    batch["cancelled"] = True
    call.state.store.put(call.account, "batch", batch["id"], batch)
    return Reply(_shown(call, batch))


def list_files(call: Call) -> Reply:
    batch = _found(call)
    store = batch["vector_store_id"]
    # Asked of each row in order, so that a page costs a page; IN would gather the whole batch for each one.
    where = " AND EXISTS (SELECT 1 FROM batch_file WHERE batch = ? AND batch_file.file = store_file.file)"
    return vector_store_files.listed(call, store, where, batch["id"])


def _found(call: Call) -> Json:
    store, ident = vector_stores.found(call)["id"], call.params["batch_id"]
    batch = call.state.store.get(call.account, "batch", ident)
    if batch is None or batch["vector_store_id"] != store:
        raise data.no_such("file batch", ident)
    return batch


def _shown(call: Call, batch: Json) -> Json:
    rows = call.state.store.all(
        "SELECT status, count(*) FROM batch_file JOIN store_file ON store = ? AND store_file.file = batch_file.file "
        "WHERE batch = ? GROUP BY status",
        batch["vector_store_id"], batch["id"],
    )  # fmt: skip
    counts = ingest.tally(dict(rows))
    if batch["cancelled"]:
        status = "cancelled"
    elif counts["in_progress"]:
        status = "in_progress"
    else:
        status = "failed" if counts["total"] and counts["failed"] == counts["total"] else "completed"
    return {
        "id": batch["id"],
        "object": "vector_store.files_batch",
        "created_at": batch["created_at"],
        "vector_store_id": batch["vector_store_id"],
        "status": status,
        "file_counts": counts,
    }


ROUTES = [
    Route("data", "POST", _BATCHES, create),
    Route("data", "GET", f"{_BATCHES}/{{batch_id}}", get),
    Route("data", "POST", f"{_BATCHES}/{{batch_id}}/cancel", cancel),
    Route("data", "GET", f"{_BATCHES}/{{batch_id}}/files", list_files),
]
