"""What `asstops validate` will say of a spec that `asstops migrate` made, whether it is written yet or not."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from asstops.cli import concealed
from asstops.cli.migrate_files import Target, fresh, shown_from, write
from asstops.cli.options import Globals
from asstops.errors import Location, Problem, SpecInvalid, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asstops.migrate.fresh import Migration
    from asstops.spec import Stack

_AS_THEY_ARE: Mapping[Path, bytes] = MappingProxyType({})


def problems(options: Globals, target: Target) -> tuple[Problem, ...]:
    """Of a spec that is written."""
    return _problems(options, target.spec)


def problems_before(options: Globals, target: Target) -> tuple[Problem, ...]:
    """Of a spec that would be written; its files and places are named as they will be."""
    if any(_whole(path).parent != _whole(old).parent for path, old in zip(target.texts, target.old, strict=True)):
        return _in_a_folder(options, target)
    new = {path: text.encode() for path, text in zip(map(_whole, target.old), target.texts.values(), strict=True)}
    becomes = dict(zip(map(_whole, target.texts), target.old, strict=True))
    spec = [becomes.get(_whole(path), path) for path in target.spec]
    names = {
        shown_from(old, options.chdir): shown_from(path, options.chdir)
        for path, old in zip(target.texts, target.old, strict=True)
    }
    return renamed(_problems(options, spec, instead=new), lambda file: names.get(file, file))


def tried(made: Migration, shown: str) -> tuple[Problem, ...]:
    """Of a new spec for the folder `shown`, with something in the place of the files that a person puts there."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        standing = [(item.path, "stand-in\n") for item in made.report.missing]
        target = fresh(folder, [*((item.path, item.text) for item in made.outputs), *standing])
        write(target)
        return renamed(_problems(Globals(chdir=folder), target.spec), lambda file: f"{shown}/{file}")


def _in_a_folder(options: Globals, target: Target) -> tuple[Problem, ...]:
    """All of it in a folder that goes away again, with the copies of what it names."""
    assert target.root is not None
    root, shown = _whole(target.root), shown_from(target.root, options.chdir)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()

        def there(path: Path) -> Path:
            return folder / os.path.relpath(_whole(path), root)

        copies = {there(path): source for path, source in target.copies.items()}
        spec = tuple(map(there, target.spec))
        write(Target({there(path): text for path, text in target.texts.items()}, copies, spec, folder))
        found = _problems(options, spec, base=folder)
    return renamed(found, lambda file: f"{shown}/{file}")


def read_back(
    options: Globals, spec: Sequence[Path], *, base: Path | None = None, instead: Mapping[Path, bytes] = _AS_THEY_ARE
) -> Stack:
    """A spec that was just made, as the next command will read it; a subscription is not needed for that."""
    from asstops.cli.validate import NOWHERE
    from asstops.spec import load

    environ = {"AZURE_SUBSCRIPTION_ID": NOWHERE, "AZURE_TENANT_ID": NOWHERE, **os.environ}
    return load(
        [_whole(path) for path in spec],
        env=options.env,
        variables=options.variables,
        var_files=[_whole(options.chdir / file) for file in options.var_files],
        environ=environ,
        base=base or options.chdir,
        allow_outside=options.allow_outside,
        instead=instead,
    )


def _problems(
    options: Globals, spec: Sequence[Path], *, base: Path | None = None, instead: Mapping[Path, bytes] = _AS_THEY_ARE
) -> tuple[Problem, ...]:
    try:
        concealed.learn(read_back(options, spec, base=base, instead=instead).secrets)
    except SpecInvalid as error:
        return error.problems
    except UsageError as error:
        return (Problem(error.message, fix=error.fix),)
    return ()


def renamed(found: tuple[Problem, ...], name: Callable[[str], str]) -> tuple[Problem, ...]:
    """The same with other names of files, in the order that those have."""
    named = (
        replace(item, location=replace(item.location, file=name(item.location.file)))
        if isinstance(item.location, Location)
        else item
        for item in found
    )
    return tuple(sorted(named, key=Problem.sort_key))


def _whole(path: Path) -> Path:
    return Path(os.path.abspath(path))
