"""The mark: how asstops knows its own objects again, as text for metadata and tags. Pure.

    1 STACK KEY GENERATION NONCE ORIGIN FLAGS|FIELDS|STORED

STACK is the stack's identity, GENERATION counts replacements, FLAGS is `p` for protect or `-`. FIELDS and STORED are
runs of eight characters: four for the name of a field, four for the value the spec had (FIELDS) or for the form in
which the service keeps that value, where it is another one (STORED; `....` for drift that was kept). In metadata all
of it is one pair of at most 512 characters; as Azure tags the part before the first `|` is `asstops`, the rest
`asstops.d`, 256 characters each.

Worst cases: identity 73 characters (48 + "/" + 24), key 64, so the head stays under 180; an assistant has 13 fields
and 15 metadata pairs, so the digests stay under 332.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from asstops.digest import canonical, short
from asstops.model import Mark

KEY = "asstops"
DIGESTS_KEY = "asstops.d"
METADATA_LIMIT = 512
TAG_LIMIT = 256
KEPT = "...."
"""Stands among STORED, with characters that no digest has, for a field whose live value is no form of the spec's."""
_VERSION = "1"
_FIELD = 4


@lru_cache(maxsize=4096)
def path_digest(path: str) -> str:
    """Four characters for the name of a field."""
    return short(f"path\0{path}", _FIELD)


def value_digest(value: object) -> str:
    """Four characters for a value in canonical form."""
    return short(f"value\0{canonical(value)}", _FIELD)


def origin_digest(origin: str) -> str:
    """Six characters for where a spec lives; "" for an unknown origin."""
    return short(f"origin\0{origin}", 6) if origin else ""


def to_metadata(mark: Mark) -> str:
    """The mark as one metadata value of at most 512 characters."""
    return _fit(f"{_head(mark)}|{_digests(mark)}", METADATA_LIMIT)


def to_tags(mark: Mark) -> dict[str, str]:
    """The mark as two Azure tags of at most 256 characters each."""
    return {KEY: _fit(_head(mark), TAG_LIMIT), DIGESTS_KEY: _fit(_digests(mark), TAG_LIMIT)}


def fits_metadata(mark: Mark) -> bool:
    """Whether the mark fits, also once it has a nonce and the number of any version to come."""
    ready = replace(mark, generation=9999, nonce="nonce678")
    return len(f"{_head(ready)}|{_digests(ready)}") <= METADATA_LIMIT


def from_metadata(metadata: Mapping[str, str] | None) -> Mark | None:
    """The mark in an object's metadata; None when there is none, or none that this version can read."""
    return _parse((metadata or {}).get(KEY, ""))


def from_tags(tags: Mapping[str, str] | None) -> Mark | None:
    """The mark in a resource's tags; Azure keeps the case of tag names but does not tell them apart by it."""
    lower = {name.lower(): value for name, value in (tags or {}).items()}
    return _parse(f"{lower.get(KEY, '')}|{lower.get(DIGESTS_KEY, '|')}")


def is_ours(key: str) -> bool:
    """True for the metadata and tag names that hold the mark."""
    return key.lower() in (KEY, DIGESTS_KEY)


def _head(mark: Mark) -> str:
    flags = "p" if mark.protect else "-"
    return f"{_VERSION} {mark.stack} {mark.key} {mark.generation} {mark.nonce or '-'} {mark.origin or '-'} {flags}"


def _digests(mark: Mark) -> str:
    return "|".join(
        "".join(name + value for name, value in sorted(pairs.items())) for pairs in (mark.fields, mark.stored)
    )


def _fit(text: str, limit: int) -> str:
    if len(text) > limit:
        raise ValueError(f"a mark of {len(text)} characters is over the limit of {limit}")
    return text


def _parse(text: str) -> Mark | None:
    head, _, digests = text.partition("|")
    parts = head.split(" ")
    if len(parts) != 7 or parts[0] != _VERSION or not parts[3].isdecimal():
        return None
    fields, _, stored = digests.partition("|")
    if len(fields) % (2 * _FIELD) or len(stored) % (2 * _FIELD):
        return None
    _, stack, key, generation, nonce, origin, flags = parts
    return Mark(
        stack=stack,
        key=key,
        generation=int(generation),
        nonce="" if nonce == "-" else nonce,
        origin="" if origin == "-" else origin,
        protect=flags == "p",
        fields=_pairs(fields),
        stored=_pairs(stored),
    )


def _pairs(text: str) -> dict[str, str]:
    width = 2 * _FIELD
    return {text[i : i + _FIELD]: text[i + _FIELD : i + width] for i in range(0, len(text), width)}
