"""Decide what must happen: wanted x observed -> Plan. Pure, and the only place that decides.

Knows kinds only by their rules. Same input, same plan, byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from asstops import graph, history, ondrift, remarks
from asstops.diff import Comparison, compare, display, display_live, field_digests
from asstops.errors import Problem, UnsafePlan
from asstops.history import Held
from asstops.model import (
    UNKNOWN,
    Action,
    Address,
    Change,
    FieldDiff,
    Kept,
    Mark,
    Notice,
    Observed,
    OnDrift,
    Plan,
    Resource,
    Target,
    Unknown,
)
from asstops.ownership import Ownership, Snapshot, other_origin
from asstops.rules import KindRules
from asstops.scope import limited_to, loose_ends


@dataclass(frozen=True, slots=True)
class Request:
    """What a plan is asked for. `origin` is a digest; `targets` limits it to those addresses and what they need."""

    target: Target
    origin: str = ""
    targets: tuple[Address, ...] = ()
    destroy: bool = False
    accept_origin: bool = False
    on_drift: OnDrift = OnDrift.OVERWRITE


def make_plan(
    request: Request, wanted: Mapping[Address, Resource], snapshot: Snapshot, rules: Mapping[str, KindRules]
) -> Plan:
    """The plan that makes `snapshot` agree with `wanted`. Pure.

    Raises UnsafePlan, CycleError, and UsageError for a target that is not there.
    """
    planning = _Planning(request, wanted, snapshot, rules)
    planning.decide()
    if not request.destroy and (held := history.held(wanted, planning.live, planning.changes, rules)):
        # Only now is it known which versions will be older ones; what those use decides nothing but what goes.
        planning = _Planning(request, wanted, snapshot, rules, held)
        planning.decide()
    return planning.conclude()


def identify(
    request: Request, wanted: Mapping[Address, Resource], snapshot: Snapshot, rules: Mapping[str, KindRules]
) -> dict[Address, str]:
    """The remote id of every wanted object that is live, whatever state it is in. Pure."""
    planning = _Planning(request, wanted, snapshot, rules)
    for address in sorted(wanted):
        planning.known_only(address)
    return {a: i for a, i in planning.ids.items() if not isinstance(i, Unknown)}


class _Planning:
    """One run of the planner: tables that grow while addresses are visited in dependency order."""

    def __init__(
        self,
        request: Request,
        wanted: Mapping[Address, Resource],
        snapshot: Snapshot,
        rules: Mapping[str, KindRules],
        held: Held | None = None,
    ) -> None:
        self.request = request
        self.held = held or {}
        self.stack = request.target.stack
        self.rules = rules
        self.snapshot = snapshot
        self.wanted = wanted
        self.live = Ownership(self.stack, wanted, snapshot, rules)
        self.ids: dict[Address, str | Unknown] = {}
        self.changes: list[Change] = []
        self.objections: list[Problem] = []
        self.others: list[Address] = []  # made by a spec of another origin
        self.notices: list[Notice] = list(snapshot.notices)
        self.unchanged = 0
        self.kept: list[Kept] = []
        self.scope: set[Address] | None = None
        # What the spec names by id is not to be written, whoever made it.
        self.referred = {(a.kind, r.remote_id) for a, r in wanted.items() if not r.owned}

    def resolve(self, address: Address) -> str | Unknown:
        """The id an address will have once the plan is carried out, as far as known now."""
        return self.ids.get(address, UNKNOWN)

    def decide(self) -> None:
        """Visit everything that is wanted or owned, and note what is to happen to it."""
        self.scope = scope = self._scope()
        if self.snapshot.restoring is not None:
            text = "the soft-deleted account comes back with what it held; the rest is planned once it is there"
            self.notices.append(Notice(text, str(self.snapshot.restoring)))
        if self.request.destroy:
            for address in sorted(set(self.live.owned) & scope if scope is not None else self.live.owned):
                self._delete(address)
        else:
            keeps = self.request.on_drift is OnDrift.KEEP
            for address in graph.order(ondrift.with_live_needs(self.wanted, self.live) if keeps else self.wanted):
                if scope is None or address in scope:
                    self._visit(address)
                else:
                    self.known_only(address)
            for address in sorted(set(self.live.owned) - set(self.wanted)):
                if scope is None or address in scope:
                    self._delete(address)

    def conclude(self) -> Plan:
        """The plan, or every objection to it at once."""
        scope = self.scope
        if scope is not None and not self.request.destroy:
            self.objections += loose_ends(scope, self.changes, self.live)
        marked = any(o.mark is not None and o.mark.origin for found in self.live.owned.values() for o in found)
        self._notes(
            remarks.unknown_origin(self.changes, self.request.origin, marked=marked, destroy=self.request.destroy)
        )
        if self.request.destroy and self.snapshot.suspects and scope is None:
            text = "the record goes with everything else, and nothing tells of files that may be left any more"
            self.notices.append(Notice(text, fix="run 'asstops gc' first"))
        self._objects_to(other_origin(self.others))
        if self.objections:
            raise UnsafePlan(sorted(self.objections, key=Problem.sort_key))
        self.changes.sort(key=lambda change: change.address)
        self.kept.sort(key=lambda kept: kept.address)
        graph.steps(self.changes)  # what cannot be ordered must show now, not after it was approved
        return Plan(
            target=self.request.target,
            changes=tuple(self.changes),
            unchanged=self.unchanged,
            known={a: i for a, i in sorted(self.ids.items()) if not isinstance(i, Unknown)},
            notices=(*self.notices, *map(ondrift.notice, self.kept)),
            record=self.snapshot.record_action(
                self.changes, self.live.owned, origin=self.request.origin, destroy=self.request.destroy
            ),
            destroy=self.request.destroy,
            targets=self.request.targets,
            complete=scope is None,
            origin=self.request.origin,
            on_drift=self.request.on_drift,
            kept=tuple(self.kept),
        )

    def _scope(self) -> set[Address] | None:
        """The addresses that the plan is limited to; None when everything is meant."""
        if self.snapshot.restoring is not None:
            return {self.snapshot.restoring}
        if not self.request.targets:
            return None
        targets = [self.live.now_at(target) for target in self.request.targets]
        return limited_to(targets, self.wanted, self.live, destroy=self.request.destroy)

    # One wanted object

    def _visit(self, address: Address) -> None:
        resource = self.wanted[address]
        if not resource.owned:
            self._unowned(resource)
            return
        rules = self.rules[address.kind]
        if rules.named and self._objects_to(self.live.name_taken(address)):
            return
        if self._of_other_origin(address):
            return
        if address not in self.live.owned:
            if self._objects_to(self.live.lost_mark(resource)):
                return
            self._notes(remarks.namesake(resource, self.live.namesake(resource)))
            self.ids[address] = UNKNOWN if not rules.named else address.key
            self.changes.append(
                Change(
                    address,
                    Action.CREATE,
                    None,
                    _shown(resource, rules),
                    wanted=resource,
                    mark=self._mark(resource, 0, "", {}),
                    moves=not rules.named,
                )
            )
            return
        winner, losers = self.live.winner(address)
        self._objects_to(self.live.copies(address, winner, losers))
        losers = [other for other in losers if not self._is_held(other)]
        self._compare(resource, winner, losers, rules)

    def _compare(self, resource: Resource, live: Observed, losers: list[Observed], rules: KindRules) -> None:
        address = resource.address
        found = compare(rules, resource, live, self.resolve, self.live.label, self.live.formers, self.live.once)
        for note in found.notes:
            self.notices.append(Notice(note, str(address)))
        kept: tuple[FieldDiff, ...] = ()
        if self.request.on_drift is OnDrift.KEEP:
            around = ondrift.Around(self.wanted, self.live, self.resolve, self.snapshot.unread)
            resource, found, kept = ondrift.keep(rules, resource, live, found, around)
        fresh = sorted(path.path for path in found.diffs if path.path in rules.create_only)
        reason = ""
        if not live.usable:
            reason = "it has expired and can only be made anew"
        elif fresh:
            reason = f"{', '.join(fresh)} cannot be changed in place"
        if reason and (resumed := self._resumable(address, live, losers)) is not None:
            self._compare(self.wanted[address], resumed, [live, *(o for o in losers if o is not resumed)], rules)
            return
        self.kept += [Kept(address, kept)] if kept else []
        if reason:
            self._replace(resource, live, losers, rules, found, reason)
            return
        mark = live.mark or Mark(self.stack, address.key)
        moves = rules.moves_on_change and bool(found.diffs)
        self.ids[address] = UNKNOWN if moves else live.remote_id
        after = self._mark(resource, mark.generation, mark.nonce, found.stored, found.fields)
        after = after if after.origin or not mark.origin else replace(after, origin=mark.origin)
        moved = self.live.moved_from(live, address) is not None
        reason = remarks.housekeeping(mark, after, live, losers, found, versioned=rules.versioned, moved=moved)
        new = history.makes_a_version(after, live.mark, differs=bool(found.diffs))
        if new and rules.versioned and self._objects_to(ondrift.fits(after, resource, kept)):
            return
        prunes = history.pruned(resource, live, rules, new=new)
        if not found.diffs and not reason and not prunes:
            self.unchanged += 1
            return
        self._change(Action.UPDATE, resource, live, losers, found, reason, mark=after, moves=moves, prunes=prunes)

    def _replace(
        self,
        resource: Resource,
        live: Observed,
        losers: list[Observed],
        rules: KindRules,
        found: Comparison,
        reason: str,
    ) -> None:
        address = resource.address
        mark = live.mark or Mark(self.stack, address.key)
        if not rules.replaceable:
            self.objections.append(
                Problem(
                    f"{address}: {reason}, and a replacement would delete everything in it",
                    resource.location,
                    "put the old value back, or give the new one another name and move over step by step",
                )
            )
            return
        if resource.protect:
            self.objections.append(remarks.protected(address, "replace", reason, resource))
            return
        self.ids[address] = address.key if rules.named else UNKNOWN
        if rules.named:
            self.notices.append(
                Notice(
                    "its name can exist only once, so it is deleted first: it is missing until it has been made again",
                    str(address),
                )
            )
        newest = max([mark.generation, *(o.mark.generation for o in self.live.owned[address] if o.mark is not None)])
        mark = self._mark(resource, newest + 1, "", {})
        self._change(
            Action.REPLACE, resource, live, losers, found, reason, mark=mark, moves=True, delete_first=rules.named
        )

    def _change(
        self,
        action: Action,
        resource: Resource,
        live: Observed,
        losers: Sequence[Observed],
        found: Comparison,
        reason: str,
        *,
        mark: Mark,
        moves: bool,
        delete_first: bool = False,
        prunes: tuple[str, ...] = (),
    ) -> None:
        """Plan a change of something that is live and wanted."""
        rules, spares = self.rules[resource.address.kind], self._is_held(live)
        if spares and action is Action.REPLACE:
            reason = "; ".join(part for part in (reason, remarks.STAYS) if part)
        self.changes.append(
            Change(
                resource.address,
                action,
                display_live(rules, live.body, self.live.label),
                _shown(resource, rules),
                diffs=found.diffs,
                reason=reason,
                wanted=resource,
                live=live,
                mark=mark,
                moves=moves,
                delete_first=delete_first,
                retires=tuple(losers),
                spares=spares,
                prunes=prunes,
                moved_from=self.live.moved_from(live, resource.address),
            )
        )

    def _unowned(self, resource: Resource) -> None:
        address = resource.address
        remote_id = resource.remote_id or address.key
        live = self.live.by_id.get((address.kind, remote_id))
        self.ids[address] = remote_id
        if live is None and address.kind in self.snapshot.unread:
            self._notes(Notice("it is not managed here, and whether it exists was not checked", str(address)))
        elif live is None:
            self._objects_to(remarks.not_there(resource, remote_id))
        else:
            self.unchanged += 1
            unmarked = replace(live, mark=None)  # what others once applied is none of this spec's business
            found = compare(self.rules[address.kind], resource, unmarked, self.resolve, self.live.label)
            self.notices += (remarks.stays_different(address, diff) for diff in found.diffs)

    def known_only(self, address: Address) -> None:
        """An address outside the targets: nothing happens to it, but others may refer to it."""
        resource = self.wanted[address]
        if not resource.owned:
            self.ids[address] = resource.remote_id or address.key
        elif address in self.live.owned:
            self.ids[address] = self.live.winner(address)[0].remote_id

    # Objections and warnings

    def _objects_to(self, objection: Problem | None) -> bool:
        """Take note of an objection; True when there is one."""
        if objection is not None:
            self.objections.append(objection)
        return objection is not None

    def _notes(self, notice: Notice | None) -> None:
        self.notices += [notice] if notice is not None else []

    def _of_other_origin(self, address: Address) -> bool:
        """Whether another spec made it; that is objected to once for all such objects, at the end."""
        other = not self.request.accept_origin and self.live.is_of_other_origin(address, self.request.origin)
        if other:
            self.others.append(address)
        return other

    def _resumable(self, address: Address, live: Observed, losers: Sequence[Observed]) -> Observed | None:
        """A newer, unfinished copy from an interrupted replacement that can still become what is wanted."""
        newest = max(losers, key=lambda o: o.mark.generation if o.mark else 0, default=None)
        if newest is None or newest.mark is None or live.mark is None or not newest.usable:
            return None
        if newest.mark.generation <= live.mark.generation:
            return None
        rules, resource = self.rules[address.kind], self.wanted[address]
        found = compare(rules, resource, newest, self.resolve, self.live.label, self.live.formers, self.live.once)
        return None if any(diff.path in rules.create_only for diff in found.diffs) else newest

    def _is_held(self, live: Observed) -> bool:
        return (live.kind, live.remote_id) in self.held

    # Deletes, marks, the record

    def _delete(self, address: Address) -> None:
        objects = sorted(self.live.owned[address], key=lambda o: (o.created_at, o.remote_id))
        if self._of_other_origin(address):
            return
        self._objects_to(self.live.copies(address, *self.live.winner(address)))
        objects = [o for o in objects if (o.kind, o.remote_id) not in self.referred]
        if kept := [o for o in objects if self._is_held(o)]:
            user = self.held[kept[0].kind, kept[0].remote_id]
            self.notices.append(Notice(f"it stays, since an older version of {user} uses it", str(address)))
            objects = [o for o in objects if o not in kept]
        if not objects:
            return
        live, *others = objects
        resource = self.wanted.get(address)
        if resource is not None and not resource.owned:
            return
        if any(o.mark is not None and o.mark.protect for o in objects) or (resource is not None and resource.protect):
            self.objections.append(remarks.protected(address, "delete", "", resource))
            return
        if address in self.live.stays and not self.request.destroy:
            self.notices.append(remarks.does_not_move(address, self.live.stays[address]))
        rules = self.rules[address.kind]
        self.changes.append(
            Change(
                address,
                Action.DELETE,
                display_live(rules, live.body, self.live.label),
                None,
                reason="" if self.request.destroy else "it is no longer in the spec",
                live=live,
                retires=tuple(others),
            )
        )

    def _mark(
        self,
        resource: Resource,
        generation: int,
        nonce: str,
        stored: Mapping[str, str],
        fields: Mapping[str, str] | None = None,
    ) -> Mark:
        """The mark that the object will have; `fields` are the digests of its wanted body, where they are known."""
        rules, resource = self.rules[resource.address.kind], self.wanted[resource.address]  # as the spec has it
        return Mark(
            stack=self.stack,
            key=resource.address.key,
            generation=generation,
            nonce=nonce,
            origin=self.request.origin if rules.marked else "",
            protect=resource.protect,
            fields={} if not rules.marked else field_digests(rules, resource.body) if fields is None else fields,
            stored=stored,
        )


def _shown(resource: Resource, rules: KindRules) -> dict[str, object]:
    return {path: display(value) for path, value in resource.body.items() if path not in rules.hidden}
