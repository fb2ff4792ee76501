"""`asstops adopt`: take over live objects that others made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from asstops.cli import completing
from asstops.cli.locking import StackLock
from asstops.cli.options import global_options, writing_options
from asstops.cli.run import Run, addresses, opened, options_of
from asstops.cli.terminal import Terminal, interactive, says_yes
from asstops.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from asstops.adoption import Adoption
    from asstops.takeover import Outcome
    from asstops.workflow import Adopting


@click.command("adopt")
@click.argument("pairs", metavar="[ADDRESS [ID]]...", nargs=-1, shell_complete=completing.addresses)
@click.option("--match", type=click.Choice(["name"]), help="Adopt every object of the spec of which one has its name.")
@click.option(
    "--trust-content",
    is_flag=True,
    help="What cannot be read back (the content of files, chunking) is as the spec has it.",
)
@writing_options(
    preview="Only show what would be adopted, and what the next plan would change.", form="How it is written to stdout."
)
@global_options
@click.pass_context
def command(
    context: click.Context,
    pairs: tuple[str, ...],
    match: str | None,
    trust_content: bool,
    auto_approve: bool,
    dry_run: bool,
    form: str,
    lock_timeout: float,
) -> int:
    """Take over a live object under ADDRESS, an entry of the spec; or several, each with its ID.

    Nothing of an object changes but its mark, for which an agent gets a new version; what the next apply would change
    is shown first. ID may be left out where a name is the identity (resource, project, deployment, agent). The content
    of a file cannot be read back: without --trust-content the next apply uploads it anew and deletes the adopted one.
    """
    options = options_of(context)
    asked = _asked(pairs) if pairs or not match else {}
    with StackLock(options, "adopt", lock_timeout) as lock, opened(options, lock_timeout_s=lock_timeout) as run:
        from asstops.workflow import adopting

        if not dry_run:
            lock.take(run)
        asked = {found: given or _name(run, found) for found, given in asked.items()}
        plan = adopting(run.stack, run.session, asked, match=bool(match), trust=trust_content, hashes=run.hashes)
        if form == "human":
            run.say(_shown(run, plan), go_on=True)
        done = None
        if plan.adoptions and not dry_run and _approved(auto_approve):
            lock.check()
            done = _take_over(run, lock, plan)
        if form == "json":
            from asstops.views.machine import dumps

            run.say(dumps(_data(run, plan, done)), go_on=True)
        return _code(plan, done, lock, dry_run=dry_run)


def _asked(words: Sequence[str]) -> dict[Any, str]:
    """Each address with the id behind it, "" where another address comes next, or nothing."""
    if not words:
        raise UsageError("adopt what?", fix="asstops adopt ADDRESS ID, or asstops adopt --match name")
    asked: dict[Any, str] = {}
    waiting = list(words)
    while waiting:
        (address,) = addresses((waiting.pop(0),))
        if address in asked:
            raise UsageError(f"{address} stands twice", fix="name each address once, with the ID of one object")
        asked[address] = "" if not waiting or _is_address(waiting[0]) else waiting.pop(0)
    objects = [(address.kind, ident) for address, ident in asked.items() if ident]
    if twice := [ident for kind, ident in objects if objects.count((kind, ident)) > 1]:
        raise UsageError(f"{twice[0]} stands twice", fix="name each object once")
    return asked


def _is_address(word: str) -> bool:
    """Whether a word begins as an address of a kind does: no service has such ids."""
    from asstops.services import every

    kind, dot, key = word.partition(".")
    return bool(dot and key) and any(kind in service.kinds for service in every())


def _name(run: Run, address: Any) -> str:
    """The id, where the key is one."""
    rules = run.session.service.rules.get(address.kind)
    if rules is None:
        raise UsageError(f"there is no kind {address.kind!r}", fix=f"use one of {', '.join(run.session.service.rules)}")
    if not rules.named:
        raise UsageError(f"the id of {address} is missing", fix=f"asstops adopt {address} ID")
    return str(address.key)


def _shown(run: Run, plan: Adopting) -> str:
    from asstops.views.human import render_plan
    from asstops.views.text import cells, pad, safe, told

    terminal = Terminal.for_stdout()
    lines = [f"! {safe(text)}" for text in plan.unclear]
    if not plan.adoptions:
        return "\n".join([*lines, "Nothing to adopt."]) + "\n"
    lines += ["To be adopted, without a change of anything but the mark:", ""]
    width = max(cells(str(item.address)) for item in plan.adoptions)
    for item in plan.adoptions:
        name = item.live.name if item.live.name != item.live.remote_id else ""
        lines.append(f"  {pad(str(item.address), width)}   {safe(item.live.remote_id)}   {told(name, 100)}".rstrip())
    if any(run.session.service.rules[item.address.kind].versioned for item in plan.adoptions):
        lines += ["", "An agent gets a new version, the same but for the mark."]
    lines += ["", "What the next plan then says of these:", ""]
    shown = render_plan(
        run.masked(plan.plan), width=terminal.width, color=terminal.color, read=run.reading(len(plan.snapshot))
    )
    return "\n".join(lines) + "\n" + shown


def _approved(auto_approve: bool) -> bool:
    if auto_approve:
        return True
    if not interactive():
        raise UsageError(
            "nothing was adopted: there is no terminal to ask on",
            fix="add --auto-approve to go ahead without asking, or --dry-run to look only",
        )
    if says_yes("\nAdopt these"):
        return True
    click.echo("Cancelled: nothing was adopted.", err=True)
    return False


def _take_over(run: Run, lock: StackLock, plan: Adopting) -> Outcome:
    from asstops.takeover import take_over

    def tell(address: object) -> None:
        lock.wrote = True
        run.say(f"adopted {address}\n", err=True, go_on=True)

    done = take_over(
        run.session,
        plan.adoptions,
        plan.wanted,
        plan.snapshot,
        stack=run.stack.identity,
        origin=plan.plan.origin,
        tell=tell,
    )
    for address, error in done.failed.items():
        run.say(f"not adopted: {address}: {error.message}\n", err=True, go_on=True)
        if error.fix:
            run.say(f"  fix: {error.fix}\n", err=True, go_on=True)
    return done


def _data(run: Run, plan: Adopting, done: Outcome | None) -> dict[str, Any]:
    from asstops.views.machine import FORMAT_VERSION, plan_to_json

    def entry(item: Adoption) -> dict[str, Any]:
        error = done.failed.get(item.address) if done is not None else None
        outcome = "planned" if done is None else "failed" if error is not None else "adopted"
        return {
            "address": str(item.address),
            "id": item.live.remote_id,
            "name": item.live.name,
            "outcome": outcome,
            "error": error.message if error is not None else None,
        }

    return {
        "format_version": FORMAT_VERSION,
        "stack": run.stack.identity,
        "adoptions": [entry(item) for item in plan.adoptions],
        "unclear": list(plan.unclear),
        "next_plan": plan_to_json(run.masked(plan.plan)),
    }


def _code(plan: Adopting, done: Outcome | None, lock: StackLock, *, dry_run: bool) -> ExitCode:
    if (code := lock.exit_code(wrote=done is not None and done.wrote)) is not None:
        return code
    if done is None:
        return ExitCode.OK if dry_run or not plan.adoptions else ExitCode.ERROR
    if not done.failed:
        return ExitCode.OK
    if done.wrote:
        return ExitCode.PARTLY_APPLIED
    return ExitCode.STALE_PLAN if done.stale else ExitCode.ERROR
