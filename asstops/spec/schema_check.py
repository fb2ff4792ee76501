"""Is a JSON Schema sound, and fit for a function's parameters? Works on node trees, so that problems have places. Pure.

Checks the form of every known keyword; `strict` adds the rules of structured outputs. Unknown keywords pass.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from functools import cached_property
from urllib.parse import unquote

from asstops.errors import Location
from asstops.kinds.fields import Plain
from asstops.spec.nodes import ListNode, MapNode, Node, Problems, ScalarNode, child, describe, dotted
from asstops.spec.words import cut, listed

TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_OF_SCHEMAS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_SCHEMA = (
    "additionalProperties", "items", "not", "if", "then", "else", "contains", "propertyNames", "unevaluatedProperties",
    "unevaluatedItems", "additionalItems",
)  # fmt: skip
_LIST_OF_SCHEMAS = ("anyOf", "oneOf", "allOf", "prefixItems")
_NUMBER = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_COUNT = (
    "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains", "maxContains"
)  # fmt: skip
_BOOL = ("uniqueItems", "deprecated", "readOnly", "writeOnly")
_TEXT = ("title", "description", "format", "pattern", "$comment", "$id", "$schema", "$anchor", "$ref")
_PAIRS = tuple((low, low.replace("min", "max")) for low in ("minimum", "minLength", "minItems", "minProperties"))


def check_parameters(node: Node, label: str, owner: Location, problems: Problems, *, strict: bool) -> None:
    """Note everything that is wrong with a function's parameters. `owner` is the place of the key that holds them."""
    problems = problems.of("json-schema")
    if not isinstance(node, MapNode):
        problems.add(
            f"{label} is {describe(node)}, a JSON Schema of type object is wanted", owner, "write type: object"
        )
        return
    kind = node.entries.get("type")
    if kind is None:
        problems.add(f"{label}: type is missing, a function's parameters are an object", owner, "add type: object")
    elif not (isinstance(kind, ScalarNode) and kind.text not in TYPES) and _text(kind) != "object":
        problems.add(
            f"{label}: type is {describe(kind)}, a function's parameters are an object",
            _at(node, "type"),
            "write type: object",
        )
    check_schema(node, label, owner, problems, strict=strict)


def check_schema(node: Node, label: str, owner: Location, problems: Problems, *, strict: bool = False) -> None:
    """Note everything that is wrong with any JSON Schema."""
    _Check(node, label, problems, strict).schema(node, (), owner)


class _Check:
    def __init__(self, root: Node, label: str, problems: Problems, strict: bool) -> None:
        self._root = root
        self._label = label
        self._problems = problems.of("json-schema")
        self._meant = problems.suggestions.did_you_mean
        self._strict = strict
        self._keywords: dict[str, Callable[[MapNode, str, tuple[str | int, ...]], None]] = {
            "type": self._type,
            "required": self._required,
            "dependentRequired": self._dependent_required,
            "enum": self._enum,
            **dict.fromkeys(_OF_SCHEMAS, self._of_schemas),
            **dict.fromkeys(_SCHEMA, self._one_schema),
            **dict.fromkeys(_LIST_OF_SCHEMAS, self._list_of_schemas),
            **dict.fromkeys(_NUMBER, self._number),
            **dict.fromkeys(_COUNT, self._count),
            **dict.fromkeys(_BOOL, self._bool),
            **dict.fromkeys(_TEXT, self._words),
            **dict.fromkeys(("const", "default", "examples"), self._any),
        }

    def schema(self, node: Node, path: tuple[str | int, ...], owner: Location) -> None:
        if isinstance(node, ScalarNode) and isinstance(node.value, Plain) and isinstance(node.value.value, bool):
            return
        if not isinstance(node, MapNode):
            self._add(
                path,
                f"is {describe(node)}, a schema is wanted",
                owner,
                "write a map such as {type: string}, true or false",
            )
            return
        for keyword in node.entries:
            if check := self._keywords.get(keyword):
                check(node, keyword, (*path, keyword))
        for low, high in _PAIRS:
            self._pair(node, low, high, path)
        if self._strict:
            self._strict_rules(node, path, owner)

    def _add(self, path: tuple[str | int, ...], message: str, where: Location, fix: str = "") -> None:
        what = dotted(path)
        self._problems.add(f"{self._label}: {what} {message}" if what else f"{self._label} {message}", where, fix)

    def _type(self, node: MapNode, key: str, path: tuple[str | int, ...]) -> None:
        value = node.entries[key]
        names = value.items if isinstance(value, ListNode) else [value]
        if not names:
            self._add(path, "is an empty list", _at(node, key), f"use one or more of {listed(TYPES)}")
        seen: set[str] = set()
        for name in names:
            text = _text(name)
            where = name.location if isinstance(name, ScalarNode) and name.text else _at(node, key)
            if (
                text == ""
                and isinstance(name, ScalarNode)
                and isinstance(name.value, Plain)
                and name.value.value is None
            ):
                self._add(path, "is null", where, 'put quotes around it: "null"' if name.text else "name a type")
            elif text not in TYPES:
                self._add(path, f"is {describe(name)}, allowed: {listed(TYPES)}", where, self._meant(text, TYPES))
            elif text in seen:
                self._add(path, f"names {text} twice", where, "remove one")
            seen.add(text)

    def _required(self, node: MapNode, key: str, path: tuple[str | int, ...]) -> None:
        names = self._unique_names(node, key, path)
        properties = node.entries.get("properties")
        if properties is not None and not isinstance(properties, MapNode):
            return
        if properties is None and "object" not in _types(node):
            return
        known = properties.entries if properties is not None else {}
        for name in names:
            if name.text not in known:
                fix = self._meant(name.text, known, "add it to properties, or take it out" if known else "")
                self._add(path, f"names {cut(name.text)!r}, which is not in properties", name.location, fix)

    def _unique_names(self, node: MapNode, key: str, path: tuple[str | int, ...]) -> list[ScalarNode]:
        value = node.entries[key]
        if not isinstance(value, ListNode):
            self._add(path, f"is {describe(value)}, a list of names is wanted", _at(node, key), "write a list: [name]")
            return []
        found: dict[str, ScalarNode] = {}
        for item in value.items:
            if not isinstance(item, ScalarNode) or (
                isinstance(item.value, Plain) and not isinstance(item.value.value, str)
            ):
                self._add(path, f"names {describe(item)}, which is not text", item.location, "write the name in quotes")
            elif item.text in found:
                self._add(path, f"names {cut(item.text)!r} twice", item.location, "remove one")
            else:
                found[item.text] = item
        return list(found.values())

    def _dependent_required(self, node: MapNode, key: str, path: tuple[str | int, ...]) -> None:
        value = node.entries[key]
        if not isinstance(value, MapNode):
            self._add(path, f"is {describe(value)}, a map is wanted", _at(node, key), "write NAME: [other names]")
            return
        for name in value.entries:
            self._unique_names(value, name, (*path, name))

    def _enum(self, node: MapNode, key: str, path: tuple[str | int, ...]) -> None:
        value = node.entries[key]
        if not isinstance(value, ListNode):
            self._add(path, f"is {describe(value)}, a list is wanted", _at(node, key), "write a list: [a, b]")
        elif not value.items:
            self._add(path, "is an empty list, so that nothing is allowed", _at(node, key), "list the values allowed")
        self._any(node, key, path)

    def _of_schemas(self, node: MapNode, key: str, path: tuple[str | int, ...]) -> None:
        value = node.entries[key]
        if not isinstance(value, MapNode):
            self._add(
                path, f"is {describe(value)}, a map of schemas is wanted", _at(node, key), "write NAME: {type: …}"
            )
            return
        for name, item in value.entries.items():
            if key == "patternProperties":
                self._pattern(name, path, value.keys[name].location)
            self.schema(item, (*path, name), _at(value, name))

    def _one_schema(self, node: MapNode, key: str, path: tuple[str | int, ...]) -> None:
        value = node.entries[key]
        if key == "items" and isinstance(value, ListNode):
            self._list_of_schemas(node, key, path)  # how older drafts spell prefixItems
            return
        self.schema(value, path, _at(node, key))

    def _list_of_schemas(self, node: MapNode, key: str, path: tuple[str | int, ...]) -> None:
        value = node.entries[key]
        if not isinstance(value, ListNode):
            self._add(
                path, f"is {describe(value)}, a list of schemas is wanted", _at(node, key), "write - one schema a line"
            )
            return
        if not value.items:
            self._add(path, "is an empty list", _at(node, key), "list one schema or more, or remove the line")
        for index, item in enumerate(value.items):
            self.schema(item, (*path, index), item.location)

    def _number(self, node: MapNode, key: str, path: tuple[str | int, ...]) -> None:
        number = _value(node.entries[key])
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number):
            self._add(path, f"is {describe(node.entries[key])}, a number is wanted", _at(node, key), "write a number")
        elif key == "multipleOf" and number <= 0:
            self._add(path, f"is {number}, more than 0 is wanted", _at(node, key), "use a positive number")

    def _count(self, node: MapNode, key: str, path: tuple[str | int, ...]) -> None:
        number = _value(node.entries[key])
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            self._add(
                path,
                f"is {describe(node.entries[key])}, a whole number from 0 is wanted",
                _at(node, key),
                "write a number",
            )

    def _pair(self, node: MapNode, low: str, high: str, path: tuple[str | int, ...]) -> None:
        least, most = (_value(node.entries.get(key)) for key in (low, high))
        numbers = all(isinstance(item, (int, float)) and not isinstance(item, bool) for item in (least, most))
        if numbers and least > most:  # type: ignore[operator]  # both are numbers here
            self._add((*path, low), f"is {least}, more than {high} ({most})", _at(node, low), "swap or mend the two")

    def _bool(self, node: MapNode, key: str, path: tuple[str | int, ...]) -> None:
        if not isinstance(_value(node.entries[key]), bool):
            self._add(
                path,
                f"is {describe(node.entries[key])}, true or false is wanted",
                _at(node, key),
                "write true or false",
            )

    def _words(self, node: MapNode, key: str, path: tuple[str | int, ...]) -> None:
        value = node.entries[key]
        text = _value(value)
        if not isinstance(text, str):
            self._add(path, f"is {describe(value)}, text is wanted", _at(node, key), "put quotes around it")
        elif key == "pattern":
            self._pattern(text, path, _at(node, key))
        elif key == "$ref":
            self._ref(text, path, _at(node, key))

    def _pattern(self, text: str, path: tuple[str | int, ...], where: Location) -> None:
        if told := _broken_pattern(text):
            self._add(path, f"{cut(text)!r} is no regular expression: {told}", where, "mend the pattern")

    def _ref(self, text: str, path: tuple[str | int, ...], where: Location) -> None:
        if text == "#":
            return
        if not text.startswith("#/"):
            self._add(path, f"is {cut(text)!r}, only references inside the schema work", where, "use #/$defs/NAME")
            return
        node: Node | None = self._root
        for part in text[2:].split("/"):
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            node = child(node, int(name) if isinstance(node, ListNode) and name.isdecimal() and len(name) < 9 else name)
        if node is None:
            fix = self._meant(text, self._definitions, "define it under $defs")
            self._add(path, f"is {cut(text)!r}, which does not exist", where, fix)

    @cached_property
    def _definitions(self) -> list[str]:
        """What a reference may name."""
        return [
            f"#/{section}/{name}"
            for section in ("$defs", "definitions")
            if isinstance(inner := child(self._root, section), MapNode)
            for name in inner.entries
        ]

    def _any(self, node: MapNode, key: str, path: tuple[str | int, ...]) -> None:
        """A value of any type; but JSON knows neither infinity nor NaN."""
        todo = [node.entries[key]]
        while todo:
            item = todo.pop()
            if isinstance(item, MapNode):
                todo.extend(item.entries.values())
            elif isinstance(item, ListNode):
                todo.extend(item.items)
            elif isinstance(number := _value(item), float) and not math.isfinite(number):
                self._add(path, f"has {describe(item)}, which JSON cannot hold", item.location, "use a number or text")

    def _strict_rules(self, node: MapNode, path: tuple[str | int, ...], owner: Location) -> None:
        """Structured outputs want every object closed and each of its properties required."""
        properties = node.entries.get("properties")
        if "object" not in _types(node) and properties is None:
            return
        what = "with strict: true"
        if _value(node.entries.get("additionalProperties")) is not False:
            where = _at(node, "additionalProperties") if "additionalProperties" in node.entries else owner
            self._add(path, f"must have additionalProperties: false {what}", where, "add additionalProperties: false")
        required = node.entries.get("required")
        if isinstance(properties, MapNode) and (required is None or isinstance(required, ListNode)):
            named = {_text(item) for item in required.items} if required is not None else set()
            for name in properties.entries:
                if name not in named:
                    self._add(
                        (*path, "properties", name),
                        f"must be in required {what}",
                        properties.keys[name].location,
                        'add it to required; for an optional one use type: [string, "null"]',
                    )


def _at(node: MapNode, key: str) -> Location:
    value = node.entries[key]
    return value.location if isinstance(value, ScalarNode) and value.text else node.keys[key].location


def _value(node: Node | None) -> object:
    """A scalar's value; None for null and for what is no scalar."""
    if isinstance(node, ScalarNode):
        return node.value.value if isinstance(node.value, Plain) else node.value
    return None


def _text(node: Node) -> str:
    value = _value(node)
    return value if isinstance(value, str) else ""


def _types(node: MapNode) -> set[str]:
    value = node.entries.get("type")
    if isinstance(value, ListNode):
        return {_text(item) for item in value.items}
    return {_text(value)} if value is not None else set()


_ECMA = (
    (re.compile(r"\\[pP]\{[^}]*\}|\\u\{[0-9A-Fa-f]+\}|\\c[A-Za-z]"), "."),
    (re.compile(r"\(\?<(?![=!])"), "(?P<"),
    (re.compile(r"\\k<([^>]*)>"), r"(?P=\1)"),
)


def _broken_pattern(text: str) -> str:
    """Why a pattern does not compile, "" when it does. What only ECMAScript knows is put in Python's words first."""
    for found, instead in _ECMA:
        text = found.sub(instead, text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error).split(" at position")[0]
    return ""
