"""A program that runs asstops' command line in forks of itself, so that hundreds of runs cost no start of Python each.

It imports everything once and then does what lines of JSON on its standard input say. A fork is a process of its own
that calls the same function as the installed program does, so it can be killed like that one. Nothing of the tests is
imported here, and no thread runs while it forks.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import warnings
from typing import Any

Json = dict[str, Any]


def serve() -> None:
    """Answer each line: `{"pid": …}` as soon as a fork runs, `{"status": …}` once it has ended."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a warm-up prints must not mix with the answers

    def reply(answer: Json) -> None:
        replies.write(json.dumps(answer) + "\n")
        replies.flush()

    for line in sys.stdin:
        asked: Json = json.loads(line)
        if asked.get("warm"):
            kept = os.dup(2)
            _into(2, asked["err"])
            reply({"code": _run(asked), "threads": threading.active_count()})
            os.dup2(kept, 2)
            os.close(kept)
            gc.collect()
            gc.freeze()
            continue
        pid = os.fork()
        if pid == 0:
            _as_program(asked)
        reply({"pid": pid})
        _, status = os.waitpid(pid, 0)
        reply({"status": os.waitstatus_to_exitcode(status)})


def _as_program(asked: Json) -> None:
    """In the fork: take on the outputs of a program, run, and end without a way back."""
    code = 70
    try:
        _into(1, asked["out"])
        _into(2, asked["err"])
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        code = _run(asked)
    finally:
        os._exit(code)


def _into(number: int, path: str) -> None:
    """Let an output go to a file."""
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(opened, number)
    os.close(opened)


def _run(asked: Json) -> int:
    """Call what the installed program calls, in this process; its exit code."""
    from asstops.cli.main import run

    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["environ"])
    sys.argv = ["asstops", *asked["args"]]
    try:
        run(asked["args"])
    except SystemExit as ended:
        sys.stdout.flush()
        sys.stderr.flush()
        return int(ended.code or 0)
    raise AssertionError("asstops.cli.main.run came back")


def _hasten() -> None:
    """Cut the waits between attempts short; how long they are is tested elsewhere."""
    from asstops import executor
    from asstops.providers import limiter
    from asstops.services.agents import assistant

    limiter._backoff = lambda attempt, most_s=0.0: 0.01
    executor.LOOKUP_PAUSE_S = 0.01
    assistant.LOOKUP_PAUSE_S = 0.01


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    _hasten()
    serve()
