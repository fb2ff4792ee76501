"""What the models of the emulator answer.

Owns the choice between a scripted reply, a function call, a calculation, a search and plain words, and the
wording. Pure but for the counts of scripted rules: it is given everything and stores nothing. Every text that
is not scripted begins by saying that the emulator wrote it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from asstops.emulator import arithmetic
from asstops.emulator.instances import instance
from asstops.emulator.passages import Document, Passage, search
from asstops.emulator.scripted import Replies, Rule

Json = dict[str, Any]
MARK = "[asstops emulator]"
_MOST_RESULTS = 20
_MOST_CITED = 3


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is asked. `outputs` are the results of functions that it called before, by name."""

    assistant: str
    model: str
    text: str
    tools: Sequence[Json] = ()
    tool_choice: Any = "auto"
    parallel: bool = True
    response_format: Any = "auto"
    outputs: Sequence[tuple[str, str]] = ()
    documents: Callable[[], Sequence[Document]] | None = None  # None: there is nothing to search


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function that the model wants called; `arguments` is JSON text."""

    name: str
    arguments: str


@dataclass(slots=True)
class Answer:
    """What the model does. With `calls` it waits for their outputs, and `text` is not said."""

    text: str = ""
    annotations: list[Json] = field(default_factory=list)
    calls: list[FunctionCall] = field(default_factory=list)
    code: tuple[str, str] | None = None  # what was run, what it printed
    found: list[Passage] | None = None  # what a search gave; None: no search
    status: str = "completed"
    error: Json | None = None
    tokens: Json = field(default_factory=dict)
    seconds: float | None = None


def respond(question: Question, replies: Replies) -> Answer:
    """Return what the model does next."""
    rule = None
    if not question.outputs:
        rule = replies.take(question.text, question.assistant, question.model)
    else:  # the rule that made the calls was counted then
        rule = next((r for r in replies.all() if r.tool_calls and _matches(r, question)), None)
    if rule is not None:
        return _scripted(question, rule)
    calls = _calls(question)
    if calls:
        return Answer(calls=calls)
    answer = Answer()
    if not question.outputs:
        answer.code = _calculation(question)
        answer.found = _search(question)
    _word(question, answer)
    return answer


def tokens(text: str) -> int:
    """Return the number of tokens of a text, as the emulator counts: four characters each."""
    return (len(text) + 3) // 4


def _matches(rule: Rule, question: Question) -> bool:
    times, rule.times = rule.times, 0
    try:
        return rule.applies(question.text, question.assistant, question.model)
    finally:
        rule.times = times


# Functions ---------------------------------------------------------------------------------------------


def _functions(question: Question) -> list[Json]:
    return [tool["function"] for tool in question.tools if tool["type"] == "function"]


def _calls(question: Question) -> list[FunctionCall]:
    """Return calls of the functions that the text names and that were not called yet."""
    choice = question.tool_choice
    if choice == "none":
        return []
    called = {name for name, _ in question.outputs}
    if isinstance(choice, dict):
        wanted = choice["function"]["name"] if choice["type"] == "function" else None
        named = [function for function in _functions(question) if function["name"] == wanted]
    else:
        named = [function for function in _functions(question) if _is_named(function["name"], question.text)]
        if not named and not called and choice == "required":
            named = _functions(question)[:1]
    named = [function for function in named if function["name"] not in called]
    if not question.parallel:
        named = named[:1]
    return [FunctionCall(f["name"], _arguments(f.get("parameters"))) for f in named]


def _arguments(schema: Any) -> str:
    made = instance(schema) if schema else {}
    return json.dumps(made if isinstance(made, dict) else {}, ensure_ascii=False)


def _is_named(name: str, text: str) -> bool:
    """Say whether a text names a function, with blanks for its hyphens and underscores too."""
    pattern = r"[\s_-]+".join(map(re.escape, re.split(r"[_-]+", name.strip("_-")) or [name]))
    return re.search(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE) is not None


# The service's own tools -------------------------------------------------------------------------------


def _has(question: Question, tool: str) -> bool:
    choice = question.tool_choice
    if choice == "none" or (isinstance(choice, dict) and choice["type"] != tool):
        return False
    return any(entry["type"] == tool for entry in question.tools)


def _calculation(question: Question) -> tuple[str, str] | None:
    if not _has(question, "code_interpreter"):
        return None
    expression = arithmetic.find(question.text)
    if expression is None:
        if isinstance(question.tool_choice, dict):
            return "print('nothing to calculate')", "nothing to calculate\n"
        return None
    return f"print({expression})", arithmetic.evaluate(expression) + "\n"


def _search(question: Question) -> list[Passage] | None:
    if question.documents is None or not _has(question, "file_search"):
        return None
    tool = next(entry for entry in question.tools if entry["type"] == "file_search")
    most = (tool.get("file_search") or {}).get("max_num_results") or _MOST_RESULTS
    return search(question.documents(), question.text, most)


# Words -------------------------------------------------------------------------------------------------


def _word(question: Question, answer: Answer) -> None:
    form = question.response_format
    kind = form.get("type") if isinstance(form, dict) else "text"
    if kind == "json_schema":
        answer.text = json.dumps(instance(form["json_schema"].get("schema") or {}, MARK), ensure_ascii=False)
        return
    said = f"{MARK} {question.assistant} was asked: {question.text}"
    if answer.code is not None:
        said += f"\n\nThe code `{answer.code[0]}` printed {answer.code[1].strip()}."
    for name, output in question.outputs:
        said += f"\n\nThe function {name} returned: {output}"
    if kind == "json_object":
        answer.text = json.dumps({"answer": said}, ensure_ascii=False)
        return
    if answer.found is not None and not answer.found:
        said += "\n\nNo attached file has words of the question."
    answer.text = said
    for passage in (answer.found or [])[:_MOST_CITED]:
        answer.text += f"\n\n{passage.document.filename} says: {passage.text}"
        _cite(answer, passage.document, passage.text)


def _cite(answer: Answer, document: Document, quote: str) -> None:
    """Append a citation mark to the text, and the annotation that belongs to it."""
    mark = f"\u3010{len(answer.annotations)}:0\u2020{document.filename}\u3011"
    start = len(answer.text)
    answer.text += mark
    answer.annotations.append(
        {
            "type": "file_citation",
            "text": mark,
            "start_index": start,
            "end_index": start + len(mark),
            "file_citation": {"file_id": document.file_id, "quote": quote},
        }
    )


# Scripted ----------------------------------------------------------------------------------------------


def _scripted(question: Question, rule: Rule) -> Answer:
    answer = Answer(seconds=rule.seconds, tokens=rule.tokens, status=rule.status, error=rule.error)
    known = {function["name"]: function for function in _functions(question)}
    if rule.tool_calls and not question.outputs:
        for call in rule.tool_calls:
            if call["name"] not in known:
                return _broken(answer, f"The scripted reply calls '{call['name']}', which is no function tool here.")
            given = call.get("arguments")
            text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
            if given is None:
                text = _arguments(known[call["name"]].get("parameters"))
            answer.calls.append(FunctionCall(call["name"], text))
        return answer
    outputs = "\n".join(output for _, output in question.outputs)
    filled = {
        "question": question.text, "assistant": question.assistant, "model": question.model, "outputs": outputs
    }  # fmt: skip
    answer.text = re.sub(r"\{(question|assistant|model|outputs)\}", lambda m: filled[m.group(1)], rule.reply)
    if not rule.citations:
        return answer
    documents = list(question.documents()) if question.documents is not None else []
    answer.found = []
    for cited in rule.citations:
        document = next((d for d in documents if cited["file"] in {d.filename, d.file_id}), None)
        if document is None:
            return _broken(answer, f"The scripted reply cites '{cited['file']}', and no ready file has that name.")
        quote = cited.get("quote") or document.text.strip().partition("\n")[0][:400]
        answer.found.append(Passage(document, quote, 1.0))
        _cite(answer, document, quote)
    return answer


def _broken(answer: Answer, message: str) -> Answer:
    """A scripted reply that cannot be carried out ends the run, so that a test sees why."""
    return Answer(status="failed", error={"code": "server_error", "message": message}, seconds=answer.seconds)
