"""Objects as frozen values: their addresses, what is wanted, what is live, and the marks on it. Does no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from asstops.errors import Location

Body = Mapping[str, Any]
"""Field name -> normalised JSON value. A wanted body holds `Ref` where the service will want an id."""


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """`kind.key`, the stable identity of an object inside a spec. Splits at the first dot."""

    kind: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind}.{self.key}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `kind.key`; raises ValueError when there is no dot or an empty side."""
        kind, dot, key = text.partition(".")
        if not (dot and kind and key):
            raise ValueError(f"{text!r} is not an address; write KIND.KEY, for example assistant.sales")
        return cls(kind, key)


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """Stands in a wanted body for the remote id of another resource."""

    address: Address


class Unknown:
    """The type of UNKNOWN: a value that only the apply itself will bring to light."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __reduce__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class FileSource:
    """What a `file` uploads. `sha256` is hex, "" until hashed; `name` is the base name, never altered."""

    path: Path
    shown: str
    name: str
    size_bytes: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """One wanted object.

    `owned` False means it exists by other hands (`managed: false`, `id:`): read and referred to, never written.
    `remote_id` is set only for those that name one. `depends_on` are addresses that must be there first beside the
    ones `body` refers to. `loose` are fields that the service may move on its own: compared only when the spec
    changed them. `origins` names, per field, the file its text came from, for display.
    """

    address: Address
    body: Body
    owned: bool = True
    remote_id: str | None = None
    protect: bool = False
    depends_on: frozenset[Address] = frozenset()
    loose: frozenset[str] = frozenset()
    source: FileSource | None = None
    origins: Mapping[str, str] = field(default_factory=dict)
    sensitive: frozenset[str] = frozenset()
    options: Mapping[str, Any] = field(default_factory=dict)
    location: Location | None = None

    def references(self) -> frozenset[Address]:
        """Every address this resource needs: those inside its body and those in `depends_on`."""
        return frozenset(ref.address for ref in find_refs(self.body)) | self.depends_on


def find_refs(value: Any) -> Iterator[Ref]:
    """Every Ref inside a body value, depth first."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if kind is str or item is None or kind is bool:
            continue  # what there is most of: JSON Schemas of functions, for one
        if kind is Ref:
            yield item
        elif isinstance(item, (list, tuple)):
            waiting += reversed(item)
        elif isinstance(item, Mapping):
            waiting += reversed(list(item.values()))


@dataclass(frozen=True, slots=True)
class Mark:
    """What asstops writes on an object it makes, to know it again.

    `stack` is the stack's identity (`name` or `name/env`), `key` the key part of the address (the kind is the object's
    own), `generation` counts replacements from 0, `nonce` tells one creation from another, `origin` is the digest of
    the repository and path, `fields` maps a field's digest to the digest of what the spec said when last applied, and
    `stored` maps a field's digest to the digest of the form the service keeps it in, where that is another one.
    """

    stack: str
    key: str
    generation: int = 0
    nonce: str = ""
    origin: str = ""
    protect: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)
    stored: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Past:
    """A version of a live object, where a service keeps versions.

    `number` is the service's name for it, `uses` what it refers to; `tells` that its mark is the one that says whose
    the object is, so that it must stay until a newer one says so.
    """

    number: str
    uses: frozenset[tuple[str, str]] = frozenset()
    tells: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """One live object, as a kind read it. Reading it wrote nothing.

    `body` is normalised like a wanted one, with remote ids where that has Refs. `uses` are the (kind, remote id)
    pairs it refers to. `problems` maps a field item (a file id, say) to what the service says is wrong with it.
    `ready` is False while the service is still at work on it; `usable` False once it can only be made anew.
    `raw` is the service's own answer, for writes that must carry unmanaged fields over. Where a service keeps versions,
    `history` has them, the newest first, as far as they were read; `pristine` says that the newest is one that asstops
    wrote, which nobody can have changed.
    """

    kind: str
    remote_id: str
    name: str
    body: Body
    mark: Mark | None = None
    created_at: float = 0
    uses: frozenset[tuple[str, str]] = frozenset()
    problems: Mapping[str, str] = field(default_factory=dict)
    ready: bool = True
    usable: bool = True
    history: tuple[Past, ...] = ()
    pristine: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict)
