"""What `test` and `apply --test` share: running smoke tests with signals, and showing each as it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asstops.cli import ci
from asstops.cli.run import Run
from asstops.cli.stopping import code_of, stopping
from asstops.cli.terminal import Terminal
from asstops.errors import ExitCode

if TYPE_CHECKING:
    from asstops.expectations import Outcome, SmokeTest

PARALLELISM = 4


@dataclass(frozen=True)
class Tested:
    """How smoke tests ended. `signalled` is the signal that stopped them, 0 for none. Secrets are masked."""

    outcomes: tuple[Outcome, ...] = ()
    signalled: int = 0

    @property
    def failed(self) -> tuple[Outcome, ...]:
        from asstops.expectations import Verdict

        return tuple(outcome for outcome in self.outcomes if outcome.verdict is Verdict.FAILED)

    @property
    def code(self) -> ExitCode:
        if self.signalled:
            return code_of(self.signalled)
        return ExitCode.TESTS_FAILED if self.failed else ExitCode.OK


def run_tests(
    run: Run, tests: Sequence[SmokeTest], *, parallelism: int = PARALLELISM, shown: bool, go_on: bool = False
) -> Tested:
    """Run tests and, where they are to be `shown`, write each to stdout in the order of the spec, and then counts.

    `go_on` when nobody reads any more. Raises what is no outcome of a test, as a sign-in that fails.
    """
    from asstops import smoke
    from asstops.views.smoke import render_counts, render_outcome

    terminal = Terminal.for_stdout()
    width, color = terminal.width, terminal.color

    def done(outcome: Outcome) -> None:
        if shown:
            run.say(render_outcome(run.masked(outcome), width=width, color=color), go_on=go_on)

    with stopping("what is under way is ended, its conversations are deleted") as stop:
        outcomes = smoke.run_tests(
            run.stack, run.session, tests, parallelism=parallelism, done=done, stop=stop.event, hashes=run.hashes
        )
    masked = run.masked(outcomes)
    if shown:
        run.say("\n" + render_counts(masked, width=width, color=color), go_on=go_on)
    tested = Tested(masked, stop.signal)
    ci.annotate_outcomes(tested.failed)
    ci.summarize_tests(run.stack.identity, masked)
    return tested
