"""How quick the emulator is, as ratios that mean the same on every machine.

    python bench/emulator.py

A small GET is compared with a bare Starlette route behind the same server in the same run, each asked by a client
process over one connection at a time; a list of a store's files with lists of fewer; a start with an import of
Starlette and uvicorn. It asserts nothing: read the numbers.
"""

from __future__ import annotations

import json
import multiprocessing
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from asstops.emulator import EmulatorServer, EmulatorSettings, environment

REQUESTS, ROUNDS, CLIENTS = 2000, 5, 4
VERSION = "api-version=2025-03-01-preview"


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@contextmanager
def bare() -> Iterator[int]:
    """A Starlette route that answers with a small JSON object."""

    async def small(_: Request) -> JSONResponse:
        return JSONResponse({"id": "asst_x", "object": "assistant", "name": None, "tools": [], "metadata": {}})

    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(Starlette(routes=[Route("/small", small)]), log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join()


def ask(port: int, path: str, headers: dict[str, str], times: int) -> None:
    connection = HTTPConnection("127.0.0.1", port)
    for _ in range(times):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"GET {path} answered {answer.status}")


def rates(port: int, path: str, headers: dict[str, str]) -> tuple[float, float]:
    """Return requests a second, by the clock and by this process's processor time; clients are other processes."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(CLIENTS) as pool:
        pool.starmap(ask, [(port, path, headers, 20)] * CLIENTS)
        wall, cpu = time.perf_counter(), time.process_time()
        pool.starmap(ask, [(port, path, headers, REQUESTS // CLIENTS)] * CLIENTS)
        return REQUESTS / (time.perf_counter() - wall), REQUESTS / (time.process_time() - cpu)


def small_gets(server: EmulatorServer, headers: dict[str, str]) -> None:
    made = call(server, headers, "POST", f"/openai/assistants?{VERSION}", {"model": "gpt-4o"})
    with bare() as port:
        own = int(server.url.rpartition(":")[2])
        rounds = [
            (rates(own, f"/openai/assistants/{made['id']}?{VERSION}", headers), rates(port, "/small", {}))
            for _ in range(ROUNDS)
        ]
    emulator = statistics.median(ours[1] for ours, _ in rounds)
    ratio = statistics.median(ours[1] / theirs[1] for ours, theirs in rounds)
    clock = statistics.median(ours[0] for ours, _ in rounds)
    say(f"small GET: {emulator:,.0f} for a second of one core, {ratio:.2f} of a bare Starlette route")
    say(f"           {clock:,.0f} a second by the clock, clients and server sharing this machine")


def call(
    server: EmulatorServer, headers: dict[str, str], method: str, path: str, body: object = None
) -> dict[str, str]:
    connection = HTTPConnection("127.0.0.1", int(server.url.rpartition(":")[2]))
    connection.request(method, path, json.dumps(body), {**headers, "content-type": "application/json"})
    found: dict[str, str] = json.loads(connection.getresponse().read())
    return found


def lists(server: EmulatorServer, headers: dict[str, str]) -> None:
    """Seconds to page through a store of n files, against the first; linear work keeps the last column near 1."""
    assert server.state is not None
    account = server.state.store.one("SELECT row FROM account WHERE path = ''")[0]
    first = 0.0
    for size in (1_000, 10_000):
        store = call(server, headers, "POST", f"/openai/vector_stores?{VERSION}", {})["id"]
        rest = (0, 0, "completed", "completed", 1, '{"chunking_strategy":null}')
        rows = [(account, store, f"assistant-{store}{n}", *rest) for n in range(size)]
        server.state.store.many(
            "INSERT INTO store_file (account, store, file, created, due, outcome, status, usage, body) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows,
        )  # fmt: skip
        taken = timed(lambda store=store: pages(server, headers, store))  # type: ignore[misc]
        first = first or taken / size
        say(f"list of {size:>6,} files: {taken:.2f} s, {taken / size / first:.2f} of the time for each file")


def pages(server: EmulatorServer, headers: dict[str, str], store: str) -> None:
    after, more = "", True
    while more:
        path = f"/openai/vector_stores/{store}/files?{VERSION}&limit=100" + (f"&after={after}" if after else "")
        page = call(server, headers, "GET", path)
        after, more = page["last_id"], bool(page["has_more"])


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def starts() -> None:
    """A process that serves its first request, against one that only imports the libraries below it."""

    def run(code: str) -> float:
        return statistics.median(
            timed(lambda: subprocess.run([sys.executable, "-c", code], check=True)) for _ in range(5)
        )

    whole = run("from asstops.emulator import EmulatorServer\nwith EmulatorServer(): pass")
    below = run("import starlette.applications, uvicorn, uvicorn.protocols.http.httptools_impl, sqlite3, asyncio")
    say(f"start and stop: {whole:.2f} s, {whole / below:.2f} of importing what it stands on ({below:.2f} s)")


def main() -> None:
    starts()
    with EmulatorServer(settings=EmulatorSettings(ingestion_s=0)) as server:
        headers = {"api-key": environment(server.url)["AZURE_OPENAI_API_KEY"]}
        lists(server, headers)
        small_gets(server, headers)


if __name__ == "__main__":
    main()
