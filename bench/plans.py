"""The empty plan of a large stack: time, requests and memory, and how they grow from 1,000 objects to 10,000."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path

from asstops.record import PER_PAGE
from bench import specs
from bench.harness.child import Child, asstops, python, run
from bench.harness.report import Row
from bench.harness.scale import Scale
from bench.harness.service import Busy, Service, emulator

PAGE = 100
READERS = 8  # as many stores as asstops reads at a time
LATENCY_S = 0.05
FLOOR = Path(__file__).parent / "floors" / "read_pages.py"


def rows(scale: Scale) -> Iterator[Row]:
    yield from _large(scale)
    yield from _growth(scale)


def plan(spec: Path, service: Service) -> Child:
    """An empty plan. Raises SystemExit when it is not empty."""
    return run(asstops("-f", spec, "plan", "--detailed-exitcode"), env=service.environ, cwd=spec.parent)


def apply(spec: Path, service: Service) -> Child:
    return run(asstops("-f", spec, "apply", "--auto-approve"), env=service.environ, cwd=spec.parent)


def best(times: int, work: list[str | Path], service: Service, cwd: Path) -> Child:
    """The quickest of several runs: what it takes when nothing else is in its way."""
    return min((run(work, env=service.environ, cwd=cwd) for _ in range(times)), key=lambda child: child.wall_s)


def _large(scale: Scale) -> Iterator[Row]:
    assistants, stores, each = scale.of(1000), scale.of(100), 100
    with tempfile.TemporaryDirectory() as folder, emulator() as service:
        spec = specs.assistants(Path(folder), assistants, stores=stores, files_each=each)
        apply(spec, service)
        what = f"empty plan of {assistants:,} assistants, {stores} stores of {each} files"
        command = asstops("-f", spec, "plan", "--detailed-exitcode")
        service.forget()
        plan(spec, service)
        asked = service.counted()
        pages = math.ceil(assistants / PAGE) + stores * math.ceil(each / PAGE)
        pages += math.ceil((stores + math.ceil(stores * each / PER_PAGE)) / PAGE)  # and those of the record of files
        pages += 1  # the files, in one answer
        yield Row(
            f"{what}: requests beyond the pages",
            f"{asked.total():,} requests",
            f"{pages:,} pages",
            asked.total() - pages,
            2,
            unit="more",
        )
        for latency in (0.0, LATENCY_S):
            service.delay(latency)
            floors = [run(python("-W", "ignore", FLOOR, str(READERS)), env=service.environ)]
            with Busy(service) as busy:
                ours = [run(command, env=service.environ, cwd=spec.parent) for _ in range(scale.times(5))]
            floors += [run(python("-W", "ignore", FLOOR, str(READERS)), env=service.environ) for _ in ours]
            mine, floor = min(c.wall_s for c in ours), min(c.wall_s for c in floors)
            yield Row(
                f"{what}, {latency * 1000:.0f} ms latency",
                f"{mine:.2f} s, {min(c.cpu_s for c in ours):.2f} s of them computing",
                f"the plain SDK reads those pages in {floor:.2f} s",
                mine / floor,
                1.3,
                busy=busy.part,
            )
        service.delay(0.0)
        peak = max(c.peak_mb for c in ours)
        yield Row(f"{what}: memory", f"{peak:.0f} MB at most", "a limit", peak, 300, unit="MB")


def _growth(scale: Scale) -> Iterator[Row]:
    small, large = scale.of(1000), scale.of(10_000)
    seen: list[Child] = []
    for count in (1, small, large):
        with tempfile.TemporaryDirectory() as folder, emulator() as service:
            spec = specs.assistants(Path(folder), count, stores=count // 10)
            apply(spec, service)
            command = asstops("-f", spec, "plan", "--detailed-exitcode")
            seen.append(best(scale.times(5), command, service, spec.parent))
    one, few, many = seen
    what = f"empty plan of {large:,} assistants and {large // 10:,} stores, against one of {small:,}"
    ours, floor = (f"{child.wall_s:.2f} s, {child.peak_mb:.0f} MB" for child in (many, few))
    yield Row(what, ours, floor, many.wall_s / few.wall_s, 11)
    yield Row(
        f"{what}: without what starting takes",
        f"{many.cpu_s - one.cpu_s:.2f} s of the processor",
        f"{few.cpu_s - one.cpu_s:.2f} s; {one.cpu_s:.2f} s for one assistant are taken off both",
        (many.cpu_s - one.cpu_s) / (few.cpu_s - one.cpu_s),
    )
