"""What `ask` and `chat` share: finding the assistant, showing an answer as it comes, signals, outputs of functions."""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from asstops.cli.run import Run
from asstops.errors import AsstopsError, ExitCode, UsageError
from asstops.model import Address

if TYPE_CHECKING:
    from asstops.talk.answer import Answer, Citation, ToolCall
    from asstops.talk.conversation import Conversation

_SHOWN_ARGUMENTS = 300
_TIMERS = hasattr(signal, "setitimer")  # not on Windows
_AGAIN_S = 2.0


def _outputs(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    result = {}
    for text in value:
        name, equals, output = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{text!r} is not NAME=JSON", ctx, param)
        try:
            json.loads(output)
        except ValueError as error:
            raise click.BadParameter(
                f"the output of {name} is no JSON: {error}; a plain text is written '{name}=\"text\"'", ctx, param
            ) from None
        result[name] = output
    return result


def thread_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--thread", "thread_id", metavar="ID", default="", help="Go on with this thread (of an agent: conversation)."
    )(command)


def tool_output_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--tool-output",
        "outputs",
        multiple=True,
        callback=_outputs,
        metavar="NAME=JSON",
        help="What the function NAME returns when the assistant calls it; repeatable.",
    )(command)


def assistant_key(run: Run, key: str) -> str:
    """The key of an assistant of the spec, which may be given as its address. Raises UsageError."""
    from difflib import get_close_matches

    key = key.removeprefix("assistant.")
    known = sorted(address.key for address in run.stack.resources if address.kind == "assistant")
    if key not in known:
        near = get_close_matches(key, known, 1)
        told = f"did you mean {near[0]}?" if near else f"the spec has {', '.join(known) or 'no assistant'}"
        raise UsageError(f"there is no assistant {key!r} in the spec", fix=told)
    return key


def assistant_id(run: Run, key: str) -> str:
    """The live id of an assistant of the spec, by its key. Raises UsageError and AsstopsError."""
    from asstops.workflow import live_ids

    address = Address("assistant", assistant_key(run, key))
    ids, _ = live_ids(run.stack, run.session, only=(address.kind,))
    if address not in ids:
        raise AsstopsError(f"{address} does not exist yet", fix="run asstops apply")
    return ids[address]


def conversation(
    run: Run,
    remote_id: str,
    thread_id: str,
    *,
    outputs: dict[str, str],
    quiet: bool = False,
    ask_for: Callable[[ToolCall], str | None] | None = None,
) -> Conversation:
    """A conversation whose text goes to stdout as it comes, unless `quiet`; `ask_for` gets what no option gave."""
    from asstops.redact import Stream
    from asstops.talk.answer import Listener
    from asstops.views.text import cut, safe

    if thread_id and not re.fullmatch(r"[A-Za-z0-9_-]+", thread_id):
        raise UsageError(f"{thread_id!r} is no id of a thread", fix="it looks like thread_abc123 or conv_abc123")

    stream = Stream(run.redactor)

    def text(piece: str) -> None:
        if not quiet and (shown := stream.feed(piece)):
            run.say(readable(shown))

    def pause() -> None:
        if rest := stream.end():
            run.say(readable(rest))

    def called(call: ToolCall) -> None:
        pause()
        arguments = cut(safe(run.masked(call.arguments)), _SHOWN_ARGUMENTS)
        run.say(f"{safe(call.name)}({arguments})\n", err=True)

    def output(call: ToolCall) -> str | None:
        if call.name in outputs:
            return outputs[call.name]
        return ask_for(call) if ask_for is not None else None

    session, listener = run.session, Listener(text, called, output, pause)
    return session.service.talk(session, remote_id, listener, session.limiter.wait, thread_id)


def readable(text: str) -> str:
    """An answer fit for a terminal: lines and tabs stay, everything else that it would obey is made visible."""
    from asstops.views.text import safe_lines

    return safe_lines(text)


def show_end(run: Run, answer: Answer) -> None:
    """What follows an answer: the end of its last line, and what it cites."""
    run.say("" if answer.text.endswith("\n") or not answer.text else "\n")
    if answer.citations:
        lines = [f"[{c.number}] {_cited(c)}\n" for c in answer.citations]
        run.say("\n" + "".join(lines))


def _cited(citation: Citation) -> str:
    """A file's name, or a page's title and address."""
    from asstops.views.text import safe

    name, url = safe(citation.file_name or citation.file_id), safe(citation.url)
    return f"{name} {url}" if url and name != url else name or "a source that the service does not name"


def advice(answer: Answer) -> str:
    """What to do about an answer that is none."""
    if answer.fix:
        return answer.fix
    if names := sorted({call.name for call in answer.tool_calls if call.output is None}):
        return "give it with " + " ".join(f"--tool-output '{name}=JSON'" for name in names) + "; the answer was stopped"
    if answer.status == "incomplete":
        return "ask for a shorter answer, or go on in the thread"
    if "rate_limit" in answer.reason:
        return "wait a minute, or raise sku.capacity of the deployment"
    return ""


@contextmanager
def cancelling(talk: Conversation) -> Iterator[None]:
    """Whatever ends the block early stops the answer, so that nothing is left at work or barring the thread.

    What a signal raises is lost where it lands in a finaliser, and the block would go on waiting for minutes: so it is
    raised again until it has arrived.
    """

    def ended(number: int, _frame: object) -> None:
        if _TIMERS:
            before.setdefault(signal.SIGALRM, signal.signal(signal.SIGALRM, lambda *_: ended(number, None)))
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)
        if number == signal.SIGTERM:
            raise SystemExit(ExitCode.TERMINATED)
        raise KeyboardInterrupt

    def arrived() -> None:
        if _TIMERS and signal.SIGALRM in before:
            signal.setitimer(signal.ITIMER_REAL, 0)

    numbers = [signal.SIGTERM]
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # in the background it may be ignored
        numbers.append(signal.SIGINT)
    before: dict[int, Any] = {number: signal.signal(number, ended) for number in numbers}
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        arrived()
        again = signal.signal(signal.SIGINT, signal.default_int_handler)
        if talk.cancel():
            click.echo("\nThe answer was stopped.", err=True)
        signal.signal(signal.SIGINT, again)
        raise
    except BrokenPipeError:  # nobody reads the answer any more
        talk.cancel()
        raise
    finally:
        arrived()
        for number, handler in before.items():
            signal.signal(number, handler)


def from_stdin() -> str:
    """All of stdin as text. Raises UsageError where it is none."""
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"what came on stdin is no UTF-8 text: {error.reason} at byte {error.start}") from None
