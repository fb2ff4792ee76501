"""A console chat with an agent that asstops provisioned: FOUNDRY_PROJECT_ENDPOINT and FOUNDRY_AGENT_NAME say which.

Goes on with a conversation whose id is given: python agent.py conv_...
"""

import os
import sys

from azure.identity import DefaultAzureCredential, get_bearer_token_provider
from openai import OpenAI

token = get_bearer_token_provider(DefaultAzureCredential(), "https://ai.azure.com/.default")
client = OpenAI(base_url=f"{os.environ['FOUNDRY_PROJECT_ENDPOINT'].rstrip('/')}/openai/v1/", api_key=token)
agent = {"name": os.environ["FOUNDRY_AGENT_NAME"], "type": "agent_reference"}

conversation = sys.argv[1] if len(sys.argv) > 1 else client.conversations.create().id
print("conversation:", conversation, file=sys.stderr)
for line in sys.stdin:
    with client.responses.create(
        conversation=conversation, input=line.strip(), stream=True, extra_body={"agent_reference": agent}
    ) as events:
        for event in events:
            if event.type == "response.output_text.delta":
                print(event.delta, end="", flush=True)
            elif event.type == "response.failed":
                sys.exit(f"\n{event.response.error.message if event.response.error else 'it failed'}")
    print()
