"""`asstops test`: run the smoke tests of the spec against what is live."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from asstops.cli import completing
from asstops.cli.options import format_option, global_options
from asstops.cli.run import Run, opened, options_of
from asstops.cli.smoke import PARALLELISM, Tested, run_tests
from asstops.cli.terminal import Terminal
from asstops.errors import AsstopsError, UsageError

if TYPE_CHECKING:
    from asstops.expectations import SmokeTest


@click.command("test")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=completing.tests)
@click.option(
    "--junit",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the results to FILE too, as the XML that pipelines show test results from.",
)
@format_option("json", text="How the results are written to stdout.")
@click.option(
    "--parallelism",
    type=click.IntRange(1, 100),
    default=PARALLELISM,
    show_default=True,
    metavar="N",
    help="Questions asked at the same time.",
)
@global_options
@click.pass_context
def command(context: click.Context, names: tuple[str, ...], junit: Path | None, form: str, parallelism: int) -> int:
    """Run the smoke tests of the spec against what is live.

    NAME is a key of tests:; without any, all are run. Each asks its assistant in a conversation of its own, which is
    deleted afterwards. Exits with 7 when a test failed. Nothing that the spec owns is changed.
    """
    options = options_of(context)
    with opened(options) as run:
        tests = _chosen(run.stack.tests, names)
        if not tests:
            click.echo("The spec has no smoke tests: there is nothing to run. They are written under tests:.", err=True)
        elif form == "human":
            _show_heading(run)
        tested = run_tests(run, tests, parallelism=parallelism, shown=form == "human") if tests else Tested()
        if form == "json":
            from asstops.views.machine import dumps
            from asstops.views.smoke import to_json

            run.say(dumps(to_json(run.stack.identity, run.stack.service, tested.outcomes)))
        if junit is not None:
            _write(run, options.chdir / junit, tested)
        return tested.code


def _chosen(tests: tuple[SmokeTest, ...], names: tuple[str, ...]) -> tuple[SmokeTest, ...]:
    """The tests of these names, in the order of the spec; all for no name. Raises UsageError."""
    from difflib import get_close_matches

    known = [test.name for test in tests]
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            told = f"did you mean {near[0]}?" if near else f"the spec has {', '.join(known) or 'no tests'}"
            raise UsageError(f"there is no test {name!r} in the spec", fix=told)
    return tuple(test for test in tests if not names or test.name in names)


def _show_heading(run: Run) -> None:
    from asstops.views.smoke import render_heading
    from asstops.workflow import target_of

    target, terminal = target_of(run.stack, run.session), Terminal.for_stdout()
    where = target.account or target.endpoint
    text = render_heading(target.stack, target.service, where, width=terminal.width, color=terminal.color)
    run.say(text + "\n")


def _write(run: Run, path: Path, tested: Tested) -> None:
    """Raises AsstopsError where the file cannot be written."""
    from asstops.views.junit import to_junit

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(run.redactor.text(to_junit(run.stack.identity, tested.outcomes)), encoding="utf-8")
    except OSError as error:
        raise AsstopsError(f"{path} cannot be written: {error.strerror}", fix="choose another --junit FILE") from None
