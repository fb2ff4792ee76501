"""The way of a spec through the program: load -> observe -> plan. What the command line and other programs call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asstops.errors import Problem, SpecInvalid
from asstops.mark import origin_digest
from asstops.model import Address, Plan, Resource, Target
from asstops.ownership import Snapshot
from asstops.planner import Request, make_plan

if TYPE_CHECKING:
    from asstops.providers.session import Session
    from asstops.spec import Stack


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan and the live state that it was made from."""

    plan: Plan
    snapshot: Snapshot
    wanted: Mapping[Address, Resource]


def prepare(
    stack: Stack,
    session: Session,
    *,
    targets: Sequence[Address] = (),
    destroy: bool = False,
    accept_origin: bool = False,
) -> Prepared:
    """Hash the files, read live state and make the plan. Reads much, writes nothing."""
    from asstops.kinds import registry
    from asstops.kinds.file import with_content
    from asstops.observe import observe
    from asstops.spec import hash_files

    kinds = registry()
    _check_versions(stack, session)
    hashed = hash_files(stack.resources)  # on destroy too: content alone tells files of one name apart
    wanted = {a: with_content(r) for a, r in hashed.items()}
    snapshot = observe(session, kinds, wanted, stack.identity)
    request = Request(
        target=target_of(stack, session),
        origin=origin_digest(stack.origin),
        targets=tuple(targets),
        destroy=destroy,
        accept_origin=accept_origin,
    )
    plan = make_plan(request, wanted, snapshot, {name: kind.rules for name, kind in kinds.items()})
    return Prepared(plan, snapshot, wanted)


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
    from asstops.kinds import registry

    kinds, version = registry(), session.settings.api_version
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


def live_ids(stack: Stack, session: Session) -> tuple[dict[Address, str], tuple[Address, ...]]:
    """The remote id of every object of the spec that exists, and the addresses of those that do not."""
    from asstops.kinds import registry
    from asstops.kinds.file import with_content
    from asstops.observe import observe
    from asstops.planner import identify
    from asstops.spec import hash_files

    kinds = registry()
    wanted = {address: with_content(resource) for address, resource in hash_files(stack.resources).items()}
    snapshot = observe(session, kinds, wanted, stack.identity)
    request = Request(target_of(stack, session))
    found = identify(request, wanted, snapshot, {name: kind.rules for name, kind in kinds.items()})
    return found, tuple(address for address in wanted if address not in found)
