"""The command line of the benchmarks: which to run, how large, where the table goes."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime, timezone
from importlib import import_module
from pathlib import Path

from bench.harness.machine import machine
from bench.harness.report import Row, show, write
from bench.harness.scale import Scale

MEASURES = {
    "startup": "help, validate and the empty plan of a shipped spec",
    "plans": "the empty plan of a large stack, and how it grows",
    "creates": "creating assistants and agents against the latency bound",
    "pacing": "the same while the service answers 429",
    "uploads": "a store of many files, and one very large file",
    "files": "hashing, and one changed file of many",
    "parsing": "a spec of many lines",
    "foreign": "an account full of objects of others",
    "peer": "terraform's engine beside ours, where terraform is installed",
    "emulator": "the emulator itself, which all of the above stand on",
}
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("measures", nargs="*", metavar="NAME", help="which to run; all when left out")
    parser.add_argument("--list", action="store_true", help="show the names and stop")
    parser.add_argument("--quick", action="store_true", help="a tenth of the size: minutes become seconds")
    parser.add_argument("--write", action="store_true", help="put the rows into the tables of docs/performance.md")
    options = parser.parse_args()
    if options.list:
        sys.stdout.writelines(f"{name:10} {about}\n" for name, about in MEASURES.items())
        return
    if unknown := set(options.measures) - set(MEASURES):
        parser.error(f"no such measure: {', '.join(sorted(unknown))}; --list shows them")
    if options.quick and options.write:
        parser.error("--write wants the full size")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # all that is measured runs with compiled files, as installed
    here = machine()
    sys.stdout.write(f"{here}\n")
    found: dict[str, list[Row]] = {}
    for name in options.measures or MEASURES:
        sys.stdout.write(f"\n{name}: {MEASURES[name]}\n")
        for row in import_module(f"bench.{name}").rows(Scale(quick=options.quick)):
            found.setdefault(name, []).append(row)
            show(row)
        if options.write and name in found:
            write(PAGE, name, found[name], here, datetime.now(timezone.utc).date())


if __name__ == "__main__":
    main()
