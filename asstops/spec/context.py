"""What a kind is offered while it turns one entry into a Resource: texts, files, references, places for problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from asstops.errors import Location
from asstops.kinds.fields import FileEntry, FileText, Glob, plain_value
from asstops.model import Address
from asstops.spec.documents import Documents
from asstops.spec.files import KIND as FILE
from asstops.spec.files import FileTable
from asstops.spec.nodes import Node, Problems, ScalarNode, node_at, place, to_python
from asstops.spec.schema_check import check_schema
from asstops.spec.words import cut

if TYPE_CHECKING:
    from asstops.spec.functions import Function


@dataclass(slots=True)
class Workspace:
    """What all entries of a spec share while they are built. `keys` are those declared, by kind: broken ones, too."""

    service: str
    problems: Problems
    documents: Documents
    files: FileTable
    sections: Mapping[str, str]  # kind -> top-level key
    keys: Mapping[str, frozenset[str]]
    unreadable: frozenset[str]  # kinds whose section is there but no map, so that nothing is known of it
    function_keys: frozenset[str] = frozenset()
    functions: Mapping[str, Function] = field(default_factory=dict)
    functions_unreadable: bool = False
    used_functions: set[str] = field(default_factory=set)
    _file_keys: frozenset[str] | None = None

    def file_keys(self) -> frozenset[str]:
        """The keys of all files, globbed ones too, once every entry is built; put together once."""
        if self._file_keys is None:
            self._file_keys = self.keys[FILE] | {address.key for address in self.files.resources}
        return self._file_keys


class EntryContext:
    """The BuildContext of one entry. Paths (`at`) lead from the entry's node.

    With `references_only` it reports what the entry refers to in vain, and nothing else: the entry is what is left of
    a wrong one.
    """

    def __init__(
        self, workspace: Workspace, label: str, node: Node, owner: Location, *, references_only: bool = False
    ) -> None:
        self._references_only = references_only
        self.service = workspace.service
        self._shared = workspace
        self._label = label
        self._node = node
        self._owner = owner
        self._function_names: dict[str, str] = {}

    def problem(self, message: str, at: Sequence[Any], fix: str = "") -> None:
        if not self._references_only:
            self._note(message, at, fix, "wrong-value")

    def _note(self, message: str, at: Sequence[Any], fix: str = "", rule: str = "reference") -> None:
        node = node_at(self._node, at)
        sensitive = isinstance(node, ScalarNode) and node.sensitive
        found = self._shared.problems.of(rule)
        found.add(f"{self._label}: {message}", self._place(at), fix, sensitive=sensitive)

    def text(self, value: str | FileText | None, at: Sequence[Any]) -> tuple[str | None, str]:
        if not isinstance(value, FileText):
            return value, ""
        return self._shared.documents.text(value, self._named(at), self._label)

    def mapping(self, value: Mapping[str, Any] | FileText, at: Sequence[Any]) -> Mapping[str, Any]:
        label = f"{self._label}: {at[-1]}"
        if not isinstance(value, FileText):
            node = node_at(self._node, at)
            if node is not None:
                check_schema(node, label, self._place(at), self._shared.problems)
            return value
        schema = self._shared.documents.schema(value, self._named(at), self._label)
        if schema is None:
            return {}
        check_schema(schema, label, schema.location, self._shared.problems)
        found = plain_value(to_python(schema))
        return found if isinstance(found, dict) else {}

    def files(self, entries: Sequence[FileEntry], at: Sequence[Any]) -> tuple[Address, ...]:
        found: dict[Address, None] = {}
        for index, entry in enumerate(entries):
            if isinstance(entry, Glob):
                where = (*at, index, "glob")
                node = node_at(self._node, where)
                assert node is not None
                matched = self._shared.files.expand(entry, node.source, self._label, self._place(where))
                found.update(dict.fromkeys(matched))
            elif (address := self._file(entry, (*at, index))) is not None:
                found[address] = None
        self._shared.files.used.update(found)
        return tuple(found)

    def _file(self, key: str, at: Sequence[Any]) -> Address | None:
        looks_like_path = "/" in key or "." in key
        if looks_like_path and key not in self._shared.keys[FILE] and FILE not in self._shared.unreadable:
            self._note(
                f"there is no file {cut(key)!r} under files:",
                at,
                f"entries are keys of files:; for a path write {{glob: {cut(key)}}}, or declare it under files:",
            )
            return None
        return self.reference(FILE, key, at)

    def reference(self, kind: str, key: str, at: Sequence[Any]) -> Address | None:
        known = self._shared.keys.get(kind, frozenset())
        if key in known or kind in self._shared.unreadable:
            return Address(kind, key)
        if not key and self._references_only:
            return None
        section = self._shared.sections[kind]
        self._note(
            f"there is no {kind.replace('_', ' ')} {cut(key)!r} under {section}:",
            at,
            self._shared.problems.suggestions.did_you_mean(key, known, f"declare it under {section}:"),
        )
        return None

    def function(self, key: str, at: Sequence[Any]) -> Mapping[str, Any] | None:
        shared = self._shared
        if key not in shared.function_keys:
            if not shared.functions_unreadable:
                fix = shared.problems.suggestions.did_you_mean(key, shared.function_keys, "declare it under tools:")
                self._note(f"there is no function {cut(key)!r} under tools:", at, fix)
            return None
        shared.used_functions.add(key)
        function = shared.functions.get(key)
        if function is None:
            return None  # it has problems of its own
        name = function.definition["name"]
        if self._function_names.setdefault(name, key) != key:
            self.problem(
                f"functions {self._function_names[name]} and {key} have the same name {name!r}",
                at,
                "give one another name:",
            )
            return None
        return function.definition

    def declared(self, kind: str) -> bool:
        return kind in self._shared.keys or kind in self._shared.unreadable

    def _place(self, at: Sequence[Any]) -> Location:
        return place(self._owner, self._node, at)

    def _named(self, at: Sequence[Any]) -> Node:
        node = node_at(self._node, (*at, "file"))
        assert node is not None  # the model has read it
        return node
