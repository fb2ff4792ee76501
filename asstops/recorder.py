"""Keeps the stack's record of files in the service up to date while an apply runs. Thread-safe.

Order matters: the note is written before the first upload and cleared after the last entry, so that whoever comes
after a crash knows what was under way. Entries are written as uploads finish, some hundred at a time, and at the end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from asstops.kinds.tags import left_over
from asstops.mark import KEY, to_metadata
from asstops.model import Mark
from asstops.record import PER_PAGE, Note, Page, Record, encode, id_digest, page_key, page_name

if TYPE_CHECKING:
    from asstops.providers.session import Session

FLUSH_AFTER = 200
FLUSH_AFTER_S = 10.0


class Recorder:
    """The record while it changes. Writes nothing until there is something to remember.

    `keep_note` leaves the note of an earlier apply in place, since files that it may have left are still there.
    """

    def __init__(
        self,
        session: Session,
        record: Record,
        stack: str,
        origin: str,
        *,
        nonce: Callable[[], str],
        keep_note: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._session = session
        self._pages = list(record.pages)
        self._stack = stack
        self._origin = origin
        self._nonce = nonce
        self._clock = clock
        self._lock = threading.RLock()
        self._added: dict[str, str] = {}
        self._removed: set[str] = set()
        self._flushed_at = clock()
        self._open = record.note is not None
        self.doubtful = keep_note  # an upload may have left a file that nobody knows the id of

    def begin(self, uploads: int) -> None:
        """Note that uploads are about to start; the first call writes, later ones do nothing."""
        with self._lock:
            if self._open and self._pages:
                return
            note = Note(int(self._clock()), uploads)
            if self._pages:
                self._write(replace(self._pages[0], note=note))
            else:
                self._pages.append(self._create(0, note))
            self._open = True

    def add(self, remote_id: str, content: str) -> None:
        """Remember a file that is ours, or its content anew."""
        with self._lock:
            self._added[id_digest(remote_id)] = content
            due = len(self._added) >= FLUSH_AFTER or self._clock() - self._flushed_at > FLUSH_AFTER_S
            if due:
                self._flush()

    def remove(self, remote_id: str) -> None:
        """Forget a file that is gone."""
        with self._lock:
            self._added.pop(id_digest(remote_id), None)
            self._removed.add(id_digest(remote_id))

    def finish(self) -> None:
        """Write what is left, and clear the note unless an upload's fate is unknown."""
        with self._lock:
            if self._added or self._removed:
                self._flush()
            for page in self._pages:
                if self._origin and page.mark.origin != self._origin:
                    self._write(replace(page, mark=replace(page.mark, origin=self._origin)))
            if self._open and self._pages and not self.doubtful:
                for page in [page for page in self._pages if page.note is not None]:
                    self._write(replace(page, note=None))
                self._open = False

    def delete(self) -> None:
        """Remove the record itself, the last page first."""
        with self._lock:
            while self._pages:
                self._session.data.delete_vector_store(self._pages[-1].remote_id)
                self._pages.pop()
            self._added.clear()
            self._removed.clear()
            self._open = False

    def _flush(self) -> None:
        """Put every pending entry on a page: changed ones where they stand, new ones where there is room."""
        pending = dict(self._added)
        for page in list(self._pages):
            entries = {key: pending.pop(key, value) for key, value in page.entries.items() if key not in self._removed}
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
        self._added.clear()
        self._removed.clear()
        self._flushed_at = self._clock()

    def _create(self, number: int, note: Note | None) -> Page:
        mark = Mark(stack=self._stack, key=page_key(number), nonce=self._nonce(), origin=self._origin)
        metadata = {**encode({}, note), KEY: to_metadata(mark)}
        store = self._session.data.create_vector_store({"name": page_name(self._stack, number), "metadata": metadata})
        return Page(number, store["id"], mark, {}, note)

    def _write(self, page: Page) -> None:
        metadata = {**encode(page.entries, page.note), KEY: to_metadata(page.mark)}
        answer = self._session.data.modify_vector_store(page.remote_id, {"metadata": metadata})
        if left := left_over(answer.get("metadata") or {}, metadata):
            self._session.data.modify_vector_store(page.remote_id, {"metadata": {**metadata, **left}})
        self._pages = [page if page.remote_id == other.remote_id else other for other in self._pages]
