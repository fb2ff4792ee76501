"""`asstops gc`: what an interrupted apply may have left, and taking it away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from asstops.cli.locking import StackLock
from asstops.cli.options import global_options, writing_options
from asstops.cli.run import Run, opened, options_of
from asstops.cli.terminal import Terminal, interactive
from asstops.errors import ExitCode, PartlyApplied, ProviderError, UsageError

if TYPE_CHECKING:
    from asstops.collect import Cleaned
    from asstops.leftovers import Leftover
    from asstops.record import Note
    from asstops.workflow import Remains


@click.command("gc")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--dismiss", is_flag=True, help="Files that are kept are not ours: stop telling of them.")
@writing_options(
    approve="Do not ask. What others use, or what was there before, is kept all the same.",
    preview="Only show what is left over.",
    form="How what was found and done is written to stdout.",
)
@global_options
@click.pass_context
def command(
    context: click.Context,
    ids: tuple[str, ...],
    auto_approve: bool,
    dry_run: bool,
    dismiss: bool,
    form: str,
    lock_timeout: float,
) -> int:
    """Show what an interrupted apply may have left, and delete what you confirm.

    An upload whose answer was lost may be there twice, and nothing in the service tells whose a file is: so each file
    is shown with the reason, and asked for. With an ID only that file is offered. The record of files is put in order:
    entries of files that are gone, pages that nothing needs, the note of the interrupted apply.
    """
    options = options_of(context)
    with StackLock(options, "gc", lock_timeout) as lock, opened(options, lock_timeout_s=lock_timeout) as run:
        from asstops.workflow import remains

        if not dry_run:
            lock.take(run)
        found = remains(run.stack, run.session, run.journal, run.hashes)
        offered = _offered(found, ids)
        if form == "human":
            _show_found(run, found)
        done = None
        if not dry_run and (found.items or found.journal or _note(found) is not None):
            chosen = _chosen(offered, ids, auto_approve)
            tidy = _may_tidy(found, chosen, auto_approve)
            lock.check()
            done = _clean(run, lock, found, chosen, tidy=tidy, dismiss=dismiss)
        _show_done(run, found, done, form)
        if (code := lock.exit_code(wrote=done is not None and done.wrote)) is not None:
            return code
        if done is not None and done.failed:
            return ExitCode.PARTLY_APPLIED if done.wrote else ExitCode.ERROR
        return ExitCode.OK


def _note(found: Remains) -> Note | None:
    return found.snapshot.record.note


def _offered(found: Remains, ids: tuple[str, ...]) -> list[Leftover]:
    """The files to ask for. Raises UsageError for an id that is none of them."""
    from asstops.leftovers import Sort

    twins = {item.remote_id: item for item in found.items if item.sort is Sort.TWIN}
    for given in ids:
        if given not in twins:
            raise UsageError(
                f"{given} is no file that may be left from an interrupted apply",
                fix="'asstops gc --dry-run' shows those that may be",
            )
    return [item for remote_id, item in twins.items() if not ids or remote_id in ids]


def _chosen(offered: list[Leftover], ids: tuple[str, ...], auto_approve: bool) -> frozenset[str]:
    """The ids of the files to delete. Raises UsageError where nobody can be asked."""
    if auto_approve:
        return frozenset(item.remote_id for item in offered if ids or not (item.foreign or item.early))
    _need_terminal()
    from asstops.views.text import safe

    chosen: set[str] = set()
    for number, item in enumerate(offered):
        choices = click.Choice(["y", "n", "all", "none"], case_sensitive=False)
        question = f"Delete {safe(item.remote_id)} ({safe(item.name)})? [y/N/all/none]"
        answer = click.prompt(question, type=choices, default="n", show_choices=False, show_default=False, err=True)
        if answer == "y":
            chosen.add(item.remote_id)
        if answer == "all":
            chosen.update(other.remote_id for other in offered[number:])
        if answer in ("all", "none"):
            break
    return frozenset(chosen)


def _may_tidy(found: Remains, chosen: frozenset[str], auto_approve: bool) -> bool:
    """Whether to write the record. It needs no word of its own where files were asked for and nothing else is wrong."""
    from asstops.leftovers import Sort

    sorts = {item.sort for item in found.items}
    if auto_approve or chosen or sorts == {Sort.TWIN}:
        return True
    _need_terminal()
    return click.confirm("Put the record of files in order?", default=True, err=True)


def _need_terminal() -> None:
    if not interactive():
        raise UsageError(
            "nothing was changed: there is no terminal to ask on",
            fix="add --auto-approve to go ahead without asking, or --dry-run to look only",
        )


def _clean(run: Run, lock: StackLock, found: Remains, chosen: frozenset[str], *, tidy: bool, dismiss: bool) -> Cleaned:
    from asstops.collect import clean

    def tell(item: Leftover) -> None:
        lock.wrote = True
        run.say(f"deleted {item.remote_id}\n", err=True, go_on=True)

    try:
        return clean(
            run.session,
            run.session.service.kinds["file"],
            found.snapshot,
            found.items,
            chosen,
            stack=run.stack.identity,
            origin=found.origin,
            journal=run.journal,
            tidy=tidy,
            dismiss=dismiss,
            tell=tell,
        )
    except ProviderError as error:
        if not lock.wrote:
            raise
        message = f"files were deleted, but the record could not be put in order: {error.message}"
        raise PartlyApplied(message, fix=error.fix or "run 'asstops gc' again") from error


def _show_found(run: Run, found: Remains) -> None:
    from asstops.views.leftovers import render_found

    terminal = Terminal.for_stdout()
    run.say(
        render_found(
            run.masked(found.target),
            _note(found),
            run.masked(found.items),
            journal=found.journal,
            read=run.reading(len(found.snapshot)),
            width=terminal.width,
            color=terminal.color,
        ),
        go_on=True,
    )


def _show_done(run: Run, found: Remains, done: Cleaned | None, form: str) -> None:
    from asstops.views.leftovers import render_cleaned, to_json
    from asstops.views.machine import dumps

    terminal, items = Terminal.for_stdout(), run.masked(found.items)
    if form == "json":
        run.say(dumps(to_json(run.masked(found.target), _note(found), items, run.masked(done))), go_on=True)
    elif done is not None:
        text = render_cleaned(_note(found), items, run.masked(done), width=terminal.width, color=terminal.color)
        run.say("\n" + text, go_on=True)
