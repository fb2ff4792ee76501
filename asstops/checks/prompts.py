"""Instructions that a service takes at first, and may not take in an update. Pure; other limits are the spec's own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from asstops.checks.findings import Finding, State, Topic
from asstops.model import Address, Resource


def check(wanted: Mapping[Address, Resource], most: int, of: Collection[Address] | None = None) -> Iterator[Finding]:
    """`most` characters is what the service's document of an update allows, 0 for no limit; `of` limits to some."""
    for address, resource in wanted.items():
        text = resource.body.get("instructions")
        if not most or not isinstance(text, str) or len(text) <= most or (of is not None and address not in of):
            continue
        message = f"instructions have {len(text):,} characters; Azure's document of an update allows {most:,}"
        fix = "shorten them, or move what is to be known into files for file_search"
        yield Finding(Topic.SPEC, State.WARNING, message, str(address), fix)
