"""What an apply is doing, told while it runs: plain lines here, a live display where a terminal is there.

Events come from several threads at once. Nothing here may fail an apply: a stream that is gone is passed over.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import Protocol, TextIO

from asstops.model import Address, Event, StepState, Verb
from asstops.views.text import count, encodable, safe, seconds, size_reached, told

PROGRESS_EVERY_S = 10.0
LISTED = 20  # steps of one kind told one by one; the rest is counted
_DOING = {Verb.CREATE: "creating", Verb.UPDATE: "updating", Verb.DELETE: "deleting"}
_DONE = {Verb.CREATE: "created", Verb.UPDATE: "updated", Verb.DELETE: "deleted"}


class Progress(Protocol):
    """Shows events until it is left."""

    def __enter__(self) -> Progress: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def handle(self, event: Event) -> None:
        """Show one event. Called from any thread; never raises for what the stream does."""

    def note(self, line: str) -> None:
        """Show a line that belongs to no step. As `handle`, from any thread."""


def progress_for(stream: TextIO, *, tty: bool, color: bool, total: int) -> Progress:
    """Live on a terminal that can draw it, else a line for each thing that happens. `total` counts the steps."""
    drawable = (getattr(stream, "encoding", None) or "").lower().replace("-", "") in ("utf8", "utf8sig")
    if tty and drawable:
        from asstops.views.progress_live import LiveProgress  # rich takes a while to load, and a pipe does not need it

        return LiveProgress(stream, color=color, total=total)
    return PlainProgress(stream, total=total)


def doing(verb: Verb) -> str:
    """`creating`, `updating`, `deleting`."""
    return _DOING[verb]


def at_work(event: Event) -> tuple[str, str]:
    """What a running step is doing, and how far it has come: `updating`, `3 of 20`; `uploading`, `120 of 500 MB`."""
    if not event.total:
        return doing(event.verb), ""
    if event.address.kind == "file":
        return "uploading", size_reached(event.done, event.total)
    return doing(event.verb), f"{event.done:,} of {event.total:,}"


def waiting(pause_s: float, status: int, *, asked: bool) -> str:
    """Why nothing happens for so long. `asked`: the service named the time; else it is ours, after a refusal."""
    if asked:
        return f"the service asks to wait {seconds(pause_s)} (HTTP {status})"
    return f"the service refuses requests (HTTP {status}): trying again in {seconds(pause_s)}"


def ended(event: Event) -> list[str]:
    """The lines for a step that ended: what came of it, and how to mend it."""
    name = safe(str(event.address))
    if event.state is StepState.DONE:
        tail = f": {told(event.message)}" if event.message else ""
        return [f"{name}: {_DONE[event.verb]} ({seconds(event.elapsed_s)}){tail}"]
    if event.state is StepState.SKIPPED:
        why = f": {told(event.message)}" if event.message else ""
        return [f"{name}: not attempted{why}"]
    first, *rest = (event.message or "no reason was given").split("\n")
    lines = [f"{name}: failed: {told(first)}", *(f"  {told(line)}" for line in rest)]
    return [*lines, f"  fix: {told(event.fix)}"] if event.fix else lines


class PlainProgress:
    """Lines for logs and pipes. What a running step reports is told every ten seconds at most.

    The first steps of a kind are told one by one, the rest counted: ten thousand files are no reading matter. Failures
    are always told; what was not attempted stands in the report.
    """

    def __init__(self, stream: TextIO, *, total: int, clock: Callable[[], float] = monotonic) -> None:
        self._stream = stream
        self._total = total
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[tuple[Address, Verb], float] = {}
        self._started: Counter[tuple[str, Verb]] = Counter()
        self._ended: Counter[tuple[str, Verb]] = Counter()
        self._counted: dict[tuple[str, Verb], float] = {}

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def handle(self, event: Event) -> None:
        """Write the event's lines, unless it is progress of a step that was told of a moment ago."""
        with self._lock:
            step, group = (event.address, event.verb), (event.address.kind, event.verb)
            if event.state is StepState.STARTED:
                self._told[step] = self._clock()
                self._started[group] += 1
                if self._started[group] <= LISTED:
                    self._write(f"{safe(str(event.address))}: {doing(event.verb)}…")
            elif event.state is StepState.PROGRESS:
                self._progress(event, step)
            elif event.state is not StepState.SKIPPED:
                self._told.pop(step, None)
                self._ended[group] += event.state is StepState.DONE
                if event.state is StepState.DONE and self._ended[group] > LISTED:
                    self._count(event, group)
                else:
                    for line in ended(event):
                        self._write(line)

    def note(self, line: str) -> None:
        """Write the line."""
        with self._lock:
            self._write(line)

    def _count(self, event: Event, group: tuple[str, Verb]) -> None:
        """How far many steps of one kind have come, every ten seconds at most."""
        now = self._clock()
        if now - self._counted.setdefault(group, now) >= PROGRESS_EVERY_S:
            self._counted[group] = now
            what = count(self._ended[group], event.address.kind.replace("_", " "))
            self._write(f"{what} {_DONE[event.verb]} so far")

    def _progress(self, event: Event, step: tuple[Address, Verb]) -> None:
        now = self._clock()
        if now - self._told.get(step, float("-inf")) < PROGRESS_EVERY_S:
            return
        self._told[step] = now
        what, reached = at_work(event)
        message = f" {told(event.message)}" if event.message else ""
        spent = f" ({seconds(event.elapsed_s)})" if event.elapsed_s else ""
        self._write(f"{safe(str(event.address))}: {what}…{f' {reached}' if reached else ''}{message}{spent}")

    def _write(self, line: str) -> None:
        with suppress(OSError, ValueError):  # ValueError: the stream is closed
            self._stream.write(encodable(line, getattr(self._stream, "encoding", None)) + "\n")
            self._stream.flush()
