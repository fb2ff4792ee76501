"""What asstops writes on live objects: read back as written, and within the service's limits in the worst case."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from asstops.diff import field_digests, flatten
from asstops.digest import ALPHABET
from asstops.mark import (
    KEY,
    METADATA_LIMIT,
    TAG_LIMIT,
    from_metadata,
    from_tags,
    origin_digest,
    path_digest,
    to_metadata,
    to_tags,
)
from asstops.model import FileSource, Mark
from asstops.record import PER_PAGE, Note, Page, content_digest, decode, encode, id_digest, is_page, page_key
from asstops.services import by_name
from asstops.spec import load

QUICK = settings(deadline=None, max_examples=100, derandomize=True, database=None)
DIGESTS = st.dictionaries(
    st.text(ALPHABET, min_size=4, max_size=4), st.text(ALPHABET, min_size=4, max_size=4), max_size=14
)
NONCES = st.text(ALPHABET, max_size=8).filter(lambda text: text != "-")
MARKS = st.builds(
    Mark,
    stack=st.from_regex(r"[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?(/[a-z0-9-]{1,24})?", fullmatch=True),
    key=st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?|#[0-9]{1,3}", fullmatch=True),
    generation=st.integers(0, 10**6),
    nonce=NONCES,
    origin=st.just("") | st.text(ALPHABET, min_size=6, max_size=6),
    protect=st.booleans(),
    fields=DIGESTS,
    stored=st.just({}) | st.dictionaries(st.sampled_from(["abcd"]), st.sampled_from(["wxyz"])),
)


@QUICK
@given(MARKS)
def test_marks_are_read_as_they_were_written(mark: Mark) -> None:
    assert from_metadata({KEY: to_metadata(mark), "other": "x"}) == mark
    assert from_tags({name.upper(): value for name, value in to_tags(mark).items()}) == mark


@QUICK
@given(st.text(max_size=40), st.text(max_size=40))
def test_what_is_no_mark_is_none(head: str, digests: str) -> None:
    """Whatever somebody else wrote under our name."""
    for mark in (from_metadata({KEY: head}), from_tags({KEY: head, "asstops.d": digests})):
        assert mark is None or from_metadata({KEY: to_metadata(mark)}) == mark


WORST_STACK, WORST_ENV = "s" * 48, "e" * 24
PAIRS = {string.ascii_letters[n] * 64: "v" * 255 for n in range(15)}
SCHEMA = {"type": "object", "properties": {}}


def _worst(key: str) -> dict[str, Any]:
    """A spec in which everything that a mark holds is as long as it may be."""
    return {
        "stack": WORST_STACK,
        "service": "assistants",
        "resource": {
            "name": "r" * 64, "resource_group": "rg", "subscription_id": "x", "location": "swedencentral",
            "custom_subdomain": "sub", "tags": PAIRS, "protect": True,
        },
        "deployments": {
            key + "d": {
                "model": {"name": "gpt-4o", "version": "2024-11-20", "format": "OpenAI"},
                "sku": {"name": "GlobalStandard", "capacity": 1},
                "version_upgrade": "NoAutoUpgrade", "rai_policy": "p", "tags": PAIRS, "protect": True,
            }
        },
        "files": {"f": {"path": "f.md"}},
        "vector_stores": {
            key: {
                "name": "n", "files": ["f"], "expires_after_days": 1, "metadata": PAIRS, "protect": True,
                "chunking": {"max_chunk_size_tokens": 400, "chunk_overlap_tokens": 0},
            }
        },
        "tools": {"t": {"description": "d", "parameters": SCHEMA}},
        "assistants": {
            key: {
                "name": "n", "model": key + "d", "description": "d", "instructions": "i", "temperature": 1, "top_p": 1,
                "response_format": "auto", "metadata": PAIRS, "protect": True,
                "tools": [{"code_interpreter": {"files": ["f"]}}, {"function": "t"},
                          {"file_search": {"vector_store": key, "max_num_results": 1}}],
            }
        },
    }  # fmt: skip


def test_the_longest_mark_fits(tmp_path: Path) -> None:
    """Longest stack, environment and key, all fields, fifteen pairs, and every field of ours kept in another form."""
    (tmp_path / "f.md").write_text("f", encoding="utf-8")
    (tmp_path / "asstops.yaml").write_text(yaml.safe_dump(_worst("k" * 63)), encoding="utf-8")
    (tmp_path / f"asstops.{WORST_ENV}.yaml").write_text("vars: {}\n", encoding="utf-8")
    stack = load(env=WORST_ENV, base=tmp_path)
    assert len(stack.identity) == 73

    seen = set()
    for address, resource in stack.resources.items():
        rules = by_name("assistants").kinds[address.kind].rules
        if not rules.marked:
            continue
        seen.add(address.kind)
        plain = [path for path in flatten(rules, resource.body) if path.partition(".")[0] not in rules.maps]
        every = {field for field in {*rules.defaults, *resource.body} if field not in rules.maps}
        assert every <= {*plain}, "a field is missing from the worst case"
        mark = Mark(
            stack=stack.identity,
            key=address.key,
            generation=9999,
            nonce="n" * 8,
            origin=origin_digest("somewhere"),
            protect=resource.protect,
            fields=field_digests(rules, resource.body),
            stored={path_digest(path): "wxyz" for path in plain},
        )
        assert resource.protect
        if by_name("assistants").kinds[address.kind].plane == "arm":
            assert from_tags(to_tags(mark)) == mark
            assert max(map(len, to_tags(mark).values())) <= TAG_LIMIT == 256
        else:
            assert from_metadata({KEY: to_metadata(mark)}) == mark
            assert len(to_metadata(mark)) <= METADATA_LIMIT == 512
    assert seen == {name for name, kind in by_name("assistants").kinds.items() if kind.rules.marked}


def test_a_mark_that_does_not_fit_is_refused() -> None:
    mark = Mark("s" * 400, "k" * 64, fields={f"{n:04}": "wxyz" for n in range(20)})
    with pytest.raises(ValueError, match="over the limit"):
        to_metadata(mark)


@QUICK
@given(
    st.dictionaries(st.text(ALPHABET, min_size=7, max_size=7), st.text(ALPHABET, min_size=6, max_size=6), max_size=60),
    st.none() | st.builds(Note, started=st.integers(0, 2**40), uploads=st.integers(0, 10_000)),
)
def test_pages_are_read_as_they_were_written(entries: dict[str, str], note: Note | None) -> None:
    mark = Mark("s", page_key(3))
    assert decode("vs_1", mark, encode(entries, note)) == Page(3, "vs_1", mark, entries, note)


@pytest.mark.parametrize("count", [0, 1, 39, 40, 545, 546, 547, 10_000])
def test_ten_thousand_files_are_remembered_within_the_limits(count: int) -> None:
    """546 a page; a page has at most 16 pairs of at most 512 characters, its mark and note included."""
    source = FileSource(Path("x"), "x", "x.md", 1, "0" * 64)
    entries = {id_digest(f"file-{n}"): content_digest(f"kb/{n}.md", source) for n in range(count)}
    assert len(entries) == count, "two of ten thousand ids share a digest"
    items = list(entries.items())
    pages = [dict(items[i : i + PER_PAGE]) for i in range(0, count, PER_PAGE)]
    assert len(pages) == -(-count // 546)
    read: dict[str, str] = {}
    for number, page in enumerate(pages):
        mark = Mark("s" * 48 + "/" + "e" * 24, page_key(number), nonce="n" * 8, origin="o" * 6)
        metadata = {**encode(page, Note(2**40, 10_000)), KEY: to_metadata(mark)}
        assert len(metadata) <= 16
        assert all(len(key) <= 64 and len(value) <= 512 for key, value in metadata.items())
        assert is_page(mark)
        read |= decode("vs", mark, metadata).entries
    assert read == entries


def test_a_page_takes_no_more_than_it_holds() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        encode({f"{n:07}": "abcdef" for n in range(PER_PAGE + 1)}, None)
