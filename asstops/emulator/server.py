"""Starting and stopping the emulator.

Owns the socket, the thread and the signals. What is served is app.py's business.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from asstops.emulator import registry
from asstops.emulator.app import TRANSPORT, App
from asstops.emulator.environment import environment
from asstops.emulator.settings import EmulatorError, EmulatorSettings
from asstops.emulator.state import State
from asstops.emulator.store import Store
from asstops.emulator.wire import RouteTable


class _Protocol(HttpToolsProtocol):
    """Lets the application drop its connection, which ASGI has no message for."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast("dict[str, Any]", self.scope)[TRANSPORT] = self.transport


class _Server(uvicorn.Server):
    """Ends at once when it is told to; uvicorn looks ten times a second. Tests start hundreds of these."""

    _end: Callable[[], object] | None = None

    def end(self) -> None:
        """Stop serving; called from another thread."""
        self.should_exit = True
        if self._end is not None:
            self._end()

    async def main_loop(self) -> None:
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        self._end = lambda: loop.call_soon_threadsafe(ended.set)
        if not await self.on_tick(0):
            await ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.server_state.tasks:  # requests under way get a moment to finish
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for _ in range(50):
            if not self.server_state.connections:
                break
            await asyncio.sleep(0)


class EmulatorServer:
    """A local Azure on loopback, served by a thread of this process while the context is open."""

    def __init__(
        self,
        db: Path | None = None,
        port: int = 0,
        settings: EmulatorSettings | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.settings = settings or EmulatorSettings()
        if not self.settings.allow_remote and not _is_loopback(host):
            raise EmulatorError(f"{host} is not a loopback address; the emulator protects nothing, so keep it local")
        self._db, self._port, self._host = db, port, host
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self.state: State | None = None
        self.url = ""

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which clients find this server."""
        return environment(self.url, self.settings.subscription_id)

    def start(self) -> EmulatorServer:
        """Listen and serve; returns when the first request can come."""
        listener = _listen(self._host, self._port)
        try:
            store = Store(self._db)
        except BaseException:
            listener.close()
            raise
        port = listener.getsockname()[1]
        scheme = "http" if self.settings.tls_cert is None else "https"
        self.url = f"{scheme}://{f'[{self._host}]' if ':' in self._host else self._host}:{port}"
        settings = replace(self.settings, public_url=(self.settings.public_url or self.url).rstrip("/"))
        try:
            self.state = State(settings, store, registry.gather("UPKEEP"))
        except BaseException:
            store.close()
            listener.close()
            raise
        store.db.execute("BEGIN")
        for seed in registry.gather("SEED"):
            seed(self.state)
        store.db.execute("COMMIT")
        planes = registry.planes()
        config = uvicorn.Config(
            App(self.state, planes, RouteTable(registry.routes(), planes)),
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
            ssl_certfile=self.settings.tls_cert,
            ssl_keyfile=self.settings.tls_key,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._serve, args=(listener,), name="asstops-emulator", daemon=True)
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.002)
            if not self._thread.is_alive():
                raise EmulatorError(f"the emulator did not start: {self._failure}")
        return self

    def stop(self) -> None:
        """Stop serving and close the database; does nothing when it is not running."""
        if self._server is None or self._thread is None:
            return
        self._server.end()
        self._thread.join(10)
        if self.state is not None:
            self.state.store.close()
        self._server = self._thread = None

    def _serve(self, listener: socket.socket) -> None:
        assert self._server is not None
        try:
            asyncio.run(self._server.serve(sockets=[listener]))
        except BaseException as error:  # told to start(), which raises it
            self._failure = error
        finally:
            listener.close()

    def __enter__(self) -> EmulatorServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(
    *,
    port: int,
    db: Path | None,
    host: str = "127.0.0.1",
    settings: EmulatorSettings | None = None,
    ready: Callable[[EmulatorServer], None] | None = None,
) -> None:
    """Serve in the foreground until SIGINT or SIGTERM, then return. `ready` is called once it listens."""
    # Not an Event: its lock may be held by the very wait that the signal interrupts, and then nothing ever ends.
    stopped: SimpleQueue[int] = SimpleQueue()
    with EmulatorServer(db=db, port=port, settings=settings, host=host) as server:
        previous = {
            sig: signal.signal(sig, lambda number, _: stopped.put(number)) for sig in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            if ready is not None:
                ready(server)
            # With a time-out the main thread keeps waking, which Windows needs to see signals at all.
            while True:
                with contextlib.suppress(Empty):
                    stopped.get(timeout=0.5)
                    return
        finally:
            for sig, handler in previous.items():
                signal.signal(sig, handler)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, so that asyncio turns Nagle off: else each answer waits 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":  # elsewhere the option lets two servers share one port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise EmulatorError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    return listener


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False
