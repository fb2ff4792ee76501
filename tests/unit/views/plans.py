"""Hypothesis strategies for plans as values: every action, every cause, hostile text, unknown and sensitive values."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from asstops.model import (
    UNKNOWN,
    Action,
    Address,
    Cause,
    Change,
    Event,
    FieldDiff,
    ItemDiff,
    Notice,
    Observed,
    Plan,
    RecordAction,
    Ref,
    Report,
    Resource,
    StepState,
    Target,
    Verb,
)

SECRET = "hunter2-hunter2"

nasty = st.sampled_from(
    [
        "",
        " ",
        "a\nb\n",
        "a\r\nb",
        "\x1b[2J",
        "\u202eabc",
        "x" * 300,
        "日本語のテキスト",
        "é\u0301",
        "👩‍👩‍👧",
        "\ud800",
        "true",
        "0613",
        "\t",
    ]
)
text = st.one_of(nasty, st.text(max_size=40), st.text(alphabet="ab \n", max_size=60))
kinds = st.sampled_from(["assistant", "deployment", "file", "resource", "vector_store"])
addresses = st.builds(Address, kinds, st.text(min_size=1, max_size=12))
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), text, st.just(UNKNOWN), st.builds(Ref, addresses)
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(text, inner, max_size=3),
        st.lists(st.fixed_dictionaries({"name": text, "description": inner}), max_size=3),
    ),
    max_leaves=8,
)
paths = st.one_of(st.sampled_from(["instructions", "temperature", "metadata.owner", "files", "name", "content"]), text)
bodies = st.dictionaries(paths, values, max_size=5)
items = st.builds(ItemDiff, st.sampled_from([Action.CREATE, Action.UPDATE, Action.DELETE]), text, text)
diffs = st.builds(
    FieldDiff,
    paths,
    values,
    values,
    st.sampled_from(Cause),
    st.lists(items, max_size=30).map(tuple),
    text,
    text,
    st.just(False),
)
hidden_diffs = st.builds(
    FieldDiff,
    st.just("metadata.token"),
    st.one_of(st.none(), st.just(SECRET)),
    st.just(SECRET),
    st.sampled_from(Cause),
    st.lists(st.just(ItemDiff(Action.CREATE, SECRET, SECRET)), max_size=1).map(tuple),
    st.just(""),
    st.just(""),
    st.just(True),
)


@st.composite
def changes(draw: st.DrawFn) -> Change:
    address = draw(addresses)
    action = draw(st.sampled_from([a for a in Action if a is not Action.NOOP]))
    with_secret = {"metadata": {"token": SECRET, "owner": draw(text)}}
    body: dict[str, Any] = draw(bodies) | with_secret
    wanted = Resource(
        address,
        body,
        sensitive=frozenset({"metadata.token"}),
        origins=draw(st.dictionaries(paths, text, max_size=2)),
    )
    return Change(
        address,
        action,
        None if action is Action.CREATE else draw(bodies) | with_secret,
        None if action is Action.DELETE else body,
        diffs=tuple(draw(st.lists(st.one_of(diffs, hidden_diffs), max_size=4))),
        reason=draw(text),
        wanted=wanted,
        live=None if action is Action.CREATE else Observed(address.kind, draw(text), draw(text), {}),
        retires=tuple(draw(st.lists(st.just(Observed(address.kind, "x", "y", {})), max_size=2))),
    )


plans = st.builds(
    Plan,
    st.builds(Target, text, text, text, text, text),
    st.lists(changes(), max_size=5).map(lambda found: tuple(sorted(found, key=lambda change: change.address))),
    unchanged=st.integers(0, 10_000),
    notices=st.lists(st.builds(Notice, text, text, text), max_size=3).map(tuple),
    record=st.sampled_from(RecordAction),
    destroy=st.booleans(),
    targets=st.lists(addresses, max_size=12).map(tuple),
    complete=st.booleans(),
)


def events(state: StepState) -> st.SearchStrategy[tuple[Event, ...]]:
    elapsed = st.floats(0, 1e6)
    one = st.builds(Event, addresses, st.sampled_from(Verb), st.just(state), text, text, elapsed)
    return st.lists(one, max_size=30).map(tuple)


reports = st.builds(
    Report,
    events(StepState.DONE),
    events(StepState.FAILED),
    events(StepState.SKIPPED),
    st.booleans(),
    st.booleans(),
)
