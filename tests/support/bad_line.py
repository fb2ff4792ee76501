"""A line to a server on loopback that breaks in the middle of what is sent over it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import urlsplit

_BLOCK = 1 << 16


@dataclass
class BadLine:
    """Passes bytes on to `server` (a URL), but cuts the first `cuts` connections that carry `after` bytes towards it.

    `cut` counts them.
    """

    server: str
    after: int
    cuts: int
    cut: int = 0
    _ends: list[socket.socket] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> BadLine:
        self._listener = socket.create_server(("127.0.0.1", 0))
        # Else megabytes wait here to be passed on, and who sends them is done before anything breaks.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BLOCK)
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for end in (self._listener, *self._ends):
            _hang_up(end)

    @property
    def url(self) -> str:
        """The address to use in the place of the server's."""
        parts = urlsplit(self.server)
        return parts._replace(netloc=f"127.0.0.1:{self._listener.getsockname()[1]}").geturl()

    def _listen(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", urlsplit(self.server).port or 80))
                self._ends += [client, server]
                threading.Thread(target=self._pass_on, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._pass_on, args=(server, client, False), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket, outgoing: bool) -> None:
        passed = 0
        with suppress(OSError):
            while block := one.recv(_BLOCK):
                passed += len(block)
                if outgoing and passed > self.after and self._is_next():
                    break
                other.sendall(block)
        _hang_up(one)
        _hang_up(other)

    def _is_next(self) -> bool:
        with self._lock:
            if self.cut == self.cuts:
                return False
            self.cut += 1
            return True


def _hang_up(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
