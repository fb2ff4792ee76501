"""What a spec comes to: a Stack of wanted Resources. A value; reads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from asstops.errors import Location, Problem
from asstops.model import Address, Resource
from asstops.moves import Moves

if TYPE_CHECKING:
    from asstops.expectations import SmokeTest
    from asstops.spec.scalars import Value


@dataclass(frozen=True, slots=True)
class BlobLock:
    """Where the lock of a team is: the address of a storage account's blobs, and a container in it."""

    account_url: str
    container: str


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything one spec owns or refers to.

    `identity` is `name`, or `name/env` with --env. `origin` says which repository and path the spec came from, "" when
    unknown. `root` is the folder of the first spec file. `resources` is sorted by address; `account` is the `resource`
    entry among them, `project` the project in it. `secrets` are values of sensitive variables, to be masked wherever
    they appear. `lock` is None for the local lock. `moves` maps addresses of before to the next ones. `tests` are in
    the order of the spec. `variables` are the values that did not come from the spec itself, sensitive ones left out.
    `location` is where the spec names the stack, for problems that have no place of their own.
    """

    name: str
    env: str
    service: str
    identity: str
    origin: str
    root: Path
    files: tuple[Path, ...]
    resources: Mapping[Address, Resource] = field(repr=False)  # values of sensitive variables stand in it
    account: Resource | None = field(repr=False)
    warnings: tuple[Problem, ...]
    secrets: frozenset[str] = field(repr=False)
    project: Resource | None = field(default=None, repr=False)
    lock: BlobLock | None = None
    moves: Moves = field(default_factory=dict)
    tests: tuple[SmokeTest, ...] = field(default=(), repr=False)
    location: Location | None = field(default=None, compare=False)
    variables: Mapping[str, Value] = field(default_factory=dict)
