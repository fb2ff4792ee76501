"""The way of a spec through the program: load -> observe -> plan. What the command line and other programs call."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING

from asstops.errors import Problem, SpecInvalid, UnsafePlan
from asstops.mark import origin_digest
from asstops.model import Action, Address, Notice, Observed, OnDrift, Plan, RecordAction, Resource, Target
from asstops.ownership import Ownership, Snapshot
from asstops.planner import Request, make_plan
from asstops.rules import KindRules

if TYPE_CHECKING:
    from asstops.adoption import Adoption
    from asstops.hashcache import HashCache
    from asstops.inventory import Item
    from asstops.journal import Journal
    from asstops.leftovers import Leftover
    from asstops.providers.session import Session
    from asstops.providers.settings import Settings
    from asstops.spec import Stack


def open_session(
    stack: Stack,
    settings: Settings,
    *,
    ingest_timeout_s: float = 1800,
    destroying: bool = False,
    purge: bool = False,
) -> Session:
    """The way to the service that serves the stack. Nothing is sent before it is used."""
    from asstops.providers.session import Session
    from asstops.services import by_name

    return Session(
        settings,
        by_name(stack.service),
        stack.account,
        project=stack.project,
        stack=stack.identity,
        ingest_timeout_s=ingest_timeout_s,
        destroying=destroying,
        purge=purge,
    )


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan and the live state that it was made from."""

    plan: Plan
    snapshot: Snapshot
    wanted: Mapping[Address, Resource]
    rules: Mapping[str, KindRules]


def prepare(
    stack: Stack,
    session: Session,
    *,
    targets: Sequence[Address] = (),
    destroy: bool = False,
    accept_origin: bool = False,
    on_drift: OnDrift = OnDrift.OVERWRITE,
    journal: Journal | None = None,
    hashes: HashCache | None = None,
) -> Prepared:
    """Hash the files, read live state and make the plan. Reads much, writes nothing but `hashes` on this machine."""
    from asstops.kinds.file import with_content
    from asstops.observe import observe
    from asstops.spec import hash_files

    _check_versions(stack, session)
    hashed = hash_files(stack.resources, hashes)  # on destroy too: content alone tells files of one name apart
    wanted = {a: with_content(r) for a, r in hashed.items()}
    story = journal.read() if journal is not None else None
    snapshot = observe(session, wanted, stack.identity, story, moves=stack.moves)
    if destroy and (names := session.service.shared(session)):
        text = f"agents of the stack use what would be deleted: {', '.join(names[:5])}"
        fix = "destroy those first, with their spec; or leave these files and stores to them"
        raise UnsafePlan([placed(Problem(text, fix=fix), stack)])
    request = Request(
        target=target_of(stack, session),
        origin=origin_digest(stack.origin),
        targets=tuple(targets),
        destroy=destroy,
        accept_origin=accept_origin,
        on_drift=on_drift,
    )
    try:
        plan = make_plan(request, wanted, snapshot, session.service.rules)
    except UnsafePlan as error:
        raise UnsafePlan([placed(problem, stack) for problem in error.objections]) from error
    notices = (*session.service.notices(session), *plan.notices, *_of_homes(plan, session, snapshot))
    notices = (*notices, *_of_states(plan, snapshot), *_of_models(plan, wanted))
    return Prepared(replace(plan, notices=notices), snapshot, wanted, session.service.rules)


def today() -> date:
    """The day that it is, in UTC: what retirements are measured from."""
    return datetime.now(timezone.utc).date()


def checked(prepared: Prepared, session: Session, day: date) -> Prepared:
    """The same with notices of what stands in the way of what the plan makes and changes.

    Reads, and only where an account, a project or a deployment is to be written; then a bounded number of requests.
    """
    from asstops.checks import of_plan
    from asstops.checks.findings import notices

    account = next(iter(prepared.snapshot.objects.get("resource", ())), None)
    raw = account.raw if account is not None else None
    found = of_plan.check(prepared.plan, session, prepared.wanted, raw, day)
    plan = replace(prepared.plan, notices=(*prepared.plan.notices, *notices(found)))
    return replace(prepared, plan=plan)


def placed(problem: Problem, stack: Stack) -> Problem:
    """The problem with a place: what has left the spec is missed where the spec names its stack."""
    return problem if problem.location is not None else replace(problem, location=stack.location)


def _of_homes(plan: Plan, session: Session, snapshot: Snapshot) -> Iterator[Notice]:
    """What deleting the account or the project means: what else goes with it, and whether it can come back."""
    gone = {change.address.kind: change.address for change in plan.changes if change.action is Action.DELETE}
    for kind in ("project", "resource"):
        if kind in gone and (others := _inside(kind, snapshot, plan.target.stack)):
            shown = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
            yield Notice(f"what others made in it goes with it: {shown}", str(gone[kind]))
            break  # what is in a project is in its account
    for change in plan.changes:
        if change.address.kind == "project" and change.action is Action.DELETE:
            yield Notice("a deleted project cannot be brought back, nor what is in it", str(change.address))
        if change.address.kind == "resource" and change.action is Action.DELETE:
            yield Notice(
                "it is purged: neither the account nor anything in it can ever be brought back"
                if session.purge
                else "Azure keeps a deleted account for 48 hours, and its name is taken until then; restore: true "
                "brings it back, 'asstops destroy --purge' removes it for good",
                str(change.address),
            )


def _of_states(plan: Plan, snapshot: Snapshot) -> Iterator[Notice]:
    """What is live and of no use, though its fields are as they should be."""
    gone = {change.address for change in plan.changes if change.action is Action.DELETE}
    for found in snapshot.objects.values():
        for live in found:
            if "state" in live.problems and live.mark is not None and live.mark.stack == plan.target.stack:
                address = Address(live.kind, live.mark.key)
                if address not in gone:
                    yield Notice(live.problems["state"], str(address), "switch it on where it was switched off")


def _of_models(plan: Plan, wanted: Mapping[Address, Resource]) -> Iterator[Notice]:
    """An account that is yet to be made has no deployment but those of the spec."""
    new = any(change.address.kind == "resource" and change.action is Action.CREATE for change in plan.changes)
    if not new or any(address.kind == "deployment" for address in wanted):
        return
    models = sorted({str(r.body["model"]) for r in wanted.values() if isinstance(r.body.get("model"), str)})
    if models:
        text = f"the account is new and has no deployment, so there is no {', '.join(models)} for model: to mean"
        yield Notice(text, fix="declare it under deployments:")


def _inside(kind: str, snapshot: Snapshot, stack: str) -> list[str]:
    """What lives in an object of this kind and is not the stack's own, as people know it."""
    return sorted(
        f"{live.kind.replace('_', ' ')} {live.name}"
        for found in snapshot.objects.values()
        for live in found
        if any(used[0] == kind for used in live.uses) and (live.mark is None or live.mark.stack != stack)
    )


@dataclass(frozen=True, slots=True)
class Remains:
    """What an apply that was cut off has left, and the live state that shows it. `journal` says why one is useless."""

    target: Target
    origin: str
    snapshot: Snapshot
    journal: str
    items: tuple[Leftover, ...]


def remains(stack: Stack, session: Session, journal: Journal, hashes: HashCache | None = None) -> Remains:
    """Look for leftovers. Writes nothing. Raises UnsafePlan for a record that another repository or path wrote."""
    from asstops.collect import gather
    from asstops.kinds.file import with_content
    from asstops.observe import observe
    from asstops.spec import hash_files

    wanted = {address: with_content(resource) for address, resource in hash_files(stack.resources, hashes).items()}
    story, origin = journal.read(), origin_digest(stack.origin)
    snapshot = observe(session, wanted, stack.identity, story, moves=stack.moves)
    _check_record(snapshot, origin, stack)
    items = gather(session, snapshot, story, stack.identity)
    return Remains(target_of(stack, session), origin, snapshot, story.useless(snapshot.record.notes), items)


def _check_record(snapshot: Snapshot, origin: str, stack: Stack) -> None:
    if any(origin and page.mark.origin not in ("", origin) for page in snapshot.record.pages):
        text = "the record of files was written by a spec of the same stack name, from another repository or path"
        fix = "choose another stack name, or take it over with 'asstops apply --accept-origin'"
        raise UnsafePlan([placed(Problem(text, fix=fix), stack)])


def target_of(stack: Stack, session: Session) -> Target:
    """Which stack, and where."""
    account = stack.account
    return Target(
        stack=stack.identity,
        service=stack.service,
        account=account.address.key if account is not None else "",
        location=str(account.body.get("location", "")) if account is not None else "",
        endpoint=session.endpoint,
    )


def _check_versions(stack: Stack, session: Session) -> None:
    """Refuse fields that the API version in force does not have, rather than drop them."""
    kinds, version = session.service.kinds, session.service.api_version(session)
    problems = [
        Problem(
            f"{address}: {field} does not exist in api-version {version}",
            resource.location,
            "unset OPENAI_API_VERSION, or use 2025-03-01-preview",
        )
        for address, resource in stack.resources.items()
        for field in kinds[address.kind].unsupported(resource, version)
    ]
    if problems:
        raise SpecInvalid(problems)


@dataclass(frozen=True, slots=True)
class Located:
    """Where the objects of a spec are: remote ids, the versions of those that have some, and what is not there."""

    ids: Mapping[Address, str]
    versions: Mapping[Address, str]
    missing: tuple[Address, ...]


def locate(stack: Stack, session: Session, only: Collection[str] = (), *, hashes: HashCache | None = None) -> Located:
    """Find every object of the spec, or those of the kinds in `only`. Reads, and writes nothing."""
    from asstops.kinds.file import with_content
    from asstops.observe import observe
    from asstops.planner import identify
    from asstops.spec import hash_files

    kinds = {name for name, kind in session.service.kinds.items() if not only or kind.single or name in only}
    asked = {address: resource for address, resource in stack.resources.items() if address.kind in kinds}
    wanted = {address: _without_history(with_content(r), session) for address, r in hash_files(asked, hashes).items()}
    snapshot = observe(session, wanted, stack.identity, moves=stack.moves, only=only)
    request = Request(target_of(stack, session))
    ids = identify(request, wanted, snapshot, session.service.rules)
    live = {(found.kind, found.remote_id): found for kind in snapshot.objects.values() for found in kind}
    versions = {
        address: version
        for address, remote_id in ids.items()
        if (found := live.get((address.kind, remote_id)))
        and (version := session.service.kinds[address.kind].version(found))
    }
    return Located(ids, versions, tuple(address for address in wanted if address not in ids))


def _without_history(resource: Resource, session: Session) -> Resource:
    """The resource without the number of versions to keep: where nothing is pruned, they need not be listed."""
    keep = session.service.rules[resource.address.kind].keep_field
    return replace(resource, body={path: value for path, value in resource.body.items() if path != keep})


@dataclass(frozen=True, slots=True)
class Adopting:
    """What `adopt` would take over, and the plan that is then next. `unclear` says what `--match` could not decide."""

    adoptions: tuple[Adoption, ...]
    plan: Plan
    snapshot: Snapshot
    wanted: Mapping[Address, Resource]
    unclear: tuple[str, ...] = ()


def adopting(
    stack: Stack,
    session: Session,
    asked: Mapping[Address, str],
    *,
    match: bool = False,
    trust: bool = False,
    hashes: HashCache | None = None,
) -> Adopting:
    """Look at what is to be adopted. Writes nothing. Raises UnsafePlan where something may not be taken over."""
    from asstops import adoption
    from asstops.kinds.file import with_content
    from asstops.observe import observe
    from asstops.spec import hash_files

    wanted = {address: with_content(resource) for address, resource in hash_files(stack.resources, hashes).items()}
    snapshot = observe(session, wanted, stack.identity, moves=stack.moves)
    rules = session.service.rules
    unclear: list[str] = []
    if match:
        asked, unclear = adoption.matching(wanted, snapshot, rules, stack.identity, asked)
    snapshot = _looked_at(snapshot, session, {(address.kind, remote_id) for address, remote_id in asked.items()})
    origin = origin_digest(stack.origin)
    _check_record(snapshot, origin, stack)
    found, problems = adoption.chosen(asked, wanted, snapshot, rules, stack=stack.identity, origin=origin, trust=trust)
    if problems:
        raise UnsafePlan([placed(problem, stack) for problem in problems])
    request = Request(target_of(stack, session), origin=origin)
    addresses = {item.address for item in found}
    plan = next_plan(request, wanted, adoption.adopted(snapshot, found), rules, addresses)
    return Adopting(tuple(found), plan, snapshot, wanted, tuple(unclear))


def next_plan(
    request: Request,
    wanted: Mapping[Address, Resource],
    snapshot: Snapshot,
    rules: Mapping[str, KindRules],
    addresses: set[Address],
) -> Plan:
    """What the next plan says of these addresses. Where it will object to something, a notice says to what."""
    refused: tuple[Notice, ...] = ()
    try:
        plan = make_plan(request, wanted, snapshot, rules)
    except UnsafePlan as error:
        refused = tuple(Notice(f"the next plan will say: {p.message}", fix=p.fix) for p in error.objections)
        try:  # without what is not there, or not the stack's, yet
            ours = {*addresses, *Ownership(request.target.stack, wanted, snapshot, rules).owned}
            plan = make_plan(request, {a: r for a, r in wanted.items() if a in ours or not r.owned}, snapshot, rules)
        except UnsafePlan:
            plan = Plan(request.target, ())
    named = {str(address) for address in addresses}
    return replace(
        plan,
        changes=tuple(change for change in plan.changes if change.address in addresses),
        notices=(*(notice for notice in plan.notices if notice.address in named), *refused),
        record=RecordAction.NONE,
        origin=request.origin,
    )


def _looked_at(snapshot: Snapshot, session: Session, asked: set[tuple[str, str]]) -> Snapshot:
    """The snapshot with those of these objects read one by one of which listings do not show all: stores of others."""

    def read(live: Observed) -> Observed:
        if (live.kind, live.remote_id) not in asked or not session.service.rules[live.kind].marked_last:
            return live
        return session.service.kinds[live.kind].look(session, live) or live

    return replace(snapshot, objects={kind: [read(live) for live in found] for kind, found in snapshot.objects.items()})


def items(stack: Stack, session: Session, hashes: HashCache | None = None) -> tuple[tuple[Item, ...], Snapshot]:
    """Every object of the stack as it is live, and all that was read. Writes nothing."""
    from asstops.inventory import inventory
    from asstops.kinds.file import with_content
    from asstops.observe import observe
    from asstops.spec import hash_files

    wanted = {address: with_content(resource) for address, resource in hash_files(stack.resources, hashes).items()}
    snapshot = observe(session, wanted, stack.identity, moves=stack.moves)
    return tuple(inventory(stack.identity, wanted, snapshot, session.service.rules)), snapshot


def live_ids(
    stack: Stack, session: Session, only: Collection[str] = (), *, hashes: HashCache | None = None
) -> tuple[Mapping[Address, str], tuple[Address, ...]]:
    """The remote id of every object of the spec that exists, and the addresses of those that do not; as `locate`."""
    found = locate(stack, session, only, hashes=hashes)
    return found.ids, found.missing
