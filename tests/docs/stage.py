"""Carries out the commands of one page in one shell, in a copy of the shipped specs, with nothing of Azure around.

Also owns what two runs may differ in: ids, times and ports.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from itertools import chain, groupby
from pathlib import Path

from tests.docs.pages import ROOT, Block, Command, blocks, commands

PORT = "8642"
"""The emulator's port in the pages; a test takes a free one."""

_VARYING = (
    (re.compile(r"\b(asst|vs|vsfb)_[A-Za-z0-9]+"), r"\1_ID"),
    (re.compile(r"\bassistant-[A-Za-z0-9]{20,}"), "assistant-ID"),
    (re.compile(r"\b\d+\.\d s\b|\b\d+ ms\b"), "TIME"),
    (re.compile(r"\(\d+\.\ds\)"), "(TIME)"),
    (re.compile(r"\n +(read \d+ objects in TIME)"), r" · \1"),  # a longer time may go to a line of its own
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC\b"), "MINUTE"),
    (re.compile(r'"created_at": ?\d+'), '"created_at":TIME'),
)


def comparable(text: str) -> str:
    """The text with everything levelled that differs from run to run."""
    for pattern, replacement in _VARYING:
        text = pattern.sub(replacement, text)
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return "\n".join(chain.from_iterable(sorted(run) if done else run for done, run in groupby(lines, _is_step)))


def _is_step(line: str) -> bool:
    """A line of a report: steps stand in the order they ended in, and what ran side by side may end either way."""
    return line.endswith("(TIME)")


@dataclass
class Outcome:
    """What became of one command."""

    command: Command
    code: int
    stdout: str
    stderr: str


@dataclass
class Script:
    """A page as a shell script: commands and the files it writes in between."""

    folder: Path
    lines: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)

    def add(self, block: Block) -> None:
        if block.note == "file":
            self.write(block.argument, block.text)
        elif block.note == "edit":
            self.edit(block.argument, block.text)
        elif block.language in ("sh", "console"):
            for command in commands(block):
                self.run(command)

    def write(self, name: str, text: str) -> None:
        self.files[name] = text
        kept = self.folder / "kept" / str(len(self.lines))
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(text, encoding="utf-8")
        self.lines.append(f"mkdir -p \"$(dirname '{name}')\" && cp '{kept}' '{name}'")

    def edit(self, name: str, diff: str) -> None:
        text = self.files.get(name) or (ROOT / name).read_text(encoding="utf-8")
        old = "".join(line[1:] for line in diff.splitlines(keepends=True) if line[0] in " -")
        new = "".join(line[1:] for line in diff.splitlines(keepends=True) if line[0] in " +")
        assert text.count(old) == 1, f"{name} has these lines {text.count(old)} times:\n{old}"
        self.write(name, text.replace(old, new))

    def run(self, command: Command) -> None:
        number = len(self.commands)
        self.commands.append(command)
        out = f"{self.folder}/{number}"
        if command.server:
            self.lines.append(
                f"{command.text} >{out}.out 2>{out}.err & echo $! >>{self.folder}/servers\n"
                f"for _ in $(seq 100); do grep -q listens {out}.err && break; sleep 0.1; done\n"
                f"echo 0 >{out}.code; code=0"
            )
        else:
            self.lines.append(
                f"(exit $code)\n{{ {command.text}\n}} >{out}.out 2>{out}.err\ncode=$?; echo $code >{out}.code"
            )


def play(text: str, folder: Path) -> list[Outcome]:
    """Run every command of a page; each outcome in order. Ends the servers it started."""
    notes, place = folder / "notes", folder / "place"
    notes.mkdir()
    place.mkdir()
    shutil.copytree(ROOT / "specs", place / "specs")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    script = Script(notes)
    for block in blocks(text):
        script.add(block)
    if not script.commands:
        return []
    source = "code=0\n" + "\n".join(script.lines).replace(PORT, port)
    source = source.replace("emulator env\n", f"emulator env --port {port}\n")
    environ = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "COLUMNS": "88",
        "LC_ALL": "C.UTF-8",
        **{name: value for name, value in os.environ.items() if name.startswith(("COVERAGE_", "COV_", "PYTHON"))},
    }
    try:
        subprocess.run(
            ["bash", "-c", source], cwd=place, env=environ, stdin=subprocess.DEVNULL, check=False, timeout=600
        )
    finally:
        _end(notes / "servers")
    return [_outcome(notes, number, command) for number, command in enumerate(script.commands)]


def _outcome(notes: Path, number: int, command: Command) -> Outcome:
    def kept(ending: str) -> str:
        file = notes / f"{number}.{ending}"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    return Outcome(command, int(kept("code") or -1), kept("out"), kept("err"))


def _end(servers: Path) -> None:
    if servers.exists():
        for number in servers.read_text().split():
            try:
                os.kill(int(number), 15)
            except ProcessLookupError:
                continue
