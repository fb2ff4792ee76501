"""`asstops completion`: the script that lets a shell complete commands and options."""

from __future__ import annotations

import click

from asstops.errors import ExitCode

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> int:
    """Print the completion script for a shell.

    \b
    bash:  asstops completion bash > ~/.local/share/bash-completion/completions/asstops
    zsh:   asstops completion zsh > "${fpath[1]}/_asstops"
    fish:  asstops completion fish > ~/.config/fish/completions/asstops.fish
    """
    from click.shell_completion import get_completion_class

    from asstops.cli.main import main

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"there is no completion for {shell}")
    script = kind(main, {}, "asstops", "_ASSTOPS_COMPLETE")
    click.echo(script.source_template % script.source_vars())
    return ExitCode.OK
