"""The second look: an object is read again just before it is written to, and left alone if it has moved.

Azure documents no conditional writes for any of our kinds, so between this look and the write some milliseconds remain
in which somebody else may still come first.
"""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING, Any

from asstops import fingerprint
from asstops.errors import Moved
from asstops.model import Address, Observed

if TYPE_CHECKING:
    from asstops.kinds import Kind
    from asstops.providers.session import Session

_FIX = "plan again to see what is live now"


def still_as_planned(session: Session, kind: Kind[Any], live: Observed, gone: Set[str]) -> Observed | None:
    """The object as it is now, None when it is gone. Raises Moved when it is no longer what the plan was made from.

    `gone` are ids that this apply deletes itself: that they left what used them is no change of others. Other workers
    add to it meanwhile, so it is read after the look.
    """
    now = kind.look(session, live)
    if now is None:
        return None
    # One view of it for both sides, and not a copy of it all: a destroy of a large stack would copy it at each step.
    ours = frozenset(item for side in (live, now) for item in fingerprint.referred(kind.rules, side) if item in gone)
    paths = fingerprint.moved(
        fingerprint.live_fields(kind.rules, live, ours), fingerprint.live_fields(kind.rules, now, ours)
    )
    if paths:
        raise Moved(f"it changed after the plan was made, so it was left alone: {fingerprint.named(paths)}", fix=_FIX)
    return now


def as_planned(session: Session, kind: Kind[Any], live: Observed, gone: Set[str]) -> Observed:
    """As still_as_planned, for an object that must be there."""
    now = still_as_planned(session, kind, live, gone)
    if now is None:
        raise Moved(f"it was deleted after the plan was made ({live.remote_id})", fix=_FIX)
    return now


def check_free(session: Session, kind: Kind[Any], address: Address) -> None:
    """A PUT under a name that others have taken since would overwrite what is theirs. Raises Moved."""
    if kind.look(session, Observed(address.kind, address.key, address.key, {})) is not None:
        raise Moved(f"{address.key} was made by others after the plan was made, so it was left alone", fix=_FIX)
