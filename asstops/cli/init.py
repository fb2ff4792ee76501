"""`asstops init`: a commented spec to start from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from asstops.cli import completing
from asstops.cli.options import format_option, global_options
from asstops.cli.run import options_of
from asstops.errors import AsstopsError, ExitCode, UsageError

_CONFLICTS_SHOWN = 5


@click.command("init")
@click.argument("template", required=False, default="", shell_complete=completing.templates)
@click.option("--list", "listing", is_flag=True, help="List the templates.")
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@format_option("json", text="How the list, or what was written, is written to stdout.")
@global_options
@click.pass_context
def command(context: click.Context, template: str, listing: bool, force: bool, form: str) -> int:
    """Write a commented spec, and the files it names, into this folder.

    Nothing that is there is overwritten. TEMPLATE is one of those that --list shows.
    """
    from difflib import get_close_matches

    from asstops import templates

    known = templates.names()
    if listing and form == "json":
        found = [{"name": n, "about": templates.about(n), "default": n == templates.DEFAULT} for n in known]
        return _as_json({"templates": found})
    if listing:
        column = max(map(len, known)) + 2
        for name in known:
            click.echo(f"{name:<{column}}{templates.about(name)}{' (default)' if name == templates.DEFAULT else ''}")
        return ExitCode.OK
    name = template or templates.DEFAULT
    if name not in known:
        near = get_close_matches(name, known, 1)
        fix = f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"
        raise UsageError(f"there is no template {name!r}", fix=fix)
    folder = options_of(context).chdir
    written = _write(folder, list(templates.files(name)), force=force)
    if form == "json":
        return _as_json({"template": name, "written": written})
    for path in written:
        click.echo(f"wrote {path}", err=True)
    click.echo("Next: asstops validate, then asstops --local apply (no Azure is needed for these two).", err=True)
    return ExitCode.OK


def _as_json(data: dict[str, Any]) -> int:
    from asstops.views.machine import FORMAT_VERSION, dumps

    click.echo(dumps({"format_version": FORMAT_VERSION, **data}), nl=False)
    return ExitCode.OK


def _write(folder: Path, files: list[tuple[str, bytes]], *, force: bool) -> list[str]:
    """Write all or nothing, as far as can be seen beforehand. Raises AsstopsError."""
    there = [path for path, content in files if (folder / path).exists() and (folder / path).read_bytes() != content]
    if there and not force:
        shown = ", ".join(there[:_CONFLICTS_SHOWN])
        more = f" and {len(there) - _CONFLICTS_SHOWN} more" if len(there) > _CONFLICTS_SHOWN else ""
        verb = "is" if len(there) == 1 else "are"
        raise AsstopsError(
            f"nothing was written: {shown}{more} {verb} there already", fix="work in another folder, or add --force"
        )
    for path, content in files:
        target = folder / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        except OSError as error:
            raise AsstopsError(
                f"{os.path.normpath(target)} cannot be written: {error.strerror}", fix="check the folder's permissions"
            ) from error
    return [path for path, _ in files]
