"""Files that assistants and vector stores use.

API:          /openai/files of Azure OpenAI, purpose `assistants`.
Identity:     the stack's record (asstops/record.py): a file has neither metadata nor a checksum.
Changes:      new content is a new upload with a new id; what used the old one follows, then the old one goes.
Limits:       1 byte to 512 MB; names go out as they are, since citations show them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import Field

from asstops.errors import ProviderError, ResultDiffers, Unavailable
from asstops.kinds.base import BuildContext, Homes, Kind, Step, register
from asstops.kinds.fields import Bool, SpecModel, Text
from asstops.model import Address, FileSource, Observed, Resource
from asstops.providers.upload import moved, unreadable
from asstops.rules import KindRules

if TYPE_CHECKING:
    from asstops.providers.session import Session


_BLOCK = 1 << 20


class FileSpec(SpecModel):
    """A file to upload, or with `id` one that is there already."""

    path: Text | None = Field(
        None, description="Path, relative to the file that names it.", examples=["data/sales.json"]
    )
    id: Text | None = Field(
        None,
        description="Id of a file made elsewhere; it is never written or deleted.",
        examples=["assistant-94C14Oav2Suqm7oNkK3f4w"],
    )
    protect: Bool = Field(False, description="Refuse to delete it, also after it has left the spec.")


@register
class FileKind(Kind[FileSpec]):
    name = "file"
    section = "files"
    summary = "uploaded file"
    spec = FileSpec
    rules = KindRules(
        moves_on_change=True,
        marked=False,
        shown_only=frozenset({"name", "size_bytes", "sha256"}),
        hidden=frozenset({"content"}),
    )

    def build(self, key: str, spec: FileSpec, ctx: BuildContext) -> Resource:
        """Exactly one of path and id. The loader adds the content behind a path."""
        if (spec.path is None) == (spec.id is None):
            ctx.problem("give either path or id", (), "path: uploads a file; id: refers to one that is there already")
        return Resource(
            address=Address(self.name, key), body={}, owned=spec.id is None, remote_id=spec.id, protect=spec.protect
        )

    def observe(self, session: Session, wanted: Sequence[Resource]) -> Iterable[Observed]:
        """Every file for assistants in the account; the record tells later which are ours."""
        for item in session.data.list_files():
            yield _observed(item, session.homes)

    def check(self, step: Step) -> None:
        _check_unchanged(_source(step))

    def create(self, session: Session, step: Step) -> Observed:
        """Upload, once; the answer alone tells the id."""
        source = _source(step)
        item = session.data.upload_file(source, step.report)
        if not isinstance(item.get("id"), str) or not item["id"]:
            raise Unavailable(f"the answer to the upload of {source.shown} names no id", ambiguous=True)
        if item.get("bytes", source.size_bytes) != source.size_bytes:
            # Its content can be read back in no other way, so it must not be taken for what the spec has.
            _take_back(session, item["id"], source)
            raise ResultDiffers(
                f"{source.shown} was sent with {source.size_bytes} bytes and the service keeps {item['bytes']}",
                fix="apply again, since the upload was taken back; if it happens again, look for a proxy that changes "
                "what is sent",
            )
        live = _observed(item, session.homes)
        return replace(live, body={**live.body, "content": step.wanted.body["content"]})

    def update(self, session: Session, step: Step) -> Observed:
        """New content is a new file; where the content stays, only the record changes."""
        if "content" in step.changed or step.live is None:
            return self.create(session, step)
        return step.live

    def delete(self, session: Session, live: Observed) -> None:
        session.data.delete_file(live.remote_id)

    def look(self, session: Session, live: Observed) -> Observed | None:
        """A file never changes under its id, so there is nothing to look at."""
        return live


def _source(step: Step) -> FileSource:
    if step.wanted.source is None:
        raise ValueError(f"{step.wanted.address} has no content to upload")
    return step.wanted.source


def _take_back(session: Session, remote_id: str, source: FileSource) -> None:
    """Delete an upload that is not what was approved. Raises ResultDiffers when it stays: gc does not know its size."""
    try:
        session.data.delete_file(remote_id)
    except ProviderError as error:
        raise ResultDiffers(
            f"{source.shown} was uploaded as {remote_id}, is not what was approved, and could not be deleted: "
            f"{error.message}",
            fix=f"delete {remote_id} by hand, then apply again; look for a proxy that changes what is sent",
        ) from error


def _check_unchanged(source: FileSource) -> None:
    """Before anything is written for it. The content is looked at again as it goes out, which may be much later."""
    digest = hashlib.sha256()
    try:
        with source.path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise unreadable(source, error) from error
    if digest.hexdigest() != source.sha256:
        raise moved(source)


def with_content(resource: Resource) -> Resource:
    """The resource with the body that its hashed source gives it; unchanged for files made elsewhere."""
    source = resource.source
    if source is None:
        return resource
    from asstops.record import content_digest

    content = content_digest(resource.address.key, source)
    body = {"name": source.name, "size_bytes": source.size_bytes, "sha256": source.sha256, "content": content}
    return replace(resource, body=body)


def _observed(item: dict[str, Any], homes: Homes) -> Observed:
    return Observed(
        kind="file",
        remote_id=item["id"],
        name=item.get("filename") or item["id"],
        body={"name": item.get("filename"), "size_bytes": item.get("bytes")},
        created_at=item.get("created_at") or 0,
        uses=homes,
    )
