"""What an object looked like, as short digests a field, and what of it has moved since. Pure.

A plan is made from what was live at one moment. Before anything is written, and before a saved plan is carried out, the
object is compared with that moment again; here stands what "the same" means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from asstops.diff import flatten, normal
from asstops.digest import canonical, short
from asstops.model import Observed, Resource
from asstops.rules import KindRules

_LENGTH = 12
_SECRET_LENGTH = 4  # no more than the mark tells of a sensitive value
MARK = "the mark of asstops"


def live_fields(
    rules: KindRules, live: Observed, gone: frozenset[str] = frozenset(), secret: frozenset[str] = frozenset()
) -> dict[str, str]:
    """Field path -> digest of what is live, the mark included.

    `gone` are ids to leave out of lists of references, `secret` the paths of sensitive values.
    """
    result = {
        path: _digest(
            normal(rules, path, _without(value, gone) if path in rules.references else value),
            _SECRET_LENGTH if path in secret else _LENGTH,
        )
        for path, value in flatten(rules, live.body).items()
    }
    mark = live.mark
    result[MARK] = _digest(
        None
        if mark is None
        else [mark.stack, mark.key, mark.generation, mark.nonce, mark.origin, mark.protect, mark.fields, mark.stored]
    )
    return result


def referred(rules: KindRules, live: Observed) -> Iterator[str]:
    """The ids in what `live_fields` takes ids out of."""
    for path in rules.references:
        value = live.body.get(path)
        yield from value if isinstance(value, (list, tuple)) else () if value is None else (value,)


def wanted_fields(resource: Resource) -> dict[str, str]:
    """Field path -> digest of what the spec wants, and "" -> digest of what is no field (`managed`, `protect` …)."""
    rest = [
        resource.owned,
        resource.remote_id,
        resource.protect,
        sorted(str(address) for address in resource.depends_on),
        sorted(resource.loose),
        resource.options,
    ]
    secret = {path.partition(".")[0] for path in resource.sensitive}
    fields = {
        path: _digest(value, _SECRET_LENGTH if path in secret else _LENGTH) for path, value in resource.body.items()
    }
    return {"": _digest(rest), **fields}


def moved(then: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """The fields that two sets of digests disagree on, sorted."""
    return tuple(sorted(path for path in {*then, *now} if then.get(path) != now.get(path)))


def _without(value: Any, gone: frozenset[str]) -> Any:
    """References without those that are gone; an empty list is the same as none."""
    if isinstance(value, (list, tuple)):
        return [item for item in value if item not in gone] or None
    return None if value in gone else value


def _digest(value: Any, length: int = _LENGTH) -> str:
    return short(f"moved\0{canonical(value)}", length)


def named(paths: Iterable[str], most: int = 5) -> str:
    """Field names for a message; many are counted."""
    names = list(paths)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
