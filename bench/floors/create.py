"""Create assistants with the plain SDK, `WORKERS` at a time, none of them looked at again.

python create.py COUNT WORKERS
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

from openai import AzureOpenAI


def main() -> None:
    count, workers = int(sys.argv[1]), int(sys.argv[2])
    client = AzureOpenAI(api_version=os.environ["OPENAI_API_VERSION"])

    def create(n: int) -> str:
        return client.beta.assistants.create(
            model="gpt-4o",
            name=f"Helper {n}",
            instructions=f"You are helper {n}. Answer in one sentence, and say where you know it from.",
            tools=[{"type": "code_interpreter"}],
            metadata={"team": f"team-{n % 7}"},
        ).id

    with ThreadPoolExecutor(workers) as pool:
        made = set(pool.map(create, range(count)))
    sys.stdout.write(f"{len(made)}\n")


if __name__ == "__main__":
    main()
