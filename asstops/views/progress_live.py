"""The live display of an apply on a terminal: a line for each running step, one bar for all. The only user of rich."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import IO, Any, TextIO, cast

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from asstops.model import Address, Event, StepState, Verb
from asstops.views.progress import at_work, ended
from asstops.views.report import past
from asstops.views.text import count, safe, seconds, told

MAX_RUNNING = 8
_STYLES = {StepState.DONE: "green", StepState.FAILED: "red", StepState.SKIPPED: "yellow"}
_SYMBOLS = {StepState.DONE: "✓", StepState.FAILED: "✗", StepState.SKIPPED: "-"}


class _Quiet:
    """A stream whose loss is no error: rich draws from a thread of its own, where nobody could catch one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


class LiveProgress:
    """Steps at work below, what ended above. Files that went well are only counted: there may be thousands."""

    def __init__(self, stream: TextIO, *, color: bool, total: int) -> None:
        self._console = Console(
            file=cast("IO[str]", _Quiet(stream)),
            force_terminal=True,
            no_color=not color,
            highlight=False,
            markup=False,
            emoji=False,
        )
        self._total = total
        self._ended = 0
        self._failed = 0
        self._files: Counter[Verb] = Counter()
        self._began = monotonic()
        self._running: dict[tuple[Address, Verb], tuple[float, Event]] = {}
        self._lock = threading.Lock()
        self._spinner = Spinner("dots")
        self._live = Live(
            console=self._console,
            get_renderable=self._render,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> LiveProgress:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for verb, number in self._files.items():
            text = Text("✓ ", _STYLES[StepState.DONE]).append(f"{count(number, 'file')} {past(verb)}", "")
            self._console.print(text, soft_wrap=True)
        self._live.stop()

    def handle(self, event: Event) -> None:
        """Take the event in; the display follows within an eighth of a second."""
        step = (event.address, event.verb)
        with self._lock:
            if event.state is StepState.STARTED:
                self._running[step] = (monotonic(), event)
                return
            if event.state is StepState.PROGRESS:
                began = self._running[step][0] if step in self._running else monotonic() - event.elapsed_s
                self._running[step] = (began, event)
                return
            self._running.pop(step, None)
            self._ended += 1
            self._failed += event.state is StepState.FAILED
        quiet = event.address.kind == "file" and event.state is StepState.DONE and not event.message
        if quiet:
            with self._lock:
                self._files[event.verb] += 1
        if quiet or event.state is StepState.SKIPPED:
            return  # the end, or the report, says it
        # Outside the lock: printing draws the display again, which takes it.
        self._console.print(_told(event), soft_wrap=True)

    def note(self, line: str) -> None:
        """Print the line above the display, where it stays."""
        self._console.print(Text(line, "yellow"), soft_wrap=True)

    def _render(self) -> RenderableType:
        with self._lock:
            running = list(self._running.values())
            finished, failed = self._ended, self._failed
        now = monotonic()
        table = Table.grid(padding=(0, 1))
        table.add_column(width=1)
        table.add_column(overflow="ellipsis", no_wrap=True, ratio=1)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        for began, event in running[:MAX_RUNNING]:
            what, reached = at_work(event)
            said = f"  {told(event.message, 200)}" if event.message else ""
            text = Text(f"{safe(str(event.address))}  {what}").append(said, "dim")
            table.add_row(self._spinner, text, Text(reached.replace(" of ", "/")), Text(seconds(now - began), "dim"))
        if len(running) > MAX_RUNNING:
            table.add_row("", Text(f"… and {len(running) - MAX_RUNNING:,} more at work", "dim"), "", "")
        return Group(table, self._bar(finished, failed, now)) if running else self._bar(finished, failed, now)

    def _bar(self, finished: int, failed: int, now: float) -> RenderableType:
        bar = Table.grid(padding=(0, 1))
        text = Text(f"{finished:,} of {self._total:,} steps")
        if failed:
            text.append(f", {failed:,} failed", "red")
        drawn = ProgressBar(total=max(self._total, 1), completed=min(finished, self._total), width=30)
        bar.add_row(drawn, text, Text(seconds(now - self._began), "dim"))
        return bar


def _told(event: Event) -> Text:
    style = _STYLES[event.state]
    first, *rest = ended(event)
    text = Text(f"{_SYMBOLS[event.state]} ", style).append(first, "" if event.state is StepState.DONE else style)
    for line in rest:
        text.append(f"\n  {line}", "")
    return text
