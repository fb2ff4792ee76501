"""SHA-256 of every file that a stack uploads, read only where the cache does not know it.

Large files are shared out among threads: hashing lets the others work. Small ones are not, since handing one over takes
longer than hashing it. They are opened some dozens at a time, so that the disk fetches the next ones meanwhile.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from asstops.errors import Location, Problem, SpecInvalid
from asstops.hashcache import HashCache, Known, Stamp, stamp
from asstops.model import Address, FileSource, Resource

_LOG = logging.getLogger("asstops")
_LARGE = 64 * 1024
_BLOCK = 256 * 1024  # what is read at a time: more leaves the processor's cache before it is hashed
_TOGETHER = 64
_READERS = (os.cpu_count() or 1) + 2  # some wait for the disk while the others hash

Todo = tuple[str, Resource]
"""The path of a file, and whose it is."""
Hashed = tuple[str, Stamp]
"""A digest, and what the file system said of the file before it was read."""


def hash_sources(resources: Mapping[Address, Resource], cache: HashCache | None = None) -> dict[Address, Resource]:
    """The same resources, each FileSource with its digest. Raises SpecInvalid naming every file that failed.

    Where `cache` is given it saves reading, and remembers what was read.
    """
    todo = {str(resource.source.path): resource for resource in resources.values() if resource.source is not None}
    sizes = {path: _source(resource).size_bytes for path, resource in todo.items()}
    if cache is not None and not cache.is_worth_it(len(sizes), sum(sizes.values())):
        cache = None
    known = cache.look(sizes) if cache is not None else Known()
    results = _hash_all([(path, resource) for path, resource in todo.items() if path not in known.digests])
    problems = [result for result in results.values() if isinstance(result, Problem)]
    read = {path: result for path, result in results.items() if not isinstance(result, Problem)}
    if cache is not None:
        _LOG.info("read %d of %d files to hash them", len(results), len(todo))
        cache.keep(known, {path: (found, digest) for path, (digest, found) in read.items()})
    if problems:
        raise SpecInvalid(problems)
    digests = {**known.digests, **{path: digest for path, (digest, _) in read.items()}}
    return {address: _with_digest(resource, digests) for address, resource in resources.items()}


def _with_digest(resource: Resource, digests: Mapping[str, str]) -> Resource:
    source = resource.source
    if source is None:
        return resource
    sha256 = digests[str(source.path)]
    return replace(resource, source=replace(source, sha256=sha256))


def _source(resource: Resource) -> FileSource:
    assert resource.source is not None
    return resource.source


def _hash_all(todo: Sequence[Todo]) -> dict[str, Hashed | Problem]:
    """By path, in any order. The largest files are begun first, so that none is left over at the end."""
    small: list[Todo] = []
    large: list[tuple[int, Todo]] = []
    for one in todo:
        size = _source(one[1]).size_bytes
        if size < _LARGE:
            small.append(one)
        else:
            large.append((size, one))
    large.sort(key=lambda item: -item[0])
    found: dict[str, Hashed | Problem] = {}
    with ThreadPoolExecutor(max_workers=min(_READERS, len(large)) or 1) as pool:
        try:
            begun = pool.map(_hash_some, ([one] for _, one in large))
            for i in range(0, len(small), _TOGETHER):
                found |= _hash_some(small[i : i + _TOGETHER])
            for some in begun:
                found |= some
        except BaseException:  # Ctrl-C: leaving the block would wait for all files, also for those not begun
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


def _hash_some(todo: Sequence[Todo]) -> dict[str, Hashed | Problem]:
    """Open all of them, then read one after the other."""
    handles = [_opened(path) for path, _ in todo]
    try:
        return {path: _hash(resource, handle) for (path, resource), handle in zip(todo, handles, strict=True)}
    finally:
        for handle in handles:
            if isinstance(handle, int):
                os.close(handle)


def _opened(path: str) -> int | OSError:
    """A handle for a file whose beginning is on its way into memory. Without a file object, which costs more."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as error:
        return error
    if sys.platform == "linux":
        try:
            os.posix_fadvise(handle, 0, _BLOCK, os.POSIX_FADV_WILLNEED)
        except OSError:  # no file that can be fetched ahead
            return handle
    return handle


def _hash(resource: Resource, handle: int | OSError) -> Hashed | Problem:
    source = _source(resource)
    try:
        if isinstance(handle, OSError):
            raise handle
        before = stamp(os.fstat(handle))  # whoever writes to it from here on gives it another one
        sha256, size = (_read_small if source.size_bytes < _LARGE else _read_large)(handle, source.size_bytes)
    except OSError as error:
        where = resource.location or Location(source.shown)
        return Problem(f"{resource.address}: file {source.shown!r} cannot be read: {error.strerror}", where)
    if size != source.size_bytes:
        where = resource.location or Location(source.shown)
        return Problem(
            f"{resource.address}: file {source.shown!r} changed while it was read", where, "run the command again"
        )
    return sha256, before


def _read_small(handle: int, expected: int) -> tuple[str, int]:
    """The digest and the size of what is there, up to one byte more than is expected."""
    content = os.read(handle, expected + 1)
    if len(content) < expected:  # some file systems answer with less than was asked for: read on to the end
        while len(content) <= expected and (more := os.read(handle, expected + 1 - len(content))):
            content += more
    return hashlib.sha256(content).hexdigest(), len(content)


def _read_large(handle: int, _expected: int) -> tuple[str, int]:
    digest, size, buffer = hashlib.sha256(), 0, memoryview(bytearray(_BLOCK))
    with open(handle, "rb", buffering=0, closefd=False) as file:
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
            size += count
    return digest.hexdigest(), size
