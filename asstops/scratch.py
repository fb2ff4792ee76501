"""`.asstops/`: the folder, where asstops runs, for what saves time on this machine and may be lost at any moment.

Owns how its files are made, read and replaced: for the user alone, never through a link, and never half. What stands in
them is for others to know.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import threading
from contextlib import suppress
from pathlib import Path

FOLDER = Path(".asstops")
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _NO_LINK
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _NO_LINK
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK
_UNFINISHED = re.compile(r".+\.\d+-\d+")
_ABANDONED_S = 3600


def make(folder: Path) -> None:
    """Make a folder in `.asstops`, which git ignores from then on. Raises OSError, also where either is a link.

    A repository can bring links along, through which asstops would write where it has no business.
    """
    folder.parent.parent.mkdir(parents=True, exist_ok=True)
    for each, mode in ((folder.parent, 0o777), (folder, 0o700)):
        with suppress(FileExistsError):
            each.mkdir(mode)
        if not stat.S_ISDIR(each.lstat().st_mode):
            raise OSError(errno.ENOTDIR, f"{each.name} is a link or a file, not a folder")
    with suppress(FileExistsError), open(os.open(folder.parent / ".gitignore", _NEW, 0o666), "wb") as stream:
        stream.write(b"*\n")


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
            now_s = os.fstat(stream.fileno()).st_mtime
        os.replace(new, path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
    _remove_abandoned(path.parent, now_s)


def _remove_abandoned(folder: Path, now_s: float) -> None:
    """What killed processes have left half done. `now_s` is by the clock of the file system, in seconds."""
    with suppress(OSError):
        for path in folder.iterdir():
            if _UNFINISHED.fullmatch(path.name):
                with suppress(OSError):
                    if path.lstat().st_mtime < now_s - _ABANDONED_S:
                        path.unlink()


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
