"""A console chat with an assistant that is already there; an empty line ends it.

    ASSISTANT_ID=asst_... python chat.py                  a new thread, whose id is shown
    ASSISTANT_ID=asst_... python chat.py thread_...       goes on with that thread

The endpoint, key and version come from the variables that `asstops output --format env` prints, and the id as well.
"""

import os
import sys

from openai import AzureOpenAI

client = AzureOpenAI()  # AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY, OPENAI_API_VERSION
assistant_id = os.environ["ASSISTANT_ID"]

if len(sys.argv) > 1:
    thread_id = client.beta.threads.retrieve(sys.argv[1]).id
    for message in client.beta.threads.messages.list(thread_id, order="asc"):
        print(f"{message.role}: " + "".join(part.text.value for part in message.content if part.type == "text"))
else:
    thread_id = client.beta.threads.create().id
print(f"thread: {thread_id}", file=sys.stderr)

while True:
    try:
        question = input("you> " if sys.stdin.isatty() else "").strip()
    except EOFError:
        break
    if not question:
        break
    client.beta.threads.messages.create(thread_id, role="user", content=question)
    with client.beta.threads.runs.stream(thread_id=thread_id, assistant_id=assistant_id) as stream:
        for text in stream.text_deltas:
            print(text, end="", flush=True)
        print()
        run = stream.current_run
    if run is None or run.status != "completed":
        raise SystemExit(f"the run ended as {run.status if run else 'unknown'}: {run.last_error if run else ''}")
