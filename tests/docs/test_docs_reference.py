"""The generated parts of the pages are those the code gives."""

from __future__ import annotations

import re

import pytest

from asstops.cli.main import COMMANDS
from asstops.errors import ExitCode
from asstops.services import by_name
from asstops.spec.header import top_level_keys
from tests.docs.pages import PAGES, read
from tests.docs.reference import CODES, MADE, MAKERS, filled

KINDS = by_name("assistants").kinds


@pytest.mark.parametrize("page", [page for page in PAGES if MADE.search(read(page))])
def test_generated_parts_are_current(page: str, update_golden: bool) -> None:
    """A changed option or key shows here until `make golden` has been run and its diff read."""
    if update_golden:
        pytest.skip("the test that runs the page writes it whole")
    assert read(page) == filled(read(page))


def test_every_generated_part_is_on_a_page() -> None:
    """Nothing is generated for nobody."""
    assert {found["name"] for page in PAGES for found in MADE.finditer(read(page))} == set(MAKERS)


def test_every_exit_code_is_explained() -> None:
    assert set(CODES) == set(ExitCode)


def test_readme_names_every_command() -> None:
    assert set(re.findall(r"^\| `asstops (\w+)` \|", read("README.md"), re.MULTILINE)) == set(COMMANDS)


def test_the_spec_page_explains_every_key() -> None:
    """Top-level keys and the keys of every kind's entries."""
    page = read("docs/spec.md")
    wanted = set(top_level_keys()) | {
        name for kind in KINDS.values() for name in kind.spec.model_fields
    }
    assert sorted(key for key in wanted if f"`{key}`" not in page) == []
