"""`asstops export`: write a spec of what is live."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asstops.cli import concealed
from asstops.cli.options import Globals, format_option, global_options
from asstops.cli.run import opened, options_of, without_spec
from asstops.cli.terminal import Terminal
from asstops.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from asstops.cli.migrate_files import Target
    from asstops.export.account import Place
    from asstops.export.live import Live
    from asstops.export.report import After, Exported
    from asstops.model import Observed
    from asstops.providers.session import Session
    from asstops.providers.settings import Settings
    from asstops.spec import Stack

SERVICES = ("agents", "assistants")


@click.command("export")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    default=".",
    show_default=True,
    metavar="DIR",
    help="Folder for the spec and the files that it names.",
)
@click.option("--stack", default="", metavar="NAME", help="Name of the stack; by default that of the project.")
@click.option("--service", type=click.Choice(SERVICES), help="What to read, where no spec is named with -f.")
@click.option("--account", is_flag=True, help="Own the account and the project as well; the spec of -f names them.")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@click.option("--dry-run", is_flag=True, help="Show what would be written; write nothing.")
@click.option("--strict", is_flag=True, help="Exit 1 when the spec cannot say something.")
@format_option("json", text="How the report is written to stdout.")
@global_options
@click.pass_context
def command(
    context: click.Context,
    ids: tuple[str, ...],
    out: Path,
    stack: str,
    service: str | None,
    account: bool,
    force: bool,
    dry_run: bool,
    strict: bool,
    form: str,
) -> int:
    """Write a spec of what is live: assistants or agents, vector stores, their files, deployments.

    Of everything that belongs to no stack, or of the objects named (by id, by name, or as KIND.ID) and of what they
    need. -f names a spec that says where to look, else the environment does. Nothing live is touched: the
    report ends with the commands that adopt what was exported, after which a plan says No changes.
    """
    options = options_of(context)
    _check(options, stack, out, account=account)
    from asstops.cli.migrate_files import Target, check_free, fresh, write
    from asstops.export.report import After

    with _place(options, service) as where:
        exported, live = _exported(where, ids, stack, own=account)
        if not exported.items:
            _show(options, out, Target({}, {}, ()), exported, After(), form, dry_run)
            return ExitCode.ERROR if strict and exported.lost else ExitCode.OK
        target = fresh(options.chdir / out, [(item.path, item.text) for item in exported.outputs])
        if not dry_run:
            check_free(target, force=force)
        after = _after(options, out, exported, live, where.session)
    if not dry_run:
        write(target)
    _show(options, out, target, exported, after, form, dry_run)
    whole = not exported.lost and not after.problems and not after.refused
    return ExitCode.ERROR if strict and not whole else ExitCode.OK


@dataclass(frozen=True, slots=True)
class _Where:
    """The way to what is live, and the spec that told it, if one did."""

    session: Session
    stack: Stack | None = None


def _check(options: Globals, stack: str, out: Path, *, account: bool) -> None:
    from asstops.cli.migrate_files import YAML
    from asstops.spec.header import STACK

    if stack and not STACK.fullmatch(stack):
        raise UsageError("--stack is no valid name", fix="use at most 48 lower-case letters, digits and inner hyphens")
    if out.suffix in YAML:
        raise UsageError("--out names a file, and the spec comes with others", fix="name a folder")
    if account and not options.files:
        raise UsageError("--account is for an account that a spec names", fix="name a spec with resource: with -f")


@contextmanager
def _place(options: Globals, service: str | None) -> Iterator[_Where]:
    """Where the spec of -f says, else where the environment says."""
    if not options.files:
        with without_spec(options, lambda settings: service or _service_of(settings), "export") as session:
            yield _Where(session)
        return
    with opened(options) as run:
        if service not in (None, run.stack.service):
            raise UsageError(f"the spec is for service: {run.stack.service}", fix="leave --service out")
        yield _Where(run.session, run.stack)


def _service_of(settings: Settings) -> str:
    """The service of the one endpoint that the environment names; where that is not told, agents."""
    return "assistants" if settings.endpoint and not settings.project_endpoint else "agents"


def _exported(where: _Where, ids: tuple[str, ...], name: str, *, own: bool) -> tuple[Exported, Live]:
    from asstops.export.choice import choose
    from asstops.export.compose import compose
    from asstops.export.live import read_live, with_attached
    from asstops.export.stack_name import stack_name

    session, spec = where.session, where.stack
    live = read_live(session, spec.account if spec else None, spec.project if spec else None)
    choice = choose(live, ids)
    live = with_attached(session, live, [store.remote_id for store in choice.stores])
    shown, masked = _masked(live)
    choice = choose(shown, ids)
    place = _account(spec, shown, own=own)
    named = [item.remote_id for item in ((place.project, place.account) if place else ()) if item is not None]
    exported = compose(
        shown,
        choice,
        service=session.service,
        stack=stack_name(name, named, session.endpoint, live.stacks),
        source=session.endpoint or "an account that has no endpoint yet",
        place=place,
    )
    told = [f"a secret of this environment or of the spec stood in {ident} and is masked" for ident in masked]
    return replace(exported, notices=(*exported.notices, *told)), live


def _masked(live: Live) -> tuple[Live, list[str]]:
    """The same without secrets in what goes into files, and the ids of what had some."""
    mask, found = concealed.redactor(), list[str]()

    def clean(item: Observed) -> Observed:
        body = mask.value(item.body)
        if body == item.body:
            return item
        found.append(item.remote_id)
        return replace(item, body=body, name=mask.text(item.name))

    objects = {kind: [clean(item) for item in items] for kind, items in live.objects.items()}
    return replace(live, objects=objects), found


def _account(spec: Stack | None, live: Live, *, own: bool) -> Place | None:
    from asstops.cli.local import DEFAULT_SUBSCRIPTION
    from asstops.export.account import Place

    found = live.of("resource")
    if spec is None or spec.account is None or not found:
        if own:
            raise UsageError("--account: the spec of -f names no account that is there", fix="leave --account out")
        return None
    options = spec.account.options
    subscription = str(options["subscription_id"] or "")
    known = os.environ.get("AZURE_SUBSCRIPTION_ID") or DEFAULT_SUBSCRIPTION  # the latter is that of --local
    project = spec.project.address.key if spec.project is not None else ""
    return Place(
        resource_group=str(options["resource_group"]),
        subscription_id="" if subscription == known else subscription,
        account=found[0],
        project=live.by_id("project").get(project),
        own=own,
    )


def _after(options: Globals, out: Path, exported: Exported, live: Live, session: Session) -> After:
    """Read the new spec back, and plan on what is live as if all of it were adopted."""
    import tempfile

    from asstops.cli.migrate_check import read_back, renamed
    from asstops.cli.migrate_files import fresh, write
    from asstops.errors import SpecInvalid
    from asstops.export.after import after
    from asstops.export.report import After
    from asstops.workflow import target_of

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        target = fresh(folder, [(item.path, item.text) for item in exported.outputs])
        write(target)
        try:
            stack = read_back(Globals(chdir=folder, local=options.local), target.spec)
        except SpecInvalid as error:
            return After(problems=renamed(error.problems, lambda file: (out / file).as_posix()))
        found = after(exported, live, stack.resources, session.service.rules, target_of(stack, session))
    return replace(found, refused=renamed(found.refused, lambda file: (out / file).as_posix()))


def _show(
    options: Globals, out: Path, target: Target, exported: Exported, after: After, form: str, dry_run: bool
) -> None:
    from asstops.cli.migrate_files import shown_from
    from asstops.views.export import render_export, to_json
    from asstops.views.machine import dumps
    from asstops.views.migration import render_texts

    texts = {shown_from(path, options.chdir): text for path, text in target.texts.items()}
    mask = concealed.redactor()
    exported, after = mask.value(exported), mask.value(after)
    steps = _steps(options, out, after) if exported.items else []
    if form == "json":
        data = to_json(exported, after, list(texts), steps, dry_run=dry_run, texts=texts if dry_run else None)
        text = dumps(mask.value(data))
    else:
        terminal = Terminal.for_stdout()
        text = f"{mask.text(render_texts(texts, {}))}\n" if dry_run else ""
        text += render_export(
            exported, after, list(texts), steps, dry_run=dry_run, color=terminal.color, width=terminal.width
        )
    click.echo(mask.text(text), nl=False, color=Terminal.for_stdout().color)


def _steps(options: Globals, out: Path, after: After) -> list[str]:
    """The commands that come next, in order, as they can be typed where this one was."""
    words = ["asstops"]
    if options.chdir != Path("."):
        words += ["--chdir", options.chdir.as_posix()]
    if options.local:
        words.append("--local")
    if out != Path("."):
        words += ["-f", out.as_posix()]
    trust = ["--trust-content"] if after.trust else []
    match = ["--match", "name"] if after.by_name else []
    pairs = [word for address, ident in after.by_id.items() for word in (str(address), ident)]
    adopt = [*words, "adopt", *trust, *match, *pairs]
    return [shlex.join(step) for step in (*([adopt] if match or pairs else []), [*words, "plan"])]
