"""The stack's record of its files, as metadata of empty vector stores. Pure.

A file in the service has neither metadata nor a checksum, so the stack remembers its files itself. Each is an entry
of thirteen characters: seven for the remote id, six for (key, name, SHA-256) with the lowest bit taken by `protect`.
Thirty-nine entries make one metadata value, fourteen values a page, so a page holds 546 files and 10,000 files take
nineteen pages. A page is a vector store named `asstops:STACK` (further pages `asstops:STACK:N`) whose mark has the key
`#N`. Page 0 also carries the in-flight note: what was being uploaded when, so that a crash leaves no riddle.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from asstops.digest import ALPHABET, short
from asstops.model import Address, FileSource, Mark, Observed, Resource

ENTRY = 13
_ID = 7
PER_VALUE = 39
VALUES = 14
PER_PAGE = PER_VALUE * VALUES
NOTE_KEY = "note"
NAME_PREFIX = "asstops:"


@dataclass(frozen=True, slots=True)
class Note:
    """What was under way: when uploads began (Unix seconds) and how many were to come."""

    started: int
    uploads: int

    def __str__(self) -> str:
        return f"{self.started} {self.uploads}"


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


def id_digest(remote_id: str) -> str:
    """Seven characters (42 bits) for a remote id."""
    return short(f"file\0{remote_id}", _ID)


def content_digest(key: str, source: FileSource, *, protect: bool = False) -> str:
    """Six characters for what a key's file should hold; the lowest bit says whether it is protected."""
    return _with_flag(short(f"content\0{key}\0{source.name}\0{source.sha256}", ENTRY - _ID), protect)


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
                entries[value[i : i + _ID]] = value[i + _ID : i + ENTRY]
    started, _, uploads = metadata.get(NOTE_KEY, "").partition(" ")
    note = Note(int(started), int(uploads)) if started.isdecimal() and uploads.isdecimal() else None
    return Page(int(mark.key[1:]), remote_id, mark, entries, note)


@dataclass(frozen=True, slots=True)
class Claims:
    """Live files told apart: `ours` carry a mark made from the record, `others` do not."""

    ours: tuple[Observed, ...] = ()
    others: tuple[Observed, ...] = ()


def claim(live: Iterable[Observed], record: Record, wanted: Mapping[Address, Resource], stack: str) -> Claims:
    """Give every live file of ours the mark that the service cannot hold.

    A file whose recorded content is that of a wanted key is that key's. Of the rest, one with the name of a wanted key
    that has none yet is taken for that key's older content; what remains has left the spec and goes by its name.
    """
    entries = record.entries
    origin = next((page.mark.origin for page in record.pages if page.mark.origin), "")
    keys = {
        _with_flag(content_digest(address.key, resource.source), False): address.key
        for address, resource in wanted.items()
        if address.kind == "file" and resource.source is not None
    }
    names: dict[str, deque[str]] = {}
    for address, resource in sorted(wanted.items()):
        if address.kind == "file" and resource.source is not None:
            names.setdefault(resource.source.name, deque()).append(address.key)
    ours: list[Observed] = []
    stale: list[tuple[Observed, str]] = []
    others: list[Observed] = []
    current: set[str] = set()
    for file in sorted(live, key=lambda item: (item.created_at, item.remote_id)):
        content = entries.get(id_digest(file.remote_id))
        if content is None:
            others.append(file)
            continue
        key = keys.get(_with_flag(content, False))
        if key is None:
            stale.append((file, content))
        else:
            current.add(key)
            ours.append(_marked(file, stack, key, content, origin))
    taken = set(current)
    for file, content in stale:
        free = names.get(file.name, deque())
        while free and free[0] in taken:
            free.popleft()
        key = free.popleft() if free else _free_name(file, taken, wanted)
        taken.add(key)
        ours.append(_marked(file, stack, key, content, origin))
    return Claims(tuple(ours), tuple(others))


def _free_name(file: Observed, taken: set[str], wanted: Mapping[Address, Resource]) -> str:
    if file.name not in taken and Address("file", file.name) not in wanted:
        return file.name
    return f"{file.name}~{id_digest(file.remote_id)}"


def _marked(file: Observed, stack: str, key: str, content: str, origin: str) -> Observed:
    mark = Mark(stack=stack, key=key, origin=origin, protect=is_protected(content))
    return replace(file, mark=mark, body={**file.body, "content": _with_flag(content, False)})
