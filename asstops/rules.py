"""What the planner must know of a kind, as data, so that it never imports one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class KindRules:
    """How objects of one kind are compared and replaced.

    `create_only`: fields whose change means a new object. `unreadable`: fields the service never shows, compared by
    the digest in the mark alone. `maps`: fields owned key by key. `unordered`: lists in which order means nothing.
    `references`: fields that hold remote ids, with the kind of object those are. `defaults`: what a field goes back to
    when it leaves the spec; `empty` are further values that mean the same as that default. `named` kinds exist once
    per name, so a replacement deletes first. `replaceable` False refuses a replacement outright. `moves_on_change`
    kinds get a new remote id on any change. `marked` kinds carry a mark on the object itself. `marked_last` is
    the field whose digest is added only when the object is complete. `forgettable` names the
    keys inside a field that a service may drop without another word, `caseless` the fields in which it may change the
    case of a text. `shown_only` fields are for people and never compared; `hidden` ones are compared and never shown.
    `unrecorded` fields are neither compared nor in the mark. `versioned` kinds keep versions that nobody can change:
    the mark is part of one, so only a new version brings it up to date; `keep_field` names the field that says how many
    of them stay.
    """

    create_only: frozenset[str] = frozenset()
    unreadable: frozenset[str] = frozenset()
    maps: frozenset[str] = frozenset()
    unordered: frozenset[str] = frozenset()
    references: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    empty: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    named: bool = False
    replaceable: bool = True
    moves_on_change: bool = False
    marked: bool = True
    marked_last: str = ""
    forgettable: Mapping[str, frozenset[str]] = field(default_factory=dict)
    caseless: frozenset[str] = frozenset()
    shown_only: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    unrecorded: frozenset[str] = frozenset()
    versioned: bool = False
    keep_field: str = ""
