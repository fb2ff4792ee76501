"""Keeps the stack's record of files in the service up to date while an apply runs. Thread-safe.

Order matters: the note is written before the first upload and cleared after the last entry, so that whoever comes
after a crash knows what was under way. Entries are written as uploads finish, some hundred at a time, and when the last
one has; the journal bridges the time until then. A note is cleared only once a listing shows no file that may be left.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from asstops.errors import ApplyError, Interrupted, ProviderError, Unavailable
from asstops.journal import Journal
from asstops.kinds.tags import left_over
from asstops.leftovers import Sources, is_suspect
from asstops.mark import KEY, from_metadata, to_metadata
from asstops.model import FileSource, Mark
from asstops.record import PER_PAGE, Note, Page, Record, decode, encode, id_digest, page_key, page_name, upload_digest

if TYPE_CHECKING:
    from asstops.providers.session import Session

FLUSH_AFTER = 200
FLUSH_AFTER_S = 10.0
LOOKUPS = 6


def new_nonce() -> str:
    """Six random bytes: tells one creation from any other."""
    return secrets.token_urlsafe(6)


class Recorder:
    """The record while it changes. Writes nothing until there is something to remember.

    `sources` are name and size of what the spec uploads, `foreign` digests of ids in the records of others, `dead` the
    entries whose file was not there when the plan was made, `recovered` maps ids of files that are ours without an
    entry to their content. `pause` waits between two looks at a listing that may lag behind, longer with each attempt
    from 0.
    """

    def __init__(
        self,
        session: Session,
        record: Record,
        stack: str,
        origin: str,
        *,
        nonce: Callable[[], str],
        sources: Sources = frozenset(),
        foreign: frozenset[str] = frozenset(),
        dead: frozenset[str] = frozenset(),
        recovered: Mapping[str, str] = MappingProxyType({}),
        journal: Journal | None = None,
        pause: Callable[[int], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._session = session
        self._pages = list(record.pages)
        self._spare = {page.remote_id for page in record.doubles}  # settled once: which of two is fuller may change
        self._stack = stack
        self._origin = origin
        self._nonce = nonce
        self._sources = sources
        self._foreign = foreign
        self._dead = dead
        self._journal = journal
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()  # for what is noted here, never held over a request
        self._writing = threading.RLock()  # for the pages, held over the requests that write them; taken first
        self._added = {id_digest(remote_id): content for remote_id, content in recovered.items()}
        self._removed: set[str] = set()
        self._fresh: set[str] = set()  # ids of what this apply has uploaded
        self._uploads = 0
        self._begun = False
        self._new: set[str] = set()  # ids of pages that this apply has made
        self._unsure: dict[int, Mark] = {}  # pages that were sent for, and may be there
        self._flushed_at = clock()
        self._open = record.note is not None
        # A file may have been left that nobody knows the id of: by an earlier apply, or by a lost answer of this one.
        self.doubtful = self._open

    @property
    def new_pages(self) -> set[str]:
        """The ids of the pages that were made and are still there."""
        return self._new & {page.remote_id for page in self._pages}

    def begin(self, uploads: int, sources: Iterable[tuple[str, int]] = ()) -> None:
        """Note that uploads of these names and sizes are about to start; the first call writes, later ones do nothing.

        The note of an earlier apply stays, and tells of these uploads too.
        """
        if self._begun:
            return  # without waiting for whoever writes just now
        with self._writing:
            if self._begun:
                return
            self._uploads = uploads
            about = {upload_digest(name, size_bytes) for name, size_bytes in sources}
            if not (self._open and self._pages):
                note = Note(int(self._clock()), uploads).also(about)
                if kept := self._kept():
                    self._write(replace(kept[0], note=note))
                else:
                    self._pages.append(self._create(0, note))
                self._open = True
            noted = next(page for page in self._pages if page.note is not None)
            assert noted.note is not None
            if (note := noted.note.also(about)) != noted.note:
                self._write(replace(noted, note=note))
            if self._journal is not None:
                self._journal.open(noted.mark.nonce, note.started)
            self._begun = True

    def uploading(self, key: str, source: FileSource, content: str) -> None:
        """An upload is about to be sent."""
        if self._journal is not None:
            self._journal.begins(key, source, content, self._clock())

    def uploaded(self, remote_id: str, content: str, replaced: Mapping[str, str] = {}) -> None:
        """Remember a file that was uploaded just now.

        `replaced` are the entries of what it takes the place of, by remote id, to be written along with it.
        """
        if self._journal is not None:
            self._journal.ended(remote_id, content)
        with self._lock:
            self._fresh.add(remote_id)
            self._added.update({id_digest(old): before for old, before in replaced.items()})
            self._added[id_digest(remote_id)] = content
            last = len(self._fresh) >= self._uploads
        with suppress(Interrupted):  # the upload itself is done; what it left unwritten is written at the end
            if not last:
                self._flush_if_due()
                return
            with self._writing:  # also until another thread is done: what comes next counts on every entry
                if self._added:
                    self._flush()

    def add(self, remote_id: str, content: str) -> None:
        """Remember a file that is ours, or its content anew."""
        with self._lock:
            self._added[id_digest(remote_id)] = content
        self._flush_if_due()

    def _flush_if_due(self) -> None:
        """Write what has come together. One thread does, and the others go on with their uploads meanwhile."""
        due = len(self._added) >= FLUSH_AFTER or self._clock() - self._flushed_at > FLUSH_AFTER_S
        if due and self._writing.acquire(blocking=False):
            try:
                self._flush()
            finally:
                self._writing.release()

    def remove(self, remote_id: str) -> None:
        """Forget a file that is gone."""
        self.forget([id_digest(remote_id)])

    def forget(self, digests: Iterable[str]) -> None:
        """Forget entries of files that are gone."""
        with self._lock:
            for digest in digests:
                self._added.pop(digest, None)
                self._removed.add(digest)

    def finish(self, *, dismiss: bool = False) -> bool:
        """Write what is left, tidy up, and clear the note unless a file may be left; returns whether none is open.

        `dismiss` clears the note in any case: somebody has looked at what may be left.
        """
        with self._writing:
            if self._added or self._removed or self._spare:
                self._flush()
            for page in self._pages:
                if self._origin and page.mark.origin != self._origin:
                    self._write(replace(page, mark=replace(page.mark, origin=self._origin)))
            if self._journal is not None:
                self._journal.remove()
            doubtful = self._open and self.doubtful and not dismiss
            live = self._listed() if doubtful or self._dead else None
            if live is not None and self._fresh and (gone := self._dead - live.keys()):
                self.forget(gone)
                self._flush()
            if not doubtful or (live is not None and not self._suspects(live)):
                self._clear_note()
            self._drop_spares()
            return not self._open

    def delete(self) -> None:
        """Remove the record itself, the last page first. Raises ApplyError while a file that it remembers is there."""
        with self._writing:
            self._check_forgettable()
            while self._pages:
                self._session.data.delete_vector_store(self._pages[-1].remote_id)
                self._pages.pop()
            with self._lock:
                self._added.clear()
                self._removed.clear()
            self._open = False
            if self._journal is not None:
                self._journal.remove()

    def _check_forgettable(self) -> None:
        """A listing that lags may have hidden files of ours from the plan; only the record knows them."""
        for attempt in range(LOOKUPS if self._dead else 0):
            if attempt:
                self._pause(attempt - 1)
            live = {id_digest(item["id"]) for item in self._session.data.list_files()}
            if late := self._dead & live - self._removed:
                raise ApplyError(
                    f"the service showed {len(late)} files of the stack late, and the plan did not know of them",
                    fix="run the command again, to delete them as well",
                )

    # The note

    def _listed(self) -> Mapping[str, dict[str, Any]] | None:
        """Every live file by the digest of its id; None when no listing is to be had that shows what was just uploaded.

        What lags behind with the newest files may hide a twin as well, or a file that only seems to be gone.
        """
        fresh = {id_digest(remote_id) for remote_id in self._fresh} - self._removed
        try:
            for attempt in range(LOOKUPS):
                found = {id_digest(item["id"]): item for item in self._session.data.list_files()}
                if fresh <= found.keys():
                    return found
                self._pause(attempt)
        except (ProviderError, Interrupted):
            pass
        return None

    def _suspects(self, live: Mapping[str, dict[str, Any]]) -> bool:
        """Whether a file that the record does not know may be left from an apply that was cut off."""
        record = Record(tuple(self._pages))
        known, note = record.entries, record.note
        return note is not None and any(
            is_suspect(note, self._sources, item.get("filename"), item.get("bytes"), item.get("created_at") or 0)
            for digest, item in live.items()
            if digest not in known and digest not in self._foreign
        )

    def _clear_note(self) -> None:
        for page in [page for page in self._pages if page.note is not None]:
            self._write(replace(page, note=None))
        self._open = False

    # Pages

    def _kept(self) -> list[Page]:
        return [page for page in self._pages if page.remote_id not in self._spare]

    def _drop_spares(self) -> None:
        """Delete pages that nothing needs, now that all they held is elsewhere."""
        unneeded = [page for page in self._pages if page.remote_id in self._spare]
        unneeded += Record(tuple(self._kept())).hollow
        for page in unneeded:
            self._session.data.delete_vector_store(page.remote_id)
            self._pages.remove(page)
            self._spare.discard(page.remote_id)

    def _flush(self) -> None:
        """Put every pending entry on a page: changed ones where they stand, new ones where there is room.

        Entries of a spare page move as well; the page itself goes last, so that nothing is lost on the way.
        """
        with self._lock:
            added, removed = dict(self._added), set(self._removed)
        kept = self._kept()
        spare = [page for page in self._pages if page.remote_id in self._spare]
        known = {key for page in kept for key in page.entries} if spare else set()
        moving = {key: value for page in spare for key, value in page.entries.items() if key not in known}
        pending = {key: value for key, value in {**moving, **added}.items() if key not in removed}
        for page in kept:
            entries = {key: pending.pop(key, value) for key, value in page.entries.items() if key not in removed}
            while pending and len(entries) < PER_PAGE:
                key = next(iter(pending))
                entries[key] = pending.pop(key)
            if entries != dict(page.entries):
                self._write(replace(page, entries=entries))
        while pending:
            number = max((page.number for page in self._pages), default=-1) + 1
            keys = list(pending)[:PER_PAGE]
            page = self._create(number, None)
            self._pages.append(page)
            self._write(replace(page, entries={key: pending.pop(key) for key in keys}))
        with self._lock:  # what others have noted meanwhile is for the next time
            for key in added.keys() & self._added.keys():
                if self._added[key] == added[key]:
                    del self._added[key]
            self._removed -= removed
        self._flushed_at = self._clock()

    def _create(self, number: int, note: Note | None) -> Page:
        """Make a page. When the answer is lost it is looked up by its nonce, and made again when it stays unseen."""
        mark = self._unsure.get(number)
        if mark is not None and (page := self._find(mark)) is not None:
            return page
        if mark is None:
            mark = Mark(stack=self._stack, key=page_key(number), nonce=self._nonce(), origin=self._origin)
            self._unsure[number] = mark
        metadata = {**encode({}, note), KEY: to_metadata(mark)}
        request = {"name": page_name(self._stack, number), "metadata": metadata}
        try:
            store = self._session.data.create_vector_store(request)
        except Unavailable as error:
            if not error.ambiguous:
                raise
            for attempt in range(LOOKUPS):
                if (page := self._find(mark)) is not None:
                    return page
                self._pause(attempt)
            # Two of them would do no harm: both are read, and become one.
            store = self._session.data.create_vector_store(request)
        self._new.add(store["id"])
        return Page(number, store["id"], mark, {}, note)

    def _find(self, mark: Mark) -> Page | None:
        for store in self._session.data.list_vector_stores(newest_first=True):
            found = from_metadata(store.get("metadata"))
            if found is not None and found.nonce == mark.nonce:
                return decode(store["id"], found, store["metadata"])
        return None

    def _write(self, page: Page) -> None:
        metadata = {**encode(page.entries, page.note), KEY: to_metadata(page.mark)}
        answer = self._session.data.modify_vector_store(page.remote_id, {"metadata": metadata})
        if left := left_over(answer.get("metadata") or {}, metadata):
            self._session.data.modify_vector_store(page.remote_id, {"metadata": {**metadata, **left}})
        self._pages = [page if page.remote_id == other.remote_id else other for other in self._pages]
