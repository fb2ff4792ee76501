"""The lock of the stack, as commands that write hold it: taken before live state is read, kept until the report."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

import click

from asstops.cli.options import Globals
from asstops.cli.stopping import GENTLY
from asstops.errors import ExitCode, Interrupted, Locked, PartlyApplied

if TYPE_CHECKING:
    from asstops.cli.run import Run
    from asstops.locks import Lock
    from asstops.providers.credentials import TokenSource
    from asstops.providers.session import Session
    from asstops.providers.settings import Settings
    from asstops.spec import Stack


class StackLock:
    """One command's lock. `lost` says why it was lost, `wrote` that something was written under it already."""

    def __init__(self, options: Globals, command: str, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self.lost = ""
        self.wrote = False
        self._options = options
        self._command = f"asstops {command}"
        self._held = ExitStack()
        self._taken = False
        self._session: Session | None = None
        self._event: threading.Event | None = None

    def __enter__(self) -> StackLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()
        if self.lost and isinstance(error, Interrupted):
            error = self._error()
        if isinstance(error, Locked) and self.wrote:
            raise PartlyApplied(error.message, fix=error.fix) from None
        if isinstance(error, Locked):
            raise error from None

    def take(self, run: Run) -> None:
        """Hold the lock from here on; a second call only says which session to stop. Raises Locked.

        With --local the data themselves are locked for as long as they are open (see `local.local_emulator`).
        """
        from asstops.locks import Holder

        self._session = run.session
        if not self._taken and not self._options.local:
            lock = lock_of(run.stack, run.session.settings, os.environ, run.session.credential, self._options)
            if lock.breakable:
                self._held.enter_context(_terminable())
            me = Holder.here(self._command)
            self._held.enter_context(lock.held(me, timeout_s=self.timeout_s, waiting=tell, on_lost=self._on_lost))
        self._taken = True
        self.check()

    def check(self) -> None:
        """Raise Locked once the lock is lost."""
        if self.lost:
            raise self._error()

    @contextmanager
    def stopping(self, event: threading.Event) -> Iterator[None]:
        """Set `event` when the lock is lost inside the block. Raises Locked when it is lost already."""
        self._event = event
        self.check()
        try:
            yield
        finally:
            self._event = None

    def exit_code(self, *, wrote: bool) -> ExitCode | None:
        """How the command ends when the lock was lost on the way, None when it was not."""
        if not self.lost:
            return None
        return ExitCode.PARTLY_APPLIED if wrote or self.wrote else ExitCode.LOCKED

    def _on_lost(self, why: str) -> None:
        from asstops.views.text import safe

        self.lost = why
        if self._event is not None:
            self._event.set()
        if self._session is not None:
            self._session.limiter.stop(for_good=True)
        text = f"\nThe lock is lost: {safe(why)}.\nStopping: {GENTLY}.\n"
        with suppress(OSError, ValueError):  # past Python's buffers, as a signal's message is: others write too
            os.write(sys.stderr.fileno(), text.encode("utf-8", "replace"))

    def _error(self) -> Locked:
        from asstops.library import AGAIN

        return Locked(f"the lock was lost: {self.lost}", fix=AGAIN)


def tell(text: str) -> None:
    """Show a line of a lock to whoever waits; names in it come from other machines."""
    from asstops.views.text import safe

    click.echo(safe(text), err=True)


def lock_of(
    stack: Stack,
    settings: Settings,
    environ: Mapping[str, str],
    credential: Callable[[], TokenSource],
    options: Globals,
) -> Lock:
    """The lock that the spec asks for, else the one of this machine; with --local the one of the emulator's data."""
    from asstops import library

    if options.local:
        from asstops.cli.local import data_lock
        from asstops.cli.run import LOCAL_DB

        return data_lock(options.chdir / LOCAL_DB)
    return library.lock_of(stack, settings, environ, credential, options.chdir)


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end the command in order, so that the lease is given back; by itself it would end at once."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        raise click.exceptions.Exit(ExitCode.TERMINATED)

    signal.signal(signal.SIGTERM, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
