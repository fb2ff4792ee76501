"""SHA-256 of every file that a stack uploads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from asstops.errors import Location, Problem, SpecInvalid
from asstops.model import Address, FileSource, Resource

_CHUNK = 1024 * 1024


def hash_sources(resources: Mapping[Address, Resource]) -> dict[Address, Resource]:
    """The same resources, each FileSource with its digest. Raises SpecInvalid naming every file that failed."""
    todo = {address: resource for address, resource in resources.items() if resource.source is not None}
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        results = dict(zip(todo, pool.map(_digest, todo.values()), strict=True))
    problems = [result for result in results.values() if isinstance(result, Problem)]
    if problems:
        raise SpecInvalid(problems)
    hashed = dict(resources)
    for address, resource in todo.items():
        result = results[address]
        assert isinstance(resource.source, FileSource)
        assert isinstance(result, str)
        hashed[address] = replace(resource, source=replace(resource.source, sha256=result))
    return hashed


def _digest(resource: Resource) -> str | Problem:
    source = resource.source
    assert source is not None
    where = resource.location or Location(source.shown)
    digest, size = hashlib.sha256(), 0
    try:
        with source.path.open("rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        return Problem(f"{resource.address}: file {source.shown!r} cannot be read: {error.strerror}", where)
    if size != source.size_bytes:
        return Problem(
            f"{resource.address}: file {source.shown!r} changed while it was read", where, "run the command again"
        )
    return digest.hexdigest()
