"""Compare what was written with what the service says it stored. Pure.

A service may keep a value in another form than was sent: a default filled in, a list reordered, a number rounded.
Such a form is accepted and remembered in the mark; anything else is a result that differs from the plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asstops.diff import flatten, normal, same
from asstops.mark import path_digest, value_digest
from asstops.model import Body
from asstops.rules import KindRules


def differing(rules: KindRules, sent: Body, stored: Body, skip: frozenset[str]) -> dict[str, tuple[Any, Any]]:
    """Path -> (sent, stored) of every readable field that is not what was sent. `sent` holds ids, no Refs."""
    want, have = flatten(rules, sent), flatten(rules, stored)
    result = {}
    for path, value in want.items():
        if path in rules.unreadable or path in rules.unrecorded or path in skip:
            continue
        left, right = normal(rules, path, value), normal(rules, path, have.get(path))
        if not same(left, right):
            result[path] = (left, right)
    return result


def not_reset(rules: KindRules, sent: Body, before: Body, stored: Body, changed: frozenset[str]) -> dict[str, Any]:
    """Path -> what the service still keeps of fields that left the spec, and that it was to forget or to reset."""
    want, had, have = flatten(rules, sent), flatten(rules, before), flatten(rules, stored)
    result = {}
    for path in changed - want.keys() - rules.unreadable:
        default, left, right = (
            normal(rules, path, value) for value in (rules.defaults.get(path), had.get(path), have.get(path))
        )
        if right not in (None, "") and same(left, right) and not same(right, default):
            result[path] = right
    return result


def stored_forms(differences: Mapping[str, tuple[Any, Any]]) -> dict[str, str]:
    """What the mark notes of fields that the service keeps in another form: path digest -> digest of that form."""
    return {path_digest(path): value_digest(stored) for path, (_, stored) in differences.items()}
