"""How values are worded."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from asstops.spec.explain import explain
from asstops.spec.words import flow


@pytest.mark.parametrize(
    "value", ["notes", 30, ["notes", {"glob": "kb/**/*.md"}], {"name": "S0", "of": {"capacity": 30}, "none": []}]
)
def test_a_value_in_one_line_is_yaml_of_the_same_value(value: Any) -> None:
    assert yaml.safe_load(flow(value)) == value


def test_explain_shows_examples_as_a_spec_has_them() -> None:
    assert explain("vector_store.files").examples == ("[monthly-sales, {glob: kb/**/*.md}]",)
