"""Paths that a spec names: how they are written, where they may lead, and what they must lead to.

A path is relative to the file that names it, written with forward slashes, and stays inside the repository also when
links are followed. What holds secrets or history (.git, .env*, .asstops) is never reached.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Callable
from pathlib import Path, PureWindowsPath

from asstops.errors import Location
from asstops.spec.git import top_level
from asstops.spec.nodes import Problems, Source
from asstops.spec.scalars import is_sound_text
from asstops.spec.words import cut

MAX_FILE_BYTES = 536_870_912
_SHORT = re.compile(r"(git|env|asstop)~[0-9](\..*)?")
_FIRST = frozenset(".aAeEgG")  # what a forbidden name in ASCII can begin with


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def is_forbidden(name: str) -> bool:
    """True for names of files and folders that a spec never reaches, as any file system may spell them.

    Some ignore case, compatible forms or characters without a width; Windows drops dots and blanks at the end, names a
    file's streams after a colon, and has short names of its own.
    """
    if name.isascii() and name[:1] not in _FIRST:
        return False  # as nearly every name is; the rest takes its time
    visible = "".join(char for char in name if unicodedata.category(char) != "Cf")
    folded = unicodedata.normalize("NFKC", visible).casefold().partition(":")[0].rstrip(" .")
    return folded in (".git", ".asstops") or folded.startswith(".env") or _SHORT.fullmatch(folded) is not None


class Paths:
    """Resolves and checks the paths of one spec."""

    def __init__(self, root: Path, base: Path, problems: Problems, *, allow_outside: bool) -> None:
        self.root = root
        self._base = base
        self.problems = problems.of("file")
        self._allow_outside = allow_outside
        self._folders: dict[Path, Path] = {}
        self._tops: dict[Path, Path] = {}
        self._real_folders: dict[str, Path] = {}
        self._shown_folders: dict[str, str] = {}
        self._sound_folders: dict[tuple[str, Path], bool] = {}
        self._siblings: dict[Path, list[str]] = {}

    def shown(self, path: str | Path) -> str:
        """The path from the spec's root, `/`-separated, NFC: the key of a globbed file."""
        folder, name = os.path.split(path)
        return self._shown_folder(folder) + nfc(name)

    def _shown_folder(self, folder: str) -> str:
        """What stands before a file of the folder, with its `/`; looked up once."""
        if folder not in self._shown_folders:
            shown = nfc(Path(os.path.relpath(folder, self.root)).as_posix())
            self._shown_folders[folder] = "" if shown == "." else f"{shown}/"
        return self._shown_folders[folder]

    def reported(self, path: Path) -> str:
        """The path as problems name it: written from where the command runs, as spec files are."""
        try:
            return nfc(path.relative_to(os.path.abspath(self._base)).as_posix())
        except ValueError:
            return self.shown(path)

    def locate(self, text: str, naming: Source, label: str, where: Location) -> Path | None:
        """The absolute path that `text` in the file `naming` means, None after a problem. Need not exist."""
        if trouble := written_wrong(text, allow_absolute=self._allow_outside):
            self.problems.add(f"{label}: {trouble[0]}", where, trouble[1])
            return None
        path = _on_disk(Path(os.path.normpath(self.folder_of(naming) / text)))
        return path if self.allowed(path, text, naming, label, where) else None

    def folder_of(self, naming: Source) -> Path:
        if naming.path not in self._folders:
            self._folders[naming.path] = Path(os.path.abspath(naming.path)).parent
        return self._folders[naming.path]

    def allowed(self, path: Path, text: str, naming: Source, label: str, where: Location) -> bool:
        """Whether a path, links followed, stays where it must; notes a problem if not."""
        trouble = self._astray(path, text, self.folder_of(naming))
        if trouble is not None:
            self.problems.add(f"{label}: path {cut(text)!r} {trouble[0]}", where, trouble[1])
        return trouble is None

    def _astray(self, path: Path, text: str, naming: Path) -> tuple[str, str] | None:
        """Where a path that a file in the folder `naming` names must not lead, and the fix; None for a sound one."""
        try:
            real = self._real(path)
        except (OSError, RuntimeError, ValueError) as error:
            told = error.strerror if isinstance(error, OSError) else "its links go round in a circle"
            return f"cannot be followed: {told}", ""
        tops = {self._top(self.root), self._top(naming)}
        inside = [real.relative_to(top) for top in tops if real.is_relative_to(top)]
        parts = min(inside, key=lambda item: len(item.parts)).parts if inside else real.parts
        named = Path(text).parts
        if bad := next((part for part in (*named, *parts) if is_forbidden(part)), None):
            return f"leads into {cut(bad)}, which a spec never reads", "move the file elsewhere"
        if not inside and not self._allow_outside:
            return "leads out of the repository", "copy the file into the repository"
        return None

    def _top(self, folder: Path) -> Path:
        if folder not in self._tops:
            real = folder.resolve()
            self._tops[folder] = top_level(real) or real
        return self._tops[folder]

    def _real(self, path: Path) -> Path:
        """The path with links followed; folders are looked up once."""
        if path.is_symlink():
            return path.resolve()
        parent = str(path.parent)
        if parent not in self._real_folders:
            self._real_folders[parent] = path.parent.resolve()
        return self._real_folders[parent] / path.name

    def plain_size(self, path: str, naming: Source) -> int | None:
        """The size of a file that nothing is wrong with, by its absolute path; None for one to look at more closely.

        None says little: `allowed` and `file_size` tell what is the matter, if anything is. What is asked here of each
        file is one look at it; the rest was asked of its folder before. Ten thousand files are little work so.
        """
        folder, name = os.path.split(path)
        if is_forbidden(name) or not self._sound(folder, self.folder_of(naming)):
            return None
        try:
            found = os.lstat(path)
        except (OSError, ValueError):
            return None
        sound = stat.S_ISREG(found.st_mode) and 0 < found.st_size <= MAX_FILE_BYTES and os.access(path, os.R_OK)
        return found.st_size if sound else None

    def _similar(self, path: Path, prefix: str) -> str:
        """A fix naming the sibling with the nearest name, "" when there is none. `prefix` goes before it."""
        folder = path.parent
        if folder not in self._siblings:
            try:
                names = [item.name for item in folder.iterdir() if not item.name.startswith(".")]
            except OSError:
                names = []
            self._siblings[folder] = names
        close = self.problems.suggestions.closest(path.name, self._siblings[folder])
        return f"did you mean {prefix}{nfc(close)}?" if close else ""

    def _sound(self, folder: str, naming: Path) -> bool:
        """Whether a file of this folder that is no link may be read, its name aside; looked up once."""
        step = folder, naming
        if step not in self._sound_folders:
            self._sound_folders[step] = self._astray(Path(folder), self._shown_folder(folder), naming) is None
        return self._sound_folders[step]

    def file_size(self, path: Path, text: str, label: str, where: Location, limit: int = MAX_FILE_BYTES) -> int | None:
        """The size of a regular, readable file of at most `limit` bytes that is not empty; None after a problem."""
        what = f"{label}: file {cut(text)!r}"
        try:
            found = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            told, fix = _missing(path, text, what, self._similar)
            self.problems.add(told, where, fix)
            return None
        except (OSError, ValueError) as error:
            told = getattr(error, "strerror", None) or str(error)
            self.problems.add(f"{what} cannot be read: {told}", where)
            return None
        if stat.S_ISDIR(found.st_mode):
            self.problems.add(f"{what} is a folder", where, f'name a file, or use {{glob: "{text.rstrip("/")}/**"}}')
        elif not stat.S_ISREG(found.st_mode):
            self.problems.add(f"{what} is no regular file", where, "name a file with content of its own")
        elif not os.access(path, os.R_OK):
            self.problems.add(f"{what} may not be read by this user", where, "check the file's permissions")
        elif found.st_size == 0:
            self.problems.add(f"{what} is empty", where, "give it content, or remove the line")
        elif found.st_size > limit:
            self.problems.add(
                f"{what} has {found.st_size:,} bytes, at most {limit:,} are allowed", where, "split the file"
            )
        else:
            return found.st_size
        return None


def written_wrong(text: str, *, allow_absolute: bool = False) -> tuple[str, str] | None:
    """What is wrong with a path as written, and the fix; None for a sound one."""
    if not text.strip():
        return "the path is empty", "name a file"
    if trouble := wrong_name(text):
        return trouble[0], "remove it"
    shown = f"path '{cut(text)}'"  # not its repr, which doubles backslashes
    if (there := PureWindowsPath(text)).drive and not allow_absolute:
        what = "is absolute" if there.is_absolute() else "names a drive"
        return f"{shown} {what}", "write it relative to the file that names it, with /"
    if "\\" in text:
        return f"{shown} has a backslash", f"write {cut(text.replace(chr(92), '/'))}"
    if Path(text).is_absolute() and not allow_absolute:
        return f"path {cut(text)!r} is absolute", "write it relative to the file that names it"
    return None


def wrong_name(text: str) -> tuple[str, str] | None:
    """What keeps a path from being written in UTF-8 on one line, and the fix; None for a sound one."""
    if text.isascii() and text.isprintable():
        return None
    if not is_sound_text(text):
        return f"path {cut(text)!r} is no UTF-8 text", "rename the file"
    if any(unicodedata.category(char) in ("Cc", "Zl", "Zp") for char in text):
        return f"path {cut(text)!r} has a control character", "rename the file"
    return None


def _on_disk(path: Path) -> Path:
    """The path as the file system spells it: some keep accented letters decomposed."""
    if str(path).isascii() or os.path.lexists(path):
        return path
    found = Path(path.anchor)
    for part in path.parts[1:]:
        step = found / part
        if not os.path.lexists(step):
            try:
                step = next((item for item in found.iterdir() if nfc(item.name) == nfc(part)), step)
            except OSError:
                return path
        found = step
    return found


def _missing(path: Path, text: str, what: str, similar: Callable[[Path, str], str]) -> tuple[str, str]:
    """What is the matter with a path that nothing is at, and the fix."""
    if path.is_symlink():
        return f"{what} is a link to nothing", "mend the link"
    folder = path.parent
    if not folder.is_dir():
        while folder.parent != folder and not folder.parent.is_dir():
            folder = folder.parent
        return f"{what} does not exist: there is no folder {folder.name!r}", similar(folder, "") or "check the path"
    folder_text, slash, _ = text.rpartition("/")
    close = similar(path, folder_text + slash)
    return f"{what} does not exist", close or "check the path; it is relative to the file that names it"
