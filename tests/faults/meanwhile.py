"""Something happens in the service just before it looks at a request: what somebody else did between two of ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from asstops.emulator import EmulatorServer
from asstops.emulator.faults import Fault
from asstops.emulator.state import State


@contextmanager
def before(
    server: EmulatorServer, method: str, path: str, nth: int, happens: Callable[[State], None]
) -> Iterator[list[str]]:
    """Call `happens` in the server's thread before it runs the `nth` request that matches; yields the requests seen.

    `method` and `path` are regular expressions.
    """
    assert server.state is not None
    state, faults = server.state, server.state.faults
    ordinary = faults.for_request
    seen: list[str] = []

    def for_request(asked: str, at: str, *, by_token: bool = False) -> Fault | None:
        if re.fullmatch(method, asked) and re.search(path, at):
            seen.append(at)
            if len(seen) == nth:
                happens(state)
                state.restless()
        return ordinary(asked, at, by_token=by_token)

    faults.for_request = for_request  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        del faults.for_request  # type: ignore[method-assign]


def object_dropped(kind: str, ident: str) -> Callable[[State], None]:
    """Somebody deletes an object of the data plane."""

    def happens(state: State) -> None:
        row = state.store.one("SELECT account FROM object WHERE kind = ? AND id = ?", kind, ident)
        assert state.store.drop(row[0], kind, ident)

    return happens


def object_added(kind: str, like: str, ident: str) -> Callable[[State], None]:
    """Somebody makes another object like one that is there."""

    def happens(state: State) -> None:
        row = state.store.one("SELECT account, created FROM object WHERE kind = ? AND id = ?", kind, like)
        body = state.store.get(row[0], kind, like)
        assert body is not None
        state.store.add(row[0], kind, ident, row[1], {**body, "id": ident})

    return happens


def deployment_dropped(name: str) -> Callable[[State], None]:
    """Somebody deletes a deployment."""

    def happens(state: State) -> None:
        assert state.store.run("DELETE FROM deployment WHERE name = ?", name) == 1

    return happens


def time_passes(seconds: float) -> Callable[[State], None]:
    """The service's clock goes on, and ours does not: tokens that we hold for good expire there."""

    def happens(state: State) -> None:
        state.offset_s += seconds

    return happens
