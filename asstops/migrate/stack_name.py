"""The name of the new stack: the old one's, or another where both could be applied at one and the same place. Pure.

Foundry classic and agents share a project's endpoint, and there two stacks of one name take each other's files, vector
stores and record for their own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from asstops.errors import UsageError
from asstops.migrate.edits import Edited
from asstops.migrate.exported import Exported
from asstops.migrate.report import Ledger
from asstops.spec.spans import Spot

SECTION = "stack"
ENDING = "-agents"
MAX_NAME = 48  # as `asstops.spec.header` has it
OTHERWISE = "migrated"
_WHY = "at one project's endpoint two stacks of one name would take each other's files and vector stores"
_FIX = "choose another with --stack NAME"


def named_anew(stack: str, taken: Collection[str] = ()) -> str:
    """The name and -agents, at most 48 characters; numbered where that is the name itself or among the `taken`."""
    ending, number = ENDING, 1
    while True:
        name = stack[: MAX_NAME - len(ending)].rstrip("-") + ending
        if name != stack and name not in taken:
            return name
        number += 1
        ending = f"{ENDING}-{number}"


def rename(bases: Sequence[Edited], overlays: Sequence[Edited], ledger: Ledger, *, given: str, shared: bool) -> str:
    """Give the stack of a spec its name, in overlays too, and return it.

    It stays as it is unless one is `given` or the place is `shared`. Raises UsageError for a given name that is the old
    one where it must not be.
    """
    found = [(item, spot) for item in bases for spot in _stacks(item)]
    over = [(item, spot) for item in overlays for spot in _stacks(item)]
    old = next((spot.text for _, spot in found or over), "")
    if given and shared and given in {spot.text for _, spot in (*found, *over)}:
        raise _same_name(given)
    if not given and not shared:
        if found or over:
            ledger.kept(SECTION, SECTION)
        return old
    new = old
    for item, spot in (*found, *over):
        name = given if given and (not found or (item, spot) in found) else ""
        made = _set(item, spot, name)
        new = made if (item, spot) == (found or over)[0] else new
        told = f"{spot.text} is {made} now" + (f": {_WHY}" if shared else "")
        ledger.changed(SECTION, SECTION, told, "" if given else _FIX, item.at(spot))
    return new


def _set(item: Edited, spot: Spot, name: str) -> str:
    if not name and "${" in spot.text:
        item.append(spot, ENDING)
        return spot.text + ENDING
    name = name or named_anew(spot.text)
    item.set(spot, name)
    return name


def _stacks(item: Edited) -> list[Spot]:
    found = (root.at(SECTION) for root in item.documents)
    return [spot for spot in found if spot is not None and spot.entries is None and spot.text]


def for_what_was_read(exported: Exported, given: str) -> str:
    """The name for a new spec of what a service holds: not that of a stack which owns some of it.

    Raises UsageError for a given name that is one of those.
    """
    owners = _owners(exported)
    if given in owners:
        raise _same_name(given)
    if given:
        return given
    if len(owners) == 1:
        return named_anew(owners[0])
    return OTHERWISE if OTHERWISE not in owners else named_anew(OTHERWISE, owners)


def _owners(exported: Exported) -> list[str]:
    """The stacks whose mark is on an assistant or a vector store."""
    found: dict[str, None] = {}
    for item in (*exported.assistants.values(), *exported.stores.values()):
        metadata = item.get("metadata")
        mark = metadata.get("asstops") if isinstance(metadata, dict) else None
        parts = mark.split(" ") if isinstance(mark, str) else []
        if len(parts) > 2:
            found[parts[1].partition("/")[0]] = None
    return list(found)


def _same_name(name: str) -> UsageError:
    return UsageError(f"{name} is the name of the old stack: {_WHY}", fix="choose another name with --stack")
