"""Rules for Azure tags and service metadata that users write beside the mark of asstops."""

from __future__ import annotations

from collections.abc import Mapping

from asstops.kinds.base import BuildContext

RESERVED = "asstops"
MAX_TAGS = 15
MAX_METADATA = 15


def check(tags: Mapping[str, str], ctx: BuildContext) -> None:
    """Azure tags: at most 15 named in a spec, name up to 512 characters, value up to 256, none of ours."""
    _check("tags", tags, ctx, MAX_TAGS, 512, 256)


def check_metadata(metadata: Mapping[str, str], ctx: BuildContext) -> None:
    """Service metadata: 16 pairs of which the mark takes one, key up to 64 characters, value up to 512."""
    _check("metadata", metadata, ctx, MAX_METADATA, 64, 512)


def _check(field: str, pairs: Mapping[str, str], ctx: BuildContext, count: int, key_max: int, value_max: int) -> None:
    if len(pairs) > count:
        ctx.problem(f"{field} has {len(pairs)} entries, at most {count} are allowed", (field,), "remove some")
    for key, value in pairs.items():
        if key.lower() == RESERVED or key.lower().startswith(RESERVED + "."):
            ctx.problem(f"{key!r} is reserved for the mark of asstops", (field, key), "choose another name")
        if not 1 <= len(key) <= key_max:
            ctx.problem(
                f"{field} name has {len(key)} characters, 1 to {key_max} are allowed", (field, key), "shorten it"
            )
        if len(value) > value_max:
            ctx.problem(
                f"{field}.{key} has {len(value)} characters, at most {value_max} are allowed",
                (field, key),
                "shorten it",
            )


def merged(live: Mapping[str, str], wanted: Mapping[str, str], field: str, changed: frozenset[str]) -> dict[str, str]:
    """The pairs to send: everybody else's as they are, ours as wanted, and without those of ours that left the spec."""
    gone = {path.partition(".")[2] for path in changed if path.startswith(f"{field}.")} - set(wanted)
    return {key: value for key, value in live.items() if key not in gone} | dict(wanted)


def left_over(stored: Mapping[str, str], sent: Mapping[str, str]) -> dict[str, str]:
    """Pairs that a service which merges metadata kept although they were left out, each emptied to drop it."""
    return {key: "" for key, value in stored.items() if key not in sent and value}
