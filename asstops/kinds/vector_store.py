"""Vector stores, and the files attached to them.

API:          /openai/vector_stores of Azure OpenAI; modify takes only name, expires_after and metadata.
Identity:     the mark in metadata["asstops"]; names may repeat in the service.
Create-only:  chunking (a store's files all bring the same strategy; another one means a new store).
Unreadable:   chunking, which belongs to the attached files and may be answered as `other`.
Limits:       10,000 files, 500 a batch; chunks 100-4096 tokens, overlap at most half; expiry 1-365 days.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from asstops.errors import NotFound
from asstops.kinds import tags as tag_rules
from asstops.kinds._ingestion import BATCH, await_store, refused, take_in
from asstops.kinds.base import BuildContext, Homes, Kind, Step, register
from asstops.kinds.fields import Bool, FileEntry, Int, SpecModel, Text, TextMap
from asstops.mark import KEY, from_metadata, is_ours, path_digest, to_metadata
from asstops.model import Address, Mark, Observed, Ref, Resource
from asstops.rules import KindRules

if TYPE_CHECKING:
    from asstops.providers.session import Session

MAX_FILES = 10_000
READERS = 8
MAX_NAME = 256


class ChunkingSpec(SpecModel):
    """How files are cut into chunks."""

    max_chunk_size_tokens: Annotated[Int, Field(ge=100, le=4096)] = Field(
        800, description="Tokens in a chunk, 100 to 4096.", examples=[800]
    )
    chunk_overlap_tokens: Annotated[Int, Field(ge=0)] = Field(
        400,
        description="Tokens shared by neighbouring chunks, at most half of max_chunk_size_tokens.",
        examples=[400],
    )


class VectorStoreSpec(SpecModel):
    """A vector store for file_search."""

    name: Text | None = Field(None, description="Display name; the key when left out.", examples=["Sales handbook"])
    files: list[FileEntry] = Field(
        default_factory=list,
        description="Keys of files:, or {glob: PATTERN}.",
        examples=[["monthly-sales", {"glob": "kb/**/*.md"}]],
    )
    chunking: ChunkingSpec | None = Field(None, description="Left out: the service's auto strategy.")
    expires_after_days: Annotated[Int, Field(ge=1, le=365)] | None = Field(
        None, description="Days since last use after which the service deletes it.", examples=[30]
    )
    metadata: TextMap = Field(
        default_factory=dict,
        description="Your own pairs; others on the store are left alone.",
        examples=[{"owner": "sales-team"}],
    )
    id: Text | None = Field(
        None,
        description="Id of a store made elsewhere; it is never written or deleted.",
        examples=["vs_hfMaKRHzFnslhgGCq0zl4zd8"],
    )
    protect: Bool = Field(False, description="Refuse to delete or replace it, also after it has left the spec.")


@register
class VectorStoreKind(Kind[VectorStoreSpec]):
    name = "vector_store"
    section = "vector_stores"
    summary = "vector store"
    spec = VectorStoreSpec
    rules = KindRules(
        create_only=frozenset({"chunking"}),
        unreadable=frozenset({"chunking"}),
        maps=frozenset({"metadata"}),
        unordered=frozenset({"files"}),
        references={"files": "file"},
        marked_last="files",
        defaults={"chunking": None, "expires_after_days": None},
    )

    def build(self, key: str, spec: VectorStoreSpec, ctx: BuildContext) -> Resource:
        """Resolve file entries to references and check what the service limits."""
        address = Address(self.name, key)
        if spec.id is not None:
            for field in sorted(spec.model_fields_set - {"id", "protect"}):
                ctx.problem(
                    f"{field} cannot stand beside id",
                    (field,),
                    "a store given by id is only referred to; remove the line",
                )
            return Resource(address=address, body={}, owned=False, remote_id=spec.id, protect=spec.protect)
        name = spec.name if spec.name is not None else key
        if not 1 <= len(name) <= MAX_NAME:
            ctx.problem(f"name has {len(name)} characters, 1 to {MAX_NAME} are allowed", ("name",), "shorten it")
        if name.startswith("asstops:"):
            ctx.problem(
                "names that begin with 'asstops:' are kept for the record of files", ("name",), "choose another name"
            )
        tag_rules.check_metadata(spec.metadata, ctx)
        files = ctx.files(spec.files, ("files",))
        if len(files) > MAX_FILES:
            ctx.problem(
                f"files names {len(files)} files, a vector store holds at most {MAX_FILES}",
                ("files",),
                "split the store",
            )
        body: dict[str, object] = {
            "name": name,
            "files": [Ref(file) for file in files],
            "metadata": dict(spec.metadata),
        }
        if spec.expires_after_days is not None:
            body["expires_after_days"] = spec.expires_after_days
        if spec.chunking is not None:
            size, overlap = spec.chunking.max_chunk_size_tokens, spec.chunking.chunk_overlap_tokens
            if overlap > size // 2:
                ctx.problem(
                    f"chunk_overlap_tokens is {overlap}, more than half of max_chunk_size_tokens ({size})",
                    ("chunking", "chunk_overlap_tokens")
                    if "chunk_overlap_tokens" in spec.chunking.model_fields_set
                    else ("chunking",),
                    f"use at most {size // 2}",
                )
            body["chunking"] = {"max_chunk_size_tokens": size, "chunk_overlap_tokens": overlap}
        return Resource(address=address, body=body, protect=spec.protect)

    def observe(self, session: Session, wanted: Sequence[Resource]) -> Iterable[Observed]:
        """Every store of the account, the record's pages too; files are listed for our own stores only."""
        from concurrent.futures import ThreadPoolExecutor

        stores = list(session.data.list_vector_stores())
        ours = [store["id"] for store in stores if _is_ours(store, session.stack)]
        with ThreadPoolExecutor(max_workers=READERS) as pool:
            files = dict(zip(ours, pool.map(lambda store: _files_of(session, store), ours), strict=True))
        for store in stores:
            if files.get(store["id"], ()) is None:
                continue  # deleted since it was listed
            yield _observed(store, files.get(store["id"]) or [], session.homes)

    def create(self, session: Session, step: Step) -> Observed:
        """Make the store empty and marked, then attach and await its files; the complete mark comes last.

        A store whose mark lacks the digest of `files` is one that was cut off on the way.
        """
        body = step.wanted.body
        wanted = list(dict.fromkeys(body["files"]))
        partial = replace(step.mark, fields={k: v for k, v in step.mark.fields.items() if k != path_digest("files")})
        first = partial if wanted else step.mark
        request: dict[str, Any] = {"name": body["name"], "metadata": {**body["metadata"], KEY: to_metadata(first)}}
        if "expires_after_days" in body:
            request["expires_after"] = _expiry(body["expires_after_days"])
        store = session.data.create_vector_store(request)
        if not wanted:
            return _observed(store, [], session.homes)
        take_in(session, step, store["id"], wanted, _chunking(step.wanted))
        complete = {"metadata": {**body["metadata"], KEY: to_metadata(step.mark)}}
        return _settled(session, session.data.modify_vector_store(store["id"], complete), wanted)

    def update(self, session: Session, step: Step) -> Observed:
        """Attach what is new before taking out what is old; fields and the mark follow once the files are in.

        A full store takes nothing in: then it goes batch by batch, and before each as much of what is old goes as there
        must be room for.
        """
        live, body, data = step.live, step.wanted.body, session.data
        if live is None:
            raise ValueError("an update needs the live object")
        wanted = list(dict.fromkeys(body["files"]))
        attached, failed = set(live.body["files"]), {file for file in live.problems if file in body["files"]}
        for file in sorted(failed):
            data.detach_file(live.remote_id, file)
        coming = [file for file in wanted if file not in attached or file in failed]
        leaving = sorted(attached - set(wanted))
        held = len(attached - failed)
        at_once = len(coming) if held + len(coming) <= MAX_FILES else BATCH
        while coming:
            batch, coming = coming[:at_once], coming[at_once:]
            over = max(0, held + len(batch) - MAX_FILES)
            for file in leaving[:over]:
                data.detach_file(live.remote_id, file)
            leaving, held = leaving[over:], held - over + len(batch)
            take_in(session, step, live.remote_id, batch, _chunking(step.wanted))
        if not live.ready:
            await_store(session, step, live.remote_id)
        for file in leaving:
            data.detach_file(live.remote_id, file)
        others = {key: value for key, value in (live.raw.get("metadata") or {}).items() if not is_ours(key)}
        metadata = tag_rules.merged(others, body["metadata"], "metadata", step.changed)
        request: dict[str, Any] = {"metadata": {**metadata, KEY: to_metadata(step.mark)}}
        if "name" in step.changed:
            request["name"] = body["name"]
        if "expires_after_days" in step.changed:
            days = body.get("expires_after_days")
            request["expires_after"] = None if days is None else _expiry(days)
        store = data.modify_vector_store(live.remote_id, request)
        if left := tag_rules.left_over(store.get("metadata") or {}, request["metadata"]):
            store = data.modify_vector_store(live.remote_id, {"metadata": {**request["metadata"], **left}})
        return _settled(session, store, wanted)

    def delete(self, session: Session, live: Observed) -> None:
        """Delete the store; files attached to it stay where they are."""
        session.data.delete_vector_store(live.remote_id)

    def look(self, session: Session, live: Observed) -> Observed | None:
        """The files are listed only when their number has changed: ten thousand would be a hundred pages."""
        store = session.data.find_vector_store(live.remote_id)
        if store is None:
            return None
        if not store["file_counts"]["total"]:  # as when it was listed: there is nothing to list
            return _observed(store, [], session.homes)
        if _failed(store) != len(live.problems):
            return _observed(store, _files_of(session, store["id"]) or [], session.homes)
        now = _settled(session, store, live.body["files"], failed=len(live.problems))
        return replace(now, problems=now.problems or live.problems)

    def newest(self, session: Session) -> Iterable[Observed]:
        """Without the files."""
        return (_observed(store, [], session.homes) for store in session.data.list_vector_stores(newest_first=True))

    def find(self, session: Session, mark: Mark) -> Observed | None:
        """With its files: an earlier attempt may have attached some."""
        found = super().find(session, mark)
        if found is None or not found.raw["file_counts"]["total"]:
            return found
        return with_files(found, _files_of(session, found.remote_id) or [])

    def unsupported(self, wanted: Resource, api_version: str) -> tuple[str, ...]:
        """Chunking came with 2025-03-01-preview."""
        return ("chunking",) if "chunking" in wanted.body and api_version == "2024-05-01-preview" else ()


def with_files(live: Observed, files: Sequence[dict[str, Any]]) -> Observed:
    """A listed store with the files that are attached to it, as the service lists them."""
    homes = frozenset(used for used in live.uses if used[0] != "file")
    return _observed(live.raw, files, homes)


def _is_ours(store: dict[str, Any], stack: str) -> bool:
    from asstops.record import is_page

    mark = from_metadata(store.get("metadata"))
    return mark is not None and mark.stack == stack and not is_page(mark) and bool(store["file_counts"]["total"])


def _files_of(session: Session, store: str) -> list[dict[str, Any]] | None:
    """The files of a store; None when it is gone."""
    try:
        return list(session.data.list_store_files(store))
    except NotFound:
        return None


def _expiry(days: int) -> dict[str, Any]:
    return {"anchor": "last_active_at", "days": days}


def _chunking(wanted: Resource) -> dict[str, Any] | None:
    """The strategy that goes with each batch; None leaves it to the service."""
    static = wanted.body.get("chunking")
    return {"type": "static", "static": static} if static else None


def _failed(store: dict[str, Any]) -> int:
    return int(store["file_counts"]["failed"] + store["file_counts"]["cancelled"])


def _settled(session: Session, store: dict[str, Any], wanted: Sequence[str], failed: int = 0) -> Observed:
    """The store as read back. The files are listed only when their numbers are not what they should be."""
    if store["file_counts"]["total"] == len(wanted) and _failed(store) == failed:
        files: list[dict[str, Any]] = [{"id": file, "status": "completed"} for file in wanted]
    else:
        files = list(session.data.list_store_files(store["id"]))
    return _observed(store, files, session.homes)


def _observed(store: Mapping[str, Any], files: Sequence[dict[str, Any]], homes: Homes) -> Observed:
    metadata = store.get("metadata") or {}
    return Observed(
        kind="vector_store",
        remote_id=store["id"],
        name=store.get("name") or store["id"],
        body={
            "name": store.get("name"),
            "files": [item["id"] for item in files],
            "expires_after_days": (store.get("expires_after") or {}).get("days"),
            "metadata": {key: value for key, value in metadata.items() if not is_ours(key)},
        },
        mark=from_metadata(metadata),
        created_at=store.get("created_at") or 0,
        uses=homes | {("file", item["id"]) for item in files},
        problems=refused(files),
        ready=not store["file_counts"]["in_progress"],
        usable=store.get("status") != "expired",
        raw=store,
    )
