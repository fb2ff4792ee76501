"""Runs smoke tests: each in a conversation of its own, which is deleted afterwards however it ends.

Owns the threads that ask, the time that each test has, and what a test's errors mean. What is expected of an answer is
`expectations`' business, and how an answer comes together that of `talk`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from asstops.errors import AuthFailed, Forbidden, Interrupted, ProviderError, Retired
from asstops.expectations import Came, Outcome, SmokeTest, Verdict, ends_early, misses
from asstops.matching import matches
from asstops.model import Address
from asstops.providers.deadline import Deadline
from asstops.talk.answer import Answer, Listener, ToolCall
from asstops.workflow import live_ids

if TYPE_CHECKING:
    from asstops.hashcache import HashCache
    from asstops.providers.session import Session
    from asstops.spec import Stack
    from asstops.talk.conversation import Conversation

CLEANING_S = 30.0  # for cancelling and deleting one conversation
HURRIED_S = 8.0  # the same, where somebody waits for the process to end
HUNG_S = 2.0  # after that nobody waits for a request that does not return
MATCHING_S = 5.0  # for comparing a text with a regular expression
_LOOK_S = 0.2
_NO_OUTCOME = (AuthFailed, Forbidden, Retired)
"""Errors that say nothing of the assistant: every test would end with them."""

Done = Callable[[Outcome], None]


def run_tests(
    stack: Stack,
    session: Session,
    tests: Sequence[SmokeTest],
    *,
    parallelism: int,
    done: Done = lambda _outcome: None,
    stop: threading.Event | None = None,
    hashes: HashCache | None = None,
) -> tuple[Outcome, ...]:
    """Run tests, several at a time; `done` hears of each outcome, in the order of `tests`.

    Once `stop` is set nothing new is asked, and what is under way is ended and deleted; those tests are not run.
    Raises what is no test's fault: no sign-in, a role that is missing, a service that is retired.
    """
    only = () if any(test.expect.cites for test in tests) else ("assistant",)  # who cites what takes files to tell
    ids, _ = live_ids(stack, session, only, hashes=hashes)
    return _Runner(session, ids, tests, stop or threading.Event()).run(parallelism, done)


class _Runner:
    """One run of tests. Threads take the next test from a queue; the caller's thread collects and tells."""

    def __init__(
        self, session: Session, ids: Mapping[Address, str], tests: Sequence[SmokeTest], stop: threading.Event
    ) -> None:
        self._session = session
        self._ids = ids
        self._files = {address.key: remote_id for address, remote_id in ids.items() if address.kind == "file"}
        self._tests = tests
        self._stop = stop
        self._ending = False
        self._running: dict[Deadline, tuple[SmokeTest, Conversation]] = {}
        self._cleaning: set[Deadline] = set()
        self._lock = threading.Lock()
        self._todo: SimpleQueue[int] = SimpleQueue()
        self._results: SimpleQueue[tuple[int, Outcome | BaseException]] = SimpleQueue()

    def run(self, parallelism: int, done: Done) -> tuple[Outcome, ...]:
        for index in range(len(self._tests)):
            self._todo.put(index)
        for _ in range(min(parallelism, len(self._tests))):
            # Not an executor's: its threads would keep the process from ending while one waits for an answer.
            threading.Thread(target=self._work, daemon=True).start()
        found: dict[int, Outcome] = {}
        broken: list[BaseException] = []
        shown, ended_at = 0, 0.0
        while len(found) < len(self._tests):
            try:
                index, result = self._results.get(timeout=_LOOK_S)
            except Empty:
                pass
            else:
                if isinstance(result, BaseException):
                    broken.append(result)
                    result = Outcome(self._tests[index], Verdict.NOT_RUN)
                found[index] = result
            while shown in found and not broken:
                done(found[shown])
                shown += 1
            if self._stop.is_set() and not self._ending:
                self._end()
            ended_at = ended_at or (time.monotonic() if self._ending else 0.0)
            waited = time.monotonic() - ended_at if ended_at else 0.0
            if waited > (HUNG_S + HURRIED_S if self._cleaning else HUNG_S):
                break
        left = self._abandoned()
        if broken:
            raise broken[0]
        outcomes = tuple(
            found.get(index) or Outcome(test, Verdict.NOT_RUN, left=left.get(test.name, ""))
            for index, test in enumerate(self._tests)
        )
        for outcome in outcomes[shown:]:
            done(outcome)
        return outcomes

    def _end(self) -> None:
        """Let nothing new begin, and end what is under way."""
        with self._lock:
            self._ending = True
            running = list(self._running)
        for deadline in running:
            deadline.end()

    def _abandoned(self) -> dict[str, str]:
        """Delete the conversations of requests that do not return; by test, what could not be deleted."""
        with self._lock:
            hung = list(self._running.values())
        left = {test.name: talk.thread_id or "?" for test, talk in hung}

        def clean(test: SmokeTest, talk: Conversation) -> None:
            left[test.name] = self._clean(talk)

        threads = [threading.Thread(target=clean, args=pair, daemon=True) for pair in hung]
        for thread in threads:
            thread.start()
        until = time.monotonic() + HURRIED_S
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        return dict(left)

    # In a thread of its own

    def _work(self) -> None:
        while True:
            try:
                index = self._todo.get_nowait()
            except Empty:
                return
            try:
                self._results.put((index, self._outcome(self._tests[index])))
            except BaseException as error:
                self._end()
                self._results.put((index, error))

    def _outcome(self, test: SmokeTest) -> Outcome:
        remote_id = self._ids.get(test.assistant)
        if remote_id is None:
            text = f"{test.assistant} does not exist yet"
            return Outcome(test, Verdict.FAILED, message=text, fix="run asstops apply")
        started, left = time.monotonic(), ""
        for tries in range(1, test.retries + 2):
            outcome = self._asked(test, remote_id)
            left = left or outcome.left
            outcome = replace(outcome, tries=tries, elapsed_s=time.monotonic() - started, left=left)
            if outcome.verdict is not Verdict.FAILED:
                break
        return outcome

    def _asked(self, test: SmokeTest, remote_id: str) -> Outcome:
        """One try."""
        heard: list[str] = []
        called: list[str] = []

        def output(call: ToolCall) -> str | None:
            return test.answers.get(call.name)

        listener = Listener(heard.append, lambda call: called.append(call.name), output)
        talk = self._session.service.talk(self._session, remote_id, listener, self._session.limiter.wait)
        deadline = Deadline(test.within_s)
        with self._lock:
            if self._ending:
                return Outcome(test, Verdict.NOT_RUN)
            self._running[deadline] = test, talk
        left = "?"
        try:
            with deadline.running(), self._session.limiter.until(deadline):
                answer = talk.ask(test.ask)
            outcome = _judged(test, answer, self._files)
        except (Interrupted, ProviderError) as error:
            so_far = Came("".join(heard), tuple(called))
            outcome = self._unanswered(test, so_far, error, deadline)
        finally:
            with self._lock:
                self._running.pop(deadline, None)
                self._cleaning.add(deadline)
            try:
                left = self._clean(talk)
            finally:
                with self._lock:
                    self._cleaning.discard(deadline)
        return replace(outcome, left=left)

    def _unanswered(
        self, test: SmokeTest, came: Came, error: Interrupted | ProviderError, deadline: Deadline
    ) -> Outcome:
        """What an error means: that the time was over, that the run was stopped, or what it says."""
        if self._ending:
            return Outcome(test, Verdict.NOT_RUN)
        if deadline.over:
            text = f"there was no whole answer within {test.within_s:g} s"
            fix = f"allow more with within: of tests.{test.name}, or ask for less"
            return Outcome(test, Verdict.FAILED, came=came, message=text, fix=fix)
        if isinstance(error, (Interrupted, *_NO_OUTCOME)):
            raise error
        return Outcome(test, Verdict.FAILED, came=came, message=error.message, fix=error.fix)

    def _clean(self, talk: Conversation) -> str:
        """Delete the conversation; its id where that cannot be done, "?" where that is not known."""
        try:
            with self._session.limiter.until(Deadline(HURRIED_S if self._ending else CLEANING_S)):
                talk.delete()
        except (Interrupted, ProviderError):
            return talk.thread_id or "?"
        return ""


def _judged(test: SmokeTest, answer: Answer, files: Mapping[str, str]) -> Outcome:
    came = Came(
        text=answer.text,
        called=tuple(call.name for call in answer.tool_calls),
        tools=answer.tools,
        cited={c.file_id or c.url: c.file_name for c in answer.citations},
        unanswered=tuple(dict.fromkeys(call.name for call in answer.tool_calls if call.output is None)),
        reason=answer.reason,
        fix=answer.fix,
    )
    if came.reason and not ends_early(test, came):
        return Outcome(test, Verdict.FAILED, came=came, message=came.reason, fix=_advice(test, came))
    missed = misses(test, came, files, lambda pattern, text: matches(pattern, text, MATCHING_S))
    return Outcome(test, Verdict.FAILED if missed else Verdict.PASSED, came=came, misses=missed)


def _advice(test: SmokeTest, came: Came) -> str:
    if came.fix:
        return came.fix
    if came.unanswered:
        return f"say under answers: of tests.{test.name} what it returns"
    if "rate_limit" in came.reason:
        return "wait a minute, raise sku.capacity of the deployment, or lower --parallelism"
    return ""
