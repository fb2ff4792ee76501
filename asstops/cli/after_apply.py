"""What `apply --test` does once everything is applied: the smoke tests, and the way back where one failed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from asstops.cli import ci
from asstops.cli.options import Globals
from asstops.cli.run import Run
from asstops.cli.smoke import Tested, run_tests
from asstops.cli.terminal import Terminal
from asstops.errors import AsstopsError, ExitCode, UsageError
from asstops.model import Action, Address, Change, Plan, Report, Verb

if TYPE_CHECKING:
    from asstops.cli.locking import StackLock
    from asstops.views.smoke import GoneBack
    from asstops.workflow import Prepared

KIND = "assistant"


class RunSteps(Protocol):
    """`carry_out.run_steps`."""

    def __call__(self, run: Run, prepared: Prepared, parallelism: int, lock: StackLock, /) -> tuple[Report, int]: ...


@dataclass(frozen=True)
class Changed:
    """An assistant that this apply changed. `before` is the version that was current, "" where none was or is kept."""

    address: Address
    before: str
    new: bool


@dataclass(frozen=True)
class After:
    """What came of it. `error` is what kept the tests from running, to be raised once the report is shown."""

    tested: Tested
    rollbacks: tuple[GoneBack, ...] = ()
    signalled: int = 0
    error: AsstopsError | None = None

    def code(self) -> ExitCode:
        """What the process exits with. Raises the error."""
        if self.error is not None:
            raise self.error
        return replace(self.tested, signalled=self.signalled or self.tested.signalled).code

    def document(self) -> dict[str, Any]:
        """What the report gains."""
        from asstops.views.smoke import outcomes_to_json, rollbacks_to_json

        return {
            "tests": outcomes_to_json(self.tested.outcomes),
            "rollbacks": rollbacks_to_json(self.rollbacks),
        }


@dataclass(frozen=True)
class AfterApply:
    """The options `--test` and `--rollback-on-failure`."""

    options: Globals
    rollback: bool

    def check(self, run: Run) -> None:
        """Refuse what cannot be done, before anything is. Raises UsageError."""
        if self.rollback and not run.session.service.keeps_versions:
            raise UsageError(
                f"service {run.session.service.name} keeps no earlier versions of an assistant to roll back to",
                fix="leave out --rollback-on-failure; after a failed test put the earlier values back with git revert",
            )

    def check_plan(self, run: Run, plan: Plan) -> None:
        """Refuse a way back that the apply itself would cut off. Raises UsageError."""
        gone = [change for change in plan.changes if _prunes_current(run, change)]
        if self.rollback and gone:
            raise UsageError(
                f"{gone[0].address} keeps so few versions that the one before would go with this apply",
                fix="raise its keep_versions, or leave out --rollback-on-failure",
            )

    def run(self, run: Run, plan: Plan, report: Report, lock: StackLock, run_steps: RunSteps, *, shown: bool) -> After:
        """Run the tests, written to stdout where they are to be `shown`. What to do about failures goes to stderr."""
        tests = run.stack.tests
        if not tests:
            click.echo("The spec has no smoke tests: nothing was tested. They are written under tests:.", err=True)
            return After(Tested())
        if shown:
            run.say("\n", go_on=True)
        try:
            tested = run_tests(run, tests, shown=shown, go_on=True)
        except AsstopsError as error:
            return After(Tested(), error=error)
        if tested.signalled or not tested.failed:
            return After(tested)
        changed = _changed(run, plan, report)
        if not self.rollback:
            self._show_way_back(run, changed, wrote=report.wrote)
            return After(tested)
        gone, signalled = self._go_back(run, tested, changed, lock, run_steps)
        self._show(run, gone)
        return After(tested, gone, signalled)

    def _go_back(
        self, run: Run, tested: Tested, changed: Sequence[Changed], lock: StackLock, run_steps: RunSteps
    ) -> tuple[tuple[GoneBack, ...], int]:
        """Bring assistants of failed tests back to the version before this apply; also the signal that stopped it."""
        from asstops.views.smoke import GoneBack

        by_address, gone = {item.address: item for item in changed}, []
        for address in sorted({outcome.test.assistant for outcome in tested.failed}):
            item = by_address.get(address)
            if item is None:
                gone.append(GoneBack(address, "kept", message="this apply did not change it"))
            elif item.new:
                gone.append(GoneBack(address, "kept", message="it is new, so there is no version before it"))
            else:
                found, signalled = _rolled_back(run, item, lock, run_steps)
                gone.append(run.masked(found))
                if signalled:
                    return tuple(gone), signalled
        return tuple(gone), 0

    def _show(self, run: Run, gone: Sequence[GoneBack]) -> None:
        from asstops.views.smoke import render_rollbacks

        terminal = Terminal.for_stderr()
        run.say("\n" + render_rollbacks(gone, width=terminal.width, color=terminal.color), err=True, go_on=True)
        ci.summarize_rollbacks(gone)

    def _show_way_back(self, run: Run, changed: Sequence[Changed], *, wrote: bool) -> None:
        from asstops.views.smoke import render_way_back

        commands = [(item.address, self._command(item)) for item in changed]
        terminal = Terminal.for_stderr()
        text = render_way_back(commands, wrote=wrote, width=terminal.width, color=terminal.color)
        run.say("\n" + text, err=True, go_on=True)

    def _command(self, item: Changed) -> str:
        """What to type to go back; "" where no version is kept."""
        if not item.before:
            return ""
        given = self.options
        words = ["asstops", *(["--local"] if given.local else [])]
        words += ["--chdir", str(given.chdir)] if given.chdir != Path(".") else []
        words += [word for file in given.files for word in ("-f", str(file))]
        words += ["--env", given.env] if given.env else []
        return shlex.join([*words, "rollback", str(item.address), "--to", item.before])


def _prunes_current(run: Run, change: Change) -> bool:
    """Whether the version that is current now will be deleted as one too many."""
    if change.live is None or change.address.kind != KIND:
        return False
    return run.session.service.kinds[KIND].version(change.live) in change.prunes


def _changed(run: Run, plan: Plan, report: Report) -> list[Changed]:
    """The assistants that this apply made, or made a new version of."""
    done = {event.address for event in report.done if event.verb in (Verb.CREATE, Verb.UPDATE)}
    found = []
    for change in plan.changes:
        if change.address.kind == KIND and change.address in done:
            updated = change.live if change.action is Action.UPDATE else None
            kept = updated is not None and not _prunes_current(run, change)
            before = run.session.service.kinds[KIND].version(change.live) if kept and change.live is not None else ""
            found.append(Changed(change.address, before, new=updated is None))
    return found


def _rolled_back(run: Run, item: Changed, lock: StackLock, run_steps: RunSteps) -> tuple[GoneBack, int]:
    """What `asstops rollback` does, for one assistant; also the signal that stopped it."""
    from asstops.rollback import prepare
    from asstops.views.smoke import GoneBack

    try:
        lock.check()
        found, prepared = prepare(run.stack, run.session, item.address.key, item.before, hashes=run.hashes)
        if found.plan.is_empty:
            return GoneBack(item.address, "kept", item.before, "that version says what is current"), 0
        report, signalled = run_steps(run, prepared, 1, lock)
    except AsstopsError as error:
        return GoneBack(item.address, "failed", item.before, error.message, error.fix), 0
    if report.failed or not report.done:
        event = next(iter((*report.failed, *report.skipped)), None)
        message = (event.message if event is not None else "") or "it was not written"
        return GoneBack(item.address, "failed", item.before, message, event.fix if event else ""), signalled
    return GoneBack(item.address, "rolled_back", item.before), signalled
