"""Terraform's engine beside ours, in one run: as many `terraform_data` resources as we have assistants.

Its resources are values in its own process and its state file; ours are read and written over HTTP, without a state.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import specs
from bench.harness.child import Child, asstops, run
from bench.harness.report import Row, show_note
from bench.harness.scale import Scale
from bench.harness.service import Busy, emulator

LONGEST_S = 300.0  # what is not done by then is left


def rows(scale: Scale) -> Iterator[Row]:
    if shutil.which("terraform") is None:
        show_note("terraform is not installed, so there is nothing to compare with")
        return
    for count in (scale.of(1000), scale.of(10_000)):
        yield from _beside(count)


def _beside(count: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, emulator() as service:
        spec = specs.assistants(Path(folder) / "asstops", count)
        other = Path(folder) / "terraform"
        other.mkdir()
        _configure(other, count)
        terraform(other, "init")
        for what, ours, theirs, target in (
            ("plan to create", ("plan",), ("plan",), 1.0 if count >= 10_000 else None),
            ("create", ("apply", "--auto-approve"), ("apply", "-auto-approve"), 1.0),
            ("empty plan of", ("plan", "--detailed-exitcode"), ("plan", "-detailed-exitcode"), None),
        ):
            with Busy(service) as busy:
                mine = run(asstops("-f", spec, *ours), env=service.environ, cwd=spec.parent)
            peer = terraform(other, *theirs)
            cut = peer.code != 0
            yield Row(
                f"{what} {count:,} assistants, no latency; terraform: {count:,} terraform_data",
                f"{mine.wall_s:.1f} s, {mine.peak_mb:.0f} MB",
                f"{'not done after ' if cut else ''}{peer.wall_s:.1f} s, {peer.peak_mb:.0f} MB",
                mine.wall_s / peer.wall_s,
                target,
                busy=busy.part,
            )
            if cut:
                return


def terraform(folder: Path, *arguments: str) -> Child:
    """One command of terraform; given up after `LONGEST_S`, which shows as a code that is not 0."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    environ |= {"TF_CLI_CONFIG_FILE": os.devnull, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
    command = ["terraform", arguments[0], "-input=false", "-no-color", *arguments[1:]]
    return run(command, env=environ, cwd=folder, timeout_s=LONGEST_S)


def _configure(folder: Path, count: int) -> None:
    """What an assistant of ours has, as the input of a resource that keeps values."""
    blocks = (
        f'resource "terraform_data" "helper_{n:05}" {{\n'
        "  input = {\n"
        f'    name         = "Helper {n}"\n'
        f'    model        = "{specs.MODEL}"\n'
        f'    instructions = "You are helper {n}. Answer in one sentence, and say where you know it from."\n'
        f'    tools        = "code_interpreter"\n'
        f'    team         = "team-{n % 7}"\n'
        "  }\n}\n"
        for n in range(count)
    )
    (folder / "main.tf").write_text("\n".join(blocks), "utf-8")
