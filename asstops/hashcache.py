"""Which SHA-256 the files of a stack had, so that the next command reads only those that have changed since.

One file a stack, `.asstops/hashes/DIGEST.json`: paths, digests, and what the file system said of each file. It holds no
secret and counts on this machine alone. An entry is believed while size, modification time, change time, inode and
device are what they were: whoever changes a file can set its modification time as they like, its change time they
cannot. Losing the file costs time, never correctness, so one that cannot be read or written is no error.

A change within the same tick of the file system's clock leaves no trace in its times. So what was changed just before
it was read is not remembered, and read again by the next command (git calls such files racy).

Two changes stay unseen: one through memory that a program has mapped the file to, for which systems set the times late
or only once, and on a network file system one by another machine, as long as this one keeps the attributes that it was
told before. A plan may then be outdated; nothing wrong is uploaded, since what is sent is hashed as it goes out.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asstops import scratch

_LOG = logging.getLogger("asstops")
_VERSION = 2
_MAX_BYTES = 64 * 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Below both, reading the files takes no longer than reading about them.
WORTH_FILES = 200
WORTH_BYTES = 16 * 1024 * 1024
# The coarsest clocks of file systems in use tick every two seconds.
SETTLED_NS = 2_000_000_000
# On Windows a file has no change time (st_ctime is when it was made), so only reading tells that it is what it was.
HAS_CHANGE_TIMES = os.name != "nt"

Stamp = tuple[int, int, int, int, int]
"""Size in bytes, modification time and change time in nanoseconds, inode, device."""


def stamp(found: os.stat_result) -> Stamp:
    """What changes when the file does, or another file system is mounted where it was."""
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev


def is_settled(found: Stamp, since_ns: int) -> bool:
    """Whether a change from `since_ns` on that sets the times gives the file another stamp."""
    _, modified, changed, _, _ = found
    return max(modified, changed) + SETTLED_NS <= since_ns


def _now(folder: Path) -> int:
    """Now, in nanoseconds: on file systems of other machines the earlier of their clock and ours, which may differ."""
    return min(time.time_ns(), scratch.moment(folder))


@dataclass(frozen=True, slots=True)
class Known:
    """What the cache knew of the files it was asked about: path -> digest, for those that are as they were.

    `since_ns` is a moment before any other of them is read, None where nothing can be remembered. `entries` is what the
    cache holds.
    """

    digests: Mapping[str, str] = field(default_factory=dict)
    since_ns: int | None = None
    entries: Mapping[str, Any] = field(default_factory=dict)


class HashCache:
    """The cache of one stack in one folder. Has no state, so that threads and processes may share it."""

    def __init__(
        self,
        folder: Path,
        stack: str,
        *,
        now: Callable[[Path], int] | None = None,
        has_change_times: bool | None = None,
    ) -> None:
        """`folder` is the one that holds `.asstops`; `now` tells the time, in nanoseconds."""
        digest = hashlib.sha256(f"hashes\0{stack}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
        self.path = folder / scratch.FOLDER / "hashes" / f"{digest}.json"
        self._inside = os.path.join(os.path.abspath(folder), "")
        self._now = now or _now
        self._usable = HAS_CHANGE_TIMES if has_change_times is None else has_change_times

    def is_worth_it(self, files: int, size_bytes: int) -> bool:
        """Whether so many files of this size in all are more work to read than the cache is."""
        return self._usable and (files >= WORTH_FILES or size_bytes >= WORTH_BYTES)

    def look(self, sizes: Mapping[str, int]) -> Known:
        """What is known of these files: absolute path -> size in bytes, which the file must still have.

        Reads the cache, and looks at each file that it holds, but into none.
        """
        entries = self._read()
        digests: dict[str, str] = {}
        missed = False
        for path, size_bytes in sizes.items():
            digest = self._digest(entries.get(self._key(path)), path, size_bytes)
            if digest:
                digests[path] = digest
            missed = missed or not digest
        since = None
        if missed or len(entries) != len(digests):
            try:
                since = self._now(self.path.parent)
            except OSError as error:
                self._note(f"cannot be written: {error.strerror}")
        return Known(digests, since, entries)

    def keep(self, known: Known, hashed: Mapping[str, tuple[Stamp, str]]) -> None:
        """Remember what `known` tells and what was read since, path -> stamp and digest; nothing else is kept."""
        if known.since_ns is None:
            return
        keys = {path: self._key(path) for path in (*known.digests, *hashed)}
        entries = {keys[path]: known.entries[keys[path]] for path in known.digests}
        for path, (found, digest) in hashed.items():
            if is_settled(found, known.since_ns):
                entries[keys[path]] = [*found, digest]
        if entries == known.entries:
            return
        body = json.dumps(entries, separators=(",", ":")).encode()
        if len(body) > _MAX_BYTES // 2:  # it would not be read
            return
        head = json.dumps({"hashes": _VERSION, "sha256": hashlib.sha256(body).hexdigest()}).encode()
        try:
            scratch.replace(self.path, head + b"\n" + body)
        except OSError as error:
            self._note(f"cannot be written: {error.strerror}")

    def _key(self, path: str) -> str:
        """Relative where it can be, so that a folder that was moved keeps what is known."""
        return path.removeprefix(self._inside)

    def _digest(self, entry: object, path: str, size_bytes: int) -> str:
        """The digest of a file that is as it was; "" for any other."""
        if not isinstance(entry, list) or len(entry) != 6 or entry[0] != size_bytes:
            return ""
        try:
            found = os.stat(path)
        except (OSError, ValueError):
            return ""
        digest = entry[5]
        same = tuple(entry[:5]) == stamp(found) and isinstance(digest, str) and _SHA256.fullmatch(digest)
        return digest if same else ""

    def _read(self) -> dict[str, Any]:
        try:
            head, _, body = scratch.read(self.path, _MAX_BYTES).partition(b"\n")
            said = json.loads(head)
            if said != {"hashes": _VERSION, "sha256": hashlib.sha256(body).hexdigest()}:
                raise ValueError("it is of another version, or not what was written")
            entries = json.loads(body)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            self._note(f"cannot be read: {error.strerror}")
            return {}
        except (ValueError, RecursionError):
            self._note("is damaged")
            return {}
        return entries if isinstance(entries, dict) else {}

    def _note(self, trouble: str) -> None:
        _LOG.info("the cache of digests %s %s", self.path, trouble)
