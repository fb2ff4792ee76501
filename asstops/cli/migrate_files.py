"""Where `asstops migrate` writes, and writing there: nothing is overwritten unasked, nothing leaves its folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asstops.errors import AsstopsError, UsageError

if TYPE_CHECKING:
    from asstops.spec.spans import Spot

ENDING = "-agents"
FOLDER = "agents"
YAML = (".yaml", ".yml")


@dataclass(frozen=True)
class Target:
    """Where each text goes, and which files go along with them as they are. `spec` is what -f is to name.

    All of it stays in `root`, if there is one. `old` are the files that the texts were made from, in their order.
    """

    texts: Mapping[Path, str]
    copies: Mapping[Path, Path]
    spec: tuple[Path, ...]
    root: Path | None = None
    replaces: bool = False
    old: tuple[Path, ...] = ()


def beside(paths: Sequence[Path], texts: Sequence[str], overlays: Sequence[int], output: Path | None) -> Target:
    """New files beside the old ones, so that relative paths hold: `x.yaml` -> `x-agents.yaml`.

    `overlays` says of each file which base it belongs to, -1 for a base.
    """
    bases = [path for path, over in zip(paths, overlays, strict=True) if over < 0]
    if output is not None and (len(bases) > 1 or os.path.abspath(output.parent) != os.path.abspath(bases[0].parent)):
        raise UsageError(
            f"{output} would not stand beside the spec, so its relative paths would lead elsewhere",
            fix="name a folder with -o: what the spec names is copied there",
        )
    new: dict[Path, str] = {}
    for path, text, over in zip(paths, texts, overlays, strict=True):
        base = bases[over] if over >= 0 else path
        stem = output.stem if output is not None else base.stem + ENDING
        new[path.with_name(stem + path.name.removeprefix(base.stem))] = text
    named = [path for path, over in zip(new, overlays, strict=True) if over < 0]
    return Target(new, {}, tuple(named), bases[0].parent if len(bases) == 1 else None)


def into(folder: Path, paths: Sequence[Path], texts: Sequence[str], overlays: Sequence[int], *, whole: bool) -> Target:
    """The spec in a folder of its own, with every file that it names. `whole`: -f is to name the folder."""
    new = {folder / path.name: text for path, text in zip(paths, texts, strict=True)}
    if len(new) < len(paths):
        raise UsageError("two files of the spec have the same name", fix="use --in-place")
    copies: dict[Path, Path] = {}
    for path in paths:
        for named in _named(path):
            copies[folder / os.path.relpath(named, path.parent)] = named
    bases = [path for path, over in zip(new, overlays, strict=True) if over < 0]
    return Target(new, copies, (folder,) if whole else tuple(bases), folder)


def fresh(folder: Path, outputs: Sequence[tuple[str, str]]) -> Target:
    """A new spec, the first of the outputs, with what it names."""
    new = {folder / path: text for path, text in outputs}
    return Target(new, {}, (next(iter(new)),), folder)


def in_place(paths: Sequence[Path], texts: Sequence[str], overlays: Sequence[int], *, named: Sequence[Path]) -> Target:
    bases = [path for path, over in zip(paths, overlays, strict=True) if over < 0]
    return Target(dict(zip(paths, texts, strict=True)), {}, tuple(named or bases), replaces=True)


def _named(spec: Path) -> list[Path]:
    """The files below a spec's folder that it names by path:, file: or glob:, as far as no variable is in the way."""
    from asstops.spec.globs import GlobError, Pattern
    from asstops.spec.paths import is_forbidden, written_wrong
    from asstops.spec.spans import spots

    root, found = spec.parent, list[Path]()
    for key, text in _scalars(spots(spec.read_text("utf-8-sig"))):
        if "${" in text or written_wrong(text):
            continue
        if key == "glob":
            try:
                matched = [Path(path) for path in Pattern.parse(text, root).files()]
            except GlobError:
                continue
        else:
            matched = [root / text]
        for path in matched:
            inside = Path(os.path.abspath(path)).is_relative_to(os.path.abspath(root))
            if inside and path.is_file() and not any(is_forbidden(part) for part in Path(text).parts):
                found.append(path)
    return found


def _scalars(waiting: list[Spot]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    seen: set[int] = set()
    while waiting:
        spot = waiting.pop()
        if id(spot) in seen:
            continue
        seen.add(id(spot))
        for key, inner in (spot.entries or {}).items():
            if key in ("path", "file", "glob") and inner.entries is None and inner.items is None:
                found.append((key, inner.text))
            waiting.append(inner)
        waiting += spot.items or []
    return found


def shown_from(path: Path, base: Path) -> str:
    """The path as it is named from `base`, `/`-separated."""
    return Path(os.path.relpath(os.path.abspath(path), os.path.abspath(base))).as_posix()


def check_free(target: Target, *, force: bool) -> None:
    """Raise UsageError where something is in the way that nobody said may be overwritten."""
    if target.replaces or force:
        return
    there = [path for path in (*target.texts, *target.copies) if os.path.lexists(path)]
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise UsageError(
            f"{there[0]}{more} exists already, and nothing was written", fix="write elsewhere with -o, or use --force"
        )


def write(target: Target) -> None:
    """Write all of it. Each file is whole or not there; no link leads a file out of the folder it was meant for."""
    for path in (*target.texts, *target.copies):
        if target.root is not None and not path.parent.resolve().is_relative_to(target.root.resolve()):
            raise AsstopsError(
                f"{path.parent} is a link out of {target.root}, and nothing was written", fix="write elsewhere with -o"
            )
    path = Path()
    try:
        for path, text in target.texts.items():
            _write(path, text.encode(), target)
        for path, source in target.copies.items():
            _write(path, source.read_bytes(), target)
    except OSError as error:
        raise AsstopsError(
            f"{path} cannot be written: {error.strerror}", fix="check the folder's permissions"
        ) from error


def _write(path: Path, data: bytes, target: Target) -> None:
    real = path.resolve() if target.replaces else path
    real.parent.mkdir(parents=True, exist_ok=True)
    handle, made = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name[:40]}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        if real.exists():
            shutil.copymode(real, made)
        else:
            os.chmod(made, 0o666 & ~_umask())
        os.replace(made, real)
    except BaseException:
        os.unlink(made)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
