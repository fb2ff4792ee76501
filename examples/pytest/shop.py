"""The program under test: asks the clerk, and looks up the stock when the clerk wants to know."""

import json

from openai import AzureOpenAI

STOCK = {"kettle": 3}


def ask(client: AzureOpenAI, assistant_id: str, question: str) -> str:
    """One question, one answer."""
    thread = client.beta.threads.create(messages=[{"role": "user", "content": question}])
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant_id)
    while run.status == "requires_action" and run.required_action is not None:
        calls = run.required_action.submit_tool_outputs.tool_calls
        outputs = [{"tool_call_id": call.id, "output": _stock(call.function.arguments)} for call in calls]
        run = client.beta.threads.runs.submit_tool_outputs_and_poll(
            run_id=run.id, thread_id=thread.id, tool_outputs=outputs
        )
    if run.status != "completed":
        raise RuntimeError(f"the run ended as {run.status}")
    answer = client.beta.threads.messages.list(thread.id, order="desc", limit=1).data[0]
    return "".join(part.text.value for part in answer.content if part.type == "text")


def _stock(arguments: str) -> str:
    return str(STOCK.get(json.loads(arguments)["product"], 0))
