"""JSON text -> a node tree with positions, so that a mistake in a schema file is shown at its line. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]  # not in typeshed; in CPython since 2.6

from asstops.kinds.fields import Plain
from asstops.spec.nodes import ListNode, MapNode, Node, Problems, ScalarNode, Source
from asstops.spec.scalars import is_sound_text, resolve
from asstops.spec.words import cut

MAX_DEPTH = 100
_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None}


def read_json(text: str, source: Source, problems: Problems) -> Node | None:
    """The root of a JSON text, None after a syntax error. Duplicate keys are problems, too."""
    problems = problems.of("syntax")
    reader = _Reader(text, source, problems)
    try:
        return reader.document()
    except JSONDecodeError as error:
        problems.add(f"not valid JSON: {error.msg[:1].lower()}{error.msg[1:]}", source.at(*reader.place(error.pos)))
        return None


class _Reader:
    def __init__(self, text: str, source: Source, problems: Problems) -> None:
        self._text = text
        self._source = source
        self._problems = problems
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def document(self) -> Node:
        node, end = self._value(self._skip(0), 0)
        end = self._skip(end)
        if end != len(self._text):
            raise JSONDecodeError("more text after the end", self._text, end)
        return node

    def _skip(self, offset: int) -> int:
        match = _SPACE.match(self._text, offset)
        assert match is not None
        return match.end()

    def _value(self, offset: int, depth: int) -> tuple[Node, int]:
        first = self._text[offset : offset + 1]
        if depth > MAX_DEPTH:
            raise JSONDecodeError(f"objects and arrays stand more than {MAX_DEPTH} deep", self._text, offset)
        if first == "{":
            return self._object(offset, depth)
        if first == "[":
            return self._array(offset, depth)
        if first == '"':
            return self._string(offset)
        for word, value in _WORDS.items():
            if self._text.startswith(word, offset):
                return ScalarNode(self._source, *self.place(offset), Plain(word, value)), offset + len(word)
        number = _NUMBER.match(self._text, offset)
        if number is None:
            raise JSONDecodeError("a value is missing", self._text, offset)
        return ScalarNode(self._source, *self.place(offset), resolve(number.group())), number.end()

    def _string(self, offset: int) -> tuple[ScalarNode, int]:
        value, end = scanstring(self._text, offset + 1, True)
        if not is_sound_text(value):
            raise JSONDecodeError("half a surrogate pair, which is no character", self._text, offset)
        return ScalarNode(self._source, *self.place(offset), value), end

    def _array(self, offset: int, depth: int) -> tuple[Node, int]:
        node = ListNode(self._source, *self.place(offset), [])
        end = self._skip(offset + 1)
        if self._text[end : end + 1] == "]":
            return node, end + 1
        while True:
            item, end = self._value(end, depth + 1)
            node.items.append(item)
            end = self._skip(end)
            if self._text[end : end + 1] == "]":
                return node, end + 1
            end = self._comma(end, "]")

    def _object(self, offset: int, depth: int) -> tuple[Node, int]:
        node = MapNode(self._source, *self.place(offset), {}, {})
        end = self._skip(offset + 1)
        if self._text[end : end + 1] == "}":
            return node, end + 1
        while True:
            if self._text[end : end + 1] != '"':
                raise JSONDecodeError("a key in double quotes is missing", self._text, end)
            key, end = self._string(end)
            end = self._skip(end)
            if self._text[end : end + 1] != ":":
                raise JSONDecodeError("a ':' is missing", self._text, end)
            value, end = self._value(self._skip(end + 1), depth + 1)
            if key.text in node.entries:
                first = node.keys[key.text].location
                self._problems.add(
                    f"key {cut(key.text)!r} stands here and at {first}", key.location, "remove one of them"
                )
            else:
                node.entries[key.text] = value
                node.keys[key.text] = key
            end = self._skip(end)
            if self._text[end : end + 1] == "}":
                return node, end + 1
            end = self._comma(end, "}")

    def _comma(self, end: int, closing: str) -> int:
        if self._text[end : end + 1] != ",":
            raise JSONDecodeError(f"a ',' or '{closing}' is missing", self._text, end)
        return self._skip(end + 1)
