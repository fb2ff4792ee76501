"""`.asstops/`: the folder beside a spec for what saves time on this machine and may be lost at any moment.

Owns how its files are made, read and replaced: for the user alone, never through a link, and never half. What stands in
them is for others to know.
"""

from __future__ import annotations

import os
import stat
import threading
from contextlib import suppress
from pathlib import Path

FOLDER = Path(".asstops")
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _NO_LINK
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _NO_LINK


def make(folder: Path) -> None:
    """Make a folder in `.asstops`, which git ignores from then on. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ignore = folder.parent / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")


def read(path: Path, limit: int) -> bytes:
    """The first `limit` bytes of a file. Raises OSError, also for what is no regular file."""
    with open(os.open(path, _READ), "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(0, "it is no file")
        return stream.read(limit)


def replace(path: Path, content: bytes) -> None:
    """Put `content` where the file is, whole or not at all: others read the old one or the new one. Raises OSError.

    It does not wait for the disk, so a machine that loses its power may keep an empty file, or half of one.
    """
    make(path.parent)
    new = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    try:
        with open(os.open(new, _WRITE, 0o600), "wb") as stream:
            stream.write(content)
        os.replace(new, path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise


def moment(folder: Path) -> int:
    """Now, in nanoseconds, by the clock that the file system of `folder` gives its files. Raises OSError."""
    make(folder)
    probe = folder / f"moment.{os.getpid()}-{threading.get_ident()}"
    try:
        with open(os.open(probe, _WRITE, 0o600), "wb") as stream:
            return os.fstat(stream.fileno()).st_mtime_ns
    finally:
        with suppress(OSError):
            probe.unlink()
