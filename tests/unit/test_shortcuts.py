"""What is told from ordinary text by a quick look must still be seen by it: credentials, tokens, values, names."""

from __future__ import annotations

from difflib import get_close_matches
from itertools import product

import pytest

from asstops.kinds.fields import Plain
from asstops.redact import MASKED, Redactor
from asstops.spec.credentials import _is_credential
from asstops.spec.scalars import resolve
from asstops.spec.words import nearest

RUN = "aB3dE6gH9jK2mN5pQ8rT1vW4yZ7"
CREDENTIALS = (
    f"sk-{RUN[:20]}",
    RUN * 3 + "abc",
    f"eyJ{RUN[:10]}.eyJ{RUN[:10]}.",
    f"AccountKey={RUN[:16]}",
    f"SharedAccessKey = {RUN[:16]}",
    f"SharedAccessSignature={RUN[:16]}",
    *(f"gh{kind}_{RUN}{RUN[:9]}" for kind in "pousr"),
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----",
)


@pytest.mark.parametrize("text", CREDENTIALS)
def test_each_kind_of_credential_is_seen_in_a_spec(text: str) -> None:
    """Alone, as short as it can be, and in the middle of a text."""
    assert _is_credential(text)
    assert _is_credential(f"The high bridge, and {text} too.")
    assert not _is_credential("The high bridge of the town, and nothing that is secret.")


@pytest.mark.parametrize(
    "text",
    [
        f"eyJ{RUN[:10]}.eyJ{RUN[:10]}",
        f"Bearer {RUN}",
        f"bearer {RUN}",
        f"https://x/c?sig={RUN}",
        f"AccountKey={RUN}",
        f"SharedAccessKey={RUN}",
        f"SharedAccessSignature={RUN}",
    ],
)
def test_each_kind_of_token_is_masked(text: str) -> None:
    """Wherever it comes from."""
    assert Redactor().text(text).endswith(MASKED)


NO_TEXT = ("", "~", "null", "Null", "NULL", "true", "True", "TRUE", "false", "False", "FALSE", "1", "-1", "+1", ".5")


@pytest.mark.parametrize("text", [*NO_TEXT, "0x1F", "0o17", ".inf"])
def test_each_kind_of_value_is_no_text(text: str) -> None:
    """YAML 1.2's core schema, by the first character."""
    assert isinstance(resolve(text), Plain)


def test_the_nearest_name_is_the_one_that_difflib_names() -> None:
    """What cannot be nearer than one before is passed over, which changes nothing."""
    names = ["".join(letters) for letters in product("ab", "bc1", "ac")] + ["abab", "bcbc", "c"]
    for word in ("abc", "cba", "ab1", "bca", "aaaa", "b", "abcabc", "xyz"):
        assert nearest(word, names) == next(iter(get_close_matches(word, names, 1, 0.6)), "")
