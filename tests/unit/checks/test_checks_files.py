"""Types of files against what their tool takes; prompts against what an update takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from asstops.checks import files, prompts
from asstops.checks.findings import Finding
from asstops.emulator.ingest import SEARCHABLE
from asstops.model import Address, FileSource, Ref, Resource

STORE, BOT = Address("vector_store", "s"), Address("assistant", "bot")


def stack(*names: str, ids: tuple[str, ...] = ()) -> dict[Address, Resource]:
    """A store and an assistant that both use all of these."""
    wanted: dict[Address, Resource] = {}
    for name in names:
        address = Address("file", name)
        wanted[address] = Resource(address, {}, source=FileSource(Path(name), name, name.rpartition("/")[2], 3))
    for ident in ids:
        address = Address("file", ident)
        wanted[address] = Resource(address, {}, owned=False, remote_id=ident)
    refs = [Ref(address) for address in wanted]
    wanted[STORE] = Resource(STORE, {"files": refs})
    wanted[BOT] = Resource(BOT, {"code_interpreter.files": refs})
    return wanted


def told(wanted: dict[Address, Resource], **options: set[Address]) -> list[tuple[str, str, str]]:
    found: list[Finding] = list(files.check(wanted, **options))
    return [(finding.address, finding.state.value, finding.message) for finding in found]


def test_types_that_both_take() -> None:
    assert told(stack("kb/a.md", "b.JSON")) == [
        ("vector_store.s", "ok", "file_search takes files of these types: json, md"),
        ("assistant.bot", "ok", "code_interpreter takes files of these types: json, md"),
    ]


def test_tables_are_for_the_code_interpreter() -> None:
    assert told(stack("a.csv")) == [
        ("vector_store.s", "problem", "file_search does not take files of this type: a.csv"),
        ("assistant.bot", "ok", "code_interpreter takes files of these types: csv"),
    ]


@pytest.mark.parametrize("name", ["a.exe", "Makefile", "md", "a.md.bak", "a."])
def test_types_that_nobody_takes(name: str) -> None:
    """Code interpreter stores it all the same, so that there it is only a warning."""
    assert [state for _, state, _ in told(stack(name))] == ["problem", "warning"]


def test_many_are_named_in_part() -> None:
    (_, _, message), _ = told(stack(*(f"{n}.csv" for n in range(9))))
    assert message.endswith("0.csv, 1.csv, 2.csv, 3.csv, 4.csv and 4 more")


def test_files_by_id_are_unverified() -> None:
    """Nothing here tells their type; those beside them are told of all the same."""
    assert [state for _, state, _ in told(stack("a.md", ids=("assistant-1",)))] == ["ok", "unverified"] * 2
    assert [state for _, state, _ in told(stack(ids=("assistant-1",)))] == ["unverified"] * 2


def test_only_what_is_asked_about() -> None:
    assert [address for address, _, _ in told(stack("a.csv"), of={STORE})] == ["vector_store.s"]
    assert told(stack("a.csv"), of=set()) == []
    assert told(stack()) == []


def test_the_emulator_takes_the_same() -> None:
    assert files.SEARCHABLE == SEARCHABLE


def test_instructions_longer_than_an_update_takes() -> None:
    """A warning, since only the document of an update says so; with no such limit nothing."""
    texts = {"long": "x" * 11, "short": "x" * 10, "none": None}
    wanted = {
        Address("assistant", key): Resource(Address("assistant", key), {"instructions": text})
        for key, text in texts.items()
    }
    (found,) = prompts.check(wanted, 10)
    assert (found.address, found.state.value) == ("assistant.long", "warning")
    assert found.message == "instructions have 11 characters; Azure's document of an update allows 10"
    assert list(prompts.check(wanted, 0)) == []
    assert list(prompts.check(wanted, 10, of={Address("assistant", "short")})) == []
    assert len(list(prompts.check(wanted, 10, of={Address("assistant", "long")}))) == 1
