"""Files and vector stores -> the sections `files:` and `vector_stores:`. Pure.

No service gives back the content of a file for assistants, so files are referred to by their ids.
"""

from __future__ import annotations

from typing import Any

from asstops.export.live import Live
from asstops.export.texts import short_text
from asstops.migrate.contents import chunking_of, days_of
from asstops.migrate.emit import literal
from asstops.migrate.metadata import kept_pairs
from asstops.migrate.naming import Keys, file_name, key_from, looks_secret
from asstops.migrate.report import Ledger, listed
from asstops.model import Address, Observed

MAX_NAME = 256
MAX_PAIRS = 15
_SAID = {
    "id", "object", "created_at", "name", "status", "usage_bytes", "bytes", "file_counts", "expires_after",
    "expires_at", "last_active_at", "metadata",
}  # fmt: skip


class Contents:
    """Makes entries on demand, so that only what comes along gets into the spec.

    `objects` are the live objects behind the entries. `own` says which stores are to be the stack's.
    """

    def __init__(self, live: Live, own: frozenset[str], ledger: Ledger) -> None:
        self.files: dict[str, dict[str, Any]] = {}
        self.stores: dict[str, dict[str, Any]] = {}
        self.objects: dict[Address, Observed] = {}
        self._live = live
        self._own = own
        self._ledger = ledger
        self._known_files, self._known_stores = live.by_id("file"), live.by_id("vector_store")
        self._file_keys, self._store_keys = Keys(), Keys()
        self._of_file: dict[str, str] = {}
        self._of_store: dict[str, str] = {}

    def file(self, ident: str) -> str | None:
        """The key of a file, None where there is none of that id."""
        found = self._known_files.get(ident)
        if found is not None and ident not in self._of_file:
            name = file_name(found.name, "file")
            key = self._file_keys.take(key_from(name.rpartition(".")[0]) or name, "file")
            self._of_file[ident] = key
            self.files[key] = {"id": literal(ident)}
            self.objects[Address("file", key)] = found
        return self._of_file.get(ident)

    def store(self, ident: str) -> str | None:
        """The key of a vector store, None where there is none of that id."""
        found = self._known_stores.get(ident)
        if found is not None and ident not in self._of_store:
            name = found.body.get("name")
            key = self._store_keys.take(name if isinstance(name, str) else "", f"store-{ident[-8:]}")
            self._of_store[ident] = key
            self.objects[Address("vector_store", key)] = found
            self.stores[key] = self._store(key, found) if ident in self._own else {"id": literal(ident)}
        return self._of_store.get(ident)

    def _store(self, key: str, found: Observed) -> dict[str, Any]:
        address, entry = f"vector_store.{key}", dict[str, Any]()
        ledger = self._ledger
        if name := named(found.body.get("name"), key, address, ledger):
            entry["name"] = name
        attached = self._live.attached.get(found.remote_id, ())
        if files := self._files(found, address):
            entry["files"] = files
        if chunking := chunking_of(attached, address, ledger):
            entry["chunking"] = chunking
        if days := days_of(found.raw.get("expires_after"), address, ledger):
            entry["expires_after_days"] = days
        if pairs := kept_pairs(found.body.get("metadata"), address, ledger, most=MAX_PAIRS):
            entry["metadata"] = pairs
        if not found.usable:
            ledger.changed(address, "status", "it has expired; the next apply makes it anew")
        if with_attributes := [str(item["id"]) for item in attached if item.get("attributes")]:
            told = f"attributes of {listed(with_attributes)}; the spec has no such field, and they stay as they are"
            ledger.lost(address, "files.attributes", told)
        for field in sorted(set(found.raw) - _SAID):
            if found.raw[field] not in (None, "", [], {}):
                ledger.lost(address, str(field), "the spec has no such field; it stays as it is")
        ledger.kept(address, *entry)
        return entry

    def _files(self, found: Observed, address: str) -> list[str]:
        keys: list[str] = []
        unknown: list[str] = []
        for ident in found.body["files"]:
            key = self.file(ident)
            if key is None:
                unknown.append(ident)
            elif key not in keys:
                keys.append(key)
        if unknown:
            told = f"{listed(unknown)}: among its files, but not among those of the account; the next apply takes "
            self._ledger.lost(address, "files", f"{told}them out", "see whether they were deleted")
        if refused := sorted(set(found.problems) & set(found.body["files"])):
            told = f"{listed(refused)}: the service could not take them in; the next apply tries again"
            self._ledger.changed(address, "files", told)
        return keys


def named(value: Any, key: str, address: str, ledger: Ledger) -> str:
    """The line `name:` of an object that has a name beside its key; "" where the spec needs none."""
    if not isinstance(value, str) or not value:
        ledger.changed(address, "name", f"it has none; the next apply names it {key}")
        return ""
    if value == key:
        ledger.kept(address, "name")
        return ""
    if looks_secret(value):
        told = "it looks like a real key or token, and those never stand in a spec"
        ledger.lost(address, "name", f"{told}; the next apply names it {key}")
        return ""
    return short_text(value, "name", MAX_NAME, address, ledger, cut=True)
