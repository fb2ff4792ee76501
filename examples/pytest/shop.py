"""The program under test: asks the clerk, and looks up the stock when the clerk wants to know."""

import json

from openai import OpenAI

STOCK = {"kettle": 3}


def ask(client: OpenAI, agent: str, question: str) -> str:
    """One question to the agent of that name, one answer."""
    reference = {"agent_reference": {"name": agent, "type": "agent_reference"}}
    answer = client.responses.create(input=question, extra_body=reference)
    while calls := [item for item in answer.output if item.type == "function_call"]:
        outputs = [
            {"type": "function_call_output", "call_id": call.call_id, "output": _stock(call.arguments)}
            for call in calls
        ]
        answer = client.responses.create(input=outputs, previous_response_id=answer.id, extra_body=reference)
    if answer.status != "completed":
        raise RuntimeError(f"the answer ended as {answer.status}")
    return answer.output_text


def _stock(arguments: str) -> str:
    return str(STOCK.get(json.loads(arguments)["product"], 0))
