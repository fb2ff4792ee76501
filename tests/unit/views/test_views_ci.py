"""What a pipeline reads in a log: annotations as its vendor wants them, and no command that a user wrote."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asstops.errors import Location, Problem
from asstops.views.ci import Disarmed, Vendor, annotation, azure_variable, vendor

QUIET = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""A busy machine is no mistake of a test."""
PROBLEM = Problem("100 % wrong:\nx, y; [z]", Location("specs/a,b:c;d].yaml", 3, 5), "do\r\nthis")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"GITHUB_ACTIONS": "true"}, Vendor.GITHUB),
        ({"TF_BUILD": "True"}, Vendor.AZURE),
        ({"GITHUB_ACTIONS": "false"}, None),
        ({"CI": "true"}, None),
        ({}, None),
    ],
)
def test_is_found_by_the_environment(environ: dict[str, str], expected: Vendor | None) -> None:
    assert vendor(environ) is expected


def test_an_annotation_for_github() -> None:
    """Percent, line breaks, and, in properties, colons and commas are escaped."""
    expected = (
        "::error file=specs/a%2Cb%3Ac;d].yaml,line=3,col=5,title=asstops::"
        "100 %25 wrong:%0Ax, y; [z]%0Afix: do\\r\\nthis"
    )
    assert annotation(Vendor.GITHUB, PROBLEM) == expected


def test_an_annotation_for_azure() -> None:
    """Percent, line breaks, semicolons and brackets are escaped, in properties and in the message."""
    expected = (
        "##vso[task.logissue type=warning;sourcepath=specs/a,b:c%3Bd%5D.yaml;linenumber=3;columnnumber=5;]"
        "100 %AZP25 wrong:%0Ax, y%3B [z%5D%0Afix: do\\r\\nthis"
    )
    assert annotation(Vendor.AZURE, PROBLEM, warning=True) == expected


def test_an_annotation_without_a_place() -> None:
    """What is not known is left out; a file as a whole has no line."""
    assert annotation(Vendor.GITHUB, Problem("bad")) == "::error title=asstops::bad"
    assert annotation(Vendor.AZURE, Problem("bad")) == "##vso[task.logissue type=error;]bad"
    whole = Problem("bad", Location("a.yaml"))
    assert annotation(Vendor.GITHUB, whole, warning=True) == "::warning file=a.yaml,title=asstops::bad"


@given(st.text(max_size=60), st.text(max_size=20))
@settings(QUIET, max_examples=60)
def test_an_annotation_is_one_line(message: str, file: str) -> None:
    for to in Vendor:
        line = annotation(to, Problem(message, Location(f"x{file}", 1, 1), message))
        assert len(re.split(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]", line)) == 1
        assert line.count("##vso[") == (to is Vendor.AZURE) or to is Vendor.GITHUB


def test_sets_a_variable() -> None:
    assert azure_variable("hasChanges", "true") == "##vso[task.setvariable variable=hasChanges;isOutput=true]true"


def disarmed(*pieces: str) -> str:
    stream = Disarmed()
    return "".join(stream.feed(piece) for piece in pieces)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("::add-mask::x\n", ":\\x3aadd-mask::x\n"),
        ("a\n \t\u3000::set-output name=a::b", "a\n \t\u3000:\\x3aset-output name=a::b"),
        ("a\r::error::x", "a\r:\\x3aerror::x"),
        ("say ##vso[task.setvariable variable=a]b", "say ##vs\\x6f[task.setvariable variable=a]b"),
        ("##VSO[x]", "##VS\\x4f[x]"),
        ("a ##[error]b ##[add-path]c", "a ##\\x5berror]b ##\\x5badd-path]c"),
    ],
)
def test_disarms_commands(text: str, expected: str) -> None:
    """Whole or cut into single characters, as an answer comes."""
    assert disarmed(text) == expected
    assert disarmed(*text) == expected


@pytest.mark.parametrize(
    "text", ["a::b", "## Heading\n# x [y]", "std::move()", ": : a", "key: [a]", "C:\\x", "", "\n\n"]
)
def test_leaves_other_text_alone(text: str) -> None:
    assert disarmed(text) == text
    assert disarmed(*text) == text


pieces = st.sampled_from(
    [":", "::", "#", "##", "[", "##[", "v", "s", "O", "##vso[", "##vs", " ", "\x85", "\n", "\r", "a"]
)


@given(st.lists(pieces, max_size=10))
@settings(QUIET, max_examples=150)
def test_no_command_is_left_however_it_is_cut(pieces: list[str]) -> None:
    shown = disarmed(*pieces)
    assert shown == disarmed("".join(pieces))
    for line in re.split(r"[\n\r]", shown):
        assert not line.lstrip().startswith("::")
        assert "##[" not in line
        assert "##vso" not in line.lower()


def test_knows_where_a_line_begins() -> None:
    stream = Disarmed()
    assert stream.at_line_start
    stream.feed("a")
    assert not stream.at_line_start
    stream.feed("b\n")
    assert stream.at_line_start
