"""An emulator in a process of its own, with settable latency, that counts requests and says how busy it was."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from asstops.emulator import environment
from bench.harness.child import asstops

_IDS = re.compile(r"/(asst_|vs_|vsfb_|assistant-|file-)[A-Za-z0-9_-]+")


class Service:
    """A running emulator. `environ` is what points asstops and the SDKs at it."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self._process = process
        self.url = url
        self.port = int(url.rpartition(":")[2])
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "OPENAI_"))}
        self.environ = {**clean, **environment(url)}

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def key(self) -> str:
        return self.environ["AZURE_OPENAI_API_KEY"]

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Send a request with the key of the account; the answer's JSON. Raises SystemExit when it is refused."""
        connection = HTTPConnection("127.0.0.1", self.port)
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"api-key": self.key, "content-type": "application/json"})
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path} answered {answer.status}: {said[:500]!r}")
        return json.loads(said) if said else None

    def fill(self, path: str, bodies: Iterable[object]) -> None:
        """POST each body to `path` of the account, one after the other over one connection."""
        connection = HTTPConnection("127.0.0.1", self.port)
        headers = {"api-key": self.key, "content-type": "application/json"}
        for body in bodies:
            connection.request(
                "POST", f"{path}?api-version={self.environ['OPENAI_API_VERSION']}", json.dumps(body), headers
            )
            answer = connection.getresponse()
            said = answer.read()
            if answer.status >= 300:
                raise SystemExit(f"POST {path} answered {answer.status}: {said[:500]!r}")
        connection.close()

    def requests(self) -> list[dict[str, Any]]:
        """What was asked since `forget`, oldest first."""
        found: list[dict[str, Any]] = self.call("GET", "/_emulator/requests")["requests"]
        return found

    def forget(self) -> None:
        """Empty the log of requests."""
        self.call("DELETE", "/_emulator/requests")

    def counted(self) -> Counter[str]:
        """Requests since `forget` by method and path, ids left out."""
        return Counter(f"{entry['method']} {_IDS.sub('/ID', entry['path'])}" for entry in self.requests())

    def delay(self, seconds: float) -> None:
        """Answer so much later from now on."""
        self.call("DELETE", "/_emulator/faults")
        if seconds:
            self.call("POST", "/_emulator/faults", {"count": 0, "delay_s": seconds})

    def cpu_s(self) -> float | None:
        """Seconds of processor time that the emulator has used; None where the system does not tell."""
        return cpu_of(self.pid)


def cpu_of(pid: int) -> float | None:
    """Seconds of processor time that a process has used; None where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Busy:
    """How busy a service is while a block runs; `part` is 0 to 1 of one core, None where the system does not tell."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.part: float | None = None

    def __enter__(self) -> Busy:
        self._cpu, self._clock = self._service.cpu_s(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        now = self._service.cpu_s()
        if now is not None and self._cpu is not None:
            self.part = (now - self._cpu) / (time.perf_counter() - self._clock)


@contextmanager
def emulator(*, latency_s: float = 0.0, options: tuple[str, ...] = ()) -> Iterator[Service]:
    """Start `asstops emulator` on a free port, data in memory, and end it with the block."""
    process = subprocess.Popen(
        [
            *map(str, asstops("emulator", "--port", "0", "--latency", str(latency_s))),
            *("--ingestion", "0", "--arm-operation", "0", *options),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r"http://\S+", line)
        if not found:
            raise SystemExit(f"the emulator did not start: {line}{process.stderr.read()}")
        yield Service(process, found[0])
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)
        process.stderr.close()
