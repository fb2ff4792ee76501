"""Which files make up a spec: the default name, folders, and the overlays of an environment. Reads no YAML."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asstops.errors import UsageError
from asstops.spec.nodes import Source
from asstops.spec.words import cut, listed

DEFAULT_NAMES = ("asstops.yaml", "asstops.yml")
ENV = re.compile(r"[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?")
_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class SpecFile:
    """One file of a spec and, with --env, the overlay beside it."""

    base: Source
    overlay: Source | None = None


def find_sources(files: Sequence[Path], env: str, base: Path) -> list[SpecFile]:
    """The files to read, in order. Raises UsageError when there is none, or no overlay for `env`."""
    if env and not ENV.fullmatch(env):
        raise UsageError(
            f"environment {cut(env)!r} is not a valid name",
            fix="use at most 24 lower-case letters, digits and inner hyphens, for example prod",
        )
    found: dict[Path, SpecFile] = {}
    for path in _named(files, base):
        if not path.exists():
            raise UsageError(f"there is no file {_shown(path, base)}", fix="check the path given with -f")
        if not (path.is_file() or path.is_dir()):
            raise UsageError(f"{_shown(path, base)} is neither a file nor a folder")
        for file in _folder(path, base) if path.is_dir() else [path]:
            overlay = _overlay(file, env)
            found.setdefault(
                _key(file), SpecFile(_source(file, base), _source(overlay, base) if overlay is not None else None)
            )
    specs = list(found.values())
    if env and not any(spec.overlay for spec in specs):
        _no_overlay(specs, env, base)
    return specs


def _named(files: Sequence[Path], base: Path) -> list[Path]:
    if files:
        return [base / file for file in files]
    for name in DEFAULT_NAMES:
        if (base / name).is_file():
            return [base / name]
    raise UsageError(
        f"there is no {DEFAULT_NAMES[0]} in this folder",
        fix="name a spec with -f, work in its folder with --chdir, or begin one with 'asstops init'",
    )


def _folder(folder: Path, base: Path) -> list[Path]:
    """The YAML files of a folder, sorted, without hidden ones and the overlays of those that are there."""
    try:
        names = sorted(item.name for item in folder.iterdir() if item.suffix in _SUFFIXES and item.is_file())
    except OSError as error:
        raise UsageError(f"folder {_shown(folder, base)} cannot be read: {error.strerror}") from error
    names = [name for name in names if not name.startswith(".")]
    stems = {_stem(name) for name in names}
    chosen = [folder / name for name in names if not _is_overlay(name, stems)]
    if not chosen:
        raise UsageError(f"folder {_shown(folder, base)} has no YAML file", fix="name a spec with -f FILE")
    return chosen


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def _is_overlay(name: str, stems: set[str]) -> bool:
    base, dot, env = _stem(name).rpartition(".")
    return bool(dot and base in stems and ENV.fullmatch(env))


def _overlay(file: Path, env: str) -> Path | None:
    if not env:
        return None
    for suffix in (file.suffix, *_SUFFIXES):
        candidate = file.with_name(f"{file.stem}.{env}{suffix}")
        if candidate.is_file():
            return candidate
    return None


def _no_overlay(specs: Sequence[SpecFile], env: str, base: Path) -> None:
    known: set[str] = set()
    for spec in specs:
        stem = spec.base.path.stem + "."
        for item in spec.base.path.parent.iterdir():
            name = item.stem.removeprefix(stem)
            if item.suffix in _SUFFIXES and item.stem.startswith(stem) and ENV.fullmatch(name):
                known.add(name)
    first = specs[0].base.path
    wanted = _shown(first.with_name(f"{first.stem}.{env}{first.suffix}"), base)
    raise UsageError(
        f"there is no environment {env!r}: no file {wanted}",
        fix=f"environments that are there: {listed(sorted(known))}" if known else f"write {wanted}, or leave out --env",
    )


def _key(file: Path) -> Path:
    return Path(os.path.abspath(file))


def _source(file: Path, base: Path) -> Source:
    return Source(file, _shown(file, base))


def _shown(file: Path, base: Path) -> str:
    """The path as a reader knows it: from `base` when it is in there."""
    try:
        return Path(os.path.abspath(file)).relative_to(os.path.abspath(base)).as_posix() or "."
    except ValueError:
        return file.as_posix()
