"""The files that the command line names, read: each spec as one tree with its overlay, and the values of variables."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from asstops.errors import Location
from asstops.spec.merge import keep_sensitive, overlay, unite
from asstops.spec.nodes import MapNode, Problems, ScalarNode, Source, describe, is_empty
from asstops.spec.reading import Unreadable, read_bytes
from asstops.spec.scalars import Value
from asstops.spec.sections import MOVED
from asstops.spec.sources import SpecFile
from asstops.spec.words import cut
from asstops.spec.yaml_reader import MAX_BYTES, read_documents


@dataclass(frozen=True, slots=True)
class Files:
    """Reads the files that the command line names."""

    base: Path
    allow_outside: bool
    instead: Mapping[Path, bytes]

    def read(self, source: Source, problems: Problems) -> bytes | None:
        """The content of one, None after a problem."""
        if (given := self.instead.get(Path(os.path.abspath(source.path)))) is not None:
            return given
        try:
            return read_bytes(source.path, self.base, MAX_BYTES, allow_outside=self.allow_outside)
        except Unreadable as error:
            problems.add(str(error), source.at(), error.fix)
            return None


def read_spec(spec: SpecFile, sections: set[str], files: Files, problems: Problems) -> MapNode | None:
    """One file with its overlay, None when either cannot be used."""
    before = len(problems)
    base = _read_one(spec.base, sections, files, problems)
    over = _read_one(spec.overlay, sections, files, problems) if spec.overlay is not None else None
    if base is None or (spec.overlay is not None and over is None) or len(problems) > before:
        return None
    if over is None:
        return base
    keep_sensitive(base, over, problems)
    return overlay(base, over)


def _read_one(source: Source, sections: set[str], files: Files, problems: Problems) -> MapNode | None:
    data = files.read(source, problems)
    if data is None:
        return None
    maps: list[MapNode] = []
    for number, document in enumerate(read_documents(data, source, problems), start=1):
        if isinstance(document, MapNode):
            maps.append(document)
        elif is_empty(document):
            problems.add(f"document {number} is empty", source.at(), "remove the --- line, or write something below it")
        else:
            problems.add(
                f"the document is {describe(document)}, a map is wanted", document.location, "write stack: NAME"
            )
    return unite(maps, sections, problems, lists={MOVED})


def read_variables(names: Sequence[Path], files: Files, problems: Problems) -> dict[str, tuple[Value, Location]]:
    """Names and values of all --var-file files; a later file wins."""
    values: dict[str, tuple[Value, Location]] = {}
    for name in names:
        source = Source(files.base / name, name.as_posix())
        data = files.read(source, problems)
        if data is None:
            continue
        for document in read_documents(data, source, problems):
            if not isinstance(document, MapNode):
                problems.add(
                    "a file of variables is a map of names", document.location, "write NAME: VALUE, one a line"
                )
                continue
            for key, node in document.entries.items():
                if isinstance(node, ScalarNode) and not is_empty(node):
                    values[key] = (node.value, node.location)
                else:
                    problems.add(
                        f"variable {cut(key)} is {describe(node)}, one value is wanted",
                        document.keys[key].location,
                        "give text, a number, true or false",
                    )
    return values
