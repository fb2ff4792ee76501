"""A regular expression that would take for ever is given up, and the others give what `re` gives."""

from __future__ import annotations

import pytest

from asstops.matching import matches


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("(?i)HELLO", "well, hello", True),
        ("^hello", "well, hello", False),
        ("\\d{2}€", "so 12€ it is", True),
    ],
)
def test_gives_what_re_gives(pattern: str, text: str, found: bool) -> None:
    assert matches(pattern, text, 60) is found


def test_one_without_end_is_given_up() -> None:
    assert matches("(a|a)*$(?!)", "a" * 40, 0.3) is None
