"""Two applies of one stack never run at the same time: the lock that sees to it, on one machine or for a team.

Owns who holds a lock, waiting for it, keeping it and breaking it. It does not know what is done under a lock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from asstops.locks.holder import Holder
from asstops.locks.local import LocalLock, lock_file

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from asstops.locks.azure_blob import AzureBlobLock


class Lock(Protocol):
    """What keeps others out. `what` says in words what is locked; `breakable` that a live holder can lose it."""

    what: str
    breakable: bool

    def held(
        self,
        me: Holder,
        *,
        timeout_s: float,
        waiting: Callable[[str], None],
        on_lost: Callable[[str], None],
    ) -> AbstractContextManager[None]:
        """Hold it inside the block, after waiting up to `timeout_s`; `waiting` gets a line that says for whom.

        `on_lost` gets the reason, at most once and from a thread, when it can no longer be kept. Raises Locked.
        """
        ...

    def look(self) -> tuple[bool, Holder | None]:
        """Whether it is held, and by whom if that is known."""
        ...

    def break_lock(self) -> int:
        """Take it from its holder; returns the seconds until others can have it. Raises Locked where it cannot be."""
        ...


def local_lock(stack: str, place: tuple[str, ...], *, what: str, fix: str, fallback: Path) -> LocalLock:
    """The lock of a stack on this machine. `place` tells the service it lives in from all others, whatever the case."""
    name = sha256("\n".join((stack, *(part.casefold().rstrip("/") for part in place))).encode()).hexdigest()[:32]
    return LocalLock(lock_file(name, fallback), what, fix)


def azure_blob_lock(
    stack: str,
    account_url: str,
    container: str,
    *,
    what: str,
    fix: str,
    environ: Mapping[str, str],
    credential: Callable[[], TokenCredential],
) -> AzureBlobLock:
    """The lock of a stack for everybody who uses that container: the blob `asstops/<stack>.lock`."""
    from asstops.locks.azure_blob import AzureBlobLock
    from asstops.locks.storage import LeasedBlob

    name = f"asstops/{stack}.lock"
    return AzureBlobLock(LeasedBlob(account_url, container, name, environ=environ, credential=credential), what, fix)


__all__ = ["Holder", "LocalLock", "Lock", "azure_blob_lock", "local_lock"]
