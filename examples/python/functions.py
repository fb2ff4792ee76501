"""An assistant that calls functions of this program: the run waits, we compute, the run goes on."""

import json
import os
from collections.abc import Callable
from typing import Any

from openai import AzureOpenAI


def get_weather(city: str) -> dict[str, Any]:
    """Stands for a real service."""
    return {"city": city, "sky": "clear", "celsius": 21}


FUNCTIONS: dict[str, Callable[..., Any]] = {"get_weather": get_weather}

client = AzureOpenAI()
assistant = client.beta.assistants.create(
    name="Travel helper",
    model=os.environ.get("AZURE_OPENAI_DEPLOYMENT_NAME", "gpt-4o"),
    tools=[
        {
            "type": "function",
            "function": {
                "name": "get_weather",
                "description": "The weather in a city, now.",
                "parameters": {
                    "type": "object",
                    "properties": {"city": {"type": "string"}},
                    "required": ["city"],
                    "additionalProperties": False,
                },
            },
        }
    ],
)
try:
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "Use get_weather for Lisbon."}])
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    while run.status == "requires_action" and run.required_action is not None:
        outputs = []
        for call in run.required_action.submit_tool_outputs.tool_calls:
            arguments = json.loads(call.function.arguments)
            result = FUNCTIONS[call.function.name](**arguments)
            print(f"{call.function.name}({arguments}) -> {result}")
            outputs.append({"tool_call_id": call.id, "output": json.dumps(result)})
        # All outputs go in one request: a run takes them together or not at all.
        run = client.beta.threads.runs.submit_tool_outputs_and_poll(
            run_id=run.id, thread_id=thread.id, tool_outputs=outputs
        )
    if run.status != "completed":
        raise SystemExit(f"the run ended as {run.status}: {run.last_error or run.incomplete_details}")
    answer = client.beta.threads.messages.list(thread.id, order="desc", limit=1).data[0]
    print("".join(part.text.value for part in answer.content if part.type == "text"))
finally:
    client.beta.assistants.delete(assistant.id)
