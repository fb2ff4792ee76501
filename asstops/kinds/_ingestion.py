"""Taking files into a vector store: batches, waiting, and naming the files that were refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from asstops.errors import IngestionFailed, IngestionTimeout
from asstops.kinds.base import Step

if TYPE_CHECKING:
    from asstops.providers.session import Session

Json = dict[str, Any]
BATCH = 500
_SHOWN = 20


def take_in(session: Session, step: Step, store_id: str, files: Sequence[str], chunking: Json | None) -> None:
    """Attach files in batches of at most 500 and wait until all are in. Raises IngestionFailed, IngestionTimeout."""
    waiting = [
        session.data.attach_files(store_id, list(files[i : i + BATCH]), chunking) for i in range(0, len(files), BATCH)
    ]
    ended: list[Json] = []

    def all_ended() -> bool:
        while waiting:
            seen = session.data.get_batch(store_id, waiting[0]["id"])
            step.report(sum(_settled(batch) for batch in (*ended, seen)), len(files))
            if seen["status"] == "in_progress":
                return False
            ended.append(seen)
            del waiting[0]
        return True

    _await(session, step, store_id, all_ended)
    if any(batch["file_counts"]["failed"] or batch["file_counts"]["cancelled"] for batch in ended):
        raise _refused(session, step, store_id)


def await_store(session: Session, step: Step, store_id: str) -> None:
    """Wait for files that an earlier, interrupted apply attached. Raises as take_in does."""
    counts: Json = {}

    def settled() -> bool:
        counts.update(session.data.get_vector_store(store_id)["file_counts"])
        step.report(counts["total"] - counts["in_progress"], counts["total"])
        return bool(counts["in_progress"] == 0)

    _await(session, step, store_id, settled)
    if counts["failed"] or counts["cancelled"]:
        raise _refused(session, step, store_id)


def _await(session: Session, step: Step, store_id: str, done: Callable[[], bool]) -> None:
    """Wait, and when the time is over name what it waited for."""
    try:
        session.poll(str(step.wanted.address), done)
    except IngestionTimeout as error:
        files = list(session.data.list_store_files(store_id))
        hanging = [step.labels.get(item["id"], item["id"]) for item in files if item.get("status") == "in_progress"]
        failed = [f"{step.labels.get(i, i)}: {why}" for i, why in refused(files).items()]
        text = f"{error.message}; still being taken in: {_some(hanging)}" if hanging else error.message
        text += f"; refused: {_some(failed, '; ')}" if failed else ""
        fix = f"{error.fix}; a file that hangs for good can be taken out of the store, and put back later"
        raise IngestionTimeout(text, fix=fix) from error


def _some(names: Sequence[str], between: str = ", ") -> str:
    return between.join([*names[:_SHOWN], *([f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else [])])


def reason(item: Json) -> str:
    """Why a file is not in, in the service's words."""
    error = item.get("last_error") or {}
    return f"{error.get('message', item.get('status'))} ({error.get('code', item.get('status'))})"


def refused(items: Iterable[Json]) -> dict[str, str]:
    """File id -> reason for the attached files that were not taken in."""
    return {item["id"]: reason(item) for item in items if item.get("status") in ("failed", "cancelled")}


def _settled(batch: Json) -> int:
    counts = batch["file_counts"]
    return int(counts["total"] - counts["in_progress"])


def _refused(session: Session, step: Step, store_id: str) -> IngestionFailed:
    failed = [f"{step.labels.get(i['id'], i['id'])}: {reason(i)}" for i in session.data.list_refused_files(store_id)]
    shown = failed[:_SHOWN] + ([f"and {len(failed) - _SHOWN} more"] if len(failed) > _SHOWN else [])
    return IngestionFailed(
        f"{len(failed)} of {len(step.wanted.body['files'])} files could not be taken in: " + "; ".join(shown),
        fix="correct or remove these files; the next apply tries them again alone",
    )
