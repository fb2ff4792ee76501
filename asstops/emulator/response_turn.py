"""One turn of a response: the question its model gets, and the items that the answer becomes.

Owns the way from tools and items to a Question and back, token counts and where a text is cut off. It stores nothing;
the words are answers.py's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from asstops.emulator import answers, ids
from asstops.emulator.answers import Answer, Question
from asstops.emulator.apis import vector_stores
from asstops.emulator.checks import Invalid
from asstops.emulator.response_items import text_of
from asstops.emulator.run_turn import documents_of
from asstops.emulator.wire import Call, Json, Refusal


@dataclass(slots=True)
class Setup:
    """What answers: a model with its settings, as an agent's definition or the request has them."""

    name: str  # of the agent, else of the deployment
    model: str
    tools: list[Json] = field(default_factory=list)
    tool_choice: Any = "auto"
    text: Json = field(default_factory=dict)
    instructions: Any = None
    temperature: float = 1.0
    top_p: float = 1.0
    reasoning: Json = field(default_factory=dict)


@dataclass(slots=True)
class Outcome:
    """What came of a turn. `error` and `incomplete` are fields of the response."""

    items: list[Json]
    status: str
    tokens: Json
    error: Json | None = None
    incomplete: Json | None = None


def setup(name: str, described: Json) -> Setup:
    """Return the setup that a request or a definition describes; null means the default."""
    names = ("model", "tools", "tool_choice", "text", "instructions", "temperature", "top_p", "reasoning")
    given = {key: described[key] for key in names if described.get(key) is not None}
    return Setup(name=name, **given)


def filled(definition: Json, inputs: Json) -> Json:
    """Return an agent's definition with the values of its structured inputs in place of their templates."""
    known = definition.get("structured_inputs") or {}
    for name in inputs:
        if name not in known:
            raise Invalid(f"structured_inputs.{name}", "unknown_parameter", f"The agent has no input '{name}'.")
    values: Json = {}
    for name, described in known.items():
        if name not in inputs and described.get("required"):
            where = f"structured_inputs.{name}"
            raise Invalid(where, "missing_required_parameter", f"Missing required parameter: '{where}'.")
        values[name] = inputs.get(name, described.get("default_value", ""))
    return {key: _filled(value, values) for key, value in definition.items() if key != "structured_inputs"}


def _filled(value: Any, values: Json) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, values) for inner in value]
    if isinstance(value, str) and "{{" in value:
        return re.sub(r"\{\{\s*([\w-]+)\s*\}\}", lambda found: str(values.get(found[1], found[0])), value)
    return value


# The question --------------------------------------------------------------------------------------------


def question(call: Call, made: Setup, items: list[Json], *, parallel: bool) -> Question:
    """Return what the model is asked: the last message of the user, and what came of it since."""
    last = max((n for n, item in enumerate(items) if item["type"] == "message" and item["role"] == "user"), default=-1)
    names = {item["call_id"]: item["name"] for item in items if item["type"] == "function_call"}
    outputs = [
        (names[item["call_id"]], text_of(item)) for item in items[last + 1 :] if item["type"] == "function_call_output"
    ]
    stores = [
        store for tool in made.tools for store in tool.get("vector_store_ids", []) if tool["type"] == "file_search"
    ]
    for ident in stores:
        _use(call, ident)
    state, scope = call.state, call.account
    return Question(
        assistant=made.name,
        model=made.model,
        text=text_of(items[last]) if last >= 0 else "",
        tools=[_nested(tool) for tool in made.tools],
        tool_choice=_nested_choice(made.tool_choice),
        parallel=parallel,
        response_format=_nested_format(made.text.get("format")),
        outputs=outputs,
        documents=(lambda: documents_of(state, scope, stores)) if stores else None,
    )


def _use(call: Call, ident: str) -> None:
    """Refuse a store that is gone or expired, else note its use."""
    store = call.state.store.get(call.account, "vector_store", ident)
    if store is None:
        raise Refusal(404, f"Vector store with id '{ident}' not found.", code="not_found", param="tools")
    vector_stores.touch(call, store)


def _nested(tool: Json) -> Json:
    """Return a tool in the form in which assistants have it, which is what answers.py reads."""
    kind = tool["type"]
    inner = {key: value for key, value in tool.items() if key != "type" and value is not None}
    return {"type": kind, kind: inner} if kind in {"function", "file_search"} else {"type": kind}


def _nested_choice(chosen: Any) -> Any:
    if isinstance(chosen, dict) and chosen["type"] == "function":
        return {"type": "function", "function": {"name": chosen["name"]}}
    return chosen


def _nested_format(form: Json | None) -> Any:
    if form is None or form["type"] == "text":
        return "text"
    return form if form["type"] == "json_object" else {"type": "json_schema", "json_schema": form}


# The answer ----------------------------------------------------------------------------------------------


def outcome(asked: Question, answer: Answer, limit: int | None, *, marks: bool) -> Outcome:
    """Return the items of an answer. `limit` counts tokens, `marks` keeps citation marks in the text."""
    items: list[Json] = []
    if answer.code is not None:
        items.append(_code(*answer.code))
    if answer.found is not None:
        items.append(_search(asked, answer))
    if answer.status == "failed":
        error = {"code": "server_error", "message": "A scripted failure.", **(answer.error or {})}
        return Outcome([], "failed", {"completion": 0, **answer.tokens}, error=error)
    if answer.calls:
        items += [
            {"id": ids.fresh("fc_", 48), "type": "function_call", "status": "completed",
             "call_id": ids.fresh("call_"), "name": each.name, "arguments": each.arguments}
            for each in answer.calls
        ]  # fmt: skip
        spent = sum(answers.tokens(each.arguments) for each in answer.calls)
        return Outcome(items, "completed", {"completion": spent, **answer.tokens})
    text, notes = _cited(answer, marks)
    over = answer.status == "incomplete"
    if limit is not None and answers.tokens(text) > limit:
        text, over = text[: limit * 4], True
        notes = [note for note in notes if note["index"] <= len(text)]
    status = "incomplete" if over else "completed"
    part = {"type": "output_text", "text": text, "annotations": notes, "logprobs": []}
    items.append(
        {"id": ids.fresh("msg_", 48), "type": "message", "role": "assistant", "status": status, "content": [part]}
    )
    incomplete = {"reason": "max_output_tokens"} if over else None
    return Outcome(items, status, {"completion": answers.tokens(text), **answer.tokens}, incomplete=incomplete)


def _cited(answer: Answer, marks: bool) -> tuple[str, list[Json]]:
    """Return the text with the annotations of its citations, and where they belong in it."""
    names = {passage.document.file_id: passage.document.filename for passage in answer.found or ()}
    text, notes, start = "", list[Json](), 0
    for note in answer.annotations:
        text += answer.text[start : note["start_index"]]
        ident = note["file_citation"]["file_id"]
        notes.append({"type": "file_citation", "file_id": ident, "filename": names[ident], "index": len(text)})
        text += note["text"] if marks else ""
        start = note["end_index"]
    return text + answer.text[start:], notes


def _code(source: str, printed: str) -> Json:
    return {
        "id": ids.fresh("ci_", 48),
        "type": "code_interpreter_call",
        "status": "completed",
        "code": source,
        "container_id": ids.fresh("cntr_", 48),
        "outputs": [{"type": "logs", "logs": printed}],
    }


def _search(asked: Question, answer: Answer) -> Json:
    results = [
        {
            "attributes": {},
            "file_id": passage.document.file_id,
            "filename": passage.document.filename,
            "score": passage.score,
            "text": passage.text,
        }
        for passage in answer.found or ()
    ]
    return {
        "id": ids.fresh("fs_", 48),
        "type": "file_search_call",
        "status": "completed",
        "queries": [asked.text],
        "results": results,
    }
