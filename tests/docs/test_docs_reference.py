"""The generated parts of the pages are those the code gives."""

from __future__ import annotations

import re

import pytest
from jsonschema import Draft202012Validator

from asstops.cli.main import COMMANDS
from asstops.errors import ExitCode
from asstops.services import every
from asstops.spec.editor_schema import document_schema
from asstops.spec.header import top_level_keys
from tests.docs.pages import PAGES, ROOT, read
from tests.docs.reference import CODES, MADE, MAKERS, filled


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


def test_readme_calls_nothing_missing_that_is_there() -> None:
    """What has been built is taken out of `Not there yet`."""
    found = re.search(r"^- \*\*Not there yet:\*\*(.*?)^- ", read("README.md"), re.MULTILINE | re.DOTALL)
    assert found
    missing = set(re.findall(r"`(\w+)`", found[1]))
    assert missing & {*COMMANDS, *top_level_keys()} == set()


def test_the_spec_reference_explains_every_key() -> None:
    """Top-level keys and the keys of every kind's entries."""
    page = read("docs/spec-reference.md")
    kinds = [kind for service in every() for kind in service.kinds.values()]
    wanted = {*top_level_keys(), *(name for kind in kinds for name in kind.spec.model_fields)}
    assert sorted(key for key in wanted if f"`{key}`" not in page) == []


def test_every_field_of_the_spec_is_described() -> None:
    """What editors show beside a key, `explain` prints, and the reference lists."""
    schema = document_schema()
    shapes = {"the top": schema, **schema["$defs"]}
    fields = {f"{name}.{key}": field for name, shape in shapes.items() for key, field in shape["properties"].items()}
    assert len(fields) > 100
    assert [name for name, field in fields.items() if not field.get("description", "").endswith((".", ":"))] == []


def test_an_example_of_a_field_is_one() -> None:
    """Every example in the JSON Schema is valid where it stands."""
    schema = document_schema()
    for name, shape in {"the top": schema, **schema["$defs"]}.items():
        for key, field in shape["properties"].items():
            validator = Draft202012Validator({**field, "$defs": schema["$defs"]})
            for example in field.get("examples", ()):
                assert [error.message for error in validator.iter_errors(example)] == [], f"{name}.{key}"


def test_the_architecture_page_names_every_room() -> None:
    """A new module or folder of the package says there what it owns."""
    rooms = {path.stem for path in (ROOT / "asstops").iterdir() if path.name[0] not in "._" and path.name != "py.typed"}
    named = set(re.findall(r"`([a-z]+)/?`", read("docs/architecture.md").partition("\n## Who may import")[0]))
    assert sorted(rooms - named) == []
