"""The words of a conversation: a question's answer, what it cites, the functions that it wants called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Citation:
    """A place that the answer refers to: in a file, or a page of the web, which has `url` and no `file_id`.

    `mark` is what stands for it in the service's text, "" where nothing does. `file_name` is a page's title too.
    """

    number: int
    mark: str
    file_id: str
    file_name: str = ""
    quote: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function that the assistant wants called; `arguments` is JSON text, `output` None until there is one."""

    id: str
    name: str
    arguments: str
    output: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question.

    `thread_id` is the thread's or the conversation's, `run_id` the run's or the last response's. `reason` says in words
    why `status` is not `completed`, "" when it is; `fix` what to do about it, where the service's side knows that.
    `tools` are those of the service that were used, such as `file_search`.
    """

    text: str
    status: str
    thread_id: str
    run_id: str
    citations: tuple[Citation, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Mapping[str, int] | None = None
    reason: str = ""
    fix: str = ""
    tools: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears about an answer while it comes: pieces of text, and functions that are called.

    `output` gives a function's result, None when there is none. `ended` is called when nothing more comes, however it
    ended.
    """

    text: Callable[[str], None]
    called: Callable[[ToolCall], None]
    output: Callable[[ToolCall], str | None]
    ended: Callable[[], None] = lambda: None
