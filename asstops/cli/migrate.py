"""`asstops migrate`: from the Assistants API to Foundry agents, with a report of what was kept, changed and lost."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asstops.cli import concealed
from asstops.cli.options import Globals, format_option, global_options
from asstops.cli.run import options_of
from asstops.cli.terminal import Terminal
from asstops.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from asstops.cli.migrate_files import Target
    from asstops.migrate.report import Report

_PATH = click.Path(path_type=Path)


@click.command("migrate")
@click.option("--live", is_flag=True, help="Read live assistants; -f, or the environment, says where they are.")
@click.option(
    "--from", "exported", type=_PATH, metavar="PATH", help="Read JSON exported from them: a file or a folder."
)
@click.option("--assistant", "chosen", multiple=True, metavar="ID", help="Only this one, by id or name; repeatable.")
@click.option(
    "-o",
    "--out",
    "--output",
    "output",
    type=_PATH,
    metavar="PATH",
    help="Where the new spec goes: a folder, or a .yaml file.",
)
@click.option("--in-place", is_flag=True, help="Edit the spec's own files.")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@click.option("--dry-run", is_flag=True, help="Show what would be written; write nothing.")
@click.option("--strict", is_flag=True, help="Exit 1 when anything is lost.")
@click.option(
    "--resource", default="", metavar="NAME", help="Name of the new account; by default the old name and -ai."
)
@click.option("--project", default="", metavar="NAME", help="Name of the project in it; by default the stack's name.")
@click.option("--stack", default="", metavar="NAME", help="Name of the new stack.")
@format_option("json", text="How the report is written to stdout.")
@global_options
@click.pass_context
def command(
    context: click.Context,
    live: bool,
    exported: Path | None,
    chosen: tuple[str, ...],
    output: Path | None,
    in_place: bool,
    force: bool,
    dry_run: bool,
    strict: bool,
    resource: str,
    project: str,
    stack: str,
    form: str,
) -> int:
    """Turn an assistants spec, or live assistants, into an agents spec.

    Reads a spec with service: assistants (-f), live assistants (--live), or JSON that was exported while they lived
    (--from). Writes a spec with service: agents and reports, field by field, what was kept, what changed and how, and
    what was lost and why. Nothing live is touched.
    """
    options = options_of(context)
    _check_options(live, exported, chosen, output, in_place, resource or project, stack)
    done: _Done | None
    if live or exported is not None:
        done = _fresh(options, exported, chosen, output, stack)
    else:
        done = _from_spec(options, output, in_place, resource, project, stack)
        if done is None:
            click.echo("Nothing to migrate: the spec is for service: agents already.", err=True)
            return ExitCode.OK
    target, report, old = done
    from asstops.cli.migrate_check import problems, problems_before
    from asstops.cli.migrate_files import check_free, write

    fresh = live or exported is not None
    if not dry_run:
        check_free(target, force=force)
        write(target)
    if not fresh:
        check = problems_before if dry_run else problems
        report = replace(report, problems=check(options, target))
    _show(options, target, report, old, form, dry_run)
    return ExitCode.ERROR if strict and not report.is_whole else ExitCode.OK


_Done = tuple["Target", "Report", Mapping[Path, str]]


def _check_options(
    live: bool,
    exported: Path | None,
    chosen: tuple[str, ...],
    output: Path | None,
    in_place: bool,
    names: str,
    stack: str,
) -> None:
    fresh = live or exported is not None
    if live and exported is not None:
        raise UsageError("--live and --from are two sources", fix="name one")
    if fresh and in_place:
        raise UsageError("--in-place is for a spec", fix="say with -o where the new spec goes")
    if in_place and output is not None:
        raise UsageError("--in-place and -o are two places", fix="name one")
    if not fresh and chosen:
        raise UsageError("--assistant goes with --live or --from", fix="leave it out")
    if fresh and names:
        raise UsageError("--resource and --project are for a spec", fix="add resource: to the new spec instead")
    if stack:
        from asstops.spec.header import STACK

        if not STACK.fullmatch(stack):
            raise UsageError(
                "--stack is no valid name", fix="use at most 48 lower-case letters, digits and inner hyphens"
            )


def _fresh(options: Globals, path: Path | None, chosen: tuple[str, ...], output: Path | None, stack: str) -> _Done:
    """A new spec of what is read from the service or from an export."""
    from asstops.cli import migrate_files, migrate_sources
    from asstops.cli.migrate_check import tried
    from asstops.migrate.exported import named
    from asstops.migrate.fresh import from_exported

    if path is not None:
        found = migrate_sources.exported(path, options.chdir)
        source = path.as_posix() if path.name.strip(".") else (options.chdir / path).resolve().name
    else:
        found, source = migrate_sources.live(options, chosen)
    chosen = tuple(named(found.assistants, chosen))
    found.mask(concealed.redactor().value)
    folder = options.chdir / (output or migrate_files.FOLDER)
    if folder.suffix in migrate_files.YAML:
        raise UsageError("-o names a file, and the new spec comes with others", fix="name a folder")
    shown = (output or Path(migrate_files.FOLDER)).as_posix()
    made = from_exported(found, stack=stack, source=source, chosen=chosen, folder=shown)
    target = migrate_files.fresh(folder, [(item.path, item.text) for item in made.outputs])
    return target, replace(made.report, problems=tried(made, shown)), {}


def _from_spec(
    options: Globals, output: Path | None, in_place: bool, resource: str, project: str, stack: str
) -> _Done | None:
    """The spec for agents; None where it is one already."""
    from asstops.cli import migrate_files, migrate_sources
    from asstops.migrate.respec import is_for_agents, rewrite

    found = migrate_sources.spec_files(options)
    if is_for_agents(found.texts):
        return None
    overlays = [text.over for text in found.texts]
    place = options.chdir / output if output is not None else None
    if place is None and found.folders and not in_place:
        place = _sibling(found.paths[0].parent)

    def made(texts: list[str]) -> Target:
        if in_place:
            return migrate_files.in_place(
                found.paths, texts, overlays, named=[options.chdir / f for f in options.files]
            )
        if place is not None and place.suffix not in migrate_files.YAML:
            return migrate_files.into(place, found.paths, texts, overlays, whole=found.folders)
        return migrate_files.beside(found.paths, texts, overlays, place)

    named = " ".join(
        f"-f {migrate_files.shown_from(path, options.chdir)}" for path in made([text.text for text in found.texts]).spec
    )
    old = "its last version in git, and asstops destroy" if in_place else "asstops destroy of the old spec"
    new = rewrite(found.texts, resource=resource, project=project, stack=stack, spec=named, old=old)
    before = {path: text.text for path, text in zip(found.paths, found.texts, strict=True)}
    target = made(list(new.texts))
    return replace(target, old=found.paths), new.report, dict(zip(target.texts, before.values(), strict=True))


def _sibling(folder: Path) -> Path:
    from asstops.cli.migrate_files import ENDING

    whole = Path(os.path.abspath(folder))
    return whole.with_name(whole.name + ENDING)


def _show(options: Globals, target: Target, report: Report, old: Mapping[Path, str], form: str, dry_run: bool) -> None:
    from asstops.cli.migrate_files import shown_from
    from asstops.views.machine import dumps
    from asstops.views.migration import render_migration, render_texts, to_json

    texts = {shown_from(path, options.chdir): text for path, text in target.texts.items()}
    written = [*texts, *(shown_from(path, options.chdir) for path in target.copies)]
    mask = concealed.redactor()
    report = mask.value(report)
    if form == "json":
        text = dumps(mask.value(to_json(report, written, dry_run=dry_run, texts=texts if dry_run else None)))
    else:
        terminal = Terminal.for_stdout()
        before = {shown_from(path, options.chdir): text for path, text in old.items()}
        text = f"{mask.text(render_texts(texts, before))}\n" if dry_run else ""
        text += render_migration(report, written, dry_run=dry_run, color=terminal.color, width=terminal.width)
    click.echo(mask.text(text), nl=False, color=Terminal.for_stdout().color)
