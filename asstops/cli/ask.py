"""`asstops ask`: one question to an assistant that was provisioned, and its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from asstops.cli import completing
from asstops.cli.options import format_option, global_options
from asstops.cli.run import opened, options_of
from asstops.cli.talk import (
    advice,
    assistant_id,
    cancelling,
    conversation,
    from_stdin,
    show_end,
    thread_option,
    tool_output_option,
)
from asstops.errors import AsstopsError, ExitCode, UsageError

if TYPE_CHECKING:
    from asstops.talk.answer import Answer


@click.command("ask")
@click.argument("assistant", shell_complete=completing.assistants)
@click.argument("text")
@thread_option
@tool_output_option
@format_option("json", text="How the answer is written to stdout; json is one document.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@global_options
@click.pass_context
def command(
    context: click.Context,
    assistant: str,
    text: str,
    thread_id: str,
    outputs: dict[str, str],
    form: str,
    as_json: bool,
) -> int:
    """Ask an assistant of the spec, and show the answer as it comes.

    ASSISTANT is its key in the spec, TEXT the question; - reads it from stdin. Files that the answer cites are listed
    after it. The id of the thread, or of the conversation with an agent, goes to stderr: --thread goes on with it.
    """
    as_json = as_json or form == "json"
    question = from_stdin() if text == "-" else text
    if not question.strip():
        raise UsageError("there is no question", fix="write it after the assistant's key, or - to read stdin")
    with opened(options_of(context)) as run:
        remote_id = assistant_id(run, assistant)
        talk = conversation(run, remote_id, thread_id, outputs=outputs, quiet=as_json)
        with cancelling(talk):
            answer = talk.ask(question)
        if as_json:
            from asstops.views.machine import dumps

            run.say(dumps(_document(answer)))
        else:
            show_end(run, answer)
            run.say(f"thread: {answer.thread_id}\n", err=True)
        if answer.reason:
            raise AsstopsError(answer.reason, fix=advice(answer))
        return ExitCode.OK


def _document(answer: Answer) -> dict[str, Any]:
    return {
        "text": answer.text,
        "citations": [
            {
                "number": c.number,
                "file_id": c.file_id or None,
                "file_name": c.file_name or None,
                "quote": c.quote or None,
                "url": c.url or None,
            }
            for c in answer.citations
        ],
        "tool_calls": [
            {"id": c.id, "name": c.name, "arguments": c.arguments, "output": c.output} for c in answer.tool_calls
        ],
        "thread_id": answer.thread_id,
        "run_id": answer.run_id,
        "status": answer.status,
        "reason": answer.reason or None,
        "usage": dict(answer.usage) if answer.usage is not None else None,
    }
