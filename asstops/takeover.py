"""Carry out adoptions: write marks, and entries of the record for files. Changes nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from asstops import recheck
from asstops.adoption import Adoption
from asstops.errors import AsstopsError, Moved, ResultDiffers
from asstops.kinds.base import Step
from asstops.model import Address, Resource
from asstops.ownership import Snapshot
from asstops.recorder import Recorder, new_nonce

if TYPE_CHECKING:
    from asstops.providers.session import Session


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended, address by address. `stale` as in a Report."""

    done: tuple[Address, ...]
    failed: Mapping[Address, AsstopsError]
    wrote: bool
    stale: bool


def take_over(
    session: Session,
    adoptions: Sequence[Adoption],
    wanted: Mapping[Address, Resource],
    snapshot: Snapshot,
    *,
    stack: str,
    origin: str,
    tell: Callable[[Address], None],
) -> Outcome:
    """Mark each object, the files last and together: their marks are entries of the stack's record."""
    done: list[Address] = []
    failed: dict[Address, AsstopsError] = {}
    files = {item.address: item for item in adoptions if item.content}
    for item in adoptions:
        if item.content:
            continue
        try:
            _mark(session, item, wanted[item.address])
        except AsstopsError as error:
            failed[item.address] = error
        else:
            done.append(item.address)
            tell(item.address)
    if files:
        try:
            _record(session, files, snapshot, stack=stack, origin=origin)
        except AsstopsError as error:
            failed.update(dict.fromkeys(files, error))
        else:
            done += files
            for address in files:
                tell(address)
    stale = any(isinstance(error, Moved) for error in failed.values())
    return Outcome(tuple(done), failed, wrote=session.limiter.writes > 0, stale=stale)


def _mark(session: Session, item: Adoption, wanted: Resource) -> None:
    """One update that sends what is live already, and the mark. Raises what that runs into, Moved among it."""
    kind = session.service.kinds[item.address.kind]
    now = recheck.as_planned(session, kind, item.live, frozenset())
    mark = replace(item.mark, nonce=new_nonce())
    body = {path: value for path, value in now.body.items() if value is not None}
    live = replace(now, problems={}, ready=True)  # what is wrong with it is for the next apply
    step = Step(wanted=replace(wanted, body=body), mark=mark, live=live)
    after = kind.update(session, step)
    if after.mark is None or (after.mark.stack, after.mark.key) != (mark.stack, mark.key):
        raise ResultDiffers(
            f"the mark of {item.address} was sent, and the service does not show it",
            fix="plan again to see what is live",
        )


def _record(
    session: Session, files: Mapping[Address, Adoption], snapshot: Snapshot, *, stack: str, origin: str
) -> None:
    recorder = Recorder(
        session,
        snapshot.record,
        stack,
        origin,
        nonce=new_nonce,
        sources=snapshot.sources,
        foreign=snapshot.foreign,
    )
    for item in files.values():
        recorder.add(item.live.remote_id, item.content)
    recorder.finish()
