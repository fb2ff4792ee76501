"""The seam between the loop of a conversation and the service that it is held with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from asstops.errors import ProviderError
from asstops.talk.answer import Citation, ToolCall

WANTS_OUTPUTS, COMPLETED = "requires_action", "completed"
ENDS = frozenset({WANTS_OUTPUTS, COMPLETED, "incomplete", "failed", "cancelled", "expired"})


@dataclass(frozen=True, slots=True)
class Turn:
    """What is known of the work on an answer: a run, or a response.

    `calls` are functions whose outputs it waits for. `reason` says why it has no whole answer, and `fix` what to do.
    """

    id: str = ""
    status: str = ""
    calls: tuple[ToolCall, ...] = ()
    reason: str = ""
    fix: str = ""
    usage: Mapping[str, int] | None = None

    @property
    def ended(self) -> bool:
        """True when nothing more comes by itself."""
        return self.status in ENDS


@dataclass(frozen=True, slots=True)
class Said:
    """All that was said since the question, as it is shown."""

    text: str
    citations: tuple[Citation, ...]


class Exchange(Protocol):
    """One service's side of a conversation. It asks nobody and shows nothing; nothing is sent twice blindly.

    What follows a question comes as pieces of text, ready to show, and as Turns, the newest of which holds. A stream
    that breaks off raises Unavailable, while the work may go on.
    """

    @property
    def id(self) -> str:
        """The id under which the conversation goes on; "" before the first question."""
        ...

    def begin(self, text: str) -> Iterator[str | Turn]:
        """Put a question. Raises NotFound where the conversation is gone."""
        ...

    def resume(self, turn: Turn, outputs: Sequence[ToolCall]) -> Iterator[str | Turn]:
        """Give the outputs of the functions that a turn waits for; each call has one."""
        ...

    def look(self, turn: Turn) -> Turn:
        """How it stands with a turn whose stream broke off."""
        ...

    def said(self, turn: Turn) -> Said:
        """All that was said since the question, read anew; it is what `citations` holds from then on."""
        ...

    def citations(self) -> Sequence[Citation]:
        """What was cited since the question."""
        ...

    def used(self) -> frozenset[str]:
        """Tools of the service that were used since the question, such as `file_search`."""
        ...

    def delete(self) -> None:
        """Delete the conversation; one that is gone, or was never begun, is fine.

        Raises ProviderError where it stays, and where one may be there whose id no answer told.
        """
        ...

    def stop(self, turn: Turn, pause: Pause) -> bool:
        """End what is under way so that it does not bar the conversation. False when there was nothing."""
        ...

    def file_name(self, file_id: str) -> str:
        """The name of a file; "" when it is gone."""
        ...


class Pause(Protocol):
    def __call__(self, seconds: float, /) -> None: ...


class Creation:
    """The making of a conversation, which may be there although its answer was lost: then nobody knows its id."""

    def __init__(self) -> None:
        self._lost: ProviderError | None = None

    def id_of(self, create: Callable[[], Mapping[str, Any]]) -> str:
        """Make one; returns its id."""
        try:
            return str(create()["id"])
        except ProviderError as error:
            self._lost = error if error.ambiguous else None
            raise

    def check(self) -> None:
        """Raise what came instead of the answer, where one may be there."""
        if self._lost is not None:
            raise self._lost
