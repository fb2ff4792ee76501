"""What a shell offers while somebody types: addresses, assistants and kinds of the spec that the line names so far.

Reads the spec offline. Whatever is wrong with it, nothing is offered and nothing is said: the command will tell.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from asstops.spec import Stack


def addresses(context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The addresses of the spec that go on from `begun`."""
    return _going_on(begun, map(str, _addresses(context)))


def addresses_or_files(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Addresses; files too, which the shell itself looks up."""
    from click.shell_completion import CompletionItem

    found = [CompletionItem(address) for address in addresses(context, parameter, begun)]
    return [*found, CompletionItem(begun, type="file")]


def assistants(context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The keys of assistants; addresses, once `begun` looks like one."""
    found = [address for address in _addresses(context) if address.kind == "assistant"]
    return _going_on(begun, (a.key for a in found)) or _going_on(begun, map(str, found))


def fields(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The keys of a spec, as `explain` takes them: one more level than `begun` has."""
    from asstops import services
    from asstops.spec.explain import NoSuchField, explain

    parent, dot, _ = begun.rpartition(".")
    try:
        keys = {entry.name for entry in explain(parent).lines}
    except NoSuchField:
        return []
    kinds = set() if dot else {kind for service in services.every() for kind in service.kinds}
    return _going_on(begun, (f"{parent}{dot}{key}" for key in keys | kinds))


def tests(context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The smoke tests of the spec."""
    stack = _stack(context)
    return _going_on(begun, (test.name for test in stack.tests) if stack is not None else ())


def environments(context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """Each NAME that a file <name>.NAME.yaml stands for, beside the spec."""
    files, _, folder, _ = _named(context)
    bases = [folder / file for file in files or [Path("asstops.yaml")]]
    found = (path for base in bases if base.suffix for path in base.parent.glob(f"{base.stem}.*{base.suffix}"))
    return _going_on(begun, {path.name.split(".")[-2] for path in found})


def templates(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """What `init` can write."""
    from asstops.templates import names

    return _going_on(begun, names())


def _going_on(begun: str, words: Iterable[str]) -> list[str]:
    return sorted(word for word in words if word.startswith(begun))


def _addresses(context: click.Context) -> Iterable[Any]:
    stack = _stack(context)
    return stack.resources if stack is not None else ()


def _stack(context: click.Context) -> Stack | None:
    """The spec that the options typed so far name; None when it cannot be read as it is."""
    from asstops import spec
    from asstops.cli.local import without_azure

    files, env, folder, outside = _named(context)
    try:
        environ = without_azure(os.environ)
        return spec.load(files, env=env, environ=environ, base=folder, allow_outside=outside)
    except Exception:
        return None


def _named(context: click.Context) -> tuple[list[Path], str, Path, bool]:
    """What -f, --env, --chdir and --allow-outside said so far."""
    files: list[Path] = []
    env, folder, outside = "", Path(), False
    step: click.Context | None = context
    while step is not None:  # options may stand before the command's name
        given = step.params
        files = [*(given.get("files") or ()), *files]
        env = env or given.get("env") or ""
        folder = (given.get("chdir") or Path()) / folder
        outside = outside or bool(given.get("allow_outside"))
        step = step.parent
    return files, env, folder, outside
