"""Trees of what a user wrote, each node with its place in a file; and the collector of problems. Pure."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from asstops.errors import Location, Problem
from asstops.spec.scalars import Value, is_null, text_of
from asstops.spec.words import HIDDEN, Suggestions, cut

MAX_PROBLEMS = 10_000
"""More help nobody, and a file of millions of mistakes must not take the memory of a machine."""

Path_ = Sequence[Any]
"""Keys and indexes that lead from a node to one inside it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file the user wrote: where it is, and how it is named to people."""

    path: Path
    shown: str

    def at(self, line: int = 0, column: int = 0) -> Location:
        return Location(self.shown, line, column)


@dataclass(slots=True, eq=False)
class Node:
    """Base of all nodes. `line` and `column` count from 1."""

    source: Source
    line: int
    column: int

    @property
    def location(self) -> Location:
        return Location(self.source.shown, self.line, self.column)


@dataclass(slots=True, eq=False)
class ScalarNode(Node):
    """One value. `sensitive` once the value of a sensitive variable went into it."""

    value: Value
    sensitive: bool = False

    @property
    def text(self) -> str:
        return text_of(self.value)


@dataclass(slots=True, eq=False)
class ListNode(Node):
    """A list."""

    items: list[Node]


@dataclass(slots=True, eq=False)
class MapNode(Node):
    """A map. `keys` has the same keys as `entries`, with the place where each stands."""

    entries: dict[str, Node]
    keys: dict[str, ScalarNode]


def is_empty(node: Node | None) -> bool:
    """True for nothing and for null."""
    return node is None or (isinstance(node, ScalarNode) and is_null(node.value))


def is_tainted(node: Node | None) -> bool:
    """True when the value of a sensitive variable stands anywhere in the tree."""
    if isinstance(node, MapNode):
        return any(is_tainted(item) for item in node.entries.values())
    if isinstance(node, ListNode):
        return any(is_tainted(item) for item in node.items)
    return isinstance(node, ScalarNode) and node.sensitive


def to_python(node: Node) -> Any:
    """Dicts, lists, str, Plain, and None for null: what the spec models read."""
    if isinstance(node, ScalarNode):
        return None if is_null(node.value) else node.value
    if isinstance(node, MapNode):
        return {key: to_python(item) for key, item in node.entries.items()}
    assert isinstance(node, ListNode)
    return [to_python(item) for item in node.items]


def child(node: Node | None, part: Any) -> Node | None:
    """The node under one key or index."""
    if isinstance(node, MapNode) and isinstance(part, str):
        return node.entries.get(part)
    if isinstance(node, ListNode) and isinstance(part, int) and 0 <= part < len(node.items):
        return node.items[part]
    return None


def without(node: Node, paths: Iterable[Path_]) -> Node:
    """The tree without what stands at the end of each path; where nothing stands, nothing happens."""
    tree: dict[Any, Any] = {}  # part -> the same of what is inside of it, None for what goes as a whole
    for path in paths:
        inner = tree
        for part in path[:-1]:
            inner = inner.setdefault(part, {})
            if inner is None:
                break
        else:
            if path:
                inner[path[-1]] = None
    return _without(node, tree)


def _without(node: Node, tree: Mapping[Any, Any]) -> Node:
    if not tree or isinstance(node, ScalarNode):
        return node
    if isinstance(node, MapNode):
        entries = {
            key: _without(item, tree[key]) if key in tree else item
            for key, item in node.entries.items()
            if tree.get(key, tree) is not None
        }
        return replace(node, entries=entries, keys={key: node.keys[key] for key in entries})
    assert isinstance(node, ListNode)
    items = [
        _without(item, tree[index]) if index in tree else item
        for index, item in enumerate(node.items)
        if tree.get(index, tree) is not None
    ]
    return replace(node, items=items)


def node_at(node: Node | None, path: Path_) -> Node | None:
    """The node at the end of a path, None when there is none."""
    for part in path:
        node = child(node, part)
    return node


def place(owner: Location, node: Node | None, path: Path_, *, of_key: bool = False) -> Location:
    """Where a problem at `path` is shown.

    That is the place of a scalar itself, and of the key for maps, lists, and empty values. What does not exist is shown
    at the key that should hold it. `owner` is the place of the key that holds `node`.
    """
    where = owner
    for part in path:
        inner = child(node, part)
        if inner is None:
            return where
        where = node.keys[part].location if isinstance(node, MapNode) else inner.location
        node = inner
    if isinstance(node, ScalarNode) and node.text and not of_key:
        return node.location
    return where


def describe(node: Node | None) -> str:
    """What was met, for a message: a short value, or what kind of thing it is."""
    if node is None or is_empty(node):
        return "empty"
    if isinstance(node, MapNode):
        return "a map"
    if isinstance(node, ListNode):
        return "a list"
    assert isinstance(node, ScalarNode)
    if node.sensitive:
        return HIDDEN
    return repr(cut(node.text)) if isinstance(node.value, str) else cut(node.text)


def dotted(path: Iterable[Any]) -> str:
    """`tools[2].file_search.files[0]`"""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else str(part)
    return text


class Problems:
    """Collects problems, each once. Values named in `secrets` never reach a message."""

    def __init__(self) -> None:
        self._found: dict[tuple[Location | None, str], Problem] = {}
        self.warnings: list[Problem] = []
        self.secrets: set[str] = set()
        self.suggestions = Suggestions()
        self._settled: set[Location] = set()
        self._rule = "spec"

    def of(self, rule: str) -> Problems:
        """The same collection, for problems of one rule (those that `asstops.views.sarif` explains)."""
        view = copy.copy(self)
        view._rule = rule
        return view

    def add(self, message: str, where: Location | None = None, fix: str = "", *, sensitive: bool = False) -> None:
        """Note a problem. `sensitive`: it is about a sensitive value, so that even a short one is masked."""
        if where is not None and where in self._settled:
            return
        if len(self._found) >= MAX_PROBLEMS:
            return
        message, fix = self._mask(message, sensitive), self._mask(fix, sensitive)
        self._found.setdefault((where, message), Problem(message, where, fix, self._rule))

    def settle(self, where: Location) -> None:
        """Let no further problem be noted at a place: what is known of it makes all others pointless."""
        self._settled.add(where)

    def warn(self, message: str, where: Location | None = None, fix: str = "") -> None:
        self.warnings.append(Problem(self._mask(message, False), where, self._mask(fix, False), self._rule))

    def __bool__(self) -> bool:
        return bool(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def all(self) -> tuple[Problem, ...]:
        return tuple(self._found.values())

    def _mask(self, text: str, sensitive: bool) -> str:
        if not self.secrets or not text:
            return text
        least = 1 if sensitive else 3  # a secret of one letter would mask every message there is
        for secret in sorted(self.secrets, key=len, reverse=True):
            if len(secret) >= least:
                text = text.replace(secret, HIDDEN)
        return text
