"""An assistant that answers from a JSON file and says where it found the answer.

Uploads the file, makes a vector store of it, asks, lists the citations, and takes everything away again.
"""

import json
import os
from contextlib import ExitStack

from openai import AzureOpenAI

PRICES = {"products": [{"name": "kettle", "price": 39.0}, {"name": "toaster", "price": 54.5}]}

client = AzureOpenAI()
with ExitStack() as undo:
    file = client.files.create(file=("prices.json", json.dumps(PRICES).encode()), purpose="assistants")
    undo.callback(client.files.delete, file.id)

    store = client.vector_stores.create(name="Prices")
    undo.callback(client.vector_stores.delete, store.id)
    # A store answers only from files that it has taken in, so wait for that.
    batch = client.vector_stores.file_batches.create_and_poll(store.id, file_ids=[file.id])
    if batch.file_counts.completed != 1:
        raise SystemExit(f"prices.json was not taken in: {batch.status}")

    assistant = client.beta.assistants.create(
        name="Shop",
        model=os.environ.get("AZURE_OPENAI_DEPLOYMENT_NAME", "gpt-4o"),
        instructions="Answer from the price list only.",
        tools=[{"type": "file_search"}],
        tool_resources={"file_search": {"vector_store_ids": [store.id]}},
    )
    undo.callback(client.beta.assistants.delete, assistant.id)

    run = client.beta.threads.create_and_run_poll(
        assistant_id=assistant.id,
        thread={"messages": [{"role": "user", "content": "What is the price of the toaster?"}]},
    )
    if run.status != "completed":
        raise SystemExit(f"the run ended as {run.status}: {run.last_error or run.incomplete_details}")

    [part, *_] = client.beta.threads.messages.list(run.thread_id, run_id=run.id).data[0].content
    if part.type == "text":
        text = part.text.value
        for number, note in enumerate(part.text.annotations, 1):
            if note.type == "file_citation":
                text = text.replace(note.text, f" [{number}]")
                text += f"\n[{number}] {client.files.retrieve(note.file_citation.file_id).filename}"
        print(text)
