"""Creating many assistants, and agents, against the bound that the service's latency sets."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import specs
from bench.harness.child import Child, asstops, python, run
from bench.harness.report import Row
from bench.harness.scale import Scale
from bench.harness.service import Busy, emulator

Json = dict[str, Any]
LATENCY_S, PARALLELISM = 0.05, 10
FLOOR = Path(__file__).parent / "floors" / "create.py"


def rows(scale: Scale) -> Iterator[Row]:
    count = scale.of(1000)
    # The name of an agent must still be free, so it takes two.
    for service_name, needs in (("assistants", 1), ("agents", 2)):
        with tempfile.TemporaryDirectory() as folder, emulator(latency_s=LATENCY_S) as service:
            spec = specs.assistants(Path(folder), count, service=service_name)
            service.forget()
            with Busy(service) as busy:
                child = run(
                    asstops("-f", spec, "apply", "--auto-approve", "--parallelism", str(PARALLELISM)),
                    env=service.environ,
                    cwd=spec.parent,
                )
            asked, needed = service.requests(), count * needs
            what = f"create {count:,} {service_name}, {LATENCY_S * 1000:.0f} ms latency, {PARALLELISM} at a time"
            beside = len(asked) - needed
            yield Row(f"{what}: requests beside {needs} for each", f"{beside}", f"{needed:,}", beside / needed, 0.05)
            writing = between_writes(asked)
            yield _row(f"{what}: from the first write to the last", writing, child, needed, busy)
            yield _row(f"{what}: the whole command", child.wall_s, child, needed, busy, target=None)
    with emulator(latency_s=LATENCY_S) as service, Busy(service) as busy:
        floor = run(python("-W", "ignore", FLOOR, str(count), str(PARALLELISM)), env=service.environ)
        writing = between_writes(service.requests())
    what = f"the same {count:,} assistants by a script of the plain SDK, for comparison"
    yield _row(what, writing, floor, count, busy, target=None)


def asked_while_writing(asked: list[Json]) -> list[Json]:
    """The requests from the first write to the last."""
    writes = [n for n, entry in enumerate(asked) if entry["method"] != "GET"]
    return asked[writes[0] : writes[-1] + 1]


def between_writes(asked: list[Json]) -> float:
    """Seconds from when the first write came in to when the last was answered, by the emulator's clock."""
    during = asked_while_writing(asked)
    return float(during[-1]["time"] - during[0]["time"]) + LATENCY_S


def _row(what: str, took_s: float, child: Child, requests: int, busy: Busy, target: float | None = 1.15) -> Row:
    bound = requests * LATENCY_S / PARALLELISM
    return Row(
        what,
        f"{took_s:.2f} s; the whole process computes {child.cpu_s:.2f} s",
        f"{requests:,} requests × {LATENCY_S * 1000:.0f} ms / {PARALLELISM} = {bound:.2f} s",
        took_s / bound,
        target,
        busy=busy.part,
    )
