"""The lock of a team: a lease on a blob in Azure Storage, which one process at a time can have.

A lease runs out by itself, so a process that was killed keeps others out for a minute at most.
https://learn.microsoft.com/rest/api/storageservices/lease-blob
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from asstops.errors import AsstopsError, Unavailable
from asstops.locks.holder import Holder
from asstops.locks.keeper import Keeper, Times
from asstops.locks.storage import LeasedBlob, LeaseTaken
from asstops.locks.waiting import wait_for

_LOG = logging.getLogger("asstops")
TIMES = Times()
PAUSE_S = 2.0
ATTEMPTS = 3
ATTEMPT_PAUSE_S = 1.0
_Result = TypeVar("_Result")


class AzureBlobLock:
    """A leased blob that holds, for whoever waits, who has the lease."""

    breakable = True

    def __init__(self, blob: LeasedBlob, what: str, fix: str) -> None:
        """`what` is locked, in words, and `fix` says what to do about it."""
        self.what = what
        self._fix = fix
        self._blob = blob
        self._began = 0.0

    @contextmanager
    def held(
        self,
        me: Holder,
        *,
        timeout_s: float,
        waiting: Callable[[str], None],
        on_lost: Callable[[str], None],
    ) -> Iterator[None]:
        """Hold the lease inside the block. `on_lost` is called, from a thread, at most once and before others have it.

        Raises Locked, and AsstopsErrors for a storage account that cannot be used.
        """
        lease_id = str(uuid.uuid4())
        try:
            wait_for(
                lambda: self._taken(lease_id),
                self._holder,
                what=self.what,
                fix=self._fix,
                timeout_s=timeout_s,
                pause_s=PAUSE_S,
                waiting=waiting,
            )
            keeper = Keeper(self._blob.renew, on_lost, times=TIMES, began=self._began)
            try:
                self._quietly(lambda: self._blob.write(me.to_json()))
                yield
            finally:
                if keeper.stop():
                    # Emptied first: the next one must not be taken for us until it has said who it is.
                    self._quietly(lambda: self._blob.write(""))
                    self._quietly(self._blob.release)
        finally:
            self._blob.close()

    def look(self) -> tuple[bool, Holder | None]:
        """Whether the lock is held, and by whom if that is known."""
        if not self._sturdy(self._blob.is_leased):
            return False, None
        return True, self._holder()

    def break_lock(self) -> int:
        """Take the lock from its holder; returns the seconds until others can have it.

        Until then the holder finds out, at its next renewal, and stops.
        """
        return self._sturdy(lambda: self._blob.break_lease(TIMES.breaking))

    def close(self) -> None:
        self._blob.close()

    def _taken(self, lease_id: str) -> bool:
        def take() -> bool:
            self._began = time.monotonic()  # before it is sent: the lease may run from then on
            try:
                self._blob.lease(lease_id, TIMES.lease)
            except LeaseTaken:
                return False
            return True

        return self._sturdy(take)

    def _holder(self) -> Holder | None:
        return Holder.from_json(self._sturdy(self._blob.read))

    def _sturdy(self, request: Callable[[], _Result]) -> _Result:
        """Ask a few times: whatever we ask can be asked again without harm."""
        for _ in range(ATTEMPTS - 1):
            try:
                return request()
            except Unavailable:
                time.sleep(ATTEMPT_PAUSE_S)
        return request()

    def _quietly(self, request: Callable[[], None]) -> None:
        """What does not decide who has the lock: it must not end, or outlive, an apply that goes well."""
        try:
            request()
        except AsstopsError as error:
            _LOG.info("%s", error.message)
