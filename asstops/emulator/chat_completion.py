"""The answer to a chat completion: whole, or cut into the chunks of a stream.

Owns the forms of both on each surface. What the model says is answers.py's business, what may be asked
chat_contract.py's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from asstops.emulator import answers, ids
from asstops.emulator.answers import Answer, Question
from asstops.emulator.chat_messages import text_of
from asstops.emulator.data import OLD
from asstops.emulator.run_turn import cut
from asstops.emulator.wire import Json

_MOST_CHUNKS = 100
_HARMS = ("hate", "self_harm", "sexual", "violence")


@dataclass(frozen=True, slots=True)
class Choice:
    """What one choice says and why it ends. `calls` are tool calls as they are shown."""

    text: str
    calls: list[Json]
    finish: str


def question(body: Json, deployment: str) -> Question:
    """Return what the model is asked: the last message of the user, and what came of it since."""
    messages = body["messages"]
    last = max((n for n, message in enumerate(messages) if message["role"] == "user"), default=-1)
    names: dict[str, str] = {}
    outputs: list[tuple[str, str]] = []
    for message in messages[last + 1 :]:
        for call in message.get("tool_calls") or ():
            names[call["id"]] = call["function"]["name"]
        if message["role"] == "tool":
            outputs.append((names[message["tool_call_id"]], text_of(message)))
        elif message["role"] == "function":
            outputs.append((message["name"], text_of(message)))
    functions = [{"type": "function", "function": function} for function in body.get("functions") or ()]
    choice = body.get("tool_choice") or body.get("function_call") or "auto"
    if isinstance(choice, dict) and "type" not in choice:
        choice = {"type": "function", "function": choice}
    return Question(
        assistant=deployment,
        model=deployment,
        text=text_of(messages[last]) if last >= 0 else "",
        tools=body.get("tools") or functions,
        tool_choice=choice,
        parallel=body.get("parallel_tool_calls") is not False and not functions,
        response_format=body.get("response_format") or "text",
        outputs=outputs,
    )


def choice(body: Json, answer: Answer) -> Choice:
    """Return one choice: the answer, cut at a stop word or where the tokens end."""
    if answer.calls:
        calls = [
            {"id": ids.fresh("call_"), "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
            for c in answer.calls
        ]
        return Choice("", calls, "function_call" if body.get("functions") else "tool_calls")
    text, finish = answer.text, "length" if answer.status == "incomplete" else "stop"
    stops = body.get("stop") or []
    found = [text.find(stop) for stop in ([stops] if isinstance(stops, str) else stops) if stop and stop in text]
    if found:
        text, finish = text[: min(found)], "stop"
    most = body.get("max_completion_tokens") or body.get("max_tokens")
    if most and answers.tokens(text) > most:
        text, finish = text[: most * 4], "length"
    return Choice(text, [], finish)


def usage(body: Json, surface: str, choices: list[Choice], tokens: Json) -> Json:
    prompt = tokens.get("prompt", sum(answers.tokens(text_of(message)) for message in body["messages"]))
    said = sum(answers.tokens(c.text + "".join(x["function"]["arguments"] for x in c.calls)) for c in choices)
    completion = tokens.get("completion", said)
    counted: Json = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    if surface != OLD:
        counted["prompt_tokens_details"] = {"audio_tokens": 0, "cached_tokens": 0}
        counted["completion_tokens_details"] = {
            "accepted_prediction_tokens": 0,
            "audio_tokens": 0,
            "reasoning_tokens": 0,
            "rejected_prediction_tokens": 0,
        }
    return counted


def whole(body: Json, surface: str, head: Json, choices: list[Choice], counted: Json) -> Json:
    """Return the answer in one piece."""
    return {
        **head,
        "object": "chat.completion",
        "prompt_filter_results": _prompt_filter(),
        "choices": [
            {
                "index": index,
                "message": _message(body, surface, found),
                "logprobs": _logprobs(body, surface, found.text),
                "finish_reason": found.finish,
                "content_filter_results": {} if found.calls else _harmless(),
            }
            for index, found in enumerate(choices)
        ],
        "usage": counted,
    }


def _message(body: Json, surface: str, found: Choice) -> Json:
    message: Json = {"role": "assistant", "content": None if found.calls else found.text}
    if surface != OLD:
        message["refusal"] = None
    if found.calls and body.get("functions"):
        message["function_call"] = found.calls[0]["function"]
    elif found.calls:
        message["tool_calls"] = found.calls
    return message


def chunks(body: Json, surface: str, head: Json, choices: list[Choice], counted: Json, *, filters: bool) -> list[Json]:
    """Return the answer as chunks. `filters`: with the results of content filters, as Azure sends them."""
    head = {**head, "object": "chat.completion.chunk"}
    with_usage = bool((body.get("stream_options") or {}).get("include_usage"))
    made = [{**head, "choices": [], "prompt_filter_results": _prompt_filter()}] if filters else []
    for index, found in enumerate(choices):
        said = [_chunk(body, surface, index, delta, None, filters) for delta in _deltas(body, surface, found)]
        said.append(_chunk(body, surface, index, {}, found.finish, filters))
        made += [{**head, "choices": [chunk]} for chunk in said]
    if with_usage:
        made = [{**chunk, "usage": None} for chunk in made]
        made.append({**head, "choices": [], "usage": counted})
    return made


def _deltas(body: Json, surface: str, found: Choice) -> list[Json]:
    first: Json = {"role": "assistant", "content": None if found.calls else ""}
    if surface != OLD:
        first["refusal"] = None
    deltas = [first]
    for index, call in enumerate(found.calls):
        function = call["function"]
        parts = cut(function["arguments"], 10)
        if body.get("functions"):
            deltas.append({"function_call": {"name": function["name"], "arguments": ""}})
            deltas += [{"function_call": {"arguments": part}} for part in parts]
            break
        named = {"index": index, **call, "function": {"name": function["name"], "arguments": ""}}
        deltas.append({"tool_calls": [named]})
        deltas += [{"tool_calls": [{"index": index, "function": {"arguments": part}}]} for part in parts]
    deltas += [{"content": part} for part in cut(found.text, _MOST_CHUNKS)]
    return deltas


def _chunk(body: Json, surface: str, index: int, delta: Json, finish: str | None, filters: bool) -> Json:
    chunk: Json = {"index": index, "delta": delta, "finish_reason": finish}
    chunk["logprobs"] = _logprobs(body, surface, delta["content"]) if delta.get("content") else None
    if filters:
        chunk["content_filter_results"] = _harmless() if delta.get("content") else {}
    return chunk


def _logprobs(body: Json, surface: str, text: str) -> Json | None:
    """Return every word as a token that was certain."""
    if not body.get("logprobs") or not text:
        return None
    tokens: list[Json] = []
    for word in cut(text, len(text)):
        token: Json = {"token": word, "logprob": 0.0, "bytes": list(word.encode())}
        others = [dict(token)] if body.get("top_logprobs") else []
        tokens.append({**token, "top_logprobs": others})
    return {"content": tokens} if surface == OLD else {"content": tokens, "refusal": None}


def _prompt_filter() -> list[Json]:
    return [{"prompt_index": 0, "content_filter_results": _harmless()}]


def _harmless() -> dict[str, Any]:
    return {harm: {"filtered": False, "severity": "safe"} for harm in _HARMS}
