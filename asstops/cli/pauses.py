"""A word on stderr for each long pause that the service asks for, so that nobody takes it for a hang."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from asstops.providers.limiter import Limiter, Pause


def tell(pause: Pause) -> None:
    """Write a line. A stream that is gone must not fail the work."""
    with suppress(OSError, ValueError):  # ValueError: the stream is closed
        click.echo(_line(pause), err=True)


@contextmanager
def told(limiter: Limiter, note: Callable[[str], None]) -> Iterator[None]:
    """Have `note` take the lines while the block runs: a display that is at work on stderr itself."""
    before, limiter.on_pause = limiter.on_pause, lambda pause: note(_line(pause))
    try:
        yield
    finally:
        limiter.on_pause = before


def _line(pause: Pause) -> str:
    from asstops.views.progress import waiting

    return waiting(pause.seconds, pause.status, asked=pause.asked)
