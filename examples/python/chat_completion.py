"""A chat completion on a deployment that asstops provisioned: plain, then streamed.

Needs AZURE_OPENAI_DEPLOYMENT_NAME besides endpoint, key and version; `asstops output --format env` prints it.
"""

import os

from openai import AzureOpenAI

client = AzureOpenAI()
deployment = os.environ["AZURE_OPENAI_DEPLOYMENT_NAME"]

reply = client.chat.completions.create(
    model=deployment,
    messages=[
        {"role": "system", "content": "You answer in one sentence."},
        {"role": "user", "content": "What does GitOps mean?"},
    ],
)
print(reply.choices[0].message.content)

with client.chat.completions.create(
    model=deployment, messages=[{"role": "user", "content": "And in three words?"}], stream=True
) as stream:
    for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            print(chunk.choices[0].delta.content, end="", flush=True)
print()
