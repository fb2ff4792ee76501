"""The cache of digests at work: commands read the files that have changed, and say the same without it."""

from __future__ import annotations

import builtins
import io
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

import asstops
from asstops import hashcache
from tests.support.inside import Inside
from tests.support.stage import Stage

COUNT = 12
SPEC: dict[str, Any] = {
    "stack": "library",
    "service": "assistants",
    "vector_stores": {"all": {"files": [{"glob": "kb/*.md"}]}},
    "assistants": {"librarian": {"model": "gpt-4o", "tools": [{"file_search": {"vector_store": "all"}}]}},
}
FILES = {f"kb/{n:02}.md": f"Page {n}.\n" for n in range(COUNT)}
CHANGED = {"kb/07.md": "Page 7, second edition.\n"}


@pytest.fixture
def read(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The files of the spec that were opened. Twelve of them are worth a cache here, however young they are."""
    monkeypatch.setattr(hashcache, "WORTH_FILES", COUNT)
    monkeypatch.setattr(hashcache, "_now", lambda _: 2**62)
    monkeypatch.setattr(hashcache, "HAS_CHANGE_TIMES", True)
    names: set[str] = set()
    inside = str(stage.folder / "kb")

    def noting(real: Any) -> Any:
        def opened(path: Any, *rest: Any, **more: Any) -> Any:
            if isinstance(path, (str, os.PathLike)) and str(path).startswith(inside):
                names.add(Path(path).name)
            return real(path, *rest, **more)

        return opened

    monkeypatch.setattr(os, "open", noting(os.open))
    monkeypatch.setattr(io, "open", noting(io.open))
    monkeypatch.setattr(builtins, "open", noting(builtins.open))
    monkeypatch.setattr(Path, "open", noting(Path.open))  # Python 3.10 has kept an `io.open` of its own for it
    return names


def test_plan_and_apply_read_the_file_that_has_changed(stage: Stage, inside: Inside, read: set[str]) -> None:
    """The others are known since the last command. Without the cache the plan is the same."""
    stage.write(SPEC, FILES)
    read.clear()
    inside.run("apply", "--auto-approve")
    assert read == {Path(name).name for name in FILES}
    for command in (
        ["plan", "--detailed-exitcode"],
        ["list"],
        ["output"],
        ["drift"],
        ["gc"],
        ["show", "file.kb/01.md"],
    ):
        read.clear()
        inside.run(*command)
        assert (command, read) == (command, set())

    stage.write(SPEC, CHANGED)
    read.clear()
    told = inside.run("plan", "--format", "json").stdout
    assert "file.kb/07.md" in told
    assert read == {"07.md"}
    shutil.rmtree(stage.folder / ".asstops")
    assert inside.run("plan", "--format", "json").stdout == told
    read.clear()
    inside.run("apply", "--auto-approve")
    assert read == {"07.md"}
    read.clear()
    inside.run("plan", "--detailed-exitcode")
    assert read == set()


def test_validate_reads_no_file_and_leaves_nothing(stage: Stage, inside: Inside, read: set[str]) -> None:
    stage.write(SPEC, FILES)
    read.clear()
    inside.run("validate")
    assert read == set()
    assert not (stage.folder / ".asstops").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="links of POSIX")
def test_where_the_folder_is_a_link_nothing_is_kept(stage: Stage, inside: Inside, read: set[str]) -> None:
    """Neither digests nor a journal: a pull request could have brought it along. Commands do their work as ever."""
    stage.write(SPEC, FILES)
    elsewhere = stage.folder / "elsewhere"
    elsewhere.mkdir()
    (stage.folder / ".asstops").symlink_to("elsewhere")
    inside.run("plan")
    inside.run("apply", "--auto-approve")
    read.clear()
    inside.run("plan", "--detailed-exitcode")
    assert read == {Path(name).name for name in FILES}
    assert list(elsewhere.iterdir()) == []


def test_as_a_library_it_is_the_same(stage: Stage, read: set[str]) -> None:
    """`folder` is where it lies."""
    stage.write(SPEC, FILES)
    stack, folder = asstops.load(folder=stage.folder), stage.folder / "state"
    asstops.plan(stack, environ=stage.environ, folder=folder)
    read.clear()
    asstops.plan(stack, environ=stage.environ, folder=folder)
    assert read == set()
    asstops.plan(stack, environ=stage.environ, folder=stage.folder / "elsewhere")
    assert len(read) == COUNT


def test_what_is_sent_is_read_whatever_the_cache_says(stage: Stage, read: set[str]) -> None:
    """A cache that is wrong costs time: nothing is uploaded as what it is not."""
    stage.write(SPEC, FILES)
    path = stage.folder / "kb" / "07.md"
    cache = hashcache.HashCache(stage.folder, "library")
    sizes = {str(stage.folder / name): len(text) for name, text in FILES.items()}
    cache.keep(cache.look(sizes), {str(path): (hashcache.stamp(path.stat()), "0" * 64)})
    report = asstops.apply(asstops.load(folder=stage.folder), environ=stage.environ, folder=stage.folder)
    assert [str(event.address) for event in report.failed] == ["file.kb/07.md"]
    assert "changed after the plan was made" in report.failed[0].message
    assert sorted(file["filename"] for file in stage.dump()["files"]) == sorted(
        Path(name).name for name in FILES.keys() - CHANGED
    )
