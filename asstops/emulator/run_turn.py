"""One turn of a run: the question its model gets, and the pieces that its answer becomes.

Owns the context of a run (which messages fit, which files can be searched), token counts and limits, and how
an answer is cut into steps, messages and deltas. When the pieces happen is run_engine.py's business.
"""

from __future__ import annotations

import re
from typing import Any

from asstops.emulator import answers, conversation, ids, ingest
from asstops.emulator.answers import Answer, Question
from asstops.emulator.apis.files import content_of
from asstops.emulator.data import OLD
from asstops.emulator.passages import Document
from asstops.emulator.state import State
from asstops.emulator.store import load
from asstops.emulator.wire import Json

_MOST_DELTAS = 200
_MOST_TEXT_PIECES = 12
_LARGEST_SEARCHED = 4 * 1024 * 1024


def pieces(state: State, account: int, run: Json) -> tuple[list[Json], float | None]:
    """Return what the run does next, and how long it takes when the answer says so."""
    work = run["work"]
    expired = _expired_store(state, account, run)
    if expired is not None:
        message = f"The vector store {expired} has expired."
        return [_finish("failed", error={"code": "server_error", "message": message})], None
    texts, prompt = _context(state, account, run)
    if run["max_prompt_tokens"] is not None and work["prompt_tokens"] + prompt > run["max_prompt_tokens"]:
        work["prompt_tokens"] = run["max_prompt_tokens"]
        return [_finish("incomplete", incomplete={"reason": "max_prompt_tokens"})], None
    answer = answers.respond(_question(state, account, run, texts), state.replies)
    work["prompt_tokens"] += answer.tokens.get("prompt", prompt)
    return _pieces_of(run, answer), answer.seconds


# The question ------------------------------------------------------------------------------------------


def _context(state: State, account: int, run: Json) -> tuple[list[str], int]:
    """Return the texts of the user that the model sees, oldest first, and the tokens of everything it sees."""
    rows = state.store.all(
        "SELECT body FROM object WHERE account = ? AND kind = ? ORDER BY seq DESC",
        account, conversation.messages_of(run["thread_id"]),
    )  # fmt: skip
    messages = [body for (text,) in rows if (body := load(text))["run_id"] != run["id"]]
    strategy = run["truncation_strategy"]
    if strategy["type"] == "last_messages":
        messages = messages[: strategy.get("last_messages") or 1]
    spent = answers.tokens(run["instructions"]) + sum(answers.tokens(output) for _, output in run["work"]["outputs"])
    limit = run["max_prompt_tokens"]
    texts: list[str] = []
    for number, message in enumerate(messages):
        text = _text_of(message)
        cost = answers.tokens(text)
        if number and limit is not None and strategy["type"] == "auto" and spent + cost > limit:
            break  # older messages are dropped to make the rest fit
        spent += cost
        if message["role"] == "user":
            texts.append(text)
    return texts[::-1], spent


def _text_of(message: Json) -> str:
    return "\n".join(part["text"]["value"] for part in message["content"] if part["type"] == "text")


def _question(state: State, account: int, run: Json, texts: list[str]) -> Question:
    stores = run["work"]["stores"]
    return Question(
        assistant=run["work"]["assistant"],
        model=run["model"],
        text=texts[-1] if texts else "",
        tools=run["tools"],
        tool_choice=run["tool_choice"],
        parallel=run["parallel_tool_calls"],
        response_format=run["response_format"],
        outputs=[(name, output) for name, output in run["work"]["outputs"]],
        documents=(lambda: documents_of(state, account, stores)) if stores else None,
    )


def documents_of(state: State, account: int, stores: list[str]) -> list[Document]:
    """Return the ready files of the stores that are text."""
    documents: dict[str, Document] = {}
    for store in stores:
        rows = state.store.all(ingest.SELECT + " WHERE store = ? AND status = 'completed' ORDER BY seq", store)
        for file in map(ingest.as_file, rows):
            named = state.store.get(account, "file", file["file"])
            if named is None or named["bytes"] > _LARGEST_SEARCHED:
                continue
            text = content_of(state, account, file["file"]).decode("utf-8", "replace")
            documents[file["file"]] = Document(file["file"], named["filename"], text)
    return list(documents.values())


def _expired_store(state: State, account: int, run: Json) -> str | None:
    """Return a store of the run that has expired; the others count as used now."""
    now = state.now()
    for ident in run["work"]["stores"]:
        store = state.store.get(account, "vector_store", ident)
        if store is None:
            continue  # deleted since: the id leads nowhere
        after = store["expires_after"]
        if after and int(store["last_active_at"]) + after["days"] * 86_400 <= now:
            return str(ident)
        store["last_active_at"] = now
        state.store.put(account, "vector_store", ident, store)
    return None


# The answer --------------------------------------------------------------------------------------------


def _finish(status: str, **details: Any) -> Json:
    return {"do": "finish", "status": status, **details}


def _pieces_of(run: Json, answer: Answer) -> list[Json]:
    work = run["work"]
    made: list[Json] = []
    if answer.code is not None:
        made += _code_step(*answer.code)
    if answer.found is not None:
        made += _search_step(answer)
    if answer.calls:
        spent = sum(answers.tokens(call.arguments) for call in answer.calls)
        work["completion_tokens"] += answer.tokens.get("completion", spent)
        return [*made, _function_step(answer), {"do": "require"}]
    if answer.status == "failed":
        error = {"code": "server_error", "message": "A scripted failure.", **(answer.error or {})}
        work["completion_tokens"] += answer.tokens.get("completion", 0)
        return [*made, _finish("failed", error=error)]
    text, notes, over = answer.text, answer.annotations, answer.status == "incomplete"
    spent = answer.tokens.get("completion", answers.tokens(text))
    limit = run["max_completion_tokens"]
    if limit is not None and work["completion_tokens"] + spent > limit:
        spent, over = max(limit - work["completion_tokens"], 0), True
        text = text[: spent * 4]
        notes = [note for note in notes if note["end_index"] <= len(text)]
    work["completion_tokens"] += spent
    end: Json = {"do": "message_end", "text": text, "annotations": notes}
    finish = _finish("completed")
    if over:
        end["incomplete"] = "max_tokens"
        finish = _finish("incomplete", incomplete={"reason": "max_completion_tokens"})
    deltas = _text_deltas(text, notes, work["surface"]) if work["streamed"] else []
    size = -(-len(deltas) // _MOST_TEXT_PIECES) or 1
    groups = [deltas[start : start + size] for start in range(0, len(deltas), size)]
    return [*made, {"do": "message"}, *({"do": "text", "deltas": group} for group in groups), end, finish]


def _function_step(answer: Answer) -> Json:
    calls, deltas = [], []
    for index, call in enumerate(answer.calls):
        ident = ids.fresh("call_")
        head = {"id": ident, "type": "function"}
        calls.append({**head, "function": {"name": call.name, "arguments": call.arguments, "output": None}})
        first = {"name": call.name, "arguments": "", "output": None}
        deltas.append({"index": index, **head, "function": first})
        parts = cut(call.arguments, _MOST_DELTAS // 10)
        deltas += [{"index": index, "type": "function", "function": {"arguments": part}} for part in parts]
    return {"do": "tool", "calls": calls, "deltas": deltas}


def _code_step(source: str, printed: str) -> list[Json]:
    head = {"id": ids.fresh("call_"), "type": "code_interpreter"}
    logs = [{"type": "logs", "logs": printed}]
    deltas: list[Json] = [{"index": 0, **head, "code_interpreter": {"input": "", "outputs": []}}]
    kind = {"index": 0, "type": "code_interpreter"}
    deltas += [{**kind, "code_interpreter": {"input": part}} for part in cut(source, 8)]
    last = {**kind, "code_interpreter": {"outputs": [{"index": 0, **logs[0]}]}}
    return [
        {"do": "tool", "calls": [{**head, "code_interpreter": {"input": source, "outputs": []}}], "deltas": deltas},
        {"do": "tool_end", "calls": [{**head, "code_interpreter": {"input": source, "outputs": logs}}],
         "deltas": [last]},
    ]  # fmt: skip


def _search_step(answer: Answer) -> list[Json]:
    head = {"id": ids.fresh("call_"), "type": "file_search"}
    results = [
        {
            "file_id": passage.document.file_id,
            "file_name": passage.document.filename,
            "score": passage.score,
            "content": [{"type": "text", "text": passage.text}],
        }
        for passage in answer.found or ()
    ]
    delta = {"index": 0, **head, "file_search": {}}
    return [
        {"do": "tool", "calls": [{**head, "file_search": {"results": []}}], "deltas": [delta]},
        {"do": "tool_end", "calls": [{**head, "file_search": {"results": results}}], "deltas": []},
    ]


def _text_deltas(text: str, notes: list[Json], surface: str) -> list[Json]:
    """Cut a text into deltas that make it up again; each citation mark stays whole, with its annotation."""
    deltas: list[Json] = []
    start = 0
    for number, note in enumerate(notes):
        deltas += [{"value": part} for part in cut(text[start : note["start_index"]], _MOST_DELTAS)]
        shown = note if surface == OLD else conversation.shown_annotation(note)
        deltas.append({"value": note["text"], "annotations": [{"index": number, **shown}]})
        start = note["end_index"]
    deltas += [{"value": part} for part in cut(text[start:], _MOST_DELTAS)]
    if deltas:
        deltas[0].setdefault("annotations", [])
    return deltas


def cut(text: str, most: int) -> list[str]:
    """Cut a text into words, or into at most so many groups of them."""
    words = re.findall(r"\s*\S+\s*|\s+", text)
    size = -(-len(words) // most) or 1
    return ["".join(words[start : start + size]) for start in range(0, len(words), size)]
