"""The shipped specs, and the specs printed in the pages, are right."""

from __future__ import annotations

from pathlib import Path

import pytest

from asstops.spec import load
from tests.docs.pages import PAGES, ROOT, blocks, read

SPECS = (
    "assistants.yaml",
    "chat.yaml",
    "everything",
    "functions.yaml",
    "math.yaml",
    "project.yaml",
    "sales.yaml",
    "tools.yaml",
)
ENVIRON = {"AZURE_SUBSCRIPTION_ID": "00000000-0000-0000-0000-000000000000"}
ENVIRONMENTS = [(name, "") for name in SPECS] + [("everything", "prod")]


def test_no_spec_is_forgotten() -> None:
    """Every YAML file of specs/ belongs to one of the specs above."""
    found = {path.relative_to(ROOT / "specs").parts[0] for path in (ROOT / "specs").rglob("*.yaml")}
    assert sorted(found) == sorted(SPECS)


@pytest.mark.parametrize(("name", "env"), ENVIRONMENTS)
def test_loads_without_a_warning(name: str, env: str) -> None:
    stack = load([ROOT / "specs" / name], env=env, environ=ENVIRON, base=ROOT)
    assert [str(warning) for warning in stack.warnings] == []
    assert stack.resources


def test_the_environment_is_a_stack_of_its_own() -> None:
    """Nothing of production is shared with the other stack: not the name, not the account."""
    one, other = (load([ROOT / "specs/everything"], env=env, environ=ENVIRON, base=ROOT) for env in ("", "prod"))
    assert (one.identity, other.identity) == ("support-desk", "support-desk/prod")
    assert one.account is not None
    assert other.account is not None
    assert one.account.address != other.account.address


def test_specs_do_not_share_an_account() -> None:
    """Each can be applied beside the others, and destroyed without them."""
    stacks = [load([ROOT / "specs" / name], env=env, environ=ENVIRON, base=ROOT) for name, env in ENVIRONMENTS]
    accounts = [stack.account.address for stack in stacks if stack.account is not None]
    assert len(accounts) >= 5
    assert len(set(accounts)) == len(accounts)
    assert len({stack.identity for stack in stacks}) == len(stacks)


@pytest.mark.parametrize("name", SPECS)
def test_begins_with_what_it_is_and_how_to_run_it(name: str) -> None:
    path = ROOT / "specs" / name
    text = (path / "asstops.yaml" if path.is_dir() else path).read_text(encoding="utf-8")
    header = text.partition("\nstack:")[0]
    assert f"asstops --local -f specs/{name} apply" in header
    assert f"asstops -f specs/{name} destroy" in header


PRINTED = [
    pytest.param(page, block.text, id=f"{page}:{read(page).count(chr(10), 0, block.start)}")
    for page in PAGES
    for block in blocks(read(page))
    if block.language == "yaml" and block.text.startswith("stack:")
]


@pytest.mark.parametrize(("page", "text"), PRINTED)
def test_specs_in_the_pages_are_valid(page: str, text: str, tmp_path: Path) -> None:
    """Whatever a page shows as a whole spec loads; the files it names are on the page, or those of specs/."""
    for path in (ROOT / "specs", *(ROOT / "specs").iterdir()):
        (tmp_path / path.name).symlink_to(path)
    for block in blocks(read(page)):
        if block.note == "file" and not (tmp_path / block.argument).exists():
            (tmp_path / block.argument).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / block.argument).write_text(block.text, encoding="utf-8")
    (tmp_path / "asstops.yaml").write_text(text, encoding="utf-8")
    assert load([tmp_path / "asstops.yaml"], environ=ENVIRON, base=tmp_path, allow_outside=True).resources
