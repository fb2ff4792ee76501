"""One conversation with an assistant, signed in with a key.

Needs AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY, OPENAI_API_VERSION; the deployment is gpt-4o unless
AZURE_OPENAI_DEPLOYMENT_NAME says otherwise.
"""

import os

from openai import AzureOpenAI

client = AzureOpenAI(
    azure_endpoint=os.environ["AZURE_OPENAI_ENDPOINT"],
    api_key=os.environ["AZURE_OPENAI_API_KEY"],
    api_version=os.environ["OPENAI_API_VERSION"],
)

# On Azure, `model` is the name of a deployment.
assistant = client.beta.assistants.create(
    name="Maths tutor",
    model=os.environ.get("AZURE_OPENAI_DEPLOYMENT_NAME", "gpt-4o"),
    instructions="Work out every number by running Python.",
    tools=[{"type": "code_interpreter"}],
)
try:
    thread = client.beta.threads.create()
    client.beta.threads.messages.create(thread.id, role="user", content="What is 12 * (3 + 4)?")
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    if run.status != "completed":
        raise SystemExit(f"the run ended as {run.status}: {run.last_error or run.incomplete_details}")

    for message in client.beta.threads.messages.list(thread.id, order="asc"):
        for part in message.content:
            if part.type == "text":
                print(f"{message.role}: {part.text.value}")
finally:
    client.beta.assistants.delete(assistant.id)
