"""Which roles are missing, from what the caller may do. Pure.

What is wanted of a role: https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations; an
action is allowed when an assignment has it and does not take it out. Deny assignments do not show in the answer.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from asstops.checks.facts import Permission
from asstops.checks.findings import Finding, State, Topic, Unread, listed, unverified


@dataclass(frozen=True, slots=True)
class Need:
    """An action that an apply takes: what it is for, the role that suffices (as shown, as named) and where."""

    action: str
    what: str
    role: str
    named: str
    scope: str
    data: bool = False


_ARM = {  # kinds in Resource Manager, with the action that makes or changes one
    "resource": ("accounts/write", "make and change the account"),
    "project": ("accounts/projects/write", "make and change projects"),
    "deployment": ("accounts/deployments/write", "make and change deployments"),
}


def needs(
    kinds: Iterable[str],
    *,
    scope: str,
    role: tuple[str, str],
    data_scope: str,
    data_role: tuple[str, str],
    data_actions: Sequence[str],
) -> list[Need]:
    """What writing objects of these kinds takes. `role` and `data_role` are as shown and as named."""
    found = list(dict.fromkeys(kinds))
    result = [
        Need(f"Microsoft.CognitiveServices/{_ARM[kind][0]}", _ARM[kind][1], *role, scope)
        for kind in _ARM
        if kind in found
    ]
    if any(kind not in _ARM for kind in found):
        what = "make and change assistants, files and vector stores"
        result += [Need(action, what, *data_role, data_scope, data=True) for action in data_actions]
    return result


def may(permissions: Iterable[Permission], need: Need) -> bool:
    """True when some assignment allows it."""
    for held in permissions:
        given, taken = (held.data_actions, held.not_data_actions) if need.data else (held.actions, held.not_actions)
        if _any(given, need.action) and not _any(taken, need.action):
            return True
    return False


def check(
    needs: Sequence[Need], permissions: Mapping[str, tuple[Permission, ...] | Unread], who: str
) -> Iterator[Finding]:
    """One finding for each role and scope. `who` is the caller's object id, "" when not known."""
    by_role: dict[tuple[str, str, str], list[Need]] = {}
    for need in needs:
        by_role.setdefault((need.scope, need.role, need.named), []).append(need)
    for (scope, role, named), wanted in by_role.items():
        what = listed([need.what for need in wanted], 10)
        held = permissions.get(scope)
        if held is None or isinstance(held, Unread):
            yield unverified(Topic.ROLES, f"whether you may {what}", held or Unread("it was not asked"))
            continue
        missing = [need for need in wanted if not may(held, need)]
        if not missing:
            yield Finding(Topic.ROLES, State.OK, f"you may {what}")
            continue
        cannot = listed([need.what for need in missing], 10)
        actions = listed([need.action for need in missing], 10)
        yield Finding(
            Topic.ROLES,
            State.PROBLEM,
            f"you may not {cannot}: the role {role} is missing ({actions})",
            fix=f"{assign(named, scope, who)}   (it takes some minutes to work)",
        )


def assign(named: str, scope: str, who: str) -> str:
    """The command that assigns a role, to be run by somebody who may."""
    return (
        f"az role assignment create --role {shlex.quote(named)} --assignee {who or 'YOU'} --scope {shlex.quote(scope)}"
    )


def _any(patterns: Iterable[str], action: str) -> bool:
    return any(_matches(pattern.lower(), action.lower()) for pattern in patterns)


def _matches(pattern: str, action: str) -> bool:
    """`*` stands for any text. Part by part, since a regular expression of many stars may take for ever."""
    first, *parts = pattern.split("*")
    if not parts:
        return pattern == action
    *middle, last = parts
    if not action.startswith(first) or not action.endswith(last) or len(action) < len(first) + len(last):
        return False
    at, end = len(first), len(action) - len(last)
    for part in middle:
        found = action.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
