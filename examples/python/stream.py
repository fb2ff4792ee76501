"""A run whose answer is shown while it is written, with an event handler of our own."""

import os

from openai import AssistantEventHandler, AzureOpenAI
from openai.types.beta.threads import Text, TextDelta
from openai.types.beta.threads.runs import ToolCall
from typing_extensions import override


class Shown(AssistantEventHandler):
    @override
    def on_text_delta(self, delta: TextDelta, snapshot: Text) -> None:
        print(delta.value or "", end="", flush=True)

    @override
    def on_text_done(self, text: Text) -> None:
        print()

    @override
    def on_tool_call_done(self, tool_call: ToolCall) -> None:
        if tool_call.type == "code_interpreter":
            print(f"(ran: {tool_call.code_interpreter.input})")


client = AzureOpenAI()
assistant = client.beta.assistants.create(
    name="Maths tutor",
    model=os.environ.get("AZURE_OPENAI_DEPLOYMENT_NAME", "gpt-4o"),
    tools=[{"type": "code_interpreter"}],
)
try:
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "What is 2 ** 10?"}])
    with client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=assistant.id, event_handler=Shown()
    ) as stream:
        stream.until_done()
finally:
    client.beta.assistants.delete(assistant.id)
