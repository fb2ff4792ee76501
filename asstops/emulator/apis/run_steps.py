"""The steps of a run, to read.

Owns their routes and the `include` parameter, which only the newer api-version has.
"""

from __future__ import annotations

from asstops.emulator import conversation, thread_contract
from asstops.emulator.apis.assistants import served
from asstops.emulator.data import DATED
from asstops.emulator.wire import Call, Json, Reply, Route


def list_(call: Call) -> Reply:
    run = conversation.run(call)["id"]
    content = thread_contract.wants_result_content(call)
    return conversation.listed(call, conversation.steps_of(run), lambda stored: _shown(call, stored, content))


def get(call: Call) -> Reply:
    return Reply(_shown(call, conversation.step(call), thread_contract.wants_result_content(call)))


def _shown(call: Call, stored: Json, content: bool) -> Json:
    return conversation.shown_step(call.state, call.surface, stored, content=content)


_STEPS = "/threads/{thread_id}/runs/{run_id}/steps"
ROUTES = [
    Route("data", "GET", path, served(handler), DATED, "assistants/threads/runs/steps/read")
    for path, handler in ((_STEPS, list_), (f"{_STEPS}/{{step_id}}", get))
]
