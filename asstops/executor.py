"""Carry out a plan: the only caller of the kinds' writing methods.

Steps run in dependency order, as many at a time as allowed. After a failure everything that does not depend on it goes
on. Every step ends up in the report exactly once: done, failed or not attempted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from asstops import graph, readback, recheck
from asstops.diff import flatten, resolve_refs
from asstops.errors import AsstopsError, Interrupted, Moved, ProviderError, ResultDiffers, Unavailable
from asstops.forms import is_form_of
from asstops.graph import Phase, StepId
from asstops.kinds.base import Step
from asstops.model import (
    Action,
    Address,
    Change,
    Event,
    Mark,
    Observed,
    Plan,
    RecordAction,
    Report,
    Resource,
    StepState,
    Unknown,
    Verb,
)
from asstops.ownership import Snapshot
from asstops.record import content_digest, superseded
from asstops.recorder import Recorder, new_nonce
from asstops.scheduling import work_through

if TYPE_CHECKING:
    from asstops.journal import Journal
    from asstops.kinds import Kind
    from asstops.providers.session import Session

_LOG = logging.getLogger("asstops")
RECORD = Address("record", "files")
LOOKUPS = 6
LOOKUP_PAUSE_S = 0.5
UPLOADS = 3  # of one file whose answer is lost: each may leave a twin behind
Emit = Callable[[Event], None]


def apply(
    plan: Plan,
    session: Session,
    snapshot: Snapshot,
    emit: Emit,
    *,
    parallelism: int = 10,
    stop: threading.Event | None = None,
    journal: Journal | None = None,
) -> Report:
    """Carry out `plan`. Raises nothing that a step ran into: that is in the report.

    `snapshot` is what the plan was made from. `stop` ends the work early: what runs is finished, nothing new
    begins. `journal` is told of uploads, so that a killed apply need not send them again.
    """
    return _Run(plan, session, snapshot, emit, stop or threading.Event(), journal).run(parallelism)


class _Run:
    """One apply: which steps wait, run and have ended, and the ids that came to light."""

    def __init__(
        self,
        plan: Plan,
        session: Session,
        snapshot: Snapshot,
        emit: Emit,
        stop: threading.Event,
        journal: Journal | None,
    ) -> None:
        self._plan = plan
        self._session = session
        self._kinds = kinds = session.service.kinds
        self._emit = emit
        self._stop = stop
        self._ids: dict[Address, str] = dict(plan.known)
        self._labels = {remote_id: str(address) for address, remote_id in plan.known.items()}
        self._steps = {step.id: step for step in graph.steps(plan.changes)}
        self._uploads = [sent for step in self._steps.values() for sent in _sent(step)]
        self._recorder = Recorder(
            session,
            snapshot.record,
            plan.target.stack,
            plan.origin,
            nonce=new_nonce,
            sources=snapshot.sources,
            foreign=snapshot.foreign,
            dead=snapshot.dead,
            journal=journal,
            recovered=snapshot.recovered,
            pause=self._pause,
        )
        self._requires = {step.id: set(step.requires) for step in self._steps.values()}
        self._done: list[Event] = []
        self._failed: list[Event] = []
        self._skipped: list[Event] = []
        self._stale = False
        self._gone: set[str] = set()  # ids that this apply has deleted, or is about to
        self._made: dict[str, set[str]] = {name: set() for name, kind in kinds.items() if kind.plane == "data"}
        if plan.record is RecordAction.DELETE:
            self._remember_last()

    def _remember_last(self) -> None:
        """The record goes after everything in the data plane, and before what holds the data plane."""
        drops = {step.id for step in self._steps.values() if step.phase is Phase.DROP}
        data = {step_id for step_id in drops if self._kinds[step_id[0].kind].plane == "data"}
        self._requires[RECORD, Phase.DROP] = data
        for step_id in drops - data:
            if self._steps[step_id].change.action is Action.DELETE:
                self._requires[step_id].add((RECORD, Phase.DROP))

    def run(self, parallelism: int) -> Report:
        work_through(dict(self._requires), self._carry_out, self._note, parallelism=parallelism, stop=self._stop)
        self._close_record()
        self._outwait_listings()
        self._skip_the_rest()
        return Report(
            tuple(self._done),
            tuple(self._failed),
            tuple(self._skipped),
            wrote=self._session.limiter.writes > 0,
            interrupted=self._stop.is_set(),
            stale=self._stale,
        )

    def _note(self, step_id: StepId, event: Event | None) -> bool:
        """Put a finished step into the report; True when it succeeded."""
        del self._requires[step_id]
        if event is None:
            return True
        self._emit(event)
        if event.state is StepState.DONE:
            self._done.append(event)
            return True
        self._failed.append(event)
        return False

    def _skip_the_rest(self) -> None:
        why = "stopped" if self._stop.is_set() else "something it needs failed"
        for step_id in sorted(self._requires, key=lambda item: (item[0], item[1].value)):
            if step_id[0] == RECORD:
                continue
            event = Event(step_id[0], self._steps[step_id].verb, StepState.SKIPPED, why)
            self._skipped.append(event)
            self._emit(event)

    def _close_record(self) -> None:
        if self._plan.record is RecordAction.NONE:
            return
        try:
            if self._plan.record is not RecordAction.DELETE:
                with self._session.limiter.closing():
                    self._recorder.finish()
        except Exception as error:  # whatever it is, it must not cost the report of what was done
            reason, fix = (error.message, error.fix) if isinstance(error, AsstopsError) else (repr(error), "")
            message = f"the stack's record of files could not be written: {reason}"
            event = Event(RECORD, Verb.UPDATE, StepState.FAILED, message, fix)
            self._failed.append(event)
            self._emit(event)

    def _outwait_listings(self) -> None:
        """End only once listings show what was made: else the next apply would take it for missing, and make it again.

        Names in Azure Resource Manager need no such care, since a second PUT is stopped by the second look.
        """
        if pages := self._recorder.new_pages:
            self._made["vector_store"] |= pages
        for kind, made in ((self._kinds[name], made) for name, made in self._made.items() if made):
            try:
                for attempt in range(LOOKUPS):
                    if self._shows(kind, made - self._gone):
                        break
                    self._pause(attempt)
            except (ProviderError, Interrupted):
                return  # nothing is wrong with what was made; only how soon it shows is not known

    def _shows(self, kind: Kind[Any], tokens: set[str]) -> bool:
        """Whether a listing shows all of these; it is read no further than it takes."""
        for live in kind.newest(self._session) if tokens else ():
            tokens.discard(kind.token(live))
            if not tokens:
                break
        return not tokens

    # One step, in a worker thread

    def _carry_out(self, step_id: StepId) -> Event | None:
        """Do one step; None for one that is not worth a line in the report."""
        address, phase = step_id
        began = time.monotonic()
        step = self._steps.get(step_id)
        verb = step.verb if step is not None else Verb.DELETE
        try:
            if step is None:
                self._recorder.delete()
                return None
            self._emit(Event(address, verb, StepState.STARTED))
            detail = self._make(step.change, verb) if phase is Phase.MAKE else self._drop(step)
            return Event(address, verb, StepState.DONE, detail, elapsed_s=time.monotonic() - began)
        except Interrupted:
            return Event(address, verb, StepState.FAILED, "stopped on the way; apply again to finish it")
        except AsstopsError as error:
            self._stale = self._stale or isinstance(error, Moved)
            elapsed = time.monotonic() - began
            return Event(address, verb, StepState.FAILED, error.message, error.fix, elapsed_s=elapsed)
        except Exception as error:  # a mistake of ours must not cost the report of what was done
            _LOG.debug("unexpected", exc_info=True)
            message = f"unexpected {type(error).__name__}: {error}"
            return Event(address, verb, StepState.FAILED, message, "run with --debug and report it as a bug")

    def _make(self, change: Change, verb: Verb) -> str:
        kind, wanted, mark = self._kinds[change.address.kind], change.wanted, change.mark
        if wanted is None or mark is None:
            raise ValueError(f"{change.address}: nothing is wanted")
        updating = change.action is Action.UPDATE
        before = None
        if change.live is not None and not change.delete_first:
            before = recheck.as_planned(self._session, kind, change.live, self._gone)
        elif kind.rules.named:
            recheck.check_free(self._session, kind, change.address)
        mark = mark if updating and mark.nonce else replace(mark, nonce=new_nonce())
        resolved = replace(
            wanted, body={path: resolve_refs(value, self._resolve) for path, value in wanted.body.items()}
        )
        step = Step(
            wanted=resolved,
            mark=mark,
            changed=frozenset(diff.path for diff in change.diffs),
            live=before if updating else None,
            prunes=change.prunes,
            labels=self._labels,
            report=self._reporter(change.address, verb),
        )
        source = wanted.source
        content = content_digest(change.address.key, source, protect=wanted.protect) if source is not None else ""
        uploads = source is not None and _needs_upload(change)
        if source is not None and uploads:
            kind.check(step)
            self._recorder.begin(len(self._uploads), self._uploads)
            self._recorder.uploading(change.address.key, source, content)
        live = kind.update(self._session, step) if updating and not change.moves else self._create(kind, step)
        if not kind.rules.marked:
            if uploads:
                self._recorder.uploaded(live.remote_id, content, _outdated(change))
            else:
                self._recorder.add(live.remote_id, content)
        self._read_back(kind, step, live)
        self._ids[change.address] = live.remote_id
        self._labels[live.remote_id] = str(change.address)
        if kind.name in self._made and (change.live is None or kind.token(change.live) != kind.token(live)):
            self._made[kind.name].add(kind.token(live))
        gone = ", ".join(change.prunes)
        return f"version{'s' if len(change.prunes) > 1 else ''} {gone} deleted" if gone else ""

    def _create(self, kind: Kind[Any], step: Step) -> Observed:
        """Create once. When the answer is lost, the mark tells whether the object is there."""
        if not kind.rules.marked:
            return self._upload(kind, step)
        try:
            return kind.create(self._session, step)
        except Unavailable as error:
            if not error.ambiguous or kind.rules.named:
                raise
            found = self._look_up(kind, step.mark)
            if found is None:
                raise Unavailable(
                    f"{error.message}; whether it was made is unknown, a listing does not show it yet",
                    fix="plan again in a moment: if it was made, its mark tells",
                    ambiguous=True,
                ) from error
            everything = frozenset(flatten(kind.rules, step.wanted.body))
            return kind.update(self._session, replace(step, live=found, changed=everything))

    def _upload(self, kind: Kind[Any], step: Step) -> Observed:
        """Create what has no mark. Nothing in the service tells which file was ours, so a lost one is sent again.

        The note then stays, to tell of what may be its twin.
        """
        for attempt in range(UPLOADS - 1):
            try:
                return kind.create(self._session, step)
            except Unavailable as error:
                if not error.ambiguous:
                    raise
                self._recorder.doubtful = True
                self._pause(attempt)
        return kind.create(self._session, step)

    def _look_up(self, kind: Kind[Any], mark: Mark) -> Observed | None:
        """Find what a lost answer made, outwaiting a listing that lags behind."""
        for attempt in range(LOOKUPS):
            found = kind.find(self._session, mark)
            if found is not None:
                return found
            self._pause(attempt)
        return None

    def _pause(self, attempt: int) -> None:
        """Give a listing that lags behind time, more with each attempt."""
        self._session.limiter.wait(LOOKUP_PAUSE_S * 2**attempt)

    def _read_back(self, kind: Kind[Any], step: Step, live: Observed) -> None:
        """Compare the result with the plan. A value kept in another form is noted in the mark once."""
        rules, body = kind.rules, step.wanted.body
        found = readback.differing(rules, body, live.body, step.wanted.loose)
        known = {path for path, digest in readback.stored_forms(found).items() if step.mark.stored.get(path) == digest}
        forms = {path: pair for path, pair in found.items() if not readback.stored_forms({path: pair}).keys() <= known}
        wrong = [
            f"{path} was sent as {_cut(sent)} and the service keeps {_cut(stored)}"
            for path, (sent, stored) in sorted(forms.items())
            if not is_form_of(sent, stored, rules.forgettable.get(path, frozenset()), caseless=path in rules.caseless)
        ]
        if step.live is not None and not rules.versioned:  # a version keeps nothing of the one before it
            kept = readback.not_reset(rules, body, step.live.body, live.body, step.changed)
            wrong += [f"{path} was taken out and the service keeps {_cut(kept[path])}" for path in sorted(kept)]
        if wrong:
            raise ResultDiffers(
                "; ".join(wrong), fix="plan again to see what is live; the service may not support this value"
            )
        if not forms or rules.versioned:
            return  # what a service makes of a version that it keeps for good is no drift
        mark = replace(step.mark, stored={**step.mark.stored, **readback.stored_forms(forms)})
        kind.update(self._session, replace(step, mark=mark, live=live, changed=frozenset()))

    def _drop(self, step: graph.Step) -> str:
        kind = self._kinds[step.change.address.kind]
        for live in step.drops:
            # Noted before it goes: another worker may look at what used it while the answer is still on its way.
            self._gone.add(live.remote_id)
            if recheck.still_as_planned(self._session, kind, live, self._gone) is not None:
                kind.delete(self._session, live)
            if not kind.rules.marked:
                self._recorder.remove(live.remote_id)
        return "" if step.change.action is Action.DELETE else "the old copy"

    def _resolve(self, address: Address) -> str | Unknown:
        return self._ids[address]

    def _reporter(self, address: Address, verb: Verb) -> Callable[[int, int], None]:
        began = time.monotonic()

        def report(done: int, total: int) -> None:
            spent = time.monotonic() - began
            self._emit(Event(address, verb, StepState.PROGRESS, elapsed_s=spent, done=done, total=total))

        return report


def _sent(step: graph.Step) -> Iterator[tuple[str, int]]:
    """Name and size of what a step uploads."""
    source = step.change.wanted.source if step.change.wanted is not None else None
    if step.phase is Phase.MAKE and source is not None and _needs_upload(step.change):
        yield source.name, source.size_bytes


def _outdated(change: Change) -> dict[str, str]:
    """Entries of the copies that an upload takes the place of, written along with its own.

    Else an apply that is cut off here would leave copies of which nothing tells that they are only old, not unwanted.
    One that stays for an older version of something else is only old as well.
    """
    stays = (change.live,) if change.spares and change.live is not None else ()
    return {live.remote_id: superseded(change.address.key) for live in (*graph.drops(change), *stays)}


def _needs_upload(change: Change) -> bool:
    wanted: Resource | None = change.wanted
    return wanted is not None and wanted.source is not None and (change.action is not Action.UPDATE or change.moves)


def _cut(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
