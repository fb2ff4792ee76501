"""What a command takes to start: help, checking a shipped spec, and its empty plan, each against bare imports."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.harness.child import asstops, in_turns, python, run
from bench.harness.report import Row
from bench.harness.scale import Scale
from bench.harness.service import Service, emulator

SPECS = Path(__file__).parents[1] / "specs"
FLOOR = Path(__file__).parent / "floors" / "read_shipped.py"
CLICK = "import click"
MODEL = """
import click, yaml, pydantic
class Entry(pydantic.BaseModel):
    name: str
    count: int | None = None
"""
VALIDATED = ("sales", "project", "functions", "assistants", "everything")
PLANNED = {
    "sales": ("account", "rg-asstops", "asstops-sales-analyst", "sales"),
    "project": ("project",),
    "assistants": ("assistants",),
}
"""Shipped specs, and what the floor is told to read the same."""


def rows(scale: Scale) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        shutil.copytree(SPECS, place / "specs", ignore=shutil.ignore_patterns(".asstops"))
        environ = _installed(os.environ, place)
        yield from _help(scale, environ)
        yield from _validate(scale, environ, place / "specs")
        with emulator() as service:
            for name in PLANNED:
                yield _plan(scale, name, place / "specs", service, _installed(service.environ, place))


def _installed(environ: Mapping[str, str], place: Path) -> dict[str, str]:
    """With compiled files, as after an installation: many set PYTHONDONTWRITEBYTECODE where they develop."""
    left = {name: value for name, value in environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**left, "PYTHONPYCACHEPREFIX": str(place / "compiled")}


def _help(scale: Scale, environ: Mapping[str, str]) -> Iterator[Row]:
    options = ("--help", "--version")
    floor, *ours = in_turns(
        scale.times(30),
        (python("-c", CLICK), environ, None),
        *((asstops(option), environ, None) for option in options),
    )
    for option, mine in zip(options, ours, strict=True):
        yield Row(f"`asstops {option}`", _ms(mine), f"`{CLICK}` in {_ms(floor)}", mine / floor, 1.5)


def _validate(scale: Scale, environ: Mapping[str, str], specs: Path) -> Iterator[Row]:
    given = {**environ, "AZURE_SUBSCRIPTION_ID": "00000000-0000-0000-0000-000000000000"}
    files = [specs / name if (specs / name).is_dir() else specs / f"{name}.yaml" for name in VALIDATED]
    floor, *ours = in_turns(
        scale.times(20),
        (python("-c", MODEL), environ, None),
        *((asstops("-f", file, "validate"), given, specs) for file in files),
    )
    for file, mine in zip(files, ours, strict=True):
        text = f"`import click, yaml, pydantic` and a model in {_ms(floor)}"
        yield Row(f"`asstops validate` of specs/{file.name}", _ms(mine), text, mine / floor, 1.5)


def _plan(scale: Scale, name: str, specs: Path, service: Service, environ: Mapping[str, str]) -> Row:
    spec = specs / f"{name}.yaml"
    run(asstops("-f", spec, "apply", "--auto-approve"), env=environ, cwd=specs)
    ours = asstops("-f", spec, "plan", "--detailed-exitcode")
    floor = python("-W", "ignore", FLOOR, *PLANNED[name])
    reads = [_reads(command, service, environ, specs) for command in (ours, floor)]
    if reads[0] != reads[1]:
        raise SystemExit(f"the floor does not read what the plan of specs/{name}.yaml reads: {reads}")
    least, mine = in_turns(scale.times(12), (floor, environ, specs), (ours, environ, specs))
    run(asstops("-f", spec, "destroy", "--auto-approve"), env=environ, cwd=specs)
    text = f"a plain script of the SDKs does the same {sum(reads[1].values())} reads in {_ms(least)}"
    return Row(f"empty plan of specs/{name}.yaml", _ms(mine), text, mine / least, 1.15)


def _reads(command: list[str | Path], service: Service, environ: Mapping[str, str], cwd: Path) -> Mapping[str, int]:
    service.forget()
    run(command, env=environ, cwd=cwd)
    return service.counted()


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
