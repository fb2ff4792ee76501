"""The conversation of quickstart.py, signed in with Microsoft Entra ID: no key anywhere.

Needs AZURE_OPENAI_ENDPOINT and OPENAI_API_VERSION, and a sign-in that DefaultAzureCredential finds: az login, a managed
identity, or a pipeline's workload identity. The role is "Cognitive Services OpenAI User", or Contributor to create.
"""

import os

from azure.identity import DefaultAzureCredential, get_bearer_token_provider
from openai import AzureOpenAI

with DefaultAzureCredential() as credential:
    client = AzureOpenAI(
        azure_endpoint=os.environ["AZURE_OPENAI_ENDPOINT"],
        api_version=os.environ["OPENAI_API_VERSION"],
        # Called before each request; it renews the token in time.
        azure_ad_token_provider=get_bearer_token_provider(credential, "https://cognitiveservices.azure.com/.default"),
    )
    assistant = client.beta.assistants.create(
        name="Maths tutor",
        model=os.environ.get("AZURE_OPENAI_DEPLOYMENT_NAME", "gpt-4o"),
        tools=[{"type": "code_interpreter"}],
    )
    try:
        thread = client.beta.threads.create(messages=[{"role": "user", "content": "What is 12 * (3 + 4)?"}])
        run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
        if run.status != "completed":
            raise SystemExit(f"the run ended as {run.status}: {run.last_error or run.incomplete_details}")
        answer = client.beta.threads.messages.list(thread.id, order="desc", limit=1).data[0]
        print("".join(part.text.value for part in answer.content if part.type == "text"))
    finally:
        client.beta.assistants.delete(assistant.id)
