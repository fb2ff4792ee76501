"""Programs for a step's PATH that are played by the test: asstops as a fork, az and the like as Python functions.

Each is a small file that hands its arguments, environment, folder and input to the test over a socket, and prints what
comes back. A function that does not know what it was called with fails, so a step cannot call anything unforeseen.
"""

from __future__ import annotations

import json
import shutil
import socketserver
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.forked import Nursery

MACHINE = pytest.mark.skipif(
    sys.platform == "win32" or not all(shutil.which(name) for name in ("bash", "git", "jq")),
    reason="the steps of the pipelines need bash, git and jq",
)

_CLIENT = """#!{python} -IS
import json, os, socket, sys
said = socket.socket(socket.AF_UNIX)
said.connect({address!r})
name = os.path.basename(sys.argv[0])
call = {{"name": name, "path": sys.argv[0], "args": sys.argv[1:], "environ": dict(os.environ), "cwd": os.getcwd()}}
with said.makefile("rw", encoding="utf-8") as stream:
    stream.write(json.dumps(call) + "\\n")
    stream.flush()
    answer = json.loads(stream.readline())
sys.stdout.write(answer["out"])
sys.stderr.write(answer["err"])
sys.exit(answer["code"])
"""


@dataclass(frozen=True)
class Call:
    """One call of a program by a step."""

    name: str
    path: str
    args: tuple[str, ...]
    environ: dict[str, str]
    cwd: Path

    def __str__(self) -> str:
        return " ".join((self.name, *self.args))


@dataclass(frozen=True)
class Reply:
    out: str = ""
    err: str = ""
    code: int = 0


class Unforeseen(Exception):
    """A program was called in a way that the test knows nothing of."""


class Programs:
    """The programs, and every call of them. `unforeseen` must be empty at the end."""

    def __init__(self, nursery: Nursery) -> None:
        self.calls: list[Call] = []
        self.unforeseen: list[str] = []
        self._nursery = nursery
        self._played: dict[str, Callable[[Call], Reply]] = {"asstops": self._asstops}
        self._folder = Path(tempfile.mkdtemp())  # of a short name, which addresses of sockets need
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                said: dict[str, Any] = json.loads(self.rfile.readline())
                call = Call(said["name"], said["path"], tuple(said["args"]), said["environ"], Path(said["cwd"]))
                self.wfile.write((json.dumps(vars(outer._answer(call))) + "\n").encode())

        address = str(self._folder / "s")
        self._server = socketserver.ThreadingUnixStreamServer(address, Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self._client = _CLIENT.format(python=sys.executable, address=address)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        shutil.rmtree(self._folder)

    def play(self, name: str, function: Callable[[Call], Reply]) -> None:
        self._played[name] = function

    def install(self, folder: Path, *names: str) -> None:
        """Put programs into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            (folder / name).write_text(self._client, encoding="utf-8")
            (folder / name).chmod(0o755)

    def called(self, name: str) -> list[tuple[str, ...]]:
        """The arguments of every call of a program so far."""
        return [call.args for call in self.calls if call.name == name]

    def _answer(self, call: Call) -> Reply:
        self.calls.append(call)
        try:
            return self._played[call.name](call)
        except Exception as error:  # whatever it is, the step fails and the test says what it was
            self.unforeseen.append(f"{call}: {error!r}")
            return Reply(err=f"{error!r}\n", code=99)

    def _asstops(self, call: Call) -> Reply:
        ended = self._nursery.run(call.cwd, call.environ, *call.args)
        return Reply(ended.out, ended.err, ended.code)


class AzureCli:
    """`az`, as asstops and the steps call it. Nobody is signed in before `signed_in` says who."""

    def __init__(self, token: Callable[[str], str], subscription: str) -> None:
        self.signed_in = ""
        self.tokens: list[tuple[str, str]] = []  # (who asked, for which resource)
        self._token, self._subscription = token, subscription

    def __call__(self, call: Call) -> Reply:
        if not self.signed_in:
            return Reply(err="ERROR: Please run 'az login' to setup account.\n", code=1)
        if call.args == ("account", "show", "--query", "id", "--output", "tsv"):
            return Reply(out=f"{self._subscription}\n")
        if call.args[:2] != ("account", "get-access-token"):
            raise Unforeseen(call.args)
        options = dict(zip(call.args[2::2], call.args[3::2], strict=True))
        resource = options.pop("--resource")
        form = options.pop("--output")
        if options or form not in ("json", "none"):
            raise Unforeseen(call.args)
        self.tokens.append(("step" if form == "none" else "asstops", resource))
        if form == "none":
            return Reply()
        token = {"accessToken": self._token(resource), "expires_on": 4102444800, "tokenType": "Bearer"}
        return Reply(out=json.dumps(token))
