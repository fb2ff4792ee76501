"""The pipeline around this process: annotations, the summary of the step, its outputs. All beside the normal output.

What it does is found by the environment (GITHUB_ACTIONS, TF_BUILD, GITHUB_STEP_SUMMARY, GITHUB_OUTPUT). Nothing here
fails a command: what cannot be written is a warning.
"""

from __future__ import annotations

import io
import os
import stat
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from asstops.cli import concealed

if TYPE_CHECKING:
    from asstops.errors import AsstopsError, Problem
    from asstops.expectations import Outcome
    from asstops.model import Notice, Plan, Report
    from asstops.views.ci import Disarmed, Vendor
    from asstops.views.smoke import GoneBack

_SUMMARY_LIMIT = 1024 * 1024  # bytes of one step
_LEAST = 4_000
_folder = Path(".")
_MARKS = ("GITHUB_ACTIONS", "TF_BUILD")


class _Stream(io.TextIOBase):
    """A stream whose log a pipeline reads: what passes is disarmed, but for our own commands."""

    def __init__(self, inner: TextIO, disarmed: Disarmed) -> None:
        super().__init__()
        self.inner = inner
        self._disarmed = disarmed
        self._lock = threading.Lock()

    def write(self, text: str) -> int:
        with self._lock:
            self.inner.write(self._disarmed.feed(text))
        return len(text)

    def command(self, line: str) -> None:
        """A line for the pipeline itself, on a line of its own."""
        with self._lock:
            start = "" if self._disarmed.at_line_start else "\n"
            self._disarmed.feed("\n")
            self.inner.write(f"{start}{line}\n")

    def flush(self) -> None:
        self.inner.flush()

    def isatty(self) -> bool:
        return self.inner.isatty()

    def fileno(self) -> int:
        return self.inner.fileno()

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.inner.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self.inner.errors


@contextmanager
def surroundings() -> Iterator[None]:
    """In a pipeline, see to it that nothing that is printed meanwhile acts on it."""
    work_in(Path("."))
    if not any(name in os.environ for name in _MARKS) or _vendor() is None:
        yield
        return
    from asstops.views.ci import Disarmed

    before = sys.stdout, sys.stderr
    if not _is_file(before[0]):  # what goes into a file is data, and no log
        sys.stdout = _Stream(before[0], Disarmed())
    sys.stderr = _Stream(before[1], Disarmed())
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def work_in(folder: Path) -> None:
    """The folder that the places of problems are relative to; errors are shown after the command has ended."""
    global _folder
    _folder = folder


def annotate(problems: Sequence[Problem], *, warning: bool = False) -> None:
    """Show problems beside the changed files, where a pipeline can; they are masked already."""
    to = _vendor()
    if to is None or not isinstance(sys.stderr, _Stream):
        return
    from asstops.errors import Problem
    from asstops.views.ci import MOST, annotation

    shown = list(problems[:MOST])
    if len(problems) > MOST:
        shown[-1] = Problem(f"and {len(problems) - MOST + 1:,} more; the log has all of them")
    for problem in shown:
        _command(annotation(to, placed(problem), warning=warning))


def annotate_error(error: AsstopsError) -> None:
    """The same of an error, which may hold several problems."""
    from asstops.errors import Problem, SpecInvalid, StalePlan, UnsafePlan

    if isinstance(error, SpecInvalid):
        annotate(error.problems)
    elif isinstance(error, UnsafePlan) and error.objections:
        annotate(error.objections)
    elif isinstance(error, StalePlan) and error.moved:
        annotate(error.moved)
    else:
        at = f"{error.at}: " if error.at else ""
        annotate([Problem(f"{at}{error.message}", fix=error.fix)])


def annotate_message(message: str) -> None:
    """The same of an error that is not ours; it is masked here."""
    if isinstance(sys.stderr, _Stream):
        from asstops.errors import Problem

        annotate([Problem(concealed.fit(message))])


def annotate_notices(notices: Sequence[Notice]) -> None:
    """What a plan warns of."""
    from asstops.errors import Problem

    annotate(
        [Problem(f"{n.address}: {n.message}" if n.address else n.message, fix=n.fix) for n in notices], warning=True
    )


def annotate_failures(report: Report) -> None:
    """The steps of an apply that failed."""
    from asstops.errors import Problem

    annotate([Problem(f"{event.address}: {event.message}", fix=event.fix) for event in report.failed])


def annotate_outcomes(failed: Sequence[Outcome]) -> None:
    """The smoke tests that failed, at their places in the spec."""
    from asstops.errors import Problem

    annotate(
        [
            Problem(
                f"smoke test {outcome.test.name}: "
                + (
                    outcome.message
                    or "; ".join(f"expected {miss.expected}, came {miss.came}" for miss in outcome.misses)
                ),
                outcome.test.location,
                outcome.fix,
            )
            for outcome in failed
        ]
    )


def outputs(plan: Plan, *, changes: bool) -> None:
    """What later steps of the pipeline may want to know."""
    from asstops.views.ci import Vendor, azure_variable

    counts = plan.summary()
    values = {"has_changes": "true" if changes else "false", "add": counts.add, "change": counts.change}
    values |= {"destroy": counts.destroy}
    if path := os.environ.get("GITHUB_OUTPUT"):
        _append(path, "".join(f"{name}={value}\n" for name, value in values.items()), "outputs")
    if _vendor() is Vendor.AZURE:
        _command(azure_variable("hasChanges", str(values["has_changes"])))


def summary_room() -> int:
    """How many bytes of Markdown the summary of the step still takes; 0 when there is none."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return 0
    try:
        taken = os.path.getsize(path)
    except OSError:
        taken = 0
    return max(_SUMMARY_LIMIT - taken - 1_000, 0)


def add_summary(markdown: str) -> None:
    """Append to the summary of the step; the text is masked already."""
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        _append(path, f"{concealed.redactor().text(markdown)}\n", "summary")


def summarize_plan(plan: Plan) -> None:
    """A plan, masked already, into the summary of the step."""
    if (room := summary_room()) > _LEAST:
        from asstops.views.markdown import render_plan

        add_summary(render_plan(plan, rest=REST["plan"], limit=room))


def summarize_drift(plan: Plan) -> None:
    """What drifted, masked already, into the summary of the step."""
    if (room := summary_room()) > _LEAST:
        from asstops.views.markdown import render_drift

        add_summary(render_drift(plan, rest=REST["drift"], limit=room))


def summarize_report(report: Report, plan: Plan) -> None:
    """How an apply ended, and what its plan was; both masked already."""
    if (room := summary_room() // 2) > _LEAST:
        from asstops.views.markdown import render_plan, render_report

        add_summary(render_report(report, plan, rest=REST["report"], limit=room))
        add_summary(render_plan(plan, rest=REST["plan"], limit=room))


def summarize_tests(stack: str, outcomes: Sequence[Outcome]) -> None:
    """How smoke tests ended, masked already."""
    if (room := summary_room()) > _LEAST:
        from asstops.views.markdown.tests import render_tests

        add_summary(render_tests(stack, outcomes, rest=REST["report"], limit=room))


def summarize_rollbacks(gone: Sequence[GoneBack]) -> None:
    """What went back after failed tests, masked already."""
    if gone and summary_room() > _LEAST:
        from asstops.views.markdown.tests import render_rollbacks

        add_summary(render_rollbacks(gone))


def placed(problem: Problem) -> Problem:
    """The file of a problem as a pipeline knows it: from the root of the checkout."""
    if problem.location is None or not problem.location.file:
        return problem
    return replace(problem, location=replace(problem.location, file=from_root(problem.location.file)))


def from_root(file: str) -> str:
    """A file as a pipeline knows it; outside of one, the root is the folder that asstops was called in."""
    path = Path(os.path.abspath(_folder / file))
    root = os.environ.get("GITHUB_WORKSPACE") or os.environ.get("BUILD_SOURCESDIRECTORY") or "."
    for here, top in ((path, Path(os.path.abspath(root))), (path.resolve(), Path(root).resolve())):
        if here.is_relative_to(top):
            return here.relative_to(top).as_posix()
    return path.as_posix()


REST: Mapping[str, str] = {
    "plan": "`asstops plan` shows all of it.",
    "drift": "`asstops drift` shows all of it.",
    "report": "The log shows all of it.",
}
"""How to see what a limit cut off, in Markdown."""


def _vendor() -> Vendor | None:
    from asstops.views.ci import vendor

    return vendor(os.environ)


def _command(line: str) -> None:
    if isinstance(sys.stderr, _Stream):
        sys.stderr.command(line)


def _append(path: str, text: str, what: str) -> None:
    try:
        with open(path, "a", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        click.echo(concealed.fit(f"Warning: the {what} of the step cannot be written: {error.strerror}"), err=True)


def _is_file(stream: TextIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False
