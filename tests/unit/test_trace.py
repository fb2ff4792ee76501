"""The log of requests: bodies at DEBUG, without what bears the name of a credential, and without holding files back."""

from __future__ import annotations

import json
import logging

import pytest

from asstops.providers import trace


def test_credentials_are_known_by_their_names() -> None:
    sent = {
        "key1": "a" * 20,
        "auth": {"type": "header", "apiKey": "b" * 20, "client_secret": "c" * 20},
        "servers": [{"authorization": "Bearer d"}],
        "usage": {"total_tokens": 7, "max_tokens": "9"},
        "keyword": "kept",
    }
    told = json.loads(trace.without_credentials(json.dumps(sent)))
    assert told["key1"] == told["auth"]["apiKey"] == told["auth"]["client_secret"] == "(credential)"
    assert told["servers"] == [{"authorization": "(credential)"}]
    assert told["usage"] == sent["usage"]
    assert told["keyword"] == "kept"
    assert trace.without_credentials("<html>") == "(6 bytes that are no JSON)"


def test_only_json_is_read(caplog: pytest.LogCaptureFixture) -> None:
    """A file that is sent, and a stream that is answered, must stay what they are."""
    caplog.set_level(logging.DEBUG, "asstops.requests")

    def never() -> bytes:
        raise AssertionError("it was read")

    trace.body("> POST /files", "multipart/form-data; boundary=x", never)
    trace.body("< 1", "text/event-stream", never)
    trace.body("< 2", "application/json; charset=utf-8", lambda: b'{"a": "\xc3\xa9"}')
    trace.body("< 3", "", lambda: None)
    assert caplog.messages == ["  > POST /files (multipart/form-data)", "  < 1 (text/event-stream)", '  < 2 {"a": "é"}']


def test_nothing_is_read_without_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "asstops.requests")
    read: list[bytes] = []
    trace.body("< 1", "application/json", lambda: read.append(b"{}") or b"{}")  # type: ignore[func-returns-value]
    assert (caplog.messages, read) == ([], [])
