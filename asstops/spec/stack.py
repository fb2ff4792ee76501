"""What a spec comes to: a Stack of wanted Resources. A value; reads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from asstops.errors import Problem
from asstops.model import Address, Resource


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything one spec owns or refers to.

    `identity` is `name`, or `name/env` with --env. `origin` says which repository and path the spec came from, "" when
    unknown. `root` is the folder of the first spec file. `resources` is sorted by address; `account` is the `resource`
    entry among them. `secrets` are the values of sensitive variables, to be masked wherever they appear.
    """

    name: str
    env: str
    service: str
    identity: str
    origin: str
    root: Path
    files: tuple[Path, ...]
    resources: Mapping[Address, Resource]
    account: Resource | None
    warnings: tuple[Problem, ...]
    secrets: frozenset[str]
