"""How quick the emulator is: what the other measures stand on, and what it costs beside a bare Starlette route.

A server's rate is requests for a second of its own processor time, so that clients which share the machine do not
count. Clients are processes with one connection each, and no SDK.
"""

from __future__ import annotations

import json
import multiprocessing
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from bench.harness.child import python, run
from bench.harness.report import Row, show_note
from bench.harness.scale import Scale
from bench.harness.service import Service, cpu_of, emulator

REQUESTS, CLIENTS = 8000, 4
BARE = Path(__file__).parent / "floors" / "bare.py"
VERSION = "?api-version=2025-03-01-preview"
BOUNDARY = "a-boundary-of-the-bench"
Asked = tuple[str, str, bytes, dict[str, str]]


def rows(scale: Scale) -> Iterator[Row]:
    with emulator() as service:
        if service.cpu_s() is None:
            show_note("this system does not tell what a process has used")
            return
        yield from _rates(service, scale)
        yield from _lists(service, scale)
    yield from _start(scale)


def _rates(service: Service, scale: Scale) -> Iterator[Row]:
    """Requests a second of one core, beside a Starlette route that answers with a small JSON object."""
    key = {"api-key": service.key}
    form = {**key, "content-type": f"multipart/form-data; boundary={BOUNDARY}"}
    new = {"model": "gpt-4o", "name": "Helper", "tools": [{"type": "code_interpreter"}]}
    made = service.call("POST", f"/openai/assistants{VERSION}", new)
    post = (f"/openai/assistants{VERSION}", json.dumps(new).encode(), {**key, "content-type": "application/json"})
    asked: dict[str, Asked] = {
        "read an assistant": ("GET", f"/openai/assistants/{made['id']}{VERSION}", b"", key),
        "create an assistant": ("POST", *post),
        "upload a small file": ("POST", f"/openai/files{VERSION}", _upload(), form),
        "list 100 assistants": ("GET", f"/openai/assistants{VERSION}&limit=100", b"", key),
    }
    times = scale.of(REQUESTS)
    with _bare() as bare:
        assert bare.stdout is not None
        floor = times / _spent(int(bare.stdout.readline()), ("GET", "/small", b"", {}), times, bare.pid)
    for what, request in asked.items():
        rate = times / _spent(service.port, request, times, service.pid)
        yield Row(
            f"the emulator: {what}",
            f"{rate:,.0f} for a second of one core",
            f"a bare Starlette route answers {floor:,.0f}",
            rate / floor,
        )


def _lists(service: Service, scale: Scale) -> Iterator[Row]:
    """A list of all pages, against one of a tenth: linear work keeps the ratio near 10."""
    seen = []
    for size in (scale.of(500), scale.of(5000)):
        store = service.call("POST", f"/openai/vector_stores{VERSION}", {})["id"]
        names = _files(service, size)
        for at in range(0, size, 500):
            body = {"file_ids": names[at : at + 500]}
            service.call("POST", f"/openai/vector_stores/{store}/file_batches{VERSION}", body)
        seen.append((size, _timed(lambda store=store: _pages(service, store))))  # type: ignore[misc]
    (few, first), (many, second) = seen
    yield Row(
        f"the emulator: list {many:,} files of a store",
        f"{second:.2f} s",
        f"{few:,} take {first:.2f} s",
        second / first,
    )


def _start(scale: Scale) -> Iterator[Row]:
    """A process that serves and ends, against one that only imports the libraries below it."""
    whole, below = (
        statistics.median(run(python("-c", code)).wall_s for _ in range(scale.times(8)))
        for code in (
            "from asstops.emulator import EmulatorServer\nwith EmulatorServer(): pass",
            "import starlette.applications, uvicorn, uvicorn.protocols.http.httptools_impl, sqlite3, asyncio",
        )
    )
    yield Row("the emulator: start and stop", f"{whole:.2f} s", f"its libraries import in {below:.2f} s", whole / below)


@contextmanager
def _bare() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([*map(str, python(BARE))], stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.terminate()


def _spent(port: int, asked: Asked, times: int, pid: int) -> float:
    """Processor seconds that a server's process spent on so many requests."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(CLIENTS) as pool:
        pool.starmap(_ask, [(port, asked, 20)] * CLIENTS)
        began = cpu_of(pid) or 0.0
        pool.starmap(_ask, [(port, asked, times // CLIENTS)] * CLIENTS)
        return (cpu_of(pid) or 0.0) - began


def _ask(port: int, asked: Asked, times: int) -> None:
    connection = HTTPConnection("127.0.0.1", port)
    method, path, body, headers = asked
    for _ in range(times):
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path} answered {answer.status}")


def _upload() -> bytes:
    fields = {'name="purpose"': "assistants", 'name="file"; filename="note.txt"': "Nothing is known of it."}
    parts = [
        f"--{BOUNDARY}\r\ncontent-disposition: form-data; {name}\r\n\r\n{value}\r\n" for name, value in fields.items()
    ]
    return f"{''.join(parts)}--{BOUNDARY}--\r\n".encode()


def _files(service: Service, count: int) -> list[str]:
    connection = HTTPConnection("127.0.0.1", service.port)
    headers = {"api-key": service.key, "content-type": f"multipart/form-data; boundary={BOUNDARY}"}
    found = []
    for _ in range(count):
        connection.request("POST", f"/openai/files{VERSION}", _upload(), headers)
        found.append(str(json.loads(connection.getresponse().read())["id"]))
    return found


def _pages(service: Service, store: str) -> None:
    after, more = "", True
    while more:
        at = f"&after={after}" if after else ""
        page = service.call("GET", f"/openai/vector_stores/{store}/files{VERSION}&limit=100{at}")
        after, more = page["last_id"], bool(page["has_more"])


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
