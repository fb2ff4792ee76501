"""A program for Foundry Agent Service, as one would write it for Azure: nothing in it knows of an emulator.

It makes an agent over an uploaded file, talks with it in a conversation (plain, with a function, streamed), and takes
away what it made. Reads FOUNDRY_PROJECT_ENDPOINT, and what DefaultAzureCredential reads.
"""

import os

from azure.ai.projects import AIProjectClient
from azure.ai.projects.models import FileSearchTool, FunctionTool, PromptAgentDefinition
from azure.identity import DefaultAzureCredential

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}

with (
    DefaultAzureCredential() as credential,
    AIProjectClient(endpoint=os.environ["FOUNDRY_PROJECT_ENDPOINT"], credential=credential) as project,
    project.get_openai_client() as client,
):
    file = client.files.create(file=("sales.md", b"March: 40 bicycles"), purpose="assistants")
    store = client.vector_stores.create(name="sales")
    client.vector_stores.files.create_and_poll(vector_store_id=store.id, file_id=file.id)
    for instructions in ("Be short.", "Be polite."):
        agent = project.agents.create_version(
            agent_name="clerk",
            definition=PromptAgentDefinition(
                model="gpt-4o",
                instructions=instructions,
                tools=[
                    FileSearchTool(vector_store_ids=[store.id]),
                    FunctionTool(name="get_weather", description="Weather", parameters=WEATHER, strict=True),
                ],
            ),
            metadata={"owner": "sales"},
        )
        print("made", agent.id)
    print("versions", [version.version for version in project.agents.list_versions("clerk")])
    print("agents", [each.name for each in project.agents.list()])

    reference = {"agent_reference": {"name": agent.name, "type": "agent_reference"}}
    conversation = client.conversations.create()
    answer = client.responses.create(conversation=conversation.id, input="How was March?", extra_body=reference)
    print(answer.output_text.splitlines()[-1])
    print("cites", [note.filename for item in answer.output if item.type == "message"
                    for part in item.content for note in part.annotations])  # fmt: skip

    answer = client.responses.create(conversation=conversation.id, input="Now get_weather.", extra_body=reference)
    outputs = [
        {"type": "function_call_output", "call_id": item.call_id, "output": "rain"}
        for item in answer.output
        if item.type == "function_call"
    ]
    stream = client.responses.create(conversation=conversation.id, input=outputs, extra_body=reference, stream=True)
    print("".join(event.delta for event in stream if event.type == "response.output_text.delta").splitlines()[-1])

    client.conversations.delete(conversation.id)
    print("deleted", project.agents.delete_version("clerk", "1").version, project.agents.delete("clerk").deleted)
    client.vector_stores.delete(store.id)
    client.files.delete(file.id)
