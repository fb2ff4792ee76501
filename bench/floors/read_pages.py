"""Read what a plan reads with the plain SDK: every page, the files of the stores `WORKERS` at a time.

python read_pages.py WORKERS
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

from openai import AzureOpenAI


def main() -> None:
    workers = int(sys.argv[1])
    client = AzureOpenAI(api_version=os.environ["OPENAI_API_VERSION"])
    with ThreadPoolExecutor(workers) as pool:
        assistants = pool.submit(lambda: list(client.beta.assistants.list(limit=100, order="asc")))
        files = pool.submit(lambda: list(client.files.list(purpose="assistants")))
        stores = list(client.vector_stores.list(limit=100, order="asc"))
        held = [store for store in stores if store.file_counts.total]
        of_stores = list(
            pool.map(lambda store: list(client.vector_stores.files.list(store.id, limit=100, order="asc")), held)
        )
        count = len(assistants.result()) + len(files.result()) + len(stores) + sum(map(len, of_stores))
    sys.stdout.write(f"{count}\n")


if __name__ == "__main__":
    main()
