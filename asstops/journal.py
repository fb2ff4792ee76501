"""The journal of uploads on this machine: what an apply had under way, so that a killed one need not upload again.

One file a stack, `.asstops/journal/DIGEST.jsonl`: a line of JSON for the record it belongs to, one as each upload
begins and one as it has ended. It holds names, sizes, digests and ids, never a secret, and only the user may read it.
It counts only while the record in the service carries the very note that it was begun under: a copied or outdated
journal says nothing. Losing it costs time, never correctness, so a folder that cannot be written to is no error.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asstops import scratch
from asstops.model import FileSource

_VERSION = 1
_MAX_BYTES = 64 * 1024 * 1024
SYNC_EVERY_S = 1.0
_WRITE = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload as it began: what was sent for which key, `content` the digest that the record keeps, and when."""

    key: str
    name: str
    size_bytes: int
    sha256: str
    content: str
    began: float


@dataclass(frozen=True, slots=True)
class Story:
    """What a journal tells. `nonce` and `since` name the record's page and the note that it was begun under.

    `begun` is by content digest, `ended` maps a remote id to one. `problem` says why a journal that is there tells
    nothing.
    """

    nonce: str = ""
    since: int = 0
    begun: Mapping[str, Upload] = field(default_factory=dict)
    ended: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""

    def useless(self, notes: Collection[tuple[str, int]]) -> str:
        """Why it tells nothing of a record with these notes, "" when it does or is not there."""
        if self.nonce and (self.nonce, self.since) not in notes:
            return "it is of an apply that has been settled since"
        return self.problem


class Journal:
    """The journal of one stack in one folder. Thread-safe; after a failed write it is silent."""

    def __init__(self, folder: Path, stack: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`folder` is the one that holds `.asstops`."""
        digest = hashlib.sha256(f"journal\0{stack}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
        self.path = folder / scratch.FOLDER / "journal" / f"{digest}.jsonl"
        self._stack = stack
        self._lock = threading.Lock()
        self._syncing = threading.Lock()
        self._file: int | None = None
        self._clock = clock
        self._synced_at = float("-inf")

    def read(self) -> Story:
        """What is written there; an empty story when there is none. Writes nothing."""
        try:
            text = scratch.read(self.path, _MAX_BYTES).decode("utf-8", "replace")
        except (FileNotFoundError, NotADirectoryError):
            return Story()
        except OSError as error:
            return Story(problem=f"{self.path} cannot be read: {error.strerror}")
        try:
            return _story(text, self._stack)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return Story(problem=f"{self.path} is damaged")

    def open(self, nonce: str, since: int) -> None:
        """Go on with the journal of this note, or begin one. Does nothing when it is open."""
        with self._lock:
            if self._file is not None:
                return
            story = self.read()
            try:
                scratch.make(self.path.parent)
                if (story.nonce, story.since) != (nonce, since):
                    self.path.unlink(missing_ok=True)
                self._file = os.open(self.path, _WRITE, 0o600)
                self._end_whole_line()
            except OSError:
                self._silence()
                return
            if (story.nonce, story.since) != (nonce, since):
                self._append({"journal": _VERSION, "stack": self._stack, "record": nonce, "since": since})

    def _end_whole_line(self) -> None:
        """A killed process may have left half a line, which the next one must not be glued to."""
        assert self._file is not None
        size = os.fstat(self._file).st_size
        os.lseek(self._file, 0, os.SEEK_SET)
        whole = os.read(self._file, size).rfind(b"\n") + 1
        if whole < size:
            os.ftruncate(self._file, whole)

    def begins(self, key: str, source: FileSource, content: str, at: float) -> None:
        """An upload is about to be sent."""
        line = {"begins": content, "key": key, "name": source.name, "size_bytes": source.size_bytes}
        with self._lock:
            self._append({**line, "sha256": source.sha256, "at": round(at, 3)})

    def ended(self, remote_id: str, content: str) -> None:
        """An upload has got its id. Whatever becomes of this process, the line stays.

        A machine that loses its power may lose what was written in the last moments: waiting for the disk each time
        would take longer than many an upload, and costs no more than uploading again.
        """
        with self._lock:
            self._append({"ended": content, "id": remote_id})
            if due := self._clock() - self._synced_at >= SYNC_EVERY_S:
                self._synced_at = self._clock()
        if due:
            with self._syncing:
                if self._file is not None:
                    with suppress(OSError):
                        os.fsync(self._file)

    def remove(self) -> None:
        """The record knows everything now."""
        with self._syncing, self._lock:
            self._silence()
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
                self.path.parent.rmdir()

    def _append(self, line: Mapping[str, Any]) -> None:
        """One write for one line, so that a kill leaves whole lines but for the last."""
        if self._file is None:
            return
        try:
            os.write(self._file, json.dumps(line, separators=(",", ":")).encode() + b"\n")
        except OSError:
            self._silence()

    def _silence(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)
            self._file = None


def _story(text: str, stack: str) -> Story:
    """Read the lines back; the last one may be cut off. Raises ValueError and the like for anything else."""
    whole, newline, _ = text.rpartition("\n")
    if not newline:
        return Story()
    first, *lines = [json.loads(line) for line in whole.split("\n")]
    if first["journal"] != _VERSION or first["stack"] != stack:
        raise ValueError("another stack or version")
    begun: dict[str, Upload] = {}
    ended: dict[str, str] = {}
    for line in lines:
        if "begins" in line:
            began = Upload(
                str(line["key"]), str(line["name"]), int(line["size_bytes"]), str(line["sha256"]), str(line["begins"]),
                float(line["at"]),
            )  # fmt: skip
            begun[began.content] = began
        elif line["ended"] in begun:
            ended[str(line["id"])] = line["ended"]
    return Story(str(first["record"]), int(first["since"]), begun, ended)
