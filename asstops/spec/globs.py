"""Glob patterns -> files. `**` any folders, `*` and `?` inside a name, `[...]` a set; hidden names only when named.

`**` does not follow links to folders, so that it always ends. Both the matches and the walk are bounded.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path

from asstops.spec.paths import is_forbidden, nfc, written_wrong
from asstops.spec.words import cut

MAX_MATCHES = 10_000
MAX_VISITED = 500_000
_WILD = re.compile(r"[*?\[]")


class GlobError(Exception):
    """A pattern that cannot be used; carries what to do about it."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern made ready: the folder to begin in, and what to match below it."""

    text: str
    start: Path
    parts: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, folder: Path) -> Pattern:
        """Read a pattern relative to `folder`. Raises GlobError."""
        parts = _parts(text)
        literal = 0
        while literal < len(parts) - 1 and not _WILD.search(parts[literal]):
            literal += 1
        if ".." in parts[literal:]:
            raise GlobError(f"pattern {cut(text)!r} has .. after a wildcard", "put .. first")
        return cls(text, Path(os.path.normpath(folder / "/".join(parts[:literal]))), tuple(parts[literal:]))

    def files(self) -> list[str]:
        """The files that match, sorted by path. Raises GlobError."""
        found = _Walk(self.text, self.parts).run(str(self.start))
        return sorted(found, key=lambda path: nfc(path).split(os.sep))


def _parts(pattern: str) -> list[str]:
    if trouble := written_wrong(pattern):
        raise GlobError(*trouble)
    parts = [part for part in nfc(pattern).split("/") if part not in ("", ".")]
    for part in parts:
        if is_forbidden(part):
            raise GlobError(f"pattern {cut(pattern)!r} leads into {cut(part)}, which a spec never reads")
    if not parts or parts[-1] == ".." or pattern.endswith("/"):
        raise GlobError(
            f"pattern {cut(pattern)!r} names a folder", f"write {pattern.rstrip('/')}/** for all files in it"
        )
    return parts


def _is_file(entry: os.DirEntry[str]) -> bool:
    """True for a regular file, also behind a link. A link that goes round in a circle is none."""
    try:
        return entry.is_file()
    except OSError:
        return False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


class _Walk:
    def __init__(self, pattern: str, parts: tuple[str, ...]) -> None:
        self._pattern = pattern
        self._parts = parts
        self._tests = [None if part == "**" else re.compile(translate(part)) for part in parts]
        self._listings: dict[str, list[os.DirEntry[str]]] = {}
        self._visited = 0
        self._found: set[str] = set()

    def run(self, start: str) -> set[str]:
        todo = [(start, 0)]
        done: set[tuple[str, int]] = set()
        while todo:
            step = todo.pop()
            if step not in done:
                done.add(step)
                todo.extend(self._step(*step))
        return self._found

    def _step(self, folder: str, index: int) -> list[tuple[str, int]]:
        """Match one part of the pattern in one folder; what is left to look at comes back."""
        test, last = self._tests[index], index == len(self._parts) - 1
        todo: list[tuple[str, int]] = []
        if test is None and not last:
            todo.append((folder, index + 1))
        for entry in self._list(folder):
            name = nfc(entry.name)
            if test is None:
                if name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    todo.append((entry.path, index))
                elif last and _is_file(entry):
                    self._add(entry.path)
            elif self._matches(test, index, name):
                if last:
                    if _is_file(entry):
                        self._add(entry.path)
                elif _is_folder(entry):
                    todo.append((entry.path, index + 1))
        return todo

    def _matches(self, test: re.Pattern[str], index: int, name: str) -> bool:
        if name.startswith(".") and not self._parts[index].startswith("."):
            return False
        return test.match(name) is not None and not is_forbidden(name)

    def _list(self, folder: str) -> list[os.DirEntry[str]]:
        if folder not in self._listings:
            try:
                with os.scandir(folder) as entries:
                    self._listings[folder] = list(entries)
            except (FileNotFoundError, NotADirectoryError):
                self._listings[folder] = []
            except OSError as error:
                name = cut(os.path.basename(folder))
                raise GlobError(
                    f"pattern {cut(self._pattern)!r}: folder {name!r} cannot be read: {error.strerror}"
                ) from error
            self._visited += len(self._listings[folder])
            if self._visited > MAX_VISITED:
                raise GlobError(
                    f"pattern {cut(self._pattern)!r} looks through more than {MAX_VISITED:,} files and folders",
                    "name a folder further down",
                )
        return self._listings[folder]

    def _add(self, path: str) -> None:
        self._found.add(path)
        if len(self._found) > MAX_MATCHES:
            raise GlobError(
                f"pattern {cut(self._pattern)!r} matches more than {MAX_MATCHES:,} files",
                "use several narrower patterns",
            )
