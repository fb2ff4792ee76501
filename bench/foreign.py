"""A small stack in an account that holds very many objects of other people."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import specs
from bench.harness.child import asstops, python, run
from bench.harness.report import Row
from bench.harness.scale import Scale
from bench.harness.service import Busy, emulator
from bench.plans import FLOOR, PAGE, READERS

LATENCY_S = 0.05


def rows(scale: Scale) -> Iterator[Row]:
    """Half of what is foreign are assistants, the other half vector stores; the plan reads both side by side."""
    count = scale.of(50_000)
    with tempfile.TemporaryDirectory() as folder, emulator() as service:
        spec = specs.assistants(Path(folder), 10, stores=2, files_each=5)
        said = "You belong to somebody else. Answer in one sentence, and say where you know it from."
        theirs = ({"name": f"Theirs {n}", "model": specs.MODEL, "instructions": said} for n in range(count // 2))
        service.fill("/openai/assistants", theirs)
        service.fill("/openai/vector_stores", ({"name": f"theirs-{n}"} for n in range(count // 2)))
        apply = asstops("-f", spec, "apply", "--auto-approve")
        service.forget()
        run(apply, env=service.environ, cwd=spec.parent)
        asked = service.counted()
        yield Row(
            f"the first apply of 10 assistants among {count:,} objects of others: requests",
            f"{asked.total():,}",
            f"{count // PAGE:,} pages",
            asked.total() - count // PAGE,
            unit="more",
        )
        plan = asstops("-f", spec, "plan", "--detailed-exitcode")
        for latency in (0.0, LATENCY_S):
            service.delay(latency)
            script = python("-W", "ignore", FLOOR, str(READERS))
            seen = []
            for _ in range(3):
                with Busy(service) as busy:
                    mine = run(plan, env=service.environ, cwd=spec.parent)
                seen.append((mine, run(script, env=service.environ)))
            ours, floor = (sorted(found, key=lambda child: child.wall_s)[1] for found in zip(*seen, strict=True))
            yield Row(
                f"empty plan of 10 assistants among {count:,} objects of others, {latency * 1000:.0f} ms latency",
                f"{ours.wall_s:.1f} s, {ours.peak_mb:.0f} MB",
                f"the plain SDK reads those pages in {floor.wall_s:.1f} s, {floor.peak_mb:.0f} MB",
                ours.wall_s / floor.wall_s,
                busy=busy.part,
            )
