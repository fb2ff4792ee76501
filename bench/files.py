"""Hashing what a stack uploads, against sha256sum; and one changed file of ten thousand: what is read, what is sent."""

from __future__ import annotations

import math
import os
import re
import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.harness.child import Child, asstops, python, run
from bench.harness.report import Row, show_note
from bench.harness.scale import Scale
from bench.harness.service import Service, emulator

LARGE_BYTES = 500_000_000
SMALL_BYTES = 2048
HASH = """
import sys, time
from pathlib import Path
from asstops.spec import hash_files, hashing, load
stack = load(base=Path.cwd())
began = time.perf_counter()
hash_files(stack.resources)
sys.stdout.write(str(time.perf_counter() - began))
"""
SPEC = """
stack: bench
service: assistants
vector_stores:
  all:
    files: [{glob: "kb/**"}]
assistants:
  reader:
    model: gpt-4o
    tools: [{file_search: {vector_store: all}}]
"""
PAGE = 100  # files of a store in one answer
BEYOND = 14  # requests of an apply beyond reading: an upload, what it is attached and detached by, the record of files


def rows(scale: Scale) -> Iterator[Row]:
    if shutil.which("sha256sum") is None:
        show_note("sha256sum is not here, so nothing to hold hashing against")
    else:
        yield from _hashing(scale, 2, scale.of(LARGE_BYTES))
        yield from _hashing(scale, scale.of(10_000), SMALL_BYTES)
    yield from _one_changed(scale, scale.of(10_000))


def _hashing(scale: Scale, count: int, size_bytes: int) -> Iterator[Row]:
    """Each file read from the disk, as far as the system lets itself be told to forget it; then from memory."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        files = _write(place, count, size_bytes)
        cores = os.cpu_count() or 1
        shared = ["xargs", "-0", "-a", _names(place, files), "-P", str(cores), "-n", str(math.ceil(count / cores))]
        programs: list[tuple[str, Callable[[], float]]] = [
            ("asstops", lambda: float(run(python("-c", HASH), cwd=place).out)),
            ("`sha256sum`", lambda: run(["sha256sum", *files], cwd=place).wall_s),
            (f"{cores} × `sha256sum`", lambda: run([*shared, "sha256sum"], cwd=place).wall_s),
        ]
        for cold in (True, False):
            seen: list[list[float]] = [[] for _ in programs]
            for _ in range(scale.times(7)):
                for (_, program), found in zip(programs, seen, strict=True):
                    if cold:
                        _forget(files)
                    found.append(program())
            mine, *floors = (statistics.median(found) for found in seen)
            where = "as far as possible from disk" if cold else "from memory"
            what = f"hashing {count:,} files of {_size(size_bytes)}, {where}; ours without the time to find them"
            for (name, _), floor in zip(programs[1:], floors, strict=True):
                target = 0.8 if cold else None
                yield Row(
                    what, _rate(mine, files), f"{name}: {_rate(floor, files)}", floor / mine, target, at_least=True
                )


def _one_changed(scale: Scale, count: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, emulator() as service:
        place = Path(folder)
        files = _write(place, count, SMALL_BYTES)
        _run(service, place, "apply", "--auto-approve")
        _run(service, place, "plan")  # what was younger than two seconds when it was read is read once more
        files[count // 2].write_text("Second edition.\n", "utf-8")
        what = f"one file changed of {count:,}"

        service.forget()
        told = _run(service, place, "plan", "--format", "json").out
        reading = service.counted()
        shutil.rmtree(place / ".asstops" / "hashes")
        if _run(service, place, "plan", "--format", "json").out != told or files[count // 2].name not in told:
            raise SystemExit("without the cache the plan says something else")
        seen: list[tuple[float, float]] = []
        for attempt in range(scale.times(5)):
            files[count // 2].write_text(f"Edition {attempt + 3}.\n", "utf-8")
            with_cache, read = _planned(service, place)
            shutil.rmtree(place / ".asstops" / "hashes")
            without, read_then = _planned(service, place)
            seen.append((with_cache, without))
        known, unknown = (statistics.median(times) for times in zip(*seen, strict=True))
        yield Row(
            f"{what}: files read by a plan", f"{read:,}", f"without the cache {read_then:,}", read, 1, unit="file"
        )
        yield Row(f"{what}: plan", f"{known:.2f} s", f"without the cache {unknown:.2f} s", known / unknown)

        service.forget()
        done = _run(service, place, "apply", "--auto-approve")
        sent = service.counted().total() - reading.total()
        yield Row(
            f"{what}: requests of the apply beyond reading",
            f"{sent} after {reading.total():,} to read what is live",
            f"{math.ceil(count / PAGE):,} pages of the store's files, 3 of all else",
            sent,
            BEYOND,
            unit="requests",
        )
        yield Row(f"{what}: apply", f"{done.wall_s:.2f} s", f"the plan alone {unknown:.2f} s", done.wall_s / unknown)


def _planned(service: Service, place: Path) -> tuple[float, int]:
    """Seconds of a plan, and how many files it read."""
    child = _run(service, place, "-v", "plan")
    found = re.search(r"read (\d+) of \d+ files to hash them", child.err)
    if found is None:
        raise SystemExit(f"the plan does not tell what it read:\n{child.err[-2000:]}")
    return child.wall_s, int(found[1])


def _run(service: Service, place: Path, *arguments: str) -> Child:
    return run(asstops(*arguments), env=service.environ, cwd=place)


def _write(place: Path, count: int, size_bytes: int) -> list[Path]:
    """A spec and its files, no two alike, on the disk when this returns."""
    (place / "asstops.yaml").write_text(SPEC, "utf-8")
    files = [place / "kb" / f"{n % 50:02}" / f"{n:05}.md" for n in range(count)]
    block = os.urandom(min(size_bytes, 1_000_000))
    for n, path in enumerate(files):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            stream.write(b"%08d" % n + block[8:])
            for _ in range(size_bytes // len(block) - 1):
                stream.write(block)
    os.sync()
    return files


def _names(place: Path, files: Sequence[Path]) -> str:
    """A file that names them all."""
    path = place / "names"
    path.write_bytes(b"\0".join(os.fsencode(file) for file in files))
    return str(path)


def _forget(files: Sequence[Path]) -> None:
    """Take the files out of memory. Does nothing where the system does not offer that."""
    if not hasattr(os, "posix_fadvise"):
        return
    for path in files:
        handle = os.open(path, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def _size(size_bytes: int) -> str:
    return f"{size_bytes // 1_000_000} MB" if size_bytes >= 1_000_000 else f"{size_bytes / 1000:.0f} kB"


def _rate(seconds: float, files: Sequence[Path]) -> str:
    total = sum(path.stat().st_size for path in files)
    return f"{seconds:.2f} s, {total / seconds / 1e6:,.0f} MB/s"
