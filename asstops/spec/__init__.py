"""From YAML files to a validated Stack of Resources: offline, without a credential, writing nothing.

The steps: sources (which files) -> yaml_reader (node trees that know their positions) -> merge (documents, overlays)
-> variables -> credentials -> validate (each entry against its kind's model) -> context (paths, globs, references)
-> loader (the Stack). Problems are collected along the way and raised together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from asstops.model import Address, Resource
from asstops.spec.stack import Stack

if TYPE_CHECKING:
    from asstops.hashcache import HashCache
    from asstops.spec.scalars import Value

_NONE: Mapping[str, str] = MappingProxyType({})
_NO_VALUES: Mapping[str, Value] = MappingProxyType({})
_AS_THEY_ARE: Mapping[Path, bytes] = MappingProxyType({})


def load(
    files: Sequence[Path] = (),
    *,
    env: str = "",
    variables: Mapping[str, str] = _NONE,
    var_files: Sequence[Path] = (),
    environ: Mapping[str, str] = _NONE,
    base: Path = Path("."),
    allow_outside: bool = False,
    pinned: Mapping[str, Value] = _NO_VALUES,
    instead: Mapping[Path, bytes] = _AS_THEY_ARE,
) -> Stack:
    """Read and check a spec.

    `files` are files or folders, `asstops.yaml` in `base` when empty. Raises SpecInvalid with every problem found, and
    UsageError when there is no spec file or no such environment. File contents are not hashed: see `hash_files`.
    `pinned` are values of variables that a saved plan brings; they come before all others. `instead` holds, by absolute
    path, what the YAML files that are there are taken to contain.
    """
    from asstops.spec.loader import load_stack

    return load_stack(
        files,
        env=env,
        variables=variables,
        var_files=var_files,
        environ=environ,
        base=base,
        allow_outside=allow_outside,
        pinned=pinned,
        instead=instead,
    )


def hash_files(resources: Mapping[Address, Resource], cache: HashCache | None = None) -> dict[Address, Resource]:
    """The same resources with every FileSource's `sha256` filled in; each file is read once.

    With `cache` only those are read that it does not know, and it knows them from then on. Raises SpecInvalid naming
    every file that cannot be read or changed since `load`.
    """
    from asstops.spec.hashing import hash_sources

    return hash_sources(resources, cache)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a spec document, for editors."""
    from asstops.spec.editor_schema import document_schema

    return document_schema()


__all__ = ["Stack", "hash_files", "json_schema", "load"]
