"""Creating many assistants while the service answers 429: against its latency, or its limit where that is slower."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import specs
from bench.creates import LATENCY_S, PARALLELISM, asked_while_writing, between_writes
from bench.harness.child import asstops, run
from bench.harness.report import Row
from bench.harness.scale import Scale
from bench.harness.service import Busy, emulator

FASTEST = PARALLELISM / LATENCY_S  # requests a second that the latency allows
SMALLEST = 300  # with fewer the limit of the first seconds is not reached


def rows(scale: Scale) -> Iterator[Row]:
    count = max(scale.of(1000), SMALLEST)
    for part, said, target in ((0.6, "both", 1.15), (1.5, "both", 1.15), (0.6, "seconds", None)):
        rate = round(FASTEST * part)
        options = ("--requests-per-minute", str(rate * 60), "--behaviour", f"rate_limit_headers={said}")
        with tempfile.TemporaryDirectory() as folder, emulator(latency_s=LATENCY_S, options=options) as service:
            spec = specs.assistants(Path(folder), count)
            service.forget()
            with Busy(service) as busy:
                child = run(
                    asstops("-f", spec, "apply", "--auto-approve", "--parallelism", str(PARALLELISM)),
                    env=service.environ,
                    cwd=spec.parent,
                )
            asked = service.requests()
        during = asked_while_writing(asked)
        refused = sum(entry["status"] == 429 for entry in during)
        served = len(during) - refused
        took = between_writes(asked)
        whole = (served - 1) // rate  # seconds whose limit is used up; each one's is there at its beginning
        bound = max(served / FASTEST, whole + (served - whole * rate) / FASTEST)
        waits = "" if said == "both" else ", whole seconds to wait only"
        yield Row(
            f"create {count:,} assistants, {LATENCY_S * 1000:.0f} ms latency, {PARALLELISM} at a time, "
            f"a limit of {rate} requests a second{waits}",
            f"{took:.2f} s, {refused:,} refused; the whole process computes {child.cpu_s:.2f} s",
            f"{served:,} requests, at most {min(rate, FASTEST):.0f} in a second: {bound:.2f} s",
            took / bound,
            target,
            busy=busy.part,
        )
