"""A conversation with an assistant: one question and one answer, whatever the service wants in between.

Owns the loop, and how an answer comes together. It neither prints nor reads the command line: text is handed out piece
by piece as it arrives, and the whole comes back as an `Answer`. Which service answers is its `Exchange`'s business.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

from asstops.errors import ProviderError, Unavailable
from asstops.talk.answer import Answer, Citation, Listener, ToolCall
from asstops.talk.exchange import COMPLETED, WANTS_OUTPUTS, Exchange, Pause, Turn

LONGEST_TURN_S = 660.0  # a run expires after ten minutes
MOST_ROUNDS = 50  # of functions in one answer: an assistant that only ever calls them would never end


class Conversation:
    """What `ask` and `chat` talk through. It is begun with the first question unless it goes on with an older one."""

    def __init__(self, exchange: Exchange, listener: Listener, pause: Pause) -> None:
        self._exchange = exchange
        self._listener = listener
        self._pause = pause
        self._names: dict[str, str] = {}
        self._turn = Turn()
        self._calls: list[ToolCall] = []
        self._written = ""
        self._running = False

    @property
    def thread_id(self) -> str:
        """The id to go on with, "" before the first question."""
        return self._exchange.id

    def ask(self, text: str) -> Answer:
        """Put a question and follow the work on it to its end. One that fails is an Answer too; `reason` says why."""
        self._turn, self._calls, self._written = Turn(), [], ""
        self._running = True
        try:
            return self._ask(text)
        finally:
            self._listener.ended()

    def _ask(self, text: str) -> Answer:
        try:
            self._follow(self._exchange.begin(text))
            rounds = 0
            while self._turn.status == WANTS_OUTPUTS:
                rounds += 1
                reason = self._turn.reason
                outputs = None if reason else self._outputs()
                if outputs is None or rounds > MOST_ROUNDS:
                    self.cancel()
                    reason = reason or (_missing(self._calls) if outputs is None else _endless())
                    return self._answer(WANTS_OUTPUTS, reason)
                self._follow(self._exchange.resume(self._turn, outputs))
        except ProviderError:
            self.cancel()  # where no answer came, the work may have begun all the same
            raise
        if self._turn.calls or not self._turn.ended:  # half an answer may end in a call that nobody will answer
            self.cancel()
        self._running = False
        reason = self._turn.reason
        if not self._turn.ended:
            reason = f"the answer is still {self._turn.status} after {LONGEST_TURN_S / 60:.0f} minutes"
        return self._answer(self._turn.status, reason)

    def cancel(self) -> bool:
        """End what is under way, so that nothing bars the conversation. False when there was nothing."""
        if not self._running:
            return False
        try:
            stopped = self._exchange.stop(self._turn, self._pause)
        except ProviderError:
            stopped = False  # it had ended by itself, or will
        self._running = False  # where something else interrupts it, it may be tried again
        return stopped

    def delete(self) -> None:
        """End what is under way and delete the conversation. Raises ProviderError where it stays."""
        self.cancel()
        self._exchange.delete()

    # What comes

    def _follow(self, events: Iterator[str | Turn]) -> None:
        self._turn = Turn()
        stream: Any = events  # an iterator that is a generator
        try:
            with closing(stream):  # also when Ctrl-C ends it: that tells the service that nobody listens
                for event in events:
                    if isinstance(event, str):
                        self._say(event)
                    else:
                        self._turn = event
        except Unavailable:
            if not self._turn.id:
                raise
        if not self._turn.ended:
            self._poll()

    def _poll(self) -> None:
        """The stream broke off while the work goes on: wait for its end, and hand out what was missed."""
        if not self._turn.id:
            raise ProviderError(
                "the service ended the stream without saying what became of the answer", fix="ask again"
            )
        delay, waited = 0.1, 0.0
        while True:
            self._turn = self._exchange.look(self._turn)
            if self._turn.ended or waited >= LONGEST_TURN_S:
                break
            self._pause(delay)
            waited, delay = waited + delay, min(delay * 1.5, 2.0)
        whole = self._exchange.said(self._turn).text
        if whole.startswith(self._written):
            self._say(whole[len(self._written) :])
        elif not self._written.startswith(whole):  # cut differently: the whole once more is better than a gap
            self._say("\n" + whole)

    def _say(self, text: str) -> None:
        if text:
            self._written += text
            self._listener.text(text)

    def _outputs(self) -> list[ToolCall] | None:
        """The calls that are waited for with what they give; None when one gives nothing."""
        made = []
        for call in self._turn.calls:
            self._listener.called(call)
            made.append(replace(call, output=self._listener.output(call)))
        self._calls += made
        return None if any(call.output is None for call in made) else made

    # The end

    def _answer(self, status: str, reason: str) -> Answer:
        return Answer(
            text=self._written,
            status=status,
            thread_id=self.thread_id,
            run_id=self._turn.id,
            citations=tuple(self._named(citation) for citation in self._exchange.citations()),
            tool_calls=tuple(self._calls),
            usage=self._turn.usage,
            reason="" if status == COMPLETED else reason,
            fix=self._turn.fix,
            tools=self._exchange.used(),
        )

    def _named(self, citation: Citation) -> Citation:
        """A name is a courtesy: where it cannot be read, the id has to do."""
        ident = citation.file_id
        if citation.file_name or not ident:
            return citation
        if ident not in self._names:
            try:
                self._names[ident] = self._exchange.file_name(ident)
            except ProviderError:
                self._names[ident] = ""
        return replace(citation, file_name=self._names[ident])


def _missing(calls: list[ToolCall]) -> str:
    names = sorted({call.name for call in calls if call.output is None})
    if len(names) == 1:
        return f"the assistant wants the function {names[0]} called, and has no output of it"
    return f"the assistant wants the functions {', '.join(names)} called, and lacks outputs of them"


def _endless() -> str:
    return f"the assistant called functions {MOST_ROUNDS} times and gave no answer"
