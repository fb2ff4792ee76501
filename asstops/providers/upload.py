"""The content of one upload on its way out: counted, checked against the plan, and stopped when the run is.

What is sent is what the plan was made from: the last block is given out only when all of it has the planned digest, so
the service never has the whole of anything else, and makes no file of a part.
"""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from asstops.errors import ApplyError, AsstopsError, Moved, Unavailable

if TYPE_CHECKING:
    from asstops.model import FileSource

LARGE = 8_000_000  # bytes from which on progress is told, and an upload is not finished when the run is stopped
REPORT_EVERY_S = 0.25


class Content(io.RawIOBase):
    """A file that the SDK reads from; each rewind begins a new attempt. For one thread at a time.

    `report` is told of the bytes sent and of all there are, for large files a few times a second. `go_on` raises when
    nothing more may be sent.
    """

    def __init__(
        self,
        source: FileSource,
        report: Callable[[int, int], None],
        go_on: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._source = source
        self._report = report
        self._go_on = go_on
        self._clock = clock
        self._large = source.size_bytes >= LARGE
        self._problem: AsstopsError | None = None
        self._sent = 0
        self._whole = False
        self._reported_at = float("-inf")
        self._digest = hashlib.sha256()
        try:
            self._file = source.path.open("rb", buffering=0)
        except OSError as error:
            self._stop(unreadable(source, error))

    def close(self) -> None:
        if not self.closed and hasattr(self, "_file"):
            self._file.close()
        super().close()

    # What the SDK uses

    def fileno(self) -> int:
        """For the length, which the SDK asks the file system for."""
        return self._file.fileno()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._sent

    def seek(self, offset: int, whence: int = 0) -> int:
        """Begin anew; no other place can be sought."""
        if (offset, whence) != (0, 0):
            raise io.UnsupportedOperation("only from the start")
        self._file.seek(0)
        self._sent, self._whole, self._digest = 0, False, hashlib.sha256()
        if os.fstat(self._file.fileno()).st_size != self._source.size_bytes:
            self._stop(moved(self._source))
        self._tell_of(0, now=True)
        return 0

    def read(self, size: int = -1) -> bytes:
        """The next block. Raises Moved, ApplyError, and what `go_on` raises; `judged` raises them again."""
        if self._large and self._sent:
            try:
                self._go_on()
            except AsstopsError as error:
                self._stop(error)
        left = self._source.size_bytes - self._sent  # what is added from now on is for another plan
        try:
            block = self._file.read(left if size < 0 else min(size, left)) or b""
        except OSError as error:
            self._stop(unreadable(self._source, error))
        self._digest.update(block)
        self._sent += len(block)
        if not self._whole and (not block or len(block) == left):
            if self._digest.hexdigest() != self._source.sha256:
                self._stop(moved(self._source))
            self._whole = True
            self._tell_of(self._sent, now=True)  # from here on it is the service that takes its time
        self._tell_of(self._sent)
        return block

    # What became of it

    @contextmanager
    def judged(self) -> Iterator[None]:
        """Errors of a request in which this is the body: what stopped the reading comes first.

        A service that was not given all of it has made nothing, so what went wrong before is not ambiguous.
        """
        try:
            yield
        except AsstopsError as error:
            if self._problem is not None:
                raise self._problem from (error if error is not self._problem else None)
            if isinstance(error, Unavailable) and error.ambiguous and not self._whole:
                raise Unavailable(
                    f"{error.message}, after {self._sent:,} of {self._source.size_bytes:,} bytes",
                    fix=error.fix,
                    status=error.status,
                    code=error.code,
                    request_id=error.request_id,
                    retry_after_s=error.retry_after_s,
                ) from error
            raise

    def _tell_of(self, done: int, *, now: bool = False) -> None:
        if self._large and (now or self._clock() - self._reported_at >= REPORT_EVERY_S):
            self._reported_at = self._clock()
            self._report(done, self._source.size_bytes)

    def _stop(self, problem: AsstopsError) -> NoReturn:
        """Libraries may hide an error that is raised inside of them, so it is kept."""
        self._problem = problem
        raise problem


def moved(source: FileSource) -> Moved:
    """What was approved is what is sent: the file must still hold what the plan was made from."""
    return Moved(f"{source.shown} changed after the plan was made", fix="plan again, to see what would be sent now")


def unreadable(source: FileSource, error: OSError) -> ApplyError:
    return ApplyError(f"{source.shown} cannot be read: {error.strerror}", fix="put it back, then plan again")
