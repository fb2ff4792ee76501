"""Files inside vector stores: attaching them, their ingestion, and the counts that follow from it.

Owns the rows of `store_file` and the passage of time over them. The forms of answers are in apis/.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from asstops.emulator.state import State
from asstops.emulator.store import dump, load
from asstops.emulator.wire import Json

MOST_FILES = 10_000
SEARCHABLE = frozenset(
    ("c", "cpp", "cs", "css", "doc", "docx", "go", "html", "java", "js", "json", "md", "pdf", "php", "pptx", "py", "rb",
     "sh", "tex", "ts", "txt")
)  # fmt: skip
STATUSES = ("in_progress", "completed", "failed", "cancelled")
COLUMNS = "file, created, status, outcome, usage, body"
SELECT = f"SELECT {COLUMNS} FROM store_file"  # noqa: S608 - names from the line above


class StoreFull(Exception):
    """The store would hold more files than it may."""


def attach(
    state: State,
    account: int,
    store: str,
    files: Sequence[str],
    *,
    chunking: Json | None = None,
    attributes: Json | None = None,
) -> None:
    """Attach files that exist. One that is attached already stays as it is, unless its ingestion ended badly."""
    now, wanted = state.now(), list(dict.fromkeys(files))
    held = state.store.one("SELECT count(*) FROM store_file WHERE store = ?", store)[0]
    fresh = []
    for file in wanted:
        row = state.store.one("SELECT status FROM store_file WHERE store = ? AND file = ?", store, file)
        if row is None:
            fresh.append(file)
        elif row[0] in {"failed", "cancelled"}:
            state.store.run("DELETE FROM store_file WHERE store = ? AND file = ?", store, file)
            held -= 1
            fresh.append(file)
    if held + len(fresh) > MOST_FILES:
        raise StoreFull
    body = dump({"chunking_strategy": chunking, "attributes": attributes or {}})
    rows = []
    for file in fresh:
        found = state.store.get(account, "file", file)
        assert found is not None
        outcome, due = _prospect(state, found["filename"], now)
        rows.append((account, store, file, now, due, outcome, "in_progress", body))
        state.wake(due)
    state.store.many(
        "INSERT INTO store_file (account, store, file, created, due, outcome, status, body) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


def _prospect(state: State, filename: str, now: float) -> tuple[str, float]:
    """Return how the ingestion of a file will end, and when."""
    due = now + state.settings.ingestion_s
    fault = state.faults.for_ingestion(filename)
    if fault is not None:
        return (fault.error_code or "server_error", math.inf if fault.ingestion == "stuck" else due)
    extension = filename.rpartition(".")[2].lower() if "." in filename else ""
    return ("completed" if extension in SEARCHABLE else "unsupported_file"), due


def ingest(state: State, now: float) -> float:
    """End the ingestions that are due; return when the next one is."""
    state.store.run(
        "UPDATE store_file SET usage = CASE outcome WHEN 'completed' THEN coalesce((SELECT json_extract(o.body, "
        "'$.bytes') FROM object o WHERE o.account = store_file.account AND o.kind = 'file' AND o.id = store_file.file"
        "), 0) ELSE 0 END, status = CASE outcome WHEN 'completed' THEN 'completed' ELSE 'failed' END "
        "WHERE status = 'in_progress' AND due <= ?",
        now,
    )
    found = state.store.one("SELECT min(due) FROM store_file WHERE status = 'in_progress'")
    return math.inf if found[0] is None else float(found[0])


def counts(state: State, stores: Iterable[str]) -> dict[str, tuple[Json, int]]:
    """Return file_counts and usage_bytes of each store."""
    result: dict[str, tuple[Json, int]] = {}
    for store in stores:
        rows = state.store.all(
            "SELECT status, count(*), sum(usage) FROM store_file WHERE store = ? GROUP BY status", store
        )
        result[store] = (tally({status: number for status, number, _ in rows}), sum(row[2] for row in rows))
    return result


def tally(numbers: dict[str, int]) -> Json:
    found = {status: numbers.get(status, 0) for status in STATUSES}
    return {**found, "total": sum(found.values())}


def one(state: State, store: str, file: str) -> Json | None:
    row = state.store.one(SELECT + " WHERE store = ? AND file = ?", store, file)
    return as_file(row) if row else None


def as_file(row: Sequence[Any]) -> Json:
    """Return a row of store_file, as SELECT reads it, as a dictionary."""
    file, created, status, outcome, usage, body = row
    return {"file": file, "created": created, "status": status, "outcome": outcome, "usage": usage, **load(body)}
