"""Keeps a lease alive while work goes on, and tells when that fails, before anybody else can have it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from asstops.errors import AsstopsError
from asstops.locks.storage import LeaseGone

_GONE = "its lease was broken ('asstops unlock' does that), or the blob was deleted"


@dataclass(frozen=True, slots=True)
class Times:
    """All in seconds. A lease lasts `lease`; it counts as lost `margin` before that, so that running work can end.

    `breaking` is how long a broken lease keeps others out at most: as long as it would have lasted, so that its holder
    has stopped by then even if it hears nothing of it.
    """

    lease: int = 60
    renew: float = 15
    retry: float = 3  # after a renewal that failed
    margin: float = 15
    breaking: int = 60


class Keeper:
    """Renews in one thread and watches the time in another, since a renewal may hang.

    `on_lost` is called at most once, from either thread. `began` is when the lease was asked for, on `clock`.
    """

    def __init__(
        self,
        renew: Callable[[], None],
        on_lost: Callable[[str], None],
        *,
        times: Times,
        began: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._renew = renew
        self._on_lost = on_lost
        self._times = times
        self._clock = clock
        self._changed = threading.Condition()
        self._good_until = began + times.lease - times.margin
        self._ended = False
        self._why = "the storage account does not answer"
        self._threads = [
            threading.Thread(target=self._keep, name="lock-renewal", daemon=True),
            threading.Thread(target=self._watch, name="lock-watch", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> bool:
        """End both threads; True unless the lease was lost. A renewal under way is waited for, within bounds."""
        with self._changed:
            lost, self._ended = self._ended, True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(self._times.margin)
        return not lost

    def _keep(self) -> None:
        pause = self._times.renew
        while self._rest(pause):
            began = self._clock()
            try:
                self._renew()
            except LeaseGone:
                self._lose(_GONE)
                return
            except AsstopsError as error:
                pause = self._times.retry
                self._failed(error.message)
            except Exception as error:  # whatever it is, the time goes on running out
                pause = self._times.retry
                self._failed(f"unexpected {type(error).__name__}")
            else:
                pause = self._times.renew
                with self._changed:
                    self._good_until = began + self._times.lease - self._times.margin
                    self._changed.notify_all()

    def _failed(self, why: str) -> None:
        with self._changed:
            self._why = why
            self._changed.notify_all()

    def _rest(self, seconds: float) -> bool:
        """Wait; False once all is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended, seconds)
            return not self._ended

    def _watch(self) -> None:
        with self._changed:
            while not self._ended and (left := self._good_until - self._clock()) > 0:
                self._changed.wait(left)
            why = self._why
        self._lose(f"its lease could not be renewed in time: {why}")

    def _lose(self, why: str) -> None:
        with self._changed:
            if self._ended:
                return
            self._ended = True
            self._changed.notify_all()
        self._on_lost(why)
