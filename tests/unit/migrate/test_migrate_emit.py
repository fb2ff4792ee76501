"""YAML that is written reads back as what it was, whatever the text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asstops.kinds.fields import plain_value
from asstops.migrate.emit import block, literal, scalar, sections
from asstops.spec.nodes import Problems, Source, to_python
from asstops.spec.variables import Variables
from asstops.spec.yaml_reader import read_documents

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20) | st.sampled_from(
    [
        "no",
        "~",
        "",
        "1_000",
        "0x1F",
        "2024-11-20",
        "- a",
        "a: b",
        "a #b",
        "\ufeff",
        "\x85",
        "\u2028",
        "'",
        '"',
        "<<",
        "${",
    ]
)
KEYS = TEXTS.filter(lambda key: key != "<<")  # which is YAML's own, in quotes too
LEAVES = TEXTS | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False)
DATA = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=12
)

# The same examples in every run: what a run finds is then its own doing.
QUICK = settings(
    deadline=None, max_examples=100, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)


def read(text: str) -> Any:
    problems = Problems()
    (root,) = read_documents(text.encode(), Source(Path("x.yaml"), "x.yaml"), problems)
    assert problems.all() == ()
    return plain_value(to_python(root))


@QUICK
@given(st.dictionaries(KEYS, DATA, min_size=1, max_size=4))
def test_what_is_written_reads_back(data: dict[str, Any]) -> None:
    assert read(block(data)) == data


@QUICK
@given(TEXTS)
def test_other_readers_see_the_same_text(text: str) -> None:
    """PyYAML goes by YAML 1.1, where a bare `no` or a date is no text."""
    assert yaml.safe_load(f"a: {scalar(text)}\n") == {"a": text}


@QUICK
@given(TEXTS.filter(lambda text: "\x00" not in text))
def test_no_variable_is_meant(text: str) -> None:
    problems = Problems()
    filled = Variables(problems).fill(literal(text), Source(Path("x"), "x").at())
    assert (filled.value, problems.all()) == (text, ())


def test_layout() -> None:
    """Short entries on one line, long ones below; the first key of a map beside the dash."""
    assert block({"k" * 100: {"l" * 100: []}}) == f"{'k' * 100}:\n  {'l' * 100}: []\n"
    data = {"a": {"tools": [{"function": "f"}, {"file_search": {"store": "s" * 60, "other": "o" * 30}}]}, "b": {}}
    assert sections({"top": data, "none": {}}) == (
        "top:\n"
        "  a:\n"
        "    tools:\n"
        "      - function: f\n"
        "      - file_search:\n"
        f"          store: {'s' * 60}\n"
        f"          other: {'o' * 30}\n"
        "  b: {}\n"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("gpt-4o", "gpt-4o"),
        ("no", '"no"'),
        ("4g", '"4g"'),
        ("a: b", '"a: b"'),
        ("\x07", r'"\x07"'),
        (True, "true"),
        (1.5, "1.5"),
    ],
)
def test_scalars(value: Any, text: str) -> None:
    assert scalar(value) == text
