"""Live assistants, and what they use, as raw objects. Reads through the API it is given; writes nothing."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from asstops.migrate.contents import is_record
from asstops.migrate.exported import Exported, Json, named, used_by

if TYPE_CHECKING:
    from asstops.providers.assistants_api import AssistantsApi

READERS = 8


def read_live(api: AssistantsApi, chosen: Collection[str] = ()) -> Exported:
    """Every assistant, vector store and file of the account, or the `chosen` assistants and the stores they search.

    `chosen` are ids or names. Reads by listing pages, and the files of each store. Raises NotFound for what is neither,
    and Retired where the API is gone.
    """
    found = Exported()
    found.assistants = {item["id"]: item for item in api.list_assistants()}
    if chosen:
        found.assistants = {ident: found.assistants[ident] for ident in named(found.assistants, chosen)}
    searched = {ident for item in found.assistants.values() for ident in used_by(item)[0]}
    for store in api.list_vector_stores():
        if not is_record(store) and (not chosen or store["id"] in searched):
            found.stores[store["id"]] = store
    for file in api.list_files():
        found.files[file["id"]] = file
    filled = [ident for ident, item in found.stores.items() if _holds_files(item)]
    with ThreadPoolExecutor(max_workers=READERS) as pool:
        listed = dict(zip(filled, pool.map(lambda ident: list(api.list_store_files(ident)), filled), strict=True))
    found.store_files = {ident: {file["id"]: file for file in listed.get(ident, ())} for ident in found.stores}
    return found


def _holds_files(store: Json) -> bool:
    """Whether files are to be listed: the store itself tells how many it has."""
    counts = store.get("file_counts")
    return not isinstance(counts, dict) or counts.get("total") != 0
