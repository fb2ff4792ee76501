"""Which live object is whose: what the marks say, which copy counts, what must not be touched. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from asstops.errors import Problem
from asstops.mark import path_digest
from asstops.model import Action, Address, Change, Notice, Observed, RecordAction, Resource
from asstops.moves import Former, Moves, formers, goal, settled
from asstops.record import Record, id_digest, superseded
from asstops.rules import KindRules


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Live state as read: objects by kind, files already told apart by the record, and the record itself.

    `unread` are kinds that could not be looked at, `blind` those among them that may hold something. `suspects` are ids
    of files that an apply which was cut off may have left, though nobody can tell; `recovered` maps those of which the
    journal on this machine can to their content. `dead` are entries of the record whose file is gone. `sources` are
    name and size of what the spec uploads, `foreign` digests of ids in the records of other stacks. `restoring` names
    an account that is about to come back from soft deletion with what it held, so that nothing else can be planned
    before it is there. `beside` names what an account that is to go holds outside what kinds read. `moves` are the keys
    that have changed in the spec; the marks of what is live may still hold the old ones.
    """

    objects: Mapping[str, Sequence[Observed]] = field(default_factory=dict)
    record: Record = field(default_factory=Record)
    notices: tuple[Notice, ...] = ()
    unread: frozenset[str] = frozenset()
    blind: frozenset[str] = frozenset()
    suspects: tuple[str, ...] = ()
    recovered: Mapping[str, str] = field(default_factory=dict)
    dead: frozenset[str] = frozenset()
    sources: frozenset[tuple[str, int]] = frozenset()
    foreign: frozenset[str] = frozenset()
    restoring: Address | None = None
    beside: tuple[str, ...] = ()
    moves: Moves = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(len(found) for found in self.objects.values())

    def record_action(
        self, changes: Iterable[Change], owned: Iterable[Address], *, origin: str, destroy: bool
    ) -> RecordAction:
        """What a plan does with the record: it is there exactly as long as files of ours are."""
        if "file" in self.unread:
            return RecordAction.NONE  # files of ours may well be there, and then nothing else would tell of them
        files = [change for change in changes if change.address.kind == "file"]
        gone = {c.address for c in files if c.action is Action.DELETE}
        stay = {a for a in owned if a.kind == "file"} - gone
        coming = any(c.action is not Action.DELETE for c in files)
        if not stay and not coming:
            # Only the record tells of files that may be left over; a destroy has told of them in its plan.
            told = destroy or not self.suspects
            return RecordAction.DELETE if self.record.pages and told else RecordAction.NONE
        if not self.record.pages:
            return RecordAction.CREATE
        # The note of a cut-off apply stays for as long as files that may be left from it do.
        stale = self.record.note is not None and not self.suspects
        moved = any(origin and page.mark.origin not in ("", origin) for page in self.record.pages)
        unwritten = bool(self.recovered)
        return RecordAction.UPDATE if files or stale or moved or unwritten else RecordAction.NONE


class Ownership:
    """Everything live, by id and by the address it belongs to.

    What the spec says was moved belongs to its new address; `stays` has what cannot, since something is there already
    (old address -> new one), and `formers` how live marks may still name what they refer to.
    """

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
        self._moves = snapshot.moves
        goes, self.stays = settled(snapshot.moves, self.owned)
        for old, new in goes.items():
            self._move(old, new)
        self.formers: tuple[Former, ...] = formers(snapshot.moves, {new: old for old, new in goes.items()})
        for address, resource in wanted.items():
            remote_id = resource.remote_id or (address.key if rules[address.kind].named else None)
            if remote_id is not None:
                self._owners.setdefault((address.kind, remote_id), address)
        self._once = _once_by_id(wanted, self.owned, snapshot)
        self._lower = {(kind, i.lower()): o for (kind, i), o in self.by_id.items() if rules[kind].versioned}
        self._used = {used for live in self.by_id.values() for used in live.uses}
        self._used_by_us = {used for found in self.owned.values() for live in found for used in live.uses}

    def _add(self, kind: str, live: Observed) -> None:
        if live.mark is not None and self._rules[kind].named and live.mark.key.lower() != live.remote_id.lower():
            live = replace(live, mark=None)  # somebody copied it along with the rest, onto an object of their own
        self.by_id[kind, live.remote_id] = live
        if live.mark is None:
            self._namesakes[kind, live.name] = live
        elif live.mark.stack == self._stack:
            address = Address(kind, live.remote_id if self._rules[kind].named else live.mark.key)
            self.owned.setdefault(address, []).append(live)
            self._owners[kind, live.remote_id] = address

    def _move(self, old: Address, new: Address) -> None:
        self.owned[new] = self.owned.pop(old)
        for live in self.owned[new]:
            self._owners[live.kind, live.remote_id] = new

    def now_at(self, address: Address) -> Address:
        """What an address is called now, unless something is live under it still."""
        return address if address in self.owned else goal(self._moves, address)

    def moved_from(self, live: Observed, address: Address) -> Address | None:
        """The address in the mark of what belongs to another one by now."""
        if live.mark is None or self._rules[live.kind].named or live.mark.key == address.key:
            return None
        return Address(live.kind, live.mark.key)

    def address_of(self, live: Observed) -> Address | None:
        """The address that a live object belongs to; None for what is not the stack's."""
        return self._owners.get((live.kind, live.remote_id))

    def label(self, kind: str, remote_id: str) -> str:
        """How an id is shown: the address that owns it, else the id."""
        owner = self._owners.get((kind, remote_id))
        return str(owner) if owner is not None else remote_id

    def once(self, kind: str, remote_id: str) -> str:
        """As `label`, where the spec may have named by id what is to be a file of the stack's own now."""
        address = self._once.get((kind, remote_id))
        return str(address) if address is not None else self.label(kind, remote_id)

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
        if (other.kind, other.remote_id) not in self._used_by_us:
            return None
        return Problem(
            f"{resource.address}: {other.remote_id} has its name and is used by this stack, but carries no mark of "
            "asstops; its metadata may have been cleared",
            resource.location,
            f"take it back with 'asstops adopt {resource.address} {other.remote_id}', or delete it by hand and let "
            "asstops make it anew",
        )

    def winner(self, address: Address) -> tuple[Observed, list[Observed]]:
        """The live object an address means, and the ones to go.

        The highest generation whose content is complete, of files one that is not replaced already; at equal ones the
        one that is referred to, then the older.
        """
        candidates = self.owned[address]
        if len(candidates) == 1:
            return candidates[0], []
        rules = self._rules[address.kind]
        content = self._wanted[address].body.get("content") if address in self._wanted else None

        def rank(live: Observed) -> tuple[bool, bool, int, bool, float, str]:
            generation = live.mark.generation if live.mark is not None else 0
            complete = _is_complete(live, rules) if rules.marked else live.body.get("content") == content
            referred = (live.kind, live.remote_id) in self._used
            replaced = not rules.marked and live.body.get("content") == superseded(address.key)
            return (not complete, replaced, -generation, not referred, live.created_at, live.remote_id)

        first, *rest = sorted(candidates, key=rank)
        return first, rest

    def copies(self, address: Address, winner: Observed, losers: Sequence[Observed]) -> Problem | None:
        """Objection to copies that a replacement cannot explain: somebody copied the mark by hand."""
        if not self._rules[address.kind].marked or winner.mark is None:
            return None
        for other in losers:
            if other.mark is not None and other.mark.generation == winner.mark.generation:
                resource = self._wanted.get(address)
                return Problem(
                    f"{address}: two live objects carry the same mark, {winner.remote_id} and {other.remote_id}",
                    resource.location if resource is not None else None,
                    fix="delete the one that was copied by hand, or remove its metadata key 'asstops'; "
                    f"asstops would keep {winner.remote_id}",
                )
        return None

    def name_taken(self, address: Address) -> Problem | None:
        """Objection to a name that exists once and is not ours."""
        live = self.by_id.get((address.kind, address.key)) or self._alike(address)
        if live is None or (live.mark is not None and live.mark.stack == self._stack):
            return None
        where = self._wanted[address].location
        if live.mark is None:
            fix = f"take it over with 'asstops adopt {address}' (--match name: all such), or choose another "
            fix += "key" if self._rules[address.kind].versioned else "name; managed: false uses it as it is"
            if "kind" in live.problems:
                return Problem(f"{address} exists already: {live.problems['kind']}", where, "choose another key")
            return Problem(f"{address} exists already and carries no mark of asstops", where, fix)
        fix = "use managed: false to refer to it as it is, or choose another name"
        if self._rules[address.kind].versioned:
            fix = "choose another key, or take it out of that stack first"
        return Problem(f"{address} belongs to the stack {live.mark.stack!r}", where, fix)

    def _alike(self, address: Address) -> Observed | None:
        """An agent whose name differs in case alone: whether a service tells them apart is not known."""
        if not self._rules[address.kind].versioned or address in self.owned:
            return None
        return self._lower.get((address.kind, address.key.lower()))

    def is_of_other_origin(self, address: Address, origin: str) -> bool:
        """Whether a spec of the same stack name made it from another repository or path."""
        theirs = {live.mark.origin for live in self.owned.get(address, ()) if live.mark is not None}
        return bool(origin) and not theirs <= {"", origin}


def other_origin(found: Sequence[Address]) -> Problem | None:
    """One objection to all objects that a spec of another origin made; None when there are none."""
    if not found:
        return None
    shown = ", ".join(map(str, sorted(found)[:3])) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
    verb = "was" if len(found) == 1 else "were"
    return Problem(
        f"{shown} {verb} made by a spec of the same stack name, but from another repository or path",
        fix="choose another stack name, or take over what it made with --accept-origin",
    )


def _once_by_id(
    wanted: Mapping[Address, Resource], owned: Collection[Address], snapshot: Snapshot
) -> dict[tuple[str, str], Address]:
    """Files of no stack with the name of one that is to be made. None of them where files of the stack are gone:

    then somebody may have put another one in the place of one of these.
    """
    if snapshot.dead:
        return {}
    names = {r.source.name: a for a, r in sorted(wanted.items()) if r.source is not None and a not in owned}
    return {
        (file.kind, file.remote_id): names[file.name]
        for file in snapshot.objects.get("file", ())
        if file.mark is None and file.name in names and id_digest(file.remote_id) not in snapshot.foreign
    }


def _is_complete(live: Observed, rules: KindRules) -> bool:
    """The mark gets the digest of this field last; without it the object was cut off on the way."""
    return not rules.marked_last or (live.mark is not None and path_digest(rules.marked_last) in live.mark.fields)
