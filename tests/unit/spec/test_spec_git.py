"""Where a spec's repository is, read from .git without starting git."""

from __future__ import annotations

from pathlib import Path

import pytest

from asstops.spec.git import normalise, origin_of, top_level


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/Contoso/Sales.git", "github.com/contoso/sales"),
        ("https://user:token@github.com/contoso/sales/", "github.com/contoso/sales"),
        ("git@github.com:contoso/sales.git", "github.com/contoso/sales"),
        ("ssh://git@github.com:22/contoso/sales.git", "github.com/contoso/sales"),
        ("git://GitHub.com/contoso/sales", "github.com/contoso/sales"),
        ("https://contoso@dev.azure.com/contoso/shop/_git/sales", "dev.azure.com/contoso/shop/sales"),
        ("git@ssh.dev.azure.com:v3/contoso/shop/sales", "dev.azure.com/contoso/shop/sales"),
        ("https://contoso.visualstudio.com/shop/_git/sales", "dev.azure.com/contoso/shop/sales"),
        ("https://contoso.visualstudio.com/DefaultCollection/shop/_git/sales", "dev.azure.com/contoso/shop/sales"),
        ("/srv/git/sales.git", "/srv/git/sales"),
        ("../sales", "../sales"),
    ],
)
def test_one_repository_has_one_name(url: str, expected: str) -> None:
    assert normalise(url) == expected


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


CONFIG = """\
[core]
	bare = false
[remote "fork"]
	url = https://github.com/me/r
[remote "origin"]
	url = git@github.com:o/r.git
"""


def test_the_remote_is_origin(tmp_path: Path) -> None:
    write(tmp_path / ".git" / "config", CONFIG)
    write(tmp_path / "a" / "asstops.yaml", "")

    assert origin_of(tmp_path / "a" / "asstops.yaml") == "github.com/o/r#a/asstops.yaml"
    assert top_level(tmp_path / "a") == tmp_path


def test_another_remote_will_do(tmp_path: Path) -> None:
    write(tmp_path / ".git" / "config", CONFIG.replace("origin", "upstream"))

    assert origin_of(tmp_path / "asstops.yaml") == "github.com/me/r#asstops.yaml"


@pytest.mark.parametrize("config", ["", "[core]\n", '[branch "main"]\n\turl = x\n', "[[[\x00"])
def test_without_a_remote_there_is_no_origin(tmp_path: Path, config: str) -> None:
    write(tmp_path / ".git" / "config", config)

    assert origin_of(tmp_path / "asstops.yaml") == ""


def test_outside_a_repository_there_is_no_origin(tmp_path: Path) -> None:
    assert origin_of(tmp_path / "asstops.yaml") == ""


def test_worktree(tmp_path: Path) -> None:
    """`.git` is a file there, and the config is the main checkout's."""
    write(tmp_path / "main" / ".git" / "config", CONFIG)
    write(tmp_path / "main" / ".git" / "worktrees" / "w" / "commondir", "../..\n")
    write(tmp_path / "w" / ".git", f"gitdir: {tmp_path}/main/.git/worktrees/w\n")

    assert origin_of(tmp_path / "w" / "asstops.yaml") == "github.com/o/r#asstops.yaml"


def test_submodule(tmp_path: Path) -> None:
    write(tmp_path / ".git" / "modules" / "m" / "config", CONFIG)
    write(tmp_path / "m" / ".git", "gitdir: ../.git/modules/m\n")

    assert origin_of(tmp_path / "m" / "asstops.yaml") == "github.com/o/r#asstops.yaml"


def test_a_broken_git_file_is_no_origin(tmp_path: Path) -> None:
    write(tmp_path / ".git", "gitdir: /nowhere\n")

    assert origin_of(tmp_path / "asstops.yaml") == ""
