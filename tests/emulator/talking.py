"""Conversations in tests: requests and answers held against the documents, streams read as events, SDK models.

Owns what the tests of threads, runs and chat share.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from tests.emulator import contract
from tests.emulator.conftest import NEW, Emu, wait

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
ENDED = {"completed", "failed", "cancelled", "expired", "incomplete", "requires_action"}


def ask(emu: Emu, surface: str, method: str, path: str, body: Any = None, **kwargs: Any) -> Any:
    """Send a request, hold it and its answer against the documents, and return the answer's body."""
    held = contract.available() and contract.documented(surface, method, path)
    if held and body is not None:
        contract.check_request(surface, method, path, body)
    answer = emu.data(method, path, body, surface=surface, **kwargs)
    assert answer.status_code == 200, answer.text
    if held:
        contract.check_answer(surface, method, path, 200, answer.json())
    return answer.json()


def thread_with(emu: Emu, text: str = "Hello there", *, surface: str = NEW, **message: Any) -> str:
    said = {"role": "user", "content": text, **message}
    return str(ask(emu, surface, "POST", "/threads", {"messages": [said]})["id"])


def run_on(emu: Emu, thread: str, assistant: str, *, surface: str = NEW, **body: Any) -> dict[str, Any]:
    """Start a run and wait until it ends or wants something."""
    run = ask(emu, surface, "POST", f"/threads/{thread}/runs", {"assistant_id": assistant, **body})
    return ended(emu, run, surface)


def ended(emu: Emu, run: dict[str, Any], surface: str = NEW) -> dict[str, Any]:
    path = f"/threads/{run['thread_id']}/runs/{run['id']}"
    return dict(wait(lambda: ask(emu, surface, "GET", path), lambda found: found["status"] in ENDED))


def said(emu: Emu, thread: str, surface: str = NEW) -> str:
    """Return the text of the newest message."""
    newest = ask(emu, surface, "GET", f"/threads/{thread}/messages")["data"][0]
    return str(newest["content"][0]["text"]["value"])


def events(text: str) -> Iterator[tuple[str, Any]]:
    """Read a body of server-sent events."""
    for block in text.split("\n\n"):
        if block:
            fields = dict(line.split(": ", 1) for line in block.split("\n"))
            data = fields["data"]
            yield fields.get("event", ""), data if data == "[DONE]" else json.loads(data)


def parsed(model: type[BaseModel], body: Any, *, besides: tuple[str, ...] = ()) -> Any:
    """Parse with the SDK's model, strictly; nothing may be left over but the named fields."""
    found = model.model_validate(body)
    assert sorted(set(_left_over(found)) - set(besides)) == []
    return found


def _left_over(value: Any) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from value.model_extra or ()
        for name in type(value).model_fields:
            yield from _left_over(getattr(value, name))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _left_over(item)
