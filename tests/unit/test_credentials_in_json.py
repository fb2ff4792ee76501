"""Credentials in what is live are known by where they stand, and nothing else is taken for one."""

from __future__ import annotations

from typing import Any

import pytest

from asstops.credentials import without_credentials
from asstops.redact import Redactor

KEY = "abcdef0123456789"
OUT = "(credential)"


@pytest.mark.parametrize(
    ("held", "shown"),
    [
        ({"headers": {"x-functions-key": KEY, "X-Any": KEY}}, {"headers": {"x-functions-key": OUT, "X-Any": OUT}}),
        ({"headers": {"Accept": "text/plain"}}, {"headers": {"Accept": "text/plain"}}),
        ({"apiKey": KEY, "client_secret": KEY, "key1": KEY}, {"apiKey": OUT, "client_secret": OUT, "key1": OUT}),
        ({"key": KEY, "keyword": "a", "max_tokens": "9"}, {"key": KEY, "keyword": "a", "max_tokens": "9"}),
        ({"server_url": f"https://x/y?a=b&code={KEY}#c"}, {"server_url": f"https://x/y?a=b&code={OUT}#c"}),
        ({"instructions": f"Go to https://x/?code={KEY}"}, {"instructions": f"Go to https://x/?code={KEY}"}),
        ({"metadata": {"team_key": "sales"}}, {"metadata": {"team_key": "sales"}}),
        ({"api_key": "", "token": None}, {"api_key": "", "token": None}),
    ],
)
def test_they_are_left_out(held: dict[str, Any], shown: dict[str, Any]) -> None:
    """In whatever depth, and in the same way wherever values are masked."""
    assert without_credentials([{"tools": [held]}]) == [{"tools": [shown]}]
    assert Redactor().value([{"tools": [held]}]) == [{"tools": [shown]}]
