"""Good bodies with one piece put wrong: the project's endpoint refuses or takes them, and never fails itself."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from asstops.emulator import EmulatorServer, EmulatorSettings
from tests.emulator.conftest import Emu
from tests.emulator.foundry import PROMPT, Foundry
from tests.emulator.test_agents_definitions import SCHEMA, TOOLS
from tests.emulator.test_conversations import ITEMS

JUNK = st.sampled_from(
    [None, True, -1, 0, 1, 1.5, 10**30, "", "x", "auto", "function", "message", "\u0000", "{{x}}", "a" * 600, [], {},
     [None], [[]], [{}], {"type": None}, {"type": "function"}, {"id": "x"}, {"x": {"y": [1]}}]
)  # fmt: skip
CALL = {"role": "user", "content": "f 2 + 3 apples"}
FLAT: list[dict[str, Any]] = [
    {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True},
    {"type": "code_interpreter", "container": {"type": "auto"}},
    {"type": "file_search", "vector_store_ids": []},
]
RESPONSE: dict[str, Any] = {
    "model": "gpt-4o",
    "input": [CALL, *ITEMS[6:8]],
    "instructions": "i",
    "tools": FLAT,
    "tool_choice": "auto",
    "text": {"format": SCHEMA},
    "reasoning": {"effort": "low"},
    "metadata": {"a": "b"},
    "include": ["file_search_call.results"],
    "conversation": {"id": "CONVERSATION"},
    "max_output_tokens": 16,
}
BODIES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/agents/clerk/versions",
     {"definition": {**PROMPT, "tools": TOOLS, "text": {"format": SCHEMA}, "reasoning": {"effort": "low"},
                     "tool_choice": {"type": "function", "name": "f"}, "structured_inputs": {"x": {"required": True}}},
      "metadata": {"a": "b"}, "description": "d", "draft": False}),
    ("POST", "/agents", {"name": "another", "definition": PROMPT}),
    ("PATCH", "/agents/clerk",
     {"agent_card": {"version": "1", "skills": [{"id": "s", "name": "n", "tags": ["t"]}]},
      "agent_endpoint": {"version_selector": {"version_selection_rules": [{"type": "t", "agent_version": "1"}]}}}),
    ("POST", "/conversations", {"items": ITEMS, "metadata": {"a": "b"}}),
    ("POST", "/conversations/CONVERSATION/items", {"items": ITEMS}),
    ("POST", "/responses", RESPONSE),
    ("POST", "/responses", {**RESPONSE, "stream": True}),
    ("POST", "/responses",
     {"input": "x", "agent_reference": {"type": "agent_reference", "name": "clerk"}, "structured_inputs": {"x": "y"}}),
]  # fmt: skip


def spots(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place inside a body."""
    if above:
        yield above
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in inner:
        yield from spots(entry, (*above, key))


@st.composite
def broken(draw: st.DrawFn) -> tuple[str, str, Any]:
    method, path, good = draw(st.sampled_from(BODIES))
    body = copy.deepcopy(good)
    *above, last = draw(st.sampled_from(list(spots(good))))
    place: Any = body
    for key in above:
        place = place[key]
    how = draw(st.sampled_from(["set", "set", "drop", "add"]))
    if how == "drop":
        del place[last]
    elif how == "add" and isinstance(place, dict):
        place["nmae"] = draw(JUNK)
    else:
        place[last] = draw(JUNK)
    return method, path, body


@pytest.fixture(scope="module")
def quick() -> Iterator[Foundry]:
    with EmulatorServer(settings=EmulatorSettings(ingestion_s=0, run_s=0)) as server:
        emu = Emu(server)
        yield Foundry(emu)
        emu.http.close()


def test_one_piece_put_wrong(quick: Foundry) -> None:
    seen: dict[int, int] = {}

    def send(case: tuple[str, str, Any]) -> None:
        method, path, body = case
        talk = quick.good("POST", "/conversations", {})["id"]
        half = "" if path.startswith("/agents") else "/openai/v1"
        answer = quick.emu.http.request(
            method, f"{quick.url}{half}{path.replace('CONVERSATION', talk)}", params={"api-version": "v1"},
            headers=quick.bearer, content=json.dumps(body).replace('"CONVERSATION"', f'"{talk}"'),
        )  # fmt: skip
        assert answer.status_code in {200, 400, 404, 409}, f"{method} {path} {body}: {answer.text}"
        if answer.status_code != 200:
            assert answer.json()["error"]["message"]
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
        # What was taken must still be readable.
        for readable in (f"/openai/v1/conversations/{talk}/items", "/agents"):
            listed = quick.emu.http.get(quick.url + readable, params={"api-version": "v1"}, headers=quick.bearer)
            assert listed.status_code == 200, f"{body}: {listed.text}"

    quick.version("clerk", {"structured_inputs": {"x": {"required": True}}})
    bounds = settings(max_examples=80, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
                      suppress_health_check=list(HealthCheck))  # fmt: skip
    bounds(given(case=broken())(send))()
    assert {200, 400} <= set(seen), seen


@pytest.mark.parametrize("depth", [120, 260, 450, 900, 3000])
def test_deep_bodies(quick: Foundry, depth: int) -> None:
    """A body that is nested deeper than its handler could follow is refused; what is taken can be read and used."""

    def post(path: str, body: str) -> int:
        answer = quick.emu.http.post(
            quick.url + path, params={"api-version": "v1"}, headers=quick.bearer, content=body.replace("'", '"')
        )
        return answer.status_code

    wanted = 200 if depth < 250 else 400
    schema = "{'a':" * depth + "1" + "}" * depth
    filters = "{'type':'and','filters':[" * depth + "{'type':'eq','key':'a','value':1}" + "]}" * depth
    for tool in (
        f"{{'type':'function','name':'f','strict':false,'parameters':{schema}}}",
        f"{{'type':'file_search','vector_store_ids':[],'filters':{filters}}}",
    ):
        name = f"deep-{depth}"
        definition = f"{{'kind':'prompt','model':'gpt-4o','tools':[{tool}]}}"
        assert post(f"/agents/{name}/versions", f"{{'definition':{definition}}}") == wanted
        if wanted == 200:
            reference = f"{{'type':'agent_reference','name':'{name}'}}"
            assert post("/openai/v1/responses", f"{{'input':'x','agent_reference':{reference}}}") == 200
    listed = quick.emu.http.get(f"{quick.url}/agents", params={"api-version": "v1"}, headers=quick.bearer)
    assert listed.status_code == 200, listed.text
