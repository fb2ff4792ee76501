"""The list of commands: what --help says of each without importing it is what the command says of itself."""

from __future__ import annotations

import sys

import click
import pytest

from asstops.cli.main import COMMANDS, main


@pytest.mark.parametrize("name", COMMANDS)
def test_a_line_is_the_commands_own(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert COMMANDS[name] == command.get_short_help_str(200)


def test_the_list_imports_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in COMMANDS:
        monkeypatch.delitem(sys.modules, f"asstops.cli.{name}", raising=False)
    text = main.get_help(click.Context(main, info_name="asstops"))
    assert all(f"  {name} " in text for name in COMMANDS)
    assert not {f"asstops.cli.{name}" for name in COMMANDS} & set(sys.modules)
