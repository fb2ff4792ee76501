"""Going back to an earlier version of an assistant: which one, what that changes, and where the spec then differs.

Decides and reads; writes nothing. What it returns is a plan of one change, which `apply` carries out as any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from asstops.diff import compare, display, display_live, field_digests, flatten, normal, same
from asstops.errors import AsstopsError, Location, Problem, UnsafePlan, UsageError
from asstops.history import pruned
from asstops.mark import origin_digest, path_digest
from asstops.model import (
    UNKNOWN,
    Action,
    Address,
    Cause,
    Change,
    FieldDiff,
    ItemDiff,
    Mark,
    Observed,
    Plan,
    Ref,
    Resource,
    Target,
)
from asstops.ownership import Ownership, Snapshot, other_origin
from asstops.planner import Request, identify
from asstops.rules import KindRules
from asstops.services.base import INSTEAD_OF, RESTORES, Version
from asstops.workflow import Prepared, placed, target_of

if TYPE_CHECKING:
    from asstops.hashcache import HashCache
    from asstops.providers.session import Session
    from asstops.spec import Stack

KIND = "assistant"
LATEST = "latest"
_OTHER_WAY = {Action.CREATE: Action.DELETE, Action.DELETE: Action.CREATE}


@dataclass(frozen=True, slots=True)
class Entry:
    """A version as people are told of it. `created_at` is in Unix seconds, `ours` that asstops made it.

    `differs` are the fields in which it is not what is current.
    """

    number: str
    created_at: float
    ours: bool
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rollback:
    """What going back comes to. `plan` is empty when nothing is to be done.

    `spec` are the fields in which the spec then differs, from what it says (`before`) to what will be live (`after`);
    `location` is where it says so. `files` are those of the repository that a field comes from.
    """

    target: Target
    address: Address
    current: Entry
    version: Entry
    plan: Plan
    spec: tuple[FieldDiff, ...] = ()
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    location: Location | None = None


def prepare(
    stack: Stack, session: Session, key: str, wanted_version: str = "", *, hashes: HashCache | None = None
) -> tuple[Rollback, Prepared]:
    """Decide on the version and read all that matters to it; "" means the newest that differs from what is current.

    Raises UsageError for a version that is not there, UnsafePlan for an assistant that is not this stack's, and
    AsstopsError where there is nothing to go back to or something is gone that the version refers to.
    """
    from asstops.kinds.file import with_content
    from asstops.observe import observe
    from asstops.spec import hash_files

    wanted = {address: with_content(resource) for address, resource in hash_files(stack.resources, hashes).items()}
    snapshot = observe(session, wanted, stack.identity, moves=stack.moves)
    rules, address, target = session.service.rules, Address(KIND, key), target_of(stack, session)
    owners = Ownership(stack.identity, wanted, snapshot, rules)
    live = _ours(stack, owners, address)
    versions = session.service.versions(session, live)
    known = identify(Request(target), wanted, snapshot, rules)
    about = _About(stack.identity, rules[KIND], owners, wanted, known, address, live, versions)
    current, version = about.entry(versions[0]), about.chosen(wanted_version)
    empty = Plan(target, ())
    if same(version.content, versions[0].content):
        done = Rollback(target, address, current, about.entry(version), empty)
        return done, Prepared(empty, snapshot, wanted, rules)
    about.check_references(session, snapshot, version)
    change = about.change(version)
    plan = Plan(target, (change,), known=known)
    spec = about.spec_differs(version, change.mark)
    found = Rollback(
        target,
        address,
        current,
        about.entry(version),
        plan,
        spec=spec,
        files={diff.path: about.files(diff) for diff in spec},
        location=wanted[address].location,
    )
    return found, Prepared(plan, snapshot, wanted, rules)


def check_kept(session: Session) -> None:
    """Raise UsageError where the service has no versions to go back to. Sends nothing."""
    if not session.service.keeps_versions:
        raise UsageError(
            f"service {session.service.name} keeps no earlier versions of an assistant",
            fix="put the earlier values back into the spec ('git log -p' shows them) and run asstops apply",
        )


def _ours(stack: Stack, owners: Ownership, address: Address) -> Observed:
    """The live assistant. Raises UnsafePlan for one that is not this stack's, and AsstopsError for none."""
    taken = owners.name_taken(address)
    if taken is not None:
        raise UnsafePlan([placed(taken, stack)])
    if owners.is_of_other_origin(address, origin_digest(stack.origin)):
        problem = other_origin([address]) or Problem(f"{address} is of another origin")
        fix = "choose another stack name, or take it over with 'asstops apply --accept-origin'"
        raise UnsafePlan([placed(replace(problem, fix=fix), stack)])
    if address not in owners.owned:
        raise AsstopsError(f"{address} does not exist yet", fix="run asstops apply")
    winner, losers = owners.winner(address)
    copies = owners.copies(address, winner, losers)
    if copies is not None:
        raise UnsafePlan([placed(copies, stack)])
    return winner


@dataclass(frozen=True, slots=True)
class _About:
    """One assistant with its history, and what its versions mean."""

    stack: str
    rules: KindRules
    owners: Ownership
    resources: Mapping[Address, Resource]
    known: Mapping[Address, str]
    address: Address
    live: Observed
    versions: Sequence[Version]

    @property
    def wanted(self) -> Resource:
        return self.resources[self.address]

    def entry(self, version: Version) -> Entry:
        differs = tuple(diff.path for diff in self.differences(version))
        return Entry(version.number, version.created_at, self._is_ours(version) and version.live.pristine, differs)

    def chosen(self, number: str) -> Version:
        """The version to go back to; the current one where there is nothing to do."""
        current, *earlier = self.versions
        if number == LATEST:
            return current
        if number:
            found = next((version for version in self.versions if version.number == number), None)
            if found is None:
                listed = "\n".join(self._listed())
                raise UsageError(
                    f"{self.wanted.address} has no version {number}; there {_is_or_are(self.versions)}\n{listed}",
                    fix="name one of these with --to, or leave it out for the newest that says something else",
                )
            return found
        other = next((version for version in earlier if not same(version.content, current.content)), None)
        if other is None:
            raise AsstopsError(
                f"{self.wanted.address} has no earlier version that says anything else than version {current.number}",
                fix="put the values that you want into the spec and run asstops apply; keep_versions says how many "
                "versions stay",
            )
        return other

    def _listed(self) -> Iterator[str]:
        from asstops.views.rollback import describe

        return (describe(self.entry(version), current=version is self.versions[0]) for version in self.versions)

    def differences(self, version: Version) -> tuple[FieldDiff, ...]:
        """From what is current to what the version said, field by field; also what no spec can say."""
        current = self.versions[0]
        have, will = flatten(self.rules, current.live.body), flatten(self.rules, version.live.body)
        paths = sorted({*have, *will} - self.rules.unrecorded)
        found = [diff for path in paths if (diff := self._difference(path, have.get(path), will.get(path))) is not None]
        for path in sorted({*current.rest, *version.rest}):
            before, after = current.rest.get(path), version.rest.get(path)
            if not same(before, after):
                found.append(FieldDiff(path, display(before), display(after)))
        if not found:  # something inside a tool that no spec can say
            found = [
                FieldDiff(name, display(current.content.get(name)), display(said))
                for name, said in version.content.items()
                if not same(current.content.get(name), said)
            ]
        return tuple(found)

    def _difference(self, path: str, have: Any, will: Any) -> FieldDiff | None:
        before, after = normal(self.rules, path, have), normal(self.rules, path, will)
        if same(before, after):
            return None
        kind = self.rules.references.get(path)
        if kind is None:
            return FieldDiff(path, display(before), display(after), sensitive=path in self.wanted.sensitive)
        old, new = self._labels(kind, before), self._labels(kind, after)
        items = [ItemDiff(Action.DELETE, label) for label in old if label not in new]
        items += [ItemDiff(Action.CREATE, label) for label in new if label not in old]
        many = isinstance(before, list) or isinstance(after, list)
        return FieldDiff(
            path,
            old if many else next(iter(old), None),
            new if many else next(iter(new), None),
            items=tuple(sorted(items, key=lambda item: item.label)) if many else (),
        )

    def _labels(self, kind: str, value: Any) -> list[str]:
        items = value if isinstance(value, list) else [value]
        return sorted(self._label(kind, item) for item in items if item is not None)

    def _label(self, kind: str, item: str) -> str:
        """The address of an object; its id where another object has that address now."""
        label = self.owners.label(kind, item)
        now = {str(address): remote_id for address, remote_id in self.known.items() if address.kind == kind}
        return label if now.get(label, item) == item else item

    def change(self, version: Version) -> Change:
        """The one change of the plan."""
        live, body, diffs = self.live, version.live.body, self.differences(version)
        current = self.versions[0].number
        return Change(
            self.wanted.address,
            Action.UPDATE,
            display_live(self.rules, live.body, self.owners.label),
            display_live(self.rules, body, self.owners.label),
            diffs=diffs,
            wanted=Resource(
                self.wanted.address,
                body,
                options={RESTORES: version, INSTEAD_OF: current},
                sensitive=self.wanted.sensitive,
            ),
            live=live,
            mark=self._mark(version),
            prunes=pruned(self.wanted, live, self.rules, new=True),
        )

    def _is_ours(self, version: Version) -> bool:
        return version.live.mark is not None and version.live.mark.stack == self.stack

    def _mark(self, version: Version) -> Mark:
        """The mark that fits the version: what the spec said when it was written, so that newer values are pending.

        One that others wrote has none; with the newest mark what they changed is drift, as it was. The nonce is left
        to `apply`: it tells the new version from every other where the answer is lost.
        """
        newest = self.live.mark
        if newest is None:
            raise ValueError(f"{self.wanted.address} carries no mark")
        own = version.live.mark if self._is_ours(version) and version.live.mark is not None else newest
        return replace(own, nonce="", protect=newest.protect, origin=newest.origin, key=newest.key)

    def spec_differs(self, version: Version, mark: Mark | None) -> tuple[FieldDiff, ...]:
        """From what the spec says to what will be live: what the next plan would take back."""
        pristine = version.live.pristine and self._is_ours(version)
        will_be = replace(version.live, mark=mark, pristine=pristine)
        found = compare(self.rules, self.wanted, will_be, lambda a: self.known.get(a, UNKNOWN), self.owners.label)
        return tuple(self._turned(diff, version) for diff in found.diffs if diff.path not in self.rules.unrecorded)

    def _turned(self, diff: FieldDiff, version: Version) -> FieldDiff:
        """A difference of the next plan, seen from the spec."""
        if diff.path in self._same_references(version):
            ids = _listed(version.live.body.get(diff.path))
            older = [address for address in self._referred(diff.path) if self.known.get(address) not in ids]
            items = tuple(
                ItemDiff(Action.UPDATE, str(address), "older content" if address.kind == "file" else "older object")
                for address in older
            )
            return FieldDiff(diff.path, diff.after, diff.after, items=items)
        items = tuple(replace(item, action=_OTHER_WAY.get(item.action, item.action), detail="") for item in diff.items)
        origin = self.wanted.origins.get(diff.path, diff.origin)
        return replace(diff, before=diff.after, after=diff.before, cause=Cause.PENDING, items=items, origin=origin)

    def files(self, diff: FieldDiff) -> tuple[str, ...]:
        """The files of the repository whose text, content or entry a field of the spec comes from."""
        if diff.origin:
            return (diff.origin,)
        labels = {item.label for item in diff.items if item.action is Action.UPDATE}
        found: list[str] = []
        for address in self._referred(diff.path):
            resource = self.resources.get(address)
            if resource is not None and str(address) in labels:
                found += [resource.source.shown] if resource.source is not None else []
                found += [resource.location.file] if resource.source is None and resource.location is not None else []
        return tuple(dict.fromkeys(found))

    def _referred(self, path: str) -> list[Address]:
        """The addresses that a field of the spec refers to, sorted."""
        return sorted(ref.address for ref in _listed(self.wanted.body.get(path)) if isinstance(ref, Ref))

    def _same_references(self, version: Version) -> frozenset[str]:
        """The fields that referred to the same addresses as they do in the spec now, as the version's mark tells."""
        if not self._is_ours(version) or version.live.mark is None:
            return frozenset()
        now, then = field_digests(self.rules, self.wanted.body), version.live.mark.fields
        keys = {path: path_digest(path) for path in self.rules.references}
        return frozenset(path for path, key in keys.items() if key in now and now[key] == then.get(key))

    # What the version refers to

    def check_references(self, session: Session, snapshot: Snapshot, version: Version) -> None:
        """Raise AsstopsError where something is gone that the version refers to."""
        used = version.live.uses - session.homes
        gone = [(kind, item) for kind, item in sorted(used) if not _is_there(session, snapshot, kind, item)]
        if not gone:
            return
        once = self._once(version, gone)
        named = ", ".join(
            f"{kind.replace('_', ' ')} {item}" + (f" (it was {once[item]})" if item in once else "")
            for kind, item in gone
        )
        is_gone = "is gone" if len(gone) == 1 else "are gone"
        raise AsstopsError(
            f"{self.wanted.address} cannot go back to version {version.number}: {named}, which it refers to, {is_gone}",
            fix="choose another version with --to, or put the earlier values into the spec and apply them; with "
            "keep_versions in the spec, what the versions that stay refer to stays too",
        )

    def _once(self, version: Version, gone: Iterable[tuple[str, str]]) -> dict[str, str]:
        """The addresses that ids had which are gone, where nothing else is possible."""
        found: dict[str, str] = {}
        for path in self._same_references(version):
            kind, ids = self.rules.references[path], _listed(version.live.body.get(path))
            left = {str(address) for address in self._referred(path)}
            left -= {self.owners.label(kind, item) for item in ids if (kind, item) not in gone}
            lost = [item for item in ids if (kind, item) in gone]
            if len(lost) == len(left) == 1:
                found[lost[0]] = left.pop()
        return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _is_or_are(versions: Sequence[Version]) -> str:
    return "is one version:" if len(versions) == 1 else f"are {len(versions)}:"


def _is_there(session: Session, snapshot: Snapshot, kind: str, item: str) -> bool:
    """Read it again: a listing may lag behind, or leave out what was uploaded for something else."""
    if "{{" in item:  # filled in when the agent is asked
        return True
    if kind == "file":
        return session.data.find_file(item) is not None
    if kind == "vector_store":
        store = session.data.find_vector_store(item)
        return store is not None and store.get("status") != "expired"
    if kind == "deployment" and kind in snapshot.objects and kind not in snapshot.unread and "/" not in item:
        return any(live.remote_id.lower() == item.lower() for live in snapshot.objects[kind])
    return True
