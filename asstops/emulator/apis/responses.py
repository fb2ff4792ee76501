"""Responses on the v1 surface of accounts and projects: created plain or streamed, read, deleted.

Owns the response object and what is kept of it. In a project a response can name an agent, whose model, instructions
and tools it then has. What is said is answers.py's business, the items response_turn.py's.
"""

from __future__ import annotations

from asstops.emulator import agents, answers, data, ids, response_contract, response_events, response_items, sse
from asstops.emulator.answers import tokens
from asstops.emulator.apis import chat, conversations
from asstops.emulator.checks import Invalid
from asstops.emulator.data import V1
from asstops.emulator.response_turn import Outcome, Setup, filled, outcome, question, setup
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route

_KIND, _ITEM = "response", "response_item"
_DEFAULTS: dict[str, Json] = {
    "function": {"description": None, "parameters": None, "strict": True},
    "code_interpreter": {"container": {"type": "auto"}},
}


def create(call: Call) -> Reply:
    body = call.json()
    in_project = call.account < 0
    response_contract.check(body, agents=in_project, overrides=call.state.on("agent_overrides"))
    made, reference = _setup(call, body)
    chat.model_of(call, made.model)
    response_contract.check_choice(made.tool_choice, made.tools)
    given = [conversations.resolved(call, item) for item in response_items.stored(body.get("input") or [])]
    conversation = _conversation(call, body)
    before = _before(call, body, conversation)
    if not before and not given:
        raise Invalid("input", "missing_required_parameter", "There is neither input nor anything before it.")
    response_items.between([*before, *given])
    asked = question(call, made, [*before, *given], parallel=body.get("parallel_tool_calls") is not False)
    answer = answers.respond(asked, call.state.replies)
    marks = call.state.on("citation_marks") == "kept"
    result = outcome(asked, answer, body.get("max_output_tokens"), marks=marks)
    response = _response(call, body, made, result, [*before, *given])
    if conversation is not None:
        response["conversation"] = {"id": conversation}
        kept = conversations.add(call, conversation, [*given, *result.items])
        response["output"] = kept[len(given) :]
    if reference is not None:
        response["agent_reference"] = reference
    if body.get("store") is not False:
        _keep(call, response, given)
    shown = _shown(response, set(body.get("include") or []))
    if not body.get("stream"):
        return Reply(shown, delay_s=answer.seconds or 0)
    parts = [sse.event(event["type"], event) for event in response_events.events(shown)]
    seconds = call.state.settings.run_s if answer.seconds is None else answer.seconds
    return Reply(stream=sse.play(parts, seconds), media_type=sse.MEDIA_TYPE, headers={"cache-control": "no-cache"})


def _setup(call: Call, body: Json) -> tuple[Setup, Json | None]:
    """Return what answers, and the agent with the version that was taken, if it is one."""
    wanted = body.get("agent_reference")
    if wanted is None:
        return setup(body["model"], body), None
    agent = agents.found(call, wanted["name"])
    if not agent["enabled"]:
        raise Refusal(403, f"The agent '{agent['name']}' is disabled.", code="agent_disabled", param="agent_reference")
    number = wanted.get("version")
    version = agents.version(call, agent["name"], number) if number else agents.latest(call, agent["name"])
    assert version is not None
    if version["definition"]["kind"] != agents.PROMPT:
        raise Refusal(
            400, f"The emulator cannot run the agent '{agent['name']}': it is no prompt agent.",
            code="invalid_value", param="agent_reference",
        )  # fmt: skip
    definition = filled(version["definition"], body.get("structured_inputs") or {})
    reference = {"type": "agent_reference", "name": agent["name"], "version": version["version"]}
    return setup(agent["name"], definition), reference


def _conversation(call: Call, body: Json) -> str | None:
    given = body.get("conversation")
    if given is None:
        return None
    return str(conversations.found(call, given if isinstance(given, str) else given["id"])["id"])


def _before(call: Call, body: Json, conversation: str | None) -> list[Json]:
    """Return the items that came before the input, oldest first."""
    if conversation is not None:
        return list(call.state.store.each(call.account, conversations.items_of(conversation)))
    ident, rounds = body.get("previous_response_id"), list[list[Json]]()
    if ident is not None and call.state.store.get(call.account, _KIND, ident) is None:
        message = f"Previous response with id '{ident}' not found."
        raise Refusal(400, message, code="previous_response_not_found", param="previous_response_id")
    while ident is not None:
        kept = call.state.store.get(call.account, _KIND, ident)
        if kept is None:  # deleted since: what came before it is forgotten too
            break
        rounds.append([*kept["input"], *kept["response"]["output"]])
        ident = kept["response"]["previous_response_id"]
    return [item for items in reversed(rounds) for item in items]


def _response(call: Call, body: Json, made: Setup, result: Outcome, context: list[Json]) -> Json:
    now = data.seconds(call.state.now())
    said = tokens(str(made.instructions or "")) + sum(_weight(item) for item in context)
    prompt, completion = result.tokens.get("prompt", said), result.tokens["completion"]
    return {
        "id": ids.fresh("resp_", 48),
        "object": "response",
        "created_at": now,
        "completed_at": now if result.status == "completed" else None,
        "status": result.status,
        "background": False,
        "error": result.error,
        "incomplete_details": result.incomplete,
        "instructions": made.instructions,
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": body.get("max_tool_calls"),
        "metadata": body.get("metadata") or {},
        "model": made.model,
        "output": result.items,
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "previous_response_id": body.get("previous_response_id"),
        "prompt_cache_key": body.get("prompt_cache_key"),
        "reasoning": {"effort": None, "summary": None, **made.reasoning},
        "safety_identifier": body.get("safety_identifier"),
        "service_tier": "default",
        "temperature": made.temperature,
        "text": {"format": {"type": "text"}, **made.text},
        "tool_choice": made.tool_choice,
        "tools": [_filled(tool) for tool in made.tools],
        "top_logprobs": body.get("top_logprobs") or 0,
        "top_p": made.top_p,
        "truncation": body.get("truncation") or "disabled",
        "usage": {
            "input_tokens": prompt,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": completion,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": prompt + completion,
        },
        "user": body.get("user"),
    }


def _weight(item: Json) -> int:
    return tokens(response_items.text_of(item)) if item["type"] in {"message", "function_call_output"} else 0


def _filled(tool: Json) -> Json:
    """Return a tool as the service shows it, with what was left out filled in."""
    return {**_DEFAULTS.get(tool["type"], {}), **tool}


def _keep(call: Call, response: Json, given: list[Json]) -> None:
    store, now = call.state.store, call.state.now()
    items = [{"id": ids.fresh("item_", 48), **item} for item in given]
    store.add(call.account, _KIND, response["id"], now, {"response": response, "input": items})
    for item in response["output"]:
        store.add(call.account, _ITEM, item["id"], now, item)


def _shown(response: Json, wanted: set[str]) -> Json:
    return {**response, "output": [conversations.shown_item(item, wanted) for item in response["output"]]}


def get(call: Call) -> Reply:
    if (call.one("stream") or "false").lower() == "true":
        raise Invalid("stream", "invalid_value", "The emulator streams a response only when it is created.")
    return Reply(_shown(_found(call)["response"], conversations.includes(call)))


def cancel(call: Call) -> Reply:
    _found(call)
    raise Refusal(400, "Cannot cancel a synchronous response.", code="invalid_request")


def delete(call: Call) -> Reply:
    kept = _found(call)
    for item in kept["response"]["output"]:
        call.state.store.drop(call.account, _ITEM, item["id"])
    call.state.store.drop(call.account, _KIND, kept["response"]["id"])
    return Reply({"id": kept["response"]["id"], "object": "response", "deleted": True})


def input_items(call: Call) -> Reply:
    """List the input of a response, newest first unless told otherwise."""
    items, page = _found(call)["input"], data.Page(call)
    if page.order == "desc":
        items = items[::-1]
    known = [item["id"] for item in items]
    for name, cursor in (("after", page.after), ("before", page.before)):
        if cursor is not None and cursor not in known:
            raise data.bad_cursor(name, cursor)
    start = known.index(page.after) + 1 if page.after else 0
    rest = items[start : known.index(page.before) if page.before else None]
    wanted = conversations.includes(call)
    entries = [conversations.shown_item(item, wanted) for item in rest[: page.limit]]
    return Reply(data.envelope(call, entries, len(rest) > page.limit))


def _found(call: Call) -> Json:
    ident = call.params["response_id"]
    kept = call.state.store.get(call.account, _KIND, ident)
    if kept is None:
        raise Refusal(404, f"Response with id '{ident}' not found.", code="not_found", param="response_id")
    return kept


_ONE = "/responses/{response_id}"
ROUTES = [
    Route("data", method, path, handler, frozenset({V1}), f"responses/{action}")
    for method, path, handler, action in (
        ("POST", "/responses", create, "write"),
        ("GET", _ONE, get, "read"),
        ("DELETE", _ONE, delete, "delete"),
        ("POST", f"{_ONE}/cancel", cancel, "write"),
        ("GET", f"{_ONE}/input_items", input_items, "read"),
    )
]
