"""The stack's record of its files, as metadata of empty vector stores. Pure.

A file in the service has neither metadata nor a checksum, so the stack remembers its files itself. Each is an entry
of thirteen characters: seven for the remote id, six for (key, name, SHA-256) with the lowest bit taken by `protect`.
Thirty-nine entries make one metadata value, fourteen values a page, so a page holds 546 files and 10,000 files take
nineteen pages. A page is a vector store named `asstops:STACK` (further pages `asstops:STACK:N`) whose mark has the key
`#N`. Page 0 also carries the in-flight note: what was being uploaded when, so that a crash leaves no riddle.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

from asstops.digest import ALPHABET, short
from asstops.model import Address, FileSource, Mark, Observed, Resource
from asstops.moves import NONE, Moves, histories

ENTRY = 13
_ID = 7
PER_VALUE = 39
VALUES = 14
PER_PAGE = PER_VALUE * VALUES
_SOUND = re.compile(r"[A-Za-z0-9_-]+")
NOTE_KEY = "note"
NOTED = 120
_SENT = 4
NAME_PREFIX = "asstops:"


@dataclass(frozen=True, slots=True)
class Note:
    """What was under way: when uploads began (Unix seconds) and how many were to come.

    `about` holds a digest of name and size of each, as many as fit: the spec may have moved on when somebody looks for
    what is left.
    """

    started: int
    uploads: int
    about: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.started} {self.uploads} {''.join(sorted(self.about))}".rstrip()

    def also(self, about: Iterable[str]) -> Note:
        """The note of these uploads too, those of before first where not all of them fit."""
        more = sorted(set(about) - self.about)
        return replace(self, about=self.about | frozenset(more[: max(0, NOTED - len(self.about))]))


@dataclass(frozen=True, slots=True)
class Page:
    """One vector store of the record. `entries` maps the digest of a remote id to that of its content."""

    number: int
    remote_id: str
    mark: Mark
    entries: Mapping[str, str]
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """All pages of one stack's record, by number."""

    pages: tuple[Page, ...] = ()

    @property
    def entries(self) -> dict[str, str]:
        """The digest of every remote id that is ours, with the digest of its content."""
        return {key: value for page in self.pages for key, value in page.entries.items()}

    @property
    def note(self) -> Note | None:
        """The in-flight note, if an apply is at work or was cut off."""
        return next((page.note for page in self.pages if page.note is not None), None)

    @property
    def notes(self) -> frozenset[tuple[str, int]]:
        """The nonce of each page that carries a note, with when that began."""
        return frozenset((page.mark.nonce, page.note.started) for page in self.pages if page.note is not None)

    @property
    def doubles(self) -> tuple[Page, ...]:
        """Pages whose number another one has, since the answer to a creation was lost.

        The one with the note stays, then the fuller one.
        """
        kept: dict[int, str] = {}
        for page in sorted(self.pages, key=lambda page: (page.note is None, -len(page.entries), page.remote_id)):
            kept.setdefault(page.number, page.remote_id)
        return tuple(page for page in self.pages if page.remote_id != kept[page.number])

    @property
    def hollow(self) -> tuple[Page, ...]:
        """Pages after the first that hold no entry."""
        first = min((page.number for page in self.pages), default=0)
        return tuple(page for page in self.pages if not page.entries and page.number != first)

    @property
    def spares(self) -> tuple[Page, ...]:
        """Pages that nothing needs."""
        unneeded = (*self.doubles, *self.hollow)
        return tuple(page for page in self.pages if page in unneeded)


@lru_cache(maxsize=2**17)  # asked again and again of every file of an account
def id_digest(remote_id: str) -> str:
    """Seven characters (42 bits) for a remote id."""
    return short(f"file\0{remote_id}", _ID)


def upload_digest(name: str, size_bytes: int) -> str:
    """Four characters for the name and size of an upload, which is all that the service tells of one."""
    return short(f"upload\0{name}\0{size_bytes}", _SENT)


def content_digest(key: str, source: FileSource, *, protect: bool = False) -> str:
    """Six characters for what a key's file should hold; the lowest bit says whether it is protected."""
    return _with_flag(short(f"content\0{key}\0{source.name}\0{source.sha256}", ENTRY - _ID), protect)


def superseded(key: str) -> str:
    """What stands in the entry of a copy that was replaced: whose it was, and that it is to go. Never protected.

    An apply that is cut off after the new copy was entered leaves the old one so, and the next one carries on.
    """
    return _with_flag(short(f"superseded\0{key}", ENTRY - _ID), False)


def same_content(left: str, right: str) -> bool:
    """Compare two content digests, protect aside."""
    return _with_flag(left, False) == _with_flag(right, False)


def is_protected(content: str) -> bool:
    """Whether the entry was written for a protected file."""
    return bool(ALPHABET.index(content[-1]) & 1)


def _with_flag(content: str, flag: bool) -> str:
    return content[:-1] + ALPHABET[(ALPHABET.index(content[-1]) & ~1) | flag]


def page_name(stack: str, number: int) -> str:
    """The display name of a page's vector store."""
    return f"{NAME_PREFIX}{stack}" if number == 0 else f"{NAME_PREFIX}{stack}:{number}"


def page_key(number: int) -> str:
    """The key in a page's mark; no spec can hold it, since keys there begin with a letter or digit."""
    return f"#{number}"


def is_page(mark: Mark) -> bool:
    """True for the mark of a record's page, of any stack."""
    return mark.key.startswith("#") and mark.key[1:].isdecimal()


def encode(entries: Mapping[str, str], note: Note | None) -> dict[str, str]:
    """The metadata of a page, its mark aside. Raises ValueError past 546 entries."""
    if len(entries) > PER_PAGE:
        raise ValueError(f"{len(entries)} entries do not fit a page of {PER_PAGE}")
    flat = [key + value for key, value in sorted(entries.items())]
    metadata = {f"{i // PER_VALUE:02}": "".join(flat[i : i + PER_VALUE]) for i in range(0, len(flat), PER_VALUE)}
    if note is not None:
        metadata[NOTE_KEY] = str(note)
    return metadata


def decode(remote_id: str, mark: Mark, metadata: Mapping[str, str]) -> Page:
    """Read a page back; what is no entry is passed over."""
    entries: dict[str, str] = {}
    for name, value in metadata.items():
        if name.isdecimal() and len(value) % ENTRY == 0:
            for i in range(0, len(value), ENTRY):
                if _SOUND.fullmatch(value, i, i + ENTRY):
                    entries[value[i : i + _ID]] = value[i + _ID : i + ENTRY]
    return Page(int(mark.key[1:]), remote_id, mark, entries, _note(metadata.get(NOTE_KEY, "")))


def _note(text: str) -> Note | None:
    started, uploads, about = [*text.split(" "), "", ""][:3]
    if not (started.isdecimal() and uploads.isdecimal()):
        return None
    whole = range(0, len(about) - len(about) % _SENT, _SENT)
    return Note(int(started), int(uploads), frozenset(about[i : i + _SENT] for i in whole))


@dataclass(frozen=True, slots=True)
class Claims:
    """Live files told apart: `ours` carry a mark made from the record, `others` do not."""

    ours: tuple[Observed, ...] = ()
    others: tuple[Observed, ...] = ()


def claim(
    live: Iterable[Observed],
    record: Record,
    wanted: Mapping[Address, Resource],
    stack: str,
    recovered: Mapping[str, str] = MappingProxyType({}),
    moves: Moves = NONE,
) -> Claims:
    """Give every live file of ours the mark that the service cannot hold.

    `recovered` maps the remote ids of files that are ours without an entry to the digest of their content. A file under
    a key that was moved keeps that key in its mark, and has the content that it would have under the new one.

    A file whose recorded content is that of a wanted key is that key's, and so is an old copy that was replaced but not
    deleted yet. Of the rest, one with the name of a wanted key that has none yet is taken for that key's older content;
    what remains has left the spec and goes by its name.
    """
    entries = {**{id_digest(remote_id): content for remote_id, content in recovered.items()}, **record.entries}
    origin = next((page.mark.origin for page in record.pages if page.mark.origin), "")
    keys = {
        _with_flag(content_digest(address.key, resource.source), False): address.key
        for address, resource in wanted.items()
        if address.kind == "file" and resource.source is not None
    }
    former = _Former(moves, wanted)
    replaced = {**former.replaced, **{superseded(key): key for key in keys.values()}}
    names: dict[tuple[str, bool], deque[str]] = {}
    for address, resource in sorted(wanted.items()):
        if address.kind == "file" and resource.source is not None:
            names.setdefault((resource.source.name, resource.protect), deque()).append(address.key)
    ours: list[Observed] = []
    stale: list[tuple[Observed, str]] = []
    others: list[Observed] = []
    taken: set[str] = set()
    for file in sorted(live, key=lambda item: (item.created_at, item.remote_id)):
        content = entries.get(id_digest(file.remote_id))
        if content is None:
            others.append(file)
            continue
        key = keys.get(_with_flag(content, False))
        if key is None and content in replaced:
            ours.append(_marked(file, stack, replaced[content], content, origin))
        elif key is None and (was := former.of(file, content)) is not None:
            taken |= {was.key, was.now}
            ours.append(_marked(file, stack, was.key, was.content, origin))
        elif key is None:
            stale.append((file, content))
        else:
            taken.add(key)
            ours.append(_marked(file, stack, key, content, origin))
    # An apply that was cut off may have left older copies: what is protected is a key's latest one, else the newest is.
    for file, content in sorted(stale, key=lambda item: (not is_protected(item[1]), -item[0].created_at)):
        key = ""
        # A protected file is the older content of a protected key only: else a namesake would undo protection.
        for protect in (True,) if is_protected(content) else (False, True):
            free = names.get((file.name, protect), deque())
            while free and free[0] in taken:
                free.popleft()
            key = key or (free.popleft() if free else "")
        key = key or _free_name(file, taken, wanted)
        taken.add(key)
        ours.append(_marked(file, stack, key, content, origin))
    return Claims(tuple(ours), tuple(others))


@dataclass(frozen=True, slots=True)
class _Moved:
    """Which key a file has that has another one `now`, and the digest of its content under that."""

    key: str
    now: str
    content: str


class _Former:
    """The keys that wanted files had before, and what entries said of them then."""

    def __init__(self, moves: Moves, wanted: Mapping[Address, Resource]) -> None:
        self.replaced: dict[str, str] = {}
        self._same: dict[str, _Moved] = {}
        self._by_size: dict[int, list[tuple[str, str, FileSource]]] = {}
        for to, names in histories(moves).items():
            source = wanted[to].source if to.kind == "file" and to in wanted else None
            for name in names if source is not None else ():
                assert source is not None
                self.replaced[superseded(name.key)] = to.key
                before, after = content_digest(name.key, source), content_digest(to.key, source)
                self._same[before] = _Moved(name.key, to.key, after)
                self._by_size.setdefault(source.size_bytes, []).append((name.key, to.key, source))

    def of(self, file: Observed, content: str) -> _Moved | None:
        """The move of a live file that holds what a moved key has now, perhaps under another file name."""
        if (found := self._same.get(_with_flag(content, False))) is not None:
            return replace(found, content=_with_flag(found.content, is_protected(content)))
        for key, now, source in self._by_size.get(file.body.get("size_bytes") or 0, ()):
            if same_content(content, content_digest(key, replace(source, name=file.name))):
                return _Moved(key, now, content)
        return None


def _free_name(file: Observed, taken: set[str], wanted: Mapping[Address, Resource]) -> str:
    if file.name not in taken and Address("file", file.name) not in wanted:
        return file.name
    return f"{file.name}~{id_digest(file.remote_id)}"


def _marked(file: Observed, stack: str, key: str, content: str, origin: str) -> Observed:
    mark = Mark(stack=stack, key=key, origin=origin, protect=is_protected(content))
    return replace(file, mark=mark, body={**file.body, "content": _with_flag(content, False)})
