"""Secrets: masked wherever they occur, equal ones alike, and nothing else touched."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
import samples
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import plans

from asstops.model import FieldDiff, Plan
from asstops.redact import MASKED, Redactor, Stream, credentials_in
from asstops.views.human import render_plan
from asstops.views.text import safe


def test_equal_secrets_share_a_label() -> None:
    """The reader can tell that two places hold the same value."""
    redactor = Redactor(["hunter2", "swordfish", "hunter2"])
    assert redactor.text("hunter2 swordfish hunter2") == "(secret #1) (secret #2) (secret #1)"


def test_the_longer_secret_wins() -> None:
    """A secret that holds another one leaves no rest behind."""
    redactor = Redactor(["key-12", "key-12345"])
    assert redactor.text("key-12345, key-12") == "(secret #2), (secret #1)"


def test_short_secrets_are_left() -> None:
    """Masking `a` would garble everything."""
    assert Redactor(["a", "abc", ""]).text("a banana, abc") == "a banana, abc"
    assert Redactor().text("x") == "x"


def test_forms() -> None:
    """In JSON, in a URL, in base64 and line by line it is still a secret."""
    secret = 'p&ss"wörd/1=\nsecond line of it'
    redactor = Redactor([secret])
    encoded = base64.b64encode(secret.encode()).decode()
    for form in (json.dumps(secret), json.dumps(secret, ensure_ascii=False), quote(secret, safe=""), encoded):
        assert redactor.text(f"<{form}>").replace('"', "") == "<(secret #1)>"
    assert redactor.text("- 2 second line of it") == "- 2 (secret #1)"
    assert redactor.text('p&ss"wörd/1= second line of it') == "(secret #1)"


def test_as_messages_and_tables_show_it() -> None:
    """On one line, and with tabs and control characters made visible; quotes stay what they are."""
    redactor = Redactor(['a "tab"\tand\x1bmore'])
    assert redactor.text(safe('a "tab"\tand\x1bmore')) == "(secret #1)"
    assert redactor.text('a "tab" and\x1bmore') == "(secret #1)"
    assert redactor.text(safe('a "tab" and\x1bmore')) == "(secret #1)"


@pytest.mark.parametrize("before", ["", "u:", "us:", "use:"])
def test_in_the_middle_of_base64(before: str) -> None:
    """A header for basic sign-in holds a secret at any of three offsets; what stays shows none of it."""
    encoded = base64.b64encode(f"{before}correct horse battery:".encode()).decode()
    shown = Redactor(["correct horse battery"]).text(encoded)
    assert "(secret #1)" in shown
    assert len(shown.replace("(secret #1)", "")) <= 10


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc-_123"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"token={JWT}", f"token={MASKED}"),
        (f"Bearer {JWT}!", f"Bearer {MASKED}!"),
        ("Authorization: Bearer abcdefghij0123456789==", f"Authorization: Bearer {MASKED}"),
        ("https://x/c?sv=1&sig=abcdefghij%2F0123456789%3D&se=2", f"https://x/c?sv=1&sig={MASKED}&se=2"),
        ("AccountName=a;AccountKey=abcdefghij0123456789==;X=1", f"AccountName=a;AccountKey={MASKED};X=1"),
        ("the bearer of this letter, eyJ, sig=short", "the bearer of this letter, eyJ, sig=short"),
    ],
)
def test_what_looks_like_a_token_is_masked_whoever_it_is_from(text: str, expected: str) -> None:
    """Tokens are fetched while a command runs, so nobody can name them beforehand."""
    assert Redactor().text(text) == expected
    assert Redactor().value([text]) == [expected]


@pytest.mark.parametrize("text", [f"Say: Bearer {JWT}, or ?sig=abcdefghij%2F0123456789%3D", "AccountKey=" + "a1/=" * 9])
def test_a_token_that_comes_in_pieces(text: str) -> None:
    stream = Stream(Redactor())
    shown = [stream.feed(character) for character in text]
    assert "".join(shown) + stream.end() == Redactor().text(text) != text


def test_pieces_are_shown_as_soon_as_they_can_be() -> None:
    """What cannot be the beginning of a secret does not wait for the end."""
    stream = Stream(Redactor(["pear trees", "trees and apples"]))
    assert [stream.feed(piece) for piece in ("The pear ", "tree. ", "A pear trees", " and so")] == [
        "The ",
        "pear tree.",
        " A ",
        "(secret #1) and",
    ]
    assert (stream.end(), stream.end()) == (" so", "")


def test_credentials_of_the_environment() -> None:
    """By the variable's name; short values and names that only sound alike are left."""
    environ = {
        "AZURE_CLIENT_SECRET": "client-secret-value",
        "AZURE_OPENAI_API_KEY": "0123456789abcdef",
        "IDENTITY_HEADER": "identity-header-value",
        "STORAGE_SAS": "sv=1&sig=abcdefghij%2F0123456789%3D",
        "DB_PASSWORD": "postgres",
        "SSH_PUBLIC_KEY": "ssh-ed25519 AAAA",
        "OLDPWD": "/home/somebody/else",
        "KEYBOARD_LAYOUT": "a-long-enough-value",
    }
    assert set(credentials_in(environ)) == {
        "client-secret-value",
        "0123456789abcdef",
        "identity-header-value",
        "sv=1&sig=abcdefghij%2F0123456789%3D",
        "abcdefghij%2F0123456789%3D",
        "abcdefghij/0123456789",
    }


def test_values() -> None:
    """Data keeps its shape; keys count too."""
    redactor = Redactor(["hunter2"])
    value = {"hunter2": ["x hunter2", 1, None, True, ("hunter2",)], "n": {"a": 2.5}}
    assert redactor.value(value) == {
        "(secret #1)": ["x (secret #1)", 1, None, True, ("(secret #1)",)],
        "n": {"a": 2.5},
    }


def test_a_plan_is_masked_before_it_is_wrapped() -> None:
    """A secret that a line break would cut in two is gone from the plan itself."""
    secret = "correct horse battery staple " * 4
    change = samples.update("assistant", "a", FieldDiff("instructions", f"Say {secret}.", "Say hello."))
    plan = Plan(samples.TARGET, (change,))
    assert "battery" in render_plan(plan, width=60, color=False)
    assert "battery" not in render_plan(Redactor([secret]).value(plan), width=60, color=False)


@settings(deadline=None)
@given(plans)
def test_without_secrets_a_plan_stays_the_same(plan: Plan) -> None:
    """Nothing is lost on the way through."""
    again = Redactor(["a secret that is nowhere"]).value(plan)
    assert render_plan(again, width=80, color=False) == render_plan(plan, width=80, color=False)


@given(st.lists(st.text('xyzw\n"/', min_size=4, max_size=12), min_size=1, max_size=4), st.text('xyzw\n"/', max_size=40))
def test_no_secret_remains(secrets: list[str], text: str) -> None:
    """Whatever the text, none of the secrets is in what comes out."""
    result = Redactor(secrets).text(text + secrets[0] + text)
    assert all(secret not in result for secret in secrets)


@settings(max_examples=60)
@given(
    st.lists(st.text("xyz \n", min_size=4, max_size=12), min_size=1, max_size=3),
    st.lists(st.text("xyz \n", max_size=5), max_size=8),
    st.data(),
)
def test_pieces_are_masked_as_the_whole_is(secrets: list[str], around: list[str], data: st.DataObject) -> None:
    """Wherever they are broken."""
    text = secrets[-1].join(around)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)))))
    stream = Stream(Redactor(secrets))
    shown = "".join(stream.feed(text[start:end]) for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True))
    assert shown + stream.end() == Redactor(secrets).text(text)
