"""The name of the new stack: that of the place, unless a stack that is there has it. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

from asstops.errors import UsageError
from asstops.migrate.naming import key_from
from asstops.migrate.stack_name import MAX_NAME

ENDING = "-export"


def stack_name(given: str, places: Sequence[str], endpoint: str, taken: Collection[str]) -> str:
    """The `given` name, else one made of the first of `places` (names of the project, the account), or of the endpoint.

    Raises UsageError for a given name that is among the `taken`, and where there is nothing to make one of.
    """
    if given in taken:
        raise UsageError(
            f"a stack {given} is there already, and two of one name would take each other's objects",
            fix="choose another name with --stack",
        )
    if given:
        return given
    found = (key_from(name)[:MAX_NAME].strip("-") for name in (*places, _of(endpoint)))
    base = next((name for name in found if name), "")
    if not base:
        raise UsageError("nothing here gives the new stack a name", fix="add --stack NAME")
    name, number = base, 1
    while name in taken:
        ending = ENDING if number == 1 else f"{ENDING}-{number}"
        name, number = base[: MAX_NAME - len(ending)].rstrip("-") + ending, number + 1
    return name


def _of(endpoint: str) -> str:
    """The project that an endpoint names, else the account: the first part of a host that is no bare address."""
    parts = urlsplit(endpoint)
    if project := re.search(r"/api/projects/([^/]+)", parts.path):
        return project[1]
    label, dot, rest = (parts.hostname or "").partition(".")
    return label if dot and re.search("[a-z]", rest) else ""
