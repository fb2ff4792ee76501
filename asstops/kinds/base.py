"""What a kind of resource is: the contract between kinds and the rest, and the registry.

A kind is one file: the model of what users write, the rules the planner needs as data, and the calls to the service.
Those in this folder belong to every service, those of one service alone are in its folder under services/. Nothing
else lists kinds; `kinds_in` imports what is in a folder.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Protocol, TypeVar

from asstops.kinds.fields import FileEntry, FileText, SpecModel
from asstops.model import Address, Body, Mark, Observed, Resource
from asstops.rules import KindRules

if TYPE_CHECKING:
    from asstops.providers.session import Session

SpecT = TypeVar("SpecT", bound=SpecModel)
KeyPath = tuple[Any, ...]
"""Where inside an entry of the spec: keys and indexes, as in pydantic's `loc`."""

Homes = frozenset[tuple[str, str]]
"""What an object lives in, as pairs (kind, remote id): part of its `uses`."""

KEY_PATTERN = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
KEY_RULE = "use 1 to 63 letters, digits and inner hyphens"


class BuildContext(Protocol):
    """What the spec loader offers a kind that turns an entry into a Resource. Problems are collected, not raised."""

    service: str

    def text(self, value: str | FileText | None, at: KeyPath) -> tuple[str | None, str]:
        """The text itself, and the path of the file it came from ("" when it stands in the spec)."""

    def mapping(self, value: Mapping[str, Any] | FileText, at: KeyPath) -> Mapping[str, Any]:
        """A JSON object, from the spec or from the file named; {} after a problem."""

    def files(self, entries: Sequence[FileEntry], at: KeyPath) -> tuple[Address, ...]:
        """Addresses of `file` resources that the entries name, globs expanded, each once, in order met."""

    def reference(self, kind: str, key: str, at: KeyPath) -> Address | None:
        """The address, if the spec has it; else a dangling reference is reported and None comes back."""

    def function(self, key: str, at: KeyPath) -> Mapping[str, Any] | None:
        """The definition of a function tool: name, description, parameters, and strict when set."""

    def problem(self, message: str, at: KeyPath, fix: str = "") -> None:
        """Report a mistake at a place inside the entry that is being built."""

    def declared(self, kind: str) -> bool:
        """True when the spec has the section of this kind at all."""


def _no_report(_done: int, _total: int) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Step:
    """What an apply asks a kind to carry out on one object.

    `wanted.body` has remote ids in the place of Refs. `changed` are the paths of the fields that differ. `mark` goes
    on the object once it is complete. `prunes` are the numbers of older versions that go. `labels` are remote ids with
    the addresses that own them. `report` may be called with (done, total) while work goes on, in bytes for a file.
    """

    wanted: Resource
    mark: Mark
    changed: frozenset[str] = frozenset()
    live: Observed | None = None
    prunes: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    report: Callable[[int, int], None] = _no_report


class Kind(ABC, Generic[SpecT]):
    """One type of resource.

    `section` is the spec's top-level key; `single` kinds have one entry there instead of a map of keys.
    `plane` says where it lives: in Azure Resource Manager, or in the account's data plane. A key is valid
    when all of it matches `key_pattern`, which `key_rule` puts in words. `within` names the kind inside whose entry,
    under `section`, a single kind stands. `lacks` are fields of the model that the service does not have, as dotted
    paths without indexes, each with what to do instead.
    """

    name: ClassVar[str]
    section: ClassVar[str]
    summary: ClassVar[str]
    single: ClassVar[bool] = False
    within: ClassVar[str] = ""
    plane: ClassVar[Literal["arm", "data"]] = "data"
    key_pattern: ClassVar[str] = KEY_PATTERN
    key_rule: ClassVar[str] = KEY_RULE
    spec: ClassVar[type[SpecModel]]
    rules: ClassVar[KindRules]
    lacks: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def build(self, key: str, spec: SpecT, ctx: BuildContext) -> Resource:
        """Turn a validated entry into a wanted object. Pure but for what `ctx` reads; report mistakes to `ctx`."""

    @abstractmethod
    def observe(self, session: Session, wanted: Sequence[Resource]) -> Iterable[Observed]:
        """Read the live objects of this kind by listing pages, never one request an object. Writes nothing."""

    def looked_into(
        self, session: Session, found: Sequence[Observed], ours: Set[tuple[str, str]]
    ) -> Sequence[Observed]:
        """What was observed, more of it read where it uses objects of the stack, which `ours` are as (kind, id)."""
        return found

    @abstractmethod
    def create(self, session: Session, step: Step) -> Observed:
        """Make the object with its mark; return what the service says it is. Never repeats a create blindly."""

    @abstractmethod
    def update(self, session: Session, step: Step) -> Observed:
        """Change the live object to what is wanted, mark last; return what the service says it is."""

    @abstractmethod
    def delete(self, session: Session, live: Observed) -> None:
        """Remove the live object; one that is gone already is no error."""

    @abstractmethod
    def look(self, session: Session, live: Observed) -> Observed | None:
        """Read one object again, just before it is written to; None when it is gone.

        For a `named` kind `live` may be a stand-in that has no more than a name.
        """

    def check(self, step: Step) -> None:
        """Raise Moved when what is to be sent is not what the plan was made from; before anything is written."""
        return

    def token(self, live: Observed) -> str:
        """What a listing must show of an object for it to be the one that was written: its id, perhaps its version."""
        return live.remote_id

    def version(self, live: Observed) -> str:
        """The number of the version that is live, "" where the service keeps none."""
        return ""

    def newest(self, session: Session) -> Iterable[Observed]:
        """What a listing shows, the newest first where it can: who looks for what was just made can soon stop reading.

        What an object has beside its listing, the files of a store for one, may be left out.
        """
        return self.observe(session, ())

    def unsupported(self, wanted: Resource, api_version: str) -> tuple[str, ...]:
        """Fields of `wanted` that this version of the API does not have."""
        return ()

    def find(self, session: Session, mark: Mark) -> Observed | None:
        """Look for the object of a create whose answer was lost, by its mark's nonce."""
        for live in self.newest(session):
            if live.mark is not None and live.mark.nonce == mark.nonce:
                return live
        return None


def set_fields(value: Any, path: str = "", at: KeyPath = ()) -> Iterator[tuple[str, KeyPath]]:
    """Every field that an entry gives, as a dotted path without indexes, and where it stands."""
    if isinstance(value, SpecModel):
        for name in sorted(value.model_fields_set):
            key = type(value).model_fields[name].alias or name
            inner = f"{path}.{key}" if path else key
            yield inner, (*at, key)
            yield from set_fields(getattr(value, name), inner, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from set_fields(item, path, (*at, index))


_REGISTRY: dict[str, list[type[Kind[Any]]]] = {}


def register(cls: type[Kind[Any]]) -> type[Kind[Any]]:
    """Class decorator: make the kind known as one of its folder."""
    _REGISTRY.setdefault(cls.__module__.rpartition(".")[0], []).append(cls)
    return cls


def kinds_in(package: str) -> Mapping[str, Kind[Any]]:
    """The kinds of a folder by name. Imports every module in it but helpers, which begin with _."""
    for module in iter_modules(import_module(package).__path__):
        if not module.name.startswith("_"):
            import_module(f"{package}.{module.name}")
    return {kind.name: kind() for kind in _REGISTRY.get(package, ())}


__all__ = ["Body", "BuildContext", "Homes", "KeyPath", "Kind", "Step", "kinds_in", "register", "set_fields"]
