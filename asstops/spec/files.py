"""The files of a spec: those under `files:` and those that globs find. A path is one file, however it is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from asstops.errors import Location
from asstops.kinds.fields import Glob
from asstops.model import Address, FileSource, Resource
from asstops.spec.globs import GlobError, Pattern
from asstops.spec.nodes import Problems, Source
from asstops.spec.paths import Paths, nfc, wrong_name
from asstops.spec.words import cut

KIND = "file"


class FileTable:
    """Every file resource by key, and which key a path has."""

    def __init__(self, paths: Paths, problems: Problems) -> None:
        self._paths = paths
        self._problems = problems.of("file")
        self._by_path: dict[str, Address] = {}
        self._globbed: dict[tuple[str, str], tuple[Address, ...]] = {}
        self.resources: dict[Address, Resource] = {}
        self.used: set[Address] = set()
        self.broken: set[str] = set()

    def declare(self, resource: Resource, path: str | None, naming: Source, label: str, where: Location) -> None:
        """Take in an entry of `files:`; `path` is None for one that names an id."""
        key = resource.address.key
        if path is None:
            self.resources[resource.address] = resource
            return
        found = self._paths.locate(path, naming, label, where)
        source = self._source(found, path, label, where) if found is not None else None
        if source is None:
            self.broken.add(key)
            return
        there = self._by_path.get(source.shown)
        if there is not None:
            first = self.resources[there].location
            self._problems.add(
                f"{label}: file {cut(path)!r} is {there} already, at {first}", where, f"use {there.key} instead"
            )
            self.broken.add(key)
            return
        self._by_path[source.shown] = resource.address
        self.resources[resource.address] = replace(resource, source=source)

    def expand(self, glob: Glob, naming: Source, label: str, where: Location) -> tuple[Address, ...]:
        """The files that a pattern matches, made known where they are new."""
        step = (str(self._paths.folder_of(naming)), glob.glob)
        if step not in self._globbed:
            try:
                pattern = Pattern.parse(glob.glob, self._paths.folder_of(naming))
                if not self._paths.allowed(pattern.start, glob.glob, naming, label, where):
                    return ()
                found = pattern.files()
            except GlobError as error:
                self._problems.add(f"{label}: {error}", where, error.fix)
                return ()
            if found or glob.allow_empty:
                matched = (self._match(path, naming, label, where) for path in found)
                self._globbed[step] = tuple(address for address in matched if address is not None)
            else:
                fix = "check the pattern; it is relative to the file that names it. allow_empty: true accepts none"
                self._problems.add(f"{label}: pattern {cut(glob.glob)!r} matches no file", where, fix)
                return ()
        return self._globbed[step]

    def _match(self, path: str, naming: Source, label: str, where: Location) -> Address | None:
        shown = self._paths.shown(path)
        there = self._by_path.get(shown)
        if there is not None:
            return there
        if trouble := wrong_name(shown):
            self._problems.add(f"{label}: {trouble[0]}", where, trouble[1])
            return None
        file, size = Path(path), self._paths.plain_size(path, naming)
        if size is None:
            if not self._paths.allowed(file, shown, naming, label, where):
                return None
            size = self._paths.file_size(file, shown, label, where)
        address = Address(KIND, shown)
        if size is None:
            return None
        if address in self.resources or shown in self.broken:
            self._problems.add(
                f"{label}: file {cut(shown)!r} has the key of the entry files.{cut(shown)}, which is another file",
                where,
                "rename the entry",
            )
            return None
        source = FileSource(path=file, shown=shown, name=shown.rpartition("/")[2], size_bytes=size)
        self._by_path[shown] = address
        self.resources[address] = Resource(address=address, body={}, source=source, location=where)
        return address

    def _source(self, path: Path, text: str, label: str, where: Location) -> FileSource | None:
        size = self._paths.file_size(path, text, label, where)
        if size is None:
            return None
        return FileSource(path=path, shown=self._paths.shown(path), name=nfc(path.name), size_bytes=size)
