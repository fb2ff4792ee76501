"""What holds for every spec, sound or not."""

from __future__ import annotations

import contextlib
import random
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asstops.errors import Problem, SpecInvalid
from asstops.spec import Stack, json_schema, load
from tests.property.strategies import SpecCase, shuffled, spec_documents

QUICK = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
SCHEMA = jsonschema.Draft202012Validator(json_schema())
HEAD = "stack: s\nservice: assistants\n"


def _loaded(case: SpecCase) -> Stack:
    with tempfile.TemporaryDirectory() as folder:
        case.write(Path(folder))
        stack = load(base=Path(folder))
        bare = {
            address: replace(
                resource,
                location=None,
                source=replace(resource.source, path=Path()) if resource.source is not None else None,
            )
            for address, resource in stack.resources.items()
        }
        return replace(stack, root=Path(), files=(), resources=bare, account=None, project=None, warnings=())


def _load_bytes(data: bytes) -> tuple[Problem, ...]:
    """The problems of a spec, () when it loads. Any other exception fails the test."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "asstops.yaml").write_bytes(data)
        (Path(folder) / "a.md").write_text("a", "utf-8")
        try:
            load(base=Path(folder))
        except SpecInvalid as error:
            return error.problems
        return ()


@QUICK
@given(spec_documents())
def test_valid_specs_load(case: SpecCase) -> None:
    """Every resource has the address it is listed under, in sorted order, and refers only to what is there."""
    resources = _loaded(case).resources

    assert list(resources) == sorted(resources)
    assert all(resource.address == address for address, resource in resources.items())
    assert all(resource.references() <= set(resources) for resource in resources.values())


@QUICK
@given(spec_documents(), st.randoms(use_true_random=False))
def test_the_order_of_keys_means_nothing(case: SpecCase, source: random.Random) -> None:
    assert _loaded(replace(case, document=shuffled(case.document, source))) == _loaded(case)


@QUICK
@given(spec_documents())
def test_the_editor_schema_accepts_what_loads(case: SpecCase) -> None:
    assert [error.message for error in SCHEMA.iter_errors(case.document)] == []


@QUICK
@given(st.binary(max_size=200))
def test_any_bytes_load_or_are_refused(data: bytes) -> None:
    _load_bytes(data)
    _load_bytes(HEAD.encode() + data)


@QUICK
@given(st.text(max_size=200))
def test_any_text_loads_or_is_refused(text: str) -> None:
    _load_bytes(text.encode("utf-8", "surrogatepass"))


@QUICK
@given(st.text("ab:-?&*!|>{}[],#%@`'\"<~ \n\t\r$\\01.", max_size=60))
def test_any_punctuation_loads_or_is_refused(text: str) -> None:
    _load_bytes(text.encode())
    _load_bytes((HEAD + "assistants:\n  a:\n    model: " + text).encode())


_ODD = ["${", "${a}", "${v}", "$${v}", "${v:-x}", "../x", "a.md", "**", ".", "/", "[", "a/", "\0", ".env", "x" * 300]
_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.sampled_from(_ODD))
_NAMES = """
    model tools files glob file vars function file_search code_interpreter schema metadata name path id parameters
    properties type required enum default sensitive description response_format json_schema instructions chunking sku
    version $ref pattern strict
"""
_KEYS = st.one_of(st.sampled_from(_NAMES.split()), st.text(max_size=8))
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=4)),
    max_leaves=12,
)
_SECTIONS = ("vars", "resource", "deployments", "files", "vector_stores", "tools", "assistants", "origin")


@settings(QUICK, max_examples=300)
@given(
    st.dictionaries(
        st.sampled_from(_SECTIONS), st.one_of(st.dictionaries(_KEYS, _VALUES, max_size=3), _VALUES), max_size=4
    )
)
def test_any_values_load_or_are_refused(document: dict[str, Any]) -> None:
    """Whatever stands where, the answer is a Stack or a list of problems, each with a place and plain words."""
    text = yaml.safe_dump({"stack": "s", "service": "assistants", **document}, allow_unicode=True)
    problems = _load_bytes(text.encode("utf-8", "surrogatepass"))

    assert all(problem.location is not None for problem in problems)
    assert not [
        problem for problem in problems if "Input should be" in problem.message or "pydantic" in problem.message
    ]
    assert len({(problem.location, problem.message) for problem in problems}) == len(problems)


@QUICK
@given(spec_documents(), st.data())
def test_one_wrong_value_never_breaks_the_loader(case: SpecCase, data: st.DataObject) -> None:
    """Replace one value anywhere in a valid spec."""
    document = data.draw(_damaged(case.document))
    with tempfile.TemporaryDirectory() as folder:
        SpecCase(document, case.files).write(Path(folder))
        with contextlib.suppress(SpecInvalid):
            load(base=Path(folder))


@st.composite
def _damaged(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, dict) and value and draw(st.integers(0, 5)):
        key = draw(st.sampled_from(sorted(value)))
        return {**value, key: draw(_damaged(value[key]))}
    if isinstance(value, list) and value and draw(st.integers(0, 5)):
        index = draw(st.integers(0, len(value) - 1))
        return [*value[:index], draw(_damaged(value[index])), *value[index + 1 :]]
    return draw(_VALUES)


@pytest.mark.parametrize(
    "data", [b"", b"\xef\xbb\xbf", b"---\n", b"%YAML 9.9\n---\na: 1", b"a: !!python/none", b"\x00"]
)
def test_odd_files_are_refused(data: bytes) -> None:
    assert _load_bytes(data)
