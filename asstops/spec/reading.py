"""Reads the files that a command names: bounded, from files alone, through no link that leads out of the repository.

A pull request may turn the spec itself into a link to a file with secrets, which messages about it would then quote; or
to something that has no end.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from asstops.spec.git import top_level
from asstops.spec.paths import is_forbidden
from asstops.spec.words import cut

_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_PIPES = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
"""What a shell's <(…) comes as: whoever types that wants it read to its end."""


class Unreadable(Exception):
    """A file that cannot or may not be read; carries what to do about it."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


def read_bytes(path: Path, base: Path, limit: int, *, allow_outside: bool = False) -> bytes:
    """The bytes of a file, at most one more than `limit`. `base` is where the command works. Raises Unreadable."""
    pipe = str(path).startswith(_PIPES)
    try:
        if not pipe:
            _check_links(path, base, allow_outside=allow_outside)
        with open(os.open(path, _OPEN), "rb", buffering=0) as file:
            mode = os.fstat(file.fileno()).st_mode
            if stat.S_ISDIR(mode):
                raise Unreadable("the file cannot be read: it is a folder", "name a file")
            if not stat.S_ISREG(mode) and not (pipe and stat.S_ISFIFO(mode)):
                raise Unreadable(
                    "the file cannot be read: it is no regular file", "name a file with content of its own"
                )
            size = os.fstat(file.fileno()).st_size
            if size > limit:
                raise Unreadable(f"the file has {size:,} bytes, at most {limit:,} are read", "split it")
            if pipe:
                os.set_blocking(file.fileno(), True)
            found = bytearray()
            while len(found) <= limit and (piece := file.read(limit + 1 - len(found))):
                found += piece
            return bytes(found)
    except (OSError, RuntimeError, ValueError) as error:
        told = (error.strerror if isinstance(error, OSError) else "") or "its path cannot be followed"
        raise Unreadable(f"the file cannot be read: {told}", "check its path and permissions") from error


def _check_links(path: Path, base: Path, *, allow_outside: bool) -> None:
    """What is named inside the working folder must stay in its repository; what is named elsewhere, in that one."""
    named, here = Path(os.path.abspath(path)), Path(os.path.abspath(base))
    anchor = here if named.is_relative_to(here) else named.parent
    settled = anchor.resolve()
    real = named.resolve(strict=True)
    if real == settled / named.relative_to(anchor):
        return
    top = top_level(settled) or settled
    inside = real.is_relative_to(top)
    parts = real.relative_to(top).parts if inside else real.parts
    if bad := next((part for part in parts if is_forbidden(part)), None):
        raise Unreadable(f"the file is a link into {cut(bad)}, which a spec never reads", "put the file itself there")
    if not inside and not allow_outside:
        raise Unreadable("the file is a link that leads out of the repository", "put the file itself there")
