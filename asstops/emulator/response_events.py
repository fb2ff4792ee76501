"""The events of a streamed response: an answer that is known, told piece by piece.

Owns their order and form. Each has a number; the last one carries the whole response.
"""

from __future__ import annotations

from collections.abc import Iterator

from asstops.emulator.run_turn import cut
from asstops.emulator.wire import Json

_MOST_DELTAS = 100


def events(response: Json) -> list[Json]:
    """Return the events of a finished response, in their order."""
    begun = {**response, "status": "in_progress", "output": [], "usage": None, "completed_at": None, "error": None,
             "incomplete_details": None}  # fmt: skip
    made: list[Json] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
    ]
    for index, item in enumerate(response["output"]):
        made += _item(index, item)
    made.append({"type": f"response.{response['status']}", "response": response})
    return [{**event, "sequence_number": number} for number, event in enumerate(made)]


def _item(index: int, item: Json) -> Iterator[Json]:
    where = {"output_index": index, "item_id": item["id"]}
    yield {"type": "response.output_item.added", "output_index": index, "item": _begun(item)}
    if item["type"] == "message":
        for number, part in enumerate(item["content"]):
            yield from _part({**where, "content_index": number}, part)
    elif item["type"] == "function_call":
        for delta in cut(item["arguments"], 10):
            yield {"type": "response.function_call_arguments.delta", **where, "delta": delta}
        yield {"type": "response.function_call_arguments.done", **where, "arguments": item["arguments"]}
    elif item["type"] == "file_search_call":
        for step in ("in_progress", "searching", "completed"):
            yield {"type": f"response.file_search_call.{step}", **where}
    elif item["type"] == "code_interpreter_call":
        yield {"type": "response.code_interpreter_call.in_progress", **where}
        for delta in cut(item["code"], 8):
            yield {"type": "response.code_interpreter_call_code.delta", **where, "delta": delta}
        yield {"type": "response.code_interpreter_call_code.done", **where, "code": item["code"]}
        for step in ("interpreting", "completed"):
            yield {"type": f"response.code_interpreter_call.{step}", **where}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _begun(item: Json) -> Json:
    """Return an item as it is when it is announced."""
    empty: dict[str, Json] = {
        "message": {"content": []},
        "function_call": {"arguments": ""},
        "file_search_call": {"queries": [], "results": None},
        "code_interpreter_call": {"code": "", "outputs": None},
    }
    return {**item, "status": "in_progress", **empty[item["type"]]}


def _part(where: Json, part: Json) -> Iterator[Json]:
    text, notes = part["text"], part["annotations"]
    bare = {**part, "text": "", "annotations": []}
    yield {"type": "response.content_part.added", **where, "part": bare}
    start = 0
    for number, note in enumerate(notes):
        yield from _text(where, text[start : note["index"]])
        start = note["index"]
        yield {"type": "response.output_text.annotation.added", **where, "annotation_index": number, "annotation": note}
    yield from _text(where, text[start:])
    yield {"type": "response.output_text.done", **where, "text": text, "logprobs": []}
    yield {"type": "response.content_part.done", **where, "part": part}


def _text(where: Json, text: str) -> Iterator[Json]:
    for delta in cut(text, _MOST_DELTAS):
        yield {"type": "response.output_text.delta", **where, "delta": delta, "logprobs": []}
