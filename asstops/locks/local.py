"""The lock of one machine: a locked file, which the system frees when its process ends, however that ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from asstops.errors import AsstopsError, Locked
from asstops.locks.holder import Holder
from asstops.locks.waiting import UNKNOWN, wait_for

PAUSE_S = 0.2


def lock_file(name: str, fallback: Path) -> Path:
    """Where the lock `name` of this user is: in the folder for state that the system gives each user.

    Two clones of one repository so share it. `fallback` is the folder where the other cannot be written. Makes the
    folder and the file. Raises AsstopsError where neither can be written.
    """
    from platformdirs import user_state_path

    first = user_state_path("asstops", appauthor=False) / "locks"
    for folder in (first, fallback):
        path = folder / f"{name}.lock"
        # Without a home folder the first is no absolute path, and would land in whatever folder we are in.
        if folder.is_absolute() or folder is fallback:
            with suppress(OSError):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if folder is fallback:
                    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
                path.touch(mode=0o600)
                os.close(os.open(path, os.O_RDWR))
                return path
    raise AsstopsError(
        f"the lock file can be written neither in {first} nor in {fallback}",
        fix="make one of these folders writable, or work in a folder that you may write to",
    )


class LocalLock:
    """A file that is locked while work goes on. Who holds it stands in a second file, readable all the time."""

    breakable = False

    def __init__(self, path: Path, what: str, fix: str) -> None:
        """`what` is locked, in words, and `fix` says what to do about it."""
        self.path = path
        self.what = what
        self._fix = fix
        self._note = path.with_suffix(".json")

    @contextmanager
    def held(
        self,
        me: Holder,
        *,
        timeout_s: float,
        waiting: Callable[[str], None],
        on_lost: Callable[[str], None],
    ) -> Iterator[None]:
        """Hold the lock inside the block. It cannot be lost, so `on_lost` is never called. Raises Locked."""
        from filelock import FileLock

        lock = FileLock(str(self.path))
        wait_for(
            lambda: _acquired(lock),
            self._holder,
            what=self.what,
            fix=self._fix,
            timeout_s=timeout_s,
            pause_s=PAUSE_S,
            waiting=waiting,
        )
        try:
            self._write(me)
            yield
        finally:
            with suppress(OSError):
                self._note.unlink()
            lock.release()

    def look(self) -> tuple[bool, Holder | None]:
        """Whether the lock is held, and by whom if that is known."""
        from filelock import FileLock

        if not self.path.exists():
            return False, None
        lock = FileLock(str(self.path))
        if _acquired(lock):
            lock.release()
            return False, None
        return True, self._holder()

    def break_lock(self) -> int:
        """Raises Locked: the system does not take a lock from a process that is alive."""
        held, holder = self.look()
        if not held:
            return 0
        end = f"end it (process {holder.pid})" if holder is not None else "end it"
        raise Locked(
            f"{self.what} is locked by {holder or UNKNOWN}: it is alive, and the lock cannot be taken from it",
            fix=f"wait for the process, or {end}; the lock is free as soon as it has ended",
        )

    def _write(self, me: Holder) -> None:
        """Best effort: a full disk costs the name of the holder, not the lock."""
        new = self._note.with_suffix(f".{me.pid}")
        with suppress(OSError):
            new.touch(mode=0o600)
            new.write_text(me.to_json(), encoding="utf-8")
            os.replace(new, self._note)

    def _holder(self) -> Holder | None:
        """Who holds it; None for the note of a process that died, which the next one replaces in a moment."""
        try:
            found = Holder.from_json(self._note.read_bytes())
        except OSError:
            return None
        return found if found is not None and _alive(found.pid) else None


def _acquired(lock: object) -> bool:
    from filelock import BaseFileLock, Timeout

    assert isinstance(lock, BaseFileLock)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    except OSError as error:
        raise AsstopsError(
            f"{lock.lock_file} cannot be locked: {error.strerror or error}",
            fix="check the permissions of the file and of its folder",
        ) from error
    return True


def _alive(pid: int) -> bool:
    """False for a process that has surely ended. On Windows a process cannot be asked like this."""
    if sys.platform == "win32" or pid <= 0:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
