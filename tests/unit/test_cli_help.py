"""The entry point: what --help says of each command without importing it, and what is said of wrong use."""

from __future__ import annotations

import errno
import os
import sys

import click
import pytest

from asstops.cli.main import COMMANDS, _guarded, main
from asstops.errors import ExitCode


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


@pytest.mark.parametrize(
    ("typed", "meant"), [("version", "--version"), ("help", "--help"), ("aply", "apply"), ("xyzzy", None)]
)
def test_what_is_no_command_may_mean_another(typed: str, meant: str | None) -> None:
    with pytest.raises(click.UsageError) as caught:
        main.resolve_command(click.Context(main), [typed])
    assert caught.value.message.partition("Did you mean ")[2] == (f"{meant!r}?" if meant else "")


def test_destroy_says_what_its_options_do_to_a_destroy() -> None:
    command = main.get_command(click.Context(main), "destroy")
    assert command is not None
    told = {parameter.name: parameter.help for parameter in command.params if isinstance(parameter, click.Option)}
    assert told["targets"] == "Only this address and what needs it; repeatable."
    assert told["accept_origin"] == "Delete objects made from another repository or path, too."
    text = command.get_help(click.Context(command))
    assert "--lock-timeout" in text
    assert "--ingest-timeout" not in text  # but taken, as by apply
    assert "ingest_timeout" in told


def test_a_full_disk_is_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    def write() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "plan.json")

    assert _guarded(write) == ExitCode.ERROR
    told = capsys.readouterr().err
    assert told.startswith("Error: cannot write to plan.json: No space left on device\n  fix: ")
    assert "bug" not in told
