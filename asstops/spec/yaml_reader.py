"""Bytes of a YAML file -> one node tree per document, with positions. The only module that imports yaml.

Works on the parser's events with its own stack, so that depth, aliases and total size are bounded before anything is
built. Duplicate keys, tags of other schemas and keys that are no strings are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from asstops.kinds.fields import Plain
from asstops.spec.nodes import ListNode, MapNode, Node, Problems, ScalarNode, Source
from asstops.spec.scalars import Value, is_sound_text, resolve
from asstops.spec.words import cut

MAX_NODES: Final = 1_000_000
MAX_DEPTH: Final = 100
MAX_BYTES: Final = 64 * 1024 * 1024

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")
_TAB_INDENT = re.compile(r" *\t")
_YAML = "tag:yaml.org,2002:"
_TYPES = {"null": type(None), "bool": bool, "int": int, "float": (int, float)}
_MERGE = "<<"


class _Stop(Exception):
    """The rest of the file is not worth reading; the problem has been noted."""


def decode(data: bytes, source: Source, problems: Problems) -> str | None:
    """The text of a file, without a byte order mark; None after a problem."""
    problems = problems.of("syntax")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        problems.add(
            f"the file is not UTF-8: byte 0x{data[error.start]:02x}",
            source.at(before.count("\n") + 1, len(before) - before.rfind("\n")),
            "save it as UTF-8",
        )
        return None
    return text


def read_documents(data: bytes, source: Source, problems: Problems) -> list[Node]:
    """Every document of a file in order; [] after a problem that leaves nothing to read."""
    problems = problems.of("syntax")
    if len(data) > MAX_BYTES:
        problems.add(f"the file has {len(data):,} bytes, at most {MAX_BYTES:,} are read", source.at())
        return []
    text = decode(data, source, problems)
    if text is None:
        return []
    if bad := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        column = bad.start() - text.rfind("\n", 0, bad.start())
        problems.add(
            f"character U+{ord(bad.group()):04X} is not allowed in YAML",
            source.at(line, column),
            "remove it, or write it as an escape in double quotes",
        )
        return []
    builder = _Builder(source, problems, text)
    try:
        for event in yaml.parse(text, Loader=_Loader):
            builder.take(event)
    except yaml.YAMLError as error:
        _syntax_problem(error, text, source, problems)
        return []
    except _Stop:
        return []
    if not builder.documents:
        problems.add("the file is empty", source.at(), "a spec needs at least stack:")
    return builder.documents


@dataclass(slots=True)
class _Frame:
    """A map or list whose end has not come yet. `size` and `height` are those of its expanded tree so far."""

    node: MapNode | ListNode
    anchor: str | None
    key: ScalarNode | None = None
    skip: bool = False  # the value of a key that was refused
    merges: list[MapNode] = field(default_factory=list)
    size: int = 1
    height: int = 1


class _Builder:
    def __init__(self, source: Source, problems: Problems, text: str) -> None:
        self.documents: list[Node] = []
        self._source = source
        self._problems = problems
        self._text = text
        self._lines: list[str] | None = None
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Node, int, int] | None] = {}  # None while the anchored node is open
        self._total = 0

    def take(self, event: Any) -> None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            node = self._scalar(event)
            if event.anchor:
                self._anchors[event.anchor] = (node, 1, 1)
            self._attach(node, 1, 1)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._open(event, kind is yaml.MappingStartEvent)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._close()
        elif kind is yaml.AliasEvent:
            self._alias(event)
        elif kind is yaml.DocumentStartEvent:
            self._anchors.clear()

    def _at(self, event: Any) -> tuple[Source, int, int]:
        return self._source, event.start_mark.line + 1, event.start_mark.column + 1

    def _refuse(self, event: Any, message: str, fix: str = "") -> None:
        self._problems.add(message, self._source.at(*self._at(event)[1:]), fix)

    def _scalar(self, event: Any) -> ScalarNode:
        text: str = event.value
        value: Value = text
        begin = event.start_mark
        if event.tag is not None:
            value = self._tagged(event)
        elif event.style is None or (event.style == "" and event.implicit[0]):
            value = resolve(text)
            if event.end_mark.line != begin.line:
                self._check_tabs(event)
        if not is_sound_text(text):
            self._refuse(event, "the value has half a surrogate pair, which is no character", "write the whole one")
            value = ""
        return ScalarNode(self._source, begin.line + 1, begin.column + 1, value)

    def _check_tabs(self, event: Any) -> None:
        """YAML lets an unquoted text run on over tab-indented lines; nobody means that."""
        if self._lines is None:
            self._lines = self._text.splitlines()
        for number in range(event.start_mark.line + 1, min(event.end_mark.line + 1, len(self._lines))):
            if _TAB_INDENT.match(self._lines[number]):
                self._problems.add(*_tab_problem(self._source, number))

    def _tagged(self, event: Any) -> Value:
        """`!!str 5` and its like; anything but the core schema's tags is refused."""
        if event.tag in ("!", _YAML + "str"):
            return str(event.value)
        name = event.tag.removeprefix(_YAML)
        value = resolve(event.value)
        if name != event.tag and name in _TYPES and isinstance(value, Plain):
            wanted: Any = _TYPES[name]
            if isinstance(value.value, wanted) and (name == "bool" or not isinstance(value.value, bool)):
                return value
        self._refuse_tag(event)
        return str(event.value)

    def _refuse_tag(self, event: Any) -> None:
        self._refuse(event, f"tag {cut(event.tag.replace(_YAML, '!!'))!r} is not supported here", "remove the tag")

    def _open(self, event: Any, is_map: bool) -> None:
        if event.tag is not None and event.tag not in ("!", _YAML + ("map" if is_map else "seq")):
            self._refuse_tag(event)
        if len(self._stack) >= MAX_DEPTH:
            self._too_deep(event)
        at = self._at(event)
        node = MapNode(*at, {}, {}) if is_map else ListNode(*at, [])
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_Frame(node, event.anchor))

    def _close(self) -> None:
        frame = self._stack.pop()
        node = frame.node
        for merged in frame.merges:
            assert isinstance(node, MapNode)
            for key, value in merged.entries.items():
                if key not in node.entries:
                    node.entries[key] = value
                    node.keys[key] = merged.keys[key]
        if frame.anchor:
            self._anchors[frame.anchor] = (node, frame.size, frame.height)
        self._attach(node, frame.size, frame.height, counted=frame.size - 1)

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            self._refuse(
                event, f"alias *{cut(event.anchor)} has no anchor before it", f"define it with &{cut(event.anchor)}"
            )
            raise _Stop
        found = self._anchors[event.anchor]
        if found is None:
            self._refuse(event, f"alias *{cut(event.anchor)} refers to what it stands in", "write the value out")
            raise _Stop
        node, size, height = found
        if len(self._stack) + height > MAX_DEPTH:
            self._too_deep(event)
        self._attach(node, size, height)

    def _too_deep(self, event: Any) -> None:
        self._refuse(event, f"maps and lists stand more than {MAX_DEPTH} deep", "flatten the file")
        raise _Stop

    def _attach(self, node: Node, size: int, height: int, counted: int = 0) -> None:
        """Put a finished node where it belongs. `counted` of its `size` are in the total already."""
        self._total += size - counted
        if self._total > MAX_NODES:
            self._problems.add(
                f"the file has more than {MAX_NODES:,} values once aliases are expanded", node.location, "split it"
            )
            raise _Stop
        if not self._stack:
            self.documents.append(node)
            return
        frame = self._stack[-1]
        frame.size += size
        if height >= frame.height:
            frame.height = height + 1
        owner = frame.node
        if isinstance(owner, ListNode):
            owner.items.append(node)
        elif frame.key is None and not frame.skip:
            self._key(frame, owner, node)
        else:
            self._value(frame, owner, node)

    def _key(self, frame: _Frame, owner: MapNode, node: Node) -> None:
        if not isinstance(node, ScalarNode):
            self._problems.add("a key must be text, not a map or a list", node.location)
            frame.skip = True
        elif isinstance(node.value, Plain):
            kind = "null" if node.value.value is None else repr(cut(node.text))
            self._problems.add(f"key {kind} is not text", node.location, f'put quotes around it: "{cut(node.text)}"')
            frame.skip = True
        elif (first := owner.keys.get(node.value)) is not None:
            self._problems.of("defined-twice").add(
                f"key {cut(node.value)!r} stands here and at {first.location}", node.location, "remove one of them"
            )
            frame.skip = True
        else:
            frame.key = node

    def _value(self, frame: _Frame, owner: MapNode, node: Node) -> None:
        key, frame.key = frame.key, None
        if frame.skip or key is None:
            frame.skip = False
        elif (text := key.text) == _MERGE:
            self._merge(frame, node)
        else:
            owner.entries[text] = node
            owner.keys[text] = key

    def _merge(self, frame: _Frame, node: Node) -> None:
        maps = node.items if isinstance(node, ListNode) else [node]
        for item in maps:
            if isinstance(item, MapNode):
                frame.merges.append(item)
            else:
                self._problems.add("<< takes a map, or a list of maps", item.location, "name an anchor: <<: *name")


def _tab_problem(source: Source, line: int) -> tuple[str, Any, str]:
    return "the line is indented with a tab", source.at(line + 1, 1), "indent with spaces; YAML takes no tabs"


_FRIENDLY = {
    "found character that cannot start any token": "a value cannot begin with this character; put quotes around it",
    "mapping values are not allowed here": "a second ': ' in this line; put quotes around the value",
    "mapping values are not allowed in this context": "a second ': ' in this line; put quotes around the value",
    "did not find expected key": "the indentation does not fit the lines above",
    "could not find expected ':'": "a ':' is missing after a key",
    "did not find expected ',' or '}'": "a ',' or '}' is missing",
    "did not find expected ',' or ']'": "a ',' or ']' is missing",
    "found unexpected end of stream": "a quote is opened and never closed",
    "did not find expected node content": "a value is missing, or one begins with a character that needs quotes",
}
_ESCAPES = ("found unknown escape character", "did not find expected hexdecimal number")
_FRIENDLY |= dict.fromkeys(_ESCAPES, "in double quotes \\ begins an escape, and this is none")


def _syntax_problem(error: yaml.YAMLError, text: str, source: Source, problems: Problems) -> None:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    told = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read")
    if mark is None:
        problems.add(f"not valid YAML: {cut(told, 120)}", source.at())
        return
    lines = text.splitlines()
    for number in (mark.line, mark.line - 1):
        if 0 <= number < len(lines) and _TAB_INDENT.match(lines[number]):
            problems.add(*_tab_problem(source, number))
            return
    line = lines[mark.line] if mark.line < len(lines) else ""
    fix = ""
    if "${" in line and ("{" in line.replace("${", "") or "[" in line):
        fix = 'inside { } and [ ] a variable needs quotes: {capacity: "${capacity}"}'
    if told in _ESCAPES:
        fix = "write paths with /, other text in single quotes"
    friendly = _FRIENDLY.get(told, cut(told, 120))
    problems.add(f"not valid YAML: {friendly}", source.at(mark.line + 1, mark.column + 1), fix)
