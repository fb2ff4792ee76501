"""Declared variables, where their values come from, and `${NAME}` in values.

Of the environment only ASSTOPS_VAR_* for declared variables, AZURE_SUBSCRIPTION_ID and AZURE_TENANT_ID are looked at,
so that a pull request cannot print a pipeline's secrets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from asstops.errors import Location
from asstops.kinds.fields import Plain
from asstops.spec.nodes import ListNode, MapNode, Node, Problems, ScalarNode, is_empty
from asstops.spec.scalars import Value, is_null, is_sound_text, resolve, text_of
from asstops.spec.shape import VarSpec
from asstops.spec.validate import validate
from asstops.spec.words import cut

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
ENVIRON = ("AZURE_SUBSCRIPTION_ID", "AZURE_TENANT_ID")
ENVIRON_PREFIX = "ASSTOPS_VAR_"
_MARK = re.compile(r"\$\$\{|\$\{")
_PARTS = re.compile(r"([A-Za-z_][A-Za-z0-9_]{0,127})(?:(:[-?])(.*))?", re.DOTALL)
_LITERAL = "for a literal ${ write $${"

Path_ = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Variable:
    default: Value | None
    sensitive: bool


@dataclass(frozen=True, slots=True)
class Filled:
    """What came of a text: the value, whether a sensitive variable went into it, and whether all went well."""

    value: Value
    sensitive: bool = False
    sound: bool = True


class Variables:
    """The variables of one spec with their values."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems.of("variable")
        self._declared: dict[str, _Variable] = {}
        self._values: dict[str, Value] = {}
        self._broken: set[str] = set()
        self._undeclared: dict[str, str] = {}
        self.outside: dict[str, Value] = {}
        """Values that do not stand in the spec, sensitive ones left out."""

    def declare(self, node: Node | None, where: Location | None) -> None:
        """Read the spec's `vars:`."""
        if node is None or is_empty(node):
            return
        if not isinstance(node, MapNode):
            self._problems.add("vars must be a map of names", where, "write NAME: DEFAULT, one a line")
            self._broken.add("*")
            return
        for name, entry in node.entries.items():
            self._declare(name, entry, node.keys[name].location)

    def _declare(self, name: str, entry: Node, where: Location) -> None:
        self._broken.add(name)
        if not NAME.fullmatch(name):
            self._problems.add(
                f"variable name {cut(name)!r} is not valid", where, "use letters, digits and underscores"
            )
            return
        default, sensitive = entry, False
        if isinstance(entry, MapNode):
            spec = validate(VarSpec, entry, f"vars.{name}", where, self._problems)
            if spec is None:
                return
            default, sensitive = (
                entry.entries.get("default", ScalarNode(entry.source, 0, 0, Plain("", None))),
                spec.sensitive,
            )
        if not isinstance(default, ScalarNode):
            self._problems.add(
                f"vars.{name}: a default is one value, not a map or a list", where, "give text or a number"
            )
            return
        if "${" in default.text:
            self._problems.add(f"vars.{name}: a default cannot use variables", default.location, "write the value out")
            return
        self._broken.discard(name)
        self._declared[name] = _Variable(None if is_null(default.value) else default.value, sensitive)

    def assign(
        self,
        given: Mapping[str, str],
        from_files: Mapping[str, tuple[Value, Location]],
        environ: Mapping[str, str],
        pinned: Mapping[str, Value],
    ) -> None:
        """Settle every value: a saved plan's, then --var, then --var-file, then the environment, then the default."""
        known = {*self._declared, *ENVIRON}
        for name in pinned:
            self._check_declared(name, "the saved plan", None, known)
        for name in given:
            self._check_declared(name, "--var", None, known)
        for name, (_, where) in from_files.items():
            self._check_declared(name, "--var-file", where, known)
        for name in sorted(known):
            value = None if self._is_sensitive(name) else pinned.get(name)
            if value is None:
                value = self._find(name, given, from_files, environ)
            if value is None:
                continue
            declared = self._declared.get(name)
            if not self._is_sensitive(name) and (declared is None or value is not declared.default):
                self.outside[name] = value
            if not is_sound_text(text_of(value)):
                self._problems.add(f"the value of variable {name} is not text", None, "give it as UTF-8")
                self._broken.add(name)
                continue
            self._values[name] = value
            if self._is_sensitive(name) and text_of(value):
                self._problems.secrets.add(text_of(value))

    def _check_declared(self, name: str, how: str, where: Location | None, known: set[str]) -> None:
        if name in known or name in self._broken or "*" in self._broken:
            return
        self._problems.add(
            f"{how} sets {cut(name)!r}, which the spec does not declare",
            where,
            self._how_to_declare(name, self._declared),
        )

    def _find(
        self,
        name: str,
        given: Mapping[str, str],
        from_files: Mapping[str, tuple[Value, Location]],
        environ: Mapping[str, str],
    ) -> Value | None:
        if name in given:
            return _typed(given[name])
        if name in from_files:
            return from_files[name][0]
        if name in self._declared:
            upper = name.upper()
            for variant in (name, upper) if upper not in self._declared else (name,):
                if ENVIRON_PREFIX + variant in environ:
                    return _typed(environ[ENVIRON_PREFIX + variant])
            if (default := self._declared[name].default) is not None:
                return default
        return environ.get(name) or None if name in ENVIRON else None

    def _is_sensitive(self, name: str) -> bool:
        return name in self._declared and self._declared[name].sensitive

    def fill(self, value: Value, where: Location, *, at: Callable[[int], Location] | None = None) -> Filled:
        """Replace every ${…} in a value. `at` turns an offset in the text into a place, for texts of many lines."""
        text = text_of(value)
        if "${" not in text:
            return Filled(value)
        if text.startswith("${") and text.find("}") == len(text) - 1:
            return self._one(text[2:-1], at(0) if at else where)
        sensitive, sound, start = False, True, 0
        parts: list[str] = []
        while (mark := _MARK.search(text, start)) is not None:
            parts.append(text[start : mark.start()])
            if mark.group() == "$${":
                parts.append("${")
                start = mark.end()
                continue
            place = at(mark.start()) if at else where
            end = text.find("}", mark.end())
            if end < 0:
                self._problems.add("${ has no closing }", place, f"write ${{NAME}}; {_LITERAL}")
                return Filled(text, sensitive, False)
            one = self._one(text[mark.end() : end], place)
            sensitive, sound, start = sensitive or one.sensitive, sound and one.sound, end + 1
            parts.append(text_of(one.value))
        parts.append(text[start:])
        return Filled("".join(parts), sensitive, sound)

    def give_up(self, node: ScalarNode) -> None:
        """Say nothing more about a value that could not be filled: whatever else seems wrong follows from that."""
        self._problems.settle(node.location)

    def _one(self, inside: str, where: Location) -> Filled:
        parts = _PARTS.fullmatch(inside)
        if parts is None:
            self._problems.add(
                f"'${{{cut(inside)}}}' is no use of a variable",
                where,
                f"write ${{NAME}}, ${{NAME:-default}} or ${{NAME:?message}}; {_LITERAL}",
            )
            return Filled("", sound=False)
        name, how, rest = parts.groups()
        if rest and "${" in rest:
            self._problems.add(
                f"'${{{cut(inside)}}}' has a variable inside a variable",
                where,
                "declare a variable for it, with a default",
            )
            return Filled("", sound=False)
        if name not in self._declared and name not in ENVIRON:
            if name not in self._broken and "*" not in self._broken:
                if name not in self._undeclared:
                    self._undeclared[name] = self._how_to_declare(name, self._known)
                self._problems.add(f"variable {name} is not declared", where, f"{self._undeclared[name]}; {_LITERAL}")
            return Filled("", sound=False)
        sensitive = self._is_sensitive(name)
        value = self._values.get(name)
        if value is not None and (how is None or text_of(value)):
            return Filled(value, sensitive)
        if how == ":-":
            if sensitive and rest:
                self._problems.secrets.add(rest)
            return Filled(_typed(rest), sensitive)
        if name not in self._broken:
            told = f": {cut(rest, 200)}" if how == ":?" and rest else ""
            self._problems.add(f"variable {name} has no value{told}", where, self._how_to_give(name))
        return Filled("", sensitive, sound=False)

    @cached_property
    def _known(self) -> frozenset[str]:
        """Every name that can be used, once all are declared."""
        return frozenset({*self._declared, *ENVIRON})

    def _how_to_declare(self, name: str, known: Collection[str]) -> str:
        close = self._problems.suggestions.nearest(name, known)
        return f"did you mean {close}? Else declare {cut(name)} under vars:" if close else "declare it under vars:"

    def _how_to_give(self, name: str) -> str:
        if name in ENVIRON and name not in self._declared:
            return f"set {name} in the environment"
        return f"give it with --var {name}=VALUE or {ENVIRON_PREFIX}{name}, or give it a default under vars:"


def _typed(text: str) -> Value:
    """A value from a command line or the environment counts as unquoted; nothing at all is empty text."""
    return resolve(text) if text else ""


Watch = Callable[[Path_, ScalarNode], None]
"""Called with the path and the new node of every value that a sensitive variable went into."""


def interpolate(
    node: Node, variables: Variables, opaque: Mapping[str, Any] | bool, watch: Watch, path: Path_ = ()
) -> Node:
    """The tree with all variables filled in. What `opaque` marks (JSON Schemas) is left as it is.

    Nodes that hold no variable come back themselves. A value that could not be filled stays as it is, and nothing more
    is said about it.
    """
    if opaque is True and not _is_file(node):
        return node
    inner: Mapping[str, Any] = {} if isinstance(opaque, bool) else opaque
    if isinstance(node, ScalarNode):
        return _filled(node, variables, watch, path) if "${" in node.text else node
    if isinstance(node, ListNode):
        items = [
            interpolate(item, variables, inner.get("*", {}), watch, (*path, i)) for i, item in enumerate(node.items)
        ]
        if all(new is old for new, old in zip(items, node.items, strict=True)):
            return node
        return ListNode(node.source, node.line, node.column, items)
    assert isinstance(node, MapNode)
    entries = {
        key: interpolate(item, variables, inner.get(key, inner.get("*", {})), watch, (*path, key))
        for key, item in node.entries.items()
    }
    if all(entries[key] is node.entries[key] for key in entries):
        return node
    return MapNode(node.source, node.line, node.column, entries, node.keys)


def _filled(node: ScalarNode, variables: Variables, watch: Watch, path: Path_) -> ScalarNode:
    filled = variables.fill(node.value, node.location)
    if filled.value is node.value and not filled.sensitive:
        return node
    if not filled.sound:
        variables.give_up(node)
        return node
    new = ScalarNode(node.source, node.line, node.column, filled.value, filled.sensitive)
    if filled.sensitive:
        watch(path, new)
    return new


def _is_file(node: Node) -> bool:
    """True for {file: …}, which stands where a JSON Schema may."""
    return isinstance(node, MapNode) and "file" in node.entries and node.entries.keys() <= {"file", "vars"}
