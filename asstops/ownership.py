"""Which live object is whose: what the marks say, which copy counts, what must not be touched. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from asstops.errors import Problem
from asstops.mark import path_digest
from asstops.model import Address, Notice, Observed, Resource
from asstops.record import Record
from asstops.rules import KindRules


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Live state as read: objects by kind, files already told apart by the record, and the record itself.

    `unread` are kinds that could not be looked at, `blind` those among them that may hold something. `suspects` are ids
    of files that an apply which was cut off may have left, though nobody can tell. `restoring` names an account that is
    about to come back from soft deletion with what it held, so that nothing else can be planned before it is there.
    """

    objects: Mapping[str, Sequence[Observed]] = field(default_factory=dict)
    record: Record = field(default_factory=Record)
    notices: tuple[Notice, ...] = ()
    unread: frozenset[str] = frozenset()
    blind: frozenset[str] = frozenset()
    suspects: tuple[str, ...] = ()
    restoring: Address | None = None

    def __len__(self) -> int:
        return sum(len(found) for found in self.objects.values())


class Ownership:
    """Everything live, by id and by the address it belongs to."""

    def __init__(
        self, stack: str, wanted: Mapping[Address, Resource], snapshot: Snapshot, rules: Mapping[str, KindRules]
    ) -> None:
        self._stack = stack
        self._wanted = wanted
        self._rules = rules
        self.owned: dict[Address, list[Observed]] = {}
        self.by_id: dict[tuple[str, str], Observed] = {}
        self._owners: dict[tuple[str, str], Address] = {}
        self._namesakes: dict[tuple[str, str], Observed] = {}
        for kind, objects in snapshot.objects.items():
            for live in objects:
                self._add(kind, live)
        for address, resource in wanted.items():
            remote_id = resource.remote_id or (address.key if rules[address.kind].named else None)
            if remote_id is not None:
                self._owners.setdefault((address.kind, remote_id), address)
        self._used = {used for live in self.by_id.values() for used in live.uses}

    def _add(self, kind: str, live: Observed) -> None:
        self.by_id[kind, live.remote_id] = live
        if live.mark is None:
            self._namesakes[kind, live.name] = live
        elif live.mark.stack == self._stack:
            address = Address(kind, live.remote_id if self._rules[kind].named else live.mark.key)
            self.owned.setdefault(address, []).append(live)
            self._owners[kind, live.remote_id] = address

    def label(self, kind: str, remote_id: str) -> str:
        """How an id is shown: the address that owns it, else the id."""
        owner = self._owners.get((kind, remote_id))
        return str(owner) if owner is not None else remote_id

    def used_by(self, objects: Iterable[Observed]) -> set[Address]:
        """The addresses that these live objects refer to."""
        return {self._owners[used] for live in objects for used in live.uses if used in self._owners}

    def namesake(self, resource: Resource) -> Observed | None:
        """An unmarked object of the same display name: somebody else's, but worth knowing of."""
        name = resource.body.get("name")
        if name is None or not self._rules[resource.address.kind].marked:
            return None
        return self._namesakes.get((resource.address.kind, name))

    def lost_mark(self, resource: Resource) -> Problem | None:
        """Objection to making what is there already without its mark, as our own objects that refer to it show."""
        other = self.namesake(resource)
        if other is None:
            return None
        if not any((other.kind, other.remote_id) in live.uses for found in self.owned.values() for live in found):
            return None
        return Problem(
            f"{resource.address}: {other.remote_id} has its name and is used by this stack, but carries no mark of "
            "asstops; its metadata may have been cleared",
            resource.location,
            f"refer to it with id: {other.remote_id}, or delete it by hand and let asstops make it anew",
        )

    def winner(self, address: Address) -> tuple[Observed, list[Observed]]:
        """The live object an address means, and the ones to go.

        The highest generation whose content is complete; at equal ones the one that is referred to, then the older.
        """
        candidates = self.owned[address]
        if len(candidates) == 1:
            return candidates[0], []
        rules = self._rules[address.kind]
        content = self._wanted[address].body.get("content") if address in self._wanted else None

        def rank(live: Observed) -> tuple[bool, int, bool, float, str]:
            generation = live.mark.generation if live.mark is not None else 0
            complete = _is_complete(live, rules) if rules.marked else live.body.get("content") == content
            referred = (live.kind, live.remote_id) in self._used
            return (not complete, -generation, not referred, live.created_at, live.remote_id)

        first, *rest = sorted(candidates, key=rank)
        return first, rest

    def copies(self, address: Address, winner: Observed, losers: Sequence[Observed]) -> Problem | None:
        """Objection to copies that a replacement cannot explain: somebody copied the mark by hand."""
        if not self._rules[address.kind].marked or winner.mark is None:
            return None
        for other in losers:
            if other.mark is not None and other.mark.generation == winner.mark.generation:
                return Problem(
                    f"{address}: two live objects carry the same mark, {winner.remote_id} and {other.remote_id}",
                    fix="delete the one that was copied by hand, or remove its metadata key 'asstops'; "
                    f"asstops would keep {winner.remote_id}",
                )
        return None

    def name_taken(self, address: Address) -> Problem | None:
        """Objection to a name that exists once and is not ours."""
        live = self.by_id.get((address.kind, address.key))
        if live is None or (live.mark is not None and live.mark.stack == self._stack):
            return None
        where = self._wanted[address].location
        if live.mark is None:
            fix = "set managed: false to use it as it is, or choose another name"
            return Problem(f"{address} exists already and carries no mark of asstops", where, fix)
        return Problem(f"{address} belongs to the stack {live.mark.stack!r}", where, "use managed: false")

    def other_origin(self, address: Address, origin: str) -> Problem | None:
        """Objection to objects that a spec of the same stack name made from another repository or path."""
        for live in self.owned.get(address, ()):
            theirs = live.mark.origin if live.mark is not None else ""
            if origin and theirs and origin != theirs:
                return Problem(
                    f"{address} was made by a spec of the same stack name, but from another repository or path",
                    fix="choose another stack name, or take it over with --accept-origin",
                )
        return None


def _is_complete(live: Observed, rules: KindRules) -> bool:
    """The mark gets the digest of this field last; without it the object was cut off on the way."""
    return not rules.marked_last or (live.mark is not None and path_digest(rules.marked_last) in live.mark.fields)
