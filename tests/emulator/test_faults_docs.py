"""docs/emulator.md names every switch, fault field, setting and option, and its example of faults works."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from asstops.cli.emulator import command
from asstops.emulator import BEHAVIOURS, EmulatorSettings
from asstops.emulator.faults import Fault
from asstops.emulator.scripted import Rule

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "emulator.md").read_text(encoding="utf-8")


def test_switches() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ((?:`[^`|]+`(?:, )?)+) \|", PAGE, re.MULTILINE))
    documented = {name: tuple(re.findall(r"`([^`]+)`", values)) for name, values in rows.items() if name in BEHAVIOURS}
    assert documented == BEHAVIOURS


def test_fault_fields() -> None:
    section = PAGE.partition("\n## Faults")[2].partition("\n## ")[0]
    cells = " ".join(re.findall(r"^\| (`[^|]+`) \|", section, re.MULTILINE))
    own = {"id", "seen", "struck", "_random"}
    assert sorted(re.findall(r"`(\w+)`", cells)) == sorted(each.name for each in fields(Fault) if each.name not in own)


@pytest.mark.parametrize("name", sorted(each.name for each in fields(EmulatorSettings)))
def test_settings(name: str) -> None:
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("option", sorted(option for each in command.params for option in each.opts if "--" in option))
def test_options(option: str) -> None:
    shared = {"--no-color", "--verbose", "--debug", "--help"}
    assert option in shared or f"`{option}" in PAGE


def test_reply_fields() -> None:
    section = PAGE.partition("\n## Replies")[2].partition("\n## ")[0]
    cells = " ".join(re.findall(r"^\| (`[^|]+`) \|", section, re.MULTILINE))
    assert sorted(re.findall(r"`(\w+)`", cells)) == sorted(each.name for each in fields(Rule) if each.name != "used")


def test_the_example_of_replies(emulator: Any, tmp_path: Path) -> None:
    (tmp_path / "replies.yaml").write_text(_example("Replies"))
    with emulator(replies=tmp_path / "replies.yaml") as emu:
        assert len(emu.admin("GET", "/replies")["replies"]) == 3
        ask = {"messages": [{"role": "user", "content": "broken"}]}
        assert emu.data("POST", "/deployments/gpt-4o/chat/completions", ask).status_code == 429


def _example(section: str) -> str:
    found = re.search(r"```yaml\n(.*?)```", PAGE.partition(f"\n## {section}")[2], re.DOTALL)
    assert found
    return found[1]


def test_the_example_of_faults(emulator: Any, tmp_path: Path) -> None:
    (tmp_path / "faults.yaml").write_text(_example("Faults"))
    with emulator(faults=tmp_path / "faults.yaml") as emu:
        assert len(emu.admin("GET", "/faults")["faults"]) == 8
        assert emu.data("POST", "/vector_stores", {}).status_code == 429
