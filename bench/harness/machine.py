"""What the numbers were taken on."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path


def machine() -> str:
    """Processor, cores, memory, system and Python in one line."""
    python = ".".join(str(part) for part in sys.version_info[:3])
    parts = [_processor(), f"{os.cpu_count()} cores", _memory(), platform.system(), f"Python {python}"]
    return ", ".join(part for part in parts if part)


def _processor() -> str:
    for line in _lines("/proc/cpuinfo"):
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return " ".join(value.split())
    return platform.processor() or platform.machine()


def _memory() -> str:
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemTotal:"):
            return f"{round(int(line.split()[1]) / 2**20)} GiB"
    return ""


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text("utf-8").splitlines()
    except OSError:
        return []
