"""The sections of a spec that belong to no kind, by name alone: what reads one is imported where a spec has it."""

from __future__ import annotations

LOCK = "lock"
VARIABLES = "vars"
TOOLS = "tools"
TESTS = "tests"
MOVED = "moved"
