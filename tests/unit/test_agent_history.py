"""The history of a prompt agent: in which order, what of it counts, and what is sent to go back."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from asstops.model import Observed
from asstops.providers.agents_api import AgentsApi
from asstops.services.agents import _history

Json = dict[str, Any]


class Listed(AgentsApi):
    """A project that lists what it is given."""

    def __init__(self, *found: Json) -> None:
        self._found = found

    def list_versions(self, name: str) -> Iterator[Json]:
        assert name == "clerk"
        return iter(self._found)


def version(number: str, **more: Any) -> Json:
    return {"name": "clerk", "version": number, "created_at": 5, "definition": {"model": "gpt-4o"}, **more}


def history(latest: Json, *found: Json) -> tuple[_history.Version, ...]:
    live = Observed("assistant", "clerk", "clerk", {}, raw={"latest": latest})
    session: Any = SimpleNamespace(data=Listed(*found), homes=frozenset())
    return _history.versions(session, live)


def numbers(latest: Json, *found: Json) -> list[str]:
    return [entry.number for entry in history(latest, *found)]


def test_the_newest_is_first_whatever_a_listing_says() -> None:
    """Numbers are compared as numbers; what is live counts, not a listing that lags behind or is already further."""
    assert numbers(version("10"), version("2"), version("10"), version("9")) == ["10", "9", "2"]
    assert numbers(version("3"), version("1"), version("2")) == ["3", "2", "1"]
    assert numbers(version("2"), version("3"), version("2"), version("1")) == ["2", "1"]


def test_neither_the_mark_nor_what_is_null_makes_a_difference() -> None:
    """Two versions say the same when everything else does."""
    mark = "1 demo clerk 1 n - -||"
    bare, full = history(
        version("2", metadata={"asstops": mark, "a": "b"}, description=""),
        version("1", metadata={"a": "b"}, definition={"model": "gpt-4o", "top_p": None}),
    )
    assert bare.content == full.content
    (other, _) = history(version("2", metadata={"a": "c"}), version("1", metadata={"a": "b"}))
    assert other.content != full.content


def test_what_no_spec_can_say_is_known() -> None:
    """Fields of the definition beside those of a spec, and what text has beside its format."""
    definition = {"model": "m", "tool_choice": "none", "rai_config": None, "text": {"format": {}, "verbosity": "low"}}
    (found,) = history(version("1", definition=definition))
    assert found.rest == {"tool_choice": "none", "text.verbosity": "low"}


def test_what_is_sent_is_what_was_said() -> None:
    """Without the mark, without what is null, and without what the service fills in by itself."""
    tools = [{"type": "openapi", "openapi": {"name": "a", "functions": [{"name": "f"}]}}]
    raw = version(
        "1",
        definition={"kind": "prompt", "model": "m", "top_p": None, "tools": tools},
        metadata={"asstops": "x", "owner": "ann"},
        description="One",
    )
    (found,) = history(raw)
    assert _history.request(found) == {
        "definition": {"kind": "prompt", "model": "m", "tools": [{"type": "openapi", "openapi": {"name": "a"}}]},
        "metadata": {"owner": "ann"},
        "description": "One",
    }
    assert tools[0]["openapi"]["functions"], "what was read stays as it was read"
