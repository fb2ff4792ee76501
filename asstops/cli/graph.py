"""`asstops graph`: what refers to what, as text, as JSON, or as a picture."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asstops.cli import concealed
from asstops.cli.options import Globals, format_option, global_options
from asstops.cli.run import load_stack, options_of
from asstops.cli.terminal import Terminal
from asstops.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from asstops.model import Plan, Target
    from asstops.views.graphs import Links


@click.command("graph")
@click.argument("planfile", metavar="[PLANFILE]", required=False, type=click.Path(path_type=Path))
@format_option("mermaid", "dot", "svg", "json", text="How it is written to stdout; human is a tree.")
@global_options
@click.pass_context
def command(context: click.Context, planfile: Path | None, form: str) -> int:
    """Show which objects refer to which.

    Without PLANFILE, what the spec says; needs no network, no credential. PLANFILE is what 'asstops plan -o FILE'
    saved: what it does with each object is shown too, and nothing else is read.
    """
    from asstops.views.text import encodable

    options = options_of(context)
    target, links, plan = _of_spec(options) if planfile is None else _of_plan(options, planfile)
    text = _written(target, links, plan, form)
    terminal = Terminal.for_stdout()
    click.echo(encodable(text, sys.stdout.encoding), nl=False, color=terminal.color)
    return ExitCode.OK


def _of_spec(options: Globals) -> tuple[Target, Links, None]:
    from asstops.cli.validate import NOWHERE
    from asstops.model import Target
    from asstops.views.graphs import find_links

    # Offline means without an account too, as for validate.
    environ = {"AZURE_SUBSCRIPTION_ID": NOWHERE, "AZURE_TENANT_ID": NOWHERE, **os.environ}
    stack = load_stack(options, environ)
    return Target(stack.identity, stack.service), concealed.redactor().value(find_links(stack.resources)), None


def _of_plan(options: Globals, planfile: Path) -> tuple[Target, Links, Plan]:
    from asstops.cli import saved as plan_files

    if options.files or options.env or options.variables or options.var_files:
        raise UsageError("a saved plan has its own spec and variables", fix="leave out -f, --env, --var and --var-file")
    saved = plan_files.read(options.chdir / planfile)
    return saved.plan.target, saved.links, saved.plan


def _written(target: Target, links: Links, plan: Plan | None, form: str) -> str:
    from asstops.views.graphs import picture

    if form == "json":
        from asstops.views.graphs.data import graph_to_json
        from asstops.views.machine import dumps

        return dumps(graph_to_json(links, stack=target.stack, service=target.service, plan=plan))
    from asstops.views.text import safe

    shown = picture(links, plan, title=f"stack {safe(target.stack)} · {safe(target.service)}")
    if form == "mermaid":
        from asstops.views.graphs.mermaid import render_mermaid

        return render_mermaid(shown)
    if form == "dot":
        from asstops.views.graphs.dot import render_dot

        return render_dot(shown)
    if form == "svg":
        from asstops.views.graphs.svg import render_svg

        return render_svg(shown)
    from asstops.views.graphs.tree import render_tree

    terminal = Terminal.for_stdout()
    return render_tree(shown, width=terminal.width, color=terminal.color)
