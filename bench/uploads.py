"""A store of many small files against the bound that the service's latency sets, and one very large file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.floors import upload
from bench.harness.child import asstops, python, run
from bench.harness.report import Row
from bench.harness.scale import Scale
from bench.harness.service import Busy, Service, emulator
from bench.specs import MODEL, small_files

Json = dict[str, Any]
LATENCY_S, PARALLELISM = 0.05, 10
LARGE_BYTES = 500_000_000
MOST_MB = 150
BATCH = 500
FLOOR = Path(upload.__file__)


def rows(scale: Scale) -> Iterator[Row]:
    yield from _many(scale.of(10_000))
    yield from _large(scale.of(LARGE_BYTES))


def _many(count: int) -> Iterator[Row]:
    bound = count * LATENCY_S / PARALLELISM
    floor = f"{count:,} uploads × {LATENCY_S * 1000:.0f} ms / {PARALLELISM} = {bound:.1f} s"
    with (
        tempfile.TemporaryDirectory() as folder,
        emulator(latency_s=LATENCY_S, options=("--ingestion", "0")) as service,
    ):
        small_files(Path(folder) / "kb", count, "uploads")
        spec = Path(folder) / "asstops.yaml"
        spec.write_text(
            "stack: bench\nservice: assistants\nvector_stores:\n  kb: {files: [{glob: 'kb/*.txt'}]}\n", "utf-8"
        )
        with Busy(service) as busy:
            child = run(
                asstops("apply", "--auto-approve", "--parallelism", str(PARALLELISM)),
                env=service.environ,
                cwd=spec.parent,
            )
        spent, asked = _uploading(service), service.requests()
        uploads, attached = (_posts(asked, "/files"), _posts(asked, "/file_batches"))
        what = f"one store of {count:,} small files, {LATENCY_S * 1000:.0f} ms latency, {PARALLELISM} at a time"
        ours = f"{spent:.1f} s; the whole process computes {child.cpu_s:.1f} s"
        yield Row(f"{what}: from the first upload to the last", ours, floor, spent / bound, 1.2, busy=busy.part)
        yield Row(f"{what}: the whole command", f"{child.wall_s:.1f} s", floor, child.wall_s / bound, busy=busy.part)
        batches, others = -(-count // BATCH), len(asked) - len(uploads)
        yield Row(f"{what}: batches", f"{len(attached)}", f"{batches} of {BATCH}", len(attached), batches, unit="")
        yield Row(f"{what}: requests beside the uploads", f"{others:,}", f"{count:,} uploads", others / count, 0.02)
        service.forget()
        with Busy(service) as busy:
            script = run(python(FLOOR, str(Path(folder) / "kb"), str(PARALLELISM)), env=service.environ)
        spent = _uploading(service)
        ours = f"{spent:.1f} s; the whole process computes {script.cpu_s:.1f} s"
        what = f"the same {count:,} files by a script of the plain SDK, for comparison"
        yield Row(what, ours, floor, spent / bound, busy=busy.part)


def _uploading(service: Service) -> float:
    """Seconds from when the first upload came in to when the last was answered, by the emulator's clock."""
    times = [entry["time"] for entry in _posts(service.requests(), "/files")]
    return float(times[-1] - times[0]) + LATENCY_S


def _posts(asked: list[Json], path: str) -> list[Json]:
    return [entry for entry in asked if entry["method"] == "POST" and entry["path"].endswith(path)]


def _large(size_bytes: int) -> Iterator[Row]:
    what = f"a file of {size_bytes / 1e6:,.0f} MB"
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        with (data / "large.txt").open("wb") as stream:
            for n in range(size_bytes // 1000):
                stream.write(f"{n:>998}\n\n".encode())
        (Path(folder) / "asstops.yaml").write_text(
            "stack: bench\nservice: assistants\nfiles:\n  large: {path: data/large.txt}\nassistants:\n"
            f"  helper: {{model: {MODEL}, tools: [{{code_interpreter: {{files: [large]}}}}]}}\n",
            "utf-8",
        )
        # In memory the emulator would keep all of it there.
        with emulator(options=("--db", str(Path(folder) / "emulator.db"))) as service:
            with Busy(service) as busy:
                child = run(asstops("apply", "--auto-approve"), env=service.environ, cwd=Path(folder))
            script = run(python(FLOOR, data, "1"), env=service.environ)
        peak = f"{child.peak_mb:.0f} MB at most"
        yield Row(
            f"{what}: memory", peak, f"{script.peak_mb:.0f} MB by the plain SDK", child.peak_mb, MOST_MB, unit="MB"
        )
        ours = f"{child.wall_s:.1f} s; the whole process computes {child.cpu_s:.1f} s"
        floor = f"{script.wall_s:.1f} s by the plain SDK, which computes {script.cpu_s:.1f} s and no digest"
        yield Row(f"{what}: the whole command", ours, floor, child.wall_s / script.wall_s, busy=busy.part)
