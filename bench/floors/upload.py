"""Upload the files of a folder with the plain SDK, `WORKERS` at a time, and do nothing else.

python upload.py FOLDER WORKERS
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from openai import AzureOpenAI


def main() -> None:
    folder, workers = Path(sys.argv[1]), int(sys.argv[2])
    client = AzureOpenAI(api_version=os.environ["OPENAI_API_VERSION"])

    def upload(path: Path) -> str:
        with path.open("rb") as stream:
            return client.files.create(file=(path.name, stream), purpose="assistants").id

    with ThreadPoolExecutor(workers) as pool:
        made = set(pool.map(upload, sorted(folder.iterdir())))
    sys.stdout.write(f"{len(made)}\n")


if __name__ == "__main__":
    main()
