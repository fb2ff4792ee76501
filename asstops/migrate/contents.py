"""Files and vector stores of a service -> the sections `files:` and `vector_stores:`. Pure.

No service gives back the content of a file for assistants: the spec names where it is to be put.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from asstops.migrate.emit import literal
from asstops.migrate.exported import Exported, Json
from asstops.migrate.metadata import kept_pairs
from asstops.migrate.naming import Keys, file_name, key_from, looks_secret, sound
from asstops.migrate.report import Ledger, Missing, listed

FOLDER = "files"
AUTO = (800, 400)
_OURS = "asstops:"
_LEFT_OUT = {
    "id", "object", "created_at", "name", "status", "usage_bytes", "file_counts", "expires_after", "expires_at",
    "last_active_at", "metadata", "bytes",
}  # fmt: skip


class Contents:
    """Makes entries on demand, so that only what is used gets into the spec."""

    def __init__(self, exported: Exported, ledger: Ledger) -> None:
        self.files: dict[str, dict[str, Any]] = {}
        self.stores: dict[str, dict[str, Any]] = {}
        self.missing: list[Missing] = []
        self._exported = exported
        self._ledger = ledger
        self._file_keys, self._store_keys = Keys(), Keys()
        self._of_file: dict[str, str] = {}
        self._of_store: dict[str, str | None] = {}
        self._paths: set[str] = set()

    def file(self, ident: str) -> str | None:
        """The key of a file, None where nothing but its id is known."""
        if ident not in self._of_file:
            found = self._exported.files.get(ident)
            if found is None or not isinstance(found.get("filename"), str):
                return None
            self._of_file[ident] = self._add_file(ident, found)
        return self._of_file[ident]

    def _add_file(self, ident: str, found: Json) -> str:
        old = str(found["filename"])
        name = file_name(old, "file")
        if looks_secret(name):
            name = file_name(ident, "file")
        key = self._file_keys.take(key_from(name.rpartition(".")[0]) or name, "file")
        path, number = f"{FOLDER}/{name}", 1
        while path.casefold() in self._paths:
            number += 1
            path = f"{FOLDER}/{number}/{name}"
        self._paths.add(path.casefold())
        count = found.get("bytes")
        count = count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None
        told = f"its content cannot be read back from the service; it is uploaded again from {path}"
        if name != old:
            told += f"; it was named {old[:200]!r}, which not every file system can hold"
        self._ledger.changed(f"file.{key}", "content", told, f"put it at {path}")
        self.missing.append(Missing(path, count, ident))
        self.files[key] = {"path": literal(path)}
        return key

    def store(self, ident: str) -> str | None:
        """The key of a vector store, None where nothing but its id is known."""
        if ident not in self._of_store:
            found = self._exported.stores.get(ident)
            self._of_store[ident] = self._add_store(ident, found) if found is not None else None
        return self._of_store[ident]

    def store_of(self, files: list[str], wanted: str) -> str:
        """A new store for files that were searched without one."""
        key = self._store_keys.take(wanted, "files")
        self.stores[key] = {"files": files}
        return key

    def _add_store(self, ident: str, found: Json) -> str | None:
        name = found.get("name")
        name = sound(name) if isinstance(name, str) else ""
        if name.startswith(_OURS):
            return None  # a page of asstops's own record
        key = self._store_keys.take(name, f"store-{ident[-8:]}")
        address, entry = f"vector_store.{key}", dict[str, Any]()
        if len(name) > 256:
            self._ledger.lost(address, "name", f"it has {len(name):,} characters and is cut to 256")
        if looks_secret(name):
            told = "it looks like a real key or token, and those never stand in a spec"
            self._ledger.lost(address, "name", told, "name it anew")
        elif name and name != key:
            entry["name"] = literal(name[:256])
        files = list(self._files_of(ident, found, address))
        if files:
            entry["files"] = files
        if chunking := chunking_of(self._exported.store_files.get(ident, {}).values(), address, self._ledger):
            entry["chunking"] = chunking
        if days := days_of(found.get("expires_after"), address, self._ledger):
            entry["expires_after_days"] = days
        if pairs := kept_pairs(found.get("metadata"), address, self._ledger, most=15):
            entry["metadata"] = pairs
        if found.get("status") == "expired":
            self._ledger.changed(address, "status", "it had expired; it is made anew with its files")
        for field in sorted(set(found) - _LEFT_OUT):
            if found[field] not in (None, "", [], {}):
                self._ledger.lost(address, str(field), "the spec has no such field")
        self._ledger.kept(address, *entry)
        self.stores[key] = entry
        return key

    def _files_of(self, ident: str, found: Json, address: str) -> Iterable[str]:
        attached = self._exported.store_files.get(ident)
        if attached is None:
            counts = found.get("file_counts")
            total = counts.get("total") if isinstance(counts, Mapping) else None
            if total != 0:
                number = f"{total:,}" if isinstance(total, int) else "an unknown number of"
                told = f"it holds {number} files, and no list of them was found"
                self._ledger.lost(address, "files", told, _NAME_THEM)
            return
        unknown = []
        for file_id in attached:
            key = self.file(file_id)
            if key is None:
                unknown.append(file_id)
            else:
                yield key
            if attached[file_id].get("attributes"):
                self._ledger.lost(address, "files", f"attributes of {file_id}; the spec has no such field")
        if unknown:
            told = f"attached files that are not known by name: {listed(unknown)}"
            self._ledger.lost(address, "files", told, _NAME_THEM)


def chunking_of(attached: Iterable[Json], address: str, ledger: Ledger) -> dict[str, int] | None:
    """One strategy for all files of a store; None for the service's own, or where there is no one, which is noted."""
    found: set[tuple[Any, Any]] = set()
    for item in attached:
        strategy = item.get("chunking_strategy")
        static = strategy.get("static") if isinstance(strategy, Mapping) else None
        if isinstance(static, Mapping):
            found.add(_chunks(static))
        elif isinstance(strategy, Mapping) and strategy.get("type") == "other":
            ledger.lost(address, "chunking", "the service does not tell how files were cut", _CHUNKING)
    if not found or found == {AUTO}:
        return None
    if len(found) > 1:
        ledger.lost(address, "chunking", "files of the store were cut in different ways", _CHUNKING)
        return None
    ((size, overlap),) = found
    if not (_is_count(size, 100, 4096) and _is_count(overlap, 0, int(size) // 2)):
        ledger.lost(address, "chunking", f"{size!r} and {overlap!r} tokens are past the limits", _CHUNKING)
        return None
    return {"max_chunk_size_tokens": size, "chunk_overlap_tokens": overlap}


def days_of(value: Any, address: str, ledger: Ledger) -> int | None:
    """The days of an expiry policy; None for none, or for one that no spec takes, which is noted."""
    if value is None:
        return None
    days = value.get("days") if isinstance(value, Mapping) else None
    if not _is_count(days, 1, 365):
        ledger.lost(address, "expires_after_days", f"{str(value)[:80]} is past the limits (1 to 365 days)")
        return None
    return int(str(days))


_NAME_THEM = "name them under files:, and in files: of the store"
_CHUNKING = "write chunking: if the service's own way does not do"


def _chunks(static: Mapping[str, Any]) -> tuple[Any, Any]:
    """Both numbers; what is no number is kept as text, so that it can be told of."""
    pair = [static.get("max_chunk_size_tokens"), static.get("chunk_overlap_tokens")]
    first, second = (value if isinstance(value, int) else str(value)[:40] for value in pair)
    return first, second


def _is_count(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def is_record(store: Json) -> bool:
    """True for a page of asstops's own record of files."""
    return isinstance(store.get("name"), str) and re.match(_OURS, str(store["name"])) is not None
