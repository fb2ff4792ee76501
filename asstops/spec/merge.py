"""Several documents into one, and an environment's overlay over its base. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from asstops.kinds.fields import Plain
from asstops.spec.nodes import ListNode, MapNode, Node, Problems, ScalarNode, is_empty
from asstops.spec.words import cut


def unite(
    documents: Iterable[MapNode], sections: Collection[str], problems: Problems, *, lists: Collection[str] = ()
) -> MapNode | None:
    """All documents as one. Sections (maps of entries) are united; other keys, and entries, may stand only once.

    The `lists` are strung together.
    """
    united: MapNode | None = None
    for document in documents:
        if united is None:
            united = _copy(document)
            continue
        for key, node in document.entries.items():
            there = united.entries.get(key)
            joins = key in sections or key in lists
            if there is None or (joins and is_empty(there)):
                united.entries[key] = node
                united.keys[key] = document.keys[key]
            elif key in lists and isinstance(node, ListNode) and isinstance(there, ListNode):
                united.entries[key] = replace(there, items=[*there.items, *node.items])
            elif key not in sections or not isinstance(node, MapNode) or not isinstance(there, MapNode):
                if not (joins and is_empty(node)):
                    _twice(key, united, document, problems)
            else:
                united.entries[key] = _unite_section(key, there, node, problems)
    return united


def _unite_section(section: str, left: MapNode, right: MapNode, problems: Problems) -> MapNode:
    both = _copy(left)
    for key, node in right.entries.items():
        if key in both.entries:
            _twice(f"{section}.{key}", both, right, problems, key)
        else:
            both.entries[key] = node
            both.keys[key] = right.keys[key]
    return both


def _twice(name: str, left: MapNode, right: MapNode, problems: Problems, key: str = "") -> None:
    first = left.keys[key or name].location
    here = right.keys[key or name].location
    problems.of("defined-twice").add(
        f"{cut(name)} is defined here and at {first}", here, "keep one of them, or use --env overlays to change it"
    )


def overlay(base: MapNode, over: MapNode) -> MapNode:
    """`over` on top of `base`: maps merge, lists and scalars replace, null removes."""
    result = _copy(base)
    for key, node in over.entries.items():
        there = result.entries.get(key)
        if is_empty(node):
            result.entries.pop(key, None)
            result.keys.pop(key, None)
            continue
        if isinstance(node, MapNode):
            if isinstance(there, MapNode):
                result.entries[key] = overlay(there, node)
                continue
            node = overlay(MapNode(node.source, node.line, node.column, {}, {}), node)
        result.entries[key] = node
        result.keys[key] = over.keys[key]
    return result


def keep_sensitive(base: MapNode, over: MapNode, problems: Problems) -> None:
    """Note each variable that is sensitive in the base and would not be any more: an overlay gives it another value."""
    declared, changed = base.entries.get("vars"), over.entries.get("vars")
    if not isinstance(declared, MapNode) or not isinstance(changed, MapNode):
        return
    for name, node in changed.entries.items():
        if not _is_sensitive(declared.entries.get(name)) or is_empty(node):
            continue
        lifted = node.entries.get("sensitive") if isinstance(node, MapNode) else node
        if lifted is not None and not _is_sensitive(node):
            problems.add(
                f"vars.{cut(name)} is sensitive in {declared.source.shown}, and would not be with this",
                changed.keys[name].location,
                "write {default: VALUE} for another value, or take sensitive: out of the spec itself",
            )


def _is_sensitive(node: Node | None) -> bool:
    value = node.entries.get("sensitive") if isinstance(node, MapNode) else None
    return isinstance(value, ScalarNode) and isinstance(value.value, Plain) and value.value.value is True


def _copy(node: MapNode) -> MapNode:
    entries: dict[str, Node] = dict(node.entries)
    return MapNode(node.source, node.line, node.column, entries, dict(node.keys))
