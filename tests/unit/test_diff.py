"""Lists of references, forms and display: what `compare` says field by field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asstops.diff import Comparison, compare, display_live, field_digests
from asstops.model import (
    UNKNOWN,
    Action,
    Address,
    Cause,
    FileSource,
    Mark,
    Observed,
    Ref,
    Resource,
    Unknown,
)
from asstops.services import by_name

STORE = by_name("assistants").kinds["vector_store"].rules
FILE = by_name("assistants").kinds["file"].rules
IDS: dict[str, str | Unknown] = {"a": "f_a", "b": "f_b", "new": UNKNOWN}
OWNERS = {"f_a": "file.a", "f_b": "file.b", "f_b_old": "file.b", "f_gone": "file.gone.md"}


def store(*keys: str) -> Resource:
    files = [Ref(Address("file", key)) for key in keys]
    return Resource(Address("vector_store", "s"), {"name": "s", "files": files, "metadata": {}})


def live(applied: Resource, *ids: str, **more: Any) -> Observed:
    mark = Mark("shop", "s", fields=field_digests(STORE, applied.body))
    return Observed("vector_store", "vs", "s", {"name": "s", "files": list(ids), "metadata": {}}, mark=mark, **more)


def found(wanted: Resource, observed: Observed) -> Comparison:
    return compare(
        STORE,
        wanted,
        observed,
        lambda address: IDS.get(address.key, UNKNOWN),
        lambda _kind, remote_id: OWNERS.get(remote_id, remote_id),
    )


def files_diff(wanted: Resource, observed: Observed) -> tuple[Cause, list[tuple[str, str]]]:
    (diff,) = found(wanted, observed).diffs
    return diff.cause, [(item.action.symbol, item.label) for item in diff.items]


def test_order_means_nothing() -> None:
    """The service lists files as it likes."""
    assert found(store("a", "b"), live(store("a", "b"), "f_b", "f_a")).diffs == ()


def test_a_new_file_is_pending() -> None:
    """It has no id yet."""
    assert files_diff(store("a", "new"), live(store("a"), "f_a")) == (Cause.PENDING, [("+", "file.new")])


def test_a_file_that_left_the_spec_is_pending_although_its_key_is_lost() -> None:
    """The record knows that it is ours, not which key it had."""
    assert files_diff(store("a"), live(store("a", "x"), "f_a", "f_gone")) == (Cause.PENDING, [("-", "file.gone.md")])


def test_somebody_elses_file_is_drift() -> None:
    """The spec did not change; the store did."""
    assert files_diff(store("a"), live(store("a"), "f_a", "f_zz")) == (Cause.DRIFT, [("-", "f_zz")])


def test_a_file_taken_out_by_hand_is_drift() -> None:
    """The spec did not change; the store did."""
    assert files_diff(store("a", "b"), live(store("a", "b"), "f_a")) == (Cause.DRIFT, [("+", "file.b")])


def test_a_changed_spec_beside_somebody_elses_file_is_both() -> None:
    """What is not ours at all tells drift from a pending change."""
    assert files_diff(store("a", "new"), live(store("a"), "f_a", "f_zz")) == (
        Cause.BOTH,
        [("-", "f_zz"), ("+", "file.new")],
    )


def test_an_older_copy_follows_its_file() -> None:
    """Same address, other id: neither spec nor live changed by themselves."""
    assert files_diff(store("a", "b"), live(store("a", "b"), "f_a", "f_b_old")) == (
        Cause.DEPENDENCY,
        [("~", "file.b")],
    )


def test_a_file_that_was_refused_is_tried_again_with_the_reason() -> None:
    """Attached is not taken in."""
    observed = live(store("a", "b"), "f_a", "f_b", problems={"f_b": "no text (invalid_file)"})
    (diff,) = found(store("a", "b"), observed).diffs
    assert [(item.label, item.detail) for item in diff.items] == [
        ("file.b", "no text (invalid_file); will be taken in again")
    ]


def test_chunking_is_known_by_digest_alone() -> None:
    """The service never shows it; what was applied is in the mark."""
    chunked = Resource(store("a").address, {**store("a").body, "chunking": {"max_chunk_size_tokens": 100}})
    assert found(chunked, live(chunked, "f_a")).diffs == ()
    (diff,) = found(chunked, live(store("a"), "f_a")).diffs
    assert (diff.path, diff.before) == ("chunking", "(not readable)")
    (diff,) = found(store("a"), live(chunked, "f_a")).diffs
    assert (diff.path, diff.after) == ("chunking", "(service default)")


def test_new_content_of_a_file_shows_its_checksum_and_hides_the_digest() -> None:
    """People know SHA-256; the digest of the record means nothing to them."""
    source = FileSource(Path("x"), "x", "x", 1, "ab" * 32)
    wanted = Resource(Address("file", "x"), {"content": "BBBBBA", "name": "x"}, source=source)
    observed = Observed("file", "f", "x", {"content": "AAAAAA", "name": "x"})
    (diff,) = compare(FILE, wanted, observed, lambda _: UNKNOWN, lambda _, i: i).diffs
    assert diff.after == f"sha256 {'ab' * 32}"
    assert display_live(FILE, observed.body, lambda _, i: i) == {"name": "x"}


def test_ids_of_ours_are_shown_as_addresses() -> None:
    """A person reads addresses; ids of others stay ids."""
    body = {"files": ["f_b", "f_zz"], "metadata": {"asstops": "1 …", "owner": "x"}}
    shown = display_live(STORE, body, lambda _kind, i: OWNERS.get(i, i))
    assert shown == {"files": ["f_zz", "file.b"], "metadata": {"owner": "x"}}


def test_sensitive_fields_are_said_to_be() -> None:
    """A view masks what the difference declares."""
    wanted = Resource(store().address, {**store().body, "metadata": {"k": "v"}}, sensitive=frozenset({"metadata.k"}))
    (diff,) = found(wanted, live(store())).diffs
    assert (diff.path, diff.sensitive) == ("metadata.k", True)


@pytest.mark.parametrize("action", list(Action))
def test_every_action_has_a_symbol(action: Action) -> None:
    """Views print it."""
    assert action.symbol
