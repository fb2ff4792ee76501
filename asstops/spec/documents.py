"""Texts and schemas that a spec takes from files, with variables where `vars: true` asks for them."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path

from asstops.errors import Location
from asstops.kinds.fields import FileText
from asstops.spec.json_reader import read_json
from asstops.spec.nodes import Node, Problems, ScalarNode, Source
from asstops.spec.paths import Paths
from asstops.spec.scalars import text_of
from asstops.spec.texts import MAX_TEXT_BYTES, read_text
from asstops.spec.variables import Variables
from asstops.spec.words import cut
from asstops.spec.yaml_reader import read_documents


class Documents:
    """Reads what `{file: …}` names. Each file is read once, and its problems are noted once."""

    def __init__(self, paths: Paths, variables: Variables, problems: Problems) -> None:
        self._paths = paths
        self._variables = variables
        self._problems = problems
        self._texts: dict[tuple[Path, bool], str | None] = {}
        self._schemas: dict[tuple[Path, bool], Node | None] = {}

    def text(self, spec: FileText, named: Node, label: str) -> tuple[str | None, str]:
        """The text of a file and its path from the spec's root; (None, "") after a problem. `named` holds the path."""
        found = self._locate(spec, named, label)
        return (self._read(found, spec, named, label), self._paths.shown(found)) if found is not None else (None, "")

    def schema(self, spec: FileText, named: Node, label: str) -> Node | None:
        """The JSON (or, by its name, YAML) in a file, None after a problem."""
        found = self._locate(spec, named, label)
        if found is None:
            return None
        step = (found, spec.vars)
        if step not in self._schemas:
            text = self._read(found, spec, named, label)
            self._schemas[step] = self._parse(text, found) if text is not None else None
        return self._schemas[step]

    def _locate(self, spec: FileText, named: Node, label: str) -> Path | None:
        found = self._paths.locate(spec.file, named.source, label, named.location)
        if found is None or self._paths.file_size(found, spec.file, label, named.location, MAX_TEXT_BYTES) is None:
            return None
        return found

    def _read(self, path: Path, spec: FileText, named: Node, label: str) -> str | None:
        step = (path, spec.vars)
        if step not in self._texts:
            self._texts[step] = None
            try:
                text = read_text(path)
            except UnicodeDecodeError as error:
                where, told = self._source(path).at(), f"byte 0x{error.object[error.start]:02x} at offset {error.start}"
                self._problems.add(f"the file is not UTF-8 text: {told}", where, "save it as UTF-8")
                return None
            except OSError as error:
                self._problems.add(f"{label}: file {cut(spec.file)!r} cannot be read: {error.strerror}", named.location)
                return None
            self._texts[step] = self._fill(text, path) if spec.vars else text
        return self._texts[step]

    def _fill(self, text: str, path: Path) -> str | None:
        source = self._source(path)
        starts = [0, *(index + 1 for index, char in enumerate(text) if char == "\n")]

        def at(offset: int) -> Location:
            line = bisect_right(starts, offset)
            return source.at(line, offset - starts[line - 1] + 1)

        filled = self._variables.fill(text, source.at(), at=at)
        if filled.sensitive:
            self._problems.add(
                "a sensitive variable is used here, and the text is sent to a model",
                source.at(),
                "take it out; what a model is told can be asked for",
            )
        return text_of(filled.value) if filled.sound else None

    def _parse(self, text: str, path: Path) -> Node | None:
        source = self._source(path)
        if path.suffix.lower() not in (".yaml", ".yml"):
            return read_json(text, source, self._problems)
        documents = read_documents(text.encode(), source, self._problems)
        if len(documents) > 1:
            self._problems.add("the file has more than one document", source.at(), "keep one")
        if documents and isinstance(documents[0], ScalarNode):
            self._problems.add("the file holds one value, a JSON Schema is wanted", source.at(), "write type: object")
            return None
        return documents[0] if documents else None

    def _source(self, path: Path) -> Source:
        return Source(path, self._paths.reported(path))
