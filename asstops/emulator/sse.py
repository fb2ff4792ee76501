"""Server-sent events: their form, and following a run until its stream ends.

Owns the wire form and the waiting. The events themselves are written down by run_engine.py, in the transaction
that makes them true, so a stream never shows what was taken back.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any

from asstops.emulator import conversation
from asstops.emulator.state import State
from asstops.emulator.store import load

MEDIA_TYPE = "text/event-stream; charset=utf-8"
_LAST = frozenset(
    f"thread.run.{status}"
    for status in ("requires_action", "completed", "incomplete", "failed", "cancelled", "expired")
)
_SHORTEST_WAIT_S, _LONGEST_WAIT_S = 0.001, 0.05
LOG = logging.getLogger("asstops.emulator")


def event(name: str | None, data: Any) -> bytes:
    """Return one event; text is sent as it is, all else as JSON."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()


@contextmanager
def transaction(state: State) -> Iterator[None]:
    """A transaction outside of a request; nothing else runs inside it, since it never waits."""
    state.store.db.execute("BEGIN")
    try:
        yield
    except BaseException:
        state.store.db.execute("ROLLBACK")
        state.restless()
        raise
    state.store.db.execute("COMMIT")


async def follow(state: State, account: int, thread: str, run: str, stream: int) -> AsyncGenerator[bytes, None]:
    """Yield the events of a run as they happen, until it ends or waits for the outputs of functions.

    `stream` is the number under which they are written. It is closed before the last of them is yielded, so that a
    client which answers at once does not meet its own, older stream.
    """
    kind, seen, is_open = conversation.events_of(run, stream), 0, True
    try:
        while is_open:
            with transaction(state):
                state.settle()
                rows = state.store.all(
                    "SELECT seq, body FROM object WHERE account = ? AND kind = ? AND seq > ? ORDER BY seq",
                    account, kind, seen,
                )  # fmt: skip
                due = state.store.one(
                    "SELECT expires FROM object WHERE account = ? AND kind = ? AND id = ?",
                    account, conversation.AGENDA, thread,
                )  # fmt: skip
                found = [(seq, load(text)) for seq, text in rows]
                # No entry and no last event: the thread was deleted, or everything was reset.
                if due is None or any(body["name"] in _LAST for _, body in found):
                    is_open = False
                    _close(state, account, thread, run, stream)
            for seq, body in found:
                seen = seq
                yield event(body["name"], body["data"])
            if is_open:
                await asyncio.sleep(min(max(due[0] - state.now(), _SHORTEST_WAIT_S), _LONGEST_WAIT_S))
        yield event("done", "[DONE]")
    except Exception:
        LOG.exception("the stream of %s failed", run)
        yield event("error", {"error": {"code": "server_error", "message": "The emulator failed."}})
    finally:
        if is_open:
            with transaction(state):
                _close(state, account, thread, run, stream)


def _close(state: State, account: int, thread: str, run: str, stream: int) -> None:
    """Forget the events of a stream, and write no more of them."""
    kind = conversation.events_of(run, stream)
    state.store.run("DELETE FROM object WHERE account = ? AND kind = ?", account, kind)
    stored = state.store.get(account, conversation.runs_of(thread), run)
    if stored is not None and stored["work"]["streamed"] == stream:
        stored["work"]["streamed"] = 0
        state.store.put(account, conversation.runs_of(thread), run, stored)


async def play(parts: list[bytes], seconds: float) -> AsyncGenerator[bytes, None]:
    """Yield events that are known beforehand, spread over a time."""
    wait = seconds / max(len(parts), 1)
    for part in parts:
        if wait > _SHORTEST_WAIT_S:
            await asyncio.sleep(wait)
        yield part
