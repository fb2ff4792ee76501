"""Runs: create, with a thread or on one, poll, stream, modify, cancel, take the outputs of functions.

Owns the run object and what a request may do to it. How a run goes on is run_engine.py's business.
"""

from __future__ import annotations

from typing import Any

from asstops.emulator import conversation, data, ids, run_engine, sse, thread_contract
from asstops.emulator.apis import messages, threads
from asstops.emulator.apis.assistants import require_deployment, served, stored_resources, stored_tools
from asstops.emulator.data import DATED
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route


def create(call: Call) -> Reply:
    thread = conversation.thread(call)
    body = data.body_of(call, thread_contract.run(call))
    content = thread_contract.wants_result_content(call)
    active = conversation.active_run(call.state, call.account, thread["id"])
    if active is not None:
        raise Refusal(400, f"Thread {thread['id']} already has an active run {active}.")
    run = _made(call, thread, body, content=content)
    for described in body.get("additional_messages") or []:
        messages.make(call, thread, described)
    run["work"]["stores"] = _stores(run["work"]["assistant_resources"], thread["tool_resources"])
    run_engine.begin(call.state, call.account, run, call.state.now())
    return _answer(call, run)


def create_with_thread(call: Call) -> Reply:
    body = data.body_of(call, thread_contract.thread_and_run(call))
    thread = threads.make(call, body.get("thread") or {})
    run = _made(call, thread, body, content=False)
    run_engine.begin(call.state, call.account, run, call.state.now(), thread=conversation.shown_thread(thread))
    return _answer(call, run)


def _made(call: Call, thread: Json, body: Json, *, content: bool) -> Json:
    """Return a queued run: what the assistant says, with what the request overrides."""
    assistant = call.state.store.get(call.account, "assistant", body["assistant_id"])
    if assistant is None:
        raise data.no_such("assistant", body["assistant_id"])

    def chosen(name: str, default: Any) -> Any:
        value = body.get(name) if body.get(name) is not None else assistant.get(name)
        return default if value is None else value

    model = chosen("model", "")
    require_deployment(call, model)
    tools = stored_tools(call, body["tools"]) if body.get("tools") is not None else assistant["tools"]
    instructions = chosen("instructions", "")
    if body.get("additional_instructions"):
        instructions = "\n".join(filter(None, (instructions, body["additional_instructions"])))
    resources = stored_resources(call, body.get("tool_resources") or {})
    resources = {**assistant["tool_resources"], **resources}
    choice = _known_choice(body.get("tool_choice") or "auto", tools)
    now = call.state.now()
    return {
        "id": ids.fresh("run_"),
        "object": "thread.run",
        "created_at": data.seconds(now),
        "thread_id": thread["id"],
        "assistant_id": assistant["id"],
        "status": "queued",
        "required_action": None,
        "last_error": None,
        "expires_at": data.seconds(now) + run_engine.EXPIRES_AFTER_S,
        "started_at": None,
        "cancelled_at": None,
        "failed_at": None,
        "completed_at": None,
        "incomplete_details": None,
        "model": model,
        "instructions": instructions,
        "tools": tools,
        "metadata": body.get("metadata") or {},
        "usage": None,
        "temperature": chosen("temperature", 1.0),
        "top_p": chosen("top_p", 1.0),
        "max_prompt_tokens": body.get("max_prompt_tokens"),
        "max_completion_tokens": body.get("max_completion_tokens"),
        "truncation_strategy": {"last_messages": None, **(body.get("truncation_strategy") or {"type": "auto"})},
        "tool_choice": choice,
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "response_format": chosen("response_format", "auto"),
        # What the emulator remembers besides; never shown.
        "work": {
            "surface": call.surface,
            "streamed": int(bool(body.get("stream"))),  # the number of the request that streams it, 0 for none
            "streams": 1,
            "content": content,
            "events": 0,
            "expires": now + run_engine.EXPIRES_AFTER_S,
            "began": now,
            "lasts": 0.0,
            "todo": [],
            "assistant": assistant["name"] or assistant["id"],
            "assistant_resources": resources,
            "stores": _stores(resources, thread["tool_resources"]),
            "step": None,
            "message": None,
            "outputs": [],
            "prompt_tokens": 0,
            "completion_tokens": 0,
        },
    }


def _known_choice(choice: Any, tools: list[Json]) -> Any:
    """Refuse the choice of a tool that the run does not have."""
    if isinstance(choice, str):
        return choice
    names = {tool["function"]["name"] for tool in tools if tool["type"] == "function"}
    if choice["type"] == "function" and choice["function"]["name"] not in names:
        raise Refusal(
            400, f"The tool_choice names the function '{choice['function']['name']}', which is not among the tools.",
            code="invalid_value", param="tool_choice",
        )  # fmt: skip
    if choice["type"] not in {tool["type"] for tool in tools}:
        raise Refusal(
            400, f"The tool_choice is {choice['type']}, which is not among the tools.",
            code="invalid_value", param="tool_choice",
        )  # fmt: skip
    return choice


def _stores(*resources: Json) -> list[str]:
    found = [ident for item in resources for ident in item.get("file_search", {}).get("vector_store_ids", [])]
    return list(dict.fromkeys(found))


def _answer(call: Call, run: Json) -> Reply:
    if not run["work"]["streamed"]:
        return Reply(_shown(call, run))
    stream = sse.follow(call.state, call.account, run["thread_id"], run["id"], run["work"]["streamed"])
    return Reply(stream=stream, media_type=sse.MEDIA_TYPE, headers={"cache-control": "no-cache"})


def list_(call: Call) -> Reply:
    thread = conversation.thread(call)["id"]
    return conversation.listed(call, conversation.runs_of(thread), lambda stored: _shown(call, stored))


def get(call: Call) -> Reply:
    return Reply(_shown(call, conversation.run(call)))


def modify(call: Call) -> Reply:
    run = conversation.run(call)
    body = data.body_of(call, thread_contract.METADATA_ONLY)
    if "metadata" in body:
        run["metadata"] = data.merged_metadata(call, run["metadata"], body["metadata"])
        call.state.store.put(call.account, conversation.runs_of(run["thread_id"]), run["id"], run)
    return Reply(_shown(call, run))


def cancel(call: Call) -> Reply:
    run = conversation.run(call)
    if run["status"] not in conversation.ACTIVE - {"cancelling"}:
        raise Refusal(400, f"Cannot cancel run with status '{run['status']}'.")
    run_engine.cancel(call.state, call.account, run, call.state.now())
    return Reply(_shown(call, run))


def submit(call: Call) -> Reply:
    run = conversation.run(call)
    body = data.body_of(call, thread_contract.TOOL_OUTPUTS)
    if run["status"] != "requires_action":
        raise Refusal(400, f'Runs in status "{run["status"]}" do not accept tool outputs.')
    outputs = {item.get("tool_call_id"): item.get("output") or "" for item in body["tool_outputs"]}
    wanted = [item["id"] for item in run["required_action"]["submit_tool_outputs"]["tool_calls"]]
    if set(outputs) != set(wanted) or len(body["tool_outputs"]) != len(wanted):
        got = [item.get("tool_call_id") for item in body["tool_outputs"]]
        raise Refusal(400, f"Expected tool outputs for call_ids {wanted}, got {got}")
    work = run["work"]
    work["surface"], work["streams"] = call.surface, work["streams"] + 1
    work["streamed"] = work["streams"] if body.get("stream") else 0
    run_engine.resume(call.state, call.account, run, outputs, call.state.now())
    return _answer(call, run)


def _shown(call: Call, stored: Json) -> Json:
    return conversation.shown_run(call.surface, stored)


UPKEEP = [run_engine.advance_all]
_RUN = "/threads/{thread_id}/runs/{run_id}"
ROUTES = [
    Route("data", method, path, served(handler), DATED, f"assistants/threads/runs/{action}")
    for method, path, handler, action in (
        ("POST", "/threads/runs", create_with_thread, "write"),
        ("POST", "/threads/{thread_id}/runs", create, "write"),
        ("GET", "/threads/{thread_id}/runs", list_, "read"),
        ("GET", _RUN, get, "read"),
        ("POST", _RUN, modify, "write"),
        ("POST", f"{_RUN}/cancel", cancel, "write"),
        ("POST", f"{_RUN}/submit_tool_outputs", submit, "write"),
    )
]
