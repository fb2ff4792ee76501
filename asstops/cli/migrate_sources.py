"""What `asstops migrate` reads: the text of a spec, live assistants, or files that were exported from them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asstops.cli.options import Globals
from asstops.cli.run import opened, without_spec
from asstops.errors import AsstopsError, ProviderError, Retired, SpecInvalid, UsageError

if TYPE_CHECKING:
    from asstops.migrate.exported import Exported
    from asstops.migrate.respec import SpecText
    from asstops.providers.session import Session

MAX_FILES = 10_000
MAX_SEEN = 100_000
MAX_TOTAL_BYTES = 512 * 1024 * 1024
SERVICE = "assistants"


@dataclass(frozen=True)
class SpecFiles:
    """The files of a spec: each with its text, and where it is. `folders` is True where a folder was named."""

    texts: tuple[SpecText, ...]
    paths: tuple[Path, ...]
    folders: bool


def spec_files(options: Globals) -> SpecFiles:
    """Every file of the spec and every overlay beside them, whichever environment. Raises SpecInvalid for no YAML."""
    from asstops.migrate.respec import SpecText
    from asstops.spec.nodes import MapNode, Problems, Source, describe
    from asstops.spec.reading import Unreadable, read_bytes
    from asstops.spec.sources import find_sources
    from asstops.spec.yaml_reader import MAX_BYTES, decode, read_documents

    base = options.chdir
    problems = Problems()
    texts: list[SpecText] = []
    paths: list[Path] = []
    for number, spec in enumerate(find_sources(options.files, "", base)):
        beside = [(-1, spec.base)]
        for path in overlays_of(spec.base.path):
            shown = (Path(spec.base.shown).parent / path.name).as_posix()
            beside.append((number, Source(path, shown)))
        for over, source in beside:
            try:
                data = read_bytes(source.path, base, MAX_BYTES, allow_outside=options.allow_outside)
            except Unreadable as error:
                problems.add(str(error), source.at(), error.fix)
                continue
            for document in read_documents(data, source, problems):
                if not isinstance(document, MapNode):
                    problems.add(f"the document is {describe(document)}, a map is wanted", document.location)
            text = decode(data, source, problems) or ""
            texts.append(SpecText(source.shown, ("\ufeff" if data[:3] == b"\xef\xbb\xbf" else "") + text, over))
            paths.append(source.path)
    if problems:
        raise SpecInvalid(problems.all())
    return SpecFiles(tuple(texts), tuple(paths), any((base / file).is_dir() for file in options.files))


def overlays_of(spec: Path) -> list[Path]:
    """The overlays beside a spec file, for every environment."""
    from asstops.spec.sources import ENV

    prefix = spec.stem + "."
    return sorted(
        item
        for item in spec.parent.iterdir()
        if item.suffix in (".yaml", ".yml")
        and item != spec
        and item.stem.startswith(prefix)
        and ENV.fullmatch(item.stem.removeprefix(prefix))
        and item.is_file()
    )


def live(options: Globals, chosen: Sequence[str]) -> tuple[Exported, str]:
    """What the Assistants API shows, and where that was. Raises Retired, with the way on, where there is none."""
    from asstops.migrate.live import read_live
    from asstops.providers.assistants_api import AssistantsApi

    with _session(options) as session:
        try:
            api = session.data
            if not isinstance(api, AssistantsApi):
                raise UsageError(
                    f"the spec is not for service: {SERVICE}", fix="name the spec that the live assistants came from"
                )
            return read_live(api, chosen), session.endpoint
        except ProviderError as error:
            if isinstance(error, Retired) or error.status == 410:
                raise Retired(
                    f"there are no live assistants to read: {error.message}",
                    fix="use what was exported while they lived: asstops migrate --from FOLDER; or their spec: "
                    "asstops migrate -f SPEC",
                    status=error.status,
                    request_id=error.request_id,
                ) from error
            raise


@contextmanager
def _session(options: Globals) -> Iterator[Session]:
    """The way to the place of the spec that -f names, else to the one that the environment names."""
    if options.files:
        with opened(options) as run:
            if run.stack.account is not None:
                list(run.session.service.kinds["resource"].observe(run.session, [run.stack.account]))
            yield run.session
        return
    with without_spec(options, lambda _settings: SERVICE, "migrate") as session:
        yield session


def exported(path: Path, base: Path) -> Exported:
    """Everything in a file, or in the JSON files of a folder. Raises SpecInvalid with file:line:col for broken JSON."""
    from asstops.migrate.exported import Exported
    from asstops.migrate.json_files import read_values
    from asstops.spec.nodes import Problems, Source
    from asstops.spec.reading import Unreadable, read_bytes
    from asstops.spec.yaml_reader import MAX_BYTES, decode

    found, problems, total = Exported(), Problems(), 0
    for file in _json_files(base / path):
        source = Source(file, _shown(file, base))
        try:
            data = read_bytes(file, file.parent, MAX_BYTES)
        except Unreadable as error:
            problems.add(str(error), source.at(), error.fix)
            continue
        total += len(data)
        if total > MAX_TOTAL_BYTES:
            raise AsstopsError(
                f"{path} holds more than {MAX_TOTAL_BYTES:,} bytes of JSON", fix="bring it over in several parts"
            )
        text = decode(data, source, problems)
        for value, where in read_values(text, source, problems) if text is not None else ():
            found.take(value, where)
    if problems:
        raise SpecInvalid(problems.all())
    if not found.assistants and not found.stores:
        told = f": {found.odd[0][0]} {found.odd[0][1]}" if found.odd else ""
        raise AsstopsError(
            f"{path} holds no assistant{told}",
            fix="give the answers of GET /assistants, or single assistants, as JSON or JSON lines",
        )
    return found


def _json_files(path: Path) -> list[Path]:
    """The file itself, or every JSON file in the folder and below, hidden ones and links to folders left out."""
    from asstops.migrate.json_files import ENDINGS

    if not path.exists():
        raise UsageError(f"there is no file or folder {path}", fix="check the path given with --from")
    if not path.is_dir():
        return [path]
    found: list[Path] = []
    seen = 0
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        seen += len(names) + len(folders)
        found += [Path(folder) / name for name in sorted(names) if name.lower().endswith(ENDINGS) and name[0] != "."]
        if len(found) > MAX_FILES or seen > MAX_SEEN:
            raise AsstopsError(
                f"{path} has more than {MAX_FILES:,} JSON files, or {MAX_SEEN:,} of any kind",
                fix="name a folder further down",
            )
    if not found:
        raise AsstopsError(f"{path} has no JSON file", fix=f"files end in {', '.join(ENDINGS)}")
    return found


def _shown(file: Path, base: Path) -> str:
    try:
        return file.relative_to(base).as_posix()
    except ValueError:
        return file.as_posix()
