"""Declared variables: where values come from, what becomes of them, what stays masked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asstops.errors import SpecInvalid
from asstops.model import Address

STORE = "vector_stores: {v: {metadata: {k: '%s'}}}\n"


def value(stack: Any) -> str:
    return str(stack.resources[Address("vector_store", "v")].body["metadata"]["k"])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "default"),
        ({"environ": {"ASSTOPS_VAR_a": "environment"}}, "environment"),
        ({"environ": {"ASSTOPS_VAR_A": "upper"}}, "upper"),
        ({"environ": {"ASSTOPS_VAR_a": "environment"}, "var_files": [Path("v.yaml")]}, "file"),
        ({"environ": {"ASSTOPS_VAR_a": "e"}, "var_files": [Path("v.yaml")], "variables": {"a": "option"}}, "option"),
        ({"var_files": [Path("v.yaml"), Path("w.json")]}, "later file"),
        ({"environ": {"a": "no", "A": "no"}}, "default"),
    ],
)
def test_where_values_come_from(spec: Any, options: dict[str, Any], expected: str) -> None:
    files = {"v.yaml": "a: file\n", "w.json": '{"a": "later file"}'}

    assert value(spec.load("vars: {a: default}\n" + STORE % "${a}", files, **options)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${a}-${b}", "1-two words"),
        ("x${a}x", "x1x"),
        ("$${a}", "${a}"),
        ("$$${a}", "$${a}"),
        ("$a $ {a} a}", "$a $ {a} a}"),
        ("${c:-fallback}", "fallback"),
        ("${c:-}", ""),
        ("${e:-fallback}", "fallback"),
        ("${a:-fallback}", "1"),
        ("${a:?must be set}", "1"),
        ("${c:-a:-b}", "a:-b"),
        ("${e}", ""),
    ],
)
def test_what_becomes_of_them(spec: Any, text: str, expected: str) -> None:
    assert value(spec.load("vars: {a: 1, b: two words, c: , e: ''}\n" + STORE % text)) == expected


def test_a_value_that_is_just_a_variable_keeps_its_type(spec: Any) -> None:
    stack = spec.load(
        "vars: {days: 30, on: true, text: 0613, far: }\n"
        "vector_stores:\n"
        "  a: {expires_after_days: '${days}', protect: '${on}', name: '${text}'}\n"
        "  b: {expires_after_days: '${far}', protect: '${on:-false}', name: '${days}'}\n",
        variables={"far": "7"},
    )
    a, b = (stack.resources[Address("vector_store", key)] for key in "ab")

    assert (a.body["expires_after_days"], a.protect, a.body["name"]) == (30, True, "0613")
    assert (b.body["expires_after_days"], b.protect, b.body["name"]) == (7, True, "30")


def test_variables_in_paths_globs_and_references(spec: Any) -> None:
    stack = spec.load(
        "vars: {dir: kb, entry: f}\nfiles: {f: {path: '${dir}/a.txt'}}\n"
        "vector_stores: {v: {files: ['${entry}', {glob: '${dir}/*.md'}]}}\n",
        {"kb/a.txt": "a", "kb/b.md": "b"},
    )

    assert [str(address) for address in stack.resources] == ["file.f", "file.kb/b.md", "vector_store.v"]


def test_contents_of_files_only_on_request(spec: Any) -> None:
    stack = spec.load(
        "vars: {city: Ulm}\nassistants:\n"
        "  a: {model: m, instructions: {file: p.md}}\n  b: {model: m, instructions: {file: p.md, vars: true}}\n",
        {"p.md": "In ${city}, $${x}.\n"},
    )

    texts = [stack.resources[Address("assistant", key)].body["instructions"] for key in "ab"]
    assert texts == ["In ${city}, $${x}.", "In Ulm, ${x}."]


def test_two_of_the_environment_need_no_declaration(spec: Any) -> None:
    environ = {"AZURE_SUBSCRIPTION_ID": "sub", "AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_SECRET": "no"}

    assert value(spec.load(STORE % "${AZURE_SUBSCRIPTION_ID}/${AZURE_TENANT_ID}", environ=environ)) == "sub/tenant"
    assert (
        "variable AZURE_CLIENT_SECRET is not declared"
        in spec.problems(STORE % "${AZURE_CLIENT_SECRET}", environ=environ)[0]
    )


def test_a_declared_name_does_not_open_the_environment(spec: Any) -> None:
    found = spec.problems("vars: {HOME: }\n" + STORE % "${HOME}", environ={"HOME": "/root"})

    assert "variable HOME has no value" in found[0]


def test_a_variable_without_value_that_nothing_uses_is_no_problem(spec: Any) -> None:
    spec.load("vars: {a: , b: {description: only said}}\n")


def test_sensitive_values_are_known_for_masking(spec: Any) -> None:
    """Allowed in metadata and tags and in what only ARM reads; the fields are named, and the values are handed out."""
    stack = spec.load(
        "vars: {s: {sensitive: true}, t: {sensitive: true, default: dull}, u: {sensitive: true}}\n"
        "resource: {name: contoso, resource_group: '${s}', location: l, subscription_id: x, tags: {k: 'a ${s}'}}\n"
        "assistants: {a: {model: m, metadata: {k: '${t}', l: plain, m: '${u:-other}'}}}\n",
        variables={"s": "5ecret"},
    )

    assert stack.secrets == {"5ecret", "dull", "other"}
    assert stack.account.sensitive == {"resource_group", "tags.k"}
    assert stack.resources[Address("assistant", "a")].sensitive == {"metadata.k", "metadata.m"}


def test_files_of_variables(spec: Any) -> None:
    """Problems in them are shown there."""
    spec.write({"v.yaml": "a: 1\nb: 2\nc: [3]\n", "w.yaml": "- x\n"})
    found = spec.problems("vars: {a: 0, c: 0}\n", var_files=[Path("v.yaml"), Path("w.yaml"), Path("none.yaml")])

    assert [line.split(" |")[0] for line in found] == [
        "none.yaml the file cannot be read: No such file or directory",
        "v.yaml:2:4 --var-file sets 'b', which the spec does not declare",
        "v.yaml:3:1 variable c is a list, one value is wanted",
        "w.yaml:1:1 a file of variables is a map of names",
    ]


def test_half_a_character_from_the_command_line_is_refused(spec: Any) -> None:
    with pytest.raises(SpecInvalid):
        spec.load("vars: {a: }\n" + STORE % "${a}", variables={"a": "\udcff"})
