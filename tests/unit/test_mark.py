"""The mark: what it holds, that it survives the round trip, and that it fits for every spec that validates."""

from __future__ import annotations

import pytest

from asstops import mark as m
from asstops.diff import field_digests
from asstops.model import Mark
from asstops.rules import KindRules
from asstops.services import by_name

LONGEST_STACK = "s" * 48 + "/" + "e" * 24
FULL = Mark(
    stack="contoso-sales/prod",
    key="sales-rag",
    generation=12,
    nonce="aB3-_xyz",
    origin=m.origin_digest("github.com/contoso/ai#asstops.yaml"),
    protect=True,
    fields={m.path_digest("model"): m.value_digest("gpt-4o"), m.path_digest("top_p"): m.value_digest(1)},
    stored={m.path_digest("model"): m.value_digest("GPT-4o")},
)
BARE = Mark(stack="a", key="b")


@pytest.mark.parametrize("mark", [FULL, BARE])
def test_metadata_round_trip(mark: Mark) -> None:
    """What is written into metadata is read back unchanged, whatever else is there."""
    assert m.from_metadata({"owner": "sales", m.KEY: m.to_metadata(mark)}) == mark


@pytest.mark.parametrize("mark", [FULL, BARE])
def test_tags_round_trip_whatever_the_case_of_their_names(mark: Mark) -> None:
    """Azure keeps the case in which a tag's name was first written."""
    tags = {name.upper(): value for name, value in m.to_tags(mark).items()}
    assert m.from_tags({"team": "sales", **tags}) == mark


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "2 a b 0 - - -||",
        "1 a b x - - -||",
        "1 a b 0 - -||",
        "1 a b 0 - - -|abc|",
        "1 a b 0 - - -||1234567",
    ],
)
def test_what_is_no_mark_is_none(text: str) -> None:
    """A foreign, damaged or newer text never passes for our mark."""
    assert m.from_metadata({m.KEY: text}) is None


def test_no_metadata_is_no_mark() -> None:
    """The service answers null as often as an empty map."""
    assert (m.from_metadata(None), m.from_tags(None), m.from_tags({"team": "x"})) == (None, None, None)


COMMON = ["model", "description", "instructions", "temperature", "top_p", "response_format", "name",
          "code_interpreter", "code_interpreter.files", "file_search", "file_search.vector_store",
          "file_search.max_num_results", "functions"]  # fmt: skip
FIELDS = {
    "assistant": COMMON,
    "agent": [
        *COMMON, "reasoning", "code_interpreter.memory_limit", "file_search.ranking_options", "mcp", "openapi",
        "web_search", "web_search.search_context_size", "web_search.user_location", "web_search.allowed_domains",
        "other_tools", "keep_versions",
    ],
    "vector_store": ["name", "files", "expires_after_days", "chunking"],
    "resource": ["location", "kind", "sku", "custom_subdomain", "project_management", "identity"],
    "project": ["display_name", "description"],
    "deployment": [
        "model.name", "model.format", "model.version", "sku.name", "sku.capacity", "version_upgrade", "rai_policy",
    ],
}  # fmt: skip


def _rules(name: str) -> KindRules:
    kinds = by_name("assistants" if name == "assistant" else "agents").kinds
    return kinds["assistant" if name == "agent" else name].rules


def _every_field(name: str, pairs: int) -> dict[str, object]:
    body: dict[str, object] = {field: field for field in FIELDS[name]}
    for field in _rules(name).maps:
        body[field] = {f"k{i}": "v" for i in range(pairs)}
    return body


@pytest.mark.parametrize("name", FIELDS)
def test_the_worst_spec_fits(name: str) -> None:
    """Longest identity and key, every field, all user pairs, and every field kept in another form."""
    rules = _rules(name)
    fields = field_digests(rules, _every_field(name, 14 if name == "agent" else 15))
    stored = {} if rules.versioned else field_digests(rules, _every_field(name, 0))
    worst = Mark(LONGEST_STACK, "k" * 64, 99_999, "n" * 8, "o" * 6, True, fields, stored)
    if name in ("assistant", "agent", "vector_store"):
        assert len(m.to_metadata(worst)) <= m.METADATA_LIMIT
    else:
        assert max(len(value) for value in m.to_tags(worst).values()) <= m.TAG_LIMIT


def test_an_overlong_mark_is_refused_rather_than_cut() -> None:
    """A cut mark would lose an object; better no object."""
    too_much = {m.path_digest(str(i)): m.value_digest(i) for i in range(80)}
    with pytest.raises(ValueError, match="over the limit of 512"):
        m.to_metadata(Mark("s", "k", fields=too_much))


def test_digests_tell_values_apart_but_not_their_spelling() -> None:
    """1 and 1.0 are one number, and the order of keys says nothing."""
    assert m.value_digest({"a": 1, "b": 2.0}) == m.value_digest({"b": 2, "a": 1.0})
    assert m.value_digest("1") != m.value_digest(1)
    assert m.value_digest(True) != m.value_digest(1)
    assert m.value_digest([1, 2]) != m.value_digest([2, 1])
