"""Keys that an agent can have for a name, and file names that every file system takes."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asstops.kinds.base import KEY_PATTERN
from asstops.migrate.naming import MAX_FILE_NAME_BYTES, Keys, file_name, key_from, stem_for
from asstops.spec.paths import is_forbidden, written_wrong

# The same examples in every run: what a run finds is then its own doing.
QUICK = settings(
    deadline=None, max_examples=100, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Contoso sales RAG", "contoso-sales-rag"),
        ("get_weather", "get-weather"),
        ("Ünïcödé ☃", "unicode"),
        ("助手", ""),
        ("--a--b--", "a-b"),
        ("x" * 100, "x" * 63),
        ("a" * 62 + " b", "a" * 62),
    ],
)
def test_a_key_from_a_name(name: str, key: str) -> None:
    assert key_from(name) == key


@QUICK
@given(st.lists(st.tuples(st.text(max_size=80), st.text(max_size=10)), max_size=30))
def test_keys_are_valid_and_differ_by_more_than_case(names: list[tuple[str, str]]) -> None:
    keys = Keys()
    taken = [keys.take(name, otherwise) for name, otherwise in names]
    assert all(re.fullmatch(KEY_PATTERN, key) for key in taken)
    assert len({key.casefold() for key in taken}) == len(taken)


def test_a_key_of_a_spec_stays_unless_another_differs_by_case_alone() -> None:
    keys = Keys()
    assert [keys.keep(key) for key in ("Sales", "sales", "SALES", "other")] == ["Sales", "sales-2", "SALES-3", "other"]


def test_a_key_never_looks_like_a_credential() -> None:
    """A spec is refused over one, wherever it stands."""
    assert Keys().take("SK abcdefghijklmnopqrstuv0123456789", "other") == "other"


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("report.txt", "report.txt"),
        ("Ünï cödé.md", "Ünï cödé.md"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        (".env", "_.env"),
        (".git", "_.git"),
        ("con.txt", "_con.txt"),
        ("a:b?.md", "a_b_.md"),
        ("a\x00\n\x1bb", "ab"),
        ("trailing. ", "trailing"),
        ("..", "file"),
        ("/", "file"),
        ("", "file"),
    ],
)
def test_a_file_name(name: str, made: str) -> None:
    assert file_name(name, "file") == made


@QUICK
@given(st.text(max_size=300))
def test_any_file_name_can_stand_in_a_spec(name: str) -> None:
    made = file_name(name, "file")
    assert written_wrong(f"files/{made}") is None
    assert "/" not in made
    assert not is_forbidden(made)
    assert 0 < len(made.encode()) <= MAX_FILE_NAME_BYTES + 1


def test_names_that_windows_keeps() -> None:
    assert [stem_for(key) for key in ("con", "COM1", "console")] == ["con-file", "COM1-file", "console"]
