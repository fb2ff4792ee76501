"""Scripted replies over the wire, `/_emulator/replies`.

Owns the three requests; what a rule says is scripted.py's business.
"""

from __future__ import annotations

import json

from asstops.emulator.app import ADMIN_PREFIX
from asstops.emulator.wire import Call, Refusal, Reply, Route


def add(call: Call) -> Reply:
    try:
        described = json.loads(call.raw)
    except ValueError as error:
        raise Refusal(400, f"The body of the request is not valid JSON: {error}", code="invalid_json") from error
    return Reply({"replies": [rule.shown() for rule in call.state.replies.add(described)]}, 201)


def show(call: Call) -> Reply:
    return Reply({"replies": [rule.shown() for rule in call.state.replies.all()]})


def clear(call: Call) -> Reply:
    call.state.replies.clear()
    return Reply(None, 204)


ROUTES = [
    Route("admin", method, f"{ADMIN_PREFIX}/replies", handler)
    for method, handler in (("POST", add), ("GET", show), ("DELETE", clear))
]
