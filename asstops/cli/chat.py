"""`asstops chat`: a conversation with an assistant that was provisioned, line by line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from asstops.cli import completing
from asstops.cli.options import global_options
from asstops.cli.run import Run, opened, options_of
from asstops.cli.talk import (
    advice,
    assistant_id,
    cancelling,
    conversation,
    show_end,
    thread_option,
    tool_output_option,
)
from asstops.cli.terminal import interactive
from asstops.errors import AsstopsError, ExitCode, ProviderError, UsageError

if TYPE_CHECKING:
    from asstops.talk.answer import ToolCall
    from asstops.talk.conversation import Conversation

_HELP = "/thread shows the thread's id, /exit or Ctrl-D ends the conversation, Ctrl-C stops an answer.\n"


@click.command("chat")
@click.argument("assistant", shell_complete=completing.assistants)
@thread_option
@tool_output_option
@global_options
@click.pass_context
def command(context: click.Context, assistant: str, thread_id: str, outputs: dict[str, str]) -> int:
    """Talk with an assistant of the spec.

    ASSISTANT is its key in the spec. Each line is a message; /thread shows the thread's id, /exit or Ctrl-D ends the
    conversation, Ctrl-C stops an answer. Where stdin is no terminal, its lines are the messages.
    """
    with opened(options_of(context)) as run:
        person = interactive()
        remote_id = assistant_id(run, assistant)
        talk = conversation(run, remote_id, thread_id, outputs=outputs, ask_for=_asked if person else None)
        if person:
            run.say(f"{assistant.removeprefix('assistant.')} listens. {_HELP}", err=True)
        good = True
        for line in _lines(person):
            message = line.strip()
            if message in ("/exit", "/quit"):
                break
            if message == "/thread":
                run.say(f"thread: {talk.thread_id or 'none yet; it is made with the first message'}\n", err=True)
            elif message.startswith("/") and message[1:].isalpha():
                run.say(_HELP, err=True)
            elif message:
                good = _turn(run, talk, message, person) and good
        if talk.thread_id:
            run.say(f"thread: {talk.thread_id}\n", err=True)
        return ExitCode.OK if good else ExitCode.ERROR


def _turn(run: Run, talk: Conversation, message: str, person: bool) -> bool:
    """One message and its answer. False when there is no whole answer; at a terminal the conversation goes on."""
    try:
        with cancelling(talk):
            answer = talk.ask(message)
    except KeyboardInterrupt:
        if not person:
            raise
        return True
    except ProviderError as error:
        # Somebody at a terminal can try once more; lines from a pipe would go on about an answer that never came.
        if not person or not talk.thread_id:
            raise
        _tell(run, error)
        return False
    show_end(run, answer)
    if answer.reason:
        _tell(run, AsstopsError(answer.reason, fix=advice(answer)))
    if person:
        run.say("\n")
    return not answer.reason


def _tell(run: Run, error: AsstopsError) -> None:
    from asstops.cli.terminal import Terminal
    from asstops.views.problems import render_error

    terminal = Terminal.for_stderr()
    run.say(render_error(error, color=terminal.color, width=terminal.width), err=True)


def _lines(person: bool) -> Iterator[str]:
    """What is typed, or what stdin holds, line by line."""
    if not person:
        for number, line in enumerate(sys.stdin.buffer, 1):
            try:
                yield line.decode("utf-8-sig")
            except UnicodeDecodeError:
                raise UsageError(f"line {number} of stdin is no UTF-8 text") from None
        return
    with suppress(ImportError):  # not on every system
        import readline  # noqa: F401 - gives input() its line editing
    while True:
        try:
            yield input("> ")
        except EOFError:
            click.echo()
            return


def _asked(call: ToolCall) -> str | None:
    """Ask the person for a function's result; an empty answer gives none."""
    while True:
        try:
            typed = input(f"what {call.name} returns, as JSON (empty: nothing)> ").strip()
        except EOFError:
            return None
        if not typed:
            return None
        try:
            json.loads(typed)
        except ValueError as error:
            click.echo(f"That is no JSON: {error}", err=True)
            continue
        return typed
