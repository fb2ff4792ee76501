"""Where each key and value of a YAML file begins and ends, for those who edit a spec and leave the rest as it is.

Only for files that `yaml_reader` has taken: it is what bounds depth and size.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True, eq=False)
class Spot:
    """A value: `start` and `end` are offsets in the text, comments and line ends after it left out.

    A map has `entries`, a list `items`, both in the order of the text; `keys` are the spots of a map's keys. `flow`
    tells `{a: 1}` from block style, and for scalars `style` is the quote or the sign of a block, "" for none.
    """

    start: int
    end: int
    flow: bool = False
    style: str = ""
    text: str = ""
    entries: dict[str, Spot] | None = None
    keys: dict[str, Spot] = field(default_factory=dict)
    items: list[Spot] | None = None

    def at(self, *path: str) -> Spot | None:
        """What stands under a path of keys, None for nothing."""
        spot: Spot | None = self
        for key in path:
            spot = spot.entries.get(key) if spot is not None and spot.entries is not None else None
        return spot


def spots(text: str) -> list[Spot]:
    """The root of each document of a file that is sound YAML."""
    made: dict[int, Spot] = {}
    return [_spot(node, text, made) for node in yaml.compose_all(text, Loader=_Loader) if node is not None]


def _spot(node: Any, text: str, made: dict[int, Spot]) -> Spot:
    """An alias is the very spot that its anchor is, so that nothing is edited twice."""
    if id(node) in made:
        return made[id(node)]
    spot = made[id(node)] = Spot(node.start_mark.index, node.end_mark.index)
    if isinstance(node, yaml.ScalarNode):
        spot.style, spot.text = node.style or "", node.value
        if spot.style in ("|", ">"):
            spot.end = spot.start + len(text[spot.start : spot.end].rstrip())
        return spot
    spot.flow = bool(node.flow_style)
    if isinstance(node, yaml.MappingNode):
        spot.entries = {}
        for key, value in node.value:
            where, inner = _spot(key, text, made), _spot(value, text, made)
            spot.keys[where.text], spot.entries[where.text] = where, inner
            if not spot.flow:
                spot.end = max(where.end, inner.end if inner.start >= where.start else 0)
        _merge(spot)
    else:
        spot.items = [_spot(item, text, made) for item in node.value]
        if not spot.flow and spot.items:
            spot.end = max(item.end for item in spot.items)
    return spot


def _merge(spot: Spot) -> None:
    """Let `<<` bring what the map does not have itself; the spots stay those of the map that it comes from."""
    assert spot.entries is not None
    merged = spot.entries.pop("<<", None)
    for other in (merged.items or [merged]) if merged is not None else ():
        for key, inner in (other.entries or {}).items():
            if key not in spot.entries:
                spot.entries[key], spot.keys[key] = inner, other.keys[key]
